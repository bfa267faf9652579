"""What erasing writes, inside the ledger's transaction: a redaction's entry for each entry of which something goes.

Ciphertext and wrapped key go. The seed goes, and the other leaves' salts stay with the erased leaves' hashes. The
digests that would let anybody test a guess go too: of the document (its leaf in the commitment becomes a hash, its row
has the digest of what is stored) and of the event (its row has the digest of what is left of it).
"""

import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select, update

from app.devices import parked_document
from app.erasable import sealing, spans
from app.erasable.models import erasable, redaction
from app.erasable.parts import NO_WRAP, WHOLE
from app.erasable.vault import Vault, digest_of, fields_json, keep, wrap_row, wraps_of
from app.events import records
from app.events.models import document, event
from app.partners import service as partners
from app.redaction.rules import RedactionRecord
from app.shared.clock import Clock
from ledger.custody.stored import pack_fields, unpack_fields
from ledger.epcis.read import read
from ledger.log.entry import Entry, Kind
from ledger.signing import remains
from ledger.signing.commitment import commit, leaf_commitment, leaf_count, leaf_numbers
from ledger.signing.envelope import sign
from ledger.signing.keys import Signer, load_verifier
from ledger.signing.statement import Commit, Statement
from ledger.store.port import Draft
from ledger.store.sql import tables
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter


@dataclass(frozen=True, slots=True)
class PartRow:
    """A row of `erasable`, as far as erasing needs it."""

    part: int
    path: str
    leaf: bytes | None
    data: bytes | None
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """A redaction's entry, and what it erased."""

    index: int
    paths: tuple[str, ...]


@dataclass
class Erasing:
    """One transaction's erasing. The head is locked."""

    connection: Connection
    writer: SqlWriter
    vault: Vault
    intake_key: Signer
    clock: Clock

    def erase(self, index: int, event_id: str, rows: Sequence[PartRow], basis: str, by: str) -> Done:
        """Erase these parts of the entry at `index`, and append the entry that says so."""
        paths = tuple(sorted(row.path for row in rows))
        doc = self.connection.execute(select(document).where(document.c.idx == index)).one()
        stored = b"" if WHOLE in paths else records.raw_document(bytes(doc.raw))
        self._seed(index, bytes(doc.sha256), rows)
        said = RedactionRecord(paths, basis, by, remains_digest(stored))
        now = self.clock.now()  # asked once: the audit holds the row to the entry
        number = self._append(index, said, now)
        self._parts(index, rows, number)
        self.connection.execute(
            update(document)
            .where(document.c.idx == index)
            .values(raw=zlib.compress(stored, 6), sha256=said.remaining)
        )
        self._digests(index, event_id)
        self._row(number, index, said, now)
        return Done(number, paths)

    def erase_parked(self, index: int, rows: Sequence[PartRow], basis: str, by: str) -> Done:
        """Erase the document of the act that is parked at `index`, of which these are all the parts that are left.

        Its seed goes with it: nothing of the document is left that salts could open.
        """
        paths = tuple(sorted(row.path for row in rows))
        said = RedactionRecord(paths, basis, by, remains_digest(b""))
        now = self.clock.now()
        number = self._append(index, said, now)
        self._parts(index, rows, number)
        parked_document.erase(self.connection, index, number)
        self._row(number, index, said, now)
        return Done(number, paths)

    def _row(self, number: int, about: int, said: RedactionRecord, at: datetime) -> None:
        self.connection.execute(
            insert(redaction).values(
                idx=number,
                about=about,
                fields=fields_json(said.fields),
                basis=said.basis,
                by_account=said.by,
                remaining=said.remaining,
                at=at,
            )
        )

    def _seed(self, index: int, document_digest: bytes, rows: Sequence[PartRow]) -> None:
        seed = self.writer.seed(index)
        n = Statement.parse(Entry.decode(self.writer.entry(index)).statement).commit.n
        what = records.committed(self.connection, index, n, self.vault)
        mine = (tables.seed.c.ledger == self.writer.ledger_id) & (tables.seed.c.idx == index)
        if seed is None or what is None:
            # Nothing can be proven of this entry any more, so no salt is kept to test a guess with.
            self.connection.execute(delete(tables.seed).where(mine))
            return
        count = leaf_count(len(what.intake), what.records)
        numbers = leaf_numbers(len(what.intake), what.records)
        opened = remains.openings(seed, count)
        erased = {numbers[row.path]: bytes(row.leaf) for row in rows if row.leaf is not None}
        if len(opened[0]) == remains.SALT_BYTES:
            erased[0] = leaf_commitment("document", opened[0], document_digest)
        left = remains.erase(seed, count, erased) if erased else seed
        self.connection.execute(update(tables.seed).where(mine).values(seed=left))

    def _append(self, index: int, said: RedactionRecord, now: datetime) -> int:
        seed = secrets.token_bytes(remains.SEED_BYTES)
        root = commit(said.document_digest(), [], [said.record()], seed)
        statement = Statement.new(
            self.vault.origin,
            self.intake_key.thumbprint,
            Kind.REDACTION,
            Commit(root, 1),
            refs=(self.writer.leaf(index),),
        )
        envelope = sign(statement.encode(), [self.intake_key])
        signatures = envelope.entry_signatures([load_verifier(self.intake_key.spki)])
        received_ms = to_micros(now) // 1000
        [entry] = self.writer.append(
            [Draft(Kind.REDACTION, received_ms, envelope.statement, signatures, seed)]
        )
        return entry.index

    def _parts(self, index: int, rows: Sequence[PartRow], number: int) -> None:
        gone = [row.part for row in rows]
        self.connection.execute(
            update(erasable)
            .where(erasable.c.idx == index, erasable.c.part.in_(gone))
            .values(data=None, erased_idx=number)
        )
        ring, wraps = wraps_of(self.connection, self.writer.ledger_id, index)
        left = [NO_WRAP if part in gone else each for part, each in enumerate(wraps)]
        self.connection.execute(
            update(tables.wrap)
            .where(tables.wrap.c.ledger == self.writer.ledger_id, tables.wrap.c.idx == index)
            .values(key=wrap_row(ring, left))
        )

    def _digests(self, index: int, event_id: str) -> None:
        query = select(event.c.seq, event.c.ev_no, event.c.body).where(
            event.c.idx == index, event.c.event_id == event_id
        )
        for row in self.connection.execute(query).all():
            fields = self.vault.fields(self.connection, index, row.ev_no, unpack_fields(bytes(row.body)))
            self.connection.execute(
                update(event).where(event.c.seq == row.seq).values(digest=digest_of(fields))
            )


