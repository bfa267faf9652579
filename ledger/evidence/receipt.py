"""COSE receipts (RFC 9942) beside an evidence file: step 10; and what is given and told of a time stamp, step 11.

A receipt says in the words of the SCITT world what a tlog-proof says: a leaf is in a tree (inclusion), or a tree
continues another (consistency), signed by the log's Ed25519 key over the tree's root. Here it is held against evidence
that holds already (docs/formats/checkpoint.md, "COSE receipt")::

    inclusion      the leaf is that of the evidence's entry at the receipt's index
    consistency    the older or the newer tree is the one that the evidence's checkpoint seals

Time stamps are judged in `ledger.evidence.timestamp`, which loads X.509 and is loaded only where one is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from ledger.errors import LedgerError, VerificationError
from ledger.evidence.cbor import Tagged, dumps, loads
from ledger.evidence.report import Report
from ledger.log.hashing import HASH_BYTES
from ledger.log.note import ED25519, NoteVerifier
from ledger.log.proof import fold_consistency, fold_inclusion
from ledger.log.tree import MAX_SIZE
from ledger.signing.keys import ed25519_spki, load_verifier

MAX_RECEIPT_BYTES: Final = 16 * 1024
MAX_STAMP_BYTES: Final = 256 * 1024
MAX_CERTIFICATES_BYTES: Final = 256 * 1024
SIGN1_TAG: Final = 18
ALG, KID, CWT_CLAIMS, VDS, VDP = 1, 4, 15, 395, 396
EDDSA, ISSUER, RFC9162_SHA256 = -8, 1, 1
INCLUSION, CONSISTENCY = -1, -2
_MAX_HASHES: Final = 64


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What a receipt proved: ``inclusion`` of entry `first` in the tree of `second` entries, or ``consistency`` of
    the tree of `first` entries with that of `second`; `root` of the latter tree in hex."""

    kind: str
    first: int
    second: int
    root: str

    def told(self) -> str:
        """In words, on a line."""
        if self.kind == "inclusion":
            return f"receipt: entry {self.first} is in the ledger of {self.second} entries"
        return f"receipt: the ledger of {self.second} entries continues the one of {self.first}"


@dataclass(frozen=True, slots=True)
class TimeStampFiles:
    """What a reader has: the authority's answer (DER), the note that it stamped, his own certificates (PEM)."""

    answer: bytes
    note: bytes
    certificates: bytes


