"""Late acts: what a key signed is not thrown away because the key has ended. It is parked, in view, outside custody.

An `audit` entry by the node's intake key commits to what came, from which key and why it does not count, so that nobody
can say later that it never came. A person of the party then adopts it, by a capture of the same document that a valid
key signs and that refers to the audit entry's leaf; or rejects it, by a signed void-seq that gives its number up. The
same act again gets the same answer.
"""

import hashlib
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from app.devices import chains
from app.devices import service as devices
from app.devices.models import chain_link, parked
from app.devices.registry import Run
from app.errors import AppError, Conflict, Invalid, NotFound, Refused
from app.partners import service as partners
from app.partners.models import party
from app.shared.clock import Clock
from ledger.errors import VerificationError
from ledger.log.entry import Kind
from ledger.signing.aside import Parked, open_void, sign_aside
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
_INDEX_BYTES = 8


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

        def write(connection: Connection, writer: SqlWriter) -> AppError:
            query = select(parked.c.idx).where(parked.c.statement == digest)
            index = connection.execute(query).scalar()
            if index is None:
                packed = zlib.compress(raw, 6)
                if not _has_room(connection, statement.author, len(packed)):
                    return ended
                intake = self.intake()
                made = sign_aside(
                    Parked(digest, ended.key, ended.why, ended.ended_idx), self.origin, [intake]
                )
                signatures = made.envelope.entry_signatures([load_verifier(intake.spki)])
                now = self.clock.now()
                received_ms = to_micros(now) // 1000
                draft = Draft(Kind.AUDIT, received_ms, made.envelope.statement, signatures, made.seed)
                [entry] = writer.append([draft])
                index = entry.index
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
                        document=packed,
                        content_type=content_type,
                        parked_at=now,
                    )
                )
            return _answer(_acts(connection, writer, parked.c.idx == index)[0], ended)

        answer: AppError = self.run(write)
        return answer

    def acts(self, gln: str) -> list[ParkedAct]:
        """Every act of the party's keys that was ever parked, in the order in which they came."""
        with self.database.reading() as connection:
            reader = SqlWriter(connection, self.origin)
            return _acts(connection, reader, _of(gln))

    def document(self, gln: str, leaf: bytes) -> tuple[bytes, str]:
        """The document of the party's act that is parked at this leaf, as it came, and its content type."""
        with self.database.reading() as connection:
            index = SqlWriter(connection, self.origin).find_leaf(leaf)
            row = None
            if index is not None:
                row = connection.execute(select(parked).where(parked.c.idx == index, _of(gln))).one_or_none()
        if row is None:
            raise NotFound("No such parked act", "There is none with this leaf, or none of yours.")
        if (erased := erased_by(row)) is not None:
            raise NotFound("This document was erased", f"The redaction at entry {erased} says why.")
        return zlib.decompress(bytes(row.document)), row.content_type

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


def forget(connection: Connection, event_id: str, indexes: Collection[int], redaction: int) -> int:
    """Erase the documents of parked acts that hold this event, or whose act stands at one of `indexes` now; how many.

    A parked document lies in clear, as it came: what is erased of an event must not stay there. The redaction's index
    takes its place, and nothing its seed's. The act itself stays, and can only be given up if it was open.
    """
    taken = select(chain_link.c.adopts).where(chain_link.c.idx.in_(indexes), chain_link.c.adopts.is_not(None))
    same = select(chain_link.c.statement).where(chain_link.c.idx.in_(indexes))
    closed = set(
        connection.execute(
            select(parked.c.idx).where(parked.c.idx.in_(taken) | parked.c.statement.in_(same))
        ).scalars()
    )
    rows = connection.execute(select(parked.c.idx, parked.c.seed, parked.c.document).order_by(parked.c.idx))
    gone = [
        row.idx
        for row in rows
        if erased_by(row) is None
        and (row.idx in closed or event_id.encode() in zlib.decompress(bytes(row.document)))
    ]
    for index in gone:
        connection.execute(
            update(parked)
            .where(parked.c.idx == index)
            .values(document=redaction.to_bytes(_INDEX_BYTES, "big", signed=True), seed=b"")
        )
    return len(gone)


def erased_by(row: Row[Any]) -> int | None:
    """The index of the redaction that erased the document of this row of `parked`; None where it is kept."""
    document = bytes(row.document)
    return None if row.seed or len(document) != _INDEX_BYTES else int.from_bytes(document, "big", signed=True)


def _has_room(connection: Connection, thumbprint: bytes, more: int) -> bool:
    """Whether a document of so many bytes more of this key may be kept."""
    kept = func.coalesce(func.sum(func.length(parked.c.document)), 0)
    query = select(func.count(), kept).where(parked.c.thumbprint == thumbprint)
    count, size = connection.execute(query).one()
    return bool(count < MOST_PARKED and size + more <= MOST_PARKED_BYTES)


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
