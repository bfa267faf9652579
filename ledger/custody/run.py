"""One act being applied: the world seen through what has changed so far, and what the rules ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.custody.act import Act
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.lineage import Link
from ledger.custody.state import CONSUMED, MAX_DEPTH, Item, World, inherit, last_seen, replace
from ledger.custody.vocabulary import EventType, Step


@dataclass(slots=True)
class Run:
    """One act being applied: the world seen through what has changed so far."""

    world: World
    act: Act
    changed: dict[str, Item] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    # What was changed while inside a container, by container: each package of a long event asks what is in it.
    _inside: dict[str, set[str]] = field(default_factory=dict)
    # What the rules ask of the event again and again.
    at: int = field(init=False)
    epcs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.act.event.position
        self.epcs = self.act.event.all_epcs()

    def item(self, key: str) -> Item:
        return self.changed.get(key) or self.world.item(key)

    def around(self, item: Item) -> list[Item]:
        """The containers around `item`, the nearest first; one more than `MAX_DEPTH` where they are too many."""
        found: list[Item] = []
        while item.parent is not None and len(found) <= MAX_DEPTH:
            item = self.item(item.parent)
            found.append(item)
        return found

    def outer(self, item: Item) -> Item:
        """The outermost object around `item`: the one whose custody and ownership count."""
        return (self.around(item) or [item])[-1]

    def contents(self, key: str) -> set[str]:
        """The keys directly inside the container `key`."""
        there, here = self.world.inside.get(key), self._inside.get(key)
        if not there and not here:
            return set()
        return {child for child in (there or set()) | (here or set()) if self.item(child).parent == key}

    def is_empty(self, key: str) -> bool:
        """Whether nothing is directly inside the container `key`: found without looking at all that is."""
        there = (self.world.inside.get(key, ()), self._inside.get(key, ()))
        return not any(self.item(child).parent == key for some in there for child in some)

    def set(self, item: Item, **changes: Any) -> Item:
        """Keep `item` with these changes, touched now; what is kept."""
        if item.last < self.at:
            changes["last"] = self.at
        if changes:
            item = replace(item, **changes)
        if item.parent is not None:
            self._inside.setdefault(item.parent, set()).add(item.key)
        self.changed[item.key] = item
        return item

    def find(
        self, code: FindingCode, message: str, item: str | None = None, container: str | None = None
    ) -> None:
        self.findings.append(Finding(code, message, item, container))

    def may_act(self, item: Item) -> bool:
        """Whether the act's party holds `item`, or nobody is known to; a finding if not."""
        outer = self.outer(item)
        if outer.holder is None:
            return not self.is_foreign(item, outer)
        if outer.holder == self.act.by and not outer.in_transit:
            return True
        where = "under way" if outer.in_transit else "held by somebody else"
        self.find(FindingCode.NOT_HOLDER, f"{self.act.by} reports about an object that is {where}", item.key)
        if not outer.in_transit:
            self.claim(item, outer)
        return False

    def is_foreign(self, item: Item, outer: Item) -> bool:
        """Whether what nobody holds yet is another party's to begin, by the company prefix of its SSCC; a finding if
        so. Else anybody could date an event early enough and hold a container before its issuer does."""
        if outer.key not in self.act.foreign:
            return False
        self.find(
            FindingCode.NOT_ISSUER, "its number is another company's, which has not told of it", item.key
        )
        return True

    def claim(self, item: Item, outer: Item) -> None:
        """Remember that the act's party says `item` is with it, though another holds it. Whom a shipment or a
        title links with the holder is no stranger: its report is bad data, not a second package."""
        if self.act.by not in (outer.owner, outer.offered_to, outer.sender):
            self.set(replace(item, claimed_by=self.act.by))

    def alive(self, item: Item) -> bool:
        """Whether `item` is still in its life, and what it is inside of too; a finding if not."""
        ends = [each.status for each in self.around(item) if each.status in CONSUMED]
        if item.ended:
            ends = [item.status]
        if not ends:
            return True
        self.find(FindingCode.AFTER_END, f"the object was {ends[0]} before this happened", item.key)
        return False

    def take_out(self, item: Item) -> Item:
        """`item` on its own: with the custody, the hold and the recall that it shared with its containers."""
        if item.parent is None:
            return item
        around = self.around(item)
        held = next((each.held for each in (item, *around) if each.held), None)
        seen = last_seen(item, around)
        return replace(
            inherit(item, around[-1]),
            held=held,
            recalled=item.recalled or any(container.recalled for container in around),
            travelled=item.travelled or any(container.travelled for container in around),
            seen_at=seen.seen_at,
            seen_place=seen.seen_place,
        )


_STEPS = {str(known): known for known in Step}


def step(text: str | None) -> Step | None:
    """The step of that name where it is one that changes something here."""
    return _STEPS.get(text or "")


def each_once(keys: tuple[str, ...]) -> list[str]:
    """`keys` in an order that depends on nothing but them: EPCIS lists are sets."""
    return sorted(set(keys))


def subjects(run: Run) -> list[Item]:
    """The outermost objects that the event itself names: what is inside another of them moves with it.

    An aggregation is about its parent, or about its children where it names no parent (EPCIS 2.0, 7.4.3).
    """
    event = run.act.event
    parent = (event.parent,) if event.parent else ()
    keys = parent or event.children if event.type is EventType.AGGREGATION else (*parent, *event.epcs)
    named = frozenset(keys)
    chosen = [run.item(key) for key in each_once(keys)]
    return [item for item in chosen if named.isdisjoint(box.key for box in run.around(item))]
