"""The exceptions desk: opens by a count, is read by its own party alone, keeps its thread, closes by itself."""

import re
from datetime import timedelta

import pytest

from app.shared.actor import Role
from ledger.custody.vocabulary import Action, EventType
from tests.support.counter import MISSING, code, text_of
from tests.support.world import MAKER, PALLET, package


@pytest.fixture
def case(counter):
    """The id of an open case of the pharmacy's; quinn in quality has signed in."""
    return counter.shortage()


@pytest.fixture
def quinn(counter, case):
    return counter.node.sign_in("quinn")


def test_a_shortage_stands_in_the_queue_with_its_clock(counter, quinn):
    said = text_of(quinn.get("/exceptions"))
    # Its two shipments came without an affirmed transaction statement, which is an exception each; and one
    # of these has gaps in its transaction information.
    assert "Open (4)" in said
    assert f"(01)00399999001014 (21){MISSING}" in said
    assert "North Pharma" in said
    assert "3 days left" in said
    counter.node.clock.advance(timedelta(hours=1))
    assert "2 days 23 hours left" in text_of(counter.node.sign_in("quinn").get("/exceptions"))
    counter.node.clock.advance(timedelta(days=3))
    assert "Overdue by" in text_of(counter.node.sign_in("quinn").get("/exceptions"))


def test_a_case_says_what_to_do_and_by_when(counter, case, quinn):
    said = text_of(quinn.get(f"/exceptions/{case}"))
    assert "Next Ask the seller to void what was not shipped" in said
    assert "Due 2026-11-23 12:00 UTC" in said
    assert "(00)103999990000000014" in said
    assert counter.trail("exception.view") == [("quinn", case, "shown")]


def test_a_note_joins_the_thread_and_the_audit_trail(counter, case, quinn):
    address = f"/exceptions/{case}"
    response = quinn.post(f"{address}/notes", {"text": "Called <b>them</b>."}, form=address)
    assert (response.status_code, response.location) == (303, address)
    page = quinn.get(address)
    assert "Called &lt;b&gt;them&lt;/b&gt;." in page.text
    assert counter.trail("exception.note") == [("quinn", case, "done")]


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_note_of_nothing_or_too_much_is_refused(counter, case, quinn, text):
    address = f"/exceptions/{case}"
    response = quinn.post(f"{address}/notes", {"text": text}, form=address)
    assert response.status_code == 400
    assert counter.trail("exception.note") == []


def test_another_partys_case_is_not_there(counter, case, quinn):
    stranger = counter.somebody("sly", Role.QUALITY, "0614143000010")
    theirs, none = stranger.get(f"/exceptions/{case}"), stranger.get("/exceptions/exc_nothing")
    assert theirs.status_code == none.status_code == 404
    assert "Shortage" not in theirs.text
    assert "Nothing is open" in text_of(stranger.get("/exceptions"))
    for what in ("take", "close", "reopen", "messages"):
        denied = stranger.post(
            f"/exceptions/{case}/{what}", {"text": "hi", "root_cause": "picking"}, form="/exceptions/causes"
        )
        assert denied.status_code == 404, what
    assert (
        stranger.post(f"/exceptions/{case}/notes", {"text": "hi"}, form="/exceptions/causes").status_code
        == 404
    )
    # Not even the sender's: it is the pharmacy's desk.
    assert counter.somebody("mary", Role.QUALITY, MAKER).get(f"/exceptions/{case}").status_code == 404


def test_the_correction_closes_the_case_by_itself(counter, case, quinn):
    wrong = counter.event(
        "unpacking", hours=0.5, epcs=(), type=EventType.AGGREGATION, action=Action.DELETE,
        parent=PALLET, children=(package(MISSING),),
    )  # fmt: skip
    void = counter.event("void_shipping", MISSING, hours=4)
    counter.told(wrong, by=MAKER)
    counter.told(void, by=MAKER)
    said = text_of(quinn.get("/exceptions"))
    assert "Open (3)" in said
    assert "Closed lately (1)" in said
    assert "by corrected data" in said
    assert "Corrected data arrived" in said
    thread = text_of(quinn.get(f"/exceptions/{case}"))
    assert "Closed by itself" in thread
    assert "Next Ask" not in thread


