"""What is true of a package or a container now, and who it is true for.

Custody, ownership and containment are three attributes, changed by different events. Custody and ownership
are kept on the **outermost** object and inherited by what is inside: receiving a pallet changes one item, not
265. An item's own attributes are stale while it is inside something; `World.outer` finds the ones that count,
and taking an item out copies them down.

    world = World()
    outcome = apply(world, act)          # ledger.custody.rules; pure: `world` is as before
    world.update(outcome.changed)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote

from ledger.custody.promise import remembered

MOST_OWNERS = 16  # past owners remembered; the oldest are forgotten
MAX_DEPTH = 16  # containers within containers; deeper is a loop or an attack


class Status(StrEnum):
    """Where an object is in its life."""

    UNKNOWN = "unknown"  # named by an event, never commissioned as far as we know
    ACTIVE = "active"
    PARTIALLY_DISPENSED = "partially_dispensed"
    DISPENSED = "dispensed"
    DECOMMISSIONED = "decommissioned"
    DESTROYED = "destroyed"


ENDED = frozenset({Status.DISPENSED, Status.DECOMMISSIONED, Status.DESTROYED})
CONSUMED = frozenset({Status.DISPENSED, Status.DESTROYED})
"""Ends that what is inside shares: a destroyed case leaves no package. A label taken out of use does not."""


@dataclass(frozen=True, slots=True)
class Item:
    """One package or container; or a lot, of which only `maker` and `recalled` mean something.

    Parties are GLNs (13 digits), positions as `ledger.custody.event` defines them.

    `holder` has it, or had it last while it is under way to `bound_for`. `offered_to` gets the title on
    receipt; `sender` is who last shipped it. `missing`: expected inside a container that was opened and counted,
    and not found.

    `custody_since` is since when its holder has it; while it is inside something, when its holder last named the
    object itself. `last` is when any event last touched it or what is inside it, believed or not: an event before
    that comes late.

    `past_owners`: whose it was before, oldest first, GLNs with a blank between. `seen_at` and `seen_place`: when and
    where it was last seen itself, of what happened at a place that is known (ledger.custody.travel); `travelled`: and
    then it was seen where it cannot have got to.

    `also_to`: to whom its sender says that it shipped it too, or shipped it before taking that back, as
    `ledger.custody.promised` writes it.
    """

    key: str
    status: Status = Status.UNKNOWN
    maker: str | None = None
    lot: str | None = None
    expiry: str | None = None
    holder: str | None = None
    owner: str | None = None
    in_transit: bool = False
    bound_for: str | None = None
    offered_to: str | None = None
    sender: str | None = None
    custody_since: int = 0
    parent: str | None = None
    inside_since: int = 0
    last: int = 0
    ended_by: str | None = None
    ended_at: int | None = None
    held: str | None = None
    recalled: bool = False
    missing: bool = False
    claimed_by: str | None = None
    disputed: bool = False
    past_owners: str = ""
    seen_at: int = 0
    seen_place: str | None = None
    travelled: bool = False
    also_to: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


# What is frozen sets each field of a new one by a call of its own. Items are made by the hundred thousand, so they are
# made as a draft of the same layout, which is not frozen, and become items when they are whole: six times as fast.
FIELDS = tuple(each.name for each in fields(Item))
_Draft: Any = make_dataclass("_Draft", FIELDS, slots=True)
_values_of = attrgetter(*FIELDS)


def item_of(values: Iterable[Any]) -> Item:
    """The item with these values, all of them, in the order of its fields."""
    made = _Draft(*values)
    made.__class__ = Item
    found: Item = made
    return found


def replace(item: Item, **changes: Any) -> Item:
    """`dataclasses.replace` for items."""
    made = _Draft(*_values_of(item))
    for name, value in changes.items():
        setattr(made, name, value)  # raises AttributeError for what is no field
    made.__class__ = Item
    found: Item = made
    return found


def values_of(item: Item) -> tuple[Any, ...]:
    """What `item_of` takes."""
    found: tuple[Any, ...] = _values_of(item)
    return found


def differences(before: Item | None, after: Item) -> tuple[str, ...]:
    """The fields in which two items differ; all of them where there was none before."""
    if before is None:
        return FIELDS
    if before is after:
        return ()
    pairs = zip(FIELDS, _values_of(before), _values_of(after), strict=True)
    return tuple([name for name, was, now in pairs if was != now])


UNHEARD_OF = Item("")
"""Of whatever no event has named; to be given a key."""


@dataclass(slots=True)
class World:
    """The items at hand, by canonical EPC, with what is inside what. A value to the rules: they only
    read it."""

    items: dict[str, Item] = field(default_factory=dict)
    inside: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Item]) -> World:
        world = cls()
        world.update({item.key: item for item in items})
        return world

    def item(self, key: str) -> Item:
        """The item of that key, a fresh unknown one where there is none."""
        return self.items.get(key) or replace(UNHEARD_OF, key=key)

    def outer(self, item: Item) -> Item:
        """The outermost object around `item`: the one whose custody and ownership count."""
        for _ in range(MAX_DEPTH):
            if item.parent is None:
                return item
            item = self.item(item.parent)
        return item

    def around(self, item: Item) -> tuple[Item, ...]:
        """The containers around `item`, the nearest first; `MAX_DEPTH` of them at most."""
        found: list[Item] = []
        while item.parent is not None and len(found) < MAX_DEPTH:
            item = self.item(item.parent)
            found.append(item)
        return tuple(found)

    def path(self, item: Item) -> list[str]:
        """The keys of the containers around `item`, the nearest first."""
        return [container.key for container in self.around(item)]

    def contents(self, key: str) -> frozenset[str]:
        """The keys directly inside the container `key`."""
        return frozenset(self.inside.get(key, ()))

    def update(self, items: Mapping[str, Item]) -> None:
        """Take over changed items."""
        for key, item in items.items():
            before = self.items.get(key)
            if before is not None and before.parent is not None and before.parent != item.parent:
                self.inside[before.parent].discard(key)
            if item.parent is not None:
                self.inside.setdefault(item.parent, set()).add(key)
            self.items[key] = item


def lot_key(item: Item) -> str:
    """The canonical EPC of the lot that a package is of; for what has no GTIN, a name of the same form."""
    return _lot_key(item.key.split("/21/")[0], item.lot or "")


@lru_cache(maxsize=1024)
def _lot_key(product: str, lot: str) -> str:
    return f"{product}/10/{quote(lot, safe='')}"


def owned_by(item: Item, owner: str | None) -> Item:
    """`item` with its title passed to `owner`, and who had it before remembered."""
    past = item.past_owners.split()
    if item.owner is not None and item.owner != owner:
        past = [*(gln for gln in past if gln != item.owner), item.owner][-MOST_OWNERS:]
    return replace(item, owner=owner, past_owners=" ".join(past))


def owners_with(own: str, outer: str) -> str:
    """Whose a package was, that comes out of a container: its own past owners, then those it had inside."""
    past = own.split()
    return " ".join([*past, *(gln for gln in outer.split() if gln not in past)][-MOST_OWNERS:])


def last_seen(item: Item, around: Iterable[Item]) -> Item:
    """Of an object and the containers around it, the one that was seen last at a known place."""
    return max((item, *around), key=lambda each: each.seen_at)


def inherit(item: Item, outer: Item) -> Item:
    """`item` with the custody and ownership of `outer`, out of every container."""
    return replace(
        item,
        parent=None,
        inside_since=0,
        holder=outer.holder,
        owner=outer.owner,
        in_transit=outer.in_transit,
        bound_for=outer.bound_for,
        offered_to=outer.offered_to,
        sender=outer.sender,
        custody_since=outer.custody_since,
        past_owners=owners_with(item.past_owners, outer.past_owners),
        also_to=remembered([*item.also_to.split(), *outer.also_to.split()]),
    )


def is_inferred(item: Item, outer: Item) -> bool:
    """Whether its holder has not named `item` itself since its container changed hands: its custody is inferred
    from the container's label."""
    return item.parent is not None and item.custody_since < outer.custody_since
