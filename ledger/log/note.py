"""C2SP signed notes: a text with signatures below it, readable by people and by strangers' tools.

https://c2sp.org/signed-note, Ed25519 signatures (type 0x01)::

    text, ending in a newline

    — example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=

Key id: the first 4 bytes of ``SHA-256(name || 0x0a || type || public key)``. A signature line by a key nobody asked
for is kept and ignored (rotation of keys and cosignatures rest on that); a line that names a known key and does not
verify refuses the whole note. Types: 0x01 Ed25519 over the text, 0x04 and 0x06 cosignatures (`ledger.log.cosigned`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import VerificationError
from ledger.log import mldsa
from ledger.log.cosigned import ed25519_message, mldsa_message, split_time
from ledger.log.encoding import from_base64, from_hex, to_base64

MAX_NOTE_BYTES: Final = 256 * 1024
"""64 lines of ML-DSA-44, 3,240 characters each beside the name, fit."""
MAX_SIGNATURE_LINES: Final = 64
MAX_NAME_BYTES: Final = 255
ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MLDSA44: Final = 0x06

_KEY_BYTES: Final = {ED25519: 32, COSIGNATURE: 32, MLDSA44: mldsa.PUBLIC_KEY_BYTES}

_DASH: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")  # any but the newline


def check_name(name: str) -> str:
    """The name if it may name a key or a log: 1 to 255 printable ASCII characters without space and plus.

    C2SP allows more; a name that looks like another one helps nobody who compares by eye.
    """
    if not 1 <= len(name) <= MAX_NAME_BYTES or not all("!" <= char <= "~" and char != "+" for char in name):
        raise VerificationError(
            f"{name[:80]!r} cannot name a log or a key: printable ASCII, no space, no '+'", code="name"
        )
    return name


def key_id(name: str, type_: int, public_key: bytes) -> bytes:
    """The 4 bytes that find a key: a hint, never a proof of identity."""
    return sha256(name.encode() + b"\n" + bytes((type_,)) + public_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who claims to have signed, by which key, and the bytes."""

    name: str
    key_id: bytes
    sig: bytes

    def line(self) -> str:
        """The line as it stands in the note, with its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.sig)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text (with its last newline) and the signature lines below it, verified or not."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Read a note strictly; `VerificationError` for anything that is not exactly one. Verifies no signature."""
        if len(data) > MAX_NOTE_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_NOTE_BYTES} are read")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise _refuse("not UTF-8") from None
        if _CONTROL.search(whole):
            raise _refuse("a control character")
        text, gap, below = whole.rpartition("\n\n")
        if not gap or not text or not below.endswith("\n"):
            raise _refuse("no text, or no signature lines below an empty line")
        lines = below[:-1].split("\n")
        if len(lines) > MAX_SIGNATURE_LINES:
            raise _refuse(f"{len(lines)} signature lines; at most {MAX_SIGNATURE_LINES} are read")
        note = cls(text + "\n", tuple(_signature(line) for line in lines))
        if note.encode() != data:
            raise _refuse("its bytes are not the writing of what they say")
        return note

    def verify(self, verifiers: Iterable["NoteVerifier"]) -> list["NoteVerifier"]:
        """Those of `verifiers` that signed; `VerificationError` if a known key's line is wrong, or none signed."""
        signed = []
        for verifier in verifiers:
            lines = [line for line in self.signatures if verifier.wrote(line)]
            for line in lines:
                verifier.check(self.text, line)
            if lines:
                signed.append(verifier)
        if not signed:
            raise VerificationError(
                "the note is signed by none of the keys it must be signed by", code="note-unsigned"
            )
        return signed

    def signed_also(self, more: Sequence[NoteSignature]) -> "Note":
        """The note with more signature lines below the ones it has."""
        return Note(self.text, (*self.signatures, *more))


def _signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise _refuse(f"{line[:40]!r} is no signature line")
    name, space, encoded = line[len(_DASH) :].partition(" ")
    if not space or not name or "+" in name or any(char.isspace() for char in name):
        raise _refuse(f"{line[:40]!r} names no key")
    raw = from_base64(encoded)
    if len(raw) < 5:
        raise _refuse(f"the signature of {name} is too short")
    return NoteSignature(name, raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key that signs notes: a log's (0x01), or a cosigner's (Ed25519 0x04, ML-DSA-44 0x06: with the time)."""

    name: str
    public_key: bytes
    type: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        length = _KEY_BYTES.get(self.type)
        if length is None:
            raise VerificationError(
                f"the key of {self.name} is of type {self.type:#04x}, not known here", code="note-key"
            )
        if len(self.public_key) != length:
            raise VerificationError(
                f"a public key of type {self.type:#04x} has {length:,} bytes", code="note-key"
            )

    @property
    def key_id(self) -> bytes:
        """See `key_id`."""
        return key_id(self.name, self.type, self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> "NoteVerifier":
        """Read a verifier key: ``name+hex key id+base64(type || public key)``."""
        parts = vkey.split("+", 2)
        if len(parts) != 3 or len(vkey) > 4096:
            raise VerificationError("a verifier key is written name+keyid+base64", code="note-key")
        name, hex_id, encoded = parts
        raw = from_base64(encoded)
        verifier = cls(name, raw[1:], raw[0] if raw else 0)
        if verifier.key_id != from_hex(hex_id, length=4):
            raise VerificationError(f"the key id of {name[:80]} does not belong to its key", code="note-key")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes((self.type,)) + self.public_key)}"

    def wrote(self, signature: NoteSignature) -> bool:
        """Whether a signature line claims to be by this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def check(self, text: str, signature: NoteSignature) -> None:
        """Raise `VerificationError` unless this key signed `text`."""
        if not self._signed(text, signature.sig):
            raise VerificationError(f"the note's signature by {self.name} is wrong", code="note-signature")

    def _signed(self, text: str, raw: bytes) -> bool:
        if self.type == MLDSA44:
            seconds, raw = split_time(raw)
            return mldsa.verify(self.public_key, raw, mldsa_message(self.name, text, seconds))
        signed = text.encode()
        if self.type == COSIGNATURE:
            seconds, raw = split_time(raw)
            signed = ed25519_message(text, seconds)
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(raw, signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class NoteSigner:
    """Signs notes under one name with an Ed25519 key."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.verifier = NoteVerifier(name, private_key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """The name it signs under; a log signs under its origin."""
        return self.verifier.name

    def sign(self, text: str) -> Note:
        """The note of a text that ends in a newline."""
        if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
            raise VerificationError(
                "a note's text ends in a newline and holds no control character", code="note"
            )
        return Note(text, (self.signature(text),))

    def signature(self, text: str) -> NoteSignature:
        """The signature line alone."""
        return NoteSignature(self.name, self.verifier.key_id, self._private_key.sign(text.encode()))


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"signed note: {message}", code="note")
