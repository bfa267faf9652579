"""Custody made anew from the events alone: what the projection must equal, and what repairs it.

differences(connection)          I9: rows that are not what the events give, as data
rebuild(connection, clock)       write what the events give

Both go through the items a page at a time, beside a replay of all events that lies in a file (`replay`): their memory
does not grow with the ledger.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from app.custody import counting, loading, writing
from app.custody.counting import PROJECTED
from app.custody.items import ItemName, item_name
from app.custody.models import contained, finding, item, lineage
from app.custody.replay import PAGE, Replayed, replayed
from app.events.models import event
from app.shared.clock import Clock
from ledger.custody.findings import Finding
from ledger.custody.state import Item
from ledger.custody.state import differences as differing

Tell = Callable[[str, int, int], None]
"""(what is being done, rows done, rows there are)."""

_Finding = tuple[int, str, str, str, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A projected row that is not what the events give."""

    table: str
    key: str
    column: str
    expected: str
    found: str


def differences(connection: Connection, tell: Tell | None = None) -> Iterator[Difference]:
    """Every projected row that differs from what the events give, items first."""
    with replayed(connection, _about(tell, "events applied again")) as world:
        lost = 0
        for numbers in _pages(connection, tell):
            for each in _lost(connection, numbers):
                lost += 1
                yield each
            try:
                loaded = loading.load_numbers(connection, numbers)
            except KeyError:
                if not lost:
                    lost = sum(1 for _ in _lost(connection))
                if not lost:
                    raise  # a value that no column has: the audit says that the rows cannot be read
                continue  # nobody can say where these items are
            yield from _items(world, loaded, numbers)
            yield from _numbers(connection, numbers)
            yield from _containment(connection, world, loaded, numbers)
            yield from _lineage(connection, world, loaded, numbers)
        for keys in world.pages():
            there = loading.find_ids(connection, keys)
            for key in keys:
                if key not in there:
                    yield Difference("item", key, "item_id", "a row", "no row")
        yield from _strays(connection)
        yield from _findings(connection, world)


def _about(tell: Tell | None, what: str) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, total: tell(what, done, total)


def _pages(connection: Connection, tell: Tell | None = None) -> Iterator[list[int]]:
    """The numbers of all items, ascending, also of those that are added meanwhile."""
    after, done = -(2**63), 0
    query = select(item.c.item_id).order_by(item.c.item_id).limit(PAGE)
    while page := list(connection.execute(query.where(item.c.item_id > after)).scalars()):
        yield page
        after, done = page[-1], done + len(page)
        if tell is not None:
            tell("items", done, max(done, page[-1]))


def _items(world: Replayed, loaded: loading.Loaded, numbers: Sequence[int]) -> Iterator[Difference]:
    must_be = world.items(loaded.keys[number] for number in numbers)
    for number in numbers:
        key = loaded.keys[number]
        stored, expected = loaded.world.items[key], must_be.get(key, Item(key))
        for column in differing(stored, expected):
            must, was = getattr(expected, column), getattr(stored, column)
            yield Difference("item", f"{number} ({key})", column, str(must), str(was))


def _lost(connection: Connection, numbers: Sequence[int] | None = None) -> Iterator[Difference]:
    """Items (these, or all) whose container or lot is no item."""
    around, lot = item.alias("around"), item.alias("lot")
    joined = item.outerjoin(around, around.c.item_id == item.c.parent_id)
    joined = joined.outerjoin(lot, lot.c.item_id == item.c.lot_id)
    for column, other in ((item.c.parent_id, around), (item.c.lot_id, lot)):
        query = select(item.c.item_id, item.c.ns, item.c.serial, column.label("there")).select_from(joined)
        query = query.where(column.is_not(None), other.c.item_id.is_(None)).order_by(item.c.item_id)
        if numbers is not None:
            query = query.where(item.c.item_id.in_(numbers))
        for row in connection.execute(query.limit(PAGE)):
            key = f"{row.item_id} ({ItemName(row.ns, row.serial).key})"
            yield Difference("item", key, column.name, "an item", f"there is no item {row.there}")


