"""The whole audit of a node: the ledger's own tables, then what stands on them.

`ledger.store.fsck` proves the ledger to itself. Here: every document and event is what its entry committed to, every
column beside them follows from them, keys are what their entries registered, and custody is what the events give (I9).
Nothing is trusted because it is stored; everything is computed anew and the first row that differs is named.

What this cannot see is a history rewritten whole and signed again with the node's own key. Those who remember an
earlier checkpoint do: every scanner, every witness.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import SQLAlchemyError

from app.custody import rebuild
from app.custody import service as custody
from app.devices import service as devices
from app.events import records
from app.events.models import document, event, event_epc
from app.events.roles import roles_of
from app.node.service import Node
from app.partners import service as partners
from app.proofs import presence
from ledger.custody.act import read_act
from ledger.custody.event import Event
from ledger.custody.stored import StoredEventDamaged, unpack, unpack_fields
from ledger.epcis.errors import DocumentError
from ledger.epcis.limits import Limits
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.log.entry import Entry, Kind
from ledger.log.mark import MarkFile
from ledger.signing.commitment import commit
from ledger.signing.envelope import verify_signatures
from ledger.signing.keyrecord import Action, KeyRecord
from ledger.signing.statement import Statement
from ledger.store.findings import FsckFinding, FsckReport, short
from ledger.store.fsck import fsck as fsck_ledger
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.types import to_micros

Progress = Callable[[str, int, int], None]
"""(what is being checked, rows done, rows there are)."""

_UNBOUNDED = Limits(body_bytes=2**31, events=10**6, epcs_per_event=10**7)


def fsck(database: Database, node: Node, progress: Progress | None = None) -> FsckReport:
    """Audit everything this node stores, on one snapshot."""
    tell = progress or (lambda what, done, total: None)
    mark = MarkFile(node.data_dir / "mark").read()
    report = FsckReport()
    if mark is None:
        told = "how far the ledger was signed; without it a cut tail cannot be seen"
        report.add(FsckFinding("I4", "mark", str(node.data_dir / "mark"), "-", "the file", "no file", told))
    with database.snapshot() as connection:
        try:
            found = fsck_ledger(
                connection,
                node.origin,
                log_keys=[node.note_verifier],
                mark=mark,
                progress=lambda done, total: tell("entries", done, total),
            )
            report.findings += found.findings
            report.counts += found.counts
            report.suppressed += found.suppressed
            _Audit(connection, SqlReader(connection, node.origin), report, tell).run()
        except (LedgerError, SQLAlchemyError, LookupError, ValueError) as error:
            # A value of another type than its column's: nothing this program writes, so somebody else did.
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            report.add(
                FsckFinding("I9", "database", "-", "-", "rows that can be read", told, "what they hold")
            )
    return report


class _Audit:
    """The tables beside the ledger, a page of documents at a time."""

    def __init__(
        self, connection: Connection, reader: SqlReader, report: FsckReport, progress: Progress
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._report = report
        self._progress = progress

    def run(self) -> None:
        """Keys, documents with their events, custody."""
        self._keys()
        self._documents()
        self._missing(presence.entries(self._connection))
        self._missing(presence.cases(self._connection))
        for found in rebuild.differences(self._connection):
            self._add("I9", found.table, found.key, found.column, found.expected, found.found)
        self._progress("custody", 1, 1)

    def _missing(self, found: Iterable[presence.Missing]) -> None:
        for each in found:
            self._add("I9", *each)

    def _add(self, invariant: str, table: str, key: str, column: str, expected: str, found: str) -> None:
        rests = {
            "document": "its events, and everything projected from them",
            "event": "the event, and everything projected from it",
            "event_epc": "the history of the items it names",
            "party_key": "every signature by this key",
            "endorsement": "whether its party has signed the event",
            "exception_case": "the work at the exceptions desk",
        }
        consequence = rests.get(table, "what is shown of it; packproof rebuild puts it right")
        self._report.add(FsckFinding(invariant, table, key, column, expected, found, consequence))

    # -- keys

    def _keys(self) -> None:
        for key in devices.all_keys(self._connection):
            self._report.counts["keys"] += 1
            record = KeyRecord(Action.REGISTER, key.spki, key.role, key.party_gln, key.label)
            name = f"{key.thumbprint.hex()[:16]} ({key.label})"
            if key.revoked_idx is not None:
                # No entry of this version revokes a key.
                self._add("I9", "party_key", name, "revoked_idx", "none", str(key.revoked_idx))
            if record.thumbprint != key.thumbprint:
                self._add("I9", "party_key", name, "spki", key.thumbprint.hex(), record.thumbprint.hex())
                continue
            entry = self._entry(key.registered_idx)
            seed = self._reader.seed(key.registered_idx)
            root = seed and commit(sha256(record.document()).digest(), [], [record.fields()], seed)
            if (
                entry is None
                or entry.kind is not Kind.KEY
                or Statement.parse(entry.statement).commit.root != root
            ):
                self._add(
                    "I9",
                    "party_key",
                    name,
                    "registered_idx, role, party, label",
                    "what its entry says",
                    "other",
                )

    def _entry(self, index: int) -> Entry | None:
        try:
            return Entry.decode(self._reader.entry(index))
        except LedgerError:
            return None  # the ledger's own audit has named it

    # -- documents and events

    def _documents(self) -> None:
        numbers = (
            self._connection.execute(select(document.c.doc_id).order_by(document.c.doc_id)).scalars().all()
        )
        for done, number in enumerate(numbers, 1):
            row = self._connection.execute(select(document).where(document.c.doc_id == number)).one()
            rows = self._connection.execute(
                select(event).where(event.c.doc_id == number).order_by(event.c.ev_no)
            ).all()
            self._report.counts["documents"] += 1
            self._report.counts["events"] += len(rows)
            self._document(row, rows)
            self._progress("documents", done, len(numbers))

    def _document(self, row: Row[Any], rows: Sequence[Row[Any]]) -> None:
        key = f"{row.doc_id} (entry {row.idx})"
        entry = self._entry(row.idx)
        if entry is None:
            self._add("I9", "document", key, "idx", "an entry of the ledger", "none")
            return
        statement = Statement.parse(entry.statement)
        for each in rows:
            self._event(row, each)
        raw = self._raw(row, key)
        try:
            what = records.committed(self._connection, row.idx, statement.commit.n)
        except (LedgerError, ValueError):
            what = None
        seed = self._reader.seed(row.idx)
        if what is None or seed is None or raw is None:
            self._add(
                "I9", "document", key, "body, intake or seed", "what was committed to", "cannot be read"
            )
            return
        if commit(what.document_digest, what.intake, what.records, seed) != statement.commit.root:
            self._name_culprit(key, row, raw, rows)
        self._beside(row, rows, key, entry, raw)

    def _raw(self, row: Row[Any], key: str) -> bytes | None:
        try:
            raw = records.raw_document(bytes(row.raw))
        except LedgerError:
            self._add("I9", "document", key, "raw", "a packed document", short(bytes(row.raw)))
            return None
        if sha256(raw).digest() != bytes(row.sha256):
            self._add(
                "I9", "document", key, "raw or sha256", short(bytes(row.sha256)), short(sha256(raw).digest())
            )
        return raw

    def _name_culprit(self, key: str, row: Row[Any], raw: bytes, rows: Sequence[Row[Any]]) -> None:
        """The commitment does not hold: the raw document tells which event's body was changed, if it was one."""
        try:
            expected = [each.fields() for each in read(raw, None, _UNBOUNDED).events]
        except DocumentError:
            expected = []
        for each in rows:
            try:
                stored = unpack_fields(bytes(each.body))
            except LedgerError:
                continue
            if each.ev_no < len(expected) and stored != expected[each.ev_no]:
                changed = [f.path for f in stored if f not in expected[each.ev_no]] or ["a field is gone"]
                self._add(
                    "I9", "event", str(each.seq), f"body ({changed[0]})", "what was committed to", "other"
                )
                return
        self._add("I9", "document", key, "intake, sha256 or seed", "what its entry committed to", "other")

    def _event(self, doc: Row[Any], row: Row[Any]) -> None:
        """Compare every column of an event with its body."""
        key = str(row.seq)
        try:
            each = unpack(bytes(row.body))
        except StoredEventDamaged as error:
            self._add("I9", "event", key, "body", "an event", error.message)
            return
        expected = {
            "idx": doc.idx,
            "by_id": doc.by_id,
            "event_id": each.id,
            "declared_at": to_micros(each.declaration.time) if each.declaration else 0,
            "digest": each.digest,
            "pos": each.position,
            "event_time": each.event_time,
            "record_time": doc.received_at,
            "type": each.type.value,
            "action": each.action.value if each.action else None,
            "biz_step": each.biz_step,
            "disposition": each.disposition,
            "read_point": each.read_point,
            "biz_location": each.biz_location,
            "statement": doc.statement_affirmed,
        }
        for column, must in expected.items():
            was = getattr(row, column)
            if (bytes(was) if isinstance(was, memoryview) else was) != must:
                self._add("I9", "event", key, column, str(must), str(was))
        self._missing(presence.effect(self._connection, row))
        self._names(row, each)
        self._parties(row, each)

    def _names(self, row: Row[Any], each: Event) -> None:
        stored = self._connection.execute(
            select(event_epc.c.item_id, event_epc.c.role).where(event_epc.c.seq == row.seq)
        ).all()
        keys = custody.keys_of(self._connection, [r.item_id for r in stored])
        found = {(keys.get(r.item_id, f"item {r.item_id}"), r.role) for r in stored}
        expected = set(roles_of(each))
        for epc, role in sorted(found ^ expected):
            must, was = ("no row", "a row") if (epc, role) in found else ("a row", "no row")
            self._add("I9", "event_epc", f"event {row.seq}, {epc}", "role", must, was)

    def _parties(self, row: Row[Any], each: Event) -> None:
        """The parties are those that the event names, or the companies that these sites belong to."""
        numbers = (row.by_id, row.sender_id, row.recipient_id, row.seller_id, row.buyer_id)
        glns = partners.glns(self._connection, numbers)
        by = glns.get(row.by_id, "")
        plain = read_act(each, by, lambda gln: gln)
        named = {gln for gln in (plain.sender, plain.recipient, plain.seller, plain.buyer) if gln}
        owners = partners.owners_of(self._connection, named)
        for column, must in (
            ("sender_id", plain.sender),
            ("recipient_id", plain.recipient),
            ("seller_id", plain.seller),
            ("buyer_id", plain.buyer),
        ):
            was = glns.get(getattr(row, column) or 0)
            if was not in ({must, owners.get(must)} if must else {None}):
                self._add("I9", "event", str(row.seq), column, str(must), str(was))

    def _beside(self, row: Row[Any], rows: Sequence[Row[Any]], key: str, entry: Entry, raw: bytes) -> None:
        """Columns of the document that follow from its entry and its raw bytes."""
        signed = entry.kind is Kind.CAPTURED
        if (bytes(row.signer) if row.signer is not None else None) != (
            entry.signatures[0].key if signed else None
        ):
            self._add("I9", "document", key, "signer", "the author of its entry", "other")
        if to_micros(row.received_at) // 1000 != entry.received_ms:
            self._add("I9", "document", key, "received_at", str(entry.received_ms), str(row.received_at))
        by = partners.glns(self._connection, [row.by_id]).get(row.by_id)
        intake = json.loads(row.intake)
        keys = devices.keys(self._connection, [s.key for s in entry.signatures])
        author = keys.get(entry.signatures[0].key)
        vouching = (author.party_gln if author else None) if signed else intake.get("onBehalfOf")
        if by != vouching:
            self._add("I9", "document", key, "by_id", str(vouching), str(by))
        if row.channel != ("signed" if signed else intake.get("channel")):
            self._add("I9", "document", key, "channel", str(intake.get("channel", "signed")), row.channel)
        try:
            verify_signatures(
                entry.statement,
                Statement.parse(entry.statement).author,
                entry.signatures,
                [k.verifier() for k in keys.values()],
            )
        except LedgerError as error:
            self._add("I9", "entry", str(entry.index), "signatures", "signatures that verify", error.message)
        try:
            parsed = read(raw, None, _UNBOUNDED)
        except DocumentError as error:
            self._add("I9", "document", key, "raw", "a document that can be read", str(error))
            return
        self._missing(presence.records(self._connection, row, rows, parsed.events))
        if row.form != parsed.form.value:
            self._add("I9", "document", key, "form", parsed.form.value, row.form)
        affirmed = parsed.statement
        if row.statement_affirmed != (affirmed.affirmed if affirmed else None):
            self._add(
                "I9",
                "document",
                key,
                "statement_affirmed",
                "as the document says",
                str(row.statement_affirmed),
            )


def lines(report: FsckReport) -> Iterator[str]:
    """The report for a person: what was looked at, and each broken row."""
    counted = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    yield f"Looked at {counted}."
    if report.ok:
        yield "Everything is what was appended and signed."
        yield "A history rewritten whole and signed again would look so too: compare with somebody else's checkpoint."
        return
    yield f"{len(report.findings) + report.suppressed} rows are not what they must be. The first:"
    for found in report.findings:
        yield f"  {found.message}"
