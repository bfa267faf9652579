"""Every placeholder has what it stands for, or a redaction that says that it was erased; and what was erased is gone.

That opened values are what was committed to, the audit of documents shows: they are in the root.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, select

from app.erasable.models import erasable, redaction
from app.erasable.vault import Kept, Vault, wraps_of
from app.events import records
from app.events.models import document, event
from app.redaction.rules import RedactionRecord
from app.redaction.service import erased_slots
from app.shared.auditing import AuditContext
from ledger.custody.stored import unpack_fields
from ledger.errors import LedgerError
from ledger.log.entry import Kind
from ledger.signing.commitment import HiddenLeaf, commit
from ledger.signing.statement import Statement
from ledger.store.sql import tables
from ledger.store.sql.types import to_micros

_RESTS = "what an event or a document says beside what is regulated; nothing that was signed"
_KIND_AT = 4


def check(context: AuditContext) -> None:
    """The tables `erasable`, `redaction` and `wrap`, and the rings outside the database."""
    audit = _Audit(context)
    audit.redactions()
    audit.parts()
    audit.rings()


class _Audit:
    def __init__(self, context: AuditContext) -> None:
        self._context = context
        self._connection = context.connection
        self._vault = Vault.at(context.data_dir, context.origin)

    def _add(self, table: str, key: str, column: str, expected: str, found: str) -> None:
        self._context.add("I9", table, key, column, expected, found, _RESTS)

    # What is kept.

    def parts(self) -> None:
        """Each entry's parts, one entry in memory."""
        total = self._connection.execute(select(func.count()).select_from(erasable)).scalar_one()
        done = 0
        for index, group in groupby(_all_parts(self._connection), key=lambda row: int(row.idx)):
            rows = list(group)
            self._context.counts["erasable values"] += len(rows)
            self._entry_parts(index, rows)
            done += len(rows)
            self._context.tell("erasable values", done, total)
        self._placeholders()
        known = select(erasable.c.idx).distinct()
        strays = select(tables.wrap.c.idx).where(tables.wrap.c.idx.not_in(known))
        for index in self._connection.execute(strays).scalars():
            self._add("wrap", str(index), "idx", "an entry with erasable values", "none")

    def _entry_parts(self, index: int, rows: Sequence[Row[Any]]) -> None:
        if self._context.entry(index) is None:
            self._add("erasable", f"entry {index}", "idx", "an entry", "none")
            return
        _, wraps = wraps_of(self._connection, self._context.reader.ledger_id, index)
        if [row.part for row in rows] != list(range(len(wraps))):
            self._add("erasable", f"entry {index}", "part", f"{len(wraps)} parts from 0", "others")
        kept = {each.part: each for each in self._vault.parts(self._connection, index)}
        events = {
            row.ev_no: row
            for row in self._connection.execute(
                select(event.c.ev_no, event.c.event_id, event.c.body).where(event.c.idx == index)
            )
        }
        told = self._told(index)
        for row in rows:
            key = f"entry {index}, part {row.part}"
            self._part(key, row, kept[row.part], told)
            self._place(key, row, events)

    def _told(self, index: int) -> set[tuple[int, str]]:
        """(redaction's entry, path) of everything that redactions say they erased of the entry at `index`."""
        query = select(redaction.c.idx, redaction.c.fields).where(redaction.c.about == index)
        return {(row.idx, path) for row in self._connection.execute(query) for path in _paths(row.fields)}

    def _part(self, key: str, row: Row[Any], kept: Kept, told: set[tuple[int, str]]) -> None:
        if row.erased_idx is None:
            if kept.spans is None:
                missing = "does not open: its key is not in the ring, and no redaction says so"
                self._add("erasable", key, "data or path", "a value that opens with its key", missing)
            return
        if row.data is not None:
            self._add("erasable", key, "data", f"nothing: erased by entry {row.erased_idx}", "a value")
        if (row.erased_idx, row.path) not in told:
            self._add("erasable", key, "erased_idx", "a redaction that says so", str(row.erased_idx))

    def _place(self, key: str, row: Row[Any], events: Mapping[int, Row[Any]]) -> None:
        """A field's part names the event and the field whose placeholder it stands for."""
        head, _, path = row.path.partition("/")
        number = None if row.path.startswith("document") or not head[1:].isdecimal() else int(head[1:])
        if row.ev_no != number:
            self._add("erasable", key, "ev_no", str(number), str(row.ev_no))
            return
        stands = None if number is None else events.get(number)
        if number is None:
            if row.leaf is not None or row.event_id is not None:
                self._add("erasable", key, "leaf, event_id", "none: it is of the document", "a value")
        elif stands is not None:
            if row.event_id != stands.event_id:
                self._add("erasable", key, "event_id", stands.event_id, str(row.event_id))
            try:
                fields = {field.path: field for field in unpack_fields(bytes(stands.body))}
            except LedgerError:
                return
            found = fields.get(path)
            leaf = None if row.leaf is None else bytes(row.leaf)
            if not isinstance(found, HiddenLeaf) or found.hash != leaf:
                self._add("erasable", key, "leaf or path", "its event's placeholder", "another")
        elif row.event_id is None or row.leaf is None:
            self._add("erasable", key, "leaf, event_id", "those of its event", "none")

    def _placeholders(self) -> None:
        """Placeholders without a part."""
        for index, group in groupby(_all_parts(self._connection), key=lambda row: int(row.idx)):
            paths = {row.path for row in group}
            query = select(event.c.seq, event.c.ev_no, event.c.body).where(event.c.idx == index)
            for row in self._connection.execute(query):
                for field in _fields(bytes(row.body)):
                    if isinstance(field, HiddenLeaf) and f"e{row.ev_no}/{field.path}" not in paths:
                        self._add(
                            "erasable", f"entry {index}", "path", f"e{row.ev_no}/{field.path}", "no row"
                        )

    # What was erased.

    def redactions(self) -> None:
        """Each redaction's row is what its entry committed to, and each such entry has its row."""
        for row in self._connection.execute(select(redaction).order_by(redaction.c.idx)).all():
            self._context.counts["redactions"] += 1
            self._redaction(row)
        latest = select(func.max(redaction.c.idx)).group_by(redaction.c.about)
        query = (
            select(redaction.c.idx, redaction.c.remaining, document.c.raw)
            .join(document, document.c.idx == redaction.c.about)
            .where(redaction.c.idx.in_(latest))
        )
        for row in self._connection.execute(query):
            try:
                stored = records.raw_document(bytes(row.raw))
            except LedgerError:
                continue  # the audit of documents names it
            if sha256(stored).digest() != bytes(row.remaining):
                self._add("document", f"redacted by entry {row.idx}", "raw", "what was left of it", "other")
        begins = func.substr(tables.entry.c.body, 1, _KIND_AT + 1)
        bare = (
            select(tables.entry.c.idx, begins)
            .outerjoin(redaction, redaction.c.idx == tables.entry.c.idx)
            .where(redaction.c.idx.is_(None))
        )
        for index, beginning in self._connection.execute(bare):
            if bytes(beginning)[_KIND_AT] == Kind.REDACTION:
                self._add("redaction", f"entry {index}", "idx", "the record that it committed to", "no row")

    def _redaction(self, row: Row[Any]) -> None:
        key = f"entry {row.idx}"
        entry = self._context.entry(row.idx)
        if entry is None or entry.kind is not Kind.REDACTION:
            self._add("redaction", key, "idx", "a redaction's entry", "none")
            return
        said = RedactionRecord(_paths(row.fields), row.basis, row.by_account, bytes(row.remaining))
        statement = Statement.parse(entry.statement)
        if self._root(row.idx, said) != statement.commit.root:
            self._add("redaction", key, "fields, basis, by or remaining", "what its entry says", "other")
        if statement.refs != (self._leaf(row.about),):
            self._add("redaction", key, "about", "the entry that it refers to", str(row.about))
        if to_micros(row.at) // 1000 != entry.received_ms:
            self._add("redaction", key, "at", str(entry.received_ms), str(row.at))
        query = select(erasable.c.path).where(erasable.c.erased_idx == row.idx)
        if set(self._connection.execute(query).scalars()) != set(said.fields):
            self._add("erasable", key, "erased_idx", ", ".join(said.fields), "others")

    def _root(self, index: int, said: RedactionRecord) -> bytes | None:
        """What the record gives with the seed that is kept; None where there is none, or none that can be used."""
        seed = self._context.reader.seed(index)
        if seed is None or not said.fields:
            return None
        try:
            return commit(said.document_digest(), [], [said.record()], seed)
        except LedgerError:
            return None

    def _leaf(self, index: int) -> bytes:
        try:
            return self._context.reader.leaf(index)
        except LedgerError:
            return b""

    def rings(self) -> None:
        """What was erased can be opened by no key any more."""
        for ring, slot in erased_slots(self._connection, self._context.origin):
            if self._vault.rings.holds(ring, slot):
                told = "the key of what was erased is still there: packproof redact --finish takes it out"
                self._add("ring", f"{ring}, slot {slot:016x}", "-", "no key", told)


def _all_parts(connection: Connection) -> Iterator[Row[Any]]:
    """All parts by entry, a page at a time."""
    page = select(erasable).order_by(erasable.c.idx, erasable.c.part).limit(500)
    rows = connection.execute(page).all()
    while rows:
        yield from rows
        last = rows[-1]
        after = (erasable.c.idx > last.idx) | ((erasable.c.idx == last.idx) & (erasable.c.part > last.part))
        rows = connection.execute(page.where(after)).all()


def _paths(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _fields(body: bytes) -> list[Any]:
    try:
        return list(unpack_fields(body))
    except LedgerError:
        return []
