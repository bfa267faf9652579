"""The statement: the few hundred bytes that an author signs for a capture.

It says for which ledger, by whom, of what type, and commits to the content without showing any of it. Members and
types are fixed in docs/formats/statement.md::

    {"author":"<hex 64>","commit":{"alg":"salted-sha256-v1","n":1,"root":"<hex 64>"},"id":"<hex 32>",
     "ledger":"packproof.example/ledger","refs":[],"type":"captured","v":1}

Strings are printable ASCII and numbers are integers, so sorted members without white space are JCS (RFC 8785).
`parse` accepts bytes only if they equal the writing of what they say; afterwards those bytes are what is hashed.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import VerificationError
from ledger.log.encoding import MAX_JSON_INT, from_hex, from_json, to_json
from ledger.log.entry import MAX_STATEMENT_BYTES, Kind
from ledger.log.note import check_name

VERSION: Final = 1
COMMIT_ALG: Final = "salted-sha256-v1"
MAX_REFS: Final = 64
MAX_RECORDS: Final = 2**32 - 3
"""Number of records: with the document and the intake it must fit the u32 of the root's subtree."""

_MEMBERS: Final = frozenset(("v", "ledger", "author", "type", "id", "commit", "refs"))
_CHAIN_MEMBERS: Final = frozenset(("stream", "seq", "prev"))
_CHAINED: Final = frozenset((Kind.CAPTURED, Kind.VOID_SEQ))
_MANY_RECORDS: Final = frozenset((Kind.CAPTURED, Kind.RECEIVED))


@dataclass(frozen=True, slots=True)
class Commit:
    """What a statement commits to: the root of `ledger.signing.commitment` over `n` records."""

    root: bytes
    n: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The author's own chain: `seq` counts from 1, `prev` is SHA-256 of the author's statement before."""

    stream: bytes
    seq: int
    prev: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed. `author` is the thumbprint of the signing key, `refs` are leaves it refers to."""

    ledger: str
    author: bytes
    kind: Kind
    id: bytes
    commit: Commit
    refs: tuple[bytes, ...] = ()
    chain: Chain | None = None

    def __post_init__(self) -> None:
        check_name(self.ledger)
        _check_length("author", self.author, 32)
        _check_length("id", self.id, 16)
        _check_length("commit.root", self.commit.root, 32)
        most = MAX_RECORDS if self.kind in _MANY_RECORDS else 1
        if not (0 if most > 1 else 1) <= self.commit.n <= most:
            raise _refuse(f"{self.commit.n} records in a statement of type {self.type}")
        if len(self.refs) > MAX_REFS:
            raise _refuse(f"{len(self.refs)} refs; at most {MAX_REFS} are allowed")
        for ref in self.refs:
            _check_length("refs", ref, 32)
        if self.chain:
            if self.kind not in _CHAINED:
                raise _refuse(f"a statement of type {self.type} carries no stream, seq and prev")
            _check_length("stream", self.chain.stream, 16)
            _check_length("prev", self.chain.prev, 32)
            if not 1 <= self.chain.seq <= MAX_JSON_INT:
                raise _refuse(f"seq {self.chain.seq}; it counts from 1")

    @property
    def type(self) -> str:
        """The type's word, such as ``captured``."""
        return self.kind.type

    @classmethod
    def new(
        cls,
        ledger: str,
        author: bytes,
        kind: Kind,
        commit: Commit,
        *,
        refs: tuple[bytes, ...] = (),
        chain: Chain | None = None,
    ) -> "Statement":
        """A statement with a fresh random id."""
        return cls(ledger, author, kind, secrets.token_bytes(16), commit, refs, chain)

    def encode(self) -> bytes:
        """The bytes to sign: JCS."""
        value: dict[str, Any] = {
            "v": VERSION,
            "ledger": self.ledger,
            "author": self.author.hex(),
            "type": self.type,
            "id": self.id.hex(),
            "commit": {"alg": COMMIT_ALG, "root": self.commit.root.hex(), "n": self.commit.n},
            "refs": [ref.hex() for ref in self.refs],
        }
        if self.chain:
            value |= {"stream": self.chain.stream.hex(), "seq": self.chain.seq, "prev": self.chain.prev.hex()}
        return to_json(value)

    @classmethod
    def parse(cls, data: bytes) -> "Statement":
        """Read a statement's exact bytes; `VerificationError` for anything else."""
        if len(data) > MAX_STATEMENT_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_STATEMENT_BYTES} are allowed")
        value = from_json(data)
        if not isinstance(value, dict) or value.keys() - _CHAIN_MEMBERS != _MEMBERS:
            raise _refuse("not an object of exactly the members a statement has")
        if type(value["v"]) is not int or value["v"] != VERSION:
            raise _refuse(f"version {value['v']!r}; this program knows version {VERSION}")
        commit = value["commit"]
        if (
            not isinstance(commit, dict)
            or commit.keys() != {"alg", "root", "n"}
            or commit["alg"] != COMMIT_ALG
        ):
            raise _refuse(f"commit is not an object of alg ({COMMIT_ALG}), root and n")
        refs = value["refs"]
        if not isinstance(refs, list):
            raise _refuse("refs is not an array")
        statement = cls(
            _text(value, "ledger"),
            _hex(value, "author"),
            Kind.of(_text(value, "type")),
            _hex(value, "id"),
            Commit(_hex(commit, "root"), _integer(commit, "n")),
            tuple(_hex({"refs": ref}, "refs") for ref in refs),
            _chain(value),
        )
        if statement.encode() != data:
            raise _refuse("its bytes are not the canonical writing (RFC 8785) of what they say")
        return statement


def _chain(value: dict[str, Any]) -> Chain | None:
    present = value.keys() & _CHAIN_MEMBERS
    if not present:
        return None
    if present != _CHAIN_MEMBERS:
        raise _refuse("stream, seq and prev stand together or not at all")
    return Chain(_hex(value, "stream"), _integer(value, "seq"), _hex(value, "prev"))


def _text(value: dict[str, Any], member: str) -> str:
    text = value[member]
    if not isinstance(text, str):
        raise _refuse(f"{member} is not a string")
    return text


def _hex(value: dict[str, Any], member: str) -> bytes:
    return from_hex(_text(value, member))


def _integer(value: dict[str, Any], member: str) -> int:
    number = value[member]
    if type(number) is not int:  # bool is an int to Python
        raise _refuse(f"{member} is not an integer")
    return number


def _check_length(member: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise _refuse(f"{member} has {len(value)} bytes, not {length}")


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"statement: {message}", code="statement")
