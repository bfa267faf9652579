"""Whoever takes long documents to their end: a thread in a node's process, or a command that waits for its own.

One document at a time on one database, in the order in which they came: what an earlier one brings, a later one finds.
A process looks for work when it starts, when something is put into the inbox, and when somebody asks after a job or
meets a package in one; it stops looking when there is none. While it works, a heartbeat renews its lease.
"""

import os
import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.capture import inbox
from app.capture.committer import Committer
from app.capture.inbox import Job
from app.capture.long import LeaseLost, LongDocuments
from app.errors import AppError
from app.recalls import captured as recalls
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.store.sql.engine import Database

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 1.0
LONGEST_PAUSE_S = 30.0
HEARTBEAT_S = inbox.LEASE.total_seconds() / 3
Tell = Callable[[Job, int, int], None]


class Worker:
    """One a process. `kick` starts its thread; `finish` works in the caller's. `background` False: no thread."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        committer: Committer,
        documents: LongDocuments,
        *,
        background: bool = True,
    ) -> None:
        self.background = background
        self._database = database
        self._clock = clock
        self._committer = committer
        self._documents = documents
        self._names: dict[int, str] = {}
        self._working = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._ended = threading.Event()

    @property
    def _name(self) -> str:
        """Under which this process holds leases. Made after a fork, so that a server that loads before it forks
        (gunicorn --preload) gives each of its processes one of its own."""
        return self._names.setdefault(os.getpid(), new_id("wrk"))

    def kick(self) -> None:
        """See to it that this process works on what waits. Returns at once."""
        if not self.background:
            return
        with self._starting:
            self._wanted = True
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="long documents", daemon=True)
                self._thread.start()

    def resume(self) -> None:
        """Go on with what an earlier process left, if there is any. Never raises: a node starts without it too."""
        try:
            with self._database.reading() as connection:
                waits = inbox.first(connection) is not None or inbox.leftovers(connection)
        except (SQLAlchemyError, AppError, OSError) as error:
            log.warning("inbox cannot be read", error=type(error).__name__)
            return
        if waits:
            self.kick()

    def stop(self) -> None:
        """End the thread after the slice it is at."""
        self._ended.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        self._ended.clear()

    def finish(self, job_id: str, tell: Tell | None = None, pause_s: float = LOOK_AGAIN_S) -> Job:
        """Work, or wait for whoever does, until the job with this id is finished; the job.

        `tell` is called with the job that is worked on, and how many of its events are applied of how many.
        """
        while True:
            with self._database.reading() as connection:
                job = inbox.by_id(connection, job_id)
            assert job is not None
            if not job.running:
                return job
            if not self.step(tell):
                if tell is not None:
                    tell(job, job.mark, job.events or 0)
                self._ended.wait(pause_s)

    def step(self, tell: Tell | None = None) -> bool:
        """Take the job whose turn it is to its end; False where there is none, or another process has it."""
        with self._working:
            with self._database.reading() as connection:
                job = inbox.first(connection)
            if job is None or not inbox.is_free(job, self._name, self._clock.now()):
                return False
            job = self._committer.run(lambda c, _: inbox.claim(c, self._name, self._clock.now()))
            if job is None:
                return False
            self._work(job, tell)
            recalls.tell_soon(self._database, self._clock)
            return True

    def _work(self, job: Job, tell: Tell | None) -> None:
        beating = threading.Event()
        heart = threading.Thread(target=self._beat, args=(job, beating), name="heartbeat", daemon=True)
        heart.start()
        try:
            self._documents.work(job, self._name, lambda mark, events: self._told(job, mark, events, tell))
        except LeaseLost:
            self._release(job)
            log.warning("the document was left to another process", job=job.job_id)
        except BaseException:
            self._release(job)
            raise
        finally:
            beating.set()
            heart.join()

    def _told(self, job: Job, mark: int, events: int, tell: Tell | None) -> None:
        log.info("long document", job=job.job_id, applied=mark, events=events)
        if tell is not None:
            tell(job, mark, events)
        if self._ended.is_set():
            raise LeaseLost

    def _beat(self, job: Job, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_S):
            try:
                self._committer.run(lambda c, _: inbox.renew(c, job, self._name, self._clock.now()))
            except (AppError, SQLAlchemyError) as error:
                log.warning("no heartbeat", error=type(error).__name__)

    def _release(self, job: Job) -> None:
        try:
            self._committer.run(lambda c, _: inbox.release(c, job, self._name))
        except (AppError, SQLAlchemyError):
            return  # it runs out by itself

    def _run(self) -> None:
        pause_s = LOOK_AGAIN_S
        try:
            for job_no in self._left():
                self._documents.clear(job_no)
        except (AppError, SQLAlchemyError) as error:
            log.warning("the inbox was not tidied", error=type(error).__name__)
        while not self._ended.is_set() and self._committer.stopped is None:
            try:
                if self.step():
                    pause_s = LOOK_AGAIN_S
                    continue
                if self._nothing_left():
                    return
            except Exception as error:
                # What the document is at fault for has ended its job. This is the node's trouble, and may pass.
                log.error("long document not taken further", error=type(error).__name__, detail=_said(error))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._ended.wait(pause_s)

    def _nothing_left(self) -> bool:
        """Whether the thread may end: nobody has asked for it since it looked, and nothing waits."""
        with self._starting:
            wanted, self._wanted = self._wanted, False
            if wanted:
                return False
            with self._database.reading() as connection:
                if inbox.first(connection) is not None:
                    return False
            self._thread = None
            return True

    def _left(self) -> list[int]:
        with self._database.reading() as connection:
            return inbox.leftovers(connection)


def _said(error: Exception) -> str:
    """An error of ours in words; a driver's may hold rows, which are somebody's data."""
    return str(error) if isinstance(error, AppError) else ""
