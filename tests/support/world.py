"""A small supply chain to write sentences with: who did what to which package, and what is true afterwards.

    story = Story()
    story.tell(commission(package(1)), pack(CASE, package(1)), ship(CASE, to=WHOLESALER))
    story.tell(receive(CASE, by=WHOLESALER, from_=MAKER))
    assert story.holder(package(1)) == WHOLESALER

Every act happens a minute after the one before it, unless `at` (minutes) says when.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ledger.custody.act import Act, read_act
from ledger.custody.event import EXPIRY, LOT, ErrorDeclaration, Event, Linked, Quantity, compact
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.order import history
from ledger.custody.rules import replay
from ledger.custody.state import Item, World, is_inferred
from ledger.custody.vocabulary import Action, EventType

MAKER = "0399999000017"
WHOLESALER = "0860000000017"
PHARMACY = "0370000000018"
CARRIER = "0810000000019"
STRANGER = "0666000000013"

GTIN = "00399999001014"
LOT_NUMBER, EXPIRES = "LOT42", "2028-05-31"
LOT_KEY = f"https://id.gs1.org/01/{GTIN}/10/{LOT_NUMBER}"
PALLET = "https://id.gs1.org/00/103999990000000014"
CASE = "https://id.gs1.org/00/003999990000000101"
OTHER_CASE = "https://id.gs1.org/00/003999990000000118"
TOTE = "https://id.gs1.org/00/008600000000000101"

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
_ids = itertools.count(1)


def package(number: int | str) -> str:
    """The canonical EPC of a package of `GTIN`."""
    return f"https://id.gs1.org/01/{GTIN}/21/{number}"


def case(number: int) -> str:
    """The canonical EPC of a case (an SSCC; its check digit does not matter to the rules)."""
    return f"https://id.gs1.org/00/003999990{number:09d}"


def minutes(at: float) -> datetime:
    """`at` minutes after the story begins."""
    return START + timedelta(minutes=at)


def sgln(gln: str) -> str:
    return f"https://id.gs1.org/414/{gln}"


def act(by: str, event: Event, statement: bool | None = None, at: float | None = None) -> Act:
    """`event` as `by` vouches for it; every GLN is a company of its own."""
    if at is not None:
        event = replace(event, event_time=minutes(at))
    if event.event_id is None:
        event = replace(event, event_id=f"urn:uuid:{next(_ids):032x}")
    return read_act(event, by, lambda gln: gln, statement)


def event(
    kind: EventType, action: Action | None, step: str | None, disposition: str | None = None, **fields: object
) -> Event:
    """A bare event; a `Story` gives it its time unless the act was made with `at`."""
    made = Event(type=kind, event_time=NEXT, time_zone_offset="+00:00", action=action, biz_step=step)
    return replace(made, disposition=disposition, **fields)  # type: ignore[arg-type]


NEXT = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of an act that happens whenever the story tells it."""


def commission(
    *keys: str,
    by: str = MAKER,
    lot: str | None = LOT_NUMBER,
    expiry: str | None = EXPIRES,
    at: float | None = None,
) -> Act:
    pairs = ((EXPIRY, expiry), (LOT, lot))
    ilmd = tuple((name, compact(value)) for name, value in pairs if value is not None)
    return act(
        by,
        event(EventType.OBJECT, Action.ADD, "commissioning", "active", epcs=keys, ilmd=ilmd),
        at=at,
    )


def pack(into: str, *children: str, by: str = MAKER, at: float | None = None) -> Act:
    fields = {"parent": into, "children": children}
    return act(by, event(EventType.AGGREGATION, Action.ADD, "packing", "in_progress", **fields), at=at)


def unpack(container: str, *children: str, by: str = WHOLESALER, at: float | None = None) -> Act:
    fields = {"parent": container, "children": children}
    return act(by, event(EventType.AGGREGATION, Action.DELETE, "unpacking", "in_progress", **fields), at=at)


def ship(
    *keys: str,
    by: str = MAKER,
    to: str | None = WHOLESALER,
    sold_to: str | None = "",
    sold_by: str | None = None,
    statement: bool | None = True,
    disposition: str = "in_transit",
    at: float | None = None,
) -> Act:
    """`by` ships to `to`. Sold to the recipient with a transaction statement, unless said otherwise."""
    buyer = to if sold_to == "" else sold_to
    seller = sold_by or by
    places = [("possessing_party", to), ("owning_party", buyer)]
    fields = {
        "epcs": keys,
        "sources": (Linked("possessing_party", sgln(by)), Linked("owning_party", sgln(seller))),
        "destinations": tuple(Linked(kind, sgln(gln)) for kind, gln in places if gln),
    }
    return act(
        by, event(EventType.OBJECT, Action.OBSERVE, "shipping", disposition, **fields), statement, at=at
    )


def void_shipping(*keys: str, by: str = MAKER, at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "void_shipping", "in_progress", epcs=keys), at=at)


