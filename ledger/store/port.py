"""What a store promises, whatever it keeps the ledger in.

Three parts: a `LedgerReader` answers, a `LedgerWriter` appends within one transaction, a `LedgerStore` opens either.
`tests/contracts/test_ledger_store.py` defines the promise; memory, SQLite and PostgreSQL keep it alike::

    with store.writing() as writer:              # one transaction: all of it, or nothing
        [entry] = writer.append([Draft(Kind.RECEIVED, received_ms, statement, signatures, seed)])
    with store.reading() as reader:
        head = reader.head()
        proof = inclusion_proof(reader, entry.index, head.size)

A reader is a `ledger.log.proof.NodeReader`. Indexes begin at 0 and have no gaps. The same statement bytes appended
again give the entry they gave first, and change nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ledger.errors import LedgerError
from ledger.log.entry import Entry, Kind, Signature
from ledger.log.tree import Peaks
from ledger.signing.remains import SEED_BYTES


class StoreError(LedgerError):
    """What a store holds is not what it must hold, or what it was asked for is not there."""

    code = "store"


class NoSuchEntry(StoreError):
    """An index, tile or node beyond the ledger's size."""

    code = "no-such-entry"


class LedgerDamaged(StoreError):
    """Rows contradict each other. `packproof fsck` names the first one that does."""

    code = "ledger-damaged"


class HeadMoved(StoreError):
    """The head changed under a transaction that held its lock: something writes past the lock."""

    code = "head-moved"


class CheckpointConflict(StoreError):
    """Another checkpoint of the same size is already kept: two heads were signed for one size."""

    code = "checkpoint-conflict"


@dataclass(frozen=True, slots=True)
class Draft:
    """What becomes an entry once it has a place: everything but index and `prev_leaf`.

    `received_ms`: milliseconds since 1970. `seed`: the capture's 32 bytes of salt seed, where the node has them.
    """

    kind: Kind
    received_ms: int
    statement: bytes
    signatures: tuple[Signature, ...]
    seed: bytes | None = None

    def __post_init__(self) -> None:
        if self.seed is not None and len(self.seed) != SEED_BYTES:
            raise StoreError(f"a seed has {SEED_BYTES} bytes, not {len(self.seed)}", code="seed-length")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the ledger stands: how many entries, the tree's root, the last leaf (zeros when empty), the peaks."""

    size: int
    root: bytes
    last_leaf: bytes
    peaks: Peaks


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint as it was published: the size it is about, and the note's bytes."""

    size: int
    note: bytes


class LedgerReader(Protocol):
    """Reads. What lies below a size once read never changes, so answers for that size agree with each other."""

    def head(self) -> Head:
        """The present head."""
        ...

    def entry(self, index: int) -> bytes:
        """The bytes of the entry at `index`. Raises `NoSuchEntry`."""
        ...

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) of the entries from `start` to below `end` that are there, ascending, in little memory."""
        ...

    def leaf(self, index: int) -> bytes:
        """The leaf hash of the entry at `index`. Raises `NoSuchEntry`."""
        ...

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves from ``index << level``. Raises `NoSuchEntry` if not all are there."""
        ...

    def tile(self, level: int, index: int) -> bytes:
        """The full tile (C2SP tlog-tiles): 256 hashes of tree level ``8 * level``. Raises `NoSuchEntry`."""
        ...

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes `start` to below `end` of tree level ``8 * level``: a tile's that is not full yet.

        Raises `NoSuchEntry` if not all are there.
        """
        ...

    def find_statement(self, statement: bytes) -> int | None:
        """The index of the entry with exactly these statement bytes."""
        ...

    def find_leaf(self, leaf: bytes) -> int | None:
        """The index of the entry with this leaf hash: what a statement's `refs` point at."""
        ...

    def seed(self, index: int) -> bytes | None:
        """The salt seed kept for the entry at `index`, or what a redaction left of it."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size."""
        ...

    def checkpoint_at_or_below(self, size: int) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size that is not above `size`."""
        ...

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """All checkpoints, ascending by size, in little memory."""
        ...


class LedgerWriter(LedgerReader, Protocol):
    """Appends, inside one transaction that holds the head's lock from the first call to the end."""

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Give each draft its place, in order, and return the entries.

        A draft whose statement is already there, or came earlier in `drafts`, returns that first entry: its index
        is below the size the head had before, or a repeat. Raises `VerificationError` for a draft that makes no
        entry, and then nothing was appended.
        """
        ...

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint; the same note again changes nothing. Raises `CheckpointConflict`."""
        ...


class LedgerStore(Protocol):
    """One ledger: its origin, and transactions on it."""

    @property
    def origin(self) -> str:
        """The log's origin line."""
        ...

    def writing(self) -> AbstractContextManager[LedgerWriter]:
        """One writing transaction: committed at the end, undone as a whole if the block raises."""
        ...

    def reading(self) -> AbstractContextManager[LedgerReader]:
        """Reads that wait for no writer."""
        ...

    def auditing(self) -> AbstractContextManager[LedgerReader]:
        """Reads of one moment, of the rows as they are now: nothing that was read or computed before is trusted."""
        ...
