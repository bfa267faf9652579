"""Hashes of complete subtrees, out of full tiles and, at the right edge, out of the leaves themselves.

Only full tiles are stored: tile (L, n) holds the hashes ``256n .. 256n+255`` of tree level ``8L``. A hash of level
``8L + k`` lies k levels up inside one tile. Where the tile is not full yet, the hashes of level ``8L`` are the
leaves (L = 0) or the roots of the full tiles one level below::

    tile(1, 0)        hashes of level 8           not full: made from the roots of tile(0, 0), tile(0, 1), ...
    tile(0, 0..)      hashes of level 0           not full: made from the leaves

A `TileCache` keeps tiles once hashed, and of each level the hashes behind the last full tile: the right edge. What is
committed never changes, so it needs no expiry; it must be filled from committed rows only, and never be used to judge
whether the rows are still what they were.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from ledger.log.hashing import HASH_BYTES, pair_up, tree_hash
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.store.port import NoSuchEntry

V = TypeVar("V")

TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES

TILES_KEPT: Final = 4_096
"""Tiles that a cache remembers: the leaves of a million entries, in 16 KiB each, where all of them are asked for."""
ROOTS_KEPT: Final = 65_536

LeafSource = Callable[[int, int], Sequence[bytes]]
"""The leaves from an index to below another that are there, ascending from the first."""
TileSource = Callable[[int, int, int], Sequence[tuple[int, bytes]]]
"""(n, data) of the full tiles of a tile level from n to below another that are there, ascending."""


class Tile:
    """One full tile and the levels inside it, hashed when first asked for.

    A level is kept as one byte string, because 256 objects for 256 hashes take three times the room.
    """

    __slots__ = ("_levels",)

    def __init__(self, data: bytes) -> None:
        if len(data) != TILE_BYTES:
            raise ValueError(f"a full tile has {TILE_BYTES} bytes, not {len(data)}")
        self._levels: tuple[bytes, ...] = (data,)

    def hash(self, level: int, index: int) -> bytes:
        """The hash `level` levels up inside the tile (0 to 8); two threads at once do the same work twice."""
        levels = self._levels
        if len(levels) <= level:
            # Whoever asks for one level is about to ask for the others: a proof takes a hash of each.
            self._levels = levels = _levels(levels[0])
        at = index * HASH_BYTES
        return levels[level][at : at + HASH_BYTES]


def _levels(data: bytes) -> tuple[bytes, ...]:
    """The hashes of a full tile and of all levels above them, up to its root, a byte string for each level."""
    level = [data[at : at + HASH_BYTES] for at in range(0, TILE_BYTES, HASH_BYTES)]
    levels = [data]
    while len(level) > 1:
        level = pair_up(level)
        levels.append(b"".join(level))
    return tuple(levels)


class _Edge:
    """The hashes of a tile that is not full yet, and the levels inside it as far as they are complete."""

    __slots__ = ("_first", "_levels", "end", "tile_level")

    def __init__(self, tile_level: int, first: int, hashes: Sequence[bytes]) -> None:
        self.tile_level = tile_level
        self.end = first + len(hashes)
        self._first = first
        self._levels = [list(hashes)]
        while len(self._levels[-1]) > 1:
            self._levels.append(pair_up(self._levels[-1]))

    def has(self, above: int, index: int) -> bool:
        """Whether the hash at `index`, `above` levels up, is one of these and complete."""
        return above < len(self._levels) and 0 <= index - (self._first >> above) < len(self._levels[above])

    def hash(self, above: int, index: int) -> bytes:
        """The hash at `index`, `above` levels up. Raises `NoSuchEntry`."""
        if not self.has(above, index):
            level = TILE_HEIGHT * self.tile_level + above
            raise NoSuchEntry(f"node {index} at level {level} is not complete in this ledger")
        return self._levels[above][index - (self._first >> above)]


class _Recent(Generic[V]):
    """The values last used, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._kept: OrderedDict[tuple[int, int], V] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def get(self, key: tuple[int, int]) -> V | None:
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def keep(self, key: tuple[int, int], value: V) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)


class TileCache:
    """The tiles and tile roots last used. Threads may share it.

    `ledger_id`, once it was read, is the number that stands for the origin in a database: it never changes either.
    """

    def __init__(self, tiles: int = TILES_KEPT, roots: int = ROOTS_KEPT) -> None:
        self.ledger_id: int | None = None
        self._tiles = _Recent[Tile](tiles)
        self._roots = _Recent[bytes](roots)
        self._edges: dict[int, _Edge] = {}

    def tile(self, level: int, n: int) -> Tile | None:
        """The tile, if it is remembered."""
        return self._tiles.get((level, n))

    def root(self, level: int, n: int) -> bytes | None:
        """The root of a full tile, if it is remembered."""
        return self._roots.get((level, n))

    def edge(self, tile_level: int) -> _Edge | None:
        """The last tile of a level that was not full when it was read, if it is remembered."""
        return self._edges.get(tile_level)

    def keep_edge(self, edge: _Edge) -> None:
        """Remember a tile that is not full, unless more of its level is known."""
        before = self._edges.get(edge.tile_level)
        if before is None or before.end < edge.end:
            self._edges[edge.tile_level] = edge

    def keep_tile(self, level: int, n: int, tile: Tile) -> None:
        """Remember a full tile."""
        self._tiles.keep((level, n), tile)

    def keep_root(self, level: int, n: int, root: bytes) -> None:
        """Remember the root of a full tile."""
        self._roots.keep((level, n), root)