def receive(*keys: str, by: str = WHOLESALER, from_: str | None = MAKER, at: float | None = None) -> Act:
    sources = (Linked("possessing_party", sgln(from_)),) if from_ else ()
    destinations = (Linked("possessing_party", sgln(by)),)
    fields = {"epcs": keys, "sources": sources, "destinations": destinations}
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "receiving", "in_progress", **fields), at=at)


def accept(*keys: str, by: str, statement: bool | None = None, at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "accepting", epcs=keys), statement, at=at)


def count(
    container: str,
    *found: str,
    by: str = WHOLESALER,
    disposition: str | None = "mismatch_quantity",
    step: str = "inspecting",
    at: float | None = None,
) -> Act:
    """`by` opened `container` and counted."""
    fields = {"parent": container, "children": found}
    return act(by, event(EventType.AGGREGATION, Action.OBSERVE, step, disposition, **fields), at=at)


def observe(*keys: str, by: str, disposition: str | None = "in_progress", at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "inspecting", disposition, epcs=keys), at=at)


def hold(*keys: str, by: str, disposition: str | None = "non_sellable_other", at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "holding", disposition, epcs=keys), at=at)


def recall(*keys: str, by: str = MAKER, lots: Iterable[str] = (), at: float | None = None) -> Act:
    quantities = tuple(Quantity(lot) for lot in lots)
    made = event(EventType.OBJECT, Action.OBSERVE, "holding", "recalled", epcs=keys, quantities=quantities)
    return act(by, made, at=at)


def dispense(*keys: str, by: str = PHARMACY, partly: bool = False, at: float | None = None) -> Act:
    disposition = "partially_dispensed" if partly else "dispensed"
    return act(by, event(EventType.OBJECT, Action.OBSERVE, "dispensing", disposition, epcs=keys), at=at)


def destroy(*keys: str, by: str, at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.DELETE, "destroying", "destroyed", epcs=keys), at=at)


def decommission(*keys: str, by: str = MAKER, at: float | None = None) -> Act:
    return act(by, event(EventType.OBJECT, Action.DELETE, "decommissioning", "inactive", epcs=keys), at=at)


def repackage(inputs: Iterable[str], outputs: Iterable[str], by: str, at: float | None = None) -> Act:
    ilmd = ((EXPIRY, compact("2027-01-31")), (LOT, compact("NEW7")))
    fields = {"inputs": tuple(inputs), "outputs": tuple(outputs), "ilmd": ilmd}
    return act(by, event(EventType.TRANSFORMATION, None, "repackaging", **fields), at=at)


def declare_wrong(wrong: Act, by: str | None = None, reason: str = "incorrect_data") -> Act:
    """The error declaration of `wrong`: its event again, under the same id."""
    declared = replace(wrong.event, declaration=ErrorDeclaration(minutes(10_000), reason))
    return replace(wrong, event=declared, by=by or wrong.by)


@dataclass(slots=True)
class Story:
    """Acts told in turn; asking anything replays them all."""

    acts: list[Act] = field(default_factory=list)
    clock: int = 0
    _replayed: tuple[list[Act], tuple[World, list[tuple[Act, Finding]]]] | None = None

    def tell(self, *acts: Act) -> Story:
        for told in acts:
            self.clock += 1
            when = minutes(self.clock) if told.event.event_time == NEXT else told.event.event_time
            self.acts.append(replace(told, event=replace(told.event, event_time=when)))
        return self

    @property
    def last(self) -> Act:
        """The act told last, with its time."""
        return self.acts[-1]

    def _replay(self) -> tuple[World, list[tuple[Act, Finding]]]:
        if self._replayed is None or self._replayed[0] != self.acts:
            self._replayed = (list(self.acts), replay(self.acts))
        return self._replayed[1]

    @property
    def world(self) -> World:
        return self._replay()[0]

    @property
    def findings(self) -> list[Finding]:
        return [found for _, found in self._replay()[1]]

    @property
    def codes(self) -> list[FindingCode]:
        return [found.code for found in self.findings]

    def item(self, key: str) -> Item:
        return self.world.item(key)

    def outer(self, key: str) -> Item:
        world = self.world
        return world.outer(world.item(key))

    def holder(self, key: str) -> str | None:
        """Who has it, or had it last while it is under way."""
        return self.outer(key).holder

    def owner(self, key: str) -> str | None:
        return self.outer(key).owner

    def in_transit(self, key: str) -> bool:
        return self.outer(key).in_transit

    def inside(self, key: str) -> str | None:
        return self.item(key).parent

    def inferred(self, key: str) -> bool:
        world = self.world
        item = world.item(key)
        return is_inferred(item, world.outer(item))

    def held_by(self, party: str, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that `party` has, and that are not under way."""
        world = self.world
        outers = {key: world.outer(world.item(key)) for key in keys}
        return [key for key, outer in outers.items() if outer.holder == party and not outer.in_transit]

    def in_order(self) -> list[Act]:
        return history(self.acts)
