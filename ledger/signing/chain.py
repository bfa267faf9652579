"""Devices' own chains, judged from the entries alone: which number is missing, which stands twice.

An operator who drops an act cannot make the later ones of that device point past it. A stranger who has the entry
bundles (or any `Entry` in the order of the log) needs nothing else::

    audit = ChainAudit()
    for entry in entries:
        audit.add(entry)
    for stream in audit.streams(): ...        # how far each chain goes
    for found in audit.findings(): ...        # gaps and repeats, by name

Memory grows with streams and with what came out of order, not with entries. Whether signatures verify and keys counted
is for others to say (`verify_signatures`, the keyring).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from ledger.log.entry import Entry, Kind
from ledger.signing.statement import Statement


class ChainCode(StrEnum):
    """Closed set, in order of weight; each has its heading in docs/reference/findings.md."""

    GAP = "chain_gap"
    REPEAT = "chain_repeat"
    BROKEN = "chain_broken"
    AUTHOR = "chain_author"
    START = "chain_start"


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as a link of a chain. `statement` is SHA-256 of it; a `void` gives its number up."""

    index: int
    stream: bytes
    seq: int
    author: bytes
    statement: bytes
    prev: bytes
    void: bool = False


@dataclass(frozen=True, slots=True)
class ChainFinding:
    """What does not fit: the numbers `first` to `last` of a stream, at the entry `index` (None: nowhere)."""

    code: ChainCode
    stream: bytes
    author: bytes
    first: int
    last: int
    index: int | None
    message: str


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far a stream goes: without a gap to `complete`, with gaps to `highest`; `voids` were given up."""

    stream: bytes
    author: bytes
    complete: int
    highest: int
    voids: int


@dataclass(slots=True)
class _Stream:
    author: bytes
    upto: Link | None = None
    waiting: dict[int, Link] = field(default_factory=dict)
    voids: int = 0
    found: list[ChainFinding] = field(default_factory=list)

    @property
    def complete(self) -> int:
        return self.upto.seq if self.upto else 0


def link_of(entry: Entry) -> Link | None:
    """The link that an entry is; None for one without a chain. Raises `VerificationError` for a bad statement."""
    if entry.kind not in (Kind.CAPTURED, Kind.VOID_SEQ):
        return None
    statement = Statement.parse(entry.statement)
    chain = statement.chain
    if chain is None:
        return None
    return Link(
        entry.index,
        chain.stream,
        chain.seq,
        statement.author,
        sha256(entry.statement).digest(),
        chain.prev,
        entry.kind is Kind.VOID_SEQ,
    )


class ChainAudit:
    """Takes entries in the order of their indexes; says which chains have gaps, repeats and wrong links."""

    def __init__(self) -> None:
        self._streams: dict[bytes, _Stream] = {}
        self._begins: dict[bytes, set[bytes]] = {}

    def add(self, entry: Entry) -> None:
        """The next entry. Raises `VerificationError` for a statement that cannot be read."""
        if entry.kind is Kind.KEY:
            self.registered(sha256(entry.statement).digest(), [item.key for item in entry.signatures])
            return
        link = link_of(entry)
        if link is not None:
            self.link(link)

    def registered(self, statement: bytes, signers: list[bytes]) -> None:
        """A key record (SHA-256 of its statement) that these keys signed: a stream of theirs may begin with it."""
        for key in signers:
            self._begins.setdefault(key, set()).add(statement)

    def link(self, link: Link) -> None:
        """The next link."""
        stream = self._streams.get(link.stream)
        if stream is None:
            stream = self._streams[link.stream] = _Stream(link.author)
        if link.author != stream.author and not link.void:
            if stream.upto is not None and not stream.upto.void:
                self._find(stream, ChainCode.AUTHOR, link, "another key writes in this stream")
            else:
                stream.author = link.author  # only voids stood so far, and those another key may sign
        if link.seq <= stream.complete or link.seq in stream.waiting:
            self._find(stream, ChainCode.REPEAT, link, "this number stands already, with another statement")
            return
        stream.voids += link.void
        stream.waiting[link.seq] = link
        while (following := stream.waiting.pop(stream.complete + 1, None)) is not None:
            self._fits(stream, stream.upto, following)
            stream.upto = following

    def streams(self) -> Iterator[StreamState]:
        """Every stream, in the order in which they were first seen."""
        for name, stream in self._streams.items():
            highest = max(stream.waiting, default=stream.complete)
            yield StreamState(name, stream.author, stream.complete, highest, stream.voids)

    def findings(self) -> Iterator[ChainFinding]:
        """What does not fit as it stands now: a gap closes when what is missing comes, or is given up."""
        for name, stream in self._streams.items():
            yield from stream.found
            before = stream.complete
            for seq in sorted(stream.waiting):
                link = stream.waiting[seq]
                if seq > before + 1:
                    missing = f"{before + 1}" if seq == before + 2 else f"{before + 1} to {seq - 1}"
                    message = f"number {missing} is missing, and {seq} is here"
                    yield ChainFinding(
                        ChainCode.GAP, name, stream.author, before + 1, seq - 1, link.index, message
                    )
                before = seq

    def _fits(self, stream: _Stream, before: Link | None, link: Link) -> None:
        if before is None:
            known = self._begins.get(stream.author, set()) | self._begins.get(link.author, set())
            if link.prev not in known:
                told = "number 1 does not follow on the registration of its key"
                self._find(stream, ChainCode.START, link, told)
        elif not before.void and before.statement != link.prev:
            told = f"it does not follow on the statement that has number {before.seq}"
            self._find(stream, ChainCode.BROKEN, link, told)

    def _find(self, stream: _Stream, code: ChainCode, link: Link, message: str) -> None:
        told = f"number {link.seq}, entry {link.index}: {message}"
        stream.found.append(
            ChainFinding(code, link.stream, stream.author, link.seq, link.seq, link.index, told)
        )
