"""A store in lists: the promise of `ledger.store.port` in its shortest form, for tests and for tools without a disk.

What a transaction added is published at its end by moving three counts; one that fails is cut off again. Readers see
what was published when they were opened. Durable it is not.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger.log.entry import ZERO_LEAF, Entry
from ledger.log.tiles import TILE_HEIGHT
from ledger.log.tree import Peaks, grow
from ledger.store.nodes import TileCache, TreeNodes, full_tiles
from ledger.store.port import CheckpointConflict, Draft, Head, NoSuchEntry, StoredCheckpoint, StoreError


@dataclass(slots=True)
class _Data:
    entries: list[Entry] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    seeds: list[bytes | None] = field(default_factory=list)
    peaks: list[Peaks] = field(default_factory=lambda: [Peaks()])  # the peaks of every size
    tiles: dict[int, list[bytes]] = field(default_factory=dict)
    statements: dict[bytes, int] = field(default_factory=dict)
    indexes: dict[bytes, int] = field(default_factory=dict)  # by leaf
    checkpoints: dict[int, bytes] = field(default_factory=dict)


class MemoryReader:
    """The ledger as it was published when the reader was opened."""

    def __init__(
        self, data: _Data, size: int, sizes: tuple[int, ...], cache: TileCache | None = None
    ) -> None:
        self._data = data
        self._size = size
        self._sizes = sizes
        self._nodes = TreeNodes(self._leaves, self._tiles, cache)

    def head(self) -> Head:
        """The head at this reader's size."""
        peaks = self._data.peaks[self._size]
        return Head(
            self._size, peaks.root(), self._data.leaves[self._size - 1] if self._size else ZERO_LEAF, peaks
        )

    def entry(self, index: int) -> bytes:
        """The bytes of the entry at `index`. Raises `NoSuchEntry`."""
        return self._data.bodies[self._checked(index)]

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) from `start` to below `end`."""
        for index in range(max(start, 0), min(end, self._size)):
            yield index, self._data.bodies[index]

    def leaf(self, index: int) -> bytes:
        """The leaf hash of the entry at `index`. Raises `NoSuchEntry`."""
        return self._data.leaves[self._checked(index)]

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves from ``index << level``. Raises `NoSuchEntry`."""
        return self._nodes.node(level, index)

    def tile(self, level: int, index: int) -> bytes:
        """The full tile `index` of tile level `level`. Raises `NoSuchEntry`."""
        for _, data in self._tiles(level, index, index + 1):
            return data
        raise NoSuchEntry(f"there is no full tile {index} at level {level}")

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes `start` to below `end` of tile level `level`."""
        return self._nodes.hashes(level, start, end)

    def find_statement(self, statement: bytes) -> int | None:
        """The first index with exactly these statement bytes."""
        return self._published(self._data.statements.get(statement))

    def find_leaf(self, leaf: bytes) -> int | None:
        """The index of the entry with this leaf hash."""
        return self._published(self._data.indexes.get(leaf))

    def seed(self, index: int) -> bytes | None:
        """The salt seed kept for the entry at `index`."""
        return self._data.seeds[index] if 0 <= index < self._size else None

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size."""
        return self.checkpoint_at_or_below(self._size)

    def checkpoint_at_or_below(self, size: int) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size that is not above `size`."""
        below = [kept for kept in self._sizes if kept <= size]
        return StoredCheckpoint(max(below), self._data.checkpoints[max(below)]) if below else None

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """All checkpoints, ascending by size."""
        for size in sorted(self._sizes):
            yield StoredCheckpoint(size, self._data.checkpoints[size])

    def _checked(self, index: int) -> int:
        if not 0 <= index < self._size:
            raise NoSuchEntry(f"there is no entry {index} in a ledger of {self._size}")
        return index

    def _published(self, index: int | None) -> int | None:
        return index if index is not None and index < self._size else None

    def _leaves(self, start: int, end: int) -> Sequence[bytes]:
        return self._data.leaves[start : min(end, self._size)]

    def _tiles(self, level: int, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        tiles = self._data.tiles.get(level, [])
        full = self._size >> TILE_HEIGHT * (level + 1)
        return [(n, tiles[n]) for n in range(max(start, 0), min(end, full))]


class MemoryWriter(MemoryReader):
    """Appends to the lists; `MemoryLedger.writing` publishes or cuts off what it added."""

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Give each draft its place; a statement that is there already returns its first entry."""
        data = self._data
        fresh: list[tuple[Entry, bytes | None]] = []
        placed: dict[bytes, Entry] = {}
        result: list[Entry] = []
        last = self.head().last_leaf
        for draft in drafts:
            first = data.statements.get(draft.statement)
            entry = placed.get(draft.statement) if first is None else data.entries[first]
            if entry is None:
                index = self._size + len(fresh)
                entry = Entry(draft.kind, index, draft.received_ms, last, draft.statement, draft.signatures)
                placed[draft.statement] = entry
                last = entry.leaf
                fresh.append((entry, draft.seed))
            result.append(entry)
        self._write(fresh)
        return result

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint; the same note again changes nothing. Raises `CheckpointConflict`."""
        if size > self._size:
            raise StoreError(
                f"a checkpoint of size {size} over {self._size} entries", code="checkpoint-beyond-head"
            )
        if self._data.checkpoints.setdefault(size, note) != note:
            raise CheckpointConflict(f"another checkpoint of size {size} is already kept")
        self._sizes = tuple(self._data.checkpoints)

    def _write(self, fresh: Sequence[tuple[Entry, bytes | None]]) -> None:
        data = self._data
        leaves = [entry.leaf for entry, _ in fresh]
        peaks = data.peaks[self._size]
        for completed in grow(peaks, leaves).completed[::TILE_HEIGHT]:
            level = completed.level // TILE_HEIGHT
            tiles = full_tiles(level, completed.first, completed.hashes, self._nodes.hashes)
            data.tiles.setdefault(level, []).extend(tile for _, tile in tiles)
        for (entry, seed), leaf in zip(fresh, leaves, strict=True):
            peaks = peaks.append(leaf)
            data.statements[entry.statement] = data.indexes[leaf] = entry.index
            data.entries.append(entry)
            data.bodies.append(entry.encode())
            data.leaves.append(leaf)
            data.seeds.append(seed)
            data.peaks.append(peaks)
        self._size += len(fresh)


class MemoryLedger:
    """One ledger in memory. Threads may share it: writers take turns, readers never wait."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._data = _Data()
        self._published: tuple[int, tuple[int, ...]] = (0, ())
        self._lock = threading.Lock()
        self._cache = TileCache()

    @property
    def origin(self) -> str:
        """The log's origin line."""
        return self._origin

    @contextlib.contextmanager
    def writing(self) -> Iterator[MemoryWriter]:
        """One writing transaction: published at the end, cut off if the block raises."""
        with self._lock:
            writer = MemoryWriter(self._data, *self._published)
            try:
                yield writer
            except BaseException:
                self._cut(*self._published)
                raise
            self._published = (len(self._data.entries), tuple(self._data.checkpoints))

    @contextlib.contextmanager
    def reading(self) -> Iterator[MemoryReader]:
        """Reads of what is published now."""
        yield MemoryReader(self._data, *self._published, self._cache)

    @contextlib.contextmanager
    def auditing(self) -> Iterator[MemoryReader]:
        """Reads of what is published now, every hash computed anew."""
        yield MemoryReader(self._data, *self._published)

    def _cut(self, size: int, sizes: tuple[int, ...]) -> None:
        data = self._data
        for entry in data.entries[size:]:
            del data.statements[entry.statement]
        for leaf in data.leaves[size:]:
            del data.indexes[leaf]
        for items in (data.entries, data.bodies, data.leaves, data.seeds):
            del items[size:]
        del data.peaks[size + 1 :]
        for level, tiles in data.tiles.items():
            del tiles[size >> TILE_HEIGHT * (level + 1) :]
        for extra in set(data.checkpoints) - set(sizes):
            del data.checkpoints[extra]
