"""An object's life, what stands over it, and that nobody touches what he does not have."""

import pytest

from ledger.custody.event import EXPIRY, LOT, Quantity, compact
from ledger.custody.findings import FindingCode
from ledger.custody.state import Status
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    CASE,
    EXPIRES,
    LOT_KEY,
    LOT_NUMBER,
    MAKER,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    act,
    commission,
    decommission,
    destroy,
    dispense,
    event,
    hold,
    observe,
    pack,
    package,
    recall,
    receive,
    repackage,
    ship,
)

A, B = package("A"), package("B")


def made() -> Story:
    return Story().tell(commission(A, B))


def at_pharmacy() -> Story:
    return made().tell(ship(A, B, to=PHARMACY), receive(A, B, by=PHARMACY))


# Beginning


def test_a_package_begins_with_its_maker_lot_and_expiry():
    story = made()
    item = story.item(A)
    assert (item.status, item.maker, item.lot, item.expiry) == (Status.ACTIVE, MAKER, LOT_NUMBER, EXPIRES)
    assert (item.holder, item.owner, item.custody_since) == (MAKER, MAKER, story.last.event.position)
    assert story.codes == []


def test_a_lot_is_its_first_commissioners():
    assert made().tell(commission(package("X"), by=STRANGER)).item(LOT_KEY).maker == MAKER


def test_a_container_begins_without_lot_and_expiry():
    item = Story().tell(commission(PALLET, lot=None, expiry=None)).item(PALLET)
    assert (item.lot, item.expiry, item.status) == (None, None, Status.ACTIVE)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2028-05-31", "2028-05-31"),
        ("2028-05-31Z", "2028-05-31"),
        ("2028-05-31T23:59:59+02:00", "2028-05-31"),
        ("2028-05-31-05:00", "2028-05-31"),
        ("2028-02-30", None),
        ("2028-05-311", None),
        ("20280531", None),
        ("soon", None),
        ("", None),
    ],
)
def test_an_expiry_is_a_date_or_none(written, kept):
    assert Story().tell(commission(A, expiry=written)).item(A).expiry == kept


def test_an_empty_lot_is_no_lot():
    assert Story().tell(commission(A, lot="")).item(A).lot is None


def test_a_serial_number_is_given_once():
    story = made().tell(commission(A, lot="OTHER", by=STRANGER))
    assert [(f.code, f.item) for f in story.findings] == [(FindingCode.COMMISSIONED_TWICE, A)]
    item = story.item(A)
    assert (item.maker, item.holder, item.lot) == (MAKER, MAKER, LOT_NUMBER)


