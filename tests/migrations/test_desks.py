"""The exceptions desk's own tables become desks' cases, up and down, on both databases; nothing of the work is lost."""

from sqlalchemy import text

from app.migrate import downgrade, upgrade
from ledger.store.sql.engine import Database
from tests.migrations.test_ledger_migration import empty_database  # noqa: F401

BEFORE = (
    "INSERT INTO party (party_id, gln, name, kind, verified, address, added_at) "
    "VALUES (1, '0399999000017', 'A', 'maker', true, '', 0), (2, '0614141000012', 'B', 'wholesaler', true, '', 0)",
    "INSERT INTO document (doc_id, idx, sha256, by_id, channel, form, intake, received_at, raw, notes) "
    "VALUES (1, 5, '', 2, 'file', 'json20', '{}', 0, '', '[]')",
    "INSERT INTO event (seq, doc_id, ev_no, idx, by_id, event_id, declared_at, digest, pos, event_time, record_time, "
    "type, effective, body, sender_id, recipient_id) "
    "VALUES (9, 1, 0, 5, 2, 'e', 0, '', 0, 0, 0, 'ObjectEvent', true, '', 2, 1)",
    "INSERT INTO item (item_id, bucket, ns, serial, status, in_transit, custody_since, inside_since, last, recalled, "
    "missing, disputed) VALUES (7, 1, '01/00399999001014', 'a/b', 1, false, 0, 0, 0, false, true, false)",
    "INSERT INTO exception_case VALUES ('exc_1', 'short', 9, 7, NULL, 2, 1, 100, 200, NULL, NULL), "
    "('exc_2', 'short', 9, 8, NULL, 2, 1, 100, 200, 300, 'corrected data')",
    "INSERT INTO exception_note (case_id, at, who, text) VALUES ('exc_1', 100, 'Packproof', 'Opened.'), "
    "('exc_1', 150, 'quinn', 'Called them.')",
    "INSERT INTO finding (seq, code, severity, message, item_id, container_id, lasting) "
    "VALUES (9, 'short', 'exception', '', 7, NULL, false), (9, 'no_statement', 'exception', '', NULL, NULL, false), "
    "(9, 'not_holder', 'exception', '', 7, NULL, false), (9, 'not_holder', 'exception', '', 8, NULL, false), "
    "(9, 'not_inside', 'note', '', 7, NULL, false)",
)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_exceptions_desk_goes_up_and_down(empty_database: Database) -> None:  # noqa: F811
    upgrade(empty_database, "0011")
    with empty_database.writing() as connection:
        for statement in BEFORE:
            connection.execute(text(statement))
    upgrade(empty_database, "0012")
    cases = "SELECT case_id, desk, kind, party_id, partner_id, subject, state, closed_by FROM desk_case ORDER BY 1"
    epc = "https://id.gs1.org/01/00399999001014/21/a%2Fb"
    assert rows(empty_database, cases) == [
        ("exc_1", "exceptions", "short", 2, 1, epc, "open", None),
        ("exc_2", "exceptions", "short", 2, 1, "", "closed", "corrected data"),
        ("exc_no_statement_5_0", "exceptions", "no_statement", 1, 2, "entry 5", "open", None),
        ("exc_not_holder_5_0", "exceptions", "not_holder", 1, 2, epc, "open", None),
    ]
    assert rows(empty_database, "SELECT kind, item_id, case_id, idx FROM exception_case ORDER BY 1, 2") == [
        ("no_statement", 0, "exc_no_statement_5_0", 5),
        ("not_holder", 7, "exc_not_holder_5_0", 5),
        ("not_holder", 8, "exc_not_holder_5_0", 5),
        ("short", 7, "exc_1", 5),
        ("short", 8, "exc_2", 5),
    ]
    assert rows(
        empty_database, "SELECT kind, text FROM desk_note WHERE case_id = 'exc_1' ORDER BY note_id"
    ) == [
        ("state", "Opened."),
        ("note", "Called them."),
    ]
    downgrade(empty_database, "0011")
    assert rows(empty_database, "SELECT case_id, kind, closed_at FROM exception_case ORDER BY 1") == [
        ("exc_1", "short", None),
        ("exc_2", "short", 300),
    ]
    assert rows(
        empty_database, "SELECT who, text FROM exception_note WHERE case_id = 'exc_1' ORDER BY note_id"
    ) == [
        ("Packproof", "Opened."),
        ("quinn", "Called them."),
    ]
    assert rows(empty_database, "SELECT case_id FROM desk_case") == []
    upgrade(empty_database)
