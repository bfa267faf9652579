"""The few statements of the hot path, sent past SQLAlchemy: taking the head's lock, finding duplicates, appending.

SQLAlchemy's own execution costs more than these statements do where an append is of one entry. What differs between the
databases is in `sqlite_rows` and `postgresql_rows`; here is what they share, and the choice between them::

    rows = rows_of(connection)
    head, known = rows.lock_head(origin, hashes)       # one round trip; the head stays locked to the transaction's end
    rows.append(ledger, new_rows, head.size, new_head)
    rows.append_onto(ledger, origin, old_head, new_rows, new_head)         # all of it at once, for who knows the head

Errors are raised as SQLAlchemy's, without the parameters, because seeds are among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from ledger.store.port import Head


@dataclass(slots=True)
class NewRows:
    """The columns of the rows that one append writes, ascending from index `first`.

    `seed_idx` and `seeds` only for those that have a seed.
    """

    first: int
    leaf: list[bytes] = field(default_factory=list)
    body: list[bytes] = field(default_factory=list)
    recv_ms: list[int] = field(default_factory=list)
    hash16: list[bytes] = field(default_factory=list)
    seed_idx: list[int] = field(default_factory=list)
    seeds: list[bytes] = field(default_factory=list)


class HeadRow(NamedTuple):
    """The head's row as it is stored, and the small integer that stands for the origin."""

    ledger: int
    size: int
    root: bytes
    last_leaf: bytes
    peaks: bytes


class Rows(Protocol):
    """What each database can do, on one writing connection."""

    def lock_head(self, origin: str, hashes: Sequence[bytes]) -> tuple[HeadRow, list[int]] | None:
        """The head, locked to the end of the transaction, and the indexes known under `hashes`, ascending.

        Nothing if the database does not hold the ledger.
        """
        ...

    def known(self, ledger: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """(hash16, index) of the index rows with one of these hashes, ascending by index."""
        ...

    def append(self, ledger: int, rows: NewRows, old_size: int, new: Head) -> bool:
        """Insert the rows and move the head from `old_size` to `new`; false if the head was no longer there."""
        ...

    def append_onto(self, ledger: int, origin: str, old: Head, rows: NewRows, new: Head) -> bool:
        """What `lock_head` and `append` do, in one, if the head is `old` in every column and no statement is known.

        False if not: then nothing was done, and the head may be locked or not. For rows that complete no tile.
        """
        ...


def rows_of(connection: Connection) -> Rows:
    """The statements for the database that `connection` leads to."""
    # Imported only now: a node on SQLite needs no driver of PostgreSQL.
    if connection.dialect.name == "sqlite":
        from ledger.store.sql.sqlite_rows import SqliteRows

        return SqliteRows(connection)
    from ledger.store.sql.postgresql_rows import PostgresqlRows

    return PostgresqlRows(connection)


def known_statements(connection: Connection, ledger: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """(hash16, index) of the index rows with one of these hashes, ascending by index."""
    return rows_of(connection).known(ledger, hashes)


def require_transaction(connection: Connection) -> None:
    """Raise `InvalidRequestError` unless a transaction is open: without one each statement would stand alone."""
    if not connection.in_transaction():
        raise InvalidRequestError("the ledger is written inside a transaction: use Database.writing()")


def raise_as_sqlalchemy(connection: Connection, sql: str, error: Any, cursor: Any = None) -> NoReturn:
    """Raise the driver's `error` as SQLAlchemy would have; a connection that is lost is given up."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if lost:
        connection.invalidate(error)
    raised = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    raise raised from error
