"""The ledger's schema by Alembic alone, up and down, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DatabaseError

from app.migrate import current, downgrade, upgrade
from ledger.log.entry import Kind, Signature
from ledger.store.fsck import fsck
from ledger.store.port import Draft
from ledger.store.sql import tables
from ledger.store.sql.engine import Database, open_engine
from ledger.store.sql.metadata import metadata
from ledger.store.sql.store import SqlLedger

ORIGIN = "packproof.example/ledger"
LEDGER_TABLES = {
    table.name
    for table in (
        tables.ledger_origin,
        tables.head,
        tables.entry,
        tables.statement_index,
        tables.tile,
        tables.checkpoint,
        tables.cosig,
        tables.seed,
        tables.wrap,
    )
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request, tmp_path):
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'empty.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    database = open_engine(url)
    yield database
    database.dispose()


def table_names(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())


def test_the_ledger_goes_up_down_and_up_again(empty_database):
    upgrade(empty_database, "0001")
    assert table_names(empty_database) == {*LEDGER_TABLES, "alembic_version"}
    downgrade(empty_database)
    assert table_names(empty_database) == {"alembic_version"}
    assert current(empty_database) is None
    upgrade(empty_database, "0001")
    assert current(empty_database) == "0001"
    ledger = SqlLedger(empty_database, ORIGIN)
    ledger.create()
    with ledger.writing() as writer:
        writer.append([Draft(Kind.RECEIVED, 1, b"{}", (Signature(1, bytes(32), bytes(64)),))])
    with ledger.reading() as reader:
        assert reader.head().size == 1


def test_nothing_of_the_schema_is_left_behind_after_going_down(empty_database):
    upgrade(empty_database, "0001")
    downgrade(empty_database)
    left = (
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        if empty_database.is_sqlite
        else "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    with empty_database.reading() as connection:
        assert connection.execute(text(left)).all() == []


def test_the_migrated_schema_is_the_one_the_code_declares(empty_database):
    upgrade(empty_database)
    with empty_database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in LEDGER_TABLES,
                  "include_object": lambda item, name, kind, *_: kind != "table" or name in LEDGER_TABLES},
        )  # fmt: skip
        assert compare_metadata(context, metadata) == []


def all_rows(database: Database) -> list[list[tuple[object, ...]]]:
    with database.reading() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(*table.c))]
            for table in (tables.entry, tables.seed, tables.statement_index, tables.head)
        ]


def test_entries_and_seeds_are_rewritten_as_they_were_and_back(empty_database):
    upgrade(empty_database, "0014")
    ledger = SqlLedger(empty_database, ORIGIN)
    ledger.create()
    names = iter(range(1_000))

    def append(count: int) -> None:
        drafts = [
            Draft(
                Kind.RECEIVED, 1, f"{next(names)}".encode(), (Signature(1, bytes(32), bytes(64)),), bytes(32)
            )
            for _ in range(count)
        ]
        with ledger.writing() as writer:
            assert [entry.statement for entry in writer.append(drafts)] == [each.statement for each in drafts]

    append(300)
    for way, revision in ((upgrade, "0015"), (downgrade, "0014"), (upgrade, "0015")):
        before = all_rows(empty_database)
        way(empty_database, revision)
        assert all_rows(empty_database) == before
        append(1)
        append(3)
        with empty_database.snapshot() as connection:
            assert fsck(connection, ORIGIN).ok
        refused = pytest.raises(DatabaseError, match="entry is append-only")
        with refused, empty_database.writing() as connection:
            connection.execute(text("DELETE FROM entry"))
    with ledger.reading() as reader:
        assert reader.head().size == 312


def test_a_table_that_the_migration_lacks_would_be_noticed(empty_database):
    upgrade(empty_database, "0001")
    with empty_database.writing() as connection:
        connection.execute(text("DROP TABLE wrap"))
    with empty_database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda item, name, kind, *_: kind != "table" or name == "wrap"},
        )
        assert [change[0] for change in compare_metadata(context, metadata)] == ["add_table"]


@pytest.mark.parametrize("table", ["entry", "tile", "checkpoint"])
@pytest.mark.parametrize("change", ["UPDATE {} SET ledger = ledger", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_was_appended(database, table, change):
    ledger = SqlLedger(database, ORIGIN)
    ledger.create()
    drafts = [
        Draft(Kind.RECEIVED, 1, str(n).encode(), (Signature(1, bytes(32), bytes(64)),)) for n in range(256)
    ]
    with ledger.writing() as writer:
        writer.append(drafts)
        writer.add_checkpoint(256, b"a note")
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), database.writing() as connection:
        connection.execute(text(change.format(table)))
    with ledger.reading() as reader:
        assert reader.head().size == 256
        assert len(reader.tile(0, 0)) == 8192
        assert reader.latest_checkpoint() is not None
