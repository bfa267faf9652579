"""A registered partner with a token of its own, and what it can do to the others by reporting on what is theirs."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy import event as sql_events

from app.events.models import event as event_table
from app.history import pages
from app.history import service as history
from app.history.service import story
from app.partners import service as partners
from app.proofs.disclosure import Disclosure
from app.shared.actor import Role
from app.verification import handover
from ledger.custody.event import ErrorDeclaration, Event
from ledger.custody.vocabulary import Action, EventType
from ledger.evidence.verify import verify
from ledger.log.encoding import to_base64
from tests.support.trade import WHEN, Trade, problem
from tests.support.world import MAKER, PALLET, WHOLESALER, package

STRANGER = "0666000000015"


@pytest.fixture
def stranger(sqlite_trade: Trade) -> dict[str, str]:
    """Headers of a third party's token."""
    services = sqlite_trade.node.services
    with services.database.writing() as connection:
        partners.register(connection, services.clock, STRANGER, "Back Alley", "wholesaler")
    return sqlite_trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)


def packed(*numbers: int, action: Action = Action.ADD, minutes: int = 10) -> Event:
    return Event(
        type=EventType.AGGREGATION,
        event_time=WHEN + timedelta(minutes=minutes),
        time_zone_offset="+00:00",
        event_id=f"urn:uuid:{uuid.uuid4()}",
        action=action,
        biz_step="packing" if action is Action.ADD else "unpacking",
        parent=PALLET,
        children=tuple(package(number) for number in numbers),
    )


def on_a_pallet(trade: Trade) -> Event:
    """The maker packs two packages and ships the pallet; the packing."""
    packing = packed(1, 2)
    shipping = replace(trade.shipped(1), epcs=(PALLET,))
    assert trade.post_epcis(trade.document(trade.begun(1, 2), packing, shipping)).status_code == 202
    return packing


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packing: replace(
            packing, declaration=ErrorDeclaration(WHEN + timedelta(days=1), "incorrect_data")
        ),
        lambda packing: packed(1, 2, action=Action.DELETE, minutes=30),
    ],
    ids=["declares the packing wrong", "says it unpacked the pallet"],
)
def test_a_strangers_report_does_not_spoil_the_makers_evidence(
    sqlite_trade: Trade, stranger: dict[str, str], spoil: Callable[[Event], Event]
) -> None:
    packing = on_a_pallet(sqlite_trade)
    evidence = sqlite_trade.node.services.evidence
    assert len(verify(evidence.of_package(package(1), reader=None)).events) == 3
    sent = sqlite_trade.post_epcis(sqlite_trade.document(spoil(packing)), headers=stranger)
    assert sent.status_code == 202
    report = verify(evidence.of_package(package(1), reader=None))
    assert {each.one["bizStep"] for each in report.events} >= {"commissioning", "packing", "shipping"}


def test_to_report_about_a_package_does_not_open_its_story(
    sqlite_trade: Trade, stranger: dict[str, str]
) -> None:
    on_a_pallet(sqlite_trade)
    seen = replace(
        sqlite_trade.begun(1),
        action=Action.OBSERVE,
        biz_step="inspecting",
        ilmd=(),
        epcs=(package(1), PALLET),
    )
    assert sqlite_trade.post_epcis(sqlite_trade.document(seen), headers=stranger).status_code == 202
    with sqlite_trade.node.services.database.snapshot() as connection:
        for key in (package(1), PALLET):
            assert story(connection, key, reader=STRANGER) is None
            assert story(connection, key, reader=WHOLESALER) is not None
            assert story(connection, key, reader=MAKER) is not None


def test_an_event_twice_in_one_document_is_said_to_be_so(sqlite_trade: Trade) -> None:
    one = sqlite_trade.begun(1)
    problem(sqlite_trade.post_epcis(sqlite_trade.document(one, one)), 400, "capture.double")
    other = replace(one, epcs=(package(2),))
    problem(sqlite_trade.post_epcis(sqlite_trade.document(one, other)), 409, "capture.other_content")
    assert sqlite_trade.counts()[1:] == (0, 0)


def test_the_same_content_under_two_ids_in_one_document_has_one_effect(sqlite_trade: Trade) -> None:
    one = sqlite_trade.begun(1, event_id="urn:uuid:00000000-0000-4000-8000-000000000001")
    twin = replace(one, event_id="urn:uuid:00000000-0000-4000-8000-000000000002")
    assert sqlite_trade.post_epcis(sqlite_trade.document(one, twin)).status_code == 202
    with sqlite_trade.node.services.database.reading() as connection:
        effects = connection.execute(select(event_table.c.effective).order_by(event_table.c.seq)).scalars()
        assert list(effects) == [True, False]


