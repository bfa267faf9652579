"""One erasable thing of a capture, and how it is encrypted.

A part is one field of an event with the places in the raw document where it stands, or a member of the document's
header (a contact), or, where its places cannot be told, the whole raw document. Its plaintext::

    u32 length || value of the field || for each span: u32 offset || u16 placeholder's length || u32 length || bytes

`offset` is where the placeholder stands in the raw document as it is stored. Each part has a key of its own
(AES-256-GCM, nonce zero: a key encrypts once), wrapped (AES-256-GCM, random nonce) under the ring's key of its slot.
Both are bound to what they belong to: ``context = origin || 0x00 || SHA-256(statement) || path``; the slot is the first
8 bytes of ``SHA-256(context)``. The statement's digest stands for the entry: it is known before the entry has its
place.
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.erasable.rings import NoKey, Rings

WRAP_BYTES: Final = 60
NO_WRAP: Final = bytes(WRAP_BYTES)
WHOLE: Final = "document"
_NONCE: Final = bytes(12)


class PartDamaged(Exception):
    """A part's bytes do not open, or are no plaintext of a part."""


@dataclass(frozen=True, slots=True)
class Span:
    """`original` stands where the stored raw document has a placeholder of `size` bytes at `offset`."""

    offset: int
    size: int
    original: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """`path` is whole, as in the commitment (``e0/ext/...``), or ``document/NAME``, or ``document``.

    `leaf` is the hash of the field's leaf, None for what is in the raw document alone.
    """

    path: str
    ev_no: int | None
    event_id: str | None
    leaf: bytes | None
    value: bytes
    spans: tuple[Span, ...]

    def plaintext(self) -> bytes:
        """The bytes that are encrypted."""
        found = [len(self.value).to_bytes(4, "big"), self.value]
        for span in self.spans:
            found += (span.offset.to_bytes(4, "big"), span.size.to_bytes(2, "big"))
            found += (len(span.original).to_bytes(4, "big"), span.original)
        return b"".join(found)


def parse(plain: bytes) -> tuple[bytes, tuple[Span, ...]]:
    """Value and spans of a part's plaintext. Raises `PartDamaged`."""
    size = int.from_bytes(plain[:4], "big")
    value, at, spans = plain[4 : 4 + size], 4 + size, []
    while at < len(plain):
        offset, width = (
            int.from_bytes(plain[at : at + 4], "big"),
            int.from_bytes(plain[at + 4 : at + 6], "big"),
        )
        length = int.from_bytes(plain[at + 6 : at + 10], "big")
        spans.append(Span(offset, width, plain[at + 10 : at + 10 + length]))
        at += 10 + length
    if at != len(plain) or len(plain) < 4:
        raise PartDamaged("its plaintext has another length than it says")
    return value, tuple(spans)


def context_of(origin: str, statement: bytes, path: str) -> bytes:
    """What binds a part to its place."""
    return origin.encode() + b"\x00" + sha256(statement).digest() + path.encode()


def slot_of(context: bytes) -> int:
    """The slot of a part in its ring."""
    return int.from_bytes(sha256(context).digest()[:8], "big")


def lock(rings: Rings, ring: str, context: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """(wrapped key, ciphertext) of a part. What was erased comes back under a key that nobody has."""
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    try:
        above = rings.key(ring, slot_of(context), make=True)
    except NoKey:
        # The same statement was recorded and its value erased since: whoever lost the receipt sends it again, and is
        # answered with it. Nothing may be written that could be opened.
        above = secrets.token_bytes(32)
    wrap = nonce + AESGCM(above).encrypt(nonce, key, context)
    return wrap, AESGCM(key).encrypt(_NONCE, plain, context)


def unlock(rings: Rings, ring: str, context: bytes, wrap: bytes, data: bytes) -> bytes:
    """A part's plaintext. Raises `NoKey`, `PartDamaged`."""
    if len(wrap) != WRAP_BYTES or wrap == NO_WRAP:
        raise NoKey(ring)
    above = rings.key(ring, slot_of(context))
    try:
        key = AESGCM(above).decrypt(wrap[:12], wrap[12:], context)
        return AESGCM(key).decrypt(_NONCE, data, context)
    except InvalidTag as error:
        raise PartDamaged("it does not open with its key") from error
