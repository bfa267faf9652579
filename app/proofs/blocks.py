"""Documents in blocks, with what stands beside them: what `app.proofs.judge` takes, read in a few queries a block.

    for part in parts(connection):                   # (doc_id, events, bytes), a block's worth, ascending by number
        block, doubtful = read_block(context, part, applying)

A block has at most `EVENTS` events and `RAW_BYTES` of packed documents, unless one document alone has more: memory is
bounded by the largest document. Documents of which a row says that they are unusual are in `doubtful` at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, and_, func, or_, select, type_coerce

from app.custody.items import ItemName
from app.custody.models import finding, item
from app.devices import service as devices
from app.erasable.models import erasable
from app.events.models import document, endorsement, event, event_epc
from app.partners import service as partners
from app.partners.models import party, site
from app.proofs.judge import Block, Case, Known, Stored
from app.shared.auditing import AuditContext
from app.shared.chunks import chunks
from ledger.custody.order import TOLD_AGAIN
from ledger.errors import LedgerError
from ledger.log.entry import Entry
from ledger.store.sql import tables

EVENTS = 2_000
RAW_BYTES = 8 * 2**20
_PAGE = 500


class Part(NamedTuple):
    """A document, how many events it has, and how large it is as stored."""

    doc_id: int
    events: int
    raw_bytes: int


def parts(connection: Connection) -> Iterator[list[Part]]:
    """All documents, ascending by number, a block's worth at a time."""
    gathered: list[Part] = []
    for each in _documents(connection):
        events = sum(part.events for part in gathered) + each.events
        size = sum(part.raw_bytes for part in gathered) + each.raw_bytes
        if gathered and (events > EVENTS or size > RAW_BYTES):
            yield gathered
            gathered = []
        gathered.append(each)
    if gathered:
        yield gathered


def _documents(connection: Connection) -> Iterator[Part]:
    page = select(document.c.doc_id, func.length(document.c.raw)).order_by(document.c.doc_id).limit(_PAGE)
    after = -(2**63)
    while rows := connection.execute(page.where(document.c.doc_id > after)).all():
        within = event.c.doc_id.between(rows[0].doc_id, rows[-1].doc_id)
        query = select(event.c.doc_id, func.count()).where(within).group_by(event.c.doc_id)
        counts = {row[0]: int(row[1]) for row in connection.execute(query)}
        for number, size in rows:
            yield Part(number, counts.get(number, 0), size or 0)
        after = rows[-1].doc_id


def read_block(
    context: AuditContext, part: Sequence[Part], applying: Collection[int]
) -> tuple[Block, list[int]]:
    """The documents of `part` to be judged, and those that are unusual; `applying` are not all there yet."""
    connection = context.connection
    here = (part[0].doc_id, part[-1].doc_id)
    docs = connection.execute(_DOCUMENTS.where(document.c.doc_id.between(*here))).all()
    entries = _entries(context, [row.idx for row in docs])
    unusual = _unusual(connection, here, [row.idx for row in docs])
    names = _names(connection, here)
    events: dict[int, list[Stored]] = defaultdict(list)
    numbers = {row.by_id for row in docs}
    for row in connection.execute(_EVENTS.where(event.c.doc_id.between(*here))):
        columns = tuple(row)
        parties = columns[_PARTIES_AT:_COLUMNS_AT]
        numbers.update(parties)
        stored = Stored(*columns[1:_PARTIES_AT], parties, columns[_COLUMNS_AT:], names.get(row.seq, _NONE))
        events[row.doc_id].append(stored)
    cases, doubtful = [], []
    for row in docs:
        beside = entries.get(row.idx)
        if row.doc_id in unusual or row.doc_id in applying or beside is None or beside.seed is None:
            doubtful.append(row.doc_id)
        else:
            cases.append(Case(*row, beside.body, beside.seed, events[row.doc_id]))
    return Block(cases, _known(connection, numbers, (case.body for case in cases))), doubtful


