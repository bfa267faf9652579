"""What is on its way to a party: which shipments, and everything in them as far as it is still under way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Join, func, select

from app.custody.items import ItemName
from app.custody.models import item
from app.events.models import event, event_epc
from app.shared.chunks import chunks
from ledger.custody.state import MAX_DEPTH

MOST_SHIPMENTS = 500


@dataclass(frozen=True, slots=True)
class Inbound:
    """One shipping event of which something is still on its way. `objects`: how many things, as they were shipped."""

    seq: int
    sender_id: int
    shipped_at: datetime
    objects: int


@dataclass(frozen=True, slots=True)
class Awaited:
    """One thing of a shipment, or in one."""

    item_id: int
    parent_id: int | None
    key: str
    package: bool
    lot: str | None
    expiry: str | None


def inbound(connection: Connection, party_id: int) -> list[Inbound]:
    """The shipments to a party that have not arrived, the oldest first; `MOST_SHIPMENTS` of them at most."""
    query = (
        select(event.c.seq, item.c.sender_id, event.c.event_time, func.count(item.c.item_id.distinct()))
        .select_from(_shipped())
        .where(*_on_its_way(party_id))
        .group_by(event.c.seq, item.c.sender_id, event.c.event_time)
        .order_by(event.c.event_time, event.c.seq)
        .limit(MOST_SHIPMENTS)
    )
    return [Inbound(*row) for row in connection.execute(query)]


def shipment_of(connection: Connection, item_id: int, party_id: int) -> int | None:
    """The shipping event by which a thing is on its way to a party; None where it is not."""
    query = (
        select(event.c.seq).select_from(_shipped()).where(*_on_its_way(party_id), item.c.item_id == item_id)
    )
    return connection.execute(query.limit(1)).scalar()


def awaited(connection: Connection, seqs: Iterable[int], party_id: int, most: int) -> list[Awaited]:
    """What is still on its way by these events, with all that is inside, level by level; stops past `most`."""
    query = select(item.c.item_id).select_from(_shipped()).where(*_on_its_way(party_id))
    level: list[int] = []
    for chunk in chunks(sorted(set(seqs))):
        level += connection.execute(query.where(event.c.seq.in_(chunk)).distinct()).scalars()
    columns = (item.c.item_id, item.c.parent_id, item.c.ns, item.c.serial, item.c.lot_id, item.c.expiry)
    rows = []
    for chunk in chunks(level):
        rows += connection.execute(select(*columns).where(item.c.item_id.in_(chunk))).all()
    level = [row.item_id for row in rows]
    for _ in range(MAX_DEPTH):
        if not level or len(rows) > most:
            break
        below = []
        for chunk in chunks(level):
            below += connection.execute(select(*columns).where(item.c.parent_id.in_(chunk))).all()
        rows += below
        level = [row.item_id for row in below]
    lots = _lots(connection, {row.lot_id for row in rows if row.lot_id is not None})
    return [
        Awaited(
            row.item_id,
            row.parent_id,
            ItemName(row.ns, row.serial).key,
            row.ns.startswith("01/"),
            lots.get(row.lot_id),
            date.fromordinal(row.expiry).isoformat() if row.expiry is not None else None,
        )
        for row in rows
    ]


def _lots(connection: Connection, numbers: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for chunk in chunks(sorted(numbers)):
        query = select(item.c.item_id, item.c.serial).where(item.c.item_id.in_(chunk))
        found |= {number: serial.rpartition("/10/")[2] for number, serial in connection.execute(query)}
    return found


def _shipped() -> Join:
    """Each item with the shipping event by which it is where it is: custody's position is that event's."""
    joined = item.join(event_epc, event_epc.c.item_id == item.c.item_id)
    return joined.join(event, (event.c.seq == event_epc.c.seq) & (event.c.pos == item.c.custody_since))


def _on_its_way(party_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        item.c.bound_for_id == party_id,
        item.c.in_transit,
        item.c.parent_id.is_(None),
        event.c.biz_step == "shipping",
    )
