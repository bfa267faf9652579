"""One act being applied: the world seen through what has changed so far, and what the rules ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ledger.custody.act import Act
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.state import Item, World, inherit
from ledger.custody.vocabulary import EventType, Step


@dataclass(slots=True)
class Run:
    """One act being applied: the world seen through what has changed so far."""

    world: World
    act: Act
    changed: dict[str, Item] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def at(self) -> int:
        return self.act.event.position

    def item(self, key: str) -> Item:
        return self.changed.get(key) or self.world.item(key)

    def outer(self, item: Item) -> Item:
        seen = {item.key}
        while item.parent is not None and item.parent not in seen:
            seen.add(item.parent)
            item = self.item(item.parent)
        return item

    def contents(self, key: str) -> set[str]:
        inside = {child for child in self.world.contents(key) if self.item(child).parent == key}
        return inside | {child.key for child in self.changed.values() if child.parent == key}

    def set(self, item: Item) -> None:
        """Keep `item` as changed, seen now."""
        self.changed[item.key] = replace(item, last=max(item.last, self.at))

    def find(
        self, code: FindingCode, message: str, item: str | None = None, container: str | None = None
    ) -> None:
        self.findings.append(Finding(code, message, item, container))

    def may_act(self, item: Item) -> bool:
        """Whether the act's party holds `item`, or nobody is known to; a finding if not."""
        outer = self.outer(item)
        if outer.holder is None or (outer.holder == self.act.by and not outer.in_transit):
            return True
        where = "under way" if outer.in_transit else "held by somebody else"
        self.find(FindingCode.NOT_HOLDER, f"{self.act.by} reports about an object that is {where}", item.key)
        if not outer.in_transit:
            self.set(replace(item, claimed_by=self.act.by))
        return False

    def alive(self, item: Item) -> bool:
        """Whether `item` is still in its life; a finding if not."""
        if not item.ended:
            return True
        self.find(FindingCode.AFTER_END, f"the object was {item.status} before this happened", item.key)
        return False

    def take_out(self, item: Item) -> Item:
        return inherit(item, self.outer(item)) if item.parent is not None else item


_STEPS = {str(known): known for known in Step}


def step(text: str | None) -> Step | None:
    """The step of that name where it is one that changes something here."""
    return _STEPS.get(text or "")


def subjects(run: Run) -> list[Item]:
    """The outermost objects that the event itself names: what is inside another of them moves with it."""
    event = run.act.event
    keys = (event.parent,) if event.type is EventType.AGGREGATION and event.parent else event.epcs
    named = set(keys)
    chosen = []
    for key in keys:
        item = run.item(key)
        around = run.world.path(item)
        if named.isdisjoint(around):
            chosen.append(item)
    return chosen
