"""Finding events by who they name and what they are about, page by page, in the order in which they were recorded."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from app.erasable import notices
from app.erasable.notices import Notice
from app.erasable.vault import Vault
from app.events.models import document, event, event_epc
from app.events.records import raw_document
from app.events.roles import LOT
from app.shared.chunks import chunks
from ledger.custody.event import Event
from ledger.custody.stored import event_of, unpack_fields


@dataclass(frozen=True, slots=True)
class Found:
    """A recorded event: its number, the document that brought it, when it was recorded."""

    seq: int
    doc_id: int
    recorded_at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Brought:
    """A document as it was taken in: at which index, and when."""

    index: int
    received_at: datetime


def naming_party(
    connection: Connection,
    party_id: int,
    item_ids: Collection[int] | None,
    *,
    after: int,
    limit: int,
    vault: Vault | None = None,
) -> list[Found]:
    """Events that name the party (as reporter, sender, recipient, seller or buyer), numbered above `after`.

    Only those about one of the items with the numbers `item_ids`, where these are given. Erasable values are there as
    far as `vault` opens them.
    """
    parties = (event.c.by_id, event.c.sender_id, event.c.recipient_id, event.c.seller_id, event.c.buyer_id)
    columns = (event.c.seq, event.c.doc_id, event.c.record_time, event.c.idx, event.c.ev_no, event.c.body)
    query = select(*columns).where(event.c.seq > after, or_(*(column == party_id for column in parties)))
    if item_ids is not None:
        about = select(event_epc.c.seq).where(event_epc.c.item_id.in_(item_ids), event_epc.c.role != LOT)
        query = query.where(event.c.seq.in_(about))
    rows = connection.execute(query.order_by(event.c.seq).limit(limit)).all()
    found = [_found(connection, row, vault) for row in rows]
    told = notices.of(connection, [each.event.id for each in found])
    return [_with(each, told.get((row.idx, each.event.id))) for each, row in zip(found, rows, strict=True)]


def numbered(connection: Connection, seqs: Collection[int], vault: Vault | None = None) -> list[Found]:
    """The events with these numbers, ascending. Erasable values are there as far as `vault` opens them."""
    columns = (event.c.seq, event.c.doc_id, event.c.record_time, event.c.idx, event.c.ev_no, event.c.body)
    rows: list[Row[Any]] = []
    for chunk in chunks(sorted(set(seqs))):
        rows += connection.execute(select(*columns).where(event.c.seq.in_(chunk)).order_by(event.c.seq)).all()
    found = [_found(connection, row, vault) for row in rows]
    told = notices.of(connection, [each.event.id for each in found])
    return [_with(each, told.get((row.idx, each.event.id))) for each, row in zip(found, rows, strict=True)]


def heads(connection: Connection, seqs: Collection[int]) -> list[Row[Any]]:
    """(seq, by_id, sender_id, recipient_id, seller_id, buyer_id, idx, declared_at, effective, signer) of events."""
    columns = (
        *(event.c.seq, event.c.by_id, event.c.sender_id, event.c.recipient_id, event.c.seller_id),
        *(event.c.buyer_id, event.c.idx, event.c.declared_at, event.c.effective, document.c.signer),
    )
    rows: list[Row[Any]] = []
    for chunk in chunks(sorted(set(seqs))):
        query = select(*columns).join(document, document.c.doc_id == event.c.doc_id)
        rows += connection.execute(query.where(event.c.seq.in_(chunk))).all()
    return rows


def _found(connection: Connection, row: Row[Any], vault: Vault | None) -> Found:
    fields = unpack_fields(bytes(row.body))
    if vault is not None:
        fields = vault.fields(connection, row.idx, row.ev_no, fields)
    return Found(row.seq, row.doc_id, row.record_time, event_of(fields))


def _with(found: Found, told: Collection[Notice] | None) -> Found:
    """What was erased of an event is said beside it, and when and on which legal basis."""
    if not told:
        return found
    extensions = tuple(sorted((*found.event.extensions, notices.extension(told))))
    return replace(found, event=replace(found.event, extensions=extensions))


def brought_by(connection: Connection, party_id: int, index: int) -> Brought | None:
    """The document of the entry at `index`, if this party vouches for it or it came on its behalf."""
    row = connection.execute(
        select(document.c.idx, document.c.received_at).where(
            document.c.idx == index, document.c.by_id == party_id
        )
    ).one_or_none()
    return Brought(row.idx, row.received_at) if row else None


def raw_documents(connection: Connection, doc_ids: Collection[int]) -> list[bytes]:
    """The documents with these numbers, as they came."""
    rows = connection.execute(select(document.c.raw).where(document.c.doc_id.in_(set(doc_ids)))).scalars()
    return [raw_document(bytes(raw)) for raw in rows]
