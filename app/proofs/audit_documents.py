"""Documents and events are what their entries committed to, and every column beside them follows from them.

Blocks of documents (`app.proofs.blocks`) are judged as a whole (`app.proofs.judge`). Each document that is not beyond
doubt is then looked at singly, and here alone findings are made. The bytes that an entry committed to are hashed as
they are stored; where they give another root, the raw document tells which event was changed.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, func, select

from app.custody import service as custody
from app.devices import service as devices
from app.erasable.spans import UNBOUNDED
from app.erasable.vault import WHOLE, Filling, Vault, digest_of
from app.events import pending, records
from app.events.adoption import referred
from app.events.models import document, endorsement, event, event_epc
from app.events.roles import roles_of
from app.partners import service as partners
from app.proofs import blocks, presence
from app.proofs.judge import NOTHING, Block
from app.proofs.judging import judging, worth
from app.proofs.unreadable import UNREADABLE, told
from app.shared.auditing import AuditContext
from ledger.custody.act import read_act
from ledger.custody.event import Event
from ledger.custody.stored import StoredEventDamaged, event_of, unpack_fields
from ledger.epcis.errors import DocumentError
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.log.entry import Entry, Kind
from ledger.signing.commitment import commit
from ledger.signing.remains import check_form
from ledger.signing.statement import Statement
from ledger.store.findings import short
from ledger.store.sql.types import to_micros


def check(context: AuditContext) -> None:
    """Every entry has its document, and every document and event is what was committed to."""
    audit = _Documents(context)
    audit.run()
    audit.missing(presence.entries(context.connection))


class _Documents:
    def __init__(self, context: AuditContext) -> None:
        self._context = context
        self._connection = context.connection
        self._vault = Vault.at(context.data_dir, context.origin)

    def missing(self, found: Iterable[presence.Missing]) -> None:
        """Report what `presence` misses."""
        for each in found:
            self._context.add("I9", *each)

    def run(self) -> None:
        """All documents, ascending by number."""
        total = self._connection.execute(select(func.count()).select_from(document)).scalar_one()
        applying = pending.of(self._connection).keys()
        done = 0
        for part, doubtful in self._judged(applying):
            self._context.counts["documents"] += len(part)
            self._context.counts["events"] += sum(each.events for each in part)
            for number in doubtful:
                self._singly(number)
            done += len(part)
            self._context.tell("documents", done, total)

    def _judged(self, applying: Collection[int]) -> Iterator[tuple[list[blocks.Part], list[int]]]:
        """Each part of the documents, and the numbers of those that are not beyond doubt, ascending."""
        events = self._connection.execute(select(func.count()).select_from(event)).scalar_one()
        with judging(worth(events)) as judged:
            for (part, unusual), found in judged(self._blocks(applying)):
                yield part, sorted({*unusual, *found})

    def _blocks(
        self, applying: Collection[int]
    ) -> Iterator[tuple[tuple[list[blocks.Part], list[int]], Block]]:
        for part in blocks.parts(self._connection):
            try:
                block, unusual = blocks.read_block(self._context, part, applying)
            except UNREADABLE:
                # A value of another type than its column's: looking at each row tells where.
                block, unusual = NOTHING, [each.doc_id for each in part]
            yield (part, unusual), block

    def _singly(self, number: int) -> None:
        key = str(number)
        try:
            row = self._connection.execute(select(document).where(document.c.doc_id == number)).one()
            key = f"{number} (entry {row.idx})"
            rows = self._connection.execute(
                select(event).where(event.c.doc_id == number).order_by(event.c.ev_no)
            ).all()
            self._document(key, row, rows)
        except UNREADABLE as error:
            # What nobody foresaw of a row that somebody else wrote; the next document is looked at all the same.
            self._context.add("I9", "document", key, "-", "rows that can be read", told(error))

    def _document(self, key: str, row: Row[Any], rows: Sequence[Row[Any]]) -> None:
        entry = self._context.entry(row.idx)
        if entry is None:
            self._context.add("I9", "document", key, "idx", "an entry of the ledger", "none")
            return
        statement = Statement.parse(entry.statement)
        filling, names = self._vault.filling(self._connection, row.idx), self._names_of(row.doc_id)
        self.missing(presence.effects(self._connection, self._context.reader, row.doc_id, rows))
        for each in rows:
            self._event(row, each, filling, names.get(each.seq, set()))
            if not 0 <= each.ev_no < statement.commit.n:
                last = f"0 to {statement.commit.n - 1}"
                self._context.add("I9", "event", str(each.seq), "ev_no", last, str(each.ev_no))
        self._waiting(row, statement.commit.n)
        raw = self._raw(row, key)
        try:
            what = records.committed(self._connection, row.idx, statement.commit.n, self._vault)
        except UNREADABLE:
            what = None
        seed = self._context.reader.seed(row.idx)
        # The seed may be gone with it: app.redaction keeps no salts of what nothing can be proven of.
        if what is None and raw == b"" and self._gone_with_it(row, len(rows), statement.commit.n):
            self._beside(row, rows, key, entry, raw)
            return
        if what is None or seed is None or raw is None:
            self._context.add(
                "I9", "document", key, "body, intake or seed", "what was committed to", "cannot be read"
            )
            return
        if _root(what, seed) != statement.commit.root and not self._changed_event(row, rows):
            try:
                check_form(seed)
            except LedgerError:
                pass  # the audit of seeds has named it
            else:
                column, must = "intake, sha256 or seed", "what its entry committed to"
                self._context.add("I9", "document", key, column, must, "other")
        self._beside(row, rows, key, entry, raw)

    def _waiting(self, row: Row[Any], n: int) -> None:
        """Of a document that is being applied, the events that have no rows yet wait in the inbox, all of them."""
        waiting = pending.of(self._connection).get(row.doc_id)
        there = set() if waiting is None else pending.bodies(self._connection, waiting).keys()
        must = set() if waiting is None else set(range(waiting.mark, n))
        for number in sorted(must ^ there):
            expected, found = ("a row", "no row") if number in must else ("no row", "a row")
            key = f"{row.doc_id} (entry {row.idx}), record {number}"
            self._context.add("I9", "inbox_event", key, "ev_no", expected, found)

    def _gone_with_it(self, row: Row[Any], own: int, n: int) -> bool:
        """Whether the document was erased as a whole by a redaction that says so (which `app.redaction.audit` checks),
        and what it repeated was signed before: then no row says what that was."""
        parts = self._vault.parts(self._connection, row.idx)
        erased = any(each.path == WHOLE and each.erased_idx is not None for each in parts)
        query = select(endorsement.c.ev_no).where(endorsement.c.idx == row.idx)
        endorsed = self._connection.execute(query).scalars().all()
        return erased and own + len(endorsed) < n and all(number < n for number in endorsed)

    def _raw(self, row: Row[Any], key: str) -> bytes | None:
        try:
            stored = records.raw_document(bytes(row.raw))
            raw, whole = self._vault.raw(self._connection, row.idx, stored)
        except LedgerError:
            self._context.add("I9", "document", key, "raw", "a packed document", short(bytes(row.raw)))
            return None
        # Of a document of which something was erased the digest is of what is stored (docs/formats/redaction.md).
        found = sha256(raw if whole else stored).digest()
        if found != bytes(row.sha256):
            self._context.add("I9", "document", key, "raw or sha256", short(bytes(row.sha256)), short(found))
        return raw

    def _changed_event(self, row: Row[Any], rows: Sequence[Row[Any]]) -> bool:
        """Whether an event's body is not what the raw document says; the first one is named.

        Erased values are placeholders in both, and an id that was derived from them before is the one kept with them.
        """
        try:
            stands = records.raw_document(bytes(row.raw))
            expected = self._vault.records(self._connection, row.idx, stands) or []
        except (LedgerError, DocumentError):
            return False
        for each in rows:
            try:
                stored = unpack_fields(bytes(each.body))
                stored = self._vault.fields(self._connection, row.idx, each.ev_no, stored)
            except LedgerError:
                continue
            if 0 <= each.ev_no < len(expected) and stored != expected[each.ev_no]:
                changed = [f.path for f in stored if f not in expected[each.ev_no]] or ["a field is gone"]
                self._context.add(
                    "I9", "event", str(each.seq), f"body ({changed[0]})", "what was committed to", "other"
                )
                return True
        return False

    def _names_of(self, doc_id: int) -> dict[int, set[tuple[str, int]]]:
        """What the index of names has for the events of a document: (canonical EPC, role) by the event's number."""
        joined = event_epc.join(event, event.c.seq == event_epc.c.seq)
        query = select(event_epc.c.seq, event_epc.c.item_id, event_epc.c.role).select_from(joined)
        stored = self._connection.execute(query.where(event.c.doc_id == doc_id)).all()
        keys = custody.keys_of(self._connection, sorted({row.item_id for row in stored}))
        found: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for row in stored:
            found[row.seq].add((keys.get(row.item_id, f"item {row.item_id}"), row.role))
        return found

    def _event(self, doc: Row[Any], row: Row[Any], filling: Filling, names: set[tuple[str, int]]) -> None:
        """Compare every column of an event with its body."""
        key = str(row.seq)
        try:
            fields = filling(row.ev_no, unpack_fields(bytes(row.body)))
            each = event_of(fields)
        except StoredEventDamaged as error:
            self._context.add("I9", "event", key, "body", "an event", error.message)
            return
        expected = {
            "idx": doc.idx,
            "by_id": doc.by_id,
            "event_id": each.id,
            "declared_at": to_micros(each.declaration.time) if each.declaration else 0,
            "digest": digest_of(fields),
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
                self._context.add("I9", "event", key, column, str(must), str(was))
        self._names(row, each, names)
        self._parties(row, each)

    def _names(self, row: Row[Any], each: Event, found: set[tuple[str, int]]) -> None:
        expected = set(roles_of(each))
        for epc, role in sorted(found ^ expected):
            must, was = ("no row", "a row") if (epc, role) in found else ("a row", "no row")
            self._context.add("I9", "event_epc", f"event {row.seq}, {epc}", "role", must, was)

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
                self._context.add("I9", "event", str(row.seq), column, str(must), str(was))

    def _beside(self, row: Row[Any], rows: Sequence[Row[Any]], key: str, entry: Entry, raw: bytes) -> None:
        """Columns of the document that follow from its entry and its raw bytes."""
        signed = entry.kind is Kind.CAPTURED
        if (bytes(row.signer) if row.signer is not None else None) != (
            entry.signatures[0].key if signed else None
        ):
            self._context.add("I9", "document", key, "signer", "the author of its entry", "other")
        if to_micros(row.received_at) // 1000 != entry.received_ms:
            self._context.add(
                "I9", "document", key, "received_at", str(entry.received_ms), str(row.received_at)
            )
        by = partners.glns(self._connection, [row.by_id]).get(row.by_id)
        intake = json.loads(row.intake)
        keys = devices.keys(self._connection, [s.key for s in entry.signatures])
        author = keys.get(entry.signatures[0].key)
        vouching = (author.party_gln if author else None) if signed else intake.get("onBehalfOf")
        if by != vouching:
            self._context.add("I9", "document", key, "by_id", str(vouching), str(by))
        if row.channel != ("signed" if signed else intake.get("channel")):
            self._context.add(
                "I9", "document", key, "channel", str(intake.get("channel", "signed")), row.channel
            )
        if not raw:
            return  # erased as a whole: app.redaction.audit asks for the redaction that says so
        try:
            parsed = read(raw, None, UNBOUNDED)
            events = self._vault.events(self._connection, row.idx, raw)
        except DocumentError as error:
            self._context.add("I9", "document", key, "raw", "a document that can be read", str(error))
            return
        waiting = pending.of(self._connection).get(row.doc_id)
        if waiting is not None:
            events = events[: waiting.mark]  # the others have no rows yet
        refers = referred(entry.statement, self._context.reader.find_leaf)
        self.missing(presence.records(self._connection, row, rows, events, refers))
        if row.form != parsed.form.value:
            self._context.add("I9", "document", key, "form", parsed.form.value, row.form)
        affirmed = parsed.statement
        if row.statement_affirmed != (affirmed.affirmed if affirmed else None):
            self._context.add(
                "I9",
                "document",
                key,
                "statement_affirmed",
                "as the document says",
                str(row.statement_affirmed),
            )


def _root(what: records.Committed, seed: bytes) -> bytes | None:
    """What these bytes give; None where the seed is damaged, is for another number of fields, or these have no root."""
    try:
        return commit(what.document_digest, what.intake, what.records, seed)
    except LedgerError:
        return None
