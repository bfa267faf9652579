"""Suspicion inside a container, through real events: one pack of a case is suspect, and so is the case that is
scanned."""

from app.shared.actor import Role
from ledger.custody.verdict import Reason, Word
from tests.support.app import OPERATOR
from tests.support.counter import PHARMACY, STRANGER, text_of
from tests.support.delivery import ADVICE, Bay, case_label, cases_of, pack_label, sscc
from tests.support.world import MAKER, package, sgln


def test_a_case_with_a_serial_that_two_parties_have_is_set_apart_whole(sqlite_bay: Bay) -> None:
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bay.told(bay.event("storing", 101, hours=0.3, read_point=sgln(STRANGER)), by=STRANGER)
    bay.told(bay.event("storing", 101, hours=0.6, read_point=sgln(MAKER)), by=MAKER)
    check = bay.services.verification.check
    scanned = check(case_label(1).encode(), None, OPERATOR, asker=PHARMACY)
    assert (scanned.verdict.word, scanned.verdict.reason) == (Word.SUSPECT, Reason.TWO_CUSTODIANS)
    assert scanned.contents.by_word == {"SUSPECT": 1, "OK": 1}
    assert check(case_label(2).encode(), None, OPERATOR, asker=PHARMACY).verdict.word is Word.OK

    wanda = bay.clerk("wanda").begin(ADVICE).scan(case_label(1), case_label(2))
    assert "Something inside is not OK" in wanda.page()
    assert wanda.act("apart", epc=sscc(1)) == 303
    wanda.finish()
    [found] = [each for each in bay.exceptions() if each.kind == "suspect_inside"]
    assert found.subject in (sscc(1), package(101))
    page = text_of(bay.somebody("quinn", Role.QUALITY).get(f"/exceptions/{found.case_id}"))
    assert "Potential suspect product inside a container" in page
    held = check(pack_label(102).encode(), None, OPERATOR, asker=PHARMACY).verdict
    assert held.word is Word.DO_NOT_USE, "what lies beside it is set apart with it"
    _, outer = bay.item(package(201))
    assert (outer.holder, outer.held) == (PHARMACY, None)
