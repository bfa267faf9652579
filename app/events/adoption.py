"""Events of the future: which were told before their time, and which capture makes one count.

An event whose time is later than its receipt, beyond what clocks may differ, changes no custody until a person adopts
it. What adopts it is an entry over that one event and no other, recorded when its time has come, whose statement refers
to the leaf of the entry where the event stands. It has a row in `endorsement`, like a later signature::

    is_adoption(row, at)               whether an entry at that time that refers to this event (a row of it) is one
    adopting(connection, reader, [7])  {7: index of the first entry that adopts event 7}, from the entries
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from app.events.models import document, endorsement, event
from app.shared.chunks import chunks
from ledger.custody.event import Event
from ledger.custody.stored import unpack
from ledger.log.entry import Entry
from ledger.signing.statement import Statement
from ledger.store.sql.reader import SqlReader


def is_adoption(row: Row[Any], at: datetime) -> bool:
    """Whether an entry recorded at this time that refers to this event (a row of it) adopts it: the event was told
    before its time, and that has come."""
    return not row.declared_at and row.record_time < row.event_time <= at


def referred(statement: bytes, find_leaf: Callable[[bytes], int | None]) -> frozenset[int]:
    """The entries, by index, that a statement over one event refers to. Nothing else adopts: what a document of many
    events refers to, it is about as a whole."""
    parsed = Statement.parse(statement)
    if parsed.commit.n != 1 or not parsed.refs:
        return frozenset()
    return frozenset(index for ref in parsed.refs if (index := find_leaf(ref)) is not None)


def adopting(connection: Connection, reader: SqlReader, seqs: Iterable[int]) -> dict[int, int]:
    """The first entry that adopts each of these events, as the entries have it; those that none adopts are left out."""
    found: dict[int, int] = {}
    columns = (event.c.seq, event.c.idx, event.c.declared_at, event.c.record_time, event.c.event_time)
    query = (
        select(*columns, endorsement.c.idx.label("later"), document.c.received_at)
        .join(endorsement, endorsement.c.seq == event.c.seq)
        .join(document, document.c.idx == endorsement.c.idx)
        .order_by(endorsement.c.idx)
    )
    for chunk in chunks(sorted(set(seqs))):
        for row in connection.execute(query.where(event.c.seq.in_(chunk))):
            if row.seq in found or not is_adoption(row, row.received_at):
                continue
            body = reader.entry(row.later)
            if row.idx in referred(Entry.decode(body).statement, reader.find_leaf):
                found[row.seq] = row.later
    return found


@dataclass(frozen=True, slots=True)
class Ahead:
    """An event that was told before its time, with the entry where it stands."""

    seq: int
    index: int
    number: int  # the event's, within its entry
    doc_id: int
    recorded_at: datetime
    event: Event


def numbers_of(connection: Connection, party_id: int, event_id: str) -> list[int]:
    """The number of the party's event with this id, where there is one; its declaration as wrong is another."""
    query = select(event.c.seq).where(
        event.c.by_id == party_id, event.c.event_id == event_id, event.c.declared_at == 0
    )
    return list(connection.execute(query).scalars())


def read_ahead(connection: Connection, seqs: Iterable[int]) -> list[Ahead]:
    """These events, the earliest first."""
    found: list[Ahead] = []
    columns = (event.c.seq, event.c.idx, event.c.ev_no, event.c.doc_id, event.c.record_time)
    query = select(*columns, event.c.body)
    for chunk in chunks(sorted(set(seqs))):
        for row in connection.execute(query.where(event.c.seq.in_(chunk))):
            found.append(Ahead(*row[:5], unpack(bytes(row.body))))
    return sorted(found, key=lambda each: (each.event.event_time, each.seq))
