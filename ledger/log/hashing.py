"""The two hashes everything else is made of, and the root of a tree with nothing in it.

RFC 6962, section 2.1: the prefix byte keeps a leaf from ever being taken for an inner node::

    leaf_hash(data)  = SHA-256(0x00 || data)
    node_hash(l, r)  = SHA-256(0x01 || l || r)
    EMPTY_ROOT       = SHA-256("")
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import repeat
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
# Unbound, so that map() calls it without a step of the interpreter between.
_digest: Final = type(sha256()).digest


def hash_each(preimages: Iterable[bytes]) -> list[bytes]:
    """SHA-256 of each, the fastest that Python has for many short ones: nothing but C between two hashes."""
    return [*map(_digest, map(sha256, preimages))]


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry's bytes as a leaf of the tree (RFC 6962, 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two 32-byte children (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """The parents of an even number of neighbours; a last one without a neighbour is left out.

    A level at a time is several times faster in Python than a node at a time.
    """
    neighbours = iter(hashes)
    return hash_each(map(b"".join, zip(repeat(b"\x01"), neighbours, neighbours, strict=False)))


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes (RFC 6962, 2.1), `EMPTY_ROOT` for none."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    # A node without a neighbour moves up unchanged: the same tree as splitting at the largest power of two.
    while len(level) > 1:
        above = pair_up(level)
        if len(level) & 1:
            above.append(level[-1])
        level = above
    return level[0]
