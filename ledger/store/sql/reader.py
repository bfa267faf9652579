"""Reading the ledger from its tables, on a connection that somebody else opened.

`SqlReader` keeps the `LedgerReader` promise on any SQLAlchemy connection: a reading one, a snapshot, or the writing
transaction that has just appended.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from ledger.errors import VerificationError
from ledger.log.entry import Entry
from ledger.log.tree import MAX_SIZE, Peaks
from ledger.store.nodes import TileCache, TreeNodes
from ledger.store.port import Head, LedgerDamaged, NoSuchEntry, StoredCheckpoint, StoreError
from ledger.store.sql import tables as t

PAGE_ROWS: Final = 1_000
HASH16_BYTES: Final = 16

_LEDGER: BindParameter[int] = bindparam("ledger")
_A: BindParameter[int] = bindparam("a")
_B: BindParameter[int] = bindparam("b")

_LEDGER_ID = select(t.ledger_origin.c.id).where(t.ledger_origin.c.origin == bindparam("origin"))
_HEAD = select(t.head.c.size, t.head.c.root, t.head.c.last_leaf, t.head.c.peaks).where(
    t.head.c.ledger == _LEDGER
)
_BODY = select(t.entry.c.body).where(t.entry.c.ledger == _LEDGER, t.entry.c.idx == _A)
_LEAF = select(t.entry.c.leaf).where(t.entry.c.ledger == _LEDGER, t.entry.c.idx == _A)
_BODIES = (
    select(t.entry.c.idx, t.entry.c.body)
    .where(t.entry.c.ledger == _LEDGER, t.entry.c.idx >= _A, t.entry.c.idx < _B)
    .order_by(t.entry.c.idx)
)
_LEAVES = (
    select(t.entry.c.idx, t.entry.c.leaf)
    .where(t.entry.c.ledger == _LEDGER, t.entry.c.idx >= _A, t.entry.c.idx < _B)
    .order_by(t.entry.c.idx)
)
_BY_LEAF = (
    select(t.entry.c.idx)
    .where(t.entry.c.leaf == bindparam("leaf"), t.entry.c.ledger == _LEDGER)
    .order_by(t.entry.c.idx)
    .limit(1)
)
_TILES = (
    select(t.tile.c.n, t.tile.c.data)
    .where(
        t.tile.c.ledger == _LEDGER, t.tile.c.level == bindparam("level"), t.tile.c.n >= _A, t.tile.c.n < _B
    )
    .order_by(t.tile.c.n)
)
_STATEMENT = (
    select(t.statement_index.c.idx)
    .where(t.statement_index.c.hash16 == bindparam("hash16"), t.statement_index.c.ledger == _LEDGER)
    .order_by(t.statement_index.c.idx)
)
_SEED = select(t.seed.c.seed).where(t.seed.c.ledger == _LEDGER, t.seed.c.idx == _A)
_CHECKPOINT = (
    select(t.checkpoint.c.size, t.checkpoint.c.note)
    .where(t.checkpoint.c.ledger == _LEDGER, t.checkpoint.c.size <= _B)
    .order_by(t.checkpoint.c.size.desc())
    .limit(1)
)
_CHECKPOINTS = (
    select(t.checkpoint.c.size, t.checkpoint.c.note)
    .where(t.checkpoint.c.ledger == _LEDGER, t.checkpoint.c.size > _A)
    .order_by(t.checkpoint.c.size)
    .limit(PAGE_ROWS)
)


class UnknownLedger(StoreError):
    """The database does not hold the ledger of this origin."""

    code = "unknown-ledger"


class SqlReader:
    """One ledger read through one connection. `cache` only for connections that see committed rows alone."""

    def __init__(
        self,
        connection: Connection,
        origin: str,
        *,
        cache: TileCache | None = None,
        ledger_id: int | None = None,
    ) -> None:
        self.connection = connection
        self.origin = origin
        self._id = ledger_id
        self._cache = cache
        self._nodes = TreeNodes(self._leaves, self._tiles, cache)

    @property
    def ledger_id(self) -> int:
        """The small integer that stands for the origin in every table. Raises `UnknownLedger`."""
        if self._id is None and self._cache is not None:
            # A proof would wait for this answer as long as for all the rest.
            self._id = self._cache.ledger_id
        if self._id is None:
            found = self.connection.execute(_LEDGER_ID, {"origin": self.origin}).scalar()
            if found is None:
                raise UnknownLedger(
                    f"this database does not hold the ledger {self.origin!r}: create it first"
                )
            self._id = int(found)
            if self._cache is not None:
                self._cache.ledger_id = self._id
        return self._id

    def head(self) -> Head:
        """The present head. Raises `LedgerDamaged` if its row contradicts itself."""
        row = self.connection.execute(_HEAD, {"ledger": self.ledger_id}).one_or_none()
        if row is None:
            raise LedgerDamaged(f"the head of {self.origin!r} is missing: run packproof fsck")
        return checked_head(*row)

    def entry(self, index: int) -> bytes:
        """The bytes of the entry at `index`. Raises `NoSuchEntry`."""
        body = self.connection.execute(_BODY, {"ledger": self.ledger_id, "a": index}).scalar()
        if body is None:
            raise NoSuchEntry(f"there is no entry {index} in {self.origin!r}")
        return bytes(body)

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) from `start` to below `end`, a page of rows at a time."""
        while start < end:
            stop = min(start + PAGE_ROWS, end)
            rows = self.connection.execute(_BODIES, {"ledger": self.ledger_id, "a": start, "b": stop}).all()
            yield from ((index, bytes(body)) for index, body in rows)
            if not rows and stop < end and not self._any_from(stop, end):
                return
            start = stop

    def leaf(self, index: int) -> bytes:
        """The leaf hash of the entry at `index`. Raises `NoSuchEntry`."""
        leaf = self.connection.execute(_LEAF, {"ledger": self.ledger_id, "a": index}).scalar()
        if leaf is None:
            raise NoSuchEntry(f"there is no entry {index} in {self.origin!r}")
        return bytes(leaf)

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves from ``index << level``. Raises `NoSuchEntry`."""
        return self._nodes.node(level, index)

    def tile(self, level: int, index: int) -> bytes:
        """The full tile `index` of tile level `level`. Raises `NoSuchEntry`."""
        for _, data in self._tiles(level, index, index + 1):
            return data
        raise NoSuchEntry(f"there is no full tile {index} at level {level} in {self.origin!r}")

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes `start` to below `end` of tile level `level`. Raises `NoSuchEntry`."""
        return self._nodes.hashes(level, start, end)

    def find_statement(self, statement: bytes) -> int | None:
        """The first index with exactly these statement bytes."""
        found = self.connection.execute(
            _STATEMENT, {"ledger": self.ledger_id, "hash16": hash16(statement)}
        ).scalars()
        for index in found.all():
            if Entry.decode(self.entry(index)).statement == statement:
                return int(index)
        return None

    def find_leaf(self, leaf: bytes) -> int | None:
        """The index of the entry with this leaf hash."""
        found = self.connection.execute(_BY_LEAF, {"ledger": self.ledger_id, "leaf": leaf}).scalar()
        return None if found is None else int(found)

    def seed(self, index: int) -> bytes | None:
        """The salt seed kept for the entry at `index`."""
        found = self.connection.execute(_SEED, {"ledger": self.ledger_id, "a": index}).scalar()
        return None if found is None else bytes(found)

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size."""
        return self.checkpoint_at_or_below(MAX_SIZE)

    def checkpoint_at_or_below(self, size: int) -> StoredCheckpoint | None:
        """The checkpoint of the greatest size that is not above `size`."""
        row = self.connection.execute(_CHECKPOINT, {"ledger": self.ledger_id, "b": size}).one_or_none()
        return None if row is None else StoredCheckpoint(int(row[0]), bytes(row[1]))

    def checkpoints(self, above: int = -1) -> Iterator[StoredCheckpoint]:
        """All checkpoints of more than `above` entries, ascending by size, a page of rows at a time."""
        last = above
        while rows := self.connection.execute(_CHECKPOINTS, {"ledger": self.ledger_id, "a": last}).all():
            for size, note in rows:
                yield StoredCheckpoint(int(size), bytes(note))
            last = rows[-1][0]

    def _any_from(self, start: int, end: int) -> bool:
        """Whether any entry lies there: a request for a range far beyond the end must not page through nothing."""
        limited = _LEAVES.limit(1)
        row = self.connection.execute(limited, {"ledger": self.ledger_id, "a": start, "b": end}).first()
        return row is not None

    def _leaves(self, start: int, end: int) -> Sequence[bytes]:
        rows = self.connection.execute(_LEAVES, {"ledger": self.ledger_id, "a": start, "b": end}).all()
        if [index for index, _ in rows] != list(range(start, start + len(rows))):
            raise LedgerDamaged(f"entries between {start} and {end} are missing: run packproof fsck")
        return [bytes(leaf) for _, leaf in rows]

    def _tiles(self, level: int, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        if self.connection.dialect.name == "postgresql":
            # Imported only now: a node on SQLite needs no driver of PostgreSQL.
            from ledger.store.sql.postgresql_rows import tiles

            return tiles(self.connection, self.ledger_id, level, start, end)
        found = self.connection.execute(
            _TILES, {"ledger": self.ledger_id, "level": level, "a": start, "b": end}
        ).all()
        return [(int(n), bytes(data)) for n, data in found]


def hash16(statement: bytes) -> bytes:
    """The key under which a statement is looked up: the first 16 bytes of its SHA-256."""
    return sha256(statement).digest()[:HASH16_BYTES]


_computed: list[Head] = []


def note_computed(head: Head) -> None:
    """Remember a head whose root was computed from its peaks just now, so that reading the same bytes costs nothing.

    The last one alone: who appends one entry after the other reads what it wrote. No row is believed for it: other
    bytes in any column are another question, which `checked_head` answers by computing.
    """
    _computed[:] = [head]


def checked_head(size: int, root: bytes, last_leaf: bytes, peaks: bytes) -> Head:
    """The head of a row, its root recomputed from its peaks. Raises `LedgerDamaged`."""
    for head in _computed:
        if (head.size, head.root, head.last_leaf) == (size, root, last_leaf) and head.peaks.encode() == peaks:
            return head
    try:
        decoded = Peaks.decode(bytes(peaks))
    except VerificationError as error:
        raise LedgerDamaged(f"the head's peaks cannot be read ({error}): run packproof fsck") from error
    if decoded.size != size or decoded.root() != bytes(root):
        raise LedgerDamaged("the head's peaks do not give its size and root: run packproof fsck")
    return Head(int(size), bytes(root), bytes(last_leaf), decoded)
