"""The one writer: takes what is queued, gives each capture its place in one transaction, answers when it is durable.

Whoever finds the lock free leads: it commits everything that has queued up meanwhile, its own included, and the others
only wait for their answer. Each capture has a savepoint: what fails on its own data is answered alone and never fails
its neighbours. A batch that the database itself failed is tried again capture by capture. Nothing is answered before
the commit.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from app.capture.prepared import PreparedCapture, Receipt
from app.capture.recording import record
from app.errors import AppError, CaptureStopped
from app.shared.clock import Clock
from ledger.store.sql.engine import Database
from ledger.store.sql.writer import SqlWriter

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 1000


@dataclass(slots=True)
class _Waiting:
    capture: PreparedCapture
    done: threading.Event = field(default_factory=threading.Event)
    receipt: Receipt | None = None
    failure: BaseException | None = None


class Committer:
    """`submit` from any thread. `may_write` raises where the node must not append (rolled back, unmarked)."""

    def __init__(self, database: Database, origin: str, clock: Clock, may_write: Callable[[], None]) -> None:
        self._database = database
        self._origin = origin
        self._clock = clock
        self._may_write = may_write
        self._queue: deque[_Waiting] = deque()
        self._leading = threading.Lock()
        self._stopped: CaptureStopped | None = None

    def submit(self, capture: PreparedCapture) -> Receipt:
        """Record `capture`; returns when it is durable. Raises what it failed on, and then nothing of it stands."""
        waiting = _Waiting(capture)
        self._queue.append(waiting)
        while not waiting.done.is_set():
            with self._leading:
                if not waiting.done.is_set():
                    self._lead()
        if waiting.failure is not None:
            raise waiting.failure
        assert waiting.receipt is not None
        return waiting.receipt

    def _lead(self) -> None:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < MOST_AT_ONCE:
            batch.append(self._queue.popleft())
        try:
            self._commit_or_retry(batch)
        except BaseException as error:
            failure = self._failed(error)
            for waiting in batch:
                if waiting.receipt is None and waiting.failure is None:
                    waiting.failure = failure
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                waiting.done.set()

    def _commit_or_retry(self, batch: list[_Waiting]) -> None:
        """Commit the batch; where the database failed it as a whole, each capture alone: none fails for another."""
        try:
            self._commit(batch)
        except BaseException as error:
            for waiting in batch:
                waiting.receipt = waiting.failure = None
            if len(batch) == 1 or not isinstance(error, DBAPIError) or _says(error, _BROKEN):
                raise
            log.warning("batch failed, each capture is tried alone", error=type(error).__name__)
            self._commit_alone(batch)

    def _commit_alone(self, batch: list[_Waiting]) -> None:
        for waiting in batch:
            try:
                self._commit([waiting])
            except BaseException as error:
                waiting.receipt, waiting.failure = None, None
                if not isinstance(error, DBAPIError) or _says(error, _BROKEN):
                    raise
                waiting.failure = self._failed(error)

    def _commit(self, batch: list[_Waiting]) -> None:
        if self._stopped is not None:
            raise self._stopped
        self._may_write()
        with self._database.writing() as connection:
            writer = SqlWriter(connection, self._origin)
            writer.lock()
            for waiting in batch:
                try:
                    with connection.begin_nested():
                        waiting.receipt = record(connection, writer, self._clock, waiting.capture)
                except (IntegrityError, DataError) as error:
                    log.error("capture failed on the database, alone", error=type(error).__name__)
                    waiting.failure = error
                except DBAPIError:
                    # Full, broken or cut off: SQLite has rolled back the whole transaction, savepoints and all. To go
                    # on would acknowledge neighbours whose rows are gone.
                    raise
                except Exception as error:  # each capture answers for itself
                    waiting.failure = error

    def _failed(self, error: BaseException) -> BaseException:
        """What the callers are told when a whole batch failed; a broken disk stops the node until it is restarted."""
        if not isinstance(error, Exception):
            # Somebody ends the thread that leads. That is no affair of the others, who only waited for it.
            return CaptureStopped(
                "the node is being stopped", "Send it again: what stands is not counted twice."
            )
        if isinstance(error, DBAPIError) and _says(error, _BROKEN):
            self._stopped = CaptureStopped(
                "writing to the disk failed: what was not acknowledged may be lost, what was stands",
                "Look at the disk, run packproof fsck, restart the node.",
            )
            log.error("writing failed, node stopped", error=type(error).__name__)
            return self._stopped
        if isinstance(error, DBAPIError) and _says(error, _FULL):
            return CaptureStopped("the disk is full", "Make room; it goes on by itself then.", 507)
        if not isinstance(error, AppError):
            log.error("capture failed", error=type(error).__name__)
        return error


_FULL = ("disk is full", "no space left", "disk full")
_BROKEN = ("i/o error", "malformed", "readonly", "read-only", "could not fsync", "input/output error")


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    """Whether `error`, or one that it followed on, speaks of any of `words`.

    When a transaction is gone, rolling back to its savepoint fails too and hides what happened first.
    """
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        if isinstance(seen, DBAPIError) and any(word in str(seen.orig).lower() for word in words):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
