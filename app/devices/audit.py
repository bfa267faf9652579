"""Keys, chains and parked acts are what their entries say: every column follows from what an entry committed to.

And who signed an entry could do so where it stands: `app.devices.audit_signers`.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, func, select

from app.devices import audit_signers, chains
from app.devices import parked_document as kept
from app.devices import service as devices
from app.devices.models import chain_link, parked, party_key
from app.erasable.spans import UNBOUNDED
from app.erasable.vault import Vault
from app.events.models import document
from app.events.records import RawDamaged
from app.partners import service as partners
from app.shared.auditing import AuditContext
from ledger.epcis.errors import DocumentError
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.log.entry import Kind
from ledger.signing.aside import Parked, Void
from ledger.signing.chain import Link, link_of
from ledger.signing.commitment import commit
from ledger.signing.envelope import Envelope
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.statement import Statement
from ledger.store.sql import tables
from ledger.store.sql.types import to_micros

_AT_ONCE = 20  # parked acts
_KIND_AT = 4  # the fifth byte of an entry (docs/formats/entry.md)


def check(context: AuditContext) -> None:
    """Every row of the tables of `app.devices`, and every entry that should have one."""
    records = _keys(context)
    _parked(context)
    _chains(context)
    _without_rows(context)
    audit_signers.check(context, records)


def _keys(context: AuditContext) -> dict[int, KeyRecord | None]:
    """The key record at each index that has a row; None where the row is not what its entry says, which is named."""
    found: dict[int, KeyRecord | None] = {}
    rows = context.connection.execute(select(party_key).order_by(party_key.c.idx)).all()
    glns = partners.glns(context.connection, {row.party_id for row in rows})
    for row in rows:
        context.counts["key records"] += 1
        found[row.idx] = None
        name = f"{bytes(row.thumbprint).hex()[:16]} ({row.label}), entry {row.idx}"
        gln = glns.get(row.party_id) if row.party_id is not None else None
        try:
            record = KeyRecord(
                Action(row.action), bytes(row.spki), Role(row.role), gln, row.label, row.suspect_since
            )
        except LedgerError as error:
            context.add(
                "I9", "party_key", name, "spki, role, party_id, suspect_since", "a key record", error.message
            )
            continue
        if record.thumbprint != bytes(row.thumbprint):
            context.add(
                "I9",
                "party_key",
                name,
                "thumbprint, spki",
                record.thumbprint.hex(),
                bytes(row.thumbprint).hex(),
            )
        elif not _commits(context, row.idx, Kind.KEY, record.document()):
            columns = "idx, action, role, party_id, label, suspect_since"
            context.add("I9", "party_key", name, columns, "what its entry says", "other")
        else:
            found[row.idx] = record
    return found


def _commits(context: AuditContext, index: int, kind: Kind, record: bytes) -> bool:
    entry = context.entry(index)
    return entry is not None and entry.kind is kind and context.commits(entry, record)


def _chains(context: AuditContext) -> None:
    for link, row in chains.links(context.connection):
        context.counts["chain links"] += 1
        key = f"entry {row.idx}, number {row.seq} of {link.stream.hex()[:16]}"
        entry = context.entry(row.idx)
        must = link_of(entry) if entry is not None else None
        if entry is None or must is None:
            context.add("I9", "chain_link", key, "idx", "an entry with a chain", "none")
            continue
        for column in Link.__slots__:
            if getattr(link, column) != getattr(must, column):
                context.add("I9", "chain_link", key, column, _text(must, column), _text(link, column))
        _void(context, key, row, must)
        adopts = _adopts(context, must, Statement.parse(entry.statement).refs)
        if row.adopts != adopts:
            context.add("I9", "chain_link", key, "adopts", str(adopts), str(row.adopts))


def _adopts(context: AuditContext, link: Link, refs: tuple[bytes, ...]) -> int | None:
    """The parked act that this entry takes over, if its refs point at one of its own party's."""
    if not refs:
        return None
    signer = devices.keys(context.connection, [link.author]).get(link.author)
    owner = partners.by_gln(context.connection, (signer.party_gln if signer else None) or "")
    if owner is None:
        return None
    query = select(document.c.sha256).where(document.c.idx == link.index)
    digest = context.connection.execute(query).scalar() or b""
    try:
        return chains.adopted_by(context.connection, context.reader, refs, owner.party_id, bytes(digest))
    except RawDamaged:
        return None  # the parked document's own audit names it


