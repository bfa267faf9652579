"""Who does the tasks: this process, or several workers beside it.

    with pool(connection, ledger, keys, workers=2) as ask:
        for task, answer in ask(tasks):              # in the order of the tasks
            ...

Workers are programs started anew, not forks: a forked SQLite connection is not safe to have, and a fork would carry
whatever memory this process holds. Of the environment they are given no setting of a node, its passphrase least of
all: what they need comes through the pipe. On PostgreSQL they share this connection's snapshot. On SQLite theirs is a
moment younger, which is the same for rows that are never changed. Where none can be had, `WorkerFailed` says why.
"""

import contextlib
import os
import pickle
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import IO, Any, cast

from sqlalchemy import Connection, text

from ledger.store.port import StoreError
from ledger.store.quick.rows import RowSource
from ledger.store.quick.worker import Answer, Setup, Task, answer
from ledger.store.signatures import verifying
from ledger.store.sql.engine import sqlite_driver

Ask = Callable[[Iterable[Task]], Iterator[tuple[Task, Answer]]]

SETTINGS = "PACKPROOF_"
"""How the names of a node's settings begin, in its environment."""
_AHEAD = 2  # tasks that each worker has before its answer is read
_PATIENCE_S = 10


class WorkerFailed(StoreError):
    """A process that judges blocks could not be started, or ended."""

    code = "worker-failed"


def usable_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bare_environment() -> dict[str, str]:
    """The environment of a worker: this process's without the settings of a node, and where it finds its modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@contextlib.contextmanager
def pool(connection: Connection, ledger: int, keys: Collection[bytes] | None, workers: int) -> Iterator[Ask]:
    """What does tasks; with no `workers` this process does, on `connection` itself."""
    if not workers:
        yield _here(connection, ledger, keys)
        return
    setup = _setup(connection, ledger, keys)
    started: list[subprocess.Popen[bytes]] = []
    try:
        # One key for the hashes of all workers: their sums are added up.
        environment = {**bare_environment(), "PYTHONHASHSEED": str(secrets.randbelow(2**32))}
        for _ in range(workers):
            started.append(_start(environment))
            _send(started[-1], setup)
        yield lambda tasks: _spread(started, tasks)
    finally:
        for process in started:
            stop(process)


def _here(connection: Connection, ledger: int, keys: Collection[bytes] | None) -> Ask:
    source = RowSource(connection.connection, ledger, is_sqlite=connection.dialect.name == "sqlite")
    verify = None if keys is None else verifying(keys)
    return lambda tasks: ((task, answer(source, task, verify)) for task in tasks)


def _setup(connection: Connection, ledger: int, keys: Collection[bytes] | None) -> Setup:
    url = connection.engine.url
    if connection.dialect.name == "sqlite":
        return Setup(sqlite_driver().__name__, str(url.database), None, ledger, keys)
    snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
    target = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Setup("psycopg", target, snapshot, ledger, keys)


def start(module: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A program that takes tasks on standard input and answers on standard output. Raises `OSError`."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _start(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return start("ledger.store.quick", environment)
    except OSError as error:
        raise WorkerFailed(f"a worker cannot be started: {error.strerror}") from error


def _spread(workers: list[subprocess.Popen[bytes]], tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
    """Tasks in turn to each worker, answers in the order of the tasks."""
    waiting: deque[tuple[Task, subprocess.Popen[bytes]]] = deque()
    for number, task in enumerate(tasks):
        worker = workers[number % len(workers)]
        _send(worker, task)
        waiting.append((task, worker))
        if len(waiting) >= _AHEAD * len(workers):
            yield _next(waiting)
    while waiting:
        yield _next(waiting)


def _next(waiting: "deque[tuple[Task, subprocess.Popen[bytes]]]") -> tuple[Task, Answer]:
    task, worker = waiting.popleft()
    try:
        return task, cast(Answer, pickle.load(pipe(worker.stdout)))  # noqa: S301 - from a process we started
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        raise WorkerFailed("a worker ended before it had answered") from error


def _send(worker: subprocess.Popen[bytes], value: Any) -> None:
    stdin = pipe(worker.stdin)
    try:
        pickle.dump(value, stdin, protocol=5)
        stdin.flush()
    except OSError as error:
        raise WorkerFailed("a worker ended") from error


def pipe(end: IO[bytes] | None) -> IO[bytes]:
    """A worker's end of standard input or output."""
    assert end is not None
    return end


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a worker, whatever it does."""
    with contextlib.suppress(OSError):
        pipe(process.stdin).close()
    process.kill()
    process.wait(_PATIENCE_S)
    pipe(process.stdout).close()
