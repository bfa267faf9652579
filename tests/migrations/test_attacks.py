"""Messages of the exceptions desk get their sender, up and down, on both databases."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.migrate import downgrade, upgrade
from ledger.store.sql.engine import Database
from tests.migrations.test_ledger_migration import empty_database  # noqa: F401

PARTIES = (
    "INSERT INTO party (party_id, gln, name, kind, verified, address, added_at) VALUES "
    "(1, '0399999000017', 'A', 'maker', true, '', 0), (2, '0614141000012', 'B', 'wholesaler', true, '', 0), "
    "(3, '0860000000017', 'C', 'wholesaler', true, '', 0)"
)
CASE = (
    "INSERT INTO desk_case (case_id, desk, kind, party_id, partner_id, title, subject, state, opened_at, data) "
    "VALUES ('{0}', 'exceptions', 'short', 1, {1}, '', '', 'open', 0, '{{}}')"
)
MESSAGE = (
    "INSERT INTO exception_message (message_no, party_id, direction, kind, uuid, case_uuid, case_id, at, body{2}) "
    "VALUES ({0}, 1, 'in', 'report', 'm', 'c', '{1}', 0, '{{}}'{3})"
)


def test_an_id_becomes_its_senders_own_and_of_two_that_share_one_the_first_stays(
    empty_database: Database,  # noqa: F811
) -> None:
    upgrade(empty_database, "0016")
    with empty_database.writing() as connection:
        for statement in (PARTIES, CASE.format("a", 2), CASE.format("b", 3), MESSAGE.format(1, "a", "", "")):
            connection.execute(text(statement))
    upgrade(empty_database, "0017")
    with empty_database.writing() as connection:
        connection.execute(text(MESSAGE.format(2, "b", ", partner_id", ", 3")))
    with pytest.raises(IntegrityError), empty_database.writing() as connection:
        connection.execute(text(MESSAGE.format(3, "b", ", partner_id", ", 3")))
    query = "SELECT message_no, partner_id FROM exception_message ORDER BY 1"
    with empty_database.reading() as connection:
        assert [tuple(row) for row in connection.execute(text(query))] == [(1, 2), (2, 3)]
    downgrade(empty_database, "0016")
    with empty_database.reading() as connection:
        assert connection.execute(text("SELECT message_no FROM exception_message")).scalars().all() == [1]
    upgrade(empty_database)
