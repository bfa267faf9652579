"""The audit trail: everything that happened to whose data, and no way to change it afterwards."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.shared.actor import Actor, Role
from app.shared.audit import LONGEST_TEXT, Outcome, disclose, entries, record
from tests.support.app import GLN_A, GLN_B, NOON, OPERATOR

MIA = Actor("person", "usr_1", "mia", Role.PHARMACIST, GLN_A, "ses_1", frozenset(), "192.0.2.1", "req_1")


def test_a_row_says_who_what_whose_how_it_ended_when_and_from_where(node):
    database = node.services.database
    disclose(database, node.clock, MIA, "package.view", subject="01003", whose=GLN_B)
    with database.reading() as connection:
        (row,) = entries(connection)
    assert (row.at, row.actor_kind, row.actor_id, row.actor_name) == (NOON, "person", "usr_1", "mia")
    assert (row.actor_role, row.actor_party, row.session_id) == ("pharmacist", GLN_A, "ses_1")
    assert (row.action, row.subject, row.whose, row.outcome) == ("package.view", "01003", GLN_B, "shown")
    assert (row.address, row.request_id) == ("192.0.2.1", "req_1")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_trail SET actor_name = 'max'", "DELETE FROM audit_trail"]
)
def test_no_row_is_ever_changed_or_deleted(node, database, statement):
    """Not by the owner of the table either, whom no missing privilege holds back."""
    disclose(node.services.database, node.clock, MIA, "package.view", subject="01003")
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
        connection.execute(text(statement))
    with database.reading() as connection:
        assert [row.actor_name for row in entries(connection)] == ["mia"]


def test_a_row_of_a_change_goes_with_the_change(node):
    database = node.services.database
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        record(connection, node.clock, OPERATOR, "x.change")
        raise ZeroDivisionError
    with database.reading() as connection:
        assert entries(connection) == []


def test_a_search_that_found_nothing_is_kept_and_found_by_its_subject(node):
    database = node.services.database
    for number in range(3):
        disclose(database, node.clock, MIA, "package.search", subject=f"s{number}", outcome=Outcome.NOTHING)
    with database.reading() as connection:
        assert [(row.subject, row.outcome) for row in entries(connection, subject="s1")] == [
            ("s1", "nothing")
        ]
        assert [row.subject for row in entries(connection, action="package.search", limit=2)] == ["s2", "s1"]


def test_text_from_outside_is_bounded_and_holds_no_nul(node):
    database = node.services.database
    disclose(database, node.clock, MIA, "x", subject="\x00" + "é" * 10_000)
    with database.reading() as connection:
        (row,) = entries(connection)
    assert len(row.subject) == LONGEST_TEXT
    assert "\x00" not in row.subject
