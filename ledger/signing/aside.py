"""Records that stand beside the events: an act that is given up, a late act that is parked, a disclosure.

Like a key record (docs/formats/statement.md): a list of fields of one value each, and a raw document that is JCS of the
same members, all strings::

    {"seq":"5","statement":"<hex 64>","stream":"<hex 32>","type":"void-seq","why":"scanned twice"}
    {"action":"parked","ended":"17","key":"<hex 64>","statement":"<hex 64>","type":"audit","why":"revoked"}
    {"action":"disclosed","answer":"<hex 64>","reason":"recall","request":"case_...","to":"fda","type":"audit"}

A **void-seq** takes the number that it gives up: `seq` of its statement is that number and `prev` what the given-up
statement had, so that the entries alone show which gap it closes. **Parked** is the node's word that a statement came
after its key had ended, so that nobody can say it never came. **Disclosed** is its word that it handed an answer out:
the SHA-256 of the answer's manifest, to which kind of authority, for what reason.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final, TypeVar

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import from_decimal, from_hex, from_json
from ledger.log.entry import Kind
from ledger.log.note import Note
from ledger.signing.commitment import SEED_BYTES, Leaf, commit
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keys import Signer
from ledger.signing.printable import is_printable
from ledger.signing.statement import Chain, Commit, Statement

MAX_WHY: Final = 200
ENDED: Final = ("revoked", "suspended")

_WORD = re.compile(r"[a-z0-9_]{1,60}")

_R = TypeVar("_R", "Void", "Parked", "Disclosed")


@dataclass(frozen=True, slots=True)
class Void:
    """Number `seq` of `stream` is given up: `statement` is SHA-256 of what had it, `why` for people."""

    kind: ClassVar[Kind] = Kind.VOID_SEQ
    stream: bytes
    seq: int
    statement: bytes
    why: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.why) <= MAX_WHY or not is_printable(self.why):
            raise _refuse(f"a reason has 1 to {MAX_WHY} printable characters")

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members."""
        return _document(
            {
                "type": "void-seq",
                "stream": self.stream.hex(),
                "seq": str(self.seq),
                "statement": self.statement.hex(),
                "why": self.why,
            }
        )

    @classmethod
    def parse(cls, document: bytes) -> "Void":
        """Read a document; `VerificationError` for anything but exactly one."""
        text = _members(document, "type", "stream", "seq", "statement", "why")
        if text["type"] != "void-seq":
            raise _refuse("its type is not void-seq")
        stream, statement = from_hex(text["stream"], length=16), from_hex(text["statement"], length=32)
        return _exact(cls(stream, from_decimal(text["seq"]), statement, text["why"]), document)


@dataclass(frozen=True, slots=True)
class Parked:
    """A statement (SHA-256) that came when `key`, which signed it, had been revoked or suspended at index `ended`."""

    kind: ClassVar[Kind] = Kind.AUDIT
    statement: bytes
    key: bytes
    why: str
    ended: int

    def __post_init__(self) -> None:
        if self.why not in ENDED:
            raise _refuse("a key ends by being revoked or suspended")

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members."""
        return _document(
            {
                "type": "audit",
                "action": "parked",
                "statement": self.statement.hex(),
                "key": self.key.hex(),
                "why": self.why,
                "ended": str(self.ended),
            }
        )

    @classmethod
    def parse(cls, document: bytes) -> "Parked":
        """Read a document; `VerificationError` for anything but exactly one."""
        text = _members(document, "type", "action", "statement", "key", "why", "ended")
        if (text["type"], text["action"]) != ("audit", "parked"):
            raise _refuse("it is no record of something parked")
        statement, key = from_hex(text["statement"], length=32), from_hex(text["key"], length=32)
        return _exact(cls(statement, key, text["why"], from_decimal(text["ended"])), document)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """An answer was handed out: `answer` is the SHA-256 of its manifest, `request` the case that asked, `to` the
    standing of who asked, `reason` why. Words of lower-case letters, digits and low lines: they name nobody."""

    kind: ClassVar[Kind] = Kind.AUDIT
    answer: bytes
    request: str
    to: str
    reason: str

    def __post_init__(self) -> None:
        if not all(_WORD.fullmatch(word) for word in (self.request, self.to, self.reason)):
            raise _refuse(
                "request, to and reason are words of 1 to 60 lower-case letters, digits and low lines"
            )

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members."""
        return _document(
            {
                "type": "audit",
                "action": "disclosed",
                "answer": self.answer.hex(),
                "request": self.request,
                "to": self.to,
                "reason": self.reason,
            }
        )

    @classmethod
    def parse(cls, document: bytes) -> "Disclosed":
        """Read a document; `VerificationError` for anything but exactly one."""
        text = _members(document, "type", "action", "answer", "request", "to", "reason")
        if (text["type"], text["action"]) != ("audit", "disclosed"):
            raise _refuse("it is no record of a disclosure")
        answer = from_hex(text["answer"], length=32)
        return _exact(cls(answer, text["request"], text["to"], text["reason"]), document)


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A head of another log that this node saw: its origin, size and root, and the SHA-256 of the note as it came."""

    kind: ClassVar[Kind] = Kind.CHECKPOINT
    origin: str
    size: int
    root: bytes
    note: bytes

    @classmethod
    def of(cls, note: bytes) -> "KeptCheckpoint":
        """The record of a note; verifies no signature. Raises `VerificationError`."""
        head = Checkpoint.parse(Note.parse(note).text)
        return cls(head.origin, head.size, head.root, sha256(note).digest())

    def members(self) -> dict[str, str]:
        """The record's members."""
        return {
            "type": "checkpoint",
            "origin": self.origin,
            "size": str(self.size),
            "root": self.root.hex(),
            "note": self.note.hex(),
        }

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members."""
        return _document(self.members())

    def told(self) -> str:
        """In words, on a line."""
        return f"{self.origin} at {self.size} entries, root {self.root.hex()[:16]}, is kept"


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy file that this node goes by from here on: the SHA-256 of its bytes."""

    kind: ClassVar[Kind] = Kind.POLICY
    policy: bytes

    @classmethod
    def of(cls, data: bytes) -> "KeptPolicy":
        """The record of a policy's bytes."""
        return cls(sha256(data).digest())

    def members(self) -> dict[str, str]:
        """The record's members."""
        return {"type": "policy", "policy": self.policy.hex()}

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members."""
        return _document(self.members())

    def told(self) -> str:
        """In words, on a line."""
        return f"policy {self.policy.hex()} is kept"


def fields_of(document: bytes) -> list[Leaf]:
    """The record's fields for the commitment, sorted by path. Raises `VerificationError`."""
    return [Leaf(path, text.encode()) for path, text in sorted(_members(document).items())]


