"""Detection by custody's rules alone (domain reference, section 8): travel, expiry, circles, whose number it is."""

from dataclasses import replace

import pytest

from ledger.custody.act import Act, read_act
from ledger.custody.event import position_at
from ledger.custody.findings import FindingCode
from ledger.custody.state import Status
from ledger.custody.travel import Sighting, distance_km, is_place, place_text, travel
from ledger.custody.verdict import Facts, Reason, judge
from tests.support.world import (
    CASE,
    MAKER,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    commission,
    declare_wrong,
    decommission,
    destroy,
    dispense,
    hold,
    minutes,
    observe,
    pack,
    package,
    receive,
    ship,
    unpack,
    void_shipping,
)

A, B = package("A"), package("B")
NEW_YORK, NEWARK, LOS_ANGELES = "40.71280,-74.00600", "40.73570,-74.17240", "34.05220,-118.24370"


def at(place: str, told: Act) -> Act:
    """The act, at a place that is known."""
    return replace(told, place=place)


def sold_to_the_wholesaler(*keys: str) -> Story:
    return Story().tell(commission(*keys), ship(*keys), receive(*keys))


# Travel.


def test_distances_are_those_of_the_map():
    assert distance_km(NEW_YORK, LOS_ANGELES) == pytest.approx(3936, abs=5)
    assert distance_km(NEW_YORK, NEW_YORK) == 0


@pytest.mark.parametrize(("hours", "impossible"), [(0, True), (4.0, True), (4.2, False), (24, False)])
def test_a_journey_is_impossible_where_nothing_flies_so_fast(hours: float, impossible: bool):
    one = Sighting(position_at(minutes(0)), NEW_YORK)
    other = Sighting(position_at(minutes(hours * 60)), LOS_ANGELES)
    assert (travel(one, other) is not None) is impossible
    assert (travel(other, one) is not None) is impossible


def test_two_docks_of_one_town_are_one_place():
    assert (
        travel(Sighting(position_at(minutes(0)), NEW_YORK), Sighting(position_at(minutes(0)), NEWARK)) is None
    )


@pytest.mark.parametrize("degrees", [(90.1, 0), (0, -180.1), (float("nan"), 0)])
def test_a_place_is_on_earth(degrees: tuple[float, float]):
    with pytest.raises(ValueError, match="no place on earth"):
        place_text(*degrees)


def test_a_place_has_one_spelling():
    assert place_text(-0.000001, 0.0) == "0.00000,0.00000"
    assert is_place(NEW_YORK)
    assert [is_place(text) for text in (None, "", "here", "40.7128,-74.006", "91.00000,0.00000")] == [
        False
    ] * 5


def test_a_package_seen_on_both_coasts_within_the_hour_is_suspect():
    story = sold_to_the_wholesaler(A).tell(
        at(NEW_YORK, observe(A, by=WHOLESALER, at=10)), at(LOS_ANGELES, observe(A, by=STRANGER, at=60))
    )
    assert FindingCode.IMPOSSIBLE_TRAVEL in story.codes
    facts = Facts.of(story.world, story.item(A), minutes(70), asker=WHOLESALER)
    assert judge(facts).reason is Reason.IMPOSSIBLE_TRAVEL


def test_the_package_is_cleared_when_the_wrong_sighting_is_declared_wrong():
    story = sold_to_the_wholesaler(A).tell(
        at(NEW_YORK, observe(A, by=WHOLESALER, at=10)), at(LOS_ANGELES, observe(A, by=WHOLESALER, at=60))
    )
    assert story.item(A).travelled
    story.tell(declare_wrong(story.last))
    assert not story.item(A).travelled
    assert story.codes == []


def test_what_is_unpacked_was_where_its_container_was():
    story = Story().tell(
        commission(A, B),
        pack(CASE, A, B),
        ship(CASE),
        at(NEW_YORK, receive(CASE)),
        unpack(CASE, A),
        at(LOS_ANGELES, observe(A, by=WHOLESALER)),
    )
    assert [found.item for found in story.findings if found.code is FindingCode.IMPOSSIBLE_TRAVEL] == [A]
    assert not story.item(B).travelled


