"""Counting what is inside: what is short, what is over, and where what is missing is now."""

import pytest

from ledger.custody.findings import FindingCode
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    CARRIER,
    CASE,
    MAKER,
    PHARMACY,
    STRANGER,
    TOTE,
    WHOLESALER,
    Story,
    act,
    commission,
    count,
    destroy,
    event,
    observe,
    pack,
    package,
    receive,
    ship,
    unpack,
    void_shipping,
)

A, B, C = package("A"), package("B"), package("C")


def a_case() -> Story:
    """The maker's case with A, B and C."""
    return Story().tell(commission(A, B, C), pack(CASE, A, B, C))


def received_case() -> Story:
    return a_case().tell(ship(CASE), receive(CASE))


def test_counting_fewer_says_which_are_short():
    story = received_case().tell(count(CASE, A))
    assert [(f.code, f.item, f.container) for f in story.findings] == [
        (FindingCode.SHORT, B, CASE),
        (FindingCode.SHORT, C, CASE),
    ]
    assert story.held_by(WHOLESALER, [A, B, C]) == [A]


def test_counting_more_says_which_are_over_and_moves_nothing():
    story = received_case().tell(commission(package("D")), count(CASE, A, B, C, package("D")))
    assert [(f.code, f.item, f.container) for f in story.findings] == [(FindingCode.OVER, package("D"), CASE)]
    assert (story.holder(package("D")), story.inside(package("D"))) == (MAKER, None)


@pytest.mark.parametrize("disposition", ["mismatch_quantity", "mismatch_instance"])
def test_a_mismatch_disposition_says_that_it_was_counted(disposition):
    assert received_case().tell(count(CASE, A, B, disposition=disposition)).codes == [FindingCode.SHORT]


def test_a_verified_completeness_says_that_it_was_counted():
    fields = {"parent": CASE, "children": (A, B), "persistent_set": ("completeness_verified",)}
    seen = act(WHOLESALER, event(EventType.AGGREGATION, Action.OBSERVE, "inspecting", **fields))
    assert received_case().tell(seen).codes == [FindingCode.SHORT]


def test_an_ordinary_observation_may_be_incomplete():
    story = received_case().tell(count(CASE, A, disposition="in_progress"))
    assert story.codes == []
    assert story.held_by(WHOLESALER, [A, B, C]) == [A, B, C]


def test_an_ordinary_observation_marks_as_seen_what_it_names():
    story = received_case().tell(count(CASE, A, disposition="in_progress"))
    assert [story.inferred(key) for key in (A, B)] == [False, True]


def test_a_count_by_somebody_else_loses_nothing():
    story = received_case().tell(count(CASE, A, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.held_by(WHOLESALER, [A, B, C]) == [A, B, C]


def test_a_count_in_a_destroyed_container_loses_nothing():
    story = received_case().tell(destroy(CASE, by=WHOLESALER), count(CASE, A))
    assert story.codes == [FindingCode.AFTER_END]
    assert not story.item(B).missing


def test_what_its_holder_had_seen_before_is_lost_there_and_not_at_the_sender():
    story = received_case().tell(unpack(CASE), pack(TOTE, A, B, C, by=WHOLESALER), count(TOTE, A, B))
    assert story.codes == [FindingCode.SHORT]
    lost = story.item(C)
    assert (lost.holder, lost.owner, lost.in_transit, lost.missing) == (WHOLESALER, WHOLESALER, False, True)


def test_what_was_counted_once_and_is_not_there_the_next_time_is_lost_by_who_counted():
    story = received_case().tell(count(CASE, A, B, C), count(CASE, A, B))
    lost = story.item(C)
    assert (lost.holder, lost.owner, lost.in_transit, lost.missing) == (WHOLESALER, WHOLESALER, False, True)


def test_what_a_sender_misses_after_its_shipment_was_voided_is_not_under_way_to_itself():
    story = a_case().tell(ship(CASE), void_shipping(CASE), count(CASE, A, B, by=MAKER))
    lost = story.item(C)
    assert (lost.holder, lost.in_transit, lost.missing) == (MAKER, False, True)


def test_what_a_maker_misses_of_its_own_stays_its_own():
    story = a_case().tell(count(CASE, A, B, by=MAKER))
    assert (story.holder(C), story.in_transit(C), story.item(C).missing) == (MAKER, False, True)


def test_a_missing_package_seen_again_by_its_holder_is_not_missing_any_more():
    story = a_case().tell(count(CASE, A, B, by=MAKER), observe(C, by=MAKER))
    assert not story.item(C).missing


def test_what_never_came_to_a_carrier_stays_its_owners_and_is_still_on_offer():
    story = a_case().tell(ship(CASE, to=CARRIER, sold_to=WHOLESALER), receive(CASE, by=CARRIER))
    story.tell(count(CASE, A, B, by=CARRIER))
    lost = story.item(C)
    assert (lost.holder, lost.owner, lost.offered_to) == (MAKER, MAKER, WHOLESALER)
    assert (lost.in_transit, lost.bound_for) == (True, CARRIER)


def test_what_a_carrier_sent_and_never_came_still_belongs_to_its_owner():
    story = a_case().tell(ship(CASE, to=CARRIER, sold_to=None), receive(CASE, by=CARRIER))
    story.tell(ship(CASE, by=CARRIER, to=PHARMACY, sold_to=None), receive(CASE, by=PHARMACY, from_=CARRIER))
    assert story.codes == []
    lost = story.tell(count(CASE, A, B, by=PHARMACY)).item(C)
    assert (lost.holder, lost.owner, lost.bound_for) == (CARRIER, MAKER, PHARMACY)


def test_what_is_missing_under_way_stays_missing_until_it_is_received():
    story = received_case().tell(count(CASE, A, B), observe(C, by=MAKER))
    assert story.item(C).missing
