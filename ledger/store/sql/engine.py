"""Opening the database so that what it acknowledges it keeps, and so that reads never wait for writers.

SQLite
    One writing connection a process, kept open from one transaction to the next, each begun with ``BEGIN
    IMMEDIATE``; readers begin plainly and are ``query_only``. WAL with ``synchronous=FULL``: with NORMAL,
    acknowledged commits were lost in simulated power cuts. Below 3.51.3 a bug can corrupt a WAL database, so an
    older library is refused. The driver is `pysqlite3`, which brings its own SQLite; the standard library's is
    used only where it is new enough.
PostgreSQL
    psycopg 3. Writers use ordinary transactions, and a few of their connections stay open and out of the pool from one
    to the next; a single read costs one round trip (AUTOCOMMIT) on a connection that the server itself holds to be
    read-only.

Engines are made at first use in each process: a connection that crossed a fork is never used and never
closed::

    database = open_engine("sqlite:///var/packproof.db")
    with database.writing() as connection:   # one transaction: commits at the end, rolls back on an exception
        connection.execute(...)
    with database.reading() as connection:   # on SQLite one snapshot; on PostgreSQL each statement its own
        connection.execute(...)
"""

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, TimeoutError
from sqlalchemy.pool import QueuePool

from ledger.store.sql.alive import IDLE_S, is_quiet, note_use, require_alive
from ledger.store.sql.bulk import raise_as_sqlalchemy

OLDEST_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
READERS = 8
POOL_TIMEOUT_S = 30
CHECKPOINT_PAGES = 4_000
"""Pages of 4 KiB in SQLite's write-ahead log before it is written back: 16 MB that a start after a crash reads."""
CACHE_KIB = 32 * 1024
"""What one SQLite connection may keep of the database: the trees by hash are read and written at random places."""
KEPT_WRITERS = 2
"""PostgreSQL connections that wait for the next writing transaction outside the pool."""


class DatabaseRefused(Exception):
    """The database cannot be opened as the ledger needs it: a stable `code`, a text with the next step."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_Idle = tuple[Connection, float]
"""A connection, and when it was used last."""


class NestedWrite(RuntimeError):
    """`writing()` inside `writing()`: the inner one would wait for the outer one's connection for ever."""


@dataclass(frozen=True, slots=True)
class _Engines:
    pid: int
    writer: Engine
    reader: Engine
    snapshot: Engine