def test_a_container_that_travelled_impossibly_casts_its_shadow_on_what_comes_out_of_it():
    story = Story().tell(commission(A), pack(CASE, A), at(NEW_YORK, observe(CASE, by=MAKER)))
    story.tell(at(LOS_ANGELES, observe(CASE, by=MAKER)))
    assert judge(Facts.of(story.world, story.item(A), minutes(9))).reason is Reason.IMPOSSIBLE_TRAVEL
    story.tell(unpack(CASE, A, by=MAKER))
    assert story.item(A).travelled


def test_what_is_said_at_a_desk_is_no_sighting():
    story = Story().tell(commission(A), at(NEW_YORK, ship(A)), at(LOS_ANGELES, void_shipping(A)))
    assert story.codes == []


def test_where_nobody_knows_the_place_nothing_is_said():
    story = Story().tell(commission(A), at(NEW_YORK, observe(A, by=MAKER)), observe(A, by=MAKER))
    assert (story.codes, story.item(A).seen_place) == ([], NEW_YORK)


# What must not be sold on.


def test_shipping_what_has_expired_is_found():
    story = Story().tell(commission(A, expiry="2026-05-31"), ship(A))
    assert story.codes == [FindingCode.MOVED_EXPIRED]


def test_on_its_last_day_it_may_be_shipped():
    assert Story().tell(commission(A, expiry="2026-06-01"), ship(A)).codes == []


def test_expired_goods_may_go_back():
    story = sold_to_the_wholesaler(A)
    day = 1440.0 * 800
    story.tell(ship(A, by=WHOLESALER, to=MAKER, disposition="returned", statement=None, at=day))
    assert story.codes == []


# Returns.


def test_a_return_to_whom_it_came_from_needs_no_statement_and_takes_the_title_back():
    story = sold_to_the_wholesaler(A).tell(
        ship(A, by=WHOLESALER, to=MAKER, disposition="returned", statement=None),
        receive(A, by=MAKER, from_=WHOLESALER),
    )
    assert (story.holder(A), story.owner(A), story.codes) == (MAKER, MAKER, [])


def test_a_return_to_somebody_else_is_a_sale_and_needs_one():
    story = sold_to_the_wholesaler(A).tell(
        ship(A, by=WHOLESALER, to=PHARMACY, disposition="returned", statement=None),
        receive(A, by=PHARMACY, from_=WHOLESALER),
    )
    assert story.codes == [FindingCode.NO_STATEMENT]
    assert (story.holder(A), story.owner(A)) == (PHARMACY, WHOLESALER)


# Circles.


def test_selling_back_is_a_circle():
    story = sold_to_the_wholesaler(A).tell(ship(A, by=WHOLESALER, to=MAKER))
    assert story.codes == [FindingCode.CIRCULAR_RESALE]


def test_a_circle_is_seen_through_a_third_party_and_through_a_container():
    story = sold_to_the_wholesaler(A, B).tell(
        pack(CASE, A, B, by=WHOLESALER),
        ship(CASE, by=WHOLESALER, to=PHARMACY),
        receive(CASE, by=PHARMACY, from_=WHOLESALER),
        unpack(CASE, by=PHARMACY),
        ship(A, by=PHARMACY, to=STRANGER),
        receive(A, by=STRANGER, from_=PHARMACY),
        ship(A, by=STRANGER, to=MAKER),
    )
    assert story.codes == [FindingCode.CIRCULAR_RESALE]
    assert story.item(A).past_owners.split() == [MAKER, WHOLESALER, PHARMACY]


def test_what_only_some_of_its_contents_had_as_owner_a_container_does_not_say():
    story = sold_to_the_wholesaler(A).tell(
        ship(A, by=WHOLESALER, to=PHARMACY), receive(A, by=PHARMACY, from_=WHOLESALER)
    )
    story.tell(commission(B), ship(B, to=PHARMACY), receive(B, by=PHARMACY))
    story.tell(pack(CASE, A, B, by=PHARMACY), ship(CASE, by=PHARMACY, to=WHOLESALER))
    assert story.codes == []
    assert story.item(CASE).past_owners == MAKER


