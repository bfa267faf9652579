"""The one writer: takes what is queued, gives each its place in one transaction, answers when it is durable.

Whoever comes while nobody leads, leads: it commits what is queued, its own first, and hands the lead to the oldest that
queued up meanwhile; the others only wait for their answer. So each transaction takes all that came during the one
before. Each of several has a savepoint: what fails on its own data is answered alone and never fails its neighbours.
Nothing is answered before the commit.

What the database fails on is told apart by `app.capture.faults`: what passes (another process has the lock, a deadlock,
a session that was ended) is tried again, because every write is idempotent, as long as nobody has waited for more than
`Database.patience_s` in all, queueing and tries together; where the batch failed as a whole, each is tried alone; a
broken disk stops this process until it is restarted; a full one refuses and goes on when there is room; and a commit of
which nobody can say whether it took place is said to be one, and never that it failed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from app.capture.faults import Fault, KeyChanged, OutcomeUnknown, fault_of, told
from app.capture.prepared import PreparedCapture, Receipt
from app.capture.recording import record
from app.errors import AppError, CaptureStopped
from app.shared.clock import Clock
from ledger.store.sql.engine import Database
from ledger.store.sql.writer import SqlWriter

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 1000  # writes, and events, in one transaction
TRIES = 6
FIRST_PAUSE_S = 0.05
SHORTEST_WAIT_S = 0.05  # for a lock, even where who waits has waited long enough
T = TypeVar("T")
Write = Callable[[Connection, SqlWriter], T]


@dataclass(slots=True, eq=False)
class _Waiting:
    write: Write[Any]
    weight: int
    until: float  # of time.monotonic(): then it is told that it cannot be done now
    called: threading.Event = field(default_factory=threading.Event)  # done, or the lead is handed over
    done: bool = False
    answer: Any = None
    failure: BaseException | None = None
    unknown: BaseException | None = None  # a commit that it was part of may have taken place


class Committer:
    """`submit` from any thread. `may_write` raises where the node must not append (rolled back, unmarked)."""

    def __init__(
        self,
        database: Database,
        origin: str,
        clock: Clock,
        may_write: Callable[[], None],
        intake: Callable[[], bytes] | None = None,
    ) -> None:
        """`intake` gives the thumbprint of the node's present intake key, by which alone it signs anything in."""
        self._database = database
        self._origin = origin
        self._clock = clock
        self._may_write = may_write
        self._intake = intake
        self._queue: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._led = False
        self._stopped: CaptureStopped | None = None

    @property
    def stopped(self) -> CaptureStopped | None:
        """Why this process takes nothing in until it is restarted; None while it does."""
        return self._stopped

    def submit(self, capture: PreparedCapture) -> Receipt:
        """Record `capture`; returns when it is durable. Raises what it failed on, and then nothing of it stands.

        `OutcomeUnknown` alone says that it may stand: the same capture again is answered as it is.
        """
        return self.run(self.writing(capture), weight=len(capture.events))

    def writing(self, capture: PreparedCapture) -> Write[Receipt]:
        """What `submit` does with `capture` inside the transaction."""

        def write(connection: Connection, writer: SqlWriter) -> Receipt:
            self.require_present(capture)
            return record(connection, writer, self._clock, capture)

        return write

    def require_present(self, capture: PreparedCapture) -> None:
        """Under the ledger's lock: what the node itself signed was signed by its present key (`app.node.rotation`).

        Raises `KeyChanged`: another key follows it since, and it may have ended.
        """
        if self._intake is None or capture.signer is not None:
            return
        if capture.signatures[0].key != self._intake():
            raise KeyChanged()

    def run(self, write: Write[T], *, weight: int = 1) -> T:
        """Do `write` under the ledger's lock, together with what else waits; its answer, once it is durable.

        `write` may be done again after a failure, so it must be idempotent. `weight`: its events. Raises as `submit`.
        """
        waiting = _Waiting(write, max(1, weight), time.monotonic() + self._database.patience_s)
        with self._lock:
            self._queue.append(waiting)
            leads, self._led = not self._led, True
        if not leads:
            self._wait(waiting)
        if not waiting.done:
            try:
                self._lead()
            finally:
                self._hand_over()
        if waiting.failure is not None:
            raise waiting.failure
        return cast(T, waiting.answer)

    def _wait(self, waiting: _Waiting) -> None:
        """Until it is done, or is to lead. Somebody who is ended meanwhile takes nobody along."""
        try:
            waiting.called.wait()
        except BaseException:
            with self._lock:
                queued = waiting in self._queue
                if queued:
                    self._queue.remove(waiting)
                called = waiting.called.is_set() and not waiting.done
            if called:
                self._hand_over()
            raise

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].called.set()
            else:
                self._led = False

    def _batch(self) -> list[_Waiting]:
        """The oldest of what is queued, as much as one transaction takes."""
        batch: list[_Waiting] = []
        weight = 0
        with self._lock:
            while self._queue and len(batch) < MOST_AT_ONCE:
                if batch and weight + self._queue[0].weight > MOST_AT_ONCE:
                    break
                batch.append(self._queue.popleft())
                weight += batch[-1].weight
        return batch

    def _lead(self) -> None:
        batch = self._batch()
        try:
            self._commit_or_retry(batch)
        except BaseException as error:
            failure = self._failed(error)
            for waiting in batch:
                waiting.answer, waiting.failure = None, waiting.failure or failure
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                waiting.done = True
                waiting.called.set()

    def _commit_or_retry(self, batch: list[_Waiting]) -> None:
        """Commit the batch; where the database failed it as a whole, each alone: none fails for another."""
        try:
            self._commit_persistently(batch)
        except DBAPIError as error:
            if len(batch) == 1 or fault_of(error) in (Fault.BROKEN, Fault.PASSING):
                raise
            log.warning("batch failed, each is tried alone", error=type(error).__name__)
            for waiting in batch:
                try:
                    self._commit_persistently([waiting])
                except DBAPIError as alone:
                    if fault_of(alone) is Fault.BROKEN:
                        raise
                    waiting.answer, waiting.failure = None, self._failed(alone)

    def _commit_persistently(self, batch: list[_Waiting]) -> None:
        """Commit the batch, and again where what kept it from that passes, while the one that came first may wait.

        Once the end of one try is unknown, it stays so until a later one has told what stands.
        """
        for number in range(TRIES):
            try:
                self._commit(batch)
                return
            except Exception as error:
                for waiting in batch:
                    waiting.answer = waiting.failure = None
                    if isinstance(error, OutcomeUnknown):
                        waiting.unknown = error
                unknown = next((waiting.unknown for waiting in batch if waiting.unknown is not None), None)
                fault, pause_s = fault_of(error), FIRST_PAUSE_S * 3**number
                passing = isinstance(error, OutcomeUnknown) or fault is Fault.PASSING
                if not passing or number == TRIES - 1 or self._out_of_patience(batch, pause_s):
                    if unknown is None or unknown is error or fault is Fault.BROKEN:
                        raise
                    raise unknown from error
                log.warning("commit is tried again", error=type(error).__name__, number=number + 1)
                time.sleep(pause_s)

    def _out_of_patience(self, batch: list[_Waiting], pause_s: float) -> bool:
        """Whether the first of the batch cannot wait for another try. Who can is queued again, for the next to lead."""
        still = time.monotonic() + pause_s
        late = sum(1 for waiting in batch if waiting.until <= still)  # the first ones: it is a queue
        if late:
            with self._lock:
                self._queue.extendleft(reversed(batch[late:]))
            del batch[late:]
        return bool(late)

    def _commit(self, batch: list[_Waiting]) -> None:
        if self._stopped is not None:
            raise self._stopped
        self._may_write()
        written = False
        wait_s = max(batch[0].until - time.monotonic(), SHORTEST_WAIT_S)
        try:
            with self._database.writing(wait_s) as connection:
                writer = SqlWriter(connection, self._origin)
                writer.lock()
                for waiting in batch:
                    self._write(connection, writer, waiting, alone=len(batch) == 1)
                written = True
        except DBAPIError as error:
            if written and fault_of(error, committing=True) is Fault.UNKNOWN:
                raise OutcomeUnknown() from error
            raise

    def _write(self, connection: Connection, writer: SqlWriter, waiting: _Waiting, *, alone: bool) -> None:
        """One write of a batch, under a savepoint. One that is `alone` needs none, and a long one must not have it:
        SQLite keeps every page that changes under a savepoint, and at the end of each statement goes through all."""
        try:
            with nullcontext() if alone else connection.begin_nested():
                waiting.answer = waiting.write(connection, writer)
        except (IntegrityError, DataError) as error:
            log.error("write failed on the database, alone", error=type(error).__name__)
            waiting.failure = error
        except DBAPIError:
            # Full, broken or cut off: SQLite has rolled back the whole transaction, savepoints and all. To go
            # on would acknowledge neighbours whose rows are gone.
            raise
        except Exception as error:  # each answers for itself
            if fault_of(error) is Fault.PASSING:
                raise
            waiting.failure = error
        if alone and waiting.failure is not None:
            connection.rollback()

    def _failed(self, error: BaseException) -> BaseException:
        """What the callers are told when a whole batch failed; a broken disk stops the node until it is restarted."""
        if not isinstance(error, Exception):
            # Somebody ends the thread that leads. That is no affair of the others, who only waited for it.
            return CaptureStopped(
                "the node is being stopped", "Send it again: what stands is not counted twice."
            )
        if isinstance(error, AppError):
            return error
        if fault_of(error) is Fault.BROKEN and isinstance(error, DBAPIError):
            self._stopped = CaptureStopped(
                "writing to the disk failed: what was acknowledged stands, of the rest nobody can say",
                "Look at the disk, run packproof fsck, restart the node; then send it again: nothing is counted twice.",
            )
            log.error("writing failed, node stopped", error=type(error).__name__)
            return self._stopped
        log.error("capture failed", error=type(error).__name__)
        return told(error)
