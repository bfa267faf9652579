"""What a registered partner could try with false reports, and does not get."""

import pytest

from ledger.custody.findings import FindingCode
from tests.support.world import (
    CASE,
    LOT_KEY,
    MAKER,
    PALLET,
    PHARMACY,
    STRANGER,
    TOTE,
    Story,
    commission,
    decommission,
    destroy,
    dispense,
    hold,
    observe,
    pack,
    package,
    recall,
    receive,
    repackage,
    ship,
    unpack,
)

A, B = package("A"), package("B")


def made() -> Story:
    return Story().tell(commission(A, B))


def at_pharmacy() -> Story:
    return made().tell(ship(A, B, to=PHARMACY), receive(A, B, by=PHARMACY))


# What a registered partner could try with false reports


@pytest.mark.parametrize(
    "attack",
    [
        ship(A, by=STRANGER, to=PHARMACY, at=-10),
        receive(A, by=STRANGER, from_=MAKER, at=-10),
        pack(CASE, A, by=STRANGER, at=-10),
        destroy(A, by=STRANGER, at=-10),
        hold(A, by=STRANGER, at=-10),
        recall(A, by=STRANGER, lots=[LOT_KEY], at=-10),
        observe(A, by=STRANGER, at=-10),
    ],
    ids=lambda told: told.event.biz_step,
)
def test_a_report_dated_before_the_beginning_takes_nothing(attack):
    honest = at_pharmacy()
    attacked = Story([*honest.acts, attack])
    before, after = honest.item(A), attacked.item(A)
    for kept in ("status", "maker", "lot", "holder", "owner", "parent", "held", "recalled", "custody_since"):
        assert getattr(before, kept) == getattr(after, kept)
    assert not attacked.item(LOT_KEY).recalled


def test_goods_packed_into_a_strangers_container_before_they_began_are_taken_out():
    story = Story().tell(pack(CASE, A, by=STRANGER), commission(A))
    assert story.codes == [FindingCode.NEVER_COMMISSIONED] * 2
    assert (story.inside(A), story.holder(A), story.owner(A)) == (None, MAKER, MAKER)
    assert story.world.contents(CASE) == frozenset()


BOUGHT = (
    commission(B, at=-90),
    pack(CASE, B, at=-80),
    ship(CASE, to=STRANGER, at=-70),
    receive(CASE, by=STRANGER, at=-60),
)
LENT = (
    commission(B, by=STRANGER, at=-90),
    pack(TOTE, B, by=STRANGER, at=-80),
    ship(TOTE, by=STRANGER, to=MAKER, sold_to=None, at=-70),
    receive(TOTE, by=MAKER, from_=STRANGER, at=-60),
)


@pytest.mark.parametrize(
    "attack",
    [
        (*BOUGHT, pack(CASE, A, by=STRANGER, at=-50)),
        (*BOUGHT, pack(CASE, A, by=STRANGER, at=-50), unpack(CASE, A, by=STRANGER, at=-40)),
        (*BOUGHT, unpack(CASE, by=STRANGER, at=-55), pack(CASE, A, by=STRANGER, at=-50)),
        (*LENT, pack(TOTE, A, by=STRANGER, at=-75)),
    ],
    ids=["bought", "and taken out", "emptied", "lent to the maker"],
)
def test_a_container_that_went_between_maker_and_stranger_takes_no_goods_of_his_along(attack):
    honest = (commission(A), ship(A, to=PHARMACY), receive(A, by=PHARMACY))
    story = Story().tell(*attack, *honest)
    assert (story.holder(A), story.owner(A), story.inside(A)) == (PHARMACY, PHARMACY, None)


@pytest.mark.parametrize(
    "attack",
    [
        ship(CASE, by=STRANGER, to=STRANGER),
        receive(CASE, by=STRANGER),
        pack(PALLET, CASE, by=STRANGER),
        pack(CASE, package("Z"), by=STRANGER),
        unpack(CASE, by=STRANGER),
        destroy(CASE, by=STRANGER),
        dispense(A, by=STRANGER),
        decommission(A, by=STRANGER),
        hold(CASE, by=STRANGER),
        recall(CASE, A, by=STRANGER, lots=[LOT_KEY]),
        repackage([A], [package("Z")], by=STRANGER),
        commission(A, CASE, by=STRANGER, lot="BAD"),
        observe(A, by=STRANGER, disposition="sellable_accessible"),
    ],
    ids=lambda told: told.event.biz_step,
)
@pytest.mark.parametrize("told_after", ["commissioned", "shipped", "received"])
def test_a_partner_cannot_move_end_or_recall_what_he_does_not_hold(attack, told_after):
    story = Story().tell(commission(A, B), commission(CASE, lot=None, expiry=None), pack(CASE, A, B))
    if told_after != "commissioned":
        story.tell(ship(CASE))
    if told_after == "received":
        story.tell(receive(CASE))
    before = story.world
    story.tell(attack)
    after = story.world
    assert story.findings
    for key in (A, B, CASE, LOT_KEY):
        one, two = before.item(key), after.item(key)
        for kept in (
            *("status", "maker", "lot", "expiry", "holder", "owner", "in_transit", "bound_for", "offered_to"),
            *("parent", "held", "recalled", "missing", "disputed", "ended_by"),
        ):
            assert getattr(one, kept) == getattr(two, kept), (key, kept)
