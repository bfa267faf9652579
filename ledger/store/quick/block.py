"""Whether a block of consecutive entry rows is sound, judged by list operations instead of row by row.

A row is ``(idx, leaf, body, recv_ms)``. In a sound block each body is an entry of its place (docs/formats/entry.md),
each leaf is its body's hash and the next body's `prev_leaf`, and times agree::

    proven = prove_block(rows, start, tiles, sizes=[600])
    proven is None                 something is wrong, or unusual: look at each row
    proven.first_prev              what the first entry says the leaf before it is
    proven.roots, proven.rest      the hashes over each 256 leaves, and the leaves after the last 256
    proven.edges[600]              the peaks of the leaves between the last 256 and size 600

Statements are summed up, so that the table that finds them can be compared as a whole: `statement_sum` over all blocks
equals `index_sum` over all rows of that table. Each statement's hash16 is hashed once more under a key (Python's for
bytes, PYTHONHASHSEED, 32 bits), and weighs its entry's index: whoever changes rows without knowing the weights cannot
make a change cancel out, and one does by chance for about one key in 2**32. Workers get a key that is drawn for the
audit; where there are none, in short ledgers, it is the one that Python drew when this process began, and no secret if
PYTHONHASHSEED was set for it.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from operator import mul, sub
from typing import Final, NamedTuple

from ledger.errors import VerificationError
from ledger.log.entry import MAGIC, MAX_STATEMENT_BYTES, Entry, Kind
from ledger.log.hashing import pair_up
from ledger.log.tree import Peaks
from ledger.store.signatures import Verify

TILE: Final = 256
Rows = Sequence[tuple[int, bytes, bytes, int]]

_HEAD = struct.Struct(">4sBQQ32sH")
_AT = _HEAD.size
_SIGNATURE = 1 + 32 + 2 + 64
_LENGTH_64 = b"\x00\x40"
_KINDS = frozenset(int(kind) for kind in Kind)
_HASH16 = 16


class Proven(NamedTuple):
    """What a sound block contributes to the chain, the tree and the table of statements."""

    first_prev: bytes
    last_leaf: bytes
    roots: list[bytes]
    rest: list[bytes]
    edges: dict[int, tuple[bytes, ...]]
    statement_sum: int


def prove_block(
    rows: Rows,
    start: int,
    tiles: Sequence[tuple[int, bytes]],
    sizes: Sequence[int],
    verify: Verify | None = None,
) -> Proven | None:
    """Judge the rows of the entries from `start`, a multiple of 256; None where anything is not as it must be.

    `tiles`: (n, data) of the level 0 tiles that the block fills, ascending. `sizes`: tree sizes above `start` and up to
    the block's end at which a root was signed.
    """
    indexes, leaves, bodies, times = zip(*rows, strict=True)
    heads = list(map(_HEAD.unpack_from, bodies))
    magics, kinds, own, received, befores, lengths = zip(*heads, strict=True)
    computed = [sha256(b"\x00" + body).digest() for body in bodies]
    if (
        indexes != tuple(range(start, start + len(rows)))
        or own != indexes
        or list(leaves) != computed
        or list(befores[1:]) != computed[:-1]
        or times != received
        or set(magics) != {MAGIC}
        or not _KINDS.issuperset(kinds)
        or not 0 < min(lengths) <= max(lengths) <= MAX_STATEMENT_BYTES
    ):
        return None
    ends = [_AT + length for length in lengths]
    if not _well_signed(bodies, ends, verify):
        return None
    full = len(rows) // TILE
    joined = [b"".join(computed[at : at + TILE]) for at in range(0, full * TILE, TILE)]
    if list(tiles) != list(enumerate(joined, start // TILE)):
        return None
    roots = computed[: full * TILE]
    for _ in range(8):
        roots = pair_up(roots)
    keys = [sha256(body[_AT:end]).digest()[:_HASH16] for body, end in zip(bodies, ends, strict=True)]
    return Proven(
        befores[0],
        computed[-1],
        roots,
        computed[full * TILE :],
        {size: _edge(computed, size - start) for size in sizes},
        _weighed(keys, indexes),
    )


def index_sum(rows: Sequence[tuple[bytes, int]]) -> int | None:
    """The sum over rows (hash16, idx) of the table of statements, ascending.

    None where one statement stands twice, or an index is no number (SQLite keeps what it is given).
    """
    if not rows:
        return 0
    keys, indexes = zip(*rows, strict=True)
    if len(set(keys)) != len(keys) or set(map(type, indexes)) != {int}:
        return None
    return _weighed(keys, indexes)


def _weighed(keys: Sequence[bytes], indexes: Sequence[int]) -> int:
    """The sum over all rows of weight * (index + 1).

    Not of `hash((key, index))`: a tuple's hash mixes an index so little that two rows which change places often leave
    the sum as it was.
    """
    weights = list(map(hash, keys))
    products: Iterable[int] = map(mul, weights, indexes)
    return sum(products) + sum(weights)


def _edge(leaves: Sequence[bytes], count: int) -> tuple[bytes, ...]:
    return Peaks().extend(leaves[count - count % TILE : count]).hashes


def _well_signed(bodies: Sequence[bytes], ends: Sequence[int], verify: Verify | None) -> bool:
    """Whether what follows each statement is one to four signatures and nothing else; with `verify`, good ones."""
    # One signature has one shape, whoever made it: few keys, few different tails.
    lengths = set(map(sub, map(len, bodies), ends))
    tails = {body[end : end + 36] for body, end in zip(bodies, ends, strict=True)}
    if lengths != {1 + _SIGNATURE} or not all(
        tail[0] == 1 and tail[1] in (1, 2) and tail[34:] == _LENGTH_64 for tail in tails
    ):
        try:
            for body in bodies:
                Entry.decode(body)
        except VerificationError:
            return False
    if verify is None:
        return True
    return all(verify(body[_AT:end], _signatures(body, end)) for body, end in zip(bodies, ends, strict=True))


def _signatures(body: bytes, end: int) -> list[bytes]:
    return [body[at : at + _SIGNATURE] for at in range(end + 1, len(body), _SIGNATURE)]
