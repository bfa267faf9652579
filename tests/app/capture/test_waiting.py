"""A database that somebody else has locked: one deadline for all that a request waits, queue and tries together."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DBAPIError

from app.capture.committer import SHORTEST_WAIT_S, Committer, _Waiting
from app.capture.faults import Busy
from ledger.store.sql.engine import open_engine, sqlite_driver


def committer_on(database, services):
    return Committer(database, services.node.origin, services.clock, lambda: None)


@contextlib.contextmanager
def locked(database):
    """Somebody else's writing transaction, which stays open."""
    other = sqlite_driver().connect(database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_locked_database_is_waited_for_up_to_one_deadline(sqlite_trade, monkeypatch):
    services = sqlite_trade.node.services
    impatient = open_engine(services.settings.database_url, busy_timeout_ms=100)
    committer, waits = committer_on(impatient, services), []
    real = impatient.writing
    monkeypatch.setattr(impatient, "writing", lambda wait_s: waits.append(wait_s) or real(wait_s))

    def write(_):
        with pytest.raises(Busy):
            committer.run(lambda connection, writer: writer.head().size)

    assert impatient.patience_s == 0.2
    with locked(impatient):
        write(0)
        # One wait for as long as the setting says, a pause, and one for what is left of the deadline.
        assert 1 <= len(waits) <= 3, waits
        assert all(wait <= impatient.patience_s for wait in waits)
        assert waits == sorted(waits, reverse=True)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(6)))
        assert all(SHORTEST_WAIT_S <= wait <= impatient.patience_s for wait in waits)
    assert committer.run(lambda connection, writer: writer.head().size) == sqlite_trade.counts()[0]
    impatient.dispose()


def test_who_came_later_waits_on_when_the_first_gives_up(sqlite_trade):
    services = sqlite_trade.node.services
    committer, now = committer_on(services.database, services), time.monotonic()
    first, second, third = (_Waiting(lambda *_: None, 1, now + 1000 * n) for n in range(3))
    committer._queue.append(third)
    batch = [first, second]
    assert committer._out_of_patience(batch, 1)
    assert batch == [first]
    assert list(committer._queue) == [second, third], "in front of who came after it"
    assert not committer._out_of_patience([second, third], 1)


def test_a_shorter_wait_is_for_one_transaction(sqlite_trade):
    url = sqlite_trade.node.services.settings.database_url
    patient = open_engine(url, busy_timeout_ms=60_000)
    with locked(patient), pytest.raises(DBAPIError, match="locked"), patient.writing(0.01):
        pass
    with patient.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000
    patient.dispose()


def test_a_shorter_wait_on_postgresql_is_for_one_transaction(postgres_database):
    setting = "SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'"
    for wait_s, expected_ms in ((0.5, 500), (None, 10_000), (9.9, 10_000)):
        with postgres_database.writing(wait_s) as connection:
            assert connection.exec_driver_sql(setting).scalar() == expected_ms
