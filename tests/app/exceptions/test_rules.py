"""Each finding that is work is a case of some kind, and each kind says what to do, by when, and what to ask for."""

import pytest

from app.exceptions.rules import (
    BY_HAND,
    CORRECTED,
    FINDING_KINDS,
    KINDS,
    RESOLVED,
    ROOT_CAUSES,
    Facts,
    message,
)
from app.exceptions.scenarios import SCENARIOS, HdaClass
from ledger.custody.findings import SEVERITY, FindingCode, Severity

# Exceptions that are never written beside an event: who asks is told of them.
ASKED = {FindingCode.KEY_SUSPECT, FindingCode.DATA_NO_PRODUCT, FindingCode.INFORMATION_MISSING}


def test_every_finding_that_is_written_and_is_work_makes_a_case_and_no_other_does():
    work = {code for code, severity in SEVERITY.items() if severity is not Severity.NOTE}
    assert FINDING_KINDS.keys() == work - ASKED


def test_what_holds_a_package_leads_to_an_investigation_within_a_day_and_nothing_else_does():
    """Section 8: severity hold is 'hold and open suspect review'."""
    holds = {code for code, severity in SEVERITY.items() if severity is Severity.HOLD}
    assert {code for code, kind in FINDING_KINDS.items() if kind.is_suspect} == holds
    assert all(FINDING_KINDS[code].days == 1 for code in holds)


def test_the_scenarios_are_those_of_the_addendum_and_the_classes_hdas_five():
    assert list(SCENARIOS) == [
        *("1-1A", "1-1B", "1-2", "1-3A", "1-3B", "1-4A", "1-4B", "1-5"),
        *("2-1A", "2-1B", "2-2", "2-3", "3-1A", "3-1B"),
    ]
    assert {kind.hda_class for kind in KINDS.values()} == set(HdaClass)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_what_to_do_and_the_message_asks_for_it(name):
    kind = KINDS[name]
    facts = Facts("Seller", "Us", ("PO1",), ("ASN1",), ("00399999001014",), ("L1",), (), ("(01)1 (21)2",), 30)
    text = message(kind, facts)
    for words in (
        kind.title.lower(),
        kind.hda_class.value,
        kind.next_step,
        kind.scenario.seller,
        "PO1",
        "30 serial",
    ):
        assert words in text
    assert "and 29 more" in text
    assert 1 <= kind.days <= 3
    assert len(text) < 2_000


def test_only_the_desk_itself_says_that_corrected_data_came():
    assert ROOT_CAUSES.keys() - BY_HAND.keys() == {CORRECTED, RESOLVED}
