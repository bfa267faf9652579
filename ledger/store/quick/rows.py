"""Rows as the database's driver gives them: what SQLAlchemy does for each row costs more than hashing it.

`RowSource` works on any DB-API connection that sees one snapshot: that of an audit, or a worker's own.
"""

from typing import Any

from ledger.signing.remains import SEED_BYTES

_ENTRIES = """
SELECT idx, leaf, body, recv_ms FROM entry WHERE ledger = {ledger} AND idx >= {a} AND idx < {b} ORDER BY idx
"""
_TILES = """
SELECT n, data FROM tile WHERE ledger = {ledger} AND level = 0 AND n >= {a} AND n < {b} ORDER BY n
"""
_STATEMENTS = """
SELECT hash16, idx FROM statement_index
WHERE ledger = {ledger} AND hash16 >= {a} AND hash16 < {b} ORDER BY hash16
"""
_SHORT_SEEDS = """
SELECT 1 FROM seed WHERE ledger = {ledger} AND idx >= {a} AND idx < {b} AND length(seed) < {least} LIMIT 1
"""


class RowSource:
    """Reads the ledger of number `ledger`."""

    def __init__(self, connection: Any, ledger: int, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._ledger = ledger
        self._is_sqlite = is_sqlite
        mark = "?" if is_sqlite else "%s"
        self._sql = {
            name: text.format(ledger=int(ledger), a=mark, b=mark, least=SEED_BYTES)
            for name, text in (
                ("entries", _ENTRIES),
                ("tiles", _TILES),
                ("statements", _STATEMENTS),
                ("short seeds", _SHORT_SEEDS),
            )
        }

    def entries(self, start: int, end: int) -> list[Any]:
        """(idx, leaf, body, recv_ms) of the rows from `start` to below `end`."""
        return self._all("entries", start, end)

    def tiles(self, start: int, end: int) -> list[Any]:
        """(n, data) of the level 0 tiles from `start` to below `end`."""
        return self._all("tiles", start, end)

    def statements(self, start: bytes, end: bytes) -> list[Any]:
        """(hash16, idx) of the index rows from `start` to below `end`."""
        return self._all("statements", start, end)

    def has_short_seeds(self, start: int, end: int) -> bool:
        """Whether a seed of the entries from `start` to below `end` is too short to be one."""
        return bool(self._all("short seeds", start, end))

    def _all(self, name: str, start: object, end: object) -> list[Any]:
        cursor = self._connection.cursor() if self._is_sqlite else self._connection.cursor(binary=True)
        try:
            return list(cursor.execute(self._sql[name], (start, end)).fetchall())
        finally:
            cursor.close()