def test_it_is_taken_closed_with_its_root_cause_and_opened_again(counter, case, quinn):
    address = f"/exceptions/{case}"
    assert "Nobody has taken it yet" in text_of(quinn.get(address))
    assert quinn.post(f"{address}/take", form=address).status_code == 303
    assert "You have taken it" in text_of(quinn.get(address))
    assert quinn.post(f"{address}/close", {"text": "x", "root_cause": "no"}, form=address).status_code == 400
    text = {"text": "They found it in their hall.", "root_cause": "picking"}
    assert quinn.post(f"{address}/close", text, form=address).status_code == 303
    said = text_of(quinn.get(address))
    assert "Root cause Picked or packed wrongly by the partner" in said
    assert "They found it in their hall." in said
    causes = text_of(quinn.get("/exceptions/causes"))
    assert "Picked or packed wrongly by the partner Shortage found on opening North Pharma 1" in causes
    assert quinn.post(f"{address}/close", text, form="/exceptions/causes").status_code in (400, 409)
    assert quinn.post(f"{address}/reopen", {"text": "It was another."}, form=address).status_code == 303
    assert "3 days left" in text_of(quinn.get(address))
    for action in ("exception.take", "exception.close", "exception.reopen"):
        assert counter.trail(action) == [("quinn", case, "done")]


def test_the_message_is_filled_in_and_kept_as_sent(counter, case, quinn):
    address = f"/exceptions/{case}"
    page = text_of(quinn.get(address))
    for words in ("To North Pharma: shortage found on opening (Data No Product).", "Product (GTIN): 00399999001014",
                  "Concerned: 1 serial number", "Lot: LOT42", "Please put it right with: void shipping"):  # fmt: skip
        assert words in page, words
    assert quinn.post(f"{address}/messages", {"text": "Please void it."}, form=address).status_code == 303
    assert quinn.post(
        f"{address}/messages", {"text": "We will.", "direction": "came"}, form=address
    ).status_code == 303  # fmt: skip
    said = text_of(quinn.get(address))
    assert "quinn to the partner Please void it." in said
    assert "quinn from the partner We will." in said


def test_an_exception_opens_from_a_scan_that_differs(counter, case, quinn):
    page = quinn.get("/scan", query_string={"code": code(1, lot="LOT43")})
    assert "DETAILS DIFFER" in text_of(page)
    check_id = re.search(r'name="check_id" value="([^"]+)"', page.text)[1]
    opened = quinn.post("/exceptions", {"check_id": check_id}, form="/exceptions/causes")
    assert opened.status_code == 303
    said = text_of(quinn.get(opened.location))
    for words in (
        "Lot on the label differs",
        "wrong lot for the shipment",
        "The label says lot LOT43, expiry 2028-05-31.",
        "North Pharma",
    ):
        assert words in said, words
    # Once a scan; and a scan of another company's is as if it were not there.
    assert (
        quinn.post("/exceptions", {"check_id": check_id}, form="/exceptions/causes").location
        == opened.location
    )
    stranger = counter.somebody("sly", Role.QUALITY, "0614143000010")
    assert stranger.post("/exceptions", {"check_id": check_id}, form="/exceptions/causes").status_code == 404


def test_a_stranger_learns_nothing_from_opening_an_exception(counter, case):
    stranger = counter.somebody("sly", Role.QUALITY, "0614143000010")
    page = stranger.get("/scan", query_string={"code": code(1)})
    check_id = re.search(r'name="check_id" value="([^"]+)"', page.text)[1]
    opened = stranger.post("/exceptions", {"check_id": check_id}, form="/exceptions/causes")
    said = text_of(stranger.get(opened.location))
    assert "(21)1" in said
    for secret in ("North Pharma", "Corner Pharmacy", "PO"):
        assert secret not in said.replace("Packproof", ""), secret
