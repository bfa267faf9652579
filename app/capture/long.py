"""A long document's way in: validated whole, its entry committed, then applied by slices up to a mark.

1. **validate**: read, resolve parties, compute the commitment event by event; what will be stored of each event is
   written to `inbox_event` as it goes, so that of 100,000 events one copy is in memory, and none afterwards.
2. **commit**: under the ledger's lock, no event may stand with other content; then the entry over all events, the
   document's row and the mark are one transaction. From here on the document is in the ledger and cannot fail.
3. **apply**: slices of 1,000 events, each a transaction that moves the mark from where it began. After kill -9 the next
   process goes on from there; it needs no more than the rows.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.capture import inbox as queue
from app.capture import incomplete, prepare, sealing
from app.capture.committer import Committer
from app.capture.inbox import Job
from app.capture.known import (
    SIGNED_LATER,
    declared_at,
    known_events,
    refuse_other_content,
    same_document,
    standing,
    take_what_is_left_for_the_same,
)
from app.capture.lookups import look_up
from app.capture.prepared import PreparedCapture, PreparedEvent
from app.capture.recording import append_document, endorse, insert_events, project_events
from app.capture.rows import Rows
from app.devices import service as devices
from app.devices.parking import Parking
from app.devices.service import KeyEnded
from app.errors import AppError
from app.events import resolved
from app.events.models import document, event, inbox, inbox_event, inbox_name
from app.events.pending import APPLYING
from app.node.service import Node
from app.partners import service as partners
from app.products import service as products
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.custody.act import Act, gln_of
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.stored import event_of, unpack_fields
from ledger.epcis.document import Document
from ledger.log.entry import Kind
from ledger.signing.commitment import SEED_BYTES
from ledger.signing.envelope import sign
from ledger.signing.keys import load_verifier
from ledger.signing.statement import Commit, Statement
from ledger.signing.stream import CommitmentStream
from ledger.store.sql.engine import Database
from ledger.store.sql.writer import SqlWriter

log = structlog.get_logger(__name__)

SLICE = 1000


class LeaseLost(Exception):
    """Another process works on this document now."""


@dataclass(slots=True)
class _Validated:
    """What is left of a document once its events are in the inbox."""

    document: Document  # without its events
    raw: bytes
    digest: bytes
    count: int
    called: dict[str, str]  # GLN to what the document calls it, of every party in it
    capture: PreparedCapture = field(init=False)


@dataclass
class LongDocuments:
    """The three steps, for whoever holds the lease. One a process."""

    database: Database
    node: Node
    clock: Clock
    committer: Committer
    most_events: int
    most_bytes: int
    tolerance: timedelta
    parking: Parking

    def work(self, job: Job, worker: str, tell: Callable[[int, int], None]) -> None:
        """Take `job` to its end. `tell` is called with (applied, all) after each slice.

        Raises `LeaseLost`, and what the committer raises; what is wrong with the document ends the job as failed.
        """
        if job.state == queue.WAITING:
            try:
                found = self._validate(job, worker)
                self.committer.run(lambda c, w: self._commit(c, w, job, worker, found))
            except (LeaseLost, SQLAlchemyError, OSError):
                raise  # the last: a ring that cannot be written is no fault of the document
            except Exception as error:
                if isinstance(error, AppError) and error.status >= 500:
                    raise  # the node's trouble, not the document's
                if isinstance(error, KeyEnded):
                    error = self._park(job, error)
                problem = queue.problem_of(error if isinstance(error, AppError) else _fault(error))
                self.committer.run(lambda c, _: queue.fail(c, job, worker, problem, self.clock.now()))
        while self.apply_slice(job, worker, tell):
            pass
        self.clear(job.job_no)

    def _park(self, job: Job, ended: KeyEnded) -> AppError:
        """Keep what a key signed that ended while the document waited; what its job fails with."""
        with self.database.reading() as connection:
            content = queue.content(connection, job)
            by = partners.glns(connection, [job.by_id])[job.by_id]
        assert content.envelope is not None  # the intake key does not end
        assert content.seed is not None
        return self.parking.park(
            by, content.envelope, content.seed, content.raw, job.content_type or "", ended
        )

    # -- validate

    def _validate(self, job: Job, worker: str) -> _Validated:
        self._remove(job.job_no)  # what a process left that was killed while it validated
        with self.database.reading() as connection:
            content = queue.content(connection, job)
            by = partners.glns(connection, [job.by_id])[job.by_id]
        read = prepare.read_document(content.raw, job.content_type, self.most_events, self.most_bytes)
        with self.database.reading() as connection:
            lookups = look_up(connection, read, by)
        seed = content.seed or secrets.token_bytes(SEED_BYTES)
        prepare.check_seed(seed)
        stream = CommitmentStream(job.sha256, prepare.intake_leaves(content.intake), seed)
        rows = Rows(job, by, lookups, stream)
        for start in range(0, len(read.events), SLICE):
            events, names = rows.of(read.events[start : start + SLICE], start)
            self.committer.run(lambda c, _: self._keep(c, job, worker, events, names), weight=len(events))  # noqa: B023 - done at once
        places = {gln_of(place.id): place.name or "" for place in read.locations}
        found = _Validated(
            document=replace(read, events=()),
            raw=content.raw,
            digest=job.sha256,
            count=len(read.events),
            called={gln: places.get(gln, "") for gln in sorted(rows.glns | {by})},
        )
        found.capture = self._capture(job, by, content, seed, stream.root(), found)
        self.committer.run(lambda c, _: take_what_is_left_for_the_same(c, job.job_no))
        self._seal(job, worker, found, read)
        return found

    def _seal(self, job: Job, worker: str, found: _Validated, read: Document) -> None:
        """Encrypt what is erasable, in the document and in the events that wait."""
        found.capture, bodies = sealing.seal_long(found.capture, read, self.node.vault, self.clock.now())
        for chunk in chunks(sorted(bodies.items())):
            rows = [{"number": number, "packed": body} for number, body in chunk]
            self.committer.run(lambda c, _: self._hide(c, job, worker, rows), weight=len(rows))  # noqa: B023

    def _hide(self, connection: Connection, job: Job, worker: str, rows: Sequence[dict[str, Any]]) -> None:
        own = (inbox_event.c.job_no == job.job_no) & (inbox_event.c.ev_no == bindparam("number"))
        connection.execute(update(inbox_event).where(own).values(body=bindparam("packed")), rows)
        queue.renew(connection, job, worker, self.clock.now())

    def _capture(
        self, job: Job, by: str, content: queue.Content, seed: bytes, root: bytes, found: _Validated
    ) -> PreparedCapture:
        """The capture without its events: what its entry and its document are made of."""
        if content.envelope is None:
            key = self.node.intake_key
            statement = Statement.new(
                self.node.origin, key.thumbprint, Kind.RECEIVED, Commit(root, found.count)
            )
            envelope, verifiers = sign(statement.encode(), [key]), [load_verifier(key.spki)]
        else:
            envelope, signed = prepare.open_envelope(content.envelope, self.node.origin)
            with self.database.reading() as connection:
                _, verifiers = devices.signer_of(connection, signed, [s.key for s in envelope.signatures])
            prepare.check_root(prepare.verified(envelope, verifiers), root, found.count)
        return PreparedCapture(
            by=by,
            channel=job.channel,
            document=found.document,
            raw=found.raw,
            raw_sha256=found.digest,
            events=(),
            kind=Kind.RECEIVED if content.envelope is None else Kind.CAPTURED,
            statement=envelope.statement,
            signatures=envelope.entry_signatures(verifiers),
            seed=seed,
            intake=content.intake,
        )

    def _keep(
        self,
        connection: Connection,
        job: Job,
        worker: str,
        events: Sequence[dict[str, Any]],
        names: Sequence[dict[str, Any]],
    ) -> None:
        held = select(inbox.c.lease_by).where(inbox.c.job_no == job.job_no, inbox.c.state == queue.WAITING)
        if connection.execute(held).scalar() != worker:
            raise LeaseLost
        connection.execute(insert(inbox_event), events)
        if names:
            connection.execute(insert(inbox_name), names)
        queue.renew(connection, job, worker, self.clock.now())

    # -- commit

    def _commit(
        self, connection: Connection, writer: SqlWriter, job: Job, worker: str, found: _Validated
    ) -> None:
        now = self.clock.now()
        row = connection.execute(select(inbox).where(inbox.c.job_no == job.job_no)).one()
        if row.state != queue.WAITING:
            return  # done by a try whose end was not known
        if row.lease_by != worker:
            raise LeaseLost
        self.committer.require_present(found.capture)
        refuse_other_content(connection, job.job_no)
        index = self._stands_at(connection, writer, job, found)
        doc_id = None
        if index is None:
            partners.ids(connection, self.clock, found.called)
            entry, doc_id, _ = append_document(connection, writer, now, found.capture, job.by_id)
            index = entry.index
            products.learn(connection, self.clock, found.document.products, job.by_id)
        ended = doc_id is None or found.count == 0
        connection.execute(
            update(inbox)
            .where(inbox.c.job_no == job.job_no)
            .values(
                state=queue.DONE if ended else APPLYING,
                idx=index,
                doc_id=doc_id,
                known=doc_id is None,
                events=found.count,
                mark=found.count if ended else 0,
                finished_at=now if ended else None,
                lease_until=now + queue.LEASE,
                **queue.FORGOTTEN,
            )
        )

    def _stands_at(
        self, connection: Connection, writer: SqlWriter, job: Job, found: _Validated
    ) -> int | None:
        """The entry that had all of this content first; None where anything of it is new, its signature included."""
        again = same_document(connection, job.by_id, job.sha256, job.signer)
        if not found.count or again is not None:
            return again
        known, last = connection.execute(standing(job.job_no, func.count(), func.max(event.c.idx))).one()
        if known < found.count:
            return None
        if job.signer is None:
            return int(last)
        bare = (
            standing(job.job_no, func.count())
            .join(document, document.c.doc_id == event.c.doc_id)
            .where(document.c.signer.is_(None), ~SIGNED_LATER)
        )
        if connection.execute(bare).scalar_one():
            return None
        stands = writer.find_statement(found.capture.statement)
        return int(last) if stands is None else stands

    # -- apply

    def apply_slice(self, job: Job, worker: str, tell: Callable[[int, int], None]) -> bool:
        """Apply the next slice of `job`; whether there are more. Raises `LeaseLost`."""
        now = self.committer.run(lambda c, _: self._apply(c, job, worker), weight=SLICE)
        if now is None:
            return False
        mark, events = now
        tell(mark, events)
        return mark < events

    def _apply(self, connection: Connection, job: Job, worker: str) -> tuple[int, int] | None:
        row = connection.execute(select(inbox).where(inbox.c.job_no == job.job_no)).one()
        if row.state != APPLYING:
            return None
        start, stop = row.mark, min(row.mark + SLICE, row.events)
        now = self.clock.now()
        moved = connection.execute(
            update(inbox)
            .where(
                inbox.c.job_no == job.job_no,
                inbox.c.mark == start,
                inbox.c.state == APPLYING,
                inbox.c.lease_by == worker,
            )
            .values(mark=stop, lease_until=now + queue.LEASE)
        )
        if moved.rowcount != 1:
            raise LeaseLost
        slice_ = and_(
            inbox_event.c.job_no == job.job_no, inbox_event.c.ev_no >= start, inbox_event.c.ev_no < stop
        )
        waiting = connection.execute(select(inbox_event).where(slice_).order_by(inbox_event.c.ev_no)).all()
        doc = connection.execute(select(document).where(document.c.doc_id == row.doc_id)).one()
        self._apply_events(connection, doc, waiting)
        connection.execute(delete(inbox_event).where(slice_))
        if stop == row.events:
            ended = {
                "state": queue.DONE,
                "finished_at": self.clock.now(),
            }  # asked anew: a slice takes its time
            connection.execute(update(inbox).where(inbox.c.job_no == job.job_no).values(**ended))
        return stop, row.events

    def _apply_events(self, connection: Connection, doc: Row[Any], waiting: Sequence[Row[Any]]) -> None:
        by = partners.glns(connection, [doc.by_id])[doc.by_id]
        events = [(row.ev_no, self._prepared(row, by, doc)) for row in waiting]
        known = known_events(
            connection, doc.by_id, [(e.act.event.id, declared_at(e.act.event)) for _, e in events]
        )
        if doc.signer is not None and waiting:
            endorse(connection, known, doc.idx, waiting[0].ev_no)
        fresh = [each for each, k in zip(events, known, strict=True) if k is None]
        glns = {gln for _, e in fresh for gln in resolved.parties_of(e.act).values() if gln} | {by}
        parties = partners.ids(connection, self.clock, dict.fromkeys(sorted(glns), ""))
        names = insert_events(connection, fresh, doc.doc_id, doc.idx, parties, doc.received_at)
        project_events(connection, self.clock, fresh, names, whatever_it_takes=True)

    def _prepared(self, row: Row[Any], by: str, doc: Row[Any]) -> PreparedEvent:
        body = bytes(row.body)
        fields = unpack_fields(body)
        each = event_of(fields)
        stored = tuple(Finding(FindingCode(code), message) for code, message in json.loads(row.found))
        findings = (*prepare.future(each, doc.received_at, self.tolerance), *stored)
        return PreparedEvent(
            act=Act(event=each, by=by, statement=doc.statement_affirmed, **resolved.read(row.parties)),
            fields=fields,
            digest=bytes(row.digest),
            findings=findings,
            effective=not findings,
            body=body,
        )

    # -- afterwards

    def clear(self, job_no: int) -> None:
        """Take out what a job left, once it is finished; before that, tell what its sales lack."""
        with self.database.reading() as connection:
            finished = connection.execute(
                select(inbox.c.idx, inbox.c.by_id, inbox.c.doc_id).where(
                    inbox.c.job_no == job_no, inbox.c.state.in_((queue.DONE, queue.FAILED))
                )
            ).first()
            glns = partners.glns(connection, [finished.by_id]) if finished is not None else {}
        if finished is not None:
            if finished.doc_id is not None:
                incomplete.look_at_entry(self.database, self.clock, glns[finished.by_id], finished.idx)
            self._remove(job_no)

    def _remove(self, job_no: int) -> None:
        """Take out the rows of events and names, a few thousand at a time: nobody waits long for the lock."""
        for table, key in ((inbox_event, inbox_event.c.ev_no), (inbox_name, inbox_name.c.name)):
            some = select(key).where(table.c.job_no == job_no).limit(5 * SLICE)
            statement = delete(table).where(table.c.job_no == job_no, key.in_(some))
            while self.committer.run(lambda c, _: c.execute(statement).rowcount):  # noqa: B023 - done at once
                pass


def _fault(error: Exception) -> AppError:
    """A fault of ours in reading a document ends its job: the queue goes on with the next."""
    log.exception("a long document could not be validated", error=type(error).__name__)
    return AppError("server.fault", 500, "Something broke here", "The fault is ours and has been logged.")