def _without_rows(context: AuditContext) -> None:
    """Entries whose number in their device's chain, or whose parked act, is kept nowhere."""
    entry = tables.entry
    beginning = func.substr(entry.c.body, 1, _KIND_AT + 1).label("beginning")
    query = select(entry.c.idx, beginning).order_by(entry.c.idx)
    for table in (party_key, chain_link, parked):
        query = query.where(entry.c.idx.not_in(select(table.c.idx)))
    for index, begins in context.connection.execute(query):
        kind = bytes(begins)[_KIND_AT]
        if kind in (Kind.CAPTURED, Kind.VOID_SEQ):
            context.add("I9", "chain_link", f"entry {index}", "idx", "the number of its device", "no row")
        elif kind in (Kind.CHECKPOINT, Kind.POLICY) and index not in context.explained:
            context.add("I9", "kept", str(index), "the file", "the note or policy of its entry", "no file")
        elif kind == Kind.AUDIT and index not in context.explained:
            context.add("I9", "parked", f"entry {index}", "idx", "the act that it parks", "no row")


def _void(context: AuditContext, key: str, row: Row[Any], must: Link) -> None:
    if not must.void or row.void is None:
        return  # whether there must be a record was compared already
    try:
        record = Void.parse(bytes(row.void))
        fits = (record.stream, record.seq) == (must.stream, must.seq)
        fits = fits and _commits(context, row.idx, Kind.VOID_SEQ, bytes(row.void))
    except LedgerError:
        fits = False
    if not fits:
        context.add("I9", "chain_link", key, "void", "what its entry committed to", "other")


def _text(link: Link, column: str) -> str:
    value = getattr(link, column)
    return value.hex() if isinstance(value, bytes) else str(value)


def _parked(context: AuditContext) -> None:
    vault = Vault.at(context.data_dir, context.origin)
    for row in _parked_rows(context):
        context.counts["parked acts"] += 1
        for column, expected in _unlike(context, vault, row):
            context.add("I9", "parked", f"entry {row.idx}", column, expected, "other")
            break


def _parked_rows(context: AuditContext) -> Iterator[Row[Any]]:
    """Every row, a few at a time: each holds a document."""
    after = -1
    query = select(parked).order_by(parked.c.idx).limit(_AT_ONCE)
    while rows := context.connection.execute(query.where(parked.c.idx > after)).all():
        yield from rows
        after = rows[-1].idx


def _root(context: AuditContext, vault: Vault, row: Row[Any], statement: Statement) -> bytes | None:
    """The root that a parked document and its seed give; that of `statement` where a redaction erased them. None where
    the document cannot be opened, or is not kept as it should be."""
    erased = kept.erased_by(row)
    if erased is not None:
        told = context.entry(erased) if erased > row.idx else None
        return statement.commit.root if told is not None and told.kind is Kind.REDACTION else None
    raw = kept.whole(context.connection, vault, row)
    if raw is None or kept.unlike(context.connection, vault, row, raw):
        return None
    records = [each.fields() for each in read(raw, row.content_type, UNBOUNDED).events]
    return commit(sha256(raw).digest(), [], records, bytes(row.seed))


def _unlike(context: AuditContext, vault: Vault, row: Row[Any]) -> list[tuple[str, str]]:
    """The columns of a parked act that are not as they must be, and what they must be."""
    try:
        record, envelope = Parked.parse(bytes(row.record)), Envelope.parse(bytes(row.envelope))
        statement = Statement.parse(envelope.statement)
        root = _root(context, vault, row, statement)
    except (LedgerError, DocumentError) as error:
        return [("record, envelope, document, content_type or seed", str(error))]
    entry = context.entry(row.idx)
    key = devices.keys(context.connection, [statement.author]).get(statement.author)
    gln = partners.glns(context.connection, [row.party_id]).get(row.party_id)
    chain = statement.chain
    must: list[tuple[str, bool, str]] = [
        ("record", _commits(context, row.idx, Kind.AUDIT, bytes(row.record)), "what its entry committed to"),
        ("statement", bytes(row.statement) == record.statement, "as its record says"),
        ("envelope", sha256(envelope.statement).digest() == record.statement, "what was parked"),
        ("thumbprint", bytes(row.thumbprint) == statement.author, "the author of the statement"),
        ("party_id", key is not None and key.party_gln == gln, "the party of the key"),
        ("stream", chain is not None and bytes(row.stream) == chain.stream, "as the statement has it"),
        ("seq", chain is not None and row.seq == chain.seq, "as the statement has it"),
        ("document or seed", root == statement.commit.root, "what was signed"),
        (
            "parked_at",
            entry is not None and to_micros(row.parked_at) // 1000 == entry.received_ms,
            "when the entry came",
        ),
    ]
    return [(column, expected) for column, holds, expected in must if not holds]
