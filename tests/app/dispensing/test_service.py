"""Dispensing as a command: recorded once and whole, or refused with its reasons before any event exists."""

from dataclasses import replace

import pytest

from app.dispensing.service import NotDispensed, Overtaken
from app.shared.actor import Role
from app.shared.audit import entries
from ledger.custody.verdict import Reason
from tests.support.app import OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, ON_ITS_WAY, PHARMACY, STRANGER, code
from tests.support.world import package


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
