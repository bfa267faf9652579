"""The rules of custody: what a vouched-for event changes, and what does not fit.

`apply` is pure: the world and an act go in, changed items and findings come out. The server projects with it,
the scanner foresees with it, and both must get the same. **One holder**: a party that does not hold an object
may report about it, but moves neither custody nor ownership nor containment; the report stays, with a
finding. Acts are applied in custody's order; a late one makes the caller apply the whole history of what it
touches again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ledger.custody.act import Act
from ledger.custody.containment import count, pack, unpack
from ledger.custody.event import Event
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.life import commission, end, ends_recall, hold, observe, transform
from ledger.custody.lineage import Link
from ledger.custody.order import TOLD_AGAIN, named, ordered
from ledger.custody.run import Run, step
from ledger.custody.state import MAX_DEPTH, Item, Status, World, last_seen, replace
from ledger.custody.transfer import accept, receive, ship, void
from ledger.custody.travel import Sighting, travel
from ledger.custody.vocabulary import Action, EventType, Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act changed, by key, what did not fit, and which old serials it says went into which new ones."""

    changed: Mapping[str, Item]
    findings: tuple[Finding, ...]
    links: tuple[Link, ...] = ()


def apply(world: World, act: Act) -> Outcome:
    """What `act` makes of `world`. Pure; never raises for what a partner may write. An act with an error
    declaration changes nothing: the caller leaves the declared act out of the history and applies the rest
    again."""
    run = Run(world, act)
    if act.event.declaration is None:
        if not _too_deep(run):
            _note_disputes(run)
            _handler(act)(run)
            _note_unmade(run)
            _note_travel(run)
        _mark(run)
    return Outcome(run.changed, tuple(run.findings), tuple(run.links))


def opened(event: Event) -> tuple[str, ...]:
    """The containers whose contents the rules look at when they apply `event`."""
    if event.type is EventType.AGGREGATION:
        return (event.parent,) if event.parent else ()
    begins = event.type is EventType.OBJECT and event.action is Action.ADD
    return tuple(key for key in event.epcs if _PACKAGE not in key) if begins else ()


def comes_late(world: World, act: Act) -> bool:
    """Whether `world` already holds something that happened at or after `act` to what it is about: then applying
    it would not give what `replay` gives. `world` needs the named items and the containers around them."""
    position = act.event.position
    items = [world.item(key) for key in named(act.event)]
    return any(each.last >= position for item in items for each in (item, *world.around(item)))


def _too_deep(run: Run) -> bool:
    """Whether something is inside more containers than anybody looks through: then nobody can tell who holds it,
    and the event changes nothing."""
    deep = [key for key in run.epcs if len(run.around(run.item(key))) > MAX_DEPTH]
    for key in sorted(deep):
        run.find(FindingCode.CONTAINMENT_CYCLE, f"inside more than {MAX_DEPTH} containers", key)
    return bool(deep)


def _says_recall(act: Act) -> bool:
    """Whether the act is the recall of something or its end, and no sighting."""
    handler = _handler(act)
    return (handler is hold and act.event.disposition == "recalled") or (
        handler is observe and ends_recall(act.event)
    )


def _note_disputes(run: Run) -> None:
    """Two parties act on one object in turn, and no shipment links them: one of them has not the real one."""
    by = run.act.by
    if _says_recall(run.act):
        return  # its maker recalls it wherever it is: that is no sighting
    for key in sorted(run.epcs):
        item = run.item(key)
        linked = item.claimed_by in (None, by, run.act.recipient)
        if not linked and not item.disputed and run.outer(item).holder == by:
            message = f"seen at {item.claimed_by} and again at {by}, and no shipment links them"
            run.find(FindingCode.TWO_CUSTODIANS, message, key)
            run.set(replace(item, disputed=True))


def _note_unmade(run: Run) -> None:
    """The first that is heard of a package is not that it was made (D5). Containers need no commissioning: packing
    begins them (CBV 2.0, 7.1)."""
    if _handler(run.act) in (commission, transform):
        return
    told = {found.item for found in run.findings}
    for key in sorted(run.epcs):
        item = run.world.item(key)
        if _PACKAGE in key and item.last == 0 and item.status is Status.UNKNOWN and key not in told:
            run.find(FindingCode.NEVER_COMMISSIONED, "its maker has not told of it", key)


def _note_travel(run: Run) -> None:
    """Seen where it cannot have got to since it was seen last (D2). A container's sightings are its contents' too."""
    place, event = run.act.place, run.act.event
    if place is None or event.biz_step in _NO_SIGHTING or _says_recall(run.act):
        return
    for key in sorted(run.epcs):
        before = last_seen(run.world.item(key), run.world.around(run.world.item(key)))
        item = replace(run.item(key), seen_at=run.at, seen_place=place)
        if before.seen_place is not None:
            journey = travel(Sighting(before.seen_at, before.seen_place), Sighting(run.at, place))
            if journey is not None:
                message = f"seen {journey.km:.0f} km away {journey.hours:.1f} hours after it was seen before"
                run.find(FindingCode.IMPOSSIBLE_TRAVEL, message, key)
                item = replace(item, travelled=True)
        run.set(item)


def _mark(run: Run) -> None:
    """Everything that the event names, and every container around it, is touched now, also where nothing changed:
    what happened earlier and is told later shall be known as late. And what its holder names he has seen."""
    keys = (*run.epcs, *run.act.event.lots())
    around = {box.key for key in keys for box in run.world.around(run.world.item(key))}
    for key in keys:
        item = run.item(key)
        outer = run.outer(item)
        if outer.holder == run.act.by and (item.missing or item.parent is not None):
            item = replace(
                item,
                missing=item.missing and outer.in_transit,
                custody_since=run.at if item.parent is not None else item.custody_since,
            )
        run.set(item)
    for key in around:
        run.set(run.item(key))


def _handler(act: Act) -> Callable[[Run], None]:
    event = act.event
    if event.type is EventType.TRANSFORMATION:
        return transform
    if event.type is EventType.AGGREGATION and (event.parent or event.action is Action.OBSERVE):
        if event.action is Action.ADD:
            return pack
        if event.action is Action.DELETE:
            return unpack
        return _BY_STEP.get(step(event.biz_step), count if event.parent else observe)
    if event.type is EventType.OBJECT and event.action is Action.ADD:
        return commission
    if event.type in (EventType.OBJECT, EventType.TRANSACTION):
        handler = _BY_STEP.get(step(event.biz_step))
        if handler is not None:
            return handler
        if event.type is EventType.OBJECT and event.action is Action.DELETE:
            return end
    return observe


_PACKAGE = "/21/"
_NO_SIGHTING = (Step.VOID_SHIPPING, Step.ACCEPTING)  # said at a desk, wherever the goods are

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
DOING = frozenset(doing for doing in _BY_STEP if doing is not None)
"""The steps that do something with what an object or transaction event names; by any other it is only seen."""


def replay(acts: Iterable[Act], world: World | None = None) -> tuple[World, list[tuple[Act, Finding]]]:
    """The world that `acts` lead to, whatever order they came in, and every finding with its act."""
    world = world or World()
    counting, again = ordered(acts)
    found = [(act, TOLD_AGAIN) for act in again]
    for act in counting:
        outcome = apply(world, act)
        world.update(outcome.changed)
        found += [(act, finding) for finding in outcome.findings]
    return world, found
