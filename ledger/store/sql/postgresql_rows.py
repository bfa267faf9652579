"""The hot path on PostgreSQL: one statement that locks and looks duplicates up, one that appends.

The second inserts entries, index rows and seeds and moves the head, in a single round trip whether it is for one entry
or for ten thousand. Its parameters are arrays (``INSERT ... SELECT unnest`` is as fast as COPY), written here in
PostgreSQL's binary format, because writing the driver's text arrays costs more than the server's whole work::

    array   = i32 dimensions (1, or 0 if empty) | i32 0 (no nulls) | u32 type of an element
              | i32 elements | i32 lower bound 1 | elements          these three only if not empty
    element = i32 length | bytes

That is what ``array_send`` in the server's source writes. Both statements are prepared on each connection.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from psycopg import RawCursor
from psycopg.adapt import Dumper
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.numeric import Int2, Int8
from sqlalchemy import Connection
from sqlalchemy.pool import PoolProxiedConnection

from ledger.store.port import Head
from ledger.store.sql.bulk import HeadRow, NewRows, raise_as_sqlalchemy, require_transaction

_BIGINT: Final = 20
_BYTEA: Final = 17
_BIGINT_ARRAY: Final = 1016
_BYTEA_ARRAY: Final = 1001
_CURSOR: Final = "packproof.cursor"
_ADAPTED: Final = "packproof.arrays"
_KEYS: Final = "packproof.statements"

_ARRAY = struct.Struct(">iiIii")
_NO_ELEMENTS = struct.Struct(">iiI")
_LENGTH = struct.Struct(">i")

# The subqueries read the snapshot that the statement began with, the locked row is the newest. Where they differ in
# size, another process appended while this one waited for the lock, and the duplicates are looked up again.
_LOCK = """
SELECT h.ledger, h.size, h.root, h.last_leaf, h.peaks,
    (SELECT s.size FROM head s WHERE s.ledger = h.ledger),
    ARRAY(SELECT i.idx FROM statement_index i
          WHERE i.hash16 = ANY(%(hashes)b) AND i.ledger = h.ledger ORDER BY i.idx)
