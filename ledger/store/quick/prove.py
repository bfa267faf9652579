"""Is the whole ledger sound? Block by block: chain, leaves, tiles, signed roots, the table of statements, the head.

    proof = prove(connection, ledger, size, signed, tiles, workers=2)
    proof is None                                  not proven: something is wrong or unusual
    proof.peaks, proof.last_leaf, proof.roots      the tree and the chain that the rows give; signed roots that fit

The rows beside (the head itself, extra rows, seeds) are compared by `ledger.store.fsck`, for both ways of looking.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from ledger.log.entry import ZERO_LEAF
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.tree import Peaks, grow
from ledger.store.audit import SignedRoot, TreeAudit
from ledger.store.findings import FsckReport
from ledger.store.nodes import TileSource
from ledger.store.quick.block import TILE, Proven
from ledger.store.quick.pool import pool
from ledger.store.quick.worker import BlockTask, IndexTask, Task

BLOCK: Final = 4 * TILE
"""Entries in one task: what a processor's cache holds, from reading them to the last hash."""
_INDEX_ROWS: Final = 8_192  # of the table of statements in one task

Progress = Callable[[int, int], None]
"""(rows looked at, rows there are), after each page or block."""


@dataclass(slots=True)
class Soundness:
    """What a sound ledger's rows give."""

    peaks: Peaks = field(default_factory=Peaks)
    last_leaf: bytes = ZERO_LEAF
    roots: int = 0
    tiles: int = 0


class _Unsound(Exception):
    """Not proven."""


def prove(
    connection: Connection,
    ledger: int,
    size: int,
    signed: Iterator[SignedRoot],
    tiles: TileSource,
    *,
    keys: Collection[bytes] | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Soundness | None:
    """Prove the entries below `size`; `signed` ascending by size. Raises `WorkerFailed`."""
    run = _Run(size, signed, tiles)
    try:
        with pool(connection, ledger, keys, workers) as ask:
            for task, found in ask(run.tasks()):
                if isinstance(task, IndexTask):
                    run.index(found)
                elif isinstance(found, Proven):
                    run.block(task, found)
                    if progress is not None:
                        progress(task.end, size)
                else:
                    return None
        return run.finish()
    except _Unsound:
        return None


class _Run:
    def __init__(self, size: int, signed: Iterator[SignedRoot], tiles: TileSource) -> None:
        self._size = size
        self._signed = signed
        self._next = next(signed, None)
        self._wanted: dict[int, list[bytes]] = {}
        scratch = FsckReport()
        # The tree above the level 0 tiles is a tree whose leaves are their roots.
        self._above = TreeAudit(scratch, lambda level, a, b: tiles(level + 1, a, b), iter(()))
        self._report = scratch
        self._sum = 0
        self._index_sum = 0
        self._index_rows = 0
        self._rest: list[bytes] = []
        self.found = Soundness()

    def tasks(self) -> Iterator[Task]:
        """Index ranges and blocks by turns, so that all workers are busy to the end."""
        while self._next is not None and self._next.size <= 0:
            self._compare(self._next.size, EMPTY_ROOT, [self._next.root])
            self._next = next(self._signed, None)
        ranges = _ranges(max(1, self._size // _INDEX_ROWS))
        starts = range(0, self._size, BLOCK)
        every = max(1, len(starts) // (len(ranges) + 1))
        for number, start in enumerate(starts):
            end = min(start + BLOCK, self._size)
            yield BlockTask(start, end, self._sizes(end))
            if number % every == 0 and ranges:
                yield ranges.pop()
        yield from ranges

    def _sizes(self, end: int) -> list[int]:
        """Sizes up to `end` whose root was signed; more of them than this come in a later block's turn."""
        sizes = []
        while self._next is not None and self._next.size <= end:
            if self._next.size not in self._wanted:
                sizes.append(self._next.size)
            self._wanted.setdefault(self._next.size, []).append(self._next.root)
            self._next = next(self._signed, None)
        return sizes

    def index(self, found: object) -> None:
        """Add one range of the table of statements."""
        if not isinstance(found, tuple) or isinstance(found, Proven):
            raise _Unsound
        rows, total = found
        self._index_rows += rows
        self._index_sum += total

    def block(self, task: BlockTask, found: Proven) -> None:
        """Chain a block to those before it."""
        if found.first_prev != self.found.last_leaf:
            raise _Unsound
        before = self._above.peaks
        for size in task.sizes:
            tiles = (size - task.start) // TILE
            peaks = before if not tiles else grow(before, found.roots[:tiles]).peaks
            root = Peaks(size, (*peaks.hashes, *found.edges[size])).root()
            self._compare(size, root, self._wanted.pop(size))
        self._above.take(found.roots)
        self.found.last_leaf = found.last_leaf
        self.found.tiles += len(found.roots)
        self._sum += found.statement_sum
        self._rest = found.rest

    def _compare(self, size: int, root: bytes, signed: list[bytes]) -> None:
        if size < 0 or any(each != root for each in signed):
            raise _Unsound
        self.found.roots += len(signed)

    def finish(self) -> Soundness:
        """No root beyond the last entry, nothing wrong above the tiles, each statement in its table."""
        if self._next is not None or not self._report.ok:
            raise _Unsound
        if (self._index_rows, self._index_sum) != (self._size, self._sum):
            raise _Unsound
        self.found.tiles += self._report.counts["tiles"]
        self.found.peaks = Peaks(self._size, (*self._above.peaks.hashes, *Peaks().extend(self._rest).hashes))
        return self.found


def _ranges(count: int) -> list[IndexTask]:
    """Ranges that together are all hashes: their first two bytes in `count` parts."""
    count = min(count, 65_536)
    borders = [(65_536 * k // count).to_bytes(2, "big") for k in range(count)]
    return [IndexTask(a, b) for a, b in zip(borders, [*borders[1:], b"\xff" * 17], strict=True)]
