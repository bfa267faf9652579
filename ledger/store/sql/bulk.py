"""Writing many rows at once, the fastest way each database has.

SQLite takes ``executemany`` through the driver. PostgreSQL takes arrays: one statement with common table expressions
inserts entries, index rows and seeds and moves the head, in a single round trip whether it is for one entry or for
a thousand (``INSERT ... SELECT unnest`` is as fast as COPY).

The statements go to the driver's cursor: SQLAlchemy's own execution costs more than the statement where an append is
of one entry. Errors are raised as SQLAlchemy's, without the parameters, because seeds are among them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from ledger.store.port import Head


@dataclass(slots=True)
class NewRows:
    """The columns of the rows one append writes; `seed_idx` and `seeds` only for those that have a seed."""

    idx: list[int] = field(default_factory=list)
    leaf: list[bytes] = field(default_factory=list)
    body: list[bytes] = field(default_factory=list)
    recv_ms: list[int] = field(default_factory=list)
    hash16: list[bytes] = field(default_factory=list)
    seed_idx: list[int] = field(default_factory=list)
    seeds: list[bytes] = field(default_factory=list)


_SQLITE_HEAD = (
    "SELECT h.ledger, h.size, h.root, h.last_leaf, h.peaks FROM ledger_origin o JOIN head h ON h.ledger = o.id "
    "WHERE o.origin = ?"
)
_POSTGRESQL_HEAD = _SQLITE_HEAD.replace("?", "%s") + " FOR UPDATE OF h"

_SQLITE_KNOWN = (
    "SELECT hash16, idx FROM statement_index WHERE ledger = ? AND hash16 IN (SELECT unhex(value) FROM json_each(?)) "
    "ORDER BY idx"
)
_POSTGRESQL_KNOWN = (
    "SELECT hash16, idx FROM statement_index WHERE ledger = %s AND hash16 = ANY(%s::bytea[]) ORDER BY idx"
)

_POSTGRESQL_APPEND = """
WITH e AS (
    INSERT INTO entry (ledger, idx, leaf, body, recv_ms)
    SELECT %(ledger)s, * FROM unnest(%(idx)s::bigint[], %(leaf)s::bytea[], %(body)s::bytea[], %(recv_ms)s::bigint[])
), s AS (
    INSERT INTO statement_index (hash16, ledger, idx)
    SELECT hash16, %(ledger)s, idx FROM unnest(%(hash16)s::bytea[], %(idx)s::bigint[]) AS u (hash16, idx)
), d AS (
    INSERT INTO seed (ledger, idx, seed)
    SELECT %(ledger)s, * FROM unnest(%(seed_idx)s::bigint[], %(seeds)s::bytea[])
)
UPDATE head SET size = %(size)s, root = %(root)s, last_leaf = %(last_leaf)s, peaks = %(peaks)s
WHERE ledger = %(ledger)s AND size = %(old)s
"""


def _run(connection: Connection, sql: str, parameters: Any, *, many: bool = False) -> Any:
    """The driver's cursor after one statement, or after one for each of many parameters."""
    if not connection.in_transaction():
        raise InvalidRequestError("the ledger is written inside a transaction: use Database.writing()")
    cursor = connection.connection.cursor()
    dialect = connection.dialect
    errors = dialect.loaded_dbapi.Error
    try:
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
    except errors as error:
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            sql, None, error, errors, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        ) from error
    return cursor


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def lock_head(connection: Connection, origin: str) -> tuple[int, int, bytes, bytes, bytes] | None:
    """(ledger id, size, root, last leaf, peaks), locked to the end of the transaction; nothing if unknown.

    On SQLite the lock is the transaction itself, begun IMMEDIATE; on PostgreSQL the head's row.
    """
    sql = _SQLITE_HEAD if _is_sqlite(connection) else _POSTGRESQL_HEAD
    row = _run(connection, sql, (origin,)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]), bytes(row[2]), bytes(row[3]), bytes(row[4]))


def known_statements(connection: Connection, ledger: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """(hash16, index) of the index rows with one of these hashes, ascending by index."""
    if _is_sqlite(connection):
        listed = json.dumps([item.hex() for item in hashes])
        rows = _run(connection, _SQLITE_KNOWN, (ledger, listed)).fetchall()
    else:
        rows = _run(connection, _POSTGRESQL_KNOWN, (ledger, list(hashes))).fetchall()
    return [(bytes(found), int(index)) for found, index in rows]


def write_append(connection: Connection, ledger: int, rows: NewRows, old_size: int, new: Head) -> bool:
    """Insert the rows and move the head from `old_size` to `new`; false if the head was no longer there."""
    if not _is_sqlite(connection):
        values = {
            "ledger": ledger,
            "idx": rows.idx,
            "leaf": rows.leaf,
            "body": rows.body,
            "recv_ms": rows.recv_ms,
            "hash16": rows.hash16,
            "seed_idx": rows.seed_idx,
            "seeds": rows.seeds,
            "size": new.size,
            "root": new.root,
            "last_leaf": new.last_leaf,
            "peaks": new.peaks.encode(),
            "old": old_size,
        }
        return bool(_run(connection, _POSTGRESQL_APPEND, values).rowcount == 1)
    _run(
        connection,
        "INSERT INTO entry (ledger, idx, leaf, body, recv_ms) VALUES (?, ?, ?, ?, ?)",
        [(ledger, *row) for row in zip(rows.idx, rows.leaf, rows.body, rows.recv_ms, strict=True)],
        many=True,
    )
    _run(
        connection,
        "INSERT INTO statement_index (hash16, ledger, idx) VALUES (?, ?, ?)",
        # Sorted, because the index is a tree by hash: neighbours go into one page.
        sorted((key, ledger, index) for key, index in zip(rows.hash16, rows.idx, strict=True)),
        many=True,
    )
    if rows.seeds:
        _run(
            connection,
            "INSERT INTO seed (ledger, idx, seed) VALUES (?, ?, ?)",
            [(ledger, *row) for row in zip(rows.seed_idx, rows.seeds, strict=True)],
            many=True,
        )
    moved = _run(
        connection,
        "UPDATE head SET size = ?, root = ?, last_leaf = ?, peaks = ? WHERE ledger = ? AND size = ?",
        (new.size, new.root, new.last_leaf, new.peaks.encode(), ledger, old_size),
    )
    return bool(moved.rowcount == 1)
