"""The rules of custody: what a vouched-for event changes, and what does not fit.

`apply` is pure: the world and an act go in, changed items and findings come out. The server projects with it,
the scanner foresees with it, and both must get the same. **One holder**: a party that does not hold an object
may report about it, but moves neither custody nor ownership nor containment; the report stays, with a
finding. Acts are applied in custody's order; a late one makes the caller apply the whole history of what it
touches again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ledger.custody.act import Act
from ledger.custody.containment import count, pack, unpack
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.life import commission, end, hold, observe, transform
from ledger.custody.run import Run, step
from ledger.custody.state import Item, World
from ledger.custody.transfer import accept, receive, ship, void
from ledger.custody.vocabulary import Action, EventType, Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act changed, by key, and what did not fit."""

    changed: Mapping[str, Item]
    findings: tuple[Finding, ...]


def apply(world: World, act: Act) -> Outcome:
    """What `act` makes of `world`. Pure; never raises for what a partner may write. An act with an error
    declaration changes nothing: the caller leaves the declared act out of the history and applies the rest
    again."""
    run = Run(world, act)
    if act.event.declaration is None:
        _note_disputes(run)
        _handler(act)(run)
    return Outcome(run.changed, tuple(run.findings))


def _note_disputes(run: Run) -> None:
    """Two parties act on one object in turn, and no shipment links them: one of them has not the real one."""
    by = run.act.by
    for key in run.act.event.all_epcs():
        item = run.item(key)
        linked = item.claimed_by in (None, by, run.act.recipient)
        if not linked and not item.disputed and run.outer(item).holder == by:
            message = f"seen at {item.claimed_by} and again at {by}, and no shipment links them"
            run.find(FindingCode.TWO_CUSTODIANS, message, key)
            run.set(replace(item, disputed=True))


def _handler(act: Act) -> Callable[[Run], None]:
    event = act.event
    if event.type is EventType.TRANSFORMATION:
        return transform
    if event.type is EventType.AGGREGATION:
        if event.action is Action.ADD:
            return pack
        if event.action is Action.DELETE:
            return unpack
        return _GROUP_BY_STEP.get(step(event.biz_step), count)
    if event.type is EventType.OBJECT and event.action is Action.ADD:
        return commission
    if event.type in (EventType.OBJECT, EventType.TRANSACTION):
        handler = _BY_STEP.get(step(event.biz_step))
        if handler is not None:
            return handler
        if event.type is EventType.OBJECT and event.action is Action.DELETE:
            return end
    return observe


_GROUP_BY_STEP: dict[Step | None, Callable[[Run], None]] = {
    Step.SHIPPING: ship,
    Step.VOID_SHIPPING: void,
    Step.RECEIVING: receive,
}
_BY_STEP: dict[Step | None, Callable[[Run], None]] = {
    Step.SHIPPING: ship,
    Step.VOID_SHIPPING: void,
    Step.RECEIVING: receive,
    Step.ACCEPTING: accept,
    Step.DISPENSING: end,
    Step.DECOMMISSIONING: end,
    Step.DESTROYING: end,
    Step.HOLDING: hold,
}


def history(acts: Iterable[Act]) -> list[Act]:
    """`acts` in custody's order, without those that their own party declared wrong.

    An error declaration repeats its event's id; it counts when the same party made it (EPCIS 2.0, 7.4.1.4).
    """
    listed = list(acts)
    wrong = {(act.by, act.event.id) for act in listed if act.event.declaration is not None}
    kept = [a for a in listed if a.event.declaration is None and (a.by, a.event.id) not in wrong]
    return sorted(kept, key=lambda act: (act.event.position, act.event.id.encode()))


def replay(acts: Iterable[Act], world: World | None = None) -> tuple[World, list[tuple[Act, Finding]]]:
    """The world that `acts` lead to, whatever order they came in, and every finding with its act."""
    world = world or World()
    found: list[tuple[Act, Finding]] = []
    for act in history(acts):
        outcome = apply(world, act)
        world.update(outcome.changed)
        found += [(act, finding) for finding in outcome.findings]
    return world, found
