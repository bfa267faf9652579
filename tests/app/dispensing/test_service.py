"""Dispensing as a command: recorded once and whole, or refused with its reasons before any event exists."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.custody import loading
from app.dispensing.service import NotDispensed, Overtaken
from app.errors import Invalid
from app.overrides.rules import may_override
from app.partners import service as partners
from app.shared.actor import Role
from app.shared.audit import entries
from ledger.custody.verdict import Reason
from ledger.custody.vocabulary import Action
from tests.support.app import OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, ON_ITS_WAY, PHARMACY, STRANGER, code, text_of
from tests.support.world import GTIN, MAKER, package, sgln


@pytest.fixture
def dispense(counter):
    """Dispenses as the pharmacy's pharmacist, or another party's."""

    def dispense(typed, party=PHARMACY):
        actor = replace(OPERATOR, role=Role.PHARMACIST, party_gln=party)
        return counter.services.dispensing.dispense(typed.encode(), None, actor)

    return dispense


def test_what_is_ok_and_here_is_closed_in_the_ledger(counter, dispense):
    before = counter.trade.counts()
    done = dispense(code(HERE))
    assert counter.trade.counts() == tuple(count + 1 for count in before)
    assert done.index == before[0]
    assert done.check.subject == package(HERE)
    again = counter.services.verification.check(code(HERE).encode(), None, OPERATOR, asker=PHARMACY)
    assert again.verdict.reason is Reason.ENDED_HERE
    elsewhere = counter.services.verification.check(code(HERE).encode(), None, OPERATOR, asker=STRANGER)
    assert elsewhere.verdict.reason is Reason.SEEN_AFTER_END


REFUSED = {
    "another lot on the label": (code(HERE, lot="OTHER"), "DETAILS DIFFER"),
    "never made": (code("NEVER"), "SUSPECT"),
    "nothing readable": ("hello", "COULD NOT READ"),
    "at its maker": (code(AT_ITS_MAKER), "DETAILS DIFFER"),
    "not received yet": (code(ON_ITS_WAY), "It is on its way to you, and not received yet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_to_be_given_out_is_refused_and_nothing_is_recorded(counter, dispense, case):
    typed, title = REFUSED[case]
    before = counter.trade.counts()
    with pytest.raises(NotDispensed) as caught:
        dispense(typed)
    assert (caught.value.title, caught.value.status) == (title, 409)
    assert caught.value.next_step
    assert counter.trade.counts() == before


def test_nobody_dispenses_what_another_pharmacy_has(counter, dispense):
    with pytest.raises(NotDispensed) as caught:
        dispense(code(HERE), STRANGER)
    assert caught.value.check.record is None


def test_a_pack_is_dispensed_once(counter, dispense):
    dispense(code(HERE))
    before = counter.trade.counts()
    with pytest.raises(NotDispensed) as caught:
        dispense(code(HERE))
    assert caught.value.check.verdict.reason is Reason.ENDED_HERE
    assert counter.trade.counts() == before


def test_of_two_who_scanned_a_pack_at_once_one_dispenses_it(counter):
    pharmacist = replace(OPERATOR, role=Role.PHARMACIST, party_gln=PHARMACY)
    dispensing = counter.services.dispensing
    scanned = [
        dispensing.verification.check(code(HERE).encode(), None, pharmacist, asker=PHARMACY) for _ in range(2)
    ]
    dispensing.record(scanned[0], pharmacist, only_held=True)
    before = counter.trade.counts()
    for only_held in (True, False):  # as it is dispensed, and as it is over a verdict
        with pytest.raises(Overtaken):
            dispensing.record(scanned[1], pharmacist, only_held=only_held)
    assert counter.trade.counts() == before


def test_done_and_refused_are_both_in_the_audit_trail(counter, dispense):
    dispense(code(HERE))
    with pytest.raises(NotDispensed):
        dispense(code(HERE))
    with counter.services.database.reading() as connection:
        rows = entries(connection, action="package.dispense")
    assert [(row.outcome, row.subject, row.whose) for row in rows] == [
        ("refused", package(HERE), PHARMACY),
        ("done", package(HERE), PHARMACY),
    ]
    assert rows[0].detail.startswith("ended_here")


@pytest.fixture
def at_a_desk(counter):
    """Opens a case of the pharmacy's about a pack; and closes it."""

    def opened(number, desk=Desk.EXCEPTIONS):
        with counter.services.database.writing() as connection:
            items = dict.fromkeys(loading.find_ids(connection, [package(number)]).values(), "")
            new = NewCase(desk, "lot_differs", PHARMACY, "Lot on the label differs", items=items)
            return cases.open_case(connection, counter.services.clock, new)

    def closed(case_id):
        with counter.services.database.writing() as connection:
            cases.close(
                connection,
                counter.services.clock,
                case_id,
                "quinn",
                "closed",
                text="Done.",
                root_cause="other",
            )

    return opened, closed


