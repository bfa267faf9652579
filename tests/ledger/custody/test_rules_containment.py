"""What is inside what: packing, unpacking, counting."""

import pytest

from ledger.custody.event import Event
from ledger.custody.findings import FindingCode
from ledger.custody.rules import apply
from ledger.custody.state import MAX_DEPTH, World
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    CARRIER,
    CASE,
    MAKER,
    OTHER_CASE,
    PALLET,
    PHARMACY,
    STRANGER,
    TOTE,
    WHOLESALER,
    Story,
    act,
    case,
    commission,
    decommission,
    destroy,
    event,
    hold,
    minutes,
    observe,
    pack,
    package,
    recall,
    receive,
    ship,
    unpack,
)

A, B, C = package("A"), package("B"), package("C")


def a_case() -> Story:
    """The maker's case with A, B and C."""
    return Story().tell(commission(A, B, C), pack(CASE, A, B, C))


def received_case() -> Story:
    return a_case().tell(ship(CASE), receive(CASE))


def test_packing_puts_each_child_into_its_container():
    story = a_case()
    assert [story.inside(key) for key in (A, B, C)] == [CASE] * 3
    assert story.item(A).inside_since == story.last.event.position
    assert story.codes == []


def test_a_container_nobody_has_told_of_is_its_packers():
    story = a_case()
    assert (story.holder(CASE), story.owner(CASE)) == (MAKER, MAKER)
    assert story.item(CASE).custody_since == story.last.event.position


def test_a_container_commissioned_before_stays_with_its_holder_since_then():
    story = Story().tell(commission(CASE, lot=None, expiry=None), commission(A), pack(CASE, A))
    assert story.item(CASE).custody_since == story.acts[0].event.position
    assert story.codes == []


def test_packing_what_is_in_there_already_changes_nothing():
    story = a_case().tell(pack(CASE, A))
    assert story.item(A).inside_since == story.acts[1].event.position
    assert story.codes == []


def test_packed_packages_are_seen_not_inferred():
    assert not a_case().inferred(A)


def test_unpacking_one_leaves_its_siblings_inside():
    story = received_case().tell(unpack(CASE, A))
    assert story.inside(A) is None
    assert story.item(A).inside_since == 0
    assert [story.inside(key) for key in (B, C)] == [CASE, CASE]
    assert story.codes == []


def test_what_is_unpacked_takes_custody_and_title_along():
    story = received_case().tell(unpack(CASE, A), ship(CASE, by=WHOLESALER, to=PHARMACY))
    assert (story.holder(A), story.owner(A), story.in_transit(A)) == (WHOLESALER, WHOLESALER, False)
    assert story.in_transit(B)


def test_what_is_unpacked_has_been_held_since_its_container_came():
    story = received_case()
    came = story.last.event.position
    assert story.tell(unpack(CASE, A)).item(A).custody_since == came


def test_unpacking_without_children_empties_the_container():
    story = received_case().tell(unpack(CASE))
    assert [story.inside(key) for key in (A, B, C)] == [None] * 3
    assert [story.holder(key) for key in (A, B, C)] == [WHOLESALER] * 3


def test_unpacking_what_was_not_inside_is_said():
    story = received_case().tell(commission(package("D"), by=WHOLESALER), unpack(CASE, package("D")))
    assert [(f.code, f.item, f.container) for f in story.findings] == [
        (FindingCode.NOT_INSIDE, package("D"), CASE)
    ]


def test_a_package_in_two_containers_is_in_the_later_one_and_that_is_said():
    story = a_case().tell(pack(OTHER_CASE, A))
    assert story.inside(A) == OTHER_CASE
    assert [(f.code, f.item, f.container) for f in story.findings] == [(FindingCode.TWO_PARENTS, A, CASE)]


def test_a_container_cannot_be_inside_itself():
    story = a_case().tell(pack(PALLET, CASE), pack(CASE, PALLET), pack(CASE, CASE))
    assert story.codes == [FindingCode.CONTAINMENT_CYCLE] * 2
    assert story.inside(PALLET) is None
    assert story.inside(CASE) == PALLET


def test_a_packing_list_that_repeats_what_is_inside_its_cases_is_read_once():
    story = a_case().tell(pack(PALLET, CASE, A, B, C))
    assert story.inside(CASE) == PALLET
    assert story.inside(A) == CASE
    assert story.codes == []


def test_a_child_named_twice_is_packed_once():
    assert Story().tell(commission(A), pack(CASE, A, A)).codes == []


def test_packing_into_an_ended_container_is_refused():
    story = Story().tell(commission(A, B), pack(CASE, A), destroy(CASE, by=MAKER), pack(CASE, B))
    assert story.codes == [FindingCode.AFTER_END]
    assert story.inside(B) is None


