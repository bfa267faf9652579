"""What was inside something at a position of custody's order, at any depth; and how its packages began.

What a shipment carried is a question about then, not about now: a pallet that was opened since carried what was in it
when it left. Containment is kept as intervals, so the answer is read and nothing is replayed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, select

from app.custody.counting import stands
from app.custody.items import ItemName
from app.custody.loading import Loaded, Reader, find_ids
from app.custody.models import contained, item
from app.events.models import event, event_epc
from app.events.roles import OBJECT
from app.shared.chunks import chunks
from app.shared.rows import Among
from ledger.custody.event import position_at, time_of
from ledger.custody.state import MAX_DEPTH

_Span = tuple[int, int, int]
"""(child, from position, to below position)."""
_INSIDE = Among(
    select(contained.c.child, contained.c.parent, contained.c.f, contained.c.t)
    .where(contained.c.f <= bindparam("last"), contained.c.t > bindparam("first"))
    .order_by(contained.c.child)
    .limit(bindparam("most")),
    contained.c.parent,
)
_LOT = item.alias("lot")
_INNER = Among(
    select(
        item.c.item_id,
        item.c.ns,
        item.c.serial,
        item.c.expiry,
        item.c.maker_id,
        _LOT.c.serial.label("lot"),
        _LOT.c.ns.label("lot_ns"),
    ).outerjoin(_LOT, _LOT.c.item_id == item.c.lot_id),
    item.c.item_id,
)


@dataclass(frozen=True, slots=True)
class Inner:
    """One object in a shipment: its number, canonical EPC, lot and expiry (YYYY-MM-DD) as its maker told them."""

    item_id: int
    epc: str
    lot: str
    expiry: str
    maker_id: int | None


@dataclass(frozen=True, slots=True)
class Packing:
    """`child` was put into `parent` (both numbers of items) at this time."""

    child: int
    parent: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Shipped:
    """The objects named, and all that was in them. `complete` False: there was more than asked for."""

    items: dict[int, Inner]
    packings: tuple[Packing, ...]
    complete: bool

    @property
    def leaves(self) -> list[Inner]:
        """What nothing was in."""
        outer = {each.parent for each in self.packings}
        return [each for number, each in self.items.items() if number not in outer]


def at_position(connection: Connection, epcs: list[str], position: int, most: int) -> Shipped:
    """The objects with these canonical EPCs and all that was in them at `position`; stops past `most` objects."""
    return next(at_positions(connection, [(epcs, position)], most))


def at_positions(
    connection: Connection, asked: Sequence[tuple[list[str], int]], most: int
) -> Iterator[Shipped]:
    """The same for each of several (EPCs, position), in their order: a document has hundreds of small shipments.

    They are read together as long as all of them have no more than `most` objects; else one after the other.
    """
    ids = find_ids(connection, [epc for epcs, _ in asked for epc in epcs])
    walks = [
        _Walk(dict.fromkeys(sorted({ids[epc] for epc in epcs if epc in ids})), position)
        for epcs, position in asked
    ]
    for _ in range(MAX_DEPTH):
        parents = sorted({number for walk in walks for number in walk.level})
        if not parents:
            break
        positions = [position for _, position in asked]
        rows = _INSIDE.rows(connection, parents, first=min(positions), last=max(positions), most=most + 1)
        inside: dict[int, list[_Span]] = {}
        for child, parent, f, t in rows:
            inside.setdefault(parent, []).append((child, f, t))
        for walk in walks:
            walk.down(inside, most)
        if len(asked) > 1 and (len(rows) > most or sum(len(walk.seen) for walk in walks) > most):
            for one in asked:
                yield from at_positions(connection, [one], most)
            return
    items = _read(connection, sorted({number for walk in walks for number in walk.seen}))
    for walk in walks:
        mine = {number: items[number] for number in walk.seen if number in items}
        yield Shipped(mine, tuple(walk.packings), len(walk.seen) <= most)


class _Walk:
    """From containers to what was in them at a position, a level at a time."""

    def __init__(self, named: dict[int, None], position: int) -> None:
        self.seen = named
        self.level = list(named)
        self.packings: list[Packing] = []
        self._position = position

    def down(self, inside: Mapping[int, Sequence[_Span]], most: int) -> None:
        """One level down; not below what is more than `most` already."""
        found = sorted(
            (child, parent, f)
            for parent in self.level
            for child, f, t in inside.get(parent, ())
            if f <= self._position < t and child not in self.seen
        )
        self.packings += [Packing(child, parent, time_of(since)) for child, parent, since in found]
        self.level = list(dict.fromkeys(child for child, _, _ in found))
        self.seen.update(dict.fromkeys(self.level))
        if len(self.seen) > most:
            self.level = []


def now_inside(connection: Connection, epcs: list[str], now: datetime, most: int) -> Shipped:
    """The same as it is now, for what is about to be shipped."""
    return at_position(connection, epcs, position_at(now, 15), most)


def named(connection: Connection, epcs: list[str]) -> dict[str, Inner]:
    """What is known of the objects with these canonical EPCs, by EPC."""
    return {
        each.epc: each for each in _read(connection, sorted(find_ids(connection, epcs).values())).values()
    }


def _read(connection: Connection, numbers: list[int]) -> dict[int, Inner]:
    found: dict[int, Inner] = {}
    for chunk in chunks(numbers):
        for row in _INNER.rows(connection, chunk):
            known = row.lot is not None and (row.lot_ns or "").startswith("10/")
            found[row.item_id] = Inner(
                row.item_id,
                ItemName(row.ns, row.serial).key,
                row.lot if known else "",
                date.fromordinal(row.expiry).isoformat() if row.expiry is not None else "",
                row.maker_id,
            )
    return {number: found[number] for number in numbers if number in found}


def world_inside(connection: Connection, epcs: list[str], most: int) -> Loaded:
    """The present record of these objects, of what is around them, and of all that is in them; stops past `most`."""
    reader = Reader(connection)
    reader.named(epcs)
    level = list(reader.rows)
    for _ in range(MAX_DEPTH):
        level = reader.inside(level)
        if not level or len(reader.rows) > most:
            break
    return reader.world()


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a package began: when by its maker's clock, and where."""

    at: datetime
    place: str | None


def beginnings(connection: Connection, items: dict[int, Inner]) -> dict[int, Beginning]:
    """How these objects were commissioned, as their makers told it; the earliest account of each that stands."""
    found: dict[int, Beginning] = {}
    columns = (event_epc.c.item_id, event.c.by_id, event.c.event_time, event.c.biz_location)
    query = select(*columns).join(event, event.c.seq == event_epc.c.seq)
    query = query.where(event_epc.c.role == OBJECT, event.c.action == "ADD", stands())
    for chunk in chunks(sorted(items)):
        for row in connection.execute(query.where(event_epc.c.item_id.in_(chunk)).order_by(event.c.pos)):
            if row.by_id == items[row.item_id].maker_id:
                found.setdefault(row.item_id, Beginning(row.event_time, row.biz_location))
    return found