def test_what_its_maker_did_before_by_a_wrong_clock_stays_done():
    story = Story().tell(pack(CASE, A), commission(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED] * 2
    assert (story.inside(A), story.item(A).maker) == (CASE, MAKER)


def test_what_its_maker_shipped_before_by_a_wrong_clock_stays_with_its_receiver():
    story = Story().tell(ship(A), receive(A), dispense(A, by=WHOLESALER), commission(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED, FindingCode.NEVER_COMMISSIONED]
    item = story.item(A)
    assert (item.holder, item.owner, item.maker) == (WHOLESALER, WHOLESALER, MAKER)
    assert item.status is Status.DISPENSED


def test_the_last_day_of_an_unknown_package_ended_by_nobody_known_does_not_outlive_its_beginning():
    story = Story().tell(destroy(A, by=STRANGER), commission(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED] * 2
    assert (story.item(A).status, story.item(A).ended_by, story.item(A).ended_at) == (
        Status.ACTIVE,
        None,
        None,
    )


# End


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (dispense(A), Status.DISPENSED),
        (destroy(A, by=PHARMACY), Status.DESTROYED),
        (decommission(A, by=PHARMACY), Status.DECOMMISSIONED),
        (act(PHARMACY, event(EventType.OBJECT, Action.OBSERVE, "destroying", epcs=(A,))), Status.DESTROYED),
        (
            act(PHARMACY, event(EventType.OBJECT, Action.OBSERVE, "decommissioning", epcs=(A,))),
            Status.DECOMMISSIONED,
        ),
        (act(PHARMACY, event(EventType.OBJECT, Action.DELETE, None, epcs=(A,))), Status.DECOMMISSIONED),
    ],
)
def test_a_package_ends_with_its_holder(told, status):
    story = at_pharmacy().tell(told)
    item = story.item(A)
    assert (item.status, item.ended_by, item.ended_at) == (status, PHARMACY, story.last.event.position)
    assert story.codes == []


def test_a_package_that_is_dispensed_in_part_lives_on():
    story = at_pharmacy().tell(dispense(A, partly=True), dispense(A, partly=True), dispense(A))
    assert story.codes == []
    assert story.item(A).status is Status.DISPENSED


def test_a_package_dispensed_in_part_has_not_ended():
    story = at_pharmacy().tell(dispense(A, partly=True))
    item = story.item(A)
    assert (item.status, item.ended, item.ended_at) == (Status.PARTIALLY_DISPENSED, False, None)


def test_taking_a_transaction_off_a_package_does_not_end_it():
    unlinked = act(PHARMACY, event(EventType.TRANSACTION, Action.DELETE, None, epcs=(A,)))
    story = at_pharmacy().tell(unlinked)
    assert story.codes == []
    assert story.item(A).status is Status.ACTIVE


def test_destroying_what_is_called_partially_dispensed_destroys_it():
    disposed = event(EventType.OBJECT, Action.DELETE, "destroying", "partially_dispensed", epcs=(A,))
    assert at_pharmacy().tell(act(PHARMACY, disposed)).item(A).status is Status.DESTROYED


def test_dispensing_twice_is_said():
    story = at_pharmacy().tell(dispense(A), dispense(A, by=STRANGER))
    assert story.codes == [FindingCode.DISPENSED_TWICE]
    assert story.item(A).ended_by == PHARMACY


@pytest.mark.parametrize(
    "told", [destroy(A, by=PHARMACY), observe(A, by=PHARMACY), receive(A, by=PHARMACY), ship(A, by=PHARMACY)]
)
def test_nothing_happens_after_the_end(told):
    story = at_pharmacy().tell(dispense(A))
    before = story.item(A)
    story.tell(told)
    assert story.codes == [FindingCode.AFTER_END]
    assert story.findings[0].item == A
    assert (story.item(A).status, story.item(A).holder) == (before.status, before.holder)


def test_the_finding_says_how_it_ended():
    story = at_pharmacy().tell(destroy(A, by=PHARMACY), observe(A, by=PHARMACY))
    assert [found.message for found in story.findings] == ["the object was destroyed before this happened"]


def test_dispensing_what_was_destroyed_is_life_after_death_not_a_second_dispense():
    assert at_pharmacy().tell(destroy(A, by=PHARMACY), dispense(A)).codes == [FindingCode.AFTER_END]


def test_a_package_ended_inside_its_case_leaves_it():
    story = made().tell(pack(CASE, A, B), dispense(A, by=MAKER))
    assert story.codes == []
    assert (story.inside(A), story.inside(B)) == (None, CASE)


def test_a_package_dispensed_in_part_inside_its_case_leaves_it():
    story = made().tell(pack(CASE, A, B), dispense(A, by=MAKER, partly=True))
    assert story.inside(A) is None


@pytest.mark.parametrize("ending", [destroy(CASE, by=MAKER), dispense(CASE, by=MAKER)])
def test_what_is_inside_a_destroyed_or_dispensed_case_has_ended_with_it(ending):
    story = made().tell(pack(CASE, A, B), ending, ship(A))
    assert story.codes == [FindingCode.AFTER_END]
    assert not story.in_transit(A)


def test_what_is_inside_a_case_whose_label_was_taken_out_of_use_lives():
    story = made().tell(pack(CASE, A, B), decommission(CASE), ship(A))
    assert story.codes == [FindingCode.MOVED_ALONE]
    assert story.in_transit(A)


@pytest.mark.parametrize("told", [dispense(A, by=STRANGER), destroy(A, by=STRANGER)])
def test_nobody_ends_what_he_does_not_hold(told):
    story = made().tell(told)
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.item(A).status is Status.ACTIVE


# Holding and recalling


def test_a_hold_says_why_and_stands_until_it_is_released():
    story = made().tell(hold(A, by=MAKER, disposition="damaged"))
    assert story.item(A).held == "damaged"
    assert story.tell(observe(A, by=MAKER)).item(A).held == "damaged"
    assert story.tell(observe(A, by=MAKER, disposition="sellable_accessible")).item(A).held is None
    assert story.codes == []


@pytest.mark.parametrize("disposition", ["sellable_accessible", "sellable_not_accessible", "active"])
def test_a_sellable_disposition_releases(disposition):
    story = made().tell(hold(A, by=MAKER), observe(A, by=MAKER, disposition=disposition))
    assert story.item(A).held is None


def test_a_hold_without_a_reason_is_one():
    assert made().tell(hold(A, by=MAKER, disposition=None)).item(A).held == "held"


def test_nobody_holds_back_or_releases_what_he_does_not_have():
    story = made().tell(hold(A, by=STRANGER), hold(B, by=MAKER))
    story.tell(observe(B, by=STRANGER, disposition="sellable_accessible"))
    assert story.codes == [FindingCode.NOT_HOLDER] * 2
    assert (story.item(A).held, story.item(B).held) == (None, "non_sellable_other")


def test_a_hold_of_the_pallet_is_kept_on_the_pallet():
    story = made().tell(pack(CASE, A), hold(CASE, by=MAKER))
    assert (story.item(CASE).held, story.item(A).held) == ("non_sellable_other", None)


def test_the_maker_recalls_a_package_wherever_it_is():
    story = at_pharmacy().tell(recall(A))
    assert story.codes == []
    assert (story.item(A).recalled, story.item(B).recalled) == (True, False)
    assert (story.item(A).held, story.holder(A)) == (None, PHARMACY)


def test_the_maker_recalls_a_lot():
    story = at_pharmacy().tell(recall(lots=[LOT_KEY]))
    assert story.codes == []
    assert story.item(LOT_KEY).recalled


def test_setting_apart_what_a_stranger_claims_too_is_a_sighting():
    story = made().tell(observe(A, by=STRANGER), hold(A, by=MAKER))
    assert story.codes == [FindingCode.NOT_HOLDER, FindingCode.TWO_CUSTODIANS]


def test_a_holder_who_sets_recalled_stock_apart_holds_it():
    story = at_pharmacy().tell(recall(A, by=PHARMACY))
    assert story.codes == []
    assert (story.item(A).held, story.item(A).recalled) == ("recalled", False)


def test_a_holder_cannot_recall_a_lot():
    story = at_pharmacy().tell(recall(A, by=PHARMACY, lots=[LOT_KEY]))
    assert [(f.code, f.item) for f in story.findings] == [(FindingCode.NOT_MAKER, LOT_KEY)]
    assert not story.item(LOT_KEY).recalled


def test_a_stranger_recalls_nothing():
    story = at_pharmacy().tell(recall(A, by=STRANGER, lots=[LOT_KEY]))
    assert story.codes == [FindingCode.NOT_MAKER] * 2
    assert not story.item(A).recalled and not story.item(LOT_KEY).recalled
    assert (story.item(A).held, story.item(A).claimed_by) == (None, None)


def test_nobody_recalls_what_is_not_made_yet():
    story = Story().tell(recall(A, by=STRANGER, lots=[LOT_KEY]), commission(A))
    assert story.codes == [FindingCode.NOT_MAKER] * 2
    assert not story.item(A).recalled and not story.item(LOT_KEY).recalled


def test_a_holding_of_a_lot_for_another_reason_recalls_nothing():
    held = event(EventType.OBJECT, Action.OBSERVE, "holding", "damaged", quantities=(Quantity(LOT_KEY),))
    story = made().tell(act(MAKER, held))
    assert not story.item(LOT_KEY).recalled


# Repackaging


def test_repackaging_ends_the_old_serials_and_begins_the_new():
    story = made().tell(pack(CASE, A), repackage([A, B], [package("N1")], by=MAKER))
    assert story.codes == []
    assert [story.item(key).status for key in (A, B)] == [Status.DECOMMISSIONED] * 2
    assert (story.item(A).ended_by, story.item(A).ended_at) == (MAKER, story.last.event.position)
    assert story.inside(A) is None
    new = story.item(package("N1"))
    assert (new.status, new.maker, new.holder, new.owner) == (Status.ACTIVE, MAKER, MAKER, MAKER)
    assert (new.lot, new.expiry, new.custody_since) == ("NEW7", "2027-01-31", story.last.event.position)
    assert story.item("https://id.gs1.org/01/00399999001014/10/NEW7").maker == MAKER


def test_nobody_repackages_what_he_does_not_hold():
    story = made().tell(repackage([A], [package("N1")], by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.item(A).status is Status.ACTIVE


def test_what_has_ended_is_not_repackaged():
    story = made().tell(destroy(A, by=MAKER), repackage([A], [package("N1")], by=MAKER))
    assert story.codes == [FindingCode.AFTER_END]
    assert story.item(A).status is Status.DESTROYED


def test_repackaging_does_not_give_a_serial_number_again():
    story = made().tell(repackage([A], [B], by=MAKER))
    assert [(f.code, f.item) for f in story.findings] == [(FindingCode.COMMISSIONED_TWICE, B)]
    assert story.item(B).lot == LOT_NUMBER


def test_ilmd_that_is_no_text_is_no_lot_and_no_expiry():
    pairs = ((EXPIRY, compact({"a": "b"})), (LOT, compact(["LOT"])))
    odd = act(MAKER, event(EventType.OBJECT, Action.ADD, "commissioning", epcs=(A,), ilmd=pairs))
    item = Story().tell(odd).item(A)
    assert (item.lot, item.expiry, item.maker) == (None, None, MAKER)


def test_a_pharmacy_that_returns_a_package_gives_it_back():
    story = at_pharmacy().tell(ship(A, by=PHARMACY, to=WHOLESALER, disposition="returned"))
    story.tell(receive(A, by=WHOLESALER, from_=PHARMACY))
    assert (story.holder(A), story.owner(A)) == (WHOLESALER, WHOLESALER)
