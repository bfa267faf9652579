"""What is found of what stood before: by a recall that is told late, a key in doubt, a market list, a long document."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.capture import long as longs
from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import outstanding
from app.custody import service as custody
from app.exceptions import due
from app.exceptions.due import look
from app.products import service as products
from app.proofs.fsck import fsck
from app.recalls.service import lot_of, recall_document
from ledger.custody.event import Linked
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.signing.client import KeyFolder
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action
from tests.support.app import OPERATOR
from tests.support.counter import PHARMACY
from tests.support.dock import AFFIRMED, KEEPER, Dock, code
from tests.support.trade import WHEN
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package, sgln

CODE = "moved_recalled_lot"


def case_of(dock: Dock, kind: str, gln: str) -> cases.DeskCase | None:
    with dock.services.database.reading() as connection:
        found = [each for each in cases.queue(connection, Desk.EXCEPTIONS, gln) if each.kind == kind]
        return cases.case(connection, Desk.EXCEPTIONS, found[0].case_id, gln) if found else None


def recalled(dock: Dock, at: datetime) -> None:
    raw = recall_document(lot_of(GTIN, "LOT42"), at, MAKER)
    receipt = dock.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    assert not receipt.known


def test_a_recall_told_after_the_shipment_that_it_should_have_stopped_opens_its_case(dock: Dock) -> None:
    dock.made(1, 2, 3)
    dock.packed(PALLET, 1, 2)
    dock.sold(package(3), by=MAKER, to=WHOLESALER)  # before the recall: nothing is wrong with it
    dock.received(package(3), by=WHOLESALER)
    made_at = dock.at()
    dock.services.clock.advance(timedelta(days=2))
    receipt = dock.sold(PALLET, by=MAKER, to=WHOLESALER)
    assert [each["code"] for each in receipt.findings] == []
    assert case_of(dock, CODE, WHOLESALER) is None
    dock.services.clock.advance(timedelta(days=1))
    recalled(dock, made_at)
    case = case_of(dock, CODE, WHOLESALER)
    assert case is not None
    assert (case.subject, case.data["entry"]) == (PALLET, receipt.index)
    assert "Usual innocent cause: the recall and the truck left on the same day." in case.thread[0].text
    report = fsck(dock.services.database, dock.services.node)
    assert report.ok, report.findings


def test_what_was_shipped_before_its_recall_or_goes_back_opens_none(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1, 2)
    dock.sold(package(1), package(2), by=MAKER, to=WHOLESALER)
    dock.received(package(1), package(2), by=WHOLESALER)
    at = dock.at()
    ends = {
        "sources": (Linked("possessing_party", sgln(WHOLESALER)),),
        "destinations": (Linked("possessing_party", sgln(MAKER)),),
    }
    dock.told(
        dock.bare(biz_step="shipping", disposition="returned", epcs=(package(1),), **ends), by=WHOLESALER
    )
    recalled(dock, at)
    assert case_of(dock, CODE, WHOLESALER) is None
    assert case_of(dock, CODE, MAKER) is None


def test_a_sale_outside_the_products_market_is_found_until_the_list_is_put_right(dock: Dock) -> None:
    with dock.services.database.writing() as connection:
        products.allow(connection, GTIN, ["US"], [WHOLESALER])
    dock.made(1, 2, 3)
    dock.packed(PALLET, 1, 2)
    fine = dock.sold(package(3), by=MAKER, to=WHOLESALER)
    assert [each["code"] for each in fine.findings] == []
    sale = dock.sold(PALLET, by=MAKER, to=PHARMACY)
    [found] = sale.findings
    assert (found["code"], found["severity"]) == ("outside_market", "exception")
    assert found["message"] == f"GTIN {GTIN} is not sold to Corner Pharmacy"
    assert found["innocent"].startswith("a market list")
    assert dock.owner(1) == (MAKER, MAKER, True), "a report: it moves all the same"
    case = case_of(dock, "outside_market", PHARMACY)
    assert case is not None
    with dock.services.database.writing() as connection:
        products.allow(connection, GTIN, ["CA"], [])
    with dock.services.database.reading() as connection:
        [again] = custody.findings_of(connection, [sale.events[0].seq])
        assert again.message == f"GTIN {GTIN} is for CA, Corner Pharmacy is in US"
        products_wide = custody.findings_of(connection, [fine.events[0].seq])
    assert [each.code.value for each in products_wide] == ["outside_market"]
    with dock.services.database.writing() as connection:
        products.allow(connection, GTIN, [], [])
    look(dock.services.database, dock.services.clock, PHARMACY)
    assert case_of(dock, "outside_market", PHARMACY) is None
    report = fsck(dock.services.database, dock.services.node)
    assert report.ok, report.findings


def test_what_one_party_leaves_standing_keeps_no_other_from_being_looked_at(
    dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than is looked at in one go: what one told before its time and never adopts, and what it should not have
    sold, come first and stand for ever."""
    services = dock.services
    monkeypatch.setattr(due, "_MOST", 2)
    other = "00399999001021"
    with services.database.writing() as connection:
        products.register(connection, services.clock, other, MAKER, name="Other")
        for gtin in (GTIN, other):
            products.allow(connection, gtin, ["CA"], [])
    theirs = "urn:epc:id:sgtin:0399999.000102.7"
    dock.made(1, 2, 3)
    dock.told(replace(dock.trade.begun(), epcs=(theirs,)), by=MAKER)
    for epc in (*map(package, (1, 2, 3)), theirs):
        dock.sold(epc, by=MAKER, to=WHOLESALER if epc == theirs else PHARMACY)
    seen = dock.bare(biz_step="inspecting", disposition="in_progress", epcs=(package(9),))
    for hours, by in ((2, KEEPER), (3, KEEPER), (4, KEEPER), (5, WHOLESALER)):
        ahead = replace(seen, event_id=f"urn:uuid:{hours}f8fad5b-d9cb-469f-a165-70867728950e")
        dock.told(replace(ahead, event_time=seen.event_time + timedelta(hours=hours)), by=by)
    assert case_of(dock, "outside_market", WHOLESALER) is not None
    with services.database.writing() as connection:
        products.allow(connection, other, [], [])
    dock.node.clock.advance(timedelta(days=5))
    look(services.database, services.clock, None)
    assert case_of(dock, "outside_market", WHOLESALER) is None
    assert case_of(dock, "outside_market", PHARMACY) is not None
    look(services.database, services.clock, None)
    assert case_of(dock, "told_ahead", WHOLESALER) is not None


