"""Many rows at once: nothing is compiled, wrapped or looked up for each of them.

    insert_rows(connection, contained, ("bucket", "child", "f", "t", "parent"), tuples)
    update_rows(connection, item, "item_id", ("status", "last"), tuples)      # the key first in each tuple
    select(...).where(among(connection, item.c.serial, serials))
    _ITEMS = Among(select(...), item.c.serial)                                # made once, for what is asked often
    _ITEMS.rows(connection, serials)

SQLite takes tuples by executemany. PostgreSQL takes arrays, one a column, and unnests them, which is as fast as COPY;
they are written here as its text form, because the driver looks at every element. SQLAlchemy's own ways take ten times
as long a row: they are for what comes one by one.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql

AT_ONCE = 20_000  # rows of one statement
ARRAYS_FROM = 20  # rows; fewer are inserted sooner than arrays are taken apart
FEW = 50  # values that go into an ordinary IN list: a single look-up needs no array

_Rows = Sequence[tuple[Any, ...]]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: _Rows) -> None:
    """Insert `rows`, each with the values of `columns` in their order, as the database takes them."""
    if connection.dialect.name == "sqlite" or len(rows) < ARRAYS_FROM:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(columns))
        names = ", ".join(map(_quoted, columns))
        _many(connection, f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our names
    else:
        _arrays(connection, _insert(table, columns), rows)


def update_rows(
    connection: Connection, table: Table, key: str, columns: tuple[str, ...], rows: _Rows
) -> None:
    """Set `columns` in the rows of `table` whose column `key` has the first value of each of `rows`, to the others."""
    if connection.dialect.name == "sqlite":
        changes = ", ".join(f"{_quoted(column)} = ?{number}" for number, column in enumerate(columns, 2))
        _many(connection, f"UPDATE {table.name} SET {changes} WHERE {_quoted(key)} = ?1", rows)  # noqa: S608 - our names
    else:
        _arrays(connection, _update(table, key, columns), rows)


def among(connection: Connection, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """That `column` has one of `values` (all text, or all integers)."""
    if len(values) <= FEW:
        return column.in_(values)
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(cast(literal(_array(values), Text), postgresql.ARRAY(column.type)))


class Among:
    """The rows of a query whose `column` has one of some values (all text, or all integers).

    Its statements are made once: to make one takes longer than to run it.
    """

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        listed = bindparam("listed", type_=Text)
        values = func.json_each(listed).table_valued("value")
        array = cast(listed, postgresql.ARRAY(column.type))
        self._few = query.where(column.in_(bindparam("listed", expanding=True)))
        self._in_json = query.where(column.in_(select(values.c.value)))
        self._in_array = query.where(column == any_(array))

    def rows(self, connection: Connection, values: Sequence[Any], **others: Any) -> Sequence[Row[Any]]:
        """The rows for these values; `others`: what else the query asks to be given."""
        if len(values) <= FEW:
            return connection.execute(self._few, {"listed": values, **others}).all()
        if connection.dialect.name == "sqlite":
            return connection.execute(self._in_json, {"listed": json.dumps(list(values)), **others}).all()
        return connection.execute(self._in_array, {"listed": _array(values), **others}).all()


def _many(connection: Connection, statement: str, rows: _Rows) -> None:
    for start in range(0, len(rows), AT_ONCE):
        connection.exec_driver_sql(statement, list(rows[start : start + AT_ONCE]))


def _arrays(connection: Connection, statement: str, rows: _Rows) -> None:
    for start in range(0, len(rows), AT_ONCE):
        columns = zip(*rows[start : start + AT_ONCE], strict=True)
        connection.exec_driver_sql(statement, tuple(map(_array, columns)))


def _quoted(name: str) -> str:
    return f'"{name}"'  # `last` and others are words of SQL


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, columns))
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({_types(table, columns)})"  # noqa: S608 - our names


@lru_cache(maxsize=256)
def _update(table: Table, key: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, (key, *columns)))
    changes = ", ".join(f"{_quoted(column)} = new.{_quoted(column)}" for column in columns)
    return (
        f"UPDATE {table.name} AS old SET {changes} "  # noqa: S608 - our names
        f"FROM unnest({_types(table, (key, *columns))}) AS new ({names}) WHERE old.{_quoted(key)} = new.{_quoted(key)}"
    )


def _types(table: Table, columns: Iterable[str]) -> str:
    dialect = postgresql.dialect()
    return ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in columns)


def _array(values: Iterable[Any]) -> str:
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return '"\\\\x' + value.hex() + '"'
    return str(value)
