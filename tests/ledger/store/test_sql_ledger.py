"""What the database store does beyond the common promise: the caller's transactions, its locks, its refusals."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError

from ledger.log.hashing import tree_hash
from ledger.log.proof import inclusion_proof, root_at, verify_inclusion
from ledger.store.nodes import TileCache
from ledger.store.port import HeadMoved, LedgerDamaged, StoreError
from ledger.store.sql.engine import open_engine
from ledger.store.sql.reader import SqlReader, UnknownLedger, hash16
from ledger.store.sql.store import OtherLedger, SqlLedger
from ledger.store.sql.writer import MAX_APPEND, SqlWriter
from tests.support.crook import flipped, tamper
from tests.support.ledgers import ORIGIN, draft, drafts, sql_ledger
from tests.support.patience import PATIENCE_S
from tests.support.sweep import sweep


def test_entries_and_the_callers_rows_are_one_transaction(database):
    ledger = sql_ledger(database)
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE beside (idx BIGINT)"))
    with database.writing() as connection:
        [entry] = SqlWriter(connection, ORIGIN).append([draft("kept")])
        connection.execute(text("INSERT INTO beside VALUES (:idx)"), {"idx": entry.index})
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        [entry] = SqlWriter(connection, ORIGIN).append([draft("lost")])
        connection.execute(text("INSERT INTO beside VALUES (:idx)"), {"idx": entry.index})
        _ = 1 // 0
    with database.reading() as connection:
        assert connection.execute(text("SELECT idx FROM beside")).scalars().all() == [0]
    with ledger.reading() as reader:
        assert reader.head().size == 1
    sweep(ledger)


def test_a_savepoint_rolled_back_takes_its_entries_and_the_same_writer_goes_on(database):
    ledger = sql_ledger(database)
    with database.writing() as connection:
        writer = SqlWriter(connection, ORIGIN)
        writer.append(drafts(250))
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            writer.append(drafts(20, first=250))
            assert writer.node(0, 260) == writer.leaf(260)
            _ = 1 // 0
        assert writer.head().size == 250
        entries = writer.append(drafts(20, first=500))
        assert [entry.index for entry in entries] == list(range(250, 270))
    sweep(ledger, {entry.index: entry.encode() for entry in entries})


def test_creating_a_ledger_again_changes_nothing(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(3))
    ledger.create()
    with ledger.reading() as reader:
        assert reader.head().size == 3


def test_a_second_origin_in_one_database_is_refused(database):
    sql_ledger(database)
    other = SqlLedger(database, "other.example/ledger")
    with pytest.raises(OtherLedger, match=f"holds the ledger '{ORIGIN}', not 'other.example/ledger'"):
        other.create()
    with pytest.raises(UnknownLedger), other.writing() as writer:
        writer.append(drafts(1))
    with pytest.raises(UnknownLedger), other.reading() as reader:
        reader.head()


def test_two_processes_that_create_at_once_create_one(database):
    failures: list[BaseException] = []

    def create():
        again = open_engine(database.url.render_as_string(hide_password=False))
        try:
            SqlLedger(again, ORIGIN).create()
        except BaseException as failure:
            failures.append(failure)
        finally:
            again.dispose()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM head")).scalar_one() == 1


@pytest.mark.parametrize("column", ["root", "peaks"])
def test_a_head_that_contradicts_itself_is_not_built_on(database, column):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(5))
    with database.reading() as connection:
        old = bytes(connection.exec_driver_sql(f"SELECT {column} FROM head").scalar_one())
    tamper(database, f"UPDATE head SET {column} = ?", [flipped(old, 9)])
    with pytest.raises(LedgerDamaged, match="packproof fsck"), ledger.writing() as writer:
        writer.append(drafts(1, first=5))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar_one() == 5


def test_a_head_that_moves_under_the_lock_stops_the_append(sqlite_database):
    """Nothing passes the lock but a program on the same connection: here a trigger plays it."""
    ledger = sql_ledger(sqlite_database)
    with ledger.writing() as writer:
        writer.append(drafts(5))
    tamper(
        sqlite_database,
        "CREATE TRIGGER sneak AFTER INSERT ON entry BEGIN UPDATE head SET size = size + 1; END",
    )
    with pytest.raises(HeadMoved, match="moved from 5 while it was locked"), ledger.writing() as writer:
        writer.append(drafts(1, first=5))
    with ledger.reading() as reader:
        assert reader.head().size == 5
        assert list(reader.entries(5, 10)) == []


def test_a_statement_is_known_by_all_its_bytes_and_not_by_half_a_hash(database):
    """Another entry under the same 16 bytes, as a found collision would leave it, is not taken for a duplicate."""
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(3))
    key = hash16(draft("new").statement)
    tamper(database, "INSERT INTO statement_index (hash16, ledger, idx) VALUES (?, 1, 1)", [key])
    with ledger.reading() as reader:
        assert reader.find_statement(draft("new").statement) is None
    with ledger.writing() as writer:
        [entry] = writer.append([draft("new")])
        [again] = writer.append([draft("new")])
    assert entry.index == again.index == 3


def test_more_drafts_than_one_append_takes_are_refused(sqlite_database):
    ledger = sql_ledger(sqlite_database)
    with pytest.raises(StoreError, match="at most 100000"), ledger.writing() as writer:
        writer.append([draft("same")] * (MAX_APPEND + 1))


def test_a_cache_that_forgets_gives_the_same_answers(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        leaves = [entry.leaf for entry in writer.append(drafts(2_000))]
    root = tree_hash(leaves)
    with database.reading() as connection:
        for cache in (None, TileCache(tiles=1, roots=1), TileCache()):
            reader = SqlReader(connection, ORIGIN, cache=cache)
            assert root_at(reader, 2_000) == root
            for index in (0, 255, 256, 700, 1_791, 1_792, 1_999):
                verify_inclusion(leaves[index], index, 2_000, inclusion_proof(reader, index, 2_000), root)


def test_an_audit_trusts_nothing_that_was_read_before(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(300))
    with ledger.reading() as reader:
        before = root_at(reader, 300)
        tile = reader.tile(0, 0)
    tamper(database, "UPDATE tile SET data = ?", [flipped(tile, 100)])
    with ledger.auditing() as reader:
        assert root_at(reader, 300) != before


def test_missing_leaves_are_said_to_be_missing_and_never_skipped(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(100))
    tamper(database, "DELETE FROM entry WHERE idx = 50")
    with ledger.reading() as reader, pytest.raises(LedgerDamaged, match="are missing"):
        root_at(reader, 100)


def test_an_auditing_reader_sees_one_moment(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(3))
    with ledger.auditing() as reader:
        assert reader.head().size == 3
        with ledger.writing() as writer:
            writer.append(drafts(3, first=3))
        assert reader.head().size == 3
        assert [index for index, _ in reader.entries(0, 10)] == [0, 1, 2]


def test_without_new_statements_nothing_is_written(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        before = writer.append(drafts(3)), writer.head()
    with ledger.writing() as writer:
        assert (writer.append(drafts(3)), writer.head()) == before


def test_a_failing_append_tells_no_seed_and_leaves_a_usable_database(database):
    ledger = sql_ledger(database)
    with ledger.writing() as writer:
        writer.append(drafts(3))
    secret = draft("secret").seed
    tamper(database, "INSERT INTO seed (ledger, idx, seed) VALUES (1, 3, ?)", [bytes(32)])
    with pytest.raises(IntegrityError) as caught, ledger.writing() as writer:
        writer.append([draft("secret")])
    told = f"{caught.value} {caught.value!r} {caught.value.params}"
    assert secret is not None
    assert secret.hex() not in told
    assert repr(secret)[2:-1] not in told
    tamper(database, "DELETE FROM seed WHERE idx = 3")
    with ledger.writing() as writer:
        assert writer.append([draft("secret")])[0].index == 3
    sweep(ledger)


def test_appending_outside_a_transaction_is_refused(sqlite_database):
    sql_ledger(sqlite_database)
    with sqlite_database.writing() as connection:
        connection.commit()
        with pytest.raises(InvalidRequestError, match="inside a transaction"):
            SqlWriter(connection, ORIGIN).append(drafts(1))


def test_a_terminated_session_is_an_error_and_the_next_append_works(postgres_database, postgres):
    ledger = sql_ledger(postgres_database)
    with pytest.raises(DBAPIError), ledger.writing() as writer:
        writer.append(drafts(3))
        name = postgres_database.url.database
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        writer.append(drafts(3, first=3))
    with ledger.writing() as writer:
        assert [entry.index for entry in writer.append(drafts(3, first=3))] == [0, 1, 2]
    sweep(ledger)