def test_what_never_arrives_keeps_no_shipment_that_came_in_part_from_being_looked_at(
    dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = dock.services
    for module in (due, outstanding):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(due, "_MOST", 1)
    dock.made(*range(1, 8))
    for number in (1, 2, 3):
        dock.sold(package(number), by=MAKER, to=PHARMACY)
    for come, missing in ((4, 5), (6, 7)):
        dock.sold(package(come), package(missing), by=MAKER, to=WHOLESALER)
        dock.received(package(come), by=WHOLESALER)
    about = []
    for _ in range(3):
        look(services.database, services.clock, None)
        with services.database.reading() as connection:
            found = cases.queue(connection, Desk.EXCEPTIONS, WHOLESALER)
        about.append(sorted(each.subject for each in found if each.kind == "not_received"))
    assert about == [[package(5)], [package(5), package(7)], [package(5), package(7)]]


def test_what_a_key_in_doubt_signed_is_its_partys_work_and_no_scans_alarm(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    trade, services = dock.trade, dock.services
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    since = trade.counts()[0]
    assert trade.post_signed(trade.document(trade.begun(2))).status_code == 201
    look(services.database, services.clock, MAKER)
    assert case_of(dock, "key_suspect", MAKER) is None
    root = KeyFolder.open(trade.folder / "root")
    device = trade.device
    known = KnownKey(device.signer.spki, device.role, device.label)
    made = end_key(root, Action.REVOKE, known, suspect_since=since)
    sent = {"envelope": made.envelope, "document": made.document, "seed": made.seed}
    assert trade.post_parts("/ledger/keys", **sent).status_code == 200
    look(services.database, services.clock, None)
    case = case_of(dock, "key_suspect", MAKER)
    assert case is not None
    assert case.data["detail"] == f"1 events are signed by Line 1, which is in doubt since entry {since}."
    assert case.due_at == case.opened_at + timedelta(days=1)
    verdicts = [
        services.verification.check(code(number).encode(), None, OPERATOR, asker=MAKER).verdict
        for number in (1, 2)
    ]
    assert [(each.word.value, each.reason.value) for each in verdicts] == [("OK", "ok"), ("OK", "ok")]


@pytest.fixture
def short(dock: Dock, monkeypatch: pytest.MonkeyPatch) -> Dock:
    """A node for which more than 4 events are many, and 5 a slice."""
    monkeypatch.setattr(longs, "SLICE", 5)
    dock.services.capture.most_events = 4
    dock.services.worker.background = False
    return dock


def test_gaps_in_the_information_of_a_long_documents_sales_open_one_case_and_close_it(short: Dock) -> None:
    dock = short
    for number in range(1, 8):
        dock.made(number)
    with dock.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE product SET ndc = ''")
    raw = long_document(dock, range(1, 8))
    job = dock.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    done = dock.services.worker.finish(job.job_id)
    assert done.problem is None
    case = case_of(dock, "information_missing", MAKER)
    assert case is not None
    assert (case.subject, len(case.data["seqs"])) == (f"entry {done.index}", 7)
    assert "NDC missing" in case.data["detail"]
    with dock.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE product SET ndc = '99999-001-01'")
    look(dock.services.database, dock.services.clock, MAKER)
    assert case_of(dock, "information_missing", MAKER) is None


def long_document(dock: Dock, numbers: Iterable[int]) -> bytes:
    date = (("http://epcis.gs1us.org/hc/ns#transactionDate", json.dumps("2026-06-01")),)
    sales = [
        replace(
            dock.trade.shipped(number, to=WHOLESALER),
            extensions=date,
            event_time=dock.at(),
            biz_location=None,
        )
        for number in numbers
    ]
    return write(Document(Form.JSON20, tuple(sales), created=WHEN, statement=AFFIRMED))
