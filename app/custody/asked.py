"""The findings that are asked of the rows and never written (ledger.custody.asked): told very late, a recalled lot."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from app.custody.ahead import adopted_late
from app.custody.counting import stands
from app.custody.items import ItemName
from app.custody.models import contained, item
from app.events.models import event, event_epc
from app.events.roles import LOT, OBJECT
from app.shared.chunks import chunks
from app.shared.rows import Among
from ledger.custody import asked as rules
from ledger.custody.findings import Finding
from ledger.custody.life import ends_recall
from ledger.custody.state import MAX_DEPTH
from ledger.custody.stored import unpack
from ledger.custody.transfer import RETURNED

Found = tuple[int, Finding, int | None]
"""(number of the event, what was found, number of the item it is about)."""

_LATE_US = timedelta(days=rules.LATE_DAYS) // timedelta(microseconds=1)
_recall, _of_recall = event.alias("recall"), event_epc.alias("of_recall")


_SEQS = bindparam("seqs", expanding=True)
_AGE = type_coerce(event.c.record_time, BigInteger) - type_coerce(event.c.event_time, BigInteger)
# Statements are made once: they are asked at every capture, and to make the long one takes longer than to run it.
_TOLD_LATE = (
    select(event.c.seq, event.c.event_time, event.c.record_time)
    .where(event.c.seq.in_(_SEQS), event.c.declared_at == 0, or_(_AGE > _LATE_US, _AGE < 0))
    .order_by(event.c.seq)
)
_SHIPPED = select(event.c.seq).where(
    event.c.seq.in_(_SEQS),
    event.c.biz_step == "shipping",
    or_(event.c.disposition.is_(None), event.c.disposition != RETURNED),
    stands(),
)


def packed_at_shipping() -> CTE:
    """What the shipments with the numbers `seqs` carried, at any depth: seq, pos, outer (the object that was named),
    item_id, depth."""
    shipped = select(event.c.seq, event.c.pos, event_epc.c.item_id.label("outer"), event_epc.c.item_id).where(
        event.c.seq.in_(_SEQS), event_epc.c.seq == event.c.seq, event_epc.c.role == OBJECT
    )
    packed = shipped.add_columns(literal(0).label("depth")).cte("packed", recursive=True)
    inside = (
        select(packed.c.seq, packed.c.pos, packed.c.outer, contained.c.child, packed.c.depth + 1)
        .where(contained.c.parent == packed.c.item_id, packed.c.depth < MAX_DEPTH)
        .where(contained.c.f <= packed.c.pos, contained.c.t >= packed.c.pos)
    )
    return packed.union(inside)


def _of_recalled() -> Select[Any]:
    """Of the shipments with these numbers: the objects that hold packages of a lot which was ever recalled before."""
    packed = packed_at_shipping()
    lot, package = item.alias("lot"), item.alias("package")
    lots = (
        select(packed.c.seq, packed.c.pos, packed.c.outer, lot.c.item_id.label("lot"), lot.c.maker_id)
        .join(package, package.c.item_id == packed.c.item_id)
        .join(lot, and_(lot.c.item_id == package.c.lot_id, lot.c.recalled))
        .distinct()
        .subquery()
    )
    recalled = exists().where(
        _of_recall.c.item_id == lots.c.lot,
        _of_recall.c.role == LOT,
        _recall.c.seq == _of_recall.c.seq,
        _recall.c.by_id == lots.c.maker_id,
        _recall.c.disposition == "recalled",
        _recall.c.pos < lots.c.pos,
        stands(_recall),
    )
    query = select(lots.c.seq, lots.c.pos, lots.c.lot, lots.c.outer, item.c.ns, item.c.serial).where(recalled)
    query = query.join(item, item.c.item_id == lots.c.outer).distinct()
    return query.order_by(lots.c.seq, lots.c.outer, lots.c.lot)


_OF_RECALLED = _of_recalled()
_lot = item.alias("lot")
# What its maker has said of a lot that may begin or end a recall; what commissions packages of it names it too.
_WORDS_ON = Among(
    select(_of_recall.c.item_id, _recall.c.pos, _recall.c.disposition, _recall.c.body)
    .join(_recall, _recall.c.seq == _of_recall.c.seq)
    .join(_lot, and_(_lot.c.item_id == _of_recall.c.item_id, _lot.c.maker_id == _recall.c.by_id))
    .where(_of_recall.c.role == LOT, _recall.c.action.is_distinct_from("ADD"), stands(_recall))
    .order_by(_recall.c.pos),
    _of_recall.c.item_id,
)
_CLOCKS = timedelta(days=1)  # how far a clock may be ahead of ours
_RECALL = select(func.min(event.c.pos).label("pos"), func.min(event.c.event_time).label("event_time")).where(
    event.c.idx == bindparam("idx"), event.c.disposition == "recalled", event.c.effective
)
_TOLD_AT = select(event.c.record_time).where(event.c.seq >= bindparam("seq")).order_by(event.c.seq).limit(1)
_SINCE = (
    select(event.c.seq)
    .where(event.c.seq >= bindparam("first"), event.c.biz_step == "shipping", event.c.pos > bindparam("pos"))
    .order_by(event.c.seq)
)


def told_late(connection: Connection, seqs: Sequence[int]) -> list[Found]:
    """Those of these events that were told very late; of what was told before its time, what was adopted very late."""
    rows = connection.execute(_TOLD_LATE, {"seqs": seqs}).all()
    found = adopted_late(connection, [row.seq for row in rows if row.record_time < row.event_time])
    for row in rows:
        if (late := rules.told_late(row.event_time, row.record_time)) is not None:
            found[row.seq] = late
    return [(seq, each, None) for seq, each in sorted(found.items())]


def sent(connection: Connection, seqs: Sequence[int]) -> list[int]:
    """Those of these events that send something away which is no return, and that nobody has declared wrong."""
    return list(connection.execute(_SHIPPED, {"seqs": seqs}).scalars())


def of_recalled_lots(connection: Connection, shipments: Sequence[int]) -> list[Found]:
    """Objects that these shipments (`sent`) carry after a lot of theirs, or of what was in them, was recalled; while it
    is."""
    if not shipments:
        return []
    rows = connection.execute(_OF_RECALLED, {"seqs": shipments}).all()
    if not rows:
        return []
    turns = _turns(connection, sorted({row.lot for row in rows}))
    # Once for each object, however many recalled lots are in it.
    stopped = {(row.seq, row.outer): row for row in rows if _was_recalled(turns[row.lot], row.pos)}
    return [
        (row.seq, rules.recalled_lot(ItemName(row.ns, row.serial).key), row.outer) for row in stopped.values()
    ]


def _turns(connection: Connection, lots: Sequence[int]) -> dict[int, list[tuple[int, bool]]]:
    """(place in custody's order, whether it is recalled from then on) for each recall of these lots and each end."""
    turns: dict[int, list[tuple[int, bool]]] = {lot: [] for lot in lots}
    for row in _WORDS_ON.rows(connection, lots):
        if row.disposition == "recalled":
            turns[row.item_id].append((row.pos, True))
        elif ends_recall(unpack(row.body)):
            turns[row.item_id].append((row.pos, False))
    return turns


def _was_recalled(turns: Sequence[tuple[int, bool]], pos: int) -> bool:
    before = [recalled for at, recalled in turns if at < pos]
    return bool(before) and before[-1]


def shipped_since_recalled(connection: Connection, index: int) -> list[int]:
    """The shipments, by number, that the recall of a lot told by the entry at `index` should have stopped: made after
    it by custody's order, and told before it. Nearly always there are none, and that costs a few look-ups."""
    recall = connection.execute(_RECALL, {"idx": index}).one()
    if recall.pos is None:
        return []
    since = _told_from(connection, recall.event_time - _CLOCKS)
    found: set[int] = set()
    for chunk in chunks(connection.execute(_SINCE, {"first": since, "pos": recall.pos}).scalars().all()):
        found.update(seq for seq, _, _ in of_recalled_lots(connection, sent(connection, chunk)))
    return sorted(found)


def _told_from(connection: Connection, time: datetime) -> int:
    """The number from which on events were told after `time`. Numbers are given in the order of receipt."""
    low, high = 1, (connection.execute(select(func.max(event.c.seq))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        told = connection.execute(_TOLD_AT, {"seq": middle}).scalar()
        if told is None or told >= time:
            high = middle
        else:
            low = middle + 1
    return low