def commitment_of(document: bytes, seed: bytes) -> bytes:
    """The root that a statement over this record commits to."""
    return commit(sha256(document).digest(), [], [fields_of(document)], seed)


@dataclass(frozen=True, slots=True)
class SignedAside:
    """A record ready to be appended: the envelope, and the document and seed that open its commitment."""

    envelope: Envelope
    document: bytes
    seed: bytes


def sign_aside(
    record: Void | Parked | Disclosed | KeptCheckpoint | KeptPolicy,
    ledger: str,
    signers: Sequence[Signer],
    chain: Chain | None = None,
) -> SignedAside:
    """Make the statement of a record for the log `ledger` and sign it, the author's key first."""
    seed, document = secrets.token_bytes(SEED_BYTES), record.document()
    made = Commit(commitment_of(document, seed), 1)
    statement = Statement.new(ledger, signers[0].thumbprint, record.kind, made, chain=chain)
    return SignedAside(sign(statement.encode(), signers), document, seed)


def sign_void(given_up: Statement, ledger: str, signer: Signer, why: str) -> SignedAside:
    """Give up the number of the statement `given_up`, which has a chain; `signer` is its party's."""
    if given_up.chain is None:
        raise _refuse("a statement without a chain has no number to give up")
    record = Void(given_up.chain.stream, given_up.chain.seq, sha256(given_up.encode()).digest(), why)
    return sign_aside(record, ledger, [signer], given_up.chain)


def open_void(envelope: Envelope, document: bytes, seed: bytes, ledger: str) -> tuple[Void, Statement]:
    """The record that a void-seq commits to, and its statement; verifies no signature. Raises `VerificationError`."""
    statement, record = Statement.parse(envelope.statement), Void.parse(document)
    if statement.ledger != ledger or statement.kind is not Kind.VOID_SEQ:
        raise _refuse(f"not a void-seq for {ledger}")
    chain = statement.chain
    if chain is None or (chain.stream, chain.seq) != (record.stream, record.seq):
        raise _refuse("the statement has not the number that the record gives up")
    if statement.commit != Commit(commitment_of(document, seed), 1):
        raise _refuse("document and seed do not give the root that was signed")
    return record, statement


def _exact(record: _R, document: bytes) -> _R:
    if record.document() != document:
        raise _refuse("it is not written as JCS writes it")
    return record


def _members(document: bytes, *names: str) -> dict[str, str]:
    found = from_json(document)
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise _refuse("it is no object of strings")
    if names and found.keys() != set(names):
        raise _refuse(f"it has not exactly {', '.join(names)}")
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _refuse("text with a half of a surrogate pair") from None
    return found


def _document(members: Mapping[str, str]) -> bytes:
    # Strings without control characters, so this is JCS.
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"record: {message}", code="aside-record")
