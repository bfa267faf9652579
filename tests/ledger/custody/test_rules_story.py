"""The story of one pallet: shipped, received with one scan, opened one short, put right by the maker."""

import itertools
from dataclasses import replace

from ledger.custody.findings import FindingCode
from ledger.custody.rules import replay
from ledger.custody.state import World, is_inferred
from tests.support.world import (
    MAKER,
    PALLET,
    WHOLESALER,
    Story,
    case,
    commission,
    count,
    declare_wrong,
    minutes,
    pack,
    package,
    receive,
    ship,
    unpack,
    void_shipping,
)

CASES = [case(number) for number in range(1, 25)]
PACKAGES = [package(number) for number in range(1, 241)]
LOST = PACKAGES[9]


def contents(number: int) -> list[str]:
    """The ten packages of case `number` (from 1)."""
    return PACKAGES[10 * number - 10 : 10 * number]


def pallet_shipped() -> Story:
    story = Story().tell(commission(*PACKAGES))
    for number, key in enumerate(CASES, 1):
        story.tell(pack(key, *contents(number)))
    return story.tell(pack(PALLET, *CASES), ship(PALLET))


def opened_one_short() -> Story:
    story = pallet_shipped().tell(receive(PALLET), unpack(PALLET, CASES[0]))
    return story.tell(count(CASES[0], *contents(1)[:9]))


def put_right(story: Story) -> list:
    """What the maker sends: the packing was wrong, nine were packed, the tenth was never shipped."""
    wrong = next(act for act in story.acts if act.event.parent == CASES[0] and act.by == MAKER)
    corrected = pack(CASES[0], *contents(1)[:9])
    corrected = replace(corrected, event=replace(corrected.event, event_time=wrong.event.event_time))
    void = void_shipping(LOST)
    void = replace(void, event=replace(void.event, event_time=minutes(500)))
    return [declare_wrong(wrong), corrected, void]


def test_a_pallet_received_with_one_scan_brings_every_package_at_any_depth():
    story = pallet_shipped().tell(receive(PALLET))
    assert story.held_by(WHOLESALER, PACKAGES) == PACKAGES
    assert story.owner(PACKAGES[0]) == WHOLESALER
    assert story.findings == []


def test_what_came_with_the_pallet_is_marked_as_inferred_and_the_pallet_is_not():
    world = pallet_shipped().tell(receive(PALLET)).world
    inferred = {key for key in (PALLET, *CASES, *PACKAGES) if _is_inferred(world, key)}
    assert inferred == {*CASES, *PACKAGES}


def test_while_the_pallet_is_under_way_its_packages_are_too():
    story = pallet_shipped()
    assert story.held_by(WHOLESALER, PACKAGES) == []
    assert all(story.in_transit(key) for key in PACKAGES)
    assert story.holder(LOST) == MAKER


def test_opening_a_case_one_short_leaves_239_with_the_wholesaler_and_the_tenth_under_way_from_the_maker():
    story = opened_one_short()
    assert len(story.held_by(WHOLESALER, PACKAGES)) == 239
    assert [(found.code, found.item, found.container) for found in story.findings] == [
        (FindingCode.SHORT, LOST, CASES[0])
    ]
    lost = story.item(LOST)
    assert lost.missing and lost.in_transit and lost.parent is None
    assert (lost.holder, lost.owner, lost.bound_for, lost.offered_to) == (
        MAKER,
        MAKER,
        WHOLESALER,
        WHOLESALER,
    )


def test_the_nine_that_were_counted_are_no_longer_inferred():
    world = opened_one_short().world
    assert not any(_is_inferred(world, key) for key in contents(1)[:9])
    assert all(_is_inferred(world, key) for key in contents(2))


def test_the_tenth_found_after_all_is_received_with_its_title():
    story = opened_one_short().tell(receive(LOST))
    assert len(story.held_by(WHOLESALER, PACKAGES)) == 240
    assert story.owner(LOST) == WHOLESALER
    assert not story.item(LOST).missing


def test_void_shipping_alone_gives_the_tenth_back_to_the_maker():
    story = opened_one_short()
    story.tell(put_right(story)[2])
    assert story.held_by(MAKER, PACKAGES) == [LOST]
    assert story.codes == [FindingCode.SHORT]
    assert not story.item(LOST).missing


def test_the_correction_leads_to_one_world_without_findings_in_whatever_order_it_arrives():
    story = opened_one_short()
    corrections = put_right(story)
    worlds = []
    for order in itertools.permutations(corrections):
        for place in (0, len(story.acts) // 2, len(story.acts)):
            arrived = [*story.acts[:place], *order, *story.acts[place:]]
            world, findings = replay(arrived)
            assert findings == []
            worlds.append(world.items)
    assert all(items == worlds[0] for items in worlds)
    put = Story([*story.acts, *corrections])
    assert len(put.held_by(WHOLESALER, PACKAGES)) == 239
    assert put.held_by(MAKER, PACKAGES) == [LOST]
    assert put.owner(LOST) == MAKER
    assert not put.item(LOST).missing


def test_after_the_correction_every_case_still_holds_its_own():
    story = opened_one_short()
    world = replay([*story.acts, *put_right(story)])[0]
    assert world.contents(CASES[0]) == frozenset(contents(1)[:9])
    assert world.contents(CASES[23]) == frozenset(contents(24))


def _is_inferred(world: World, key: str) -> bool:
    item = world.item(key)
    return is_inferred(item, world.outer(item))
