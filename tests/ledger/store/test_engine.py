"""The engine: what is acknowledged is kept, readers cannot write and never wait, and a fork changes nothing."""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType

import pytest
from sqlalchemy import Column, MetaData, Table, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

from ledger.store.sql.engine import DatabaseRefused, NestedWrite, open_engine, sqlite_driver
from ledger.store.sql.types import UtcMicros, from_micros, to_micros

DRIVER = sqlite_driver()


@pytest.fixture
def counter(database):
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE counter (n BIGINT NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return database


def count(database):
    with database.reading() as connection:
        return connection.execute(text("SELECT n FROM counter")).scalar_one()


def raise_by(database, amount=1):
    with database.writing() as connection:
        connection.execute(text("UPDATE counter SET n = n + :amount"), {"amount": amount})


def test_a_transaction_that_raises_leaves_nothing_not_even_a_table(counter):
    with pytest.raises(ZeroDivisionError), counter.writing() as connection:
        connection.execute(text("UPDATE counter SET n = 5"))
        connection.execute(text("CREATE TABLE other (n BIGINT)"))
        raise ZeroDivisionError
    assert count(counter) == 0
    with pytest.raises(DBAPIError), counter.reading() as connection:
        connection.execute(text("SELECT * FROM other"))


@pytest.mark.parametrize("how", ["reading", "snapshot"])
def test_a_reader_cannot_write(counter, how):
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), getattr(counter, how)() as connection:
        connection.execute(text("UPDATE counter SET n = 9"))
    assert count(counter) == 0


def test_a_read_does_not_wait_for_a_writer(counter):
    with counter.writing() as connection:
        connection.execute(text("UPDATE counter SET n = 1"))
        # If it waited, it would wait for this thread, until its time is up, and fail.
        assert count(counter) == 0
    assert count(counter) == 1


def test_a_snapshot_sees_one_state_however_much_is_written_meanwhile(counter):
    with counter.snapshot() as connection:
        first = connection.execute(text("SELECT n FROM counter")).scalar_one()
        raise_by(counter)
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == first
    assert count(counter) == first + 1


def test_writers_of_several_threads_lose_no_update(counter):
    threads = [threading.Thread(target=lambda: [raise_by(counter) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(counter) == 80


def test_writing_inside_writing_fails_at_once_and_the_next_write_works(counter):
    with pytest.raises(NestedWrite), counter.writing(), counter.writing():
        pass
    raise_by(counter)
    assert count(counter) == 1


def test_the_sqlite_writer_stays_open_until_it_fails_or_is_disposed_of(sqlite_database):
    def writer():
        with sqlite_database.writing() as connection:
            return connection.connection.driver_connection

    kept = writer()
    assert writer() is kept
    with pytest.raises(ZeroDivisionError), sqlite_database.writing():
        raise ZeroDivisionError
    kept = writer()
    sqlite_database.dispose()
    with pytest.raises(DRIVER.ProgrammingError, match="closed"):
        kept.execute("SELECT 1")
    assert writer() is not kept


def test_a_second_thread_gives_up_where_the_first_never_ends(sqlite_database, monkeypatch):
    monkeypatch.setattr("ledger.store.sql.engine.POOL_TIMEOUT_S", 0.05)
    caught = []

    def wait():
        try:
            with sqlite_database.writing():
                pass
        except TimeoutError as error:
            caught.append(error)

    with sqlite_database.writing():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert len(caught) == 1
    wait()
    assert len(caught) == 1


def test_a_fork_uses_connections_of_its_own_and_leaves_its_parents_alone(counter):
    raise_by(counter)
    with counter.reading() as held:
        assert held.execute(text("SELECT n FROM counter")).scalar_one() == 1
        child = os.fork()
        if child == 0:
            status = 1
            try:
                raise_by(counter, 10)
                status = 0 if count(counter) == 11 else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert held.execute(text("SELECT 1")).scalar_one() == 1
    raise_by(counter)
    assert count(counter) == 12


def test_sqlite_runs_in_wal_with_full_synchronous_and_foreign_keys(sqlite_database):
    for open_it in (sqlite_database.writing, sqlite_database.reading):
        with open_it() as connection:
            values = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
            }
        assert values == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "busy_timeout": 5000,
        }


def test_an_sqlite_writer_holds_the_lock_from_its_first_moment(sqlite_database):
    other = open_engine(str(sqlite_database.url), busy_timeout_ms=50)
    with (
        sqlite_database.writing(),
        pytest.raises(OperationalError, match="locked"),
        other.writing(),
    ):
        pytest.fail("two writers began at once")
    other.dispose()


def test_the_library_in_use_is_new_enough():
    assert sqlite_driver().sqlite_version_info >= (3, 51, 3)


def test_an_old_sqlite_is_refused_with_the_way_out(monkeypatch, tmp_path):
    old = ModuleType("old")
    old.sqlite_version_info, old.sqlite_version = (3, 51, 2), "3.51.2"
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    monkeypatch.setitem(sys.modules, "sqlite3", old)
    with pytest.raises(
        DatabaseRefused, match=r"3\.51\.3 or later .* found sqlite3 3\.51\.2: install"
    ) as caught:
        open_engine(f"sqlite:///{tmp_path}/a.db")
    assert caught.value.code == "database.sqlite_too_old"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite://", "database.memory"),
        ("sqlite:///:memory:", "database.memory"),
        ("mysql://x/y", "database.kind"),
        ("not a url", "database.url"),
        ("", "database.url"),
    ],
)
def test_what_cannot_hold_a_ledger_is_refused(url, code):
    with pytest.raises(DatabaseRefused) as caught:
        open_engine(url)
    assert caught.value.code == code


def test_the_folder_of_a_new_sqlite_database_is_made(tmp_path):
    database = open_engine(f"sqlite:///{tmp_path}/a/b/node.db")
    assert list(tmp_path.iterdir()) == []
    with database.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()
    assert (tmp_path / "a/b/node.db").exists()


def test_an_instant_comes_back_to_the_microsecond_in_utc(database):
    times = Table("times", MetaData(), Column("at", UtcMicros))
    instants = [
        datetime(2026, 11, 20, 12, 0, 0, 123456, UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    ]
    with database.writing() as connection:
        times.create(connection)
        for instant in instants:
            connection.execute(times.insert().values(at=instant))
    with database.reading() as connection:
        found = list(connection.execute(select(times.c.at).order_by(times.c.at)).scalars())
        assert (
            connection.execute(select(times.c.at).where(times.c.at == instants[3])).scalar_one()
            == instants[3]
        )
    assert found == sorted(instants)
    assert all(instant.tzinfo is UTC for instant in found)


def test_a_time_without_a_zone_is_no_instant():
    with pytest.raises(ValueError, match="without a zone"):
        to_micros(datetime(2026, 11, 20))  # noqa: DTZ001
    assert to_micros(from_micros(-1)) == -1