FROM ledger_origin o JOIN head h ON h.ledger = o.id WHERE o.origin = %(origin)b FOR UPDATE OF h
"""
_KNOWN = """
SELECT hash16, idx FROM statement_index WHERE ledger = %(ledger)b AND hash16 = ANY(%(hashes)b) ORDER BY idx
"""
_TILES = """
SELECT n, data FROM tile
WHERE ledger = %(ledger)b AND level = %(level)b AND n >= %(start)b AND n < %(end)b ORDER BY n
"""
_APPEND = """
WITH e AS (
    INSERT INTO entry (ledger, idx, leaf, body, recv_ms)
    SELECT %(ledger)b, %(first)b::bigint + n - 1, leaf, body, recv_ms
    FROM unnest(%(leaf)b, %(body)b, %(recv_ms)b) WITH ORDINALITY AS u (leaf, body, recv_ms, n)
), s AS (
    INSERT INTO statement_index (hash16, ledger, idx)
    SELECT hash16, %(ledger)b, %(first)b::bigint + n - 1
    FROM unnest(%(hash16)b) WITH ORDINALITY AS u (hash16, n)
), d AS (
    INSERT INTO seed (ledger, idx, seed)
    SELECT %(ledger)b, * FROM unnest(%(seed_idx)b, %(seeds)b)
)
UPDATE head SET size = %(size)b, root = %(root)b, last_leaf = %(last_leaf)b, peaks = %(peaks)b
WHERE ledger = %(ledger)b AND size = %(old)b
"""
# Both at once, where the head is known in every column. Whoever waits for the lock finds another size behind it (an
# append moves it, always), and then `h` is empty. Where the size is the same, this statement's snapshot has it too, and
# with it every statement that was appended before.
_ONTO = """
WITH h AS (
    UPDATE head h SET size = $1, root = $2, last_leaf = $3, peaks = $4
    WHERE h.ledger = $5 AND h.size = $6 AND h.root = $7 AND h.last_leaf = $8 AND h.peaks = $9
        AND h.ledger = (SELECT o.id FROM ledger_origin o WHERE o.origin = $10)
        AND NOT EXISTS (SELECT 1 FROM statement_index i WHERE i.ledger = h.ledger AND i.hash16 {same})
    RETURNING h.ledger
), s AS (
    INSERT INTO statement_index (hash16, ledger, idx) {statement}
), d AS (
    INSERT INTO seed (ledger, idx, seed) {seed}
)
INSERT INTO entry (ledger, idx, leaf, body, recv_ms) {entry}
"""
_ONTO_ONE = _ONTO.format(
    same="= $11",
    statement="SELECT $11, h.ledger, $6 FROM h",
    entry="SELECT h.ledger, $6, $12, $13, $14 FROM h",
    seed="SELECT h.ledger, $6, $15::bytea FROM h WHERE $15::bytea IS NOT NULL",
)
_ONTO_MANY = _ONTO.format(
    same="= ANY($11)",
    statement="SELECT u.hash16, h.ledger, $6 + u.n - 1 FROM h, unnest($11) WITH ORDINALITY AS u (hash16, n)",
    entry="SELECT h.ledger, $6 + u.n - 1, u.leaf, u.body, u.recv_ms "
    "FROM h, unnest($12, $13, $14) WITH ORDINALITY AS u (leaf, body, recv_ms, n)",
    seed="SELECT h.ledger, u.idx, u.seed FROM h, unnest($16, $15) AS u (idx, seed)",
)


class PostgresqlRows:
    """`ledger.store.sql.bulk.Rows` on PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = None

    def lock_head(self, origin: str, hashes: Sequence[bytes]) -> tuple[HeadRow, list[int]] | None:
        """The head, its row locked, and the indexes known under `hashes`: one round trip unless it had to wait."""
        row = self._run(_LOCK, {"origin": origin, "hashes": bytea_array(sorted(hashes))}).fetchone()
        if row is None:
            return None
        *stored, seen, known = row
        head = HeadRow(*stored)
        if seen != head.size:
            return head, [index for _, index in self.known(head.ledger, hashes)]
        return head, known

    def known(self, ledger: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """(hash16, index) of the index rows with one of these hashes, ascending by index."""
        cursor = self._run(_KNOWN, {"ledger": Int2(ledger), "hashes": bytea_array(sorted(hashes))})
        return [(found, index) for found, index in cursor.fetchall()]

    def append(self, ledger: int, rows: NewRows, old_size: int, new: Head) -> bool:
        """Insert the rows and move the head from `old_size` to `new`; false if the head was no longer there."""
        # Integers of one width: by the driver's own choice of width a statement would be prepared for each.
        moved = self._run(
            _APPEND,
            {
                "ledger": Int2(ledger),
                "first": Int8(rows.first),
                "leaf": bytea_array(rows.leaf),
                "body": bytea_array(rows.body),
                "recv_ms": bigint_array(rows.recv_ms),
                "hash16": bytea_array(rows.hash16),
                "seed_idx": bigint_array(rows.seed_idx),
                "seeds": bytea_array(rows.seeds),
                "size": Int8(new.size),
                "root": new.root,
                "last_leaf": new.last_leaf,
                "peaks": new.peaks.encode(),
                "old": Int8(old_size),
            },
        )
        return bool(moved.rowcount == 1)

    def append_onto(self, ledger: int, origin: str, old: Head, rows: NewRows, new: Head) -> bool:
        """Insert the rows and move the head, if it is `old` and no statement is known; one round trip."""
        count = len(rows.leaf)
        heads = (
            Int8(new.size), new.root, new.last_leaf, new.peaks.encode(),
            Int2(ledger), Int8(old.size), old.root, old.last_leaf, old.peaks.encode(), origin,
        )  # fmt: skip
        if count == 1:
            seed = rows.seeds[0] if rows.seeds else None
            columns = (rows.hash16[0], rows.leaf[0], rows.body[0], Int8(rows.recv_ms[0]), seed)
            return self._run_prepared(_ONTO_ONE, (*heads, *columns)) == 1
        arrays = (
            bytea_array(rows.hash16), bytea_array(rows.leaf), bytea_array(rows.body), bigint_array(rows.recv_ms),
            bytea_array(rows.seeds), bigint_array(rows.seed_idx),
        )  # fmt: skip
        return self._run_prepared(_ONTO_MANY, (*heads, *arrays)) == count

    def _run_prepared(self, sql: str, values: Sequence[object]) -> int:
        """How many rows a statement inserted; past psycopg where psycopg has it prepared on this connection."""
        require_transaction(self._connection)
        held = self._connection.connection
        driver: Any = held.driver_connection
        keys = held.info.setdefault(_KEYS, {})
        which = sql, values[14] is None  # a parameter without a type makes a statement of its own
        try:
            name = driver._prepared._names.get(keys.get(which))
            if name is not None:
                return _straight(driver.pgconn, name, values)
            _adapt(held)
            cursor = RawCursor(driver)
            cursor.execute(sql, values, prepare=True)
            key = next(reversed(driver._prepared._names), None)  # what was used last stands last
            if key is not None and key[0] == sql.encode():
                keys[which] = key
            return cursor.rowcount
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise_as_sqlalchemy(self._connection, sql, error)

    def _run(self, sql: str, parameters: Mapping[str, object]) -> Any:
        """The driver's cursor after one statement."""
        require_transaction(self._connection)
        if self._cursor is None:
            self._cursor = _cursor(self._connection)
        try:
            self._cursor.execute(sql, parameters, prepare=True)
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise_as_sqlalchemy(self._connection, sql, error, self._cursor)
        return self._cursor


def tiles(connection: Connection, ledger: int, level: int, start: int, end: int) -> list[tuple[int, bytes]]:
    """(n, data) of the full tiles of a level from `start` to below `end` that are there, ascending.

    On any connection. A proof out of a tile that nobody asked for yet waits for this statement and little else, and by
    SQLAlchemy, which has bytes written in hex, it takes twice as long.
    """
    values = {"ledger": Int2(ledger), "level": Int2(level), "start": Int8(start), "end": Int8(end)}
    cursor = _cursor(connection)
    try:
        found: list[tuple[int, bytes]] = cursor.execute(_TILES, values, prepare=True).fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise_as_sqlalchemy(connection, _TILES, error, cursor)
    return found


def _cursor(connection: Connection) -> Any:
    """A cursor that reads and writes binary, on a connection that knows our arrays; the connection keeps it."""
    held = connection.connection
    cursor = held.info.get(_CURSOR)
    if cursor is None:
        _adapt(held)
        driver: Any = held.driver_connection
        cursor = held.info[_CURSOR] = driver.cursor(binary=True)
    return cursor


def _adapt(held: PoolProxiedConnection) -> None:
    if _ADAPTED not in held.info:
        driver: Any = held.driver_connection
        driver.adapters.register_dumper(ByteaArray, _ByteaArrayDumper)
        driver.adapters.register_dumper(BigintArray, _BigintArrayDumper)
        held.info[_ADAPTED] = True


def _straight(connection: PGconn, name: bytes, values: Sequence[object]) -> int:
    """Execute a prepared statement by libpq, in a transaction; the number of rows it changed."""
    if connection.transaction_status == TransactionStatus.IDLE:
        _checked(connection.exec_(b"BEGIN"))
    written: list[Any] = [_WRITTEN[type(value)](value) for value in values]
    return (
        _checked(connection.exec_prepared(name, written, [Format.BINARY] * len(written))).command_tuples or 0
    )


def _checked(result: PGresult) -> PGresult:
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)
    return result