def _containment(
    connection: Connection, world: Replayed, loaded: loading.Loaded, numbers: Sequence[int]
) -> Iterator[Difference]:
    moves = world.moves(loaded.keys[number] for number in numbers)
    parents = loading.find_ids(connection, {each.into for each in moves if each.into is not None})
    expected = {
        (loaded.ids[key], f, t, parents.get(parent, 0)) for key, f, t, parent in writing.intervals(moves)
    }
    query = select(contained.c.child, contained.c.f, contained.c.t, contained.c.parent, contained.c.bucket)
    found = set()
    for row in connection.execute(query.where(contained.c.child.in_(numbers))):
        found.add(tuple(row[:4]))
        bucket = item_name(loaded.keys[row.child]).bucket
        if row.bucket != bucket:
            key = f"child {row.child} from {row.f}"
            yield Difference("contained", key, "bucket", str(bucket), str(row.bucket))
    for each in sorted(found - expected):
        yield Difference("contained", f"child {each[0]} from {each[1]}", "row", "none like it", str(each))
    for each in sorted(expected - found):
        yield Difference("contained", f"child {each[0]} from {each[1]}", "row", str(each), "no such row")


def _lineage(
    connection: Connection, world: Replayed, loaded: loading.Loaded, numbers: Sequence[int]
) -> Iterator[Difference]:
    links = world.links(loaded.keys[number] for number in numbers)
    expected = {(loaded.ids[each.item], seq, int(each.side), each.reference) for seq, each in links}
    query = select(lineage.c.item_id, lineage.c.seq, lineage.c.side, lineage.c.reference)
    found = {tuple(row) for row in connection.execute(query.where(lineage.c.item_id.in_(numbers)))}
    for each in sorted(found ^ expected):
        must, was = ("none like it", str(each)) if each in found else (str(each), "no such row")
        yield Difference("lineage", f"item {each[0]} by event {each[1]}", "row", must, was)


def _strays(connection: Connection) -> Iterator[Difference]:
    """Intervals and links of items that there are not."""
    joined = lineage.outerjoin(item, item.c.item_id == lineage.c.item_id)
    query = select(lineage.c.item_id, lineage.c.seq).select_from(joined).where(item.c.item_id.is_(None))
    for row in connection.execute(query.order_by(lineage.c.item_id, lineage.c.seq).limit(PAGE)):
        yield Difference("lineage", f"item {row.item_id} by event {row.seq}", "row", "none like it", "a row")
    joined = contained.outerjoin(item, item.c.item_id == contained.c.child)
    query = select(contained.c.child, contained.c.f).select_from(joined).where(item.c.item_id.is_(None))
    for row in connection.execute(query.order_by(contained.c.child, contained.c.f).limit(PAGE)):
        yield Difference("contained", f"child {row.child} from {row.f}", "row", "none like it", "a row")


def _findings(connection: Connection, world: Replayed) -> Iterator[Difference]:
    after = -(2**63)
    listed = select(finding.c.seq).where(PROJECTED).distinct().order_by(finding.c.seq)
    while True:
        stored = connection.execute(listed.where(finding.c.seq > after).limit(PAGE)).scalars()
        seqs = sorted({*stored, *world.found_after(after, PAGE)})[:PAGE]
        if not seqs:
            return
        after = seqs[-1]
        yield from _findings_of(connection, seqs, world.findings(seqs))


