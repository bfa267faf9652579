"""Who has it and whose it is: shipping, voiding, receiving, accepting."""

import pytest

from ledger.custody.event import Linked
from ledger.custody.findings import FindingCode
from ledger.custody.promise import MOST_PROMISES
from ledger.custody.vocabulary import Action, EventType
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
    act,
    commission,
    count,
    destroy,
    event,
    hold,
    pack,
    package,
    recall,
    receive,
    sgln,
    ship,
    unpack,
    void_shipping,
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


# Shipping


def test_what_is_shipped_is_under_way_and_still_its_senders():
    story = shipped()
    item = story.item(PALLET)
    assert (item.holder, item.owner, item.sender) == (MAKER, MAKER, MAKER)
    assert (item.in_transit, item.bound_for, item.offered_to) == (True, WHOLESALER, WHOLESALER)
    assert item.custody_since == story.last.event.position
    assert story.codes == []


def test_a_shipping_list_that_repeats_what_is_on_the_pallet_is_read_once():
    story = pallet().tell(ship(PALLET, CASE, OTHER_CASE, A))
    assert story.codes == []
    assert (story.inside(CASE), story.inside(A)) == (PALLET, CASE)
    assert story.in_transit(D)


def test_a_case_shipped_alone_leaves_its_siblings_on_the_pallet():
    story = pallet().tell(ship(CASE))
    assert [(f.code, f.item, f.container) for f in story.findings] == [
        (FindingCode.MOVED_ALONE, CASE, PALLET)
    ]
    assert [story.in_transit(key) for key in (A, B, C, D)] == [True, True, False, False]


def test_shipping_what_is_under_way_already_is_noted():
    story = shipped().tell(ship(PALLET))
    assert story.codes == [FindingCode.SHIPPED_TWICE]
    assert story.outer(A).bound_for == WHOLESALER


def test_shipping_what_is_under_way_already_to_somebody_else_leads_it_nowhere():
    story = shipped().tell(ship(PALLET, to=PHARMACY))
    assert story.codes == [FindingCode.TWO_RECIPIENTS]
    assert story.outer(A).bound_for == WHOLESALER


def test_of_many_shipments_of_one_object_so_many_are_remembered():
    story = shipped()
    for number in range(40):
        story.tell(ship(PALLET, to=f"{number:013d}"))
    assert len(story.outer(A).also_to.split()) == MOST_PROMISES


def test_who_tells_of_more_shipments_than_are_remembered_leads_nothing_away_from_whom_he_told_of_last():
    story = pallet()
    for number in range(40):
        story.tell(ship(PALLET, to=f"{number:013d}"))
    story.tell(ship(PALLET, to=PHARMACY))
    story.tell(receive(PALLET, by=STRANGER, from_=WHOLESALER))
    assert story.in_transit(A), "who names another sender was told of by nobody"
    story.tell(receive(PALLET, by=PHARMACY, from_=MAKER))
    assert (story.holder(A), story.owner(A)) == (PHARMACY, PHARMACY)


def test_shipping_what_somebody_else_has_sent_moves_nothing():
    story = shipped().tell(ship(PALLET, by=STRANGER, to=PHARMACY))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert (story.holder(A), story.outer(A).bound_for) == (MAKER, WHOLESALER)


def test_shipping_what_somebody_else_holds_moves_nothing():
    story = received().tell(ship(PALLET, by=STRANGER, to=PHARMACY))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.holder(A) == WHOLESALER


def test_shipping_what_has_ended_moves_nothing():
    story = made().tell(destroy(A, by=MAKER), ship(A))
    assert story.codes == [FindingCode.AFTER_END]
    assert not story.in_transit(A)


