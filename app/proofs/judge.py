"""Is a document beyond doubt? Computed from rows that somebody else has read, many documents at a time.

    doubtful(Block(cases, known)) -> [doc_id, ...]       those of which this cannot be said

What is beyond doubt is what `app.proofs.audit_documents` would find nothing about. Whatever is unusual (a value that
was encrypted, an event that stood before, one without effect) is not judged here but left to that audit, which looks at
one document after the other, slower, and names what is wrong. So this may doubt too often, never too seldom.

The raw document is held to its digest, which its entry committed to; its events are not read again where all of them
have rows, because these are committed to as well.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from app.erasable.spans import UNBOUNDED
from app.erasable.vault import digest_of
from app.events.records import raw_document
from app.events.roles import roles_of
from ledger.custody.act import read_act
from ledger.custody.event import Event
from ledger.custody.stored import event_of, unpack_fields
from ledger.epcis.document import Document
from ledger.epcis.errors import DocumentError
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.log.entry import Entry, Kind
from ledger.signing.commitment import HiddenLeaf, Leaf, commit
from ledger.signing.statement import Statement
from ledger.store.sql.types import to_micros

TOLERANCE_US = 86_400 * 10**6
"""The largest that PACKPROOF_CLOCK_TOLERANCE_SECONDS may be, in microseconds."""


class Stored(NamedTuple):
    """A row of `event`. `columns`: what follows from its body, in the order of `expected`, times in microseconds."""

    seq: int
    ev_no: int
    body: bytes
    effective: bool
    parties: tuple[int | None, ...]  # sender, recipient, seller, buyer
    columns: tuple[Any, ...]
    names: frozenset[tuple[str, int]]  # (canonical EPC, role) of `event_epc`


class Case(NamedTuple):
    """A document with what stands beside it. `body`: its entry."""

    doc_id: int
    idx: int
    sha256: bytes
    by_id: int
    signer: bytes | None
    channel: str
    form: str
    intake: str
    affirmed: bool | None
    received_us: int
    raw: bytes
    body: bytes
    seed: bytes
    events: Sequence[Stored]


class Known(NamedTuple):
    """What all documents of a block are judged by: parties by number, whose key it is by thumbprint, and
    (site, company) of every site of these parties."""

    glns: Mapping[int, str]
    owners: Mapping[bytes, str | None]
    sites: frozenset[tuple[str, str]]


class Block(NamedTuple):
    """Some documents."""

    cases: Sequence[Case]
    known: Known


NOTHING = Block((), Known({}, {}, frozenset()))


def doubtful(block: Block) -> list[int]:
    """The numbers of the documents that are not beyond doubt."""
    return [case.doc_id for case in block.cases if not _sound(case, block.known)]


def _sound(case: Case, known: Known) -> bool:
    try:
        entry = Entry.decode(case.body)
        statement = Statement.parse(entry.statement)
        if [each.ev_no for each in case.events] != list(range(statement.commit.n)):
            return False
        records = [unpack_fields(each.body) for each in case.events]
        if any(isinstance(field, HiddenLeaf) for record in records for field in record):
            return False
        raw = raw_document(case.raw)
        intake = json.loads(case.intake)
        leaves = [Leaf(name, str(text).encode()) for name, text in sorted(intake.items())]
        return (
            sha256(raw).digest() == case.sha256
            and commit(case.sha256, leaves, records, case.seed) == statement.commit.root
            and _beside(case, known, entry, intake, raw)
            and all(
                _event(case, known, stored, event_of(record), digest_of(record))
                for stored, record in zip(case.events, records, strict=True)
            )
        )
    except (LedgerError, DocumentError, ValueError, TypeError, LookupError, AttributeError):
        return False


def _beside(case: Case, known: Known, entry: Entry, intake: Mapping[str, str], raw: bytes) -> bool:
    """Columns of the document that follow from its entry and its raw bytes."""
    author = entry.signatures[0].key
    signed = entry.kind is Kind.CAPTURED
    told = _front(raw)
    return (
        case.signer == (author if signed else None)
        and case.received_us // 1000 == entry.received_ms
        and known.glns[case.by_id] == (known.owners[author] if signed else intake.get("onBehalfOf"))
        and case.channel == ("signed" if signed else intake.get("channel"))
        and case.form == told.form.value
        and case.affirmed == (told.statement.affirmed if told.statement else None)
    )


def _front(raw: bytes) -> Document:
    """The document without its events where that is easily had: reading them takes twenty times as long."""
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


def expected(case: Case, event: Event, digest: bytes) -> tuple[Any, ...]:
    """What `Stored.columns` must be."""
    return (
        case.idx,
        case.by_id,
        event.id,
        to_micros(event.declaration.time) if event.declaration else 0,
        digest,
        event.position,
        to_micros(event.event_time),
        case.received_us,
        event.type.value,
        event.action.value if event.action else None,
        event.biz_step,
        event.disposition,
        event.read_point,
        event.biz_location,
        case.affirmed,
    )


def _event(case: Case, known: Known, stored: Stored, event: Event, digest: bytes) -> bool:
    """Every column of the event follows from its body; it has an effect, and nothing says that it should not."""
    columns = expected(case, event, digest)
    if stored.columns != columns or not stored.effective:
        return False
    if to_micros(event.event_time) - case.received_us > TOLERANCE_US or stored.names != set(roles_of(event)):
        return False
    act = read_act(event, known.glns[case.by_id], lambda gln: gln)
    for number, must in zip(stored.parties, (act.sender, act.recipient, act.seller, act.buyer), strict=True):
        was = known.glns[number] if number else None
        if was != must and (must, was) not in known.sites:
            return False
    return True