class Database:
    """One database, opened lazily in every process that uses it. Threads may share it."""

    def __init__(self, url: URL, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        """Whether this is SQLite; otherwise it is PostgreSQL."""
        self._busy_timeout_ms = busy_timeout_ms
        self._engines: _Engines | None = None
        self._inherited: list[_Engines] = []
        self._inherited_idle: list[_Idle] = []
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._idle: list[_Idle] = []  # writing connections, while nobody writes: on SQLite there is one
        self._local = threading.local()
        os.register_at_fork(after_in_child=self._forget_parent)

    @property
    def patience_s(self) -> float:
        """How long one request may wait in all to write, however often it tries: twice the time-out of a lock."""
        return self._busy_timeout_ms * 2 / 1000

    @contextlib.contextmanager
    def writing(self, wait_s: float | None = None) -> Iterator[Connection]:
        """A connection inside a writing transaction, committed at the end, rolled back if the block raises.

        On SQLite it holds the one write lock from its first moment, so that it never fails half-way on a
        lock. `wait_s`: how long it may wait for a lock, where that is less than what is set. Raises `NestedWrite`
        inside another `writing()` of the same thread.
        """
        if getattr(self._local, "writing", False):
            raise NestedWrite("writing() was entered inside writing(): pass the connection down instead")
        self._local.writing = True
        try:
            if not self.is_sqlite:
                with self._kept(wait_s) as connection:
                    yield connection
                return
            turn_s = POOL_TIMEOUT_S if wait_s is None else min(wait_s, POOL_TIMEOUT_S)
            if not self._turn.acquire(timeout=turn_s):
                raise TimeoutError(f"another thread has been writing for {turn_s} s: try again")
            try:
                with self._kept(wait_s) as connection:
                    yield connection
            finally:
                self._turn.release()
        finally:
            self._local.writing = False

    @contextlib.contextmanager
    def _kept(self, wait_s: float | None) -> Iterator[Connection]:
        """A connection in a transaction, and kept for the next one: a pool's part costs as much as three statements."""
        engines = self._current()
        connection = self._waiting() or engines.writer.connect()
        try:
            with self._begun(connection, wait_s):
                yield connection
        except BaseException:
            connection.close()  # it may be that it is lost
            raise
        if engines is self._engines and len(self._idle) < KEPT_WRITERS:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()

    def _begun(self, connection: Connection, wait_s: float | None) -> RootTransaction:
        """Begin, and wait for locks as long as is set; for `wait_s` where that is shorter and worth the statements."""
        usual_ms = self._busy_timeout_ms if self.is_sqlite else _lock_timeout_ms(self._busy_timeout_ms)
        if wait_s is None or wait_s * 1000 > usual_ms * 0.9:
            return connection.begin()
        wait_ms = max(1, int(wait_s * 1000))  # 0 would be for ever on PostgreSQL
        if not self.is_sqlite:
            transaction = connection.begin()
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
            return transaction
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={wait_ms}")
        try:
            return connection.begin()
        finally:
            driver.execute(f"PRAGMA busy_timeout={usual_ms}")

    def _waiting(self) -> Connection | None:
        """A connection that was kept. One that the server may have closed goes through the pool, which asks."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if self.is_sqlite or (is_quiet(connection) and time.monotonic() - since < IDLE_S):
                return connection
            connection.close()
        return None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that cannot write: one snapshot on SQLite, one for each statement on PostgreSQL."""
        with self._current().reader.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that cannot write and sees one snapshot on both databases: reads that must agree."""
        with self._current().snapshot.connect() as connection:
            yield connection

    def dispose(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        with self._lock:
            engines, self._engines = self._engines, None
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()
        if engines is not None:
            for engine in (engines.writer, engines.reader, engines.snapshot):
                engine.dispose()

    def _current(self) -> _Engines:
        engines = self._engines
        if engines is not None and engines.pid == os.getpid():
            return engines
        with self._lock:
            if self._engines is None:
                make = _sqlite_engines if self.is_sqlite else _postgresql_engines
                self._engines = make(self.url, self._busy_timeout_ms)
            return self._engines

    def _forget_parent(self) -> None:
        # Closing an inherited connection would end the parent's session, so the child keeps it untouched.
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._local = threading.local()
        self._inherited_idle, self._idle = self._inherited_idle + self._idle, []
        if self._engines is not None:
            self._inherited.append(self._engines)
            self._engines = None


def open_engine(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
    """The database at `url`: ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://...``.

    Nothing is connected yet, but an SQLite library that must not be used is refused here. Raises
    `DatabaseRefused`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseRefused(
            "database.url",
            "the database URL cannot be read: write sqlite:///path or postgresql://user@host/name",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise DatabaseRefused(
                "database.memory",
                "an SQLite database needs a file: readers and writer are different connections",
            )
        sqlite_driver()
        return Database(parsed.set(drivername="sqlite+pysqlite"), busy_timeout_ms)
    if backend in ("postgresql", "postgres"):
        return Database(parsed.set(drivername="postgresql+psycopg"), busy_timeout_ms)
    raise DatabaseRefused(
        "database.kind",
        f"a {backend} database is not supported: use sqlite:///path or postgresql://user@host/name",
    )


def sqlite_driver() -> ModuleType:
    """The first SQLite driver here whose library is safe with WAL; `DatabaseRefused` if there is none."""
    seen: list[str] = []
    for name in ("pysqlite3.dbapi2", "sqlite3"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if module.sqlite_version_info >= OLDEST_SQLITE:
            return module
        seen.append(f"{name} {module.sqlite_version}")
    raise DatabaseRefused(
        "database.sqlite_too_old",
        f"SQLite {'.'.join(map(str, OLDEST_SQLITE))} or later is needed (it fixed a WAL corruption bug), "
        f"found {', '.join(seen) or 'none'}: install pysqlite3, or use PostgreSQL by PACKPROOF_DATABASE_URL",
    )


def _sqlite_engines(url: URL, busy_timeout_ms: int) -> _Engines:
    assert url.database is not None
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    writer = _sqlite_engine(
        url, busy_timeout_ms, size=1, overflow=0, begin="BEGIN IMMEDIATE", query_only=False
    )
    reader = _sqlite_engine(
        url, busy_timeout_ms, size=READERS, overflow=READERS, begin="BEGIN", query_only=True
    )
    return _Engines(os.getpid(), writer, reader, reader)


def _sqlite_engine(
    url: URL, busy_timeout_ms: int, *, size: int, overflow: int, begin: str, query_only: bool
) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # rows are somebody's data, and errors are logged
        module=sqlite_driver(),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=POOL_TIMEOUT_S,
        # A pooled connection passes from thread to thread, never two at once.
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _sqlite_pragmas(busy_timeout_ms, query_only))

    # The driver would begin late, before the first write, and commit around DDL: it is told to leave both
    # to us.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(begin)
        except connection.dialect.loaded_dbapi.Error as error:
            # SQLAlchemy's way costs more than the statement does; and once more that way would wait once more.
            raise_as_sqlalchemy(connection, begin, error)

    return engine


def _sqlite_pragmas(busy_timeout_ms: int, query_only: bool) -> Callable[[Any, object], None]:
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(busy_timeout_ms)}")
        if cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise DatabaseRefused(
                "database.no_wal",
                "SQLite cannot use WAL where this database lies: move it to a local file system",
            )
        cursor.execute("PRAGMA synchronous=FULL")
        # An append touches few pages again and again. Written back to the database every 1,000 pages, SQLite's own
        # choice, they would be written many times more often, with a sync each time.
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA trusted_schema=OFF")
        # What is erased must not be left in free pages of the file.
        cursor.execute("PRAGMA secure_delete=ON")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return on_connect


def _lock_timeout_ms(busy_timeout_ms: int) -> int:
    return int(busy_timeout_ms) * 2


# Without compilation of queries: of where a lot went, that took more than half of the time, before the first row.
_SESSION = "-c timezone=UTC -c jit=off"


def _postgresql_engines(url: URL, busy_timeout_ms: int) -> _Engines:
    lock_timeout = f"{_SESSION} -c lock_timeout={_lock_timeout_ms(busy_timeout_ms)}"
    read_only = f"{_SESSION} -c default_transaction_read_only=on"
    writer = create_engine(
        url,
        hide_parameters=True,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"options": lock_timeout},
    )
    reader = create_engine(
        url,
        hide_parameters=True,
        pool_size=READERS,
        max_overflow=READERS,
        pool_timeout=POOL_TIMEOUT_S,
        isolation_level="AUTOCOMMIT",
        connect_args={"options": read_only},
    )
    for engine in (writer, reader):
        event.listen(engine, "checkout", require_alive(engine))
        event.listen(engine, "checkin", note_use)
    snapshot = reader.execution_options(isolation_level="REPEATABLE READ")
    return _Engines(os.getpid(), writer, reader, snapshot)