@dataclass(frozen=True, slots=True)
class StampLine:
    """What a time stamp proved: the head of `size` entries was there `at`, by the clock of `authority`.

    `beyond` are the entries of the evidence's events that stand at or above `size`: of those it says nothing.
    """

    at: str
    authority: str
    size: int
    beyond: tuple[int, ...] = ()

    def told(self) -> str:
        """In words, on a line."""
        words = f"time stamp: the ledger of {self.size} entries was there at {self.at}, says {self.authority}"
        if not self.beyond:
            return words
        noun = "entry" if len(self.beyond) == 1 else "entries"
        return f"{words}; of {noun} {', '.join(map(str, self.beyond))} it says NOTHING: not in that head"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as read. Nothing in it is believed before `check`."""

    protected: bytes
    kid: bytes
    issuer: str
    kind: int
    numbers: tuple[int, int]
    path: tuple[bytes, ...]
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """Read a receipt with one proof in deterministic CBOR. Raises `VerificationError`."""
        if len(data) > MAX_RECEIPT_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_RECEIPT_BYTES} are read")
        outer = loads(data)
        if not isinstance(outer, Tagged) or outer.tag != SIGN1_TAG:
            raise _refuse("not a COSE_Sign1 with its tag")
        protected, unprotected, payload, signature = _array(outer.value, 4)
        if payload is not None:
            raise _refuse("its payload is not detached")
        header = _map(loads(_bytes(protected)), {ALG, KID, CWT_CLAIMS, VDS})
        if (header[ALG], header[VDS]) != (EDDSA, RFC9162_SHA256):
            raise _refuse("not EdDSA over a tree of RFC 9162")
        issuer = _map(header[CWT_CLAIMS], {ISSUER})[ISSUER]
        proofs = _map(unprotected, {VDP})[VDP]
        if not isinstance(issuer, str) or not isinstance(proofs, dict) or len(proofs) != 1:
            raise _refuse("it names no issuer, or has not one kind of proof")
        [(kind, given)] = proofs.items()
        if kind not in (INCLUSION, CONSISTENCY):
            raise _refuse(f"a proof of kind {kind}")
        [proof] = _array(given, 1)
        one, other, path = _array(loads(_bytes(proof)), 3)
        numbers = (_number(one), _number(other))
        if kind == INCLUSION:  # which has the size first
            numbers = (numbers[1], numbers[0])
        if not isinstance(path, list) or len(path) > _MAX_HASHES:
            raise _refuse(f"its proof is not an array of at most {_MAX_HASHES} hashes")
        hashes = tuple(_bytes(each, HASH_BYTES) for each in path)
        return cls(
            _bytes(protected),
            _bytes(header[KID], HASH_BYTES),
            issuer,
            kind,
            numbers,
            hashes,
            _bytes(signature, 64),
        )

    def root(self, leaves: Mapping[int, bytes], heads: Mapping[int, bytes]) -> bytes:
        """The root that the proof leads to: of the newer tree. Raises `VerificationError`.

        `leaves` by index and the roots `heads` by size are what is known to hold.
        """
        first, second = self.numbers
        if self.kind == INCLUSION:
            if first not in leaves:
                raise _refuse(
                    f"it is about entry {first}, of which the evidence shows nothing", "receipt-entry"
                )
            return fold_inclusion(leaves[first], first, second, self.path)
        if not 0 < first < second:
            raise _refuse(f"there is no proof from {first} to {second} entries")
        path = self.path if first & (first - 1) else (heads.get(first, b""), *self.path)
        if path and len(path[0]) != HASH_BYTES:
            # The older root is not sent, and nobody here knows it.
            raise _refuse(f"the head of {first} entries is not known here", "receipt-head")
        older, newer = fold_consistency(first, second, path)
        known = [
            compare_digest(heads[size], root)
            for size, root in ((first, older), (second, newer))
            if size in heads
        ]
        if not known:
            raise _refuse(f"neither {first} nor {second} is the size of a head known here", "receipt-head")
        if not all(known):
            raise _refuse("the proof does not lead to the head known here", "receipt-head")
        return newer


def check(data: bytes, report: Report, logs: Sequence[NoteVerifier] = ()) -> ReceiptLine:
    """What a receipt proves of verified evidence. Raises `VerificationError`.

    `logs`: the keys that the reader's policy names; without, those that sealed the evidence.
    """
    receipt = Receipt.parse(data)
    if receipt.issuer != report.origin:
        raise _refuse(f"it is of {receipt.issuer[:80]}, the evidence of {report.origin}", "other-ledger")
    leaves = {event.index: bytes.fromhex(event.leaf) for event in report.events}
    root = receipt.root(leaves, {report.size: bytes.fromhex(report.root)})
    keys = logs or [NoteVerifier.parse(key) for key in report.log_keys]
    spkis = (ed25519_spki(key.public_key) for key in keys if (key.name, key.type) == (report.origin, ED25519))
    known = {verifier.thumbprint: verifier for verifier in map(load_verifier, spkis)}
    if receipt.kid not in known:
        raise _refuse("it is signed by a key of the log that is not trusted here", "unknown-log")
    signed = dumps(["Signature1", receipt.protected, b"", root])
    try:
        known[receipt.kid].verify(receipt.signature, signed)
    except LedgerError:
        raise _refuse(
            "the log's key did not sign the root that its proof leads to", "receipt-signature"
        ) from None
    kind = "inclusion" if receipt.kind == INCLUSION else "consistency"
    return ReceiptLine(kind, *receipt.numbers, root.hex())


def _array(value: object, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise _refuse(f"not an array of {length} where one belongs")
    return value


def _map(value: object, keys: set[int]) -> dict[Any, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise _refuse(f"not a map of {sorted(keys)} where one belongs")
    return value


def _bytes(value: object, length: int | None = None) -> bytes:
    if not isinstance(value, bytes) or length not in (None, len(value)):
        raise _refuse("not the byte string that belongs there")
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise _refuse("not a number of entries where one belongs")
    return value


def _refuse(message: str, code: str = "receipt") -> VerificationError:
    return VerificationError(f"receipt: {message}", code=code)
