"""An event of the future changes no custody until a person adopts it, once its time has come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event as sql_events

from app.cases import service as cases
from app.cases.rules import Desk
from app.cli import Context, _parser
from app.custody import ahead
from app.custody import service as custody
from app.custody.rebuild import differences, rebuild
from app.errors import Conflict, NotFound, Refused
from app.events import acts
from app.exceptions.due import look
from app.products import service as products
from app.proofs.fsck import fsck
from app.shared.actor import Role, command_line
from app.shared.audit import entries
from ledger.custody.event import ErrorDeclaration
from ledger.epcis.read import read
from ledger.signing.client import KeyFolder, make_device, sign_capture
from tests.support.counter import text_of
from tests.support.crook import tamper
from tests.support.dock import Dock
from tests.support.trade import problem
from tests.support.world import MAKER, WHOLESALER, package

DAY = timedelta(days=1)
WHY = "The truck left at night, as planned."
OPERATOR = command_line("op")


def shipped_ahead(dock: Dock, number: int = 1, days: int = 2) -> str:
    """The maker tells today that it ships a pack in two days. The event's id."""
    dock.made(number)
    at = dock.services.clock.now() + days * DAY
    receipt = dock.sold(package(number), by=MAKER, to=WHOLESALER, event_time=at)
    assert [each["code"] for each in receipt.findings] == ["future_event"]
    return receipt.events[0].event_id


def codes(dock: Dock, seqs: list[int]) -> list[str]:
    with dock.services.database.reading() as connection:
        return [each.code.value for each in custody.findings_of(connection, seqs)]


def seqs_of(dock: Dock, event_id: str) -> list[int]:
    with dock.services.database.reading() as connection:
        query = f"SELECT seq FROM event WHERE event_id = '{event_id}'"
        return [int(row) for row in connection.exec_driver_sql(query).scalars()]


def sound(dock: Dock) -> None:
    dock.services.node.checkpoint()
    report = fsck(dock.services.database, dock.services.node)
    assert report.ok, report.findings


def test_an_event_of_the_future_changes_no_custody_until_a_person_adopts_it(dock: Dock) -> None:
    event_id = shipped_ahead(dock)
    clock, bearer = dock.services.clock, dock.bearer(MAKER)
    client, body = dock.trade.client, {"event_id": event_id, "why": WHY}
    assert dock.owner(1) == (MAKER, MAKER, False)
    [waiting] = client.get("/events/ahead", headers=bearer).get_json()["events"]
    assert (waiting["event_id"], waiting["may_be_adopted"]) == (event_id, False)
    early = problem(client.post("/events/ahead", json=body, headers=bearer), 409, "event.ahead")
    assert "has not come" in early["title"]
    clock.advance(3 * DAY)
    assert dock.owner(1) == (MAKER, MAKER, False), "that its time comes adopts nothing"
    sound(dock)
    before = dock.trade.counts()
    adopted = client.post("/events/ahead", json=body, headers=bearer)
    assert adopted.status_code == 201, adopted.text
    assert dock.owner(1) == (MAKER, MAKER, True)
    size, documents, events = dock.trade.counts()
    assert (size - before[0], documents - before[1], events - before[2]) == (1, 1, 0)
    assert codes(dock, seqs_of(dock, event_id)) == []
    assert client.get("/events/ahead", headers=bearer).get_json() == {"events": []}
    assert client.post("/events/ahead", json=body, headers=bearer).status_code == 404
    with dock.services.database.reading() as connection:
        [said] = entries(connection, action="event.adopt")
    assert (said.subject, said.actor_party, WHY in said.detail) == (event_id, MAKER, True)
    # It is received like any other, and its title goes with its statement.
    dock.received(package(1), by=WHOLESALER)
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, False)
    sound(dock)
    with dock.services.database.writing() as connection:
        rebuild(connection, clock)
        assert list(differences(connection)) == []
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, False)


