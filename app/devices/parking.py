"""Late acts: what a key signed is not thrown away because the key has ended. It is parked, in view, outside custody.

An `audit` entry by the node's intake key commits to what came, from which key and why it does not count, so that nobody
can say later that it never came. A person of the party then adopts it, by a capture of the same document that a valid
key signs and that refers to the audit entry's leaf; or rejects it, by a signed void-seq that gives its number up. The
same act again gets the same answer. Its document is kept as `app.devices.parked_document` says.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select
from sqlalchemy.exc import DBAPIError

from app.devices import chains
from app.devices import parked_document as kept
from app.devices import service as devices
from app.devices.models import chain_link, parked
from app.devices.registry import Run
from app.erasable.sealing import Locked, ring_of
from app.erasable.vault import Vault
from app.erasable.vault import keep as keep_parts
from app.errors import AppError, Conflict, Invalid, NotFound, Refused
from app.partners import service as partners
from app.partners.models import party
from app.shared.clock import Clock
from ledger.errors import VerificationError
from ledger.log.entry import Kind
from ledger.signing.aside import Parked, SignedAside, open_void, sign_aside
from ledger.signing.chain import link_of
from ledger.signing.envelope import Envelope, verify
from ledger.signing.keys import Signer, load_verifier
from ledger.signing.statement import Statement
from ledger.store.port import Draft
from ledger.store.sql.engine import Database
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

MOST_PARKED = 1000
MOST_PARKED_BYTES = 64 * 1024 * 1024
"""Acts of one key, and what their documents take as they are kept: who has stolen one must not fill the disk."""


@dataclass(frozen=True, slots=True)
class ParkedAct:
    """A parked act as its party sees it. `state`: open, adopted, rejected, or recorded after its key came back."""

    index: int
    leaf: str
    statement: str
    key: str
    label: str
    why: str
    ended: int
    stream: str
    seq: int
    content_type: str
    parked_at: datetime
    state: str
    closed: int | None


@dataclass
class Parking:
    """Parks, lists and gives up. One a process; `run` is the committer's, `intake` gives the node's intake key."""

    database: Database
    origin: str
    clock: Clock
    run: Run
    intake: Callable[[], Signer]
    vault: Vault

    def park(
        self, by: str, envelope: bytes, seed: bytes, raw: bytes, content_type: str, ended: devices.KeyEnded
    ) -> AppError:
        """Keep what the ended key signed for the party `by`; the answer that says so. It was verified before.

        Gives the refusal `ended` itself where the key has filled its room.
        """
        opened = Envelope.parse(envelope)
        statement = Statement.parse(opened.statement)
        digest = hashlib.sha256(opened.statement).digest()
        assert statement.chain is not None  # captures have one
        chain = statement.chain

        record = Parked(digest, ended.key, ended.why, ended.ended_idx)

        def prepare() -> _Ready:
            intake = self.intake()
            made = sign_aside(record, self.origin, [intake])
            found = kept.opened(raw, content_type, seed)
            locked = kept.lock(found, self.vault, ring_of(by, self.clock.now()), made.envelope.statement)
            return _Ready(intake, made, locked, kept.pack(raw, found.raw))

        new, room = self._looked(digest, statement.author)
        if new and not room:
            return ended
        # Not under the ledger's lock: a long document has hundreds of thousands of values.
        ready = prepare() if new else None

        def write(connection: Connection, writer: SqlWriter) -> AppError:
            index = _index(connection, digest)
            if index is None:
                done = ready
                if done is None or done.intake.thumbprint != self.intake().thumbprint:
                    done = prepare()
                if not _has_room(connection, statement.author, kept.size_of(done.packed, done.locked)):
                    return ended
                made, now = done.made, self.clock.now()
                [entry] = writer.append([done.draft(now)])
                index = entry.index
                keep_parts(connection, writer.ledger_id, index, done.locked)
                connection.execute(
                    insert(parked).values(
                        idx=index,
                        statement=digest,
                        thumbprint=statement.author,
                        party_id=partners.ids(connection, self.clock, {by: ""})[by],
                        stream=chain.stream,
                        seq=chain.seq,
                        record=made.document,
                        envelope=envelope,
                        seed=seed,
                        document=done.packed,
                        content_type=content_type,
                        parked_at=now,
                    )
                )
            return _answer(_acts(connection, writer, parked.c.idx == index)[0], ended)

        answer: AppError = self.run(write)
        return answer

    def _looked(self, statement: bytes, author: bytes) -> tuple[bool, bool]:
        """Whether this statement was not parked yet, and whether its key has any room."""
        try:
            with self.database.reading() as connection:
                return _index(connection, statement) is None, _has_room(connection, author, 1)
        except DBAPIError:
            return False, True  # whoever writes says why it cannot be had

    def acts(self, gln: str) -> list[ParkedAct]:
        """Every act of the party's keys that was ever parked, in the order in which they came."""
        with self.database.reading() as connection:
            reader = SqlWriter(connection, self.origin)
            return _acts(connection, reader, _of(gln))

    def document(self, gln: str, leaf: bytes) -> tuple[bytes, str]:
        """The document of the party's act that is parked at this leaf, as it came, and its content type."""
        raw: bytes | None = None
        with self.database.snapshot() as connection:
            index = SqlWriter(connection, self.origin).find_leaf(leaf)
            row = None
            if index is not None:
                row = connection.execute(select(parked).where(parked.c.idx == index, _of(gln))).one_or_none()
            if row is not None and kept.erased_by(row) is None:
                raw = kept.whole(connection, self.vault, row)
        if row is None:
            raise NotFound("No such parked act", "There is none with this leaf, or none of yours.")
        if (erased := kept.erased_by(row)) is not None:
            raise NotFound("This document was erased", f"The redaction at entry {erased} says why.")
        if raw is None:
            raise AppError(
                "parked.locked",
                503,
                "This document cannot be opened",
                "The key that a part of it is encrypted under is not in its ring.",
                "Whoever runs the node puts the folder wraps back from where it is kept safe; packproof fsck names it.",
            )
        return raw, row.content_type

    def give_up(self, envelope: bytes, document: bytes, seed: bytes) -> dict[str, Any]:
        """Record a signed void-seq: its index and leaf, and the number it gives up. The same again, the same answer.

        Raises `Invalid` for one that cannot be read or does not verify, `Refused` for a key that may not, `Conflict`
        where the number stands.
        """
        try:
            opened = Envelope.parse(envelope)
            void, statement = open_void(opened, document, seed, self.origin)
        except VerificationError as error:
            raise Invalid("void.malformed", "The void-seq cannot be read", str(error)) from error

        def write(connection: Connection, writer: SqlWriter) -> dict[str, Any]:
            index = writer.lock().size
            by, verifiers = devices.signer_of(connection, statement, [s.key for s in opened.signatures])
            try:
                verify(opened, verifiers)
            except VerificationError as error:
                raise Invalid("envelope.signature", "A signature does not verify", str(error)) from error
            known = writer.find_statement(opened.statement)
            if known is None:
                signatures = opened.entry_signatures(verifiers)
                devices.require_valid(connection, signatures, index)
                self._may_give_up(connection, void.stream, void.seq, by)
                received_ms = to_micros(self.clock.now()) // 1000
                draft = Draft(Kind.VOID_SEQ, received_ms, opened.statement, signatures, seed)
                [entry] = writer.append([draft])
                link = link_of(entry)
                assert link is not None  # a void-seq has a chain
                chains.keep(connection, link, void=document)
                known = entry.index
            return {
                "index": known,
                "leaf": writer.leaf(known).hex(),
                "by": by,
                "stream": void.stream.hex(),
                "seq": void.seq,
            }

        answer: dict[str, Any] = self.run(write)
        return answer

    def _may_give_up(self, connection: Connection, stream: bytes, seq: int, by: str) -> None:
        here = select(chain_link.c.thumbprint, chain_link.c.seq).where(chain_link.c.stream == stream)
        taken = here.where(chain_link.c.seq == seq).limit(1)
        if connection.execute(taken).first() is not None:
            raise Conflict("chain.taken", "This number of the device stands already", f"number {seq}")
        # Whose stream it is says who began it: anybody may have written into it since.
        owners = {
            bytes(row.thumbprint) for row in connection.execute(here.order_by(chain_link.c.idx).limit(1))
        }
        late = select(parked.c.thumbprint).where(parked.c.stream == stream).limit(1)
        owners |= {bytes(row.thumbprint) for row in connection.execute(late)}
        if any(key.party_gln != by for key in devices.keys(connection, owners).values()):
            raise Refused("key.party", "This chain belongs to a key of another party")


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is written of an act that is parked, signed by `intake` and encrypted."""

    intake: Signer
    made: SignedAside
    locked: Locked | None
    packed: bytes

    def draft(self, now: datetime) -> Draft:
        """Its entry, which came `now`."""
        envelope = self.made.envelope
        signatures = envelope.entry_signatures([load_verifier(self.intake.spki)])
        return Draft(Kind.AUDIT, to_micros(now) // 1000, envelope.statement, signatures, self.made.seed)


def _index(connection: Connection, statement: bytes) -> int | None:
    return connection.execute(select(parked.c.idx).where(parked.c.statement == statement)).scalar()


def _has_room(connection: Connection, thumbprint: bytes, more: int) -> bool:
    """Whether a document of so many bytes more of this key may be kept."""
    count, size = kept.size_kept(connection, thumbprint)
    return count < MOST_PARKED and size + more <= MOST_PARKED_BYTES


def _of(gln: str) -> ColumnElement[bool]:
    return parked.c.party_id == select(party.c.party_id).where(party.c.gln == gln).scalar_subquery()


def _acts(connection: Connection, reader: SqlWriter, which: ColumnElement[bool]) -> list[ParkedAct]:
    adopting, same, void = chain_link.alias(), chain_link.alias(), chain_link.alias()
    given_up = and_(void.c.stream == parked.c.stream, void.c.seq == parked.c.seq, void.c.void.is_not(None))
    query = (
        select(
            parked,
            adopting.c.idx.label("adopted"),
            same.c.idx.label("recorded"),
            void.c.idx.label("rejected"),
        )
        .outerjoin(adopting, adopting.c.adopts == parked.c.idx)
        .outerjoin(same, and_(same.c.stream == parked.c.stream, same.c.statement == parked.c.statement))
        .outerjoin(void, given_up)
        .where(which)
        .order_by(parked.c.idx)
    )
    rows = connection.execute(query).all()
    keys = devices.keys(connection, {bytes(row.thumbprint) for row in rows})
    first: dict[int, ParkedAct] = {}
    for row in rows:
        first.setdefault(row.idx, _act(row, reader.leaf(row.idx), keys[bytes(row.thumbprint)].label))
    return list(first.values())


def _act(row: Row[Any], leaf: bytes, label: str) -> ParkedAct:
    record = Parked.parse(bytes(row.record))
    closings = (("adopted", row.adopted), ("recorded", row.recorded), ("rejected", row.rejected))
    state, closed = next(((word, at) for word, at in closings if at is not None), ("open", None))
    return ParkedAct(
        index=row.idx,
        leaf=leaf.hex(),
        statement=bytes(row.statement).hex(),
        key=bytes(row.thumbprint).hex(),
        label=label,
        why=record.why,
        ended=record.ended,
        stream=bytes(row.stream).hex(),
        seq=row.seq,
        content_type=row.content_type,
        parked_at=row.parked_at,
        state=state,
        closed=closed,
    )


def _answer(act: ParkedAct, ended: devices.KeyEnded) -> AppError:
    return AppError(
        "capture.parked",
        409,
        f"{ended.title}: what it signed is parked",
        f"{ended.detail}; entry {act.index} says that it came. It changes nothing until a person adopts it",
        f"Adopt it with a valid key: packproof capture FILE --key FOLDER --node URL --adopt {act.leaf}. Or give it up: "
        "packproof key reject.",
        extra={
            "parked": {"index": act.index, "leaf": act.leaf, "statement": act.statement, "state": act.state}
        },
    )
