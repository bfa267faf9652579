"""The ledger's tables.

::

    ledger_origin(id, origin)                      one row a ledger; a node has one
    head(ledger, size, root, last_leaf, peaks)     where it stands; its row is the lock of everything that appends
    entry(ledger, idx, leaf, body, recv_ms)        body: the entry's bytes; leaf and recv_ms follow from it
    statement_index(hash16, ledger, idx)           first 16 bytes of SHA-256(statement); whole bytes are compared
    tile(ledger, level, n, data)                   full tiles only: 256 hashes of 32 bytes (C2SP tlog-tiles)
    checkpoint(ledger, size, note)                 signed notes as published
    cosig(ledger, size, witness, line)             witnesses' signature lines
    seed(ledger, idx, seed)                        32 bytes of salt seed, or the salts that a redaction left
    wrap(ledger, idx, key)                         wrapped keys of erasable fields

Triggers refuse UPDATE and DELETE on entry, tile and checkpoint (the migration makes them): they stop accidents, not
the operator; what stops the operator is fsck, the mark and other people's checkpoints. Rows by index have no foreign
keys to entry, because checking them would cost more than the insert itself; fsck checks the same thing.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId


def _ledger() -> Column[int]:
    return Column("ledger", SmallInteger, primary_key=True, autoincrement=False)


def _index() -> Column[int]:
    return Column("idx", BigInteger, primary_key=True, autoincrement=False)


def _row() -> Column[int]:
    """The index of what every append writes: on SQLite the key by itself (revision 0015), and the rows' own number."""
    return Column("idx", BigId, primary_key=True, autoincrement=False)


ledger_origin = Table(
    "ledger_origin",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    UniqueConstraint("origin"),
)

head = Table(
    "head",
    metadata,
    Column("ledger", SmallInteger, ForeignKey("ledger_origin.id"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("last_leaf", LargeBinary, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    _ledger(),
    _row(),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recv_ms", BigInteger, nullable=False),
    # A hash index keeps four bytes of each leaf instead of all 32; SQLite has only the one kind.
    Index("ix_entry_leaf", "leaf", postgresql_using="hash"),
)

statement_index = Table(
    "statement_index",
    metadata,
    Column("hash16", LargeBinary, primary_key=True),
    _ledger(),
    _index(),
    sqlite_with_rowid=False,
)

tile = Table(
    "tile",
    metadata,
    _ledger(),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    _ledger(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
)

cosig = Table(
    "cosig",
    metadata,
    _ledger(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True),
    Column("line", LargeBinary, nullable=False),
    ForeignKeyConstraint(["ledger", "size"], ["checkpoint.ledger", "checkpoint.size"]),
)

seed = Table(
    "seed",
    metadata,
    _ledger(),
    _row(),
    Column("seed", LargeBinary, nullable=False),
)

wrap = Table(
    "wrap",
    metadata,
    _ledger(),
    _index(),
    Column("key", LargeBinary, nullable=False),
)
