"""One serial at two parties: what is a second custodian, and what is only bad data."""

from ledger.custody.findings import FindingCode
from tests.support.world import (
    CARRIER,
    CASE,
    MAKER,
    OTHER_CASE,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    commission,
    hold,
    observe,
    pack,
    package,
    recall,
    receive,
    ship,
)

A, B, C, D = (package(letter) for letter in "ABCD")


def made() -> Story:
    return Story().tell(commission(A, B, C, D))


def pallet() -> Story:
    """The maker's pallet with two cases: A and B, C and D."""
    return made().tell(pack(CASE, A, B), pack(OTHER_CASE, C, D), pack(PALLET, CASE, OTHER_CASE))


def shipped() -> Story:
    return pallet().tell(ship(PALLET))


def received() -> Story:
    return shipped().tell(receive(PALLET))


# Two custodians


def test_a_claim_ends_when_what_was_claimed_is_shipped_to_the_claimant_and_received():
    story = made().tell(receive(A), ship(A), receive(A))
    assert story.codes == [FindingCode.RECEIVED_WITHOUT_SHIPPING]
    assert (story.item(A).claimed_by, story.item(A).disputed) == (None, False)


def test_a_claim_of_another_outlives_a_receipt():
    story = made().tell(receive(A), ship(A, to=PHARMACY), receive(A, by=PHARMACY))
    assert story.codes[0] is FindingCode.RECEIVED_WITHOUT_SHIPPING
    assert story.item(A).claimed_by == WHOLESALER


def test_one_serial_at_two_parties_that_no_shipment_links_is_two_custodians():
    story = made().tell(ship(A), receive(A))
    story.tell(receive(A, by=PHARMACY, from_=STRANGER), observe(A, by=WHOLESALER))
    assert story.codes == [FindingCode.RECEIVED_WITHOUT_SHIPPING, FindingCode.TWO_CUSTODIANS]
    assert story.item(A).disputed
    assert PHARMACY in story.findings[1].message and WHOLESALER in story.findings[1].message


def test_who_reports_about_what_is_under_way_claims_nothing():
    """Its carrier and its receiver may well see it before it is received."""
    story = shipped().tell(observe(PALLET, by=STRANGER))
    assert [found.message for found in story.findings] == [
        f"{STRANGER} reports about an object that is under way"
    ]
    assert story.item(PALLET).claimed_by is None


def test_who_reports_about_what_another_holds_claims_it():
    story = received().tell(observe(PALLET, by=STRANGER))
    assert [found.message for found in story.findings] == [
        f"{STRANGER} reports about an object that is held by somebody else"
    ]
    assert story.item(PALLET).claimed_by == STRANGER


def test_its_sender_cannot_hold_back_what_is_under_way():
    story = shipped().tell(hold(PALLET, by=MAKER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.item(PALLET).held is None


def test_two_custodians_are_said_once():
    story = made().tell(observe(A, by=STRANGER), observe(A, by=MAKER), observe(A, by=MAKER))
    assert story.codes == [FindingCode.NOT_HOLDER, FindingCode.TWO_CUSTODIANS]


def test_one_stranger_who_reports_twice_is_no_second_custodian():
    story = made().tell(observe(A, by=STRANGER), observe(A, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER] * 2
    assert not story.item(A).disputed


def test_two_strangers_who_report_are_two_findings_and_no_second_custodian():
    """Somebody has it by the record, and has not been heard again."""
    story = made().tell(observe(A, by=STRANGER), observe(A, by=PHARMACY))
    assert story.codes == [FindingCode.NOT_HOLDER] * 2
    assert story.item(A).claimed_by == PHARMACY


def test_the_sender_who_reports_after_the_receipt_is_no_second_custodian():
    """The usual cause is a clock or a late file, and a shipment links the two."""
    story = made().tell(ship(A), receive(A), observe(A, by=MAKER), observe(A, by=WHOLESALER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert (story.item(A).claimed_by, story.item(A).disputed) == (None, False)


def test_the_owner_who_reports_what_its_carrier_has_is_no_second_custodian():
    story = made().tell(ship(A, sold_to=None), receive(A), ship(A, by=WHOLESALER, to=CARRIER, sold_to=None))
    story.tell(receive(A, by=CARRIER, from_=WHOLESALER), observe(A, by=MAKER), observe(A, by=CARRIER))
    assert story.codes == [FindingCode.NOT_HOLDER]


def test_the_buyer_of_a_drop_shipment_is_no_second_custodian():
    story = made().tell(ship(A, to=PHARMACY, sold_to=WHOLESALER), receive(A, by=PHARMACY))
    story.tell(receive(A, by=WHOLESALER), observe(A, by=PHARMACY))
    assert story.codes == [FindingCode.RECEIVED_WITHOUT_SHIPPING]


def test_a_recall_is_no_sighting():
    story = made().tell(observe(A, by=STRANGER), recall(A))
    assert story.codes == [FindingCode.NOT_HOLDER]


def test_a_recall_written_on_another_step_still_is_one():
    story = made().tell(observe(A, by=STRANGER), observe(A, by=MAKER, disposition="recalled"))
    assert story.codes == [FindingCode.NOT_HOLDER, FindingCode.TWO_CUSTODIANS]
