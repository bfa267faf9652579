"""A ledger in a database: what opens transactions on it.

::

    ledger = SqlLedger(open_engine(url), "packproof.example/ledger")
    ledger.create()                       # once; again it changes nothing
    with ledger.writing() as writer: ...  # a transaction of its own
    with ledger.reading() as reader: ...
    ledger.writer(connection)             # inside the caller's transaction
"""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, insert, select

from ledger.log.entry import ZERO_LEAF
from ledger.log.tree import Peaks
from ledger.store.nodes import TileCache
from ledger.store.port import StoreError
from ledger.store.sql import tables as t
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.writer import SqlWriter

_THE_LEDGER = 1
_CREATING = 0x4C656467  # "Ledg": who holds this advisory lock of PostgreSQL begins the ledger


class OtherLedger(StoreError):
    """The database holds the ledger of another origin."""

    code = "other-ledger"


class SqlLedger:
    """One ledger in one migrated database. Threads may share it; a process that forks may go on using it."""

    def __init__(self, database: Database, origin: str) -> None:
        self.database = database
        self._origin = origin
        self._cache = TileCache()

    @property
    def origin(self) -> str:
        """The log's origin line."""
        return self._origin

    def create(self) -> None:
        """Begin the ledger with no entries, unless it is there. Raises `OtherLedger`.

        A node has one ledger. A second origin beside the first would come from a changed setting, and events that
        refer to entries by index would then point into two ledgers at once.
        """
        with self.database.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Two processes that start at once: the second waits here and finds what the first created. A lock of
                # the table would ask for a right to change it, which the node's role has not.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATING})")
            origins = connection.execute(select(t.ledger_origin.c.origin)).scalars().all()
            if self._origin in origins:
                return
            if origins:
                raise OtherLedger(
                    f"this database holds the ledger {origins[0]!r}, not {self._origin!r}: set the origin back, "
                    "or use a new database"
                )
            empty = Peaks()
            connection.execute(insert(t.ledger_origin), {"id": _THE_LEDGER, "origin": self._origin})
            values = {"size": 0, "root": empty.root(), "last_leaf": ZERO_LEAF, "peaks": empty.encode()}
            connection.execute(insert(t.head), {"ledger": _THE_LEDGER, **values})

    @contextlib.contextmanager
    def writing(self) -> Iterator[SqlWriter]:
        """One writing transaction, committed at the end, undone as a whole if the block raises."""
        with self.database.writing() as connection:
            yield SqlWriter(connection, self._origin)

    @contextlib.contextmanager
    def reading(self) -> Iterator[SqlReader]:
        """Reads that wait for no writer."""
        with self.database.reading() as connection:
            yield self.reader(connection)

    @contextlib.contextmanager
    def auditing(self) -> Iterator[SqlReader]:
        """Reads of one snapshot, every hash computed anew from the rows."""
        with self.database.snapshot() as connection:
            yield SqlReader(connection, self._origin)

    def writer(self, connection: Connection) -> SqlWriter:
        """A writer on a writing transaction of the caller's."""
        return SqlWriter(connection, self._origin)

    def reader(self, connection: Connection) -> SqlReader:
        """A reader on a connection of the caller's that sees committed rows alone."""
        return SqlReader(connection, self._origin, cache=self._cache)
