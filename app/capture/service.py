"""Capture: the one way in, for REST, file, scan and page; for what is unsigned and for what a party signed."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.capture import inbox, incomplete, jobs, prepare
from app.capture.committer import Committer
from app.capture.faults import Busy, told
from app.capture.inbox import Job, NewJob
from app.capture.known import declared_at, known_events
from app.capture.lookups import look_up
from app.capture.prepared import PreparedCapture, PreparedEvent, Receipt
from app.capture.sealing import seal
from app.capture.worker import Worker
from app.devices import service as devices
from app.devices.parking import Parking
from app.devices.service import KeyEnded
from app.errors import AppError
from app.node.service import Node
from app.partners import service as partners
from app.recalls import captured as recalls
from app.shared.actor import Actor
from app.shared.clock import Clock
from ledger.epcis.document import Document
from ledger.signing.statement import Statement
from ledger.signing.stream import CommitmentStream
from ledger.store.sql.engine import Database
from ledger.store.sql.writer import SqlWriter

First = Callable[[Connection], None]

_ONE_LONG = threading.Lock()


@dataclass
class Capture:
    """Takes documents in. One a process."""

    database: Database
    node: Node
    clock: Clock
    committer: Committer
    worker: Worker
    most_events: int  # of one transaction; a longer document waits in the inbox
    most_document_events: int
    most_bytes: int
    tolerance: timedelta
    parking: Parking

    def receive(
        self,
        raw: bytes,
        content_type: str | None,
        *,
        by: str,
        channel: str,
        actor: Actor,
        first: First | None = None,
    ) -> Receipt | Job:
        """Record an unsigned document on behalf of the party `by` (its GLN, or that of a site of its), as it came over
        `channel`. One of more than `most_events` events waits in the inbox, and its job is the answer.

        Raises `AppError`: the document cannot be used (400, 413, 415), an id stands with other content (409), or the
        node takes nothing in (503, 507). Then nothing of it is stored. `first` as `submit` takes it; not for long ones.
        """
        document = self._read(raw, content_type)
        with self._reading() as connection:
            by = partners.owners_of(connection, [by])[by]
        if document is None:
            intake = prepare.intake_of(by, channel, actor.for_ever, actor.session_id)
            return self._put(by, raw, content_type, channel=channel, intake=intake)
        return self.submit(
            prepare.receive(
                document=document,
                raw=raw,
                events=self.events(document, by),
                by=by,
                channel=channel,
                origin=self.node.origin,
                intake_key=self.node.intake_key,
                account=actor.for_ever,
                session=actor.session_id,
            ),
            first,
        )

    def take_signed(
        self, envelope: bytes, seed: bytes, raw: bytes, content_type: str | None
    ) -> Receipt | Job:
        """Record a document that a registered device or person signed. As `receive`; raises for signatures too."""
        opened, statement = prepare.open_envelope(envelope, self.node.origin)
        with self._reading() as connection:
            by, verifiers = devices.signer_of(connection, statement, [s.key for s in opened.signatures])
        # Before the document is read: nobody without a key makes the node parse anything large.
        statement = prepare.verified(opened, verifiers)
        document = self._read(raw, content_type)
        if document is None:
            prepare.check_seed(seed)
            try:
                # Asked again under the lock when it is applied; here, so that a late act is parked, long or not.
                with self._reading() as connection:
                    size = self.node.ledger.reader(connection).head().size
                    devices.require_valid(connection, opened.entry_signatures(verifiers), size)
            except KeyEnded as ended:
                self._check_long(raw, content_type, statement, seed)
                raise self._park(by, envelope, seed, raw, content_type, ended) from ended
            return self._put(
                by,
                raw,
                content_type,
                channel="signed",
                signer=opened.signatures[0].key,
                envelope=envelope,
                seed=seed,
            )
        prepared = prepare.signed(
            document=document,
            raw=raw,
            events=self.events(document, by),
            by=by,
            envelope=opened,
            statement=statement,
            seed=seed,
            verifiers=verifiers,
        )
        try:
            return self.submit(prepared)
        except KeyEnded as ended:
            raise self._park(by, envelope, seed, raw, content_type, ended) from ended

    def _park(
        self, by: str, envelope: bytes, seed: bytes, raw: bytes, content_type: str | None, ended: KeyEnded
    ) -> AppError:
        """Keep what an ended key signed; the answer that says so. Where the database cannot be had, it says that."""
        try:
            return self.parking.park(by, envelope, seed, raw, content_type or "", ended)
        except DBAPIError as error:
            raise told(error) from error

    def submit(self, capture: PreparedCapture, first: First | None = None) -> Receipt:
        """The seam itself: give a prepared capture its place; returns when it is durable.

        `first` is done before it in the same transaction, under the ledger's lock, and not again where the capture
        stands already: what it raises takes all of it back. So a command is held against what is true when it is
        recorded, and not when it was asked.
        """
        sealed = seal(capture, self.node.vault, self.clock.now())
        receipt = self._after(first, sealed) if first else self.committer.submit(sealed)
        if any(recalls.tells_of_recall(each.act.event) for each in capture.events) and not receipt.known:
            recalls.tell_soon(self.database, self.clock)
        return self._with_sales(capture, receipt)

    def _after(self, first: First, capture: PreparedCapture) -> Receipt:
        record = self.committer.writing(capture)

        def write(connection: Connection, writer: SqlWriter) -> Receipt:
            if not _stands(connection, capture):
                first(connection)
            return record(connection, writer)

        return self.committer.run(write, weight=len(capture.events))

    def _with_sales(self, capture: PreparedCapture, receipt: Receipt) -> Receipt:
        """The receipt, with what is missing for the transaction information of the sales in it."""
        sells = any(
            e.effective and e.act.moves_title and e.act.event.biz_step == "shipping" for e in capture.events
        )
        if not sells or receipt.known:
            return receipt
        numbers = [each.seq for each in receipt.events]
        try:
            missing = incomplete.look(self.database, self.clock, capture.by, receipt.index, numbers)
        except DBAPIError:
            return receipt  # it stands; what is missing is told whenever somebody asks
        return replace(receipt, findings=(*receipt.findings, *missing))

    def events(self, document: Document, by: str) -> tuple[PreparedEvent, ...]:
        """The document's events as the party `by` (GLN) reports them, its parties resolved."""
        with self._reading() as connection:
            lookups = look_up(connection, document, by)
        return prepare.prepare_events(document, by, lookups, self.clock.now(), self.tolerance)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Reads before the committer; where the database cannot be had, the answer says so."""
        try:
            with self.database.reading() as connection:
                yield connection
        except DBAPIError as error:
            raise told(error) from error

    def _read(self, raw: bytes, content_type: str | None) -> Document | None:
        """The document, or None for a long one: that it is too long for one transaction is seen before it is read,
        but where it hides it."""
        longest = self.most_document_events
        count = max(raw.count(b'"eventTime"'), raw.count(b"<eventTime"))
        if self.most_events < count <= longest:
            return None
        document = prepare.read_document(raw, content_type, longest, self.most_bytes)
        return document if len(document.events) <= self.most_events else None

    def _check_long(self, raw: bytes, content_type: str | None, statement: Statement, seed: bytes) -> None:
        """Raise `AppError` unless a long document can be read and is what was signed, as a short one's is checked:
        what is parked stays, and an audit holds it against its signature."""
        # Whoever holds an ended key may ask for this as often as the limits let him: one at a time, none waits.
        if not _ONE_LONG.acquire(blocking=False):
            raise Busy()
        try:
            document = prepare.read_document(raw, content_type, self.most_document_events, self.most_bytes)
            stream = CommitmentStream(hashlib.sha256(raw).digest(), (), seed)
            for each in document.events:
                stream.add(prepare.with_id(each).fields())
            prepare.check_root(statement, stream.root(), len(document.events))
        finally:
            _ONE_LONG.release()

    def _put(
        self,
        by: str,
        raw: bytes,
        content_type: str | None,
        *,
        channel: str,
        intake: dict[str, str] | None = None,
        signer: bytes | None = None,
        envelope: bytes | None = None,
        seed: bytes | None = None,
    ) -> Job:
        """Put a long document into the inbox; durable when this returns, and worked on from now on."""

        def write(connection: Connection, _writer: SqlWriter) -> Job:
            by_id = partners.ids(connection, self.clock, {by: ""})[by]
            digest = hashlib.sha256(raw).digest()
            new = NewJob(by_id, digest, signer, channel, intake or {}, envelope, seed, content_type, raw)
            return inbox.put(connection, new, self.clock.now())

        job = self.committer.run(write)
        if job.running:
            self.worker.kick()
        return job

    def job(self, job_id: str, *, by: str | None = None, signed: bool = False) -> dict[str, Any] | None:
        """A long document's job as data; None where there is none, or it is not of the party `by` (GLN), if given,
        or not `signed`, if that is asked for."""
        with self._reading() as connection:
            job = inbox.by_id(connection, job_id)
            if job is None or (signed and job.signer is None):
                return None
            if by is not None and partners.glns(connection, [job.by_id])[job.by_id] != by:
                return None
            answer = jobs.told(connection, self.node.ledger.reader(connection), job)
        if job.running:
            self.worker.kick()
        return answer


def _stands(connection: Connection, capture: PreparedCapture) -> bool:
    """Whether all of the capture's events stand: a commit of which nobody could tell has taken place."""
    party = partners.by_gln(connection, capture.by)
    keys = [(each.act.event.id, declared_at(each.act.event)) for each in capture.events]
    return party is not None and all(known_events(connection, party.party_id, keys))
