"""What was inside something at a position of custody's order, at any depth; and how its packages began.

What a shipment carried is a question about then, not about now: a pallet that was opened since carried what was in it
when it left. Containment is kept as intervals, so the answer is read and nothing is replayed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from app.custody.items import ItemName
from app.custody.loading import Loaded, Reader, find_ids
from app.custody.models import contained, item
from app.events.models import event, event_epc
from app.events.roles import OBJECT
from app.shared.chunks import chunks
from app.shared.rows import among
from ledger.custody.event import position_at, time_of
from ledger.custody.state import MAX_DEPTH


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
    level = sorted(find_ids(connection, epcs).values())
    seen = dict.fromkeys(level)
    packings: list[Packing] = []
    columns = (contained.c.child, contained.c.parent, contained.c.f)
    for _ in range(MAX_DEPTH):
        found: list[int] = []
        for chunk in chunks(level):
            query = select(*columns).where(
                among(connection, contained.c.parent, chunk),
                contained.c.f <= position,
                contained.c.t > position,
            )
            for child, parent, since in connection.execute(query.order_by(contained.c.child)).all():
                if child not in seen:
                    found.append(child)
                    packings.append(Packing(child, parent, time_of(since)))
                seen[child] = None
        level = sorted(set(found))
        if not level or len(seen) > most:
            break
    return Shipped(_read(connection, list(seen)), tuple(packings), len(seen) <= most)


def now_inside(connection: Connection, epcs: list[str], now: datetime, most: int) -> Shipped:
    """The same as it is now, for what is about to be shipped."""
    return at_position(connection, epcs, position_at(now, 15), most)


def named(connection: Connection, epcs: list[str]) -> dict[str, Inner]:
    """What is known of the objects with these canonical EPCs, by EPC."""
    return {
        each.epc: each for each in _read(connection, sorted(find_ids(connection, epcs).values())).values()
    }


def _read(connection: Connection, numbers: list[int]) -> dict[int, Inner]:
    lot = item.alias("lot")
    columns = (
        item.c.item_id,
        item.c.ns,
        item.c.serial,
        item.c.expiry,
        item.c.maker_id,
        lot.c.serial.label("lot"),
    )
    query = select(*columns, lot.c.ns.label("lot_ns")).outerjoin(lot, lot.c.item_id == item.c.lot_id)
    found: dict[int, Inner] = {}
    for chunk in chunks(numbers):
        for row in connection.execute(query.where(among(connection, item.c.item_id, chunk))).all():
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
    """How these objects were commissioned, as their makers told it; the earliest account of each."""
    found: dict[int, Beginning] = {}
    columns = (event_epc.c.item_id, event.c.by_id, event.c.event_time, event.c.biz_location)
    query = select(*columns).join(event, event.c.seq == event_epc.c.seq)
    query = query.where(event_epc.c.role == OBJECT, event.c.action == "ADD", event.c.effective)
    for chunk in chunks(sorted(items)):
        for row in connection.execute(query.where(event_epc.c.item_id.in_(chunk)).order_by(event.c.pos)):
            if row.by_id == items[row.item_id].maker_id:
                found.setdefault(row.item_id, Beginning(row.event_time, row.biz_location))
    return found