def test_shipping_what_nobody_has_made_known_is_taken_as_the_shippers():
    story = Story().tell(ship(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED]
    assert (story.holder(A), story.owner(A), story.in_transit(A)) == (MAKER, MAKER, True)


def test_shipping_for_an_owner_what_nobody_has_made_known_is_taken_as_the_owners():
    assert Story().tell(ship(A, by=CARRIER, sold_by=MAKER)).owner(A) == MAKER


def test_a_shipment_to_nobody_is_said():
    assert pallet().tell(ship(PALLET, to=None)).codes == [FindingCode.NO_RECIPIENT]


@pytest.mark.parametrize("statement", [None, False])
def test_without_an_affirmed_statement_custody_moves_and_title_stays(statement):
    story = pallet().tell(ship(PALLET, statement=statement), receive(PALLET))
    assert story.codes == [FindingCode.NO_STATEMENT]
    assert (story.holder(A), story.owner(A)) == (WHOLESALER, MAKER)


@pytest.mark.parametrize("overlay", [hold(A, by=MAKER), recall(A)])
def test_shipping_what_is_held_or_recalled_is_said_and_it_moves(overlay):
    story = made().tell(overlay, ship(A))
    assert story.codes == [FindingCode.MOVED_ON_HOLD]
    assert story.in_transit(A)


def test_shipping_out_of_a_held_case_is_said():
    story = made().tell(pack(CASE, A, B), hold(CASE, by=MAKER), ship(A))
    assert story.codes == [FindingCode.MOVED_ALONE, FindingCode.MOVED_ON_HOLD]


def test_returning_what_is_recalled_is_what_should_be_done():
    story = received().tell(unpack(PALLET, CASE), unpack(CASE, A), recall(A), hold(A, by=WHOLESALER))
    story.tell(ship(A, by=WHOLESALER, to=MAKER, disposition="returned"))
    assert story.codes == []
    assert story.in_transit(A)


def test_what_was_missing_and_is_shipped_after_all_is_not_missing():
    story = made().tell(pack(CASE, A, B), count(CASE, A, by=MAKER), ship(B))
    assert story.codes == [FindingCode.SHORT]
    assert not story.item(B).missing


def test_what_was_voided_may_be_shipped_again():
    story = shipped().tell(void_shipping(PALLET), ship(PALLET, to=PHARMACY))
    assert story.codes == []
    assert story.outer(A).bound_for == PHARMACY


def test_returned_goods_go_back_to_their_sender_with_their_title():
    story = received().tell(ship(PALLET, by=WHOLESALER, to=MAKER, disposition="returned"))
    story.tell(receive(PALLET, by=MAKER, from_=WHOLESALER))
    assert (story.holder(A), story.owner(A)) == (MAKER, MAKER)


def test_an_aggregation_that_ships_ships_its_parent():
    places = {"sources": (), "destinations": (Linked("owning_party", sgln(WHOLESALER)),)}
    fields = {"parent": PALLET, "children": (CASE,), **places}
    shipping = act(MAKER, event(EventType.AGGREGATION, Action.OBSERVE, "shipping", **fields), True)
    story = pallet().tell(shipping)
    assert story.in_transit(PALLET)
    assert story.inside(CASE) == PALLET
    assert story.codes == []


def test_a_transaction_event_ships_the_parent_it_names():
    fields = {"parent": PALLET, "destinations": (Linked("location", sgln(WHOLESALER)),)}
    shipping = act(MAKER, event(EventType.TRANSACTION, Action.ADD, "shipping", **fields), True)
    assert pallet().tell(shipping).in_transit(A)


# Voiding


def test_a_voided_shipment_is_with_its_sender_again():
    story = shipped().tell(void_shipping(PALLET))
    item = story.item(PALLET)
    assert (item.holder, item.in_transit, item.bound_for, item.offered_to) == (MAKER, False, None, None)
    assert item.custody_since == story.last.event.position
    assert story.codes == []


def test_voiding_one_case_leaves_the_other_under_way():
    story = shipped().tell(void_shipping(CASE), receive(PALLET))
    assert story.codes == []
    assert story.held_by(MAKER, [A, B, C, D]) == [A, B]
    assert story.held_by(WHOLESALER, [A, B, C, D]) == [C, D]


def test_what_was_received_cannot_be_voided():
    story = received().tell(void_shipping(PALLET))
    assert story.codes == [FindingCode.VOID_AFTER_RECEIPT]
    assert (story.holder(A), story.owner(A)) == (WHOLESALER, WHOLESALER)


@pytest.mark.parametrize("told", [shipped, received])
def test_nobody_voids_a_shipment_that_is_not_its_own(told):
    story = told().tell(void_shipping(PALLET, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.in_transit(A) == (told is shipped)


def test_voiding_what_was_never_shipped_changes_nothing():
    story = made().tell(void_shipping(A))
    assert story.codes == []
    assert story.holder(A) == MAKER


def test_voiding_a_return_that_was_never_sent_changes_nothing():
    """The maker has it and was the last to ship it."""
    story = shipped().tell(void_shipping(PALLET), void_shipping(PALLET))
    assert story.codes == []


# Receiving


def test_what_is_received_is_the_receivers():
    story = received()
    item = story.item(PALLET)
    assert (item.holder, item.owner, item.in_transit) == (WHOLESALER, WHOLESALER, False)
    assert (item.bound_for, item.offered_to, item.sender) == (None, None, MAKER)
    assert item.custody_since == story.last.event.position


def test_a_case_received_from_a_pallet_leaves_its_siblings_under_way():
    story = shipped().tell(receive(CASE))
    assert story.codes == []
    assert story.held_by(WHOLESALER, [A, B, C, D]) == [A, B]
    assert [story.in_transit(key) for key in (C, D)] == [True, True]
    assert story.inside(OTHER_CASE) == PALLET


def test_fifteen_of_sixteen_cases_received_leave_one_under_way():
    boxes = [f"https://id.gs1.org/00/00399999000000{n:04d}" for n in range(200, 216)]
    story = made()
    for number, box in enumerate(boxes):
        story.tell(commission(package(f"P{number}")), pack(box, package(f"P{number}")))
    story.tell(ship(*boxes), receive(*boxes[:15]))
    assert [box for box in boxes if story.in_transit(box)] == [boxes[15]]
    assert story.codes == []


def test_what_the_receiver_scanned_itself_is_not_inferred():
    story = shipped().tell(receive(PALLET, CASE))
    assert [story.inferred(key) for key in (PALLET, CASE, OTHER_CASE)] == [False, False, True]


def test_receiving_again_changes_nothing():
    story = received()
    since = story.item(PALLET).custody_since
    story.tell(receive(PALLET))
    assert story.codes == []
    assert story.item(PALLET).custody_since == since


def test_somebody_else_cannot_receive_it():
    story = shipped().tell(receive(PALLET, by=STRANGER))
    assert story.codes == [FindingCode.WRONG_RECEIVER]
    assert (story.holder(A), story.in_transit(A)) == (MAKER, True)


def test_a_shipment_to_nobody_is_received_by_whoever_names_its_sender():
    story = pallet().tell(ship(PALLET, to=None), receive(PALLET, from_=MAKER))
    assert story.codes == [FindingCode.NO_RECIPIENT]
    assert (story.holder(A), story.owner(A)) == (WHOLESALER, MAKER)


@pytest.mark.parametrize("sender", [None, CARRIER])
def test_a_shipment_to_nobody_is_not_received_by_who_does_not_know_its_sender(sender):
    story = pallet().tell(ship(PALLET, to=None), receive(PALLET, from_=sender))
    assert story.codes == [FindingCode.NO_RECIPIENT, FindingCode.WRONG_RECEIVER]
    assert story.in_transit(A)


def test_receiving_what_was_not_shipped_moves_nothing():
    story = pallet().tell(receive(PALLET))
    assert story.codes == [FindingCode.RECEIVED_WITHOUT_SHIPPING]
    assert (story.holder(A), story.item(PALLET).claimed_by) == (MAKER, WHOLESALER)


def test_receiving_what_nobody_has_made_known_gives_custody_and_no_title():
    story = Story().tell(receive(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED]
    item = story.item(A)
    assert (item.holder, item.owner, item.sender, item.maker) == (WHOLESALER, None, None, None)
    assert item.custody_since == story.last.event.position


def test_receiving_what_has_ended_moves_nothing():
    story = made().tell(ship(A), receive(A), destroy(A, by=WHOLESALER), receive(A, by=PHARMACY))
    assert story.codes == [FindingCode.AFTER_END]
    assert story.holder(A) == WHOLESALER


def test_a_receipt_that_counts_receives_and_says_what_is_short():
    story = shipped().tell(count(PALLET, CASE, step="receiving"))
    assert story.codes == [FindingCode.SHORT]
    assert story.held_by(WHOLESALER, [A, B, C, D]) == [A, B]
    assert story.item(OTHER_CASE).missing


def test_a_transaction_that_names_a_pallet_is_no_count_of_it():
    fields = {"parent": PALLET, "disposition": "mismatch_quantity"}
    receipt = act(WHOLESALER, event(EventType.TRANSACTION, Action.ADD, "receiving", **fields))
    story = shipped().tell(receipt)
    assert story.codes == []
    assert story.holder(A) == WHOLESALER


@pytest.mark.parametrize(
    ("told", "by", "code"),
    [
        (shipped, STRANGER, FindingCode.WRONG_RECEIVER),
        (pallet, WHOLESALER, FindingCode.RECEIVED_WITHOUT_SHIPPING),
    ],
)
def test_a_receipt_that_does_not_count_as_one_loses_nothing(told, by, code):
    story = told().tell(count(PALLET, CASE, by=by, step="receiving"))
    assert story.codes == [code]
    assert not story.item(OTHER_CASE).missing


def test_a_sender_that_counts_a_receipt_of_its_own_shipment_loses_nothing():
    """Under way to somebody else, it is the sender's still, and not there to be counted."""
    story = shipped().tell(count(PALLET, CASE, by=MAKER, step="receiving"))
    assert story.codes == [FindingCode.WRONG_RECEIVER]
    assert not story.item(OTHER_CASE).missing


def test_an_aggregation_without_a_parent_receives_its_children():
    fields = {"children": (CASE, OTHER_CASE), "disposition": "mismatch_quantity"}
    receipt = act(WHOLESALER, event(EventType.AGGREGATION, Action.OBSERVE, "receiving", **fields))
    story = shipped().tell(receipt)
    assert story.held_by(WHOLESALER, [A, C]) == [A, C]
    assert story.codes == []
