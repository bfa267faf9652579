"""Appending in one statement to the head that is expected: only where it is the head, and nothing is known already."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from ledger.store.port import Head, LedgerDamaged
from ledger.store.sql import writer as module
from ledger.store.sql.postgresql_rows import PostgresqlRows
from ledger.store.sql.sqlite_rows import SqliteRows
from ledger.store.sql.store import SqlLedger
from ledger.store.sql.writer import SqlWriter
from tests.support.crook import flipped, tamper
from tests.support.ledgers import ORIGIN, draft, drafts, sql_ledger
from tests.support.sweep import sweep


@pytest.fixture(autouse=True)
def _nothing_expected() -> None:
    module._last.clear()


@contextmanager
def told() -> Iterator[list[bool]]:
    """What each append to an expected head came to."""
    answers: list[bool] = []

    def noting(kept):
        def append_onto(self, *arguments):
            answers.append(kept(self, *arguments))
            return answers[-1]

        return append_onto

    with (
        patch.object(SqliteRows, "append_onto", noting(SqliteRows.append_onto)),
        patch.object(PostgresqlRows, "append_onto", noting(PostgresqlRows.append_onto)),
    ):
        yield answers


def appended(ledger: SqlLedger, *names: str | int) -> list[int]:
    with ledger.writing() as writer:
        return [entry.index for entry in writer.append([draft(name) for name in names])]


def test_who_appends_alone_asks_once_from_the_third_append_on(database):
    ledger = sql_ledger(database)
    with told() as answers:
        found = [appended(ledger, n) for n in range(4)]
        found.append(appended(ledger, 4, 5, 6))
        found.append(appended(ledger, 7))
    assert answers == [True, True, True, True]
    assert found == [[0], [1], [2], [3], [4, 5, 6], [7]]
    sweep(ledger)


def test_a_statement_that_stands_is_found_whatever_is_expected(database):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    with told() as answers:
        assert appended(ledger, 1) == [1]
        assert appended(ledger, 3, 0, 3) == [3, 0, 3]
        assert appended(ledger, 4) == [4]
        assert appended(ledger, 5, 6, 5) == [5, 6, 5]
    assert answers == [False, False, True, True]
    sweep(ledger)


def test_what_another_process_appended_is_followed_and_nothing_is_expected_while_it_writes(database):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    [before] = module._last
    appended(ledger, "another process")
    module._last[:] = [before]
    with told() as answers:
        assert appended(ledger, 4) == [4]
        assert appended(ledger, 5) == [5]
        assert appended(ledger, 6) == [6]
    assert answers == [False, True]
    sweep(ledger)


def test_a_head_that_was_rolled_back_is_no_head(database):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    with pytest.raises(ZeroDivisionError), ledger.writing() as writer:
        writer.append(drafts(5, first=10))
        _ = 1 // 0
    assert module._last[0].head.size == 8
    assert appended(ledger, 3) == [3]
    with database.writing() as connection:
        writer = SqlWriter(connection, ORIGIN)
        writer.lock()
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            writer.append(drafts(2, first=20))
            _ = 1 // 0
        assert [entry.index for entry in writer.append(drafts(2, first=30))] == [4, 5]
    sweep(ledger)


def test_an_append_that_completes_a_tile_reads_the_head_first(database):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    with ledger.writing() as writer:
        writer.append(drafts(252, first=3))
    with told() as answers:
        assert appended(ledger, 255) == [255]
        assert appended(ledger, 256) == [256]
    assert answers == [True]
    sweep(ledger)


@pytest.mark.parametrize("column", ["root", "last_leaf", "peaks"])
def test_a_head_that_was_changed_is_not_appended_to(database, column):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    head = module._last[0].head
    row = {"root": head.root, "last_leaf": head.last_leaf, "peaks": head.peaks.encode()}
    tamper(database, f"UPDATE head SET {column} = ?", [flipped(row[column], 20)])
    with told() as answers:
        if column == "last_leaf":
            assert appended(ledger, 3) == [3]  # for fsck to name: no append can tell
        else:
            with pytest.raises(LedgerDamaged):
                appended(ledger, 3)
    assert answers == [False]


def test_the_head_of_another_database_is_not_taken_for_this_ones(database, tmp_path, request):
    ledger = sql_ledger(database)
    for n in range(3):
        appended(ledger, n)
    [last] = module._last
    empty = Head(0, bytes(32), bytes(32), last.head.peaks)
    module._last[:] = [last._replace(head=empty)]
    assert appended(ledger, 3) == [3]
    module._last[:] = [module._last[0]._replace(origin="packproof.example/other", alone=True)]
    assert appended(ledger, 4) == [4]
    sweep(ledger)