SHORT = f"(01){GTIN}(21){HERE}"


def test_what_is_in_an_open_exception_is_not_given_out_until_it_is_settled(counter, dispense, at_a_desk):
    opened, closed = at_a_desk
    case_id = opened(HERE)
    before = counter.trade.counts()
    with pytest.raises(NotDispensed) as caught:
        dispense(SHORT)
    assert caught.value.title == "It is part of an open exception: Lot on the label differs"
    assert (caught.value.check.blocked_by[0].case_id, counter.trade.counts()) == (case_id, before)
    closed(case_id)
    assert dispense(SHORT).index == before[0]


@pytest.mark.parametrize(("desk", "goes"), [(Desk.EXCEPTIONS, True), (Desk.INVESTIGATIONS, False)])
def test_urgent_care_goes_past_an_exception_and_past_no_investigation(counter, at_a_desk, desk, goes):
    at_a_desk[0](HERE, desk)
    check = counter.services.verification.check(SHORT.encode(), None, OPERATOR, asker=PHARMACY)
    assert may_override(check.verdict, check.blocked_by) is goes


def test_the_scan_names_the_open_case_to_its_party_alone(counter, at_a_desk):
    case_id = at_a_desk[0](HERE)
    mia = counter.pharmacist()
    page = mia.post("/scan", {"code": SHORT})
    assert "it is part of an open exception" in text_of(page)
    assert f"/exceptions/{case_id}" in page.text
    assert "Dispense this pack" not in page.text
    refused = mia.post("/dispense", {"code": SHORT})
    assert "Not dispensed" in text_of(refused)
    assert f"/exceptions/{case_id}" in refused.text
    maker = counter.services.verification.check(code(HERE).encode(), None, OPERATOR, asker=MAKER)
    assert maker.blocked_by == ()


NORTH, SOUTH = "0370000000028", "0370000000035"


@pytest.fixture
def chain(counter):
    """The pharmacy has two sites. Scans a label at one of them."""
    with counter.services.database.writing() as connection:
        owner = partners.by_gln(connection, PHARMACY)
        for gln, name in ((NORTH, "North Street"), (SOUTH, "South Street")):
            partners.set_site(connection, owner, partners.NewSite(gln, name))

    def scan(number, site):
        check = counter.services.verification.check
        return check(code(number).encode(), None, OPERATOR, asker=PHARMACY, site=site).verdict.reason

    return scan


def test_a_pack_dispensed_at_one_site_of_a_chain_is_suspect_at_another(counter, chain):
    actor = replace(OPERATOR, role=Role.PHARMACIST, party_gln=PHARMACY)
    counter.services.dispensing.dispense(code(HERE).encode(), None, actor, site=NORTH)
    counter.node.clock.advance(timedelta(minutes=5))
    assert [chain(HERE, site) for site in (NORTH, SOUTH, None, PHARMACY)] == [
        Reason.ENDED_HERE,
        Reason.SEEN_AFTER_END,
        Reason.ENDED_HERE,
        Reason.ENDED_HERE,
    ]


def test_where_it_was_dispensed_is_read_from_whatever_event_says_so(counter, chain):
    there = {"read_point": sgln(SOUTH), "biz_location": None, "action": Action.DELETE}
    now = counter.node.clock.now()
    event = counter.event("dispensing", 2, hours=0, **there, disposition="dispensed")
    counter.told(replace(event, event_time=now), by=PHARMACY)
    assert (chain(2, SOUTH), chain(2, NORTH)) == (Reason.ENDED_HERE, Reason.SEEN_AFTER_END)


def test_nobody_scans_at_a_strangers_site(counter, chain):
    with pytest.raises(Invalid) as caught:
        chain(HERE, STRANGER)
    assert caught.value.code == "check.site"


def test_the_form_asks_where_it_is_scanned_where_there_are_several_sites(counter, chain):
    mia = counter.pharmacist()
    assert 'name="site"' in mia.get("/scan").text
    page = mia.post("/scan", {"code": code(HERE), "site": NORTH}).text
    assert f'<option value="{NORTH}" selected>North Street</option>' in page
    assert f'<input type="hidden" name="site" value="{NORTH}">' in page