def test_what_happened_since_is_projected_again(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    dock.services.clock.advance(3 * DAY)
    receipt = dock.received(package(1), by=WHOLESALER)
    assert [each["code"] for each in receipt.findings] == ["received_without_shipping"]
    dock.services.adoption.adopt(OPERATOR, MAKER, event_id, WHY)
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, False)
    assert codes(dock, [receipt.events[0].seq]) == []
    sound(dock)


def test_a_persons_key_adopts_by_a_statement_that_refers_to_the_leaf(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    trade, services = dock.trade, dock.services
    for name in ("mia", "rae"):
        made = make_device(trade.folder / name, trade.folder / "root", name)
        services.keys.register(made.envelope, made.document, made.seed)
    mia, rae = KeyFolder.open(trade.folder / "mia"), KeyFolder.open(trade.folder / "rae")
    event = trade.begun(1)
    raw = trade.document(replace(event, event_time=services.clock.now() + DAY))
    first = trade.post_signed(raw).get_json()
    assert [each["code"] for each in first["findings"]] == ["future_event"]
    records = [each.fields() for each in read(raw).events]
    refs = (bytes.fromhex(first["leaf"]),)
    early = sign_capture(rae, raw, "application/json", records, refs=refs)
    parts = {"envelope": early.envelope, "seed": early.seed, "document": early.document}
    assert trade.post_parts("/ledger/captures", **parts).get_json()["index"] == first["index"]
    services.clock.advance(2 * DAY)
    assert dock.owner(1)[0] is None, "before its time has come nobody adopts it"
    signed = sign_capture(mia, raw, "application/json", records, refs=refs)
    parts = {"envelope": signed.envelope, "seed": signed.seed, "document": signed.document}
    assert dock.owner(1)[0] is None
    adopted = trade.post_parts("/ledger/captures", **parts).get_json()
    assert adopted["index"] > first["index"]
    assert dock.owner(1) == (MAKER, MAKER, False)
    again = trade.post_parts("/ledger/captures", **parts).get_json()
    assert again["index"] == adopted["index"]
    parts = {"envelope": early.envelope, "seed": early.seed, "document": early.document}
    assert trade.post_parts("/ledger/captures", **parts).get_json()["index"] == first["index"], "adopted once"
    sound(dock)


def test_the_same_event_again_without_the_reference_adopts_nothing(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1)
    sale = {
        "by": MAKER,
        "to": WHOLESALER,
        "event_time": dock.services.clock.now() + DAY,
        "event_id": "urn:uuid:0c",
    }
    first = dock.sold(package(1), **sale)
    dock.services.clock.advance(2 * DAY)
    assert dock.sold(package(1), **sale).index == first.index
    assert dock.owner(1) == (MAKER, MAKER, False)


def test_only_its_own_party_adopts_by_somebody_who_may_and_nothing_that_was_declared_wrong(
    sqlite_dock: Dock,
) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    dock.services.clock.advance(3 * DAY)
    adoption = dock.services.adoption
    with pytest.raises(NotFound):
        adoption.adopt(OPERATOR, WHOLESALER, event_id, WHY)
    dock.node.person("wanda", Role.WAREHOUSE, party_gln=MAKER)
    visitor = dock.node.sign_in("wanda")
    page = visitor.get("/ahead")
    assert "Quality, a pharmacist or the manufacturer adopts it" in text_of(page)
    assert visitor.post("/ahead", {"event_id": event_id, "why": WHY}).status_code == 403
    dock.node.person("quinn", Role.QUALITY, party_gln=MAKER)
    quinn = dock.node.sign_in("quinn")
    assert event_id in quinn.get("/ahead").text
    assert quinn.post("/ahead", {"event_id": event_id, "why": " "}).status_code == 400
    assert quinn.post("/ahead", {"event_id": event_id, "why": WHY}).status_code == 303
    assert dock.owner(1)[2]
    assert "Nothing was told before its time" in text_of(quinn.get("/ahead"))
    with pytest.raises(Refused):
        adoption.adopt(replace(OPERATOR, role=Role.WAREHOUSE), MAKER, event_id, WHY)


def test_what_was_declared_wrong_is_not_adopted(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    [seq] = seqs_of(dock, event_id)
    with dock.services.database.reading() as connection:
        [stored] = acts.read(connection, [seq], without_effect=True)
    declaration = ErrorDeclaration(dock.services.clock.now(), "did_not_occur", ())
    dock.told(replace(stored.act.event, declaration=declaration), by=MAKER)
    dock.services.clock.advance(3 * DAY)
    assert dock.services.adoption.listed(MAKER) == []
    with pytest.raises(Conflict, match="declared this event wrong"):
        dock.services.adoption.adopt(OPERATOR, MAKER, event_id, WHY)


@pytest.mark.parametrize(("days", "late"), [(181, False), (183, True)])
def test_what_was_adopted_very_late_was_told_very_late(sqlite_dock: Dock, days: int, late: bool) -> None:
    """D19: told two days before its time, it warned nobody until it was adopted."""
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    dock.services.clock.advance(days * DAY)
    receipt = dock.services.adoption.adopt(OPERATOR, MAKER, event_id, WHY)
    with dock.services.database.reading() as connection:
        found = custody.findings_of(connection, seqs_of(dock, event_id))
    said = [(each.code.value, each.message) for each in found]
    message = "told before its time, and adopted 181 days after it happened"
    assert said == ([("told_late", message)] if late else [])
    assert [each["code"] for each in receipt.findings] == [code for code, _ in said]
    assert dock.owner(1) == (MAKER, MAKER, True)
    sound(dock)


def test_what_waits_for_the_last_of_days_is_listed(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock, days=(datetime(9999, 12, 31, tzinfo=UTC) - dock.services.clock.now()).days)
    [waiting] = dock.services.adoption.listed(MAKER)
    assert (waiting.event_id, waiting.may, waiting.overdue) == (event_id, False, False)


def test_a_later_signature_is_no_adoption_however_late(sqlite_dock: Dock) -> None:
    """What one clock had a minute ahead counted at once, and counts since: signed half a year later it is not late."""
    dock = sqlite_dock
    trade, services = dock.trade, dock.services
    event = replace(trade.begun(1), event_time=services.clock.now() + timedelta(minutes=1))
    raw = trade.document(event)
    assert trade.post_epcis(raw).status_code == 202
    assert dock.owner(1) == (MAKER, MAKER, False)
    services.clock.advance(200 * DAY)
    assert trade.post_signed(raw).status_code == 201
    assert codes(dock, seqs_of(dock, event.id)) == []


def test_what_waits_after_its_time_is_one_case_a_document_until_nothing_of_it_waits(dock: Dock) -> None:
    database, clock = dock.services.database, dock.services.clock
    dock.made(1, 2)
    at = clock.now() + 2 * DAY
    events = [
        dock.bare(biz_step="inspecting", epcs=(package(number),), event_id=f"urn:uuid:0{number}")
        for number in (1, 2)
    ]
    receipt = dock.told(*(replace(each, event_time=at) for each in events), by=MAKER)

    def waiting() -> list[cases.DeskCase]:
        look(database, clock, MAKER)
        with database.reading() as connection:
            found = cases.queue(connection, Desk.EXCEPTIONS, MAKER)
        return [each for each in found if each.kind == "told_ahead"]

    clock.advance(3 * DAY)
    assert waiting() == [], "its people have two days"
    clock.advance(DAY)
    [case] = waiting()
    assert (case.subject, case.partner_gln) == (f"entry {receipt.index}", None)
    assert case.data["detail"].startswith("Events that wait: 2, the first of ")
    assert [each.overdue for each in dock.services.adoption.listed(MAKER)] == [True, True]
    dock.node.person("quinn", Role.QUALITY, party_gln=MAKER)
    quinn = dock.node.sign_in("quinn")
    assert "which is over and has no effect" in text_of(quinn.get("/ahead"))
    page = quinn.get(f"/exceptions/{case.case_id}")
    assert "Adopt it under" in text_of(page)
    assert "Write to" not in text_of(page), "nobody else can put it right"
    assert 'href="/ahead"' in page.text.partition("<main")[2]
    look(database, clock, WHOLESALER)
    look(database, clock, None)
    assert len(waiting()) == 1, "looked at again it is the same one"
    with database.writing():
        look(database, clock, MAKER)  # NestedWrite, if it wrote where there is nothing to write
    dock.services.adoption.adopt(OPERATOR, MAKER, "urn:uuid:01", WHY)
    assert len(waiting()) == 1
    with database.reading() as connection:
        [stored] = acts.read(connection, seqs_of(dock, "urn:uuid:02"), without_effect=True)
    dock.told(
        replace(stored.act.event, declaration=ErrorDeclaration(clock.now(), "did_not_occur", ())), by=MAKER
    )
    assert waiting() == []
    with database.reading() as connection:
        closed = cases.case(connection, Desk.EXCEPTIONS, case.case_id, MAKER)
    assert (closed.closed_by, closed.root_cause) == ("corrected data", "corrected_data")


def test_what_waits_is_found_by_an_index_that_has_nothing_else_in_it(sqlite_dock: Dock) -> None:
    """SQLite takes a partial index where the query says its condition in the same words."""
    asked: list[tuple[str, object]] = []

    def listen(*told: object) -> None:
        asked.append((str(told[2]), told[3]))

    with sqlite_dock.services.database.reading() as connection:
        sql_events.listen(connection, "before_cursor_execute", listen)
        ahead.waiting(connection, 1, 500)
        ahead.overdue(connection, None, sqlite_dock.services.clock.now(), 500)
        ahead.still_waiting(connection, [1])
        products.any_limited(connection)
        sql_events.remove(connection, "before_cursor_execute", listen)
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all())
            for query, values in asked
        ]
    assert ["ix_finding_lasting" in plan for plan in plans] == [True, True, True, False, False]
    assert "ix_product_market" in plans[-1]