class TreeNodes:
    """A `ledger.log.proof.NodeReader` over a source of leaves and one of full tiles."""

    def __init__(self, leaves: LeafSource, tiles: TileSource, cache: TileCache | None = None) -> None:
        self._leaves = leaves
        self._tiles = tiles
        self._cache = cache

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves from ``index << level``. Raises `NoSuchEntry`."""
        if not 0 <= level < 63 or index < 0:
            raise NoSuchEntry(f"no ledger has a node {index} at level {level}")
        tile_level, above = divmod(level, TILE_HEIGHT)
        first = index << above
        n, offset = divmod(first, TILE_WIDTH)
        edge = self._cache.edge(tile_level) if self._cache else None
        if edge is not None and edge.has(above, index):
            return edge.hash(above, index)
        tile = self._tile(tile_level, n)
        if tile is not None:
            return tile.hash(above, offset >> above)
        if self._cache is None:
            return tree_hash(self.hashes(tile_level, first, first + (1 << above)))
        return self._edge(tile_level, n).hash(above, index)

    def hashes(self, tile_level: int, start: int, end: int) -> list[bytes]:
        """The hashes of tree level ``8 * tile_level`` at `start` to below `end`, made from what lies below it."""
        if tile_level == 0:
            hashes = list(self._leaves(start, end))
            if len(hashes) != end - start:
                raise NoSuchEntry(f"not all of the entries {start} to {end - 1} are in the ledger")
            return hashes
        return self._roots(tile_level - 1, start, end)

    def _edge(self, tile_level: int, n: int) -> _Edge:
        """All hashes of a tile that is not full yet, remembered; as many as there are now."""
        start = n * TILE_WIDTH
        if tile_level == 0:
            hashes = list(self._leaves(start, start + TILE_WIDTH))
        else:
            hashes = self._roots_there(tile_level - 1, start, start + TILE_WIDTH)
        edge = _Edge(tile_level, start, hashes)
        if self._cache:
            self._cache.keep_edge(edge)
        return edge

    def _tile(self, level: int, n: int) -> Tile | None:
        tile = self._cache.tile(level, n) if self._cache else None
        if tile is None:
            for _, data in self._tiles(level, n, n + 1):
                tile = Tile(data)
                if self._cache:
                    self._cache.keep_tile(level, n, tile)
        return tile

    def _roots(self, level: int, start: int, end: int) -> list[bytes]:
        """The roots of the full tiles `start` to below `end`."""
        roots = self._roots_there(level, start, end)
        if len(roots) != end - start:
            raise NoSuchEntry(f"not all of the tiles {start} to {end - 1} of level {level} are in the ledger")
        return roots

    def _roots_there(self, level: int, start: int, end: int) -> list[bytes]:
        """The roots of the full tiles from `start` up to the first that is not there; one query for new ones."""
        found: dict[int, bytes] = {}
        if self._cache:
            kept = {n: self._cache.root(level, n) for n in range(start, end)}
            found = {n: root for n, root in kept.items() if root is not None}
        first = next((n for n in range(start, end) if n not in found), end)
        if first < end:
            for n, data in self._tiles(level, first, end):
                if n not in found:
                    found[n] = Tile(data).hash(TILE_HEIGHT, 0)
                    if self._cache:
                        self._cache.keep_root(level, n, found[n])
        return [found[n] for n in range(start, next((n for n in range(start, end) if n not in found), end))]


def full_tiles(
    tile_level: int, first: int, hashes: Sequence[bytes], before: Callable[[int, int, int], Sequence[bytes]]
) -> list[tuple[int, bytes]]:
    """(n, data) of the tiles that new `hashes` of one level fill, the first of them at index `first`.

    `before` (tile level, start, end) gives the hashes of the same level that came earlier.
    """
    end = first + len(hashes)
    made = []
    for n in range(first // TILE_WIDTH, end // TILE_WIDTH):
        start = n * TILE_WIDTH
        older = before(tile_level, start, first) if start < first else ()
        fresh = hashes[max(start, first) - first : start + TILE_WIDTH - first]
        made.append((n, b"".join((*older, *fresh))))
    return made