def remains_digest(stored: bytes) -> bytes:
    """SHA-256 of a raw document as it is stored."""
    return sha256(stored).digest()


def unsealed(connection: Connection, origin: str, index: int) -> sealing.Open | None:
    """The parts of an entry that was captured before values were encrypted; None for any other."""
    doc = connection.execute(select(document).where(document.c.idx == index)).one_or_none()
    known = connection.execute(select(erasable.c.part).where(erasable.c.idx == index).limit(1)).first()
    if doc is None or known is not None:
        return None
    raw = records.raw_document(bytes(doc.raw))
    read_again = read(raw, None, spans.UNBOUNDED)
    seed = SqlReader(connection, origin).seed(index)
    if seed is None or not spans.may_have_any(raw, read_again):
        return None
    fields = [each.fields() for each in read_again.events]
    ids = [each.id for each in read_again.events]
    return sealing.take_out(raw, read_again, fields, ids, seed, len(json.loads(doc.intake)))


def encrypt_old(connection: Connection, vault: Vault, index: int, opened: sealing.Open) -> None:
    """Put placeholders into a document and its events, and keep their values encrypted."""
    doc = connection.execute(select(document).where(document.c.idx == index)).one()
    reader = SqlReader(connection, vault.origin)
    statement = Entry.decode(reader.entry(index)).statement
    gln = partners.glns(connection, [doc.by_id])[doc.by_id]
    ring = sealing.ring_of(gln, doc.received_at)
    locked = sealing.lock(opened.parts, vault.rings, ring, vault.origin, statement)
    keep(connection, reader.ledger_id, index, locked)
    packed = zlib.compress(opened.raw, 6)
    connection.execute(update(document).where(document.c.idx == index).values(raw=packed))
    rows = connection.execute(select(event.c.seq, event.c.ev_no).where(event.c.doc_id == doc.doc_id)).all()
    for row in rows:
        body = pack_fields(opened.records[row.ev_no])
        connection.execute(update(event).where(event.c.seq == row.seq).values(body=body))
