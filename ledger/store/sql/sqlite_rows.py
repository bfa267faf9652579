"""The hot path on SQLite: ``executemany`` through the driver.

The transaction, begun IMMEDIATE, is the lock. An append of one entry is what a commit costs and little else, so it
takes no detour through JSON or lists.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, Final

from sqlalchemy import Connection

from ledger.store.port import Head
from ledger.store.sql.bulk import HeadRow, NewRows, raise_as_sqlalchemy, require_transaction

FEW: Final = 4
"""Hashes that are looked up one by one; for more, one statement takes them as JSON."""

_HEAD = (
    "SELECT h.ledger, h.size, h.root, h.last_leaf, h.peaks FROM ledger_origin o JOIN head h ON h.ledger = o.id "
    "WHERE o.origin = ?"
)
# With the first index of one statement, nearly always none: one statement less for the commonest append.
_HEAD_AND_ONE = (
    "SELECT h.ledger, h.size, h.root, h.last_leaf, h.peaks, "
    "(SELECT i.idx FROM statement_index i WHERE i.hash16 = ? AND i.ledger = h.ledger LIMIT 1) "
    "FROM ledger_origin o JOIN head h ON h.ledger = o.id WHERE o.origin = ?"
)
_KNOWN_ONE = "SELECT hash16, idx FROM statement_index WHERE hash16 = ? AND ledger = ?"
_KNOWN_MANY = (
    "SELECT hash16, idx FROM statement_index "
    "WHERE ledger = ? AND hash16 IN (SELECT unhex(value) FROM json_each(?))"
)
_ENTRY = "INSERT INTO entry (ledger, idx, leaf, body, recv_ms) VALUES (?, ?, ?, ?, ?)"
_STATEMENT = "INSERT INTO statement_index (hash16, ledger, idx) VALUES (?, ?, ?)"
_SEED = "INSERT INTO seed (ledger, idx, seed) VALUES (?, ?, ?)"
_MOVE = "UPDATE head SET size = ?, root = ?, last_leaf = ?, peaks = ? WHERE ledger = ? AND size = ?"
# From a head that is known in every column. The second also asks whether one statement is new.
_MOVE_FROM = (
    "UPDATE head SET size = ?1, root = ?2, last_leaf = ?3, peaks = ?4 "
    "WHERE ledger = ?5 AND size = ?6 AND root = ?7 AND last_leaf = ?8 AND peaks = ?9 "
    "AND ?5 = (SELECT o.id FROM ledger_origin o WHERE o.origin = ?10)"
)
_IF_NEW = " AND NOT EXISTS (SELECT 1 FROM statement_index i WHERE i.hash16 = ?11 AND i.ledger = ?5)"
_MOVE_FROM_IF_NEW = _MOVE_FROM + _IF_NEW


_CURSOR: Final = "ledger.store.sql.sqlite_rows"


class SqliteRows:
    """`ledger.store.sql.bulk.Rows` on SQLite."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = None

    def lock_head(self, origin: str, hashes: Sequence[bytes]) -> tuple[HeadRow, list[int]] | None:
        """The head and the indexes known under `hashes`: the transaction holds the only write lock already."""
        # All rows are fetched, though there is one: a statement that is not at its end keeps reading after the commit.
        if len(hashes) == 1:
            for row in self._run(_HEAD_AND_ONE, (hashes[0], origin)).fetchall():
                if row[5] is None:
                    return HeadRow(*row[:5]), []
        rows = self._run(_HEAD, (origin,)).fetchall()
        if not rows:
            return None
        head = HeadRow(*rows[0])
        return head, [index for _, index in self.known(head.ledger, hashes)]

    def known(self, ledger: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """(hash16, index) of the index rows with one of these hashes, ascending by index."""
        if len(hashes) <= FEW:
            rows = [row for each in hashes for row in self._run(_KNOWN_ONE, (each, ledger)).fetchall()]
        else:
            listed = json.dumps([item.hex() for item in hashes])
            rows = self._run(_KNOWN_MANY, (ledger, listed)).fetchall()
        rows.sort(key=lambda row: row[1])
        return [(bytes(found), int(index)) for found, index in rows]

    def append(self, ledger: int, rows: NewRows, old_size: int, new: Head) -> bool:
        """Insert the rows and move the head from `old_size` to `new`; false if the head was no longer there."""
        self._add(ledger, rows)
        moved = self._run(_MOVE, (new.size, new.root, new.last_leaf, new.peaks.encode(), ledger, old_size))
        return bool(moved.rowcount == 1)

    def append_onto(self, ledger: int, origin: str, old: Head, rows: NewRows, new: Head) -> bool:
        """Insert the rows and move the head, if it is `old` and no statement is known; else do nothing."""
        keys = rows.hash16
        if len(keys) > 1 and self.known(ledger, keys):
            return False
        values: tuple[object, ...] = (
            new.size, new.root, new.last_leaf, new.peaks.encode(),
            ledger, old.size, old.root, old.last_leaf, old.peaks.encode(), origin,
        )  # fmt: skip
        sql, values = (_MOVE_FROM_IF_NEW, (*values, keys[0])) if len(keys) == 1 else (_MOVE_FROM, values)
        if self._run(sql, values).rowcount != 1:
            return False
        self._add(ledger, rows)
        return True

    def _add(self, ledger: int, rows: NewRows) -> None:
        count = len(rows.leaf)
        if count == 1:
            self._run(_ENTRY, (ledger, rows.first, rows.leaf[0], rows.body[0], rows.recv_ms[0]))
            self._run(_STATEMENT, (rows.hash16[0], ledger, rows.first))
            if rows.seeds:
                self._run(_SEED, (ledger, rows.seed_idx[0], rows.seeds[0]))
            return
        indexes = range(rows.first, rows.first + count)
        self._insert(
            _ENTRY,
            count,
            zip(repeat(ledger, count), indexes, rows.leaf, rows.body, rows.recv_ms, strict=True),
        )
        # Sorted, because the index is a tree by hash: neighbours go into one page.
        order = sorted(range(count), key=rows.hash16.__getitem__)
        keys = map(rows.hash16.__getitem__, order)
        self._insert(
            _STATEMENT, count, zip(keys, repeat(ledger, count), map(indexes.__getitem__, order), strict=True)
        )
        seeds = len(rows.seeds)
        if seeds:
            self._insert(_SEED, seeds, zip(repeat(ledger, seeds), rows.seed_idx, rows.seeds, strict=True))

    def _insert(self, sql: str, count: int, rows: Iterator[tuple[Any, ...]]) -> None:
        # An iterator and no list: tens of thousands of tuples alive at once make the garbage collector look at them.
        if count == 1:
            self._run(sql, next(rows))
        else:
            self._run(sql, rows, many=True)

    def _run(self, sql: str, parameters: Any, *, many: bool = False) -> Any:
        """The driver's cursor after one statement, or after one for each of many parameters."""
        require_transaction(self._connection)
        if self._cursor is None:
            self._cursor = _cursor_of(self._connection)
        try:
            if many:
                self._cursor.executemany(sql, parameters)
            else:
                self._cursor.execute(sql, parameters)
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise_as_sqlalchemy(self._connection, sql, error, self._cursor)
        return self._cursor


def _cursor_of(connection: Connection) -> Any:
    """The one cursor of the driver's connection, which lives as long as that does.

    A cursor of each transaction would be destroyed whenever its thread lets go of it, and with that resets its last
    statement: which the driver keeps for the next one to use, and another thread may be running by then. Its next use
    fails with 'Error binding parameter'.
    """
    cursor = connection.info.get(_CURSOR)
    if cursor is None:
        driver = connection.connection.driver_connection
        assert driver is not None
        cursor = connection.info[_CURSOR] = driver.cursor()
    return cursor
