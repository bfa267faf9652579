"""Sales as they stand in the record: which events they are, and what the document that brought each said round it.

A sale is a shipping event with a buyer who is not its seller, and no return. Nothing else is kept of it: the event and
its document are in the ledger, so its transaction information follows from what nobody can change.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from app.erasable.spans import UNBOUNDED
from app.events.models import document, event
from app.events.records import raw_document
from app.partners import service as partners
from app.shared.chunks import chunks
from ledger.custody.event import Event
from ledger.custody.stored import unpack
from ledger.epcis.document import Document
from ledger.epcis.errors import DocumentError
from ledger.epcis.read import read


@dataclass(frozen=True, slots=True)
class Sale:
    """A recorded sale. Parties are companies' GLNs. `taken_back`: its own party has declared the event wrong."""

    seq: int
    index: int
    number: int  # the event's, within its entry
    doc_id: int
    event: Event
    by: str
    seller: str
    buyer: str
    recipient: str | None
    affirmed: bool | None
    recorded_at: datetime
    taken_back: bool

    @property
    def transaction_id(self) -> str:
        """What it is called in addresses: the entry's index and the event's number in it."""
        return f"{self.index}.{self.number}"


_COLUMNS = (
    event.c.seq,
    event.c.idx,
    event.c.ev_no,
    event.c.doc_id,
    event.c.body,
    event.c.by_id,
    event.c.seller_id,
    event.c.buyer_id,
    event.c.recipient_id,
    event.c.statement,
    event.c.record_time,
    event.c.event_id,
)
_IS_SALE = and_(
    event.c.buyer_id.is_not(None),
    event.c.buyer_id != func.coalesce(event.c.seller_id, event.c.by_id),
    event.c.biz_step == "shipping",
    # Goods that go back to who sold them are no sale: a return needs no transaction information (FDA, December 2023).
    func.coalesce(event.c.disposition, "") != "returned",
    event.c.effective,
    event.c.declared_at == 0,
)


def by_id(connection: Connection, transaction_id: str) -> Sale | None:
    """The sale of that id, or None; also for what is no id at all."""
    index, dot, number = transaction_id.partition(".")
    if not (dot and _is_number(index) and _is_number(number)):
        return None
    where = (event.c.idx == int(index), event.c.ev_no == int(number), _IS_SALE)
    return next(iter(_read(connection, connection.execute(select(*_COLUMNS).where(*where)).all())), None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16 and text == str(int(text))


def by_seqs(connection: Connection, seqs: Collection[int]) -> list[Sale]:
    """Those of the events with these numbers that are sales."""
    rows: list[Row[Any]] = []
    for chunk in chunks(sorted(seqs)):
        rows += connection.execute(select(*_COLUMNS).where(event.c.seq.in_(chunk), _IS_SALE)).all()
    return _read(connection, rows)


def of_entry(connection: Connection, index: int) -> list[int]:
    """The numbers of the sales that the entry at `index` brought."""
    query = select(event.c.seq).where(event.c.idx == index, _IS_SALE).order_by(event.c.seq)
    return list(connection.execute(query).scalars())


def of_party(connection: Connection, party_id: int, *, before: int | None, limit: int) -> list[Sale]:
    """The sales in which the party is seller, buyer or recipient, the last recorded first; below number `before`."""
    columns = (event.c.buyer_id, event.c.seller_id, event.c.by_id, event.c.recipient_id)
    below = () if before is None else (event.c.seq < before,)
    parts = [
        select(event.c.seq)
        .where(column == party_id, _IS_SALE, *below)
        .order_by(event.c.seq.desc())
        .limit(limit)
        for column in columns
    ]
    # Each branch has its own index and its own end: whoever trades for years has many sales, and asks for a page.
    numbers: set[int] = set()
    for part in parts:
        numbers.update(connection.execute(part).scalars())
    found = by_seqs(connection, sorted(numbers, reverse=True)[:limit])
    return sorted(found, key=lambda each: -each.seq)


def all_sales(connection: Connection) -> Iterable[Sale]:
    """Every sale, as recorded."""
    numbers = connection.execute(select(event.c.seq).where(_IS_SALE).order_by(event.c.seq)).scalars().all()
    for chunk in chunks(numbers):
        yield from by_seqs(connection, chunk)


def _read(connection: Connection, rows: Iterable[Row[Any]]) -> list[Sale]:
    listed = list(rows)
    glns = partners.glns(
        connection, {n for row in listed for n in (row.by_id, row.seller_id, row.buyer_id, row.recipient_id)}
    )
    wrong = _declared_wrong(connection, listed)
    found = []
    for row in listed:
        seller = glns[row.seller_id if row.seller_id is not None else row.by_id]
        buyer = glns[row.buyer_id]
        found.append(
            Sale(
                row.seq,
                row.idx,
                row.ev_no,
                row.doc_id,
                unpack(bytes(row.body)),
                glns[row.by_id],
                seller,
                buyer,
                glns.get(row.recipient_id),
                row.statement,
                row.record_time,
                (row.by_id, row.event_id) in wrong,
            )
        )
    return found


def _declared_wrong(connection: Connection, rows: list[Row[Any]]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for chunk in chunks(sorted({row.event_id for row in rows})):
        query = select(event.c.by_id, event.c.event_id).where(
            event.c.event_id.in_(chunk), event.c.declared_at != 0, event.c.effective
        )
        found.update((by, name) for by, name in connection.execute(query))
    return found


def fronts(connection: Connection, doc_ids: Collection[int]) -> dict[int, Document]:
    """What the documents with these numbers say round their events: header, master data, statement."""
    found: dict[int, Document] = {}
    for chunk in chunks(sorted(set(doc_ids))):
        query = select(document.c.doc_id, document.c.raw).where(document.c.doc_id.in_(chunk))
        for doc_id, raw in connection.execute(query):
            found[doc_id] = _front(raw_document(bytes(raw)))
    return found


def _front(raw: bytes) -> Document:
    """The document, where that is easily had without its events: reading them takes twenty times as long."""
    if raw[:1] == b"{":
        value = json.loads(raw)
        body = value.get("epcisBody")
        if isinstance(body, dict) and isinstance(body.get("eventList"), list):
            body["eventList"] = []
            try:
                return read(json.dumps(value).encode(), None, UNBOUNDED)
            except DocumentError:
                pass
    return read(raw, None, UNBOUNDED)