_NONE: frozenset[tuple[str, int]] = frozenset()
_DOCUMENTS = select(
    document.c.doc_id,
    document.c.idx,
    document.c.sha256,
    document.c.by_id,
    document.c.signer,
    document.c.channel,
    document.c.form,
    document.c.intake,
    document.c.statement_affirmed,
    type_coerce(document.c.received_at, BigInteger),
    document.c.raw,
).order_by(document.c.doc_id)
_PARTIES_AT, _COLUMNS_AT = 5, 9
# In the order of `Stored`, and from `_COLUMNS_AT` of `judge.expected`.
_EVENTS = select(
    event.c.doc_id,
    event.c.seq,
    event.c.ev_no,
    event.c.body,
    event.c.effective,
    event.c.sender_id,
    event.c.recipient_id,
    event.c.seller_id,
    event.c.buyer_id,
    event.c.idx,
    event.c.by_id,
    event.c.event_id,
    event.c.declared_at,
    event.c.digest,
    event.c.pos,
    type_coerce(event.c.event_time, BigInteger),
    type_coerce(event.c.record_time, BigInteger),
    event.c.type,
    event.c.action,
    event.c.biz_step,
    event.c.disposition,
    event.c.read_point,
    event.c.biz_location,
    event.c.statement,
).order_by(event.c.doc_id, event.c.ev_no)


class _Beside(NamedTuple):
    body: bytes
    seed: bytes | None


def _entries(context: AuditContext, indexes: Sequence[int]) -> dict[int, _Beside]:
    """The entries at these indexes, and their seeds."""
    entry, seed = tables.entry, tables.seed
    joined = entry.outerjoin(seed, and_(seed.c.ledger == entry.c.ledger, seed.c.idx == entry.c.idx))
    query = select(entry.c.idx, entry.c.body, seed.c.seed).select_from(joined)
    query = query.where(entry.c.ledger == context.reader.ledger_id)
    found: dict[int, _Beside] = {}
    for chunk in chunks(sorted(indexes)):
        for row in context.connection.execute(query.where(entry.c.idx.in_(chunk))):
            found[row.idx] = _Beside(bytes(row.body), None if row.seed is None else bytes(row.seed))
    return found


def _unusual(connection: Connection, here: tuple[int, int], indexes: Sequence[int]) -> set[int]:
    """Documents with erasable values, endorsements, or findings that keep something from having an effect."""
    found: set[int] = set()
    for table in (erasable, endorsement):
        for chunk in chunks(sorted(indexes)):
            joined = document.join(table, table.c.idx == document.c.idx)
            query = select(document.c.doc_id).select_from(joined).where(document.c.idx.in_(chunk)).distinct()
            found.update(connection.execute(query).scalars())
    within: ColumnElement[bool] = event.c.doc_id.between(*here)
    noted = event.join(finding, finding.c.seq == event.c.seq)
    keeps_out = or_(finding.c.lasting, finding.c.code == TOLD_AGAIN.code.value)
    query = select(event.c.doc_id).select_from(noted).where(within, keeps_out)
    found.update(connection.execute(query.distinct()).scalars())
    return found


def _names(connection: Connection, here: tuple[int, int]) -> dict[int, frozenset[tuple[str, int]]]:
    """What the events of these documents name, as the index of names has it. An item that is not there has no name."""
    joined = event.join(event_epc, event_epc.c.seq == event.c.seq).outerjoin(
        item, item.c.item_id == event_epc.c.item_id
    )
    query = select(event_epc.c.seq, event_epc.c.role, item.c.ns, item.c.serial).select_from(joined)
    found: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for seq, role, ns, serial in connection.execute(query.where(event.c.doc_id.between(*here))):
        found[seq].add(("" if ns is None else ItemName(ns, serial).key, role))
    return {seq: frozenset(names) for seq, names in found.items()}


def _known(connection: Connection, numbers: Iterable[int | None], entries: Iterable[bytes]) -> Known:
    """What the documents are judged by. Of an entry that cannot be read nobody is the author."""
    wanted = sorted({number for number in numbers if number})
    sites: list[Row[Any]] = []
    query = select(site.c.gln, party.c.gln).join(party, party.c.party_id == site.c.party_id)
    for chunk in chunks(wanted):
        sites += connection.execute(query.where(site.c.party_id.in_(chunk))).all()
    signers = set()
    for body in entries:
        try:
            signers.add(Entry.decode(body).signatures[0].key)
        except LedgerError:
            continue
    keys = devices.keys(connection, signers)
    owners = {thumbprint: key.party_gln for thumbprint, key in keys.items()}
    return Known(partners.glns(connection, wanted), owners, frozenset((row[0], row[1]) for row in sites))