def test_packing_an_ended_package_is_refused_and_the_others_go_in():
    story = Story().tell(commission(A, B), destroy(A, by=MAKER), pack(CASE, A, B))
    assert story.codes == [FindingCode.AFTER_END]
    assert [story.inside(key) for key in (A, B)] == [None, CASE]


def test_packing_into_a_container_of_somebody_else_is_refused():
    story = received_case().tell(commission(package("D")), pack(CASE, package("D")))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.inside(package("D")) is None


def test_packing_a_package_of_somebody_else_is_refused():
    story = Story().tell(commission(A), pack(TOTE, A, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert (story.inside(A), story.holder(A)) == (None, MAKER)


def test_goods_of_two_owners_do_not_share_a_container():
    other = package("D")
    story = Story().tell(commission(A), commission(other, by=PHARMACY))
    story.tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(ship(other, by=PHARMACY, to=CARRIER, sold_to=None), receive(other, by=CARRIER, from_=PHARMACY))
    story.tell(pack(TOTE, A, other, by=CARRIER))
    assert story.codes == [FindingCode.MIXED_OWNERS]
    assert (story.inside(A), story.inside(other)) == (TOTE, None)
    assert (story.owner(A), story.owner(other)) == (MAKER, PHARMACY)


def test_goods_of_another_owner_taken_from_one_container_are_not_put_into_the_next():
    other = package("D")
    story = Story().tell(commission(A), commission(other, by=PHARMACY))
    story.tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER), pack(CASE, A, by=CARRIER))
    story.tell(ship(other, by=PHARMACY, to=CARRIER, sold_to=None), receive(other, by=CARRIER, from_=PHARMACY))
    story.tell(pack(TOTE, other, by=CARRIER), pack(TOTE, A, by=CARRIER))
    assert story.codes == [FindingCode.MIXED_OWNERS]
    assert story.inside(A) == CASE


def test_what_nobody_has_made_known_may_join_a_container():
    story = a_case().tell(pack(CASE, package("unknown")))
    assert story.inside(package("unknown")) == CASE
    assert story.codes == [FindingCode.NEVER_COMMISSIONED]


def test_an_empty_container_belongs_to_whom_its_first_content_belongs_to():
    story = Story().tell(commission(A), commission(TOTE, by=CARRIER, lot=None, expiry=None))
    story.tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(pack(TOTE, A, by=CARRIER), unpack(TOTE, A, by=CARRIER))
    assert (story.holder(A), story.owner(A)) == (CARRIER, MAKER)
    assert story.codes == []


def test_an_empty_container_packed_with_something_unknown_keeps_its_owner():
    story = Story().tell(commission(TOTE, by=CARRIER, lot=None, expiry=None))
    story.tell(pack(TOTE, package("unknown"), by=CARRIER))
    assert story.owner(package("unknown")) == CARRIER


def test_an_empty_container_lent_to_a_carrier_stays_its_owners():
    story = Story().tell(commission(TOTE, lot=None, expiry=None))
    story.tell(ship(TOTE, to=CARRIER, sold_to=None), receive(TOTE, by=CARRIER))
    assert story.tell(pack(TOTE, package("unknown"), by=CARRIER)).owner(TOTE) == MAKER


def test_a_new_container_packed_with_something_unknown_is_its_packers():
    assert Story().tell(pack(TOTE, package("unknown"), by=CARRIER)).owner(TOTE) == CARRIER


