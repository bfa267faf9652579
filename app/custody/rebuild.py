"""Custody made anew from the events alone: what the projection must equal, and what repairs it.

differences(connection)          I9: rows that are not what the events give, as data
rebuild(connection, clock)       write what the events give
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields

from sqlalchemy import Connection, delete, select

from app.custody import loading, projector, writing
from app.custody.items import ItemName
from app.custody.models import contained, finding, item
from app.events import acts
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.custody.state import Item

_Finding = tuple[int, str, str, str, int, int]


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
    yield from _numbers(connection)
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
    misplaced = select(
        contained.c.child, contained.c.f, contained.c.bucket, item.c.bucket.label("must")
    ).where(contained.c.child == item.c.item_id, contained.c.bucket != item.c.bucket)
    for row in connection.execute(misplaced):
        yield Difference(
            "contained", f"child {row.child} from {row.f}", "bucket", str(row.must), str(row.bucket)
        )
    query = select(contained.c.child, contained.c.f, contained.c.t, contained.c.parent)
    found = set(connection.execute(query).all())
    for row in sorted(found - expected):
        yield Difference("contained", f"child {row[0]} from {row[1]}", "row", "none like it", str(row))
    for row in sorted(expected - found):
        yield Difference("contained", f"child {row[0]} from {row[1]}", "row", str(row), "no such row")


def _findings(
    connection: Connection, loaded: loading.Loaded, progress: projector.Progress
) -> Iterator[Difference]:
    def number(key: str | None) -> int:
        return loaded.ids.get(key or "", 0)

    expected = sorted(
        (seq, e.code.value, e.severity.value, e.message, number(e.item), number(e.container))
        for seq, e in progress.findings
    )
    query = select(finding).where(finding.c.lasting.is_(False))
    stored = sorted(
        (row.seq, row.code, row.severity, row.message, row.item_id or 0, row.container_id or 0)
        for row in connection.execute(query)
    )
    for row in _surplus(stored, expected):
        yield Difference("finding", f"event {row[0]}", "row", "no such finding", ", ".join(map(str, row[1:])))
    for row in _surplus(expected, stored):
        yield Difference("finding", f"event {row[0]}", "row", ", ".join(map(str, row[1:])), "no such finding")


def _surplus(some: list[_Finding], others: list[_Finding]) -> list[_Finding]:
    return sorted((Counter(some) - Counter(others)).elements())


def _numbers(connection: Connection) -> Iterator[Difference]:
    """Shard keys, and lots by their numbers: by these an item is found."""
    lot = item.alias("lot")
    query = select(
        item.c.item_id, item.c.ns, item.c.serial, item.c.bucket, lot.c.ns.label("lot_ns")
    ).outerjoin(lot, lot.c.item_id == item.c.lot_id)
    for row in connection.execute(query.order_by(item.c.item_id)):
        name = ItemName(row.ns, row.serial)
        key = f"{row.item_id} ({name.key})"
        if row.bucket != name.bucket:
            yield Difference("item", key, "bucket", str(name.bucket), str(row.bucket))
        if row.lot_ns is not None and name.gtin is not None and row.lot_ns != f"10/{name.gtin}":
            yield Difference("item", key, "lot_id", f"a lot of {name.gtin}", row.lot_ns)


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
