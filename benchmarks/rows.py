"""The yardstick of every write: the same rows, inserted bare.

After a capture the rows that it left are read back from the database; `insert` then writes them into a second database
of the same schema by the driver's fastest plain means, in one transaction: executemany on SQLite, COPY on PostgreSQL
where there are many. It reads no state, applies no rule, computes no hash and updates nothing (not even the head), so
it is faster than anything that does the work could be.
"""

from typing import Any

from sqlalchemy import Table

from app.migrate import upgrade
from ledger.store.sql.engine import Database
from ledger.store.sql.metadata import metadata

Rows = list[tuple[Table, list[tuple[Any, ...]]]]

COPY_FROM = 20  # rows; below that one INSERT is faster than starting a COPY


class Watched:
    """A database whose new rows are told from those that stood."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, set[tuple[Any, ...]]] = {}

    def new_rows(self) -> Rows:
        """Every row since the last call, tables in the order in which they refer to one another."""
        found: Rows = []
        with self._database.reading() as connection:
            for table in metadata.sorted_tables:
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                rows = [
                    tuple(row) for row in connection.exec_driver_sql(f'SELECT {names} FROM "{table.name}"')
                ]
                places = [n for n, column in enumerate(table.columns) if column.primary_key]
                known = self._known.setdefault(table.name, set())
                fresh = [row for row in rows if tuple(row[n] for n in places) not in known]
                known.update(tuple(row[n] for n in places) for row in fresh)
                if fresh:
                    found.append((table, fresh))
        return found


def twin(database: Database, base: Rows) -> Database:
    """Give the empty `database` the same schema and the rows `base`; the database."""
    upgrade(database)
    insert(database, base)
    return database


def insert(database: Database, rows: Rows) -> None:
    """Write `rows` in one durable transaction."""
    with database.writing() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        cursor = raw.cursor()
        for table, values in rows:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            if database.is_sqlite:
                marks = ", ".join("?" * len(table.columns))
                cursor.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', values)
            elif len(values) < COPY_FROM:
                marks = ", ".join(["%s"] * len(table.columns))
                cursor.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', values)
            else:
                with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                    for row in values:
                        copy.write_row(row)
        cursor.close()
