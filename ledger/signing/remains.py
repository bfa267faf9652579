"""What a redaction leaves of a capture's seed: the salts of all leaves but the erased ones, and those leaves' hashes.

From the seed every salt follows, and with a salt whoever guesses a short value can test his guess against the leaf that
stays in the tree. So the seed goes when a field is erased, and this takes its place::

    remains = 0x01 || u32 n || bitmap[ceil(n/8)] || for each leaf: salt[16], or hash[32] where its bit is set

Leaf k (in the commitment's order, docs/formats/statement.md) has bit ``7 - k % 8`` of byte ``k // 8``. At least one
leaf is erased; unused bits are 0. It is never 32 bytes long, as a seed is, and so the two cannot be confused.
"""

from collections.abc import Mapping, Sequence
from hashlib import shake_128
from typing import Final

from ledger.errors import VerificationError

SEED_BYTES: Final = 32
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
_VERSION: Final = b"\x01"
_HEAD_BYTES: Final = 5
_LABEL: Final = b"packproof salts v1"


class RemainsDamaged(VerificationError):
    """The bytes are neither a seed nor what a redaction leaves of one."""

    code = "seed_damaged"


def salt_stream(seed: bytes, count: int) -> bytes:
    """The salts of the first `count` leaves, 16 bytes each, from the capture's seed of 32 bytes."""
    return shake_128(_LABEL + seed).digest(count * SALT_BYTES)


def is_seed(kept: bytes) -> bool:
    """Whether `kept` is a whole seed: nothing was erased of its capture."""
    return len(kept) == SEED_BYTES


def check_form(kept: bytes) -> None:
    """Raise `RemainsDamaged` unless `kept` is a seed, or what a redaction left of one, whatever capture it is of."""
    if not is_seed(kept):
        _decode(kept)


def openings(kept: bytes, count: int) -> list[bytes]:
    """For each of the capture's `count` leaves its salt (16 bytes), or its hash (32 bytes) where it was erased.

    `kept` is the seed, or what was left of it. Raises `RemainsDamaged`.
    """
    if is_seed(kept):
        stream = salt_stream(kept, count)
        return [stream[at : at + SALT_BYTES] for at in range(0, len(stream), SALT_BYTES)]
    found = _decode(kept)
    if len(found) != count:
        raise RemainsDamaged(f"what is left of the seed is for {len(found)} leaves, the capture has {count}")
    return found


def erase(kept: bytes, count: int, erased: Mapping[int, bytes]) -> bytes:
    """What is left of `kept` when the leaves numbered in `erased` go; their hashes are the values.

    Leaves erased before stay erased. Raises `RemainsDamaged`, `ValueError` for no leaf of the capture.
    """
    found = openings(kept, count)
    if not erased or min(erased) < 0 or max(erased) >= count:
        raise ValueError("at least one leaf is erased, and it is one of the capture's")
    for number, digest in erased.items():
        if len(digest) != HASH_BYTES:
            raise ValueError("a leaf's hash has 32 bytes")
        if len(found[number]) == SALT_BYTES:
            found[number] = digest
    return encode(found)


def encode(found: Sequence[bytes]) -> bytes:
    """The bytes of `openings` of which at least one is a hash."""
    bitmap = bytearray((len(found) + 7) // 8)
    for number, each in enumerate(found):
        if len(each) == HASH_BYTES:
            bitmap[number // 8] |= 0x80 >> number % 8
    return _VERSION + len(found).to_bytes(4, "big") + bytes(bitmap) + b"".join(found)


def _decode(kept: bytes) -> list[bytes]:
    if len(kept) < _HEAD_BYTES or kept[:1] != _VERSION:
        raise RemainsDamaged(f"{len(kept)} bytes that are neither a seed nor what is left of one")
    count = int.from_bytes(kept[1:_HEAD_BYTES], "big")
    at = _HEAD_BYTES + (count + 7) // 8
    bitmap = kept[_HEAD_BYTES:at]
    if len(kept) < at + count * SALT_BYTES:
        raise RemainsDamaged(f"what is left of the seed ends before its {count} leaves")
    found = []
    for number in range(count):
        size = HASH_BYTES if bitmap[number // 8] & 0x80 >> number % 8 else SALT_BYTES
        found.append(kept[at : at + size])
        at += size
    if at != len(kept) or not any(bitmap) or encode(found) != kept:
        raise RemainsDamaged("what is left of the seed is not in its one form")
    return found