@pytest.mark.parametrize(
    ("crime", "table"),
    [
        ("DELETE FROM endorsement", "endorsement"),
        ("UPDATE event SET effective = FALSE WHERE event_id = ?", "event"),
        (
            "INSERT INTO finding (seq, code, severity, message, lasting) SELECT seq, 'future_event', 'note', '', TRUE"
            " FROM event WHERE event_id = ?",
            "finding",
        ),
    ],
)
def test_an_adoption_cannot_be_taken_away_unseen(sqlite_dock: Dock, crime: str, table: str) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    dock.services.clock.advance(3 * DAY)
    dock.services.adoption.adopt(OPERATOR, MAKER, event_id, WHY)
    sound(dock)
    assert tamper(dock.services.database, crime, [event_id] if "?" in crime else []) == 1
    found = {each.table for each in fsck(dock.services.database, dock.services.node).findings}
    assert table in found


def test_an_adoption_cannot_be_invented(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    shipped_ahead(dock)
    dock.services.clock.advance(3 * DAY)
    database = dock.services.database
    assert tamper(database, "DELETE FROM finding WHERE code = 'future_event'") == 1
    assert tamper(database, "UPDATE event SET effective = TRUE") >= 1
    with database.writing() as connection:
        rebuild(connection, dock.services.clock)
    found = {(each.table, each.column) for each in fsck(database, dock.services.node).findings}
    assert ("finding", "code") in found


def test_the_command_lists_and_adopts(sqlite_dock: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    dock = sqlite_dock
    event_id = shipped_ahead(dock)
    dock.services.clock.advance(3 * DAY)

    def run(*words: str) -> str:
        context = Context(as_json=False)
        context.bare = dock.services  # the node of this test, whose clock stands where it is put
        arguments = _parser("events").parse_args(["events", *words])
        arguments.run(arguments, context)
        return capsys.readouterr().out

    assert event_id in run("ahead", "--as", MAKER)
    assert "counts from now on" in run("adopt", event_id, "--as", MAKER, "--why", WHY)
    assert run("ahead", "--as", MAKER) == "Nothing was told before its time.\n"
    assert dock.owner(1)[2]