def test_an_empty_case_on_a_pallet_takes_only_goods_of_the_pallets_owner():
    story = Story().tell(commission(CASE, by=CARRIER, lot=None, expiry=None), commission(A))
    story.tell(pack(PALLET, CASE, by=CARRIER), ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(pack(CASE, A, by=CARRIER))
    assert story.codes == [FindingCode.MIXED_OWNERS]
    assert (story.inside(A), story.owner(A)) == (None, MAKER)


def test_a_hold_on_the_container_stays_with_what_is_unpacked_from_it():
    story = received_case().tell(hold(CASE, by=WHOLESALER, disposition="damaged"), unpack(CASE, A))
    assert story.item(A).held == "damaged"
    assert story.item(B).held is None


def test_a_packages_own_hold_is_kept_before_that_of_its_container():
    story = received_case().tell(hold(A, by=WHOLESALER), hold(CASE, by=WHOLESALER, disposition="damaged"))
    assert story.tell(unpack(CASE, A)).item(A).held == "non_sellable_other"


def test_a_recall_of_the_container_stays_with_what_is_unpacked_from_it():
    story = Story().tell(commission(A, B), commission(CASE, lot=None, expiry=None), pack(CASE, A, B))
    assert story.tell(recall(CASE), unpack(CASE, A, by=MAKER)).item(A).recalled


def test_a_packages_own_recall_stays_when_it_is_unpacked():
    assert a_case().tell(recall(A), unpack(CASE, A, by=MAKER)).item(A).recalled


def test_unpacking_a_destroyed_case_brings_nothing_back():
    story = received_case().tell(destroy(CASE, by=WHOLESALER), unpack(CASE))
    assert story.codes == [FindingCode.AFTER_END]
    assert story.inside(A) == CASE


def test_unpacking_after_the_label_was_taken_out_of_use_still_counts():
    story = received_case().tell(decommission(CASE, by=WHOLESALER), unpack(CASE))
    assert story.codes == []
    assert story.held_by(WHOLESALER, [A, B, C]) == [A, B, C]


def test_unpacking_somebody_elses_case_is_refused():
    story = received_case().tell(unpack(CASE, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.inside(A) == CASE


@pytest.mark.parametrize("action", [Action.ADD, Action.DELETE, Action.OBSERVE])
def test_an_aggregation_without_a_parent_only_says_that_its_children_were_seen(action):
    seen = act(MAKER, event(EventType.AGGREGATION, action, None, "mismatch_quantity", children=(A, B)))
    story = Story().tell(commission(A, B), seen)
    assert story.codes == []
    assert "" not in story.world.items
    assert (story.holder(A), story.inside(A)) == (MAKER, None)


def deep_story(depth: int) -> Story:
    """A in case 1, in case 2, and so on, built from inside out."""
    story = Story().tell(commission(A), pack(case(1), A))
    for number in range(1, depth):
        story.tell(pack(case(number + 1), case(number)))
    return story


def test_what_is_in_as_many_containers_as_are_looked_through_is_known():
    story = deep_story(MAX_DEPTH).tell(observe(A, by=STRANGER))
    assert story.codes == [FindingCode.NOT_HOLDER]


def test_what_is_in_too_many_containers_nobody_can_act_on():
    story = deep_story(MAX_DEPTH + 1)
    story.tell(ship(case(MAX_DEPTH + 1)), receive(case(MAX_DEPTH + 1)))
    assert story.codes == []
    story.tell(ship(A, to=STRANGER))
    assert story.codes == [FindingCode.CONTAINMENT_CYCLE]
    assert story.inside(A) == case(1)


def test_what_is_too_deep_is_refused_the_same_when_only_so_many_containers_are_at_hand():
    world = deep_story(MAX_DEPTH + 3).world
    at_hand = World.of([world.item(A), *world.around(world.item(A))])
    story = deep_story(MAX_DEPTH + 3)
    late = ship(A, to=STRANGER, at=900)
    assert len(at_hand.items) == MAX_DEPTH + 1
    for known in (world, at_hand):
        outcome = apply(known, late)
        assert [found.code for found in outcome.findings] == [FindingCode.CONTAINMENT_CYCLE]
        assert outcome.changed.keys() <= at_hand.items.keys()
    assert story.codes == []


def test_a_ring_of_containers_cannot_be_built_however_long():
    story = deep_story(MAX_DEPTH + 4).tell(pack(case(1), case(MAX_DEPTH + 4)))
    assert story.codes == [FindingCode.CONTAINMENT_CYCLE]
    assert story.inside(case(MAX_DEPTH + 4)) is None


def test_two_chains_joined_beyond_the_limit_can_be_taken_apart_again():
    story = deep_story(MAX_DEPTH + 1).tell(unpack(case(MAX_DEPTH + 1), by=MAKER), observe(A, by=MAKER))
    assert story.codes == []


def test_an_association_is_no_containment():
    fields = {"parent": CASE, "children": (A,)}
    sensor = act(MAKER, event(EventType.ASSOCIATION, Action.ADD, None, **fields))
    story = Story().tell(commission(A), sensor)
    assert story.inside(A) is None
    assert story.codes == []


def test_an_association_is_no_shipment_whatever_its_step():
    logger = act(MAKER, event(EventType.ASSOCIATION, Action.OBSERVE, "shipping", parent=CASE))
    story = a_case().tell(logger)
    assert not story.in_transit(CASE)
    assert story.codes == []


def test_the_same_children_in_another_order_give_the_same_world():
    def told(children: tuple[str, ...]) -> Event:
        return Event(
            EventType.AGGREGATION,
            minutes(5),
            "+00:00",
            event_id="urn:uuid:1",
            action=Action.ADD,
            parent=TOTE,
            children=children,
        )

    other = package("D")
    before = Story().tell(commission(A), commission(other, by=PHARMACY))
    before.tell(ship(A, to=CARRIER, sold_to=None, at=3), receive(A, by=CARRIER, at=4))
    before.tell(ship(other, by=PHARMACY, to=CARRIER, sold_to=None, at=3))
    before.tell(receive(other, by=CARRIER, at=4))
    one = Story(list(before.acts)).tell(act(CARRIER, told((A, other))))
    two = Story(list(before.acts)).tell(act(CARRIER, told((other, A))))
    assert one.world.items == two.world.items
    assert one.findings == two.findings
