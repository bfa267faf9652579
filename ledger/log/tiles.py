"""Tiles: the tree's hashes as files that never change, so that anyone can compute any proof himself.

C2SP tlog-tiles (https://c2sp.org/tlog-tiles): a tile is 256 neighbouring hashes of tree level 8 x L::

    tile/0/x001/x234/067          full tile number 1234067 of leaf hashes
    tile/1/000.p/17               the first 17 hashes of a tile that is not full yet
    tile/entries/x001/x234/067    the entries of that tile (`BundleId`): each u16 length, bytes
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError
from ledger.log.encoding import from_decimal
from ledger.log.hashing import HASH_BYTES, pair_up
from ledger.log.tree import MAX_SIZE

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
MAX_LEVEL: Final = 7
"""Level 7 spans 2**64 leaves, more than any log has (C2SP allows up to 63)."""


@dataclass(frozen=True, slots=True)
class TileId:
    """Which tile: its level, its number within the level, how many hashes it has (256 when full)."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (
            0 <= self.level <= MAX_LEVEL and 0 <= self.index <= MAX_SIZE and 1 <= self.width <= TILE_WIDTH
        ):
            raise _refuse(f"there is no tile {self.level}/{self.index} of {self.width} hashes")

    @property
    def full(self) -> bool:
        """Whether it has all its 256 hashes and will never change."""
        return self.width == TILE_WIDTH

    def path(self) -> str:
        """Its path below the log's prefix."""
        return f"tile/{self.level}/{_number_path(self.index, self.width)}"

    @classmethod
    def parse(cls, path: str) -> "TileId":
        """Read a path strictly; `VerificationError` for any other spelling."""
        tile, level, number = _split_path(path)
        index, width = _read_number(number)
        tile_id = cls(from_decimal(level), index, width)
        if tile != "tile" or tile_id.path() != path:
            raise _refuse(f"{path!r} is not how the path of a tile is written")
        return tile_id


@dataclass(frozen=True, slots=True)
class BundleId:
    """Which entries: those whose leaf hashes are tile `index` of level 0, `width` of them (256 when full)."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        TileId(0, self.index, self.width)

    @property
    def full(self) -> bool:
        """Whether it has all its 256 entries and will never change."""
        return self.width == TILE_WIDTH

    def path(self) -> str:
        """Its path below the log's prefix."""
        return f"tile/entries/{_number_path(self.index, self.width)}"

    @classmethod
    def parse(cls, path: str) -> "BundleId":
        """Read a path strictly; `VerificationError` for any other spelling."""
        bundle_id = cls(*_read_number(_split_path(path)[2]))
        if bundle_id.path() != path:
            raise _refuse(f"{path!r} is not how the path of a bundle is written")
        return bundle_id


def _number_path(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return number + ("" if width == TILE_WIDTH else f".p/{width}")


def _split_path(path: str) -> tuple[str, str, str]:
    if len(path) > 64:
        raise _refuse("its path is too long")
    tile, level, number = (*path.split("/", 2), "", "")[:3]
    return tile, level, number


def _read_number(text: str) -> tuple[int, int]:
    """Index and width, leniently: whoever calls writes the path anew and compares."""
    number, partial, width = text.partition(".p/")
    digits = number.replace("x", "").replace("/", "")
    return from_decimal(digits.lstrip("0") or "0"), from_decimal(width) if partial else TILE_WIDTH


def width_at(size: int, level: int, index: int) -> int:
    """How many hashes tile `index` of `level` has in a tree of `size` leaves: 0 (none) to 256."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[TileId]:
    """Every tile of a tree, level by level."""
    for level in range(MAX_LEVEL + 1):
        count = size >> TILE_HEIGHT * level
        for index in range(-(-count // TILE_WIDTH)):
            yield TileId(level, index, width_at(size, level, index))


def split_tile(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile's bytes."""
    if len(data) != width * HASH_BYTES:
        raise _refuse(f"{len(data)} bytes where {width} hashes belong")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each with its length, u16 big-endian, before it. Ours have at most 65,535 bytes."""
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(2, "big"), entry))


def split_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle's bytes; `VerificationError` unless there are exactly `width` and nothing after."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if len(data) < at + 2 or len(data) < end:
            raise _refuse("its last entry is cut")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != width:
        raise _refuse(f"it has not exactly {width} entries")
    return entries


class TileNodes:
    """A `NodeReader` over tiles: reads each tile once and hashes up within it.

    `read` is given a `TileId` and returns its bytes. Nothing is believed by that: a proof made from wrong tiles does
    not verify. Not for sharing between threads.
    """

    def __init__(self, read: Callable[[TileId], bytes], size: int) -> None:
        self._read = read
        self._size = size
        self._levels: dict[tuple[int, int], list[Sequence[bytes]]] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves that begin at leaf ``index * 2**level``."""
        if index + 1 > self._size >> level:
            raise _refuse(f"node {level}/{index} is not complete in a tree of {self._size}")
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile, within = divmod(index, TILE_WIDTH >> height)
        levels = self._levels.get((tile_level, tile))
        if levels is None:
            width = width_at(self._size, tile_level, tile)
            levels = [split_tile(self._read(TileId(tile_level, tile, width)), width)]
            self._levels[tile_level, tile] = levels
        while len(levels) <= height:
            levels.append(pair_up(levels[-1]))
        return levels[height][within]


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"tile: {message}", code="tile")
