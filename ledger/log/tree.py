"""The right edge of a growing tree: all that is needed to append and to know the root.

The *peaks* are the roots of the complete subtrees from the largest to the smallest, one for each set bit of the
size. A tree of 11 leaves has three of them, over 8, 2 and 1 leaves::

            .
        /       \\
       .         .                peaks   h(0..7)  h(8..9)  h(10)
     /   \\     /   \\
    .     .   .     .     .       encoded u64 size || peak || peak || peak
   / \\   / \\ / \\   / \\   / \\   .
   0 1   2 3 4 5   6 7   8 9   10

`grow` is the fast way: it works a level at a time and hands back every subtree that became complete, so that a
store can keep what it wants (levels 0, 8, 16, ... are the hashes of C2SP tiles).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import VerificationError
from ledger.log.hashing import EMPTY_ROOT, HASH_BYTES, node_hash, pair_up

MAX_SIZE = 2**63 - 1
"""Sizes and indexes fit a signed 64-bit column of a database."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The head of a tree: its size and the roots of its complete subtrees, largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise VerificationError(f"a tree cannot have {self.size} leaves", code="peaks")
        if len(self.hashes) != self.size.bit_count():
            raise VerificationError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.hashes)}",
                code="peaks",
            )
        if self.hashes and set(map(len, self.hashes)) != {HASH_BYTES}:
            raise VerificationError("a peak is not 32 bytes long", code="peaks")

    def append(self, leaf: bytes) -> "Peaks":
        """The peaks with one more leaf hash. For many, `extend` and `grow` are faster."""
        size, hashes, carry = self.size, list(self.hashes), leaf
        while size & 1:
            carry = node_hash(hashes.pop(), carry)
            size >>= 1
        hashes.append(carry)
        return Peaks(self.size + 1, tuple(hashes))

    def extend(self, leaves: Iterable[bytes]) -> "Peaks":
        """The peaks with many more leaf hashes."""
        return grow(self, list(leaves)).peaks

    def root(self) -> bytes:
        """The tree's root (RFC 6962, 2.1): the peaks folded from the smallest up."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for peak in self.hashes[-2::-1]:
            root = sha256(b"\x01" + peak + root).digest()  # node_hash, without a call for each of up to 63
        return root

    def encode(self) -> bytes:
        """``u64 size || peaks``, as the store keeps it with the head."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def decode(cls, data: bytes) -> "Peaks":
        """Read what `encode` wrote; raises `VerificationError` for anything else."""
        if len(data) < 8 or (len(data) - 8) % HASH_BYTES:
            raise VerificationError(f"{len(data)} bytes are no peaks", code="peaks")
        hashes = tuple(data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES))
        return cls(int.from_bytes(data[:8], "big"), hashes)


@dataclass(frozen=True, slots=True)
class Completed:
    """Subtrees of 2**level leaves that became complete: neighbours, the first at index `first` of its level."""

    level: int
    first: int
    hashes: list[bytes]


@dataclass(frozen=True, slots=True)
class Growth:
    """What `grow` did: the new peaks, and for each level (ascending) the subtrees that became complete."""

    peaks: Peaks
    completed: list[Completed]

    def at(self, level: int) -> Completed | None:
        """The subtrees completed at one level, or nothing."""
        return self.completed[level] if level < len(self.completed) else None


def grow(peaks: Peaks, leaves: Sequence[bytes]) -> Growth:
    """Append many leaf hashes at once, in about one hash a leaf.

    Level 0 of the result is the leaves themselves; level 8 holds the roots of full tiles, level 16 those of
    full tiles of tiles. A level with nothing new ends the list.
    """
    if leaves and set(map(len, leaves)) != {HASH_BYTES}:
        raise VerificationError("a leaf hash is not 32 bytes long", code="leaf")
    size = peaks.size + len(leaves)
    waiting = list(peaks.hashes)  # smallest last, so that pop() gives the peak of the lowest set bit
    completed: list[Completed] = []
    edge: list[bytes] = []  # the new peaks, smallest first
    new, level = list(leaves), 0
    while new:
        completed.append(Completed(level, peaks.size >> level, new))
        if peaks.size >> level & 1:
            new = [waiting.pop(), *new]
        if len(new) & 1:
            edge.append(new[-1])
        new, level = pair_up(new), level + 1
    # Above the last level that changed, the old peaks stand as they were.
    return Growth(Peaks(size, (*waiting, *reversed(edge))), completed)