def _findings_of(
    connection: Connection, seqs: Sequence[int], replayed_: Sequence[tuple[int, Finding]]
) -> Iterator[Difference]:
    ids = loading.find_ids(connection, {key for _, e in replayed_ for key in (e.item, e.container) if key})
    expected = [
        (
            seq,
            e.code.value,
            e.severity.value,
            e.message,
            ids.get(e.item or "", 0),
            ids.get(e.container or "", 0),
        )
        for seq, e in replayed_
    ]
    query = select(finding).where(PROJECTED, finding.c.seq.in_(seqs))
    stored = [
        (row.seq, row.code, row.severity, row.message, row.item_id or 0, row.container_id or 0)
        for row in connection.execute(query)
    ]
    for row in _surplus(stored, expected):
        yield Difference("finding", f"event {row[0]}", "row", "no such finding", ", ".join(map(str, row[1:])))
    for row in _surplus(expected, stored):
        yield Difference("finding", f"event {row[0]}", "row", ", ".join(map(str, row[1:])), "no such finding")


def _surplus(some: list[_Finding], others: list[_Finding]) -> list[_Finding]:
    return sorted((Counter(some) - Counter(others)).elements())


def _numbers(connection: Connection, numbers: Sequence[int]) -> Iterator[Difference]:
    """Shard keys, and lots by their numbers: by these an item is found."""
    lot = item.alias("lot")
    query = (
        select(item.c.item_id, item.c.ns, item.c.serial, item.c.bucket, lot.c.ns.label("lot_ns"))
        .outerjoin(lot, lot.c.item_id == item.c.lot_id)
        .where(item.c.item_id.in_(numbers))
    )
    for row in connection.execute(query.order_by(item.c.item_id)):
        name = ItemName(row.ns, row.serial)
        key = f"{row.item_id} ({name.key})"
        if row.bucket != name.bucket:
            yield Difference("item", key, "bucket", str(name.bucket), str(row.bucket))
        if row.lot_ns is not None and name.gtin is not None and row.lot_ns != f"10/{name.gtin}":
            yield Difference("item", key, "lot_id", f"a lot of {name.gtin}", row.lot_ns)


def rebuild(connection: Connection, clock: Clock, tell: Tell | None = None) -> int:
    """Write custody anew from the events; how many items it has. Called under the ledger's head lock."""
    count = 0
    with replayed(connection, _about(tell, "events applied again")) as world:
        for keys in world.pages():
            writing.ensure(connection, keys)
        connection.execute(delete(contained))
        connection.execute(delete(lineage))
        connection.execute(delete(finding).where(PROJECTED))
        for numbers in _pages(connection, tell):
            _write(connection, clock, world, numbers)
            count += len(numbers)
        after = -(2**63)
        while seqs := world.found_after(after, PAGE):
            after = seqs[-1]
            found = world.findings(seqs)
            keys = {key for _, each in found for key in (each.item, each.container) if key}
            writing.note(connection, loading.find_ids(connection, keys), found)
        _count(connection, world)
    return count


def _count(connection: Connection, world: Replayed) -> None:
    """Write which events count."""
    after = -(2**63)
    query = select(event.c.seq).where(counting.MAY_COUNT).order_by(event.c.seq).limit(PAGE)
    while seqs := list(connection.execute(query.where(event.c.seq > after)).scalars()):
        after = seqs[-1]
        counting.mark(connection, seqs, world.again(seqs))


def _write(connection: Connection, clock: Clock, world: Replayed, numbers: Sequence[int]) -> None:
    before = loading.load_numbers(connection, numbers)
    keys = [before.keys[number] for number in numbers]
    must_be = world.items(keys)
    writing.save(connection, clock, before, {key: must_be.get(key, Item(key)) for key in keys})
    moves = world.moves(keys)
    parents = loading.find_ids(connection, {each.into for each in moves if each.into is not None})
    rows = [
        {"bucket": item_name(key).bucket, "child": before.ids[key], "f": f, "t": t, "parent": parents[parent]}
        for key, f, t, parent in writing.intervals(moves)
    ]
    if rows:
        connection.execute(insert(contained), rows)
    writing.relate(connection, before.ids, world.links(keys))
