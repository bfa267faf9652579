"""Who judges blocks of documents (`app.proofs.judge`): this process, or several workers beside it.

    with judging(workers=2) as judge:
        for part, found in judge(blocks):           # the numbers of its documents that are not beyond doubt, in order
            ...

A block carries all that it is judged by, so that a worker reads no database. It is a program started anew, ``python -m
app.proofs.judging``, and takes pickled blocks on standard input; nobody else writes to these two pipes. While workers
judge, this process reads the next blocks. Where a worker ends, its documents are in doubt, and looked at singly.
"""

import contextlib
import gc
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar

from app.proofs.judge import Block, doubtful
from ledger.store.quick.pool import bare_environment, pipe, start, stop, usable_cores

WORTH_EVENTS = 10_000
"""Below so many events starting workers takes longer than what they save."""
MOST_WORKERS = 4
P = TypeVar("P")
Judge = Callable[[Iterable[tuple[P, Block]]], Iterator[tuple[P, list[int]]]]


def worth(events: int) -> int:
    """How many workers so many events are worth: none, or as many as there are cores."""
    return min(MOST_WORKERS, usable_cores()) if events >= WORTH_EVENTS and usable_cores() > 1 else 0


@contextlib.contextmanager
def judging(workers: int) -> Iterator[Judge[P]]:
    """What judges blocks; with no `workers`, or where none can be started, this process does."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        with contextlib.suppress(OSError):
            for _ in range(workers):
                started.append(_start())
        yield (lambda tasks: _spread(started, tasks)) if started else _here
    finally:
        for process in started:
            stop(process)


def _here(tasks: Iterable[tuple[P, Block]]) -> Iterator[tuple[P, list[int]]]:
    return ((part, doubtful(block)) for part, block in tasks)


def _spread(
    workers: list[subprocess.Popen[bytes]], tasks: Iterable[tuple[P, Block]]
) -> Iterator[tuple[P, list[int]]]:
    """Blocks in turn to each worker, answers in the order of the blocks. A worker has one block at a time: what is
    larger than a pipe is taken at once, and no answer waits behind it."""
    waiting: deque[tuple[P, Block, subprocess.Popen[bytes]]] = deque()
    for number, (part, block) in enumerate(tasks):
        if len(waiting) == len(workers):
            yield _next(waiting)
        worker = workers[number % len(workers)]
        _send(worker, block)
        waiting.append((part, block, worker))
    while waiting:
        yield _next(waiting)


def _next(waiting: "deque[tuple[P, Block, subprocess.Popen[bytes]]]") -> tuple[P, list[int]]:
    part, block, worker = waiting.popleft()
    try:
        found = pickle.load(pipe(worker.stdout))  # noqa: S301 - from a process we started
    except (EOFError, OSError, pickle.UnpicklingError):
        found = [case.doc_id for case in block.cases]
    return part, list(found)


def _start() -> subprocess.Popen[bytes]:
    # It reads what partners wrote, and needs none of the node's settings: no passphrase, no secret, no database.
    return start("app.proofs.judging", bare_environment())


def _send(worker: subprocess.Popen[bytes], block: Block) -> None:
    with contextlib.suppress(OSError):  # it has ended: its answer will be missing
        pickle.dump(block, pipe(worker.stdin), protocol=5)
        pipe(worker.stdin).flush()


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer until standard input ends."""
    gc.disable()  # blocks refer to nothing outside them, and are gone when they are judged
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            block: Block = pickle.load(stdin)  # noqa: S301 - from the process that started this one
            pickle.dump(doubtful(block), stdout, protocol=5)
            stdout.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
