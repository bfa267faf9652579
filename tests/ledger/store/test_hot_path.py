"""The appending path past SQLAlchemy: arrays in PostgreSQL's own format, one round trip for lock and duplicates."""

import threading
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sql_event

from ledger.log.proof import inclusion_proof, verify_inclusion
from ledger.store.sql import postgresql_rows
from ledger.store.sql.postgresql_rows import _cursor, bigint_array, bytea_array
from ledger.store.sql.store import SqlLedger
from tests.support.ledgers import draft, drafts, sql_ledger
from tests.support.patience import PATIENCE_S
from tests.support.sweep import sweep

INT8 = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blobs=st.lists(st.binary(max_size=300), max_size=40), numbers=st.lists(INT8, max_size=40))
def test_the_server_reads_our_arrays_as_what_they_are(postgres_database, blobs, numbers):
    with postgres_database.writing() as connection:
        cursor = _cursor(connection)
        cursor.execute("SELECT %b, %b", (bytea_array(blobs), bigint_array(numbers)))
        assert cursor.fetchone() == (blobs, numbers)


def test_who_waited_for_the_lock_sees_what_was_appended_meanwhile(postgres_database):
    """Its duplicates were looked up in a snapshot from before the wait: they are looked up again."""
    ledger = sql_ledger(postgres_database)
    found = []

    def late():
        with ledger.writing() as writer:
            found.extend(writer.append([draft("new"), draft("same")]))

    thread = threading.Thread(target=late)
    with ledger.writing() as writer:
        [first] = writer.append([draft("same")])
        thread.start()
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        give_up = time.monotonic() + PATIENCE_S
        while writer.connection.exec_driver_sql(waiting).first() is None:
            assert time.monotonic() < give_up, "the second append never came to wait for the first"
            time.sleep(0.01)
            writer.connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
    thread.join(PATIENCE_S)
    assert [entry.index for entry in found] == [1, 0]
    assert found[1] == first
    sweep(ledger)


def test_a_session_that_the_server_ended_is_replaced_before_it_is_used(postgres_database, postgres):
    ledger = sql_ledger(postgres_database)
    with ledger.reading() as reader:
        assert reader.head().size == 0
    name = postgres_database.url.database
    for size in (1, 2):
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        give_up = time.monotonic() + PATIENCE_S
        while postgres.rows(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"):
            assert time.monotonic() < give_up, "the sessions were not ended"
            time.sleep(0.01)
        with ledger.writing() as writer:
            writer.append([draft(size)])
        with ledger.reading() as reader:
            assert reader.head().size == size
    sweep(ledger)


def test_a_session_idle_for_long_is_asked_first(postgres_database, monkeypatch):
    """Where the network is gone nothing arrives, and only a question tells."""
    ledger = sql_ledger(postgres_database)
    with ledger.reading() as reader:
        reader.head()
    asked = []
    monkeypatch.setattr("ledger.store.sql.alive.IDLE_S", -1)
    dialect = postgres_database._current().reader.dialect
    real = dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda driver: asked.append(driver) or real(driver))
    with ledger.reading() as reader:
        assert reader.head().size == 0
    assert len(asked) == 1


def test_proofs_stay_right_while_the_ledger_grows_under_one_cache(sqlite_database):
    """The remembered right edge is from some earlier size: it answers for what it has and is read anew for the rest."""
    ledger = sql_ledger(sqlite_database)
    leaves: list[bytes] = []
    for step in (1, 1, 5, 240, 9, 1, 256, 300, 1):
        with ledger.writing() as writer:
            leaves += [entry.leaf for entry in writer.append(drafts(step, first=len(leaves)))]
        with ledger.reading() as reader:
            head = reader.head()
            for index in {0, head.size // 2, head.size - 1}:
                proof = inclusion_proof(reader, index, head.size)
                verify_inclusion(leaves[index], index, head.size, proof, head.root)


def test_a_proof_out_of_a_tile_nobody_asked_for_is_one_statement(postgres_database, monkeypatch):
    """On PostgreSQL each statement is a round trip; what stands for the origin is asked for once a process."""
    ledger = sql_ledger(postgres_database)
    with ledger.writing() as writer:
        leaves = [entry.leaf for entry in writer.append(drafts(3 * 256))]
    fresh = SqlLedger(postgres_database, ledger.origin)
    with fresh.reading() as reader:
        head = reader.head()
        inclusion_proof(reader, 0, head.size)
    asked = []
    real = postgresql_rows.tiles
    monkeypatch.setattr(postgresql_rows, "tiles", lambda *given: asked.append(given[2:]) or real(*given))
    sql_event.listen(
        postgres_database._current().reader,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )
    for index in (256, 300, 511):
        with fresh.reading() as reader:
            verify_inclusion(
                leaves[index], index, head.size, inclusion_proof(reader, index, head.size), head.root
            )
    assert asked == [(0, 1, 2)], asked
