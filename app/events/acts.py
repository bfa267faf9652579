"""Stored events as the acts that the rules take."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Row, bindparam, or_, select, true, union

from app.events.models import event, event_epc
from app.partners import service as partners
from app.shared.chunks import chunks
from ledger.custody.act import Act
from ledger.custody.stored import unpack
from ledger.custody.travel import is_place

# Made once: the first is asked at every capture, and to make one takes longer than to run it.
_SEQS = bindparam("seqs", expanding=True)
_declaration, _wrong = event.alias("declaration"), event.alias("wrong")
_SAME = (_declaration.c.by_id == _wrong.c.by_id) & (_declaration.c.event_id == _wrong.c.event_id)
_ALREADY_WRONG = (
    select(_wrong.c.seq)
    .join(_declaration, _SAME)
    .where(_wrong.c.seq.in_(_SEQS), _wrong.c.declared_at == 0, _declaration.c.declared_at != 0)
)
_DECLARED_WRONG = (
    select(event_epc.c.item_id)
    .join(_wrong, _wrong.c.seq == event_epc.c.seq)
    .join(_declaration, _SAME)
    .where(_declaration.c.seq.in_(_SEQS), _wrong.c.declared_at == 0)
)
_ENDS = select(event.c.seq, event.c.by_id, event.c.sender_id, event.c.recipient_id, event.c.idx).where(
    event.c.seq.in_(_SEQS)
)


@dataclass(frozen=True, slots=True)
class StoredAct:
    """An act with the number of its event."""

    seq: int
    act: Act


def read(connection: Connection, seqs: Iterable[int], *, without_effect: bool = False) -> list[StoredAct]:
    """The acts of the events with these numbers, of those that have an effect, or of all."""
    wanted = true() if without_effect else event.c.effective
    rows: list[Row[Any]] = []
    for chunk in chunks(sorted(set(seqs))):
        rows += connection.execute(
            select(
                event.c.seq,
                event.c.by_id,
                event.c.sender_id,
                event.c.recipient_id,
                event.c.seller_id,
                event.c.buyer_id,
                event.c.statement,
                event.c.place,
                event.c.foreign_sscc,
                event.c.body,
            ).where(event.c.seq.in_(chunk), wanted)
        ).all()
    numbers = {n for row in rows for n in row[1:6]}
    glns = partners.glns(connection, numbers)
    return [
        StoredAct(
            row.seq,
            Act(
                event=unpack(bytes(row.body)),
                by=glns[row.by_id],
                sender=glns.get(row.sender_id),
                recipient=glns.get(row.recipient_id),
                seller=glns.get(row.seller_id),
                buyer=glns.get(row.buyer_id),
                statement=row.statement,
                place=row.place if is_place(row.place) else None,
                foreign=frozenset((row.foreign_sscc or "").split()),
            ),
        )
        for row in rows
    ]


def all_numbers(connection: Connection) -> list[int]:
    """The numbers of all events, ascending."""
    return list(connection.execute(select(event.c.seq).order_by(event.c.seq)).scalars())


def repackaging(connection: Connection) -> list[int]:
    """The numbers of the events that repackage: what they link is kept for six years. Those declared wrong too."""
    query = select(event.c.seq).where(
        event.c.effective,
        event.c.declared_at == 0,
        or_(event.c.type == "TransformationEvent", event.c.biz_step == "repackaging"),
    )
    return list(connection.execute(query.order_by(event.c.seq)).scalars())


PARTIES_OF: CompoundSelect[tuple[int]] = union(
    select(event.c.by_id).where(event.c.seq.in_(_SEQS)),
    select(event.c.recipient_id).where(event.c.seq.in_(_SEQS)),
)
"""The numbers of those who told the events `seqs` and whom they go to, for use in another query."""


def recalling(connection: Connection, seqs: Iterable[int]) -> list[int]:
    """Those of these events, by number, that call something back."""
    found: list[int] = []
    for chunk in chunks(sorted(seqs)):
        query = select(event.c.seq).where(event.c.seq.in_(chunk), event.c.disposition == "recalled")
        found += connection.execute(query.order_by(event.c.seq)).scalars()
    return found


def naming(connection: Connection, item_ids: Iterable[int]) -> set[int]:
    """The numbers of all events that name any of these items."""
    found: set[int] = set()
    for chunk in chunks(sorted(set(item_ids))):
        found.update(
            connection.execute(select(event_epc.c.seq).where(event_epc.c.item_id.in_(chunk))).scalars()
        )
    return found


def grouped_with(connection: Connection, item_ids: Iterable[int]) -> set[int]:
    """The items that any event ever packed, unpacked, counted or transformed together with one of these."""
    found: set[int] = set()
    joint = (
        select(event_epc.c.seq)
        .join(event, event.c.seq == event_epc.c.seq)
        .where(event.c.type.in_(("AggregationEvent", "TransformationEvent")), event.c.effective)
    )
    for chunk in chunks(sorted(set(item_ids))):
        seqs = connection.execute(joint.where(event_epc.c.item_id.in_(chunk)).distinct()).scalars().all()
        for some in chunks(seqs):
            query = select(event_epc.c.item_id).where(event_epc.c.seq.in_(some)).distinct()
            found.update(connection.execute(query).scalars())
    return found


def declared_wrong(connection: Connection, seqs: Iterable[int]) -> set[int]:
    """The items named by the events that the error declarations `seqs` are about."""
    found: set[int] = set()
    for chunk in chunks(sorted(set(seqs))):
        found.update(connection.execute(_DECLARED_WRONG, {"seqs": chunk}).scalars())
    return found


def already_declared_wrong(connection: Connection, seqs: Iterable[int]) -> set[int]:
    """Those of the events `seqs` whose error declaration came before them."""
    found: set[int] = set()
    for chunk in chunks(sorted(set(seqs))):
        found.update(connection.execute(_ALREADY_WRONG, {"seqs": chunk}).scalars())
    return found


@dataclass(frozen=True, slots=True)
class Ends:
    """Whose an event is: who vouches for it, who sent and who gets what it is about, by number; and its entry."""

    by_id: int
    sender_id: int | None
    recipient_id: int | None
    index: int


def ends(connection: Connection, seqs: Iterable[int]) -> dict[int, Ends]:
    """The parties of the events with these numbers."""
    found: dict[int, Ends] = {}
    for chunk in chunks(sorted(set(seqs))):
        rows = connection.execute(_ENDS, {"seqs": chunk})
        found |= {row.seq: Ends(row.by_id, row.sender_id, row.recipient_id, row.idx) for row in rows}
    return found