class ByteaArray(bytes):
    """``bytea[]``, written already."""


class BigintArray(bytes):
    """``bigint[]``, written already."""


class _ByteaArrayDumper(Dumper):
    format = Format.BINARY
    oid = _BYTEA_ARRAY

    def dump(self, obj: ByteaArray) -> ByteaArray:
        return obj


class _BigintArrayDumper(Dumper):
    format = Format.BINARY
    oid = _BIGINT_ARRAY

    def dump(self, obj: BigintArray) -> BigintArray:
        return obj


_WRITTEN: Final[Mapping[type, Callable[[Any], bytes | None]]] = {
    Int2: struct.Struct(">h").pack,
    Int8: struct.Struct(">q").pack,
    str: str.encode,
    bytes: bytes,
    ByteaArray: bytes,
    BigintArray: bytes,
    type(None): lambda _: None,
}


def bytea_array(items: Sequence[bytes]) -> ByteaArray:
    """Byte strings as one parameter of type ``bytea[]``."""
    if not items:
        return ByteaArray(_NO_ELEMENTS.pack(0, 0, _BYTEA))
    length = _LENGTH.pack
    elements = [part for item in items for part in (length(len(item)), item)]
    return ByteaArray(b"".join((_ARRAY.pack(1, 0, _BYTEA, len(items), 1), *elements)))


def bigint_array(items: Sequence[int]) -> BigintArray:
    """Integers as one parameter of type ``bigint[]``."""
    if not items:
        return BigintArray(_NO_ELEMENTS.pack(0, 0, _BIGINT))
    elements = struct.pack(">" + "iq" * len(items), *(part for item in items for part in (8, item)))
    return BigintArray(_ARRAY.pack(1, 0, _BIGINT, len(items), 1) + elements)
