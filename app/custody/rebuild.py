"""Custody made anew from the events alone: what the projection must equal, and what repairs it.

differences(connection)          I9: rows that are not what the events give, as data
rebuild(connection, clock)       write what the events give
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from sqlalchemy import Connection, delete, select

from app.custody import loading, projector, writing
from app.custody.models import contained, finding, item
from app.events import acts
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.custody.state import Item


@dataclass(frozen=True, slots=True)
class Difference:
    """A projected row that is not what the events give."""

    table: str
    key: str
    column: str
    expected: str
    found: str


def _replayed(connection: Connection) -> projector.Progress:
    return projector.replay(acts.read(connection, acts.all_numbers(connection)))


def differences(connection: Connection) -> Iterator[Difference]:
    """Every projected row that differs from what the events give, items first."""
    progress = _replayed(connection)
    loaded = _stored(connection)
    for key in sorted(loaded.ids, key=loaded.ids.__getitem__):
        stored, expected = loaded.world.items[key], progress.changed.get(key, Item(key))
        for column in fields(Item):
            was, must = getattr(stored, column.name), getattr(expected, column.name)
            if was != must:
                yield Difference("item", f"{loaded.ids[key]} ({key})", column.name, str(must), str(was))
    for key in sorted(progress.changed.keys() - loaded.ids.keys()):
        yield Difference("item", key, "item_id", "a row", "no row")
    yield from _containment(connection, loaded, progress)
    yield from _findings(connection, loaded, progress)


def _stored(connection: Connection) -> loading.Loaded:
    numbers = connection.execute(select(item.c.item_id)).scalars().all()
    return loading.load_numbers(connection, numbers)


def _containment(
    connection: Connection, loaded: loading.Loaded, progress: projector.Progress
) -> Iterator[Difference]:
    expected = {
        (loaded.ids.get(key, 0), f, t, loaded.ids.get(parent, 0))
        for key, f, t, parent in writing.intervals(progress.moves)
    }
    query = select(contained.c.child, contained.c.f, contained.c.t, contained.c.parent)
    found = set(connection.execute(query).all())
    for row in sorted(found - expected):
        yield Difference("contained", f"child {row[0]} from {row[1]}", "row", "none like it", str(row))
    for row in sorted(expected - found):
        yield Difference("contained", f"child {row[0]} from {row[1]}", "row", str(row), "no such row")


def _findings(
    connection: Connection, loaded: loading.Loaded, progress: projector.Progress
) -> Iterator[Difference]:
    expected = sorted(
        (seq, found.code.value, loaded.ids.get(found.item or "", 0)) for seq, found in progress.findings
    )
    query = select(finding.c.seq, finding.c.code, finding.c.item_id).where(finding.c.lasting.is_(False))
    stored = sorted((row.seq, row.code, row.item_id or 0) for row in connection.execute(query))
    for row in stored:
        if row not in expected:
            yield Difference("finding", f"event {row[0]}", "code", "no such finding", row[1])
    for row in expected:
        if row not in stored:
            yield Difference("finding", f"event {row[0]}", "code", row[1], "no such finding")


def rebuild(connection: Connection, clock: Clock) -> int:
    """Write custody anew from the events; how many items it has. Called under the ledger's head lock."""
    progress = _replayed(connection)
    writing.ensure(connection, progress.changed)
    before = _stored(connection)
    fresh = {key: progress.changed.get(key, Item(key)) for key in before.ids}
    connection.execute(delete(contained))
    connection.execute(delete(finding).where(finding.c.lasting.is_(False)))
    for some in chunks(list(fresh)):
        writing.save(connection, clock, before, {key: fresh[key] for key in some})
    writing.move(connection, before.ids, progress.moves)
    writing.note(connection, before.ids, progress.findings)
    return len(fresh)