def test_what_is_in_a_strangers_pallet_is_not_even_read(
    sqlite_trade: Trade, stranger: dict[str, str]
) -> None:
    """Else the time of the answer tells a pallet that is somebody's from one that is not there."""
    on_a_pallet(sqlite_trade)
    read: list[str] = []

    def listen(*told: object) -> None:
        read.append(str(told[2]))

    sql_events.listen(Engine, "before_cursor_execute", listen)
    try:
        answer = sqlite_trade.client.get(f"/custody/contents?epc={PALLET}", headers=stranger)
        scan = {"data": to_base64(f"00{PALLET[-18:]}".encode())}
        checked = sqlite_trade.client.post("/verification/checks", json=scan, headers=stranger)
    finally:
        sql_events.remove(Engine, "before_cursor_execute", listen)
    problem(answer, 404, "not_found")
    assert (checked.status_code, checked.get_json()["subject"]) == (200, PALLET), checked.text
    assert read
    assert not [query for query in read if "item.parent_id IN" in query]


def test_to_report_about_a_package_does_not_tell_to_whom_it_goes(
    sqlite_trade: Trade, stranger: dict[str, str]
) -> None:
    trade = sqlite_trade
    assert trade.post_epcis(trade.document(trade.begun(1), trade.shipped(1))).status_code == 202
    received = replace(
        trade.shipped(1),
        biz_step="receiving",
        disposition="in_progress",
        event_time=WHEN + timedelta(hours=2),
        destinations=(),
    )
    answer = trade.client.post(
        "/epcis/capture", data=trade.document(received), content_type="application/json", headers=stranger
    )
    assert "wrong_receiver" in {each["code"] for each in answer.get_json()["receipt"]["findings"]}
    assert WHOLESALER not in answer.text
    # Nor does one customer hear of the other, where their seller names both.
    again = replace(trade.shipped(1, to=STRANGER), event_time=WHEN + timedelta(hours=3))
    assert trade.post_epcis(trade.document(again)).status_code == 202
    with trade.node.services.database.reading() as connection:
        told = story(connection, package(1), reader=STRANGER)
    assert told is not None
    said = [each.message for one in told.events for each in one.findings]
    assert len(said) >= 2 and not any(WHOLESALER in each for each in said)


def test_a_receipt_refers_to_no_shipment_by_who_did_not_have_it(
    sqlite_trade: Trade, stranger: dict[str, str]
) -> None:
    """A stranger says, later than the maker, that he shipped the maker's pallet, or what is on it."""
    trade, services = sqlite_trade, sqlite_trade.node.services
    on_a_pallet(trade)

    def refers_to(epc: str) -> tuple[str, ...]:
        return handover.shipped(services.database, services.node, epc, asker=WHOLESALER).refs

    true = refers_to(PALLET)
    assert len(true) == 1 and refers_to(package(1)) == true
    for minutes, epcs in ((2, (PALLET,)), (3, (package(1),)), (4, (PALLET, package(1)))):
        false = replace(
            trade.shipped(1), epcs=epcs, event_time=WHEN + timedelta(hours=2, minutes=minutes), sources=()
        )
        sent = {"content_type": "application/json", "headers": stranger}
        assert trade.client.post("/epcis/capture", data=trade.document(false), **sent).status_code == 202
    assert refers_to(PALLET) == refers_to(package(1)) == true


def test_what_a_stranger_reports_again_and_again_pushes_nothing_out_of_a_packages_story(
    sqlite_trade: Trade, stranger: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = sqlite_trade
    monkeypatch.setattr(history, "MOST_EVENTS", 6)
    on_a_pallet(trade)
    seen = replace(
        trade.begun(), action=Action.OBSERVE, biz_step="inspecting", ilmd=(), epcs=(package(1), PALLET)
    )
    before, between = (WHEN + timedelta(minutes=minutes) for minutes in (-30, 15))
    flood = [
        replace(
            seen,
            event_id=f"urn:uuid:{number:08}-0000-4000-8000-000000000000",
            event_time=(before if number < 6 else between) + timedelta(seconds=number),
        )
        for number in range(12)
    ]
    assert trade.post_epcis(trade.document(*flood), headers=stranger).status_code == 202
    evidence = trade.node.services.evidence
    made = evidence.disclosed(package(1), Disclosure())
    steps = [event.one["bizStep"] for event in made.report.events]
    assert sorted(steps) == sorted(["commissioning", "packing", "shipping", *["inspecting"] * 3])
    assert made.cut == 9
    proof = evidence.for_scan(package(1), reader=MAKER)
    assert proof is not None
    with trade.node.services.database.reading() as connection:
        told = story(connection, package(1), reader=None)
    assert told is not None
    assert "9 events are left out" in " ".join(pages._notes(told))
