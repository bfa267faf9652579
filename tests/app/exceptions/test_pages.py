"""The exceptions desk: opens by a count, is read by its own party alone, keeps its thread, closes by itself."""

from datetime import timedelta

import pytest

from app.shared.actor import Role
from ledger.custody.vocabulary import Action, EventType
from tests.support.counter import MISSING, text_of
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
    assert "Open (1)" in said
    assert f"(01)00399999001014 (21){MISSING}" in said
    assert "sent by North Pharma" in said
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
    assert "Open (0)" in text_of(stranger.get("/exceptions"))
    assert stranger.post(f"/exceptions/{case}/notes", {"text": "hi"}, form="/exceptions/").status_code == 404
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
    assert "Open (0)" in said
    assert "Nothing is open" in said
    assert "by corrected data" in said
    thread = text_of(quinn.get(f"/exceptions/{case}"))
    assert "Closed by itself" in thread
    assert "Next Ask" not in thread