def test_a_return_is_no_circle():
    story = sold_to_the_wholesaler(A).tell(ship(A, by=WHOLESALER, to=MAKER, disposition="returned"))
    assert story.codes == []


# Whose number it is.


def issued(told: Act, issuer: str = MAKER) -> Act:
    """The act as a node resolves it that knows whose prefix the containers' numbers have."""
    return read_act(told.event, told.by, lambda gln: gln, told.statement, issuer_of=lambda _sscc: issuer)


def test_a_stranger_who_dates_his_packing_early_does_not_begin_a_container_of_the_makers():
    story = Story().tell(commission(A), issued(pack(CASE, A, at=50)))
    story.tell(commission(B, by=STRANGER, at=1), issued(pack(CASE, B, by=STRANGER, at=2)))
    assert [found.code for found in story.findings] == [FindingCode.NOT_ISSUER]
    assert (story.holder(CASE), story.inside(A), story.inside(B)) == (MAKER, CASE, None)


@pytest.mark.parametrize(
    "early",
    [
        commission(CASE, by=STRANGER, at=1),
        receive(CASE, by=STRANGER, at=1),
        ship(CASE, by=STRANGER, to=STRANGER, at=1),
        hold(CASE, by=STRANGER, at=1),
        unpack(CASE, A, by=STRANGER, at=1),
    ],
)
def test_nothing_that_a_stranger_dates_early_takes_a_container_over(early: Act):
    story = Story().tell(commission(A, at=5), issued(pack(CASE, A, at=50)), issued(early))
    assert FindingCode.NOT_ISSUER in story.codes
    assert (story.holder(A), story.inside(A), story.item(CASE).held) == (MAKER, CASE, None)


def test_its_receiver_holds_it_once_its_issuer_has_told_of_it():
    story = Story().tell(issued(receive(CASE, at=9)))
    assert (story.holder(CASE), story.codes) == (None, [FindingCode.NOT_ISSUER])
    story.tell(commission(A, at=1), issued(pack(CASE, A, at=2)), issued(ship(CASE, at=3)))
    assert (story.holder(A), story.codes) == (WHOLESALER, [])


def test_what_is_in_a_container_is_not_taken_along_by_whoever_gives_its_label_a_beginning():
    story = Story().tell(commission(A), pack(CASE, A), commission(CASE, by=STRANGER, lot=None, expiry=None))
    assert (story.holder(A), story.inside(A)) == (MAKER, None)
    assert story.holder(CASE) == STRANGER


# What is heard of first, and last.


@pytest.mark.parametrize(
    "first", [dispense(A), observe(A, by=PHARMACY), decommission(A, by=PHARMACY), pack(CASE, A, by=PHARMACY)]
)
def test_a_serial_that_nobody_made_is_found_whatever_is_heard_of_it_first(first: Act):
    story = Story().tell(first)
    assert [(found.code, found.item) for found in story.findings] == [(FindingCode.NEVER_COMMISSIONED, A)]


def test_a_container_needs_no_commissioning():
    assert Story().tell(commission(A), pack(PALLET, A), observe(CASE, by=MAKER)).codes == []


def test_what_was_taken_out_of_use_may_be_destroyed_and_then_nothing_more():
    story = Story().tell(commission(A), decommission(A), destroy(A, by=MAKER))
    assert (story.item(A).status, story.codes) == (Status.DESTROYED, [])
    story.tell(destroy(A, by=MAKER))
    assert story.codes == [FindingCode.AFTER_END]


def test_only_its_holder_destroys_what_was_taken_out_of_use():
    story = Story().tell(commission(A), decommission(A), destroy(A, by=STRANGER))
    assert (story.item(A).status, story.codes) == (Status.DECOMMISSIONED, [FindingCode.NOT_HOLDER])


def test_dispensed_goods_are_not_destroyed():
    story = Story().tell(commission(A), dispense(A, by=MAKER), destroy(A, by=MAKER))
    assert story.codes == [FindingCode.AFTER_END]


def test_what_its_maker_gave_no_expiry_never_expires():
    assert Story().tell(commission(A, expiry=None), ship(A, at=1440.0 * 4000)).codes == []
