"""The entry: what the ledger appends, and what is hashed as a leaf.

Big-endian, nothing optional, nothing after the last signature (docs/formats/entry.md)::

    "PPL1" | kind u8 | index u64 | received_ms u64 | prev_leaf[32]
           | len u16 | statement | nsig u8 | nsig x (alg u8, key[32], len u16, signature)

`prev_leaf` is the leaf of the entry before: one hash is both the link of the chain and the leaf of the tree.
The entry knows its statement as bytes only: what they say is read in `ledger.signing.statement`.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ledger.errors import VerificationError
from ledger.log.hashing import HASH_BYTES, leaf_hash
from ledger.log.tree import MAX_SIZE

MAGIC: Final = b"PPL1"
MAX_ENTRY_BYTES: Final = 65_535
MAX_STATEMENT_BYTES: Final = 16_384
MAX_SIGNATURES: Final = 4
ZERO_LEAF: Final = bytes(HASH_BYTES)
"""`prev_leaf` of the entry at index 0."""

SIGNATURE_BYTES: Final = {1: 64, 2: 64}
"""Length of a signature by its `alg`: 1 Ed25519, 2 ECDSA P-256 as r || s."""

_HEAD = struct.Struct(">4sBQQ32sH")
_SIGNATURE = struct.Struct(">B32sH")
_ONE_SIGNATURE = struct.Struct(">BB32sH")


class Kind(IntEnum):
    """What an entry is: the number of its statement's type."""

    CAPTURED = 1
    RECEIVED = 2
    KEY = 3
    REDACTION = 4
    POLICY = 5
    AUDIT = 6
    CHECKPOINT = 7
    VOID_SEQ = 8

    @property
    def type(self) -> str:
        """The statement's word for it, such as ``void-seq``."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def of(cls, type_: str) -> "Kind":
        """The kind of a statement's type; raises `VerificationError` for a word that is none."""
        kind = _BY_TYPE.get(type_)
        if kind is None:
            raise VerificationError(f"{type_!r} is no type of statement", code="entry")
        return kind


_BY_TYPE = {kind.type: kind for kind in Kind}
_BY_NUMBER = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over the statement: algorithm, thumbprint of the key, signature bytes."""

    alg: int
    key: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log. `received_ms` is the node's clock at append, milliseconds since 1970."""

    kind: Kind
    index: int
    received_ms: int
    prev_leaf: bytes
    statement: bytes
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        signatures = self.signatures
        if not 0 <= self.index <= MAX_SIZE:
            raise _refuse(f"index {self.index} is out of range")
        if not 0 <= self.received_ms <= MAX_SIZE:
            raise _refuse(f"received_ms {self.received_ms} is out of range")
        if len(self.prev_leaf) != HASH_BYTES:
            raise _refuse("prev_leaf is not 32 bytes long")
        if self.index == 0 and self.prev_leaf != ZERO_LEAF:
            raise _refuse("entry 0 has no entry before it, so its prev_leaf must be zero")
        if not 1 <= len(self.statement) <= MAX_STATEMENT_BYTES:
            raise _refuse(
                f"a statement of {len(self.statement)} bytes; 1 to {MAX_STATEMENT_BYTES} are allowed"
            )
        if not 1 <= len(signatures) <= MAX_SIGNATURES:
            raise _refuse(f"{len(signatures)} signatures; 1 to {MAX_SIGNATURES} are allowed")
        for signature in signatures:
            if len(signature.key) != HASH_BYTES:
                raise _refuse("a signature's key is not a 32-byte thumbprint")
            if SIGNATURE_BYTES.get(signature.alg) != len(signature.sig):
                raise _refuse(f"a signature of algorithm {signature.alg} with {len(signature.sig)} bytes")
        if len(signatures) > 1 and len({signature.key for signature in signatures}) != len(signatures):
            raise _refuse("two signatures by one key")

    def encode(self) -> bytes:
        """The entry's bytes."""
        if len(self.signatures) == 1:  # nearly all of them, and appending is a hot path
            [one] = self.signatures
            return (
                _HEAD.pack(
                    MAGIC, self.kind, self.index, self.received_ms, self.prev_leaf, len(self.statement)
                )
                + self.statement
                + _ONE_SIGNATURE.pack(1, one.alg, one.key, len(one.sig))
                + one.sig
            )
        parts = [
            _HEAD.pack(MAGIC, self.kind, self.index, self.received_ms, self.prev_leaf, len(self.statement)),
            self.statement,
            bytes((len(self.signatures),)),
        ]
        for signature in self.signatures:
            parts.append(_SIGNATURE.pack(signature.alg, signature.key, len(signature.sig)))
            parts.append(signature.sig)
        return b"".join(parts)

    @property
    def leaf(self) -> bytes:
        """SHA-256(0x00 || entry): the leaf of the tree, and the next entry's `prev_leaf`."""
        return leaf_hash(self.encode())

    @classmethod
    def decode(cls, data: bytes) -> "Entry":
        """Read an entry and hold it against its own encoding; `VerificationError` for anything malformed."""
        if len(data) > MAX_ENTRY_BYTES:
            raise _refuse(f"{len(data)} bytes; an entry has at most {MAX_ENTRY_BYTES}")
        try:
            magic, kind, index, received_ms, prev_leaf, length = _HEAD.unpack_from(data)
            at = _HEAD.size + length
            statement = data[_HEAD.size : at]
            signatures = []
            count = data[at]
            at += 1
            for _ in range(min(count, MAX_SIGNATURES + 1)):
                alg, key, length = _SIGNATURE.unpack_from(data, at)
                at += _SIGNATURE.size
                signatures.append(Signature(alg, key, data[at : at + length]))
                at += length
        except (struct.error, IndexError):
            raise _refuse("the bytes end before the entry does") from None
        if magic != MAGIC:
            raise _refuse(f"begins with {magic!r}, not with {MAGIC!r}")
        known = _BY_NUMBER.get(kind)
        if known is None:
            raise _refuse(f"there is no kind {kind}")
        entry = cls(known, index, received_ms, prev_leaf, statement, tuple(signatures))
        if entry.encode() != data:
            raise _refuse(
                "its bytes are not the writing of what they say: a length is wrong or something follows"
            )
        return entry


def link(data: bytes) -> tuple[int, bytes]:
    """(index, prev_leaf) of an entry's bytes without reading the rest: what a streaming audit of the chain needs."""
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise _refuse(f"begins with {data[:4]!r}, not with {MAGIC!r}")
    return int.from_bytes(data[5:13], "big"), data[21:53]


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"entry: {message}", code="entry")
