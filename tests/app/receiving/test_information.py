"""What the dock is told of the transaction information, and what a receipt without it opens and closes."""

from app.exceptions import due
from tests.support.counter import PHARMACY
from tests.support.delivery import ADVICE, Bay, case_label, cases_of
from tests.support.trade import Trade


def test_a_receipt_whose_information_is_withheld_opens_a_case_that_closes_when_it_is_complete(
    sqlite_trade: Trade,
):
    bay = Bay(sqlite_trade)
    bay.ship(cases_of(1))
    wanda = bay.clerk("wanda").begin(ADVICE)
    assert "Transaction information: incomplete. What is missing is the seller's to say" in wanda.page()
    wanda.scan(case_label(1)).finish()
    assert [case.kind for case in bay.exceptions()] == ["information_withheld"]
    assert "strength" not in str(bay.exceptions()[0].data)
    due.look(bay.services.database, bay.services.clock, PHARMACY)
    assert len(bay.exceptions()) == 1
    bay.complete()
    due.look(bay.services.database, bay.services.clock, PHARMACY)
    assert bay.exceptions() == []


def test_a_complete_sale_says_so_and_opens_nothing(sqlite_bay: Bay):
    bay = sqlite_bay
    bay.ship(cases_of(1))
    wanda = bay.clerk("wanda").begin(ADVICE)
    assert "Transaction information: complete" in wanda.page()
    wanda.scan(case_label(1)).finish()
    assert bay.exceptions() == []
