"""Rows written and found many at once are the rows that were given, whatever stands in them."""

from sqlalchemy import select

from app.custody.models import item
from app.shared.rows import FEW, among, insert_rows, update_rows
from ledger.store.sql.engine import Database

AWKWARD = (
    'a"b',
    "c\\d,{}",
    "ü € %s % ?",
    "NULL",
    "null",
    "",
    "o'x",
    " sp ",
    "{",
    "\\",
    "line\nbreak",
    "\\x41",
)
SERIALS = (*AWKWARD, *(f"S{number}" for number in range(2 * FEW)))
COLUMNS = (
    "item_id", "bucket", "ns", "serial", "status", "in_transit", "custody_since", "inside_since", "last", "recalled",
    "missing", "disputed", "travelled", "held",
)  # fmt: skip


def test_what_is_written_at_once_is_read_back(database: Database):
    rows = [
        (n, 5, "x", serial, 1, False, 2**62, 0, -n, False, True, False, False, None if n % 2 else serial)
        for n, serial in enumerate(SERIALS, 1)
    ]
    with database.writing() as connection:
        insert_rows(connection, item, COLUMNS, rows[:3])
        insert_rows(connection, item, COLUMNS, rows[3:])
        insert_rows(connection, item, COLUMNS, [])
        found = connection.execute(select(*(item.c[name] for name in COLUMNS)).order_by(item.c.item_id)).all()
        assert [tuple(row) for row in found] == rows
        update_rows(connection, item, "item_id", ("last", "held"), [(n, n * 10, "now") for n in (1, 3, 999)])
        last = dict(connection.execute(select(item.c.item_id, item.c.last)).all())
        assert last == {row[0]: {1: 10, 3: 30}.get(row[0], row[8]) for row in rows}
        for some in (AWKWARD, SERIALS[: FEW + 1], SERIALS):
            query = select(item.c.serial).where(among(connection, item.c.serial, [*some, "nowhere"]))
            assert sorted(connection.execute(query).scalars()) == sorted(some)
        numbers = [*range(2, FEW + 9), 2**62]
        query = select(item.c.item_id).where(among(connection, item.c.item_id, numbers))
        assert sorted(connection.execute(query).scalars()) == numbers[:-1]
