"""What is true now, kept in step with the events: load, apply the kernel's rules, write.

An act that comes in custody's order changes what it names. One that comes late, declares another one wrong, or was
declared wrong before it came, makes the whole group it touches be projected again from its events: everything that
was ever packed with what it names. Either way the result is what `rebuild` gives from all events, in whatever order
they arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from app.custody import counting, loading, writing
from app.errors import AppError
from app.events import acts
from app.events.acts import StoredAct
from app.shared.clock import Clock
from ledger.custody.findings import Finding
from ledger.custody.lineage import Link
from ledger.custody.order import TOLD_AGAIN, named, ordered
from ledger.custody.rules import apply, comes_late, opened
from ledger.custody.state import Item, World

MOST_AGAIN = 200_000  # items projected again in one go; more is a mistake or an attack, and is refused


@dataclass(frozen=True, slots=True)
class Projection:
    """What a capture changed: the events whose findings may have changed, and the items."""

    seqs: frozenset[int]
    item_ids: frozenset[int]


@dataclass(slots=True)
class Progress:
    """A world being moved through time, with what has to be written."""

    world: World
    changed: dict[str, Item] = field(default_factory=dict)
    moves: list[writing.Move] = field(default_factory=list)
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    links: list[tuple[int, Link]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)  # events that only tell again what another one tells

    def step(self, stored: StoredAct, only: frozenset[str] | None = None) -> None:
        """Apply one act; of what it changes keep only the items in `only`, where that is given."""
        outcome = apply(self.world, stored.act)
        changed = outcome.changed
        if only is not None:
            changed = {key: each for key, each in changed.items() if key in only}
        at = stored.act.event.position
        for key, each in changed.items():
            before = self.world.item(key).parent
            if each.parent != before:
                self.moves.append(writing.Move(key, at, each.parent))
        self.world.update(changed)
        self.changed |= changed
        self.findings += [
            (stored.seq, found)
            for found in outcome.findings
            if only is None or found.item is None or found.item in only
        ]
        self.links += [(stored.seq, link) for link in outcome.links if only is None or link.item in only]

    def repeat(self, stored: StoredAct) -> None:
        """Note that an act tells again what one before it tells."""
        self.again.append(stored.seq)
        self.findings.append((stored.seq, TOLD_AGAIN))


def project(
    connection: Connection,
    clock: Clock,
    new: Sequence[StoredAct],
    names: loading.Named,
    *,
    bounded: bool = True,
) -> Projection:
    """Bring custody up to date with `new` acts, whose events and `event_epc` rows are written already: `names` are the
    items in these.

    Raises `TooMuchAgain` if `bounded`: what may still be refused is, rather than hold the ledger's lock for so long.
    """
    keys = [key for stored in new for key in named(stored.act.event)]
    parents = {key for stored in new for key in opened(stored.act.event)}
    before = loading.load_named(connection, names, keys, contents_of=parents)
    progress = Progress(_copy(before.world))
    wrong = acts.already_declared_wrong(connection, [stored.seq for stored in new])
    late: list[StoredAct] = []
    again: set[str] = set()
    for stored in sorted(new, key=lambda s: (s.act.event.position, s.act.event.id.encode())):
        touched = set(named(stored.act.event))
        known_wrong = stored.act.event.declaration is not None or stored.seq in wrong
        if known_wrong or touched & again or comes_late(progress.world, stored.act):
            late.append(stored)
            again |= touched
        else:
            progress.step(stored)
    _write(connection, clock, before, progress)
    seqs = {stored.seq for stored in new}
    if late:
        roots = set(loading.find_ids(connection, {key for s in late for key in named(s.act.event)}).values())
        roots |= acts.declared_wrong(connection, [s.seq for s in late if s.act.event.declaration])
        some_seqs, ids = _again(connection, clock, roots, bounded)
        return Projection(frozenset(seqs | some_seqs), frozenset(ids | set(before.ids.values())))
    return Projection(frozenset(seqs), frozenset(before.ids.values()))


def _copy(world: World) -> World:
    return World.of(world.items.values())


def _write(connection: Connection, clock: Clock, before: loading.Loaded, progress: Progress) -> None:
    writing.save(connection, clock, before, progress.changed)
    _write_beside(connection, before, progress)


def _write_beside(connection: Connection, before: loading.Loaded, progress: Progress) -> None:
    writing.move(connection, before, progress.moves)
    writing.note(connection, before.ids, progress.findings)
    writing.relate(connection, before.ids, progress.links)


def _again(connection: Connection, clock: Clock, roots: set[int], bounded: bool) -> tuple[set[int], set[int]]:
    """Project the group around the items `roots` again from its events. The numbers of its events and its items."""
    ids = _group(connection, roots, bounded)
    seqs = acts.naming(connection, ids)
    allowed = counting.may_count(connection, seqs)
    # A declaration need not name what its event named: it is looked for by the id, not in the group.
    taken_back = acts.already_declared_wrong(connection, allowed)
    stored = acts.read(connection, allowed - taken_back, without_effect=True)
    before = loading.load_numbers(connection, ids)
    only = frozenset(before.keys[number] for number in ids)
    progress = replay(stored, only)
    fresh = {key: progress.changed.get(key, Item(key)) for key in only}
    writing.forget(connection, ids, seqs)
    counting.mark(connection, allowed, progress.again)
    writing.save(connection, clock, before, fresh)
    _write_beside(connection, before, progress)
    return seqs, ids


def replay(stored: Sequence[StoredAct], only: frozenset[str] | None = None) -> Progress:
    """Apply `stored` acts from nothing, in custody's order: those that count."""
    by_act = {id(s.act): s for s in stored}
    progress = Progress(World())
    counts, again = ordered(s.act for s in stored)
    for act in counts:
        progress.step(by_act[id(act)], only)
    for act in again:
        progress.repeat(by_act[id(act)])
    return progress


def _group(connection: Connection, ids: set[int], bounded: bool) -> set[int]:
    """`ids` and every item that was ever packed, unpacked, counted or transformed with one of them, and so on."""
    group: set[int] = set()
    edge = ids
    while edge:
        group |= edge
        if bounded and len(group) > MOST_AGAIN:
            raise TooMuchAgain(len(group))
        edge = acts.grouped_with(connection, edge) - group
    return group


class TooMuchAgain(AppError):
    """A late event touches more than one transaction should project again."""

    def __init__(self, items: int) -> None:
        super().__init__(
            "custody.too_much_again",
            422,
            "An event that comes late touches too much",
            f"it hangs together with {items} items or more, by what was packed with what; {MOST_AGAIN} are the most",
            "Nothing was stored. Ask whoever runs this node: something was packed with what it never was with.",
        )
