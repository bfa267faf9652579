"""Order: what is true depends on what happened, and never on when somebody told of it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.custody.act import Act
from ledger.custody.event import position_at, time_of
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.order import history, named
from ledger.custody.rules import apply, comes_late, replay
from ledger.custody.state import World
from ledger.custody.vocabulary import Action, EventType, Step, step_rank
from tests.support.world import (
    CASE,
    LOT_KEY,
    MAKER,
    OTHER_CASE,
    PALLET,
    PHARMACY,
    STRANGER,
    TOTE,
    WHOLESALER,
    Story,
    accept,
    act,
    commission,
    count,
    declare_wrong,
    decommission,
    destroy,
    dispense,
    event,
    hold,
    minutes,
    observe,
    pack,
    package,
    recall,
    receive,
    repackage,
    ship,
    unpack,
    void_shipping,
)

A, B, C = package("A"), package("B"), package("C")


class Incremental:
    """Acts taken as they arrive: applied where they come in order, all replayed where one comes late."""

    def __init__(self, late: Callable[[World, Act], bool] = comes_late) -> None:
        self.world = World()
        self.told: list[Act] = []
        self.findings: list[tuple[Act, Finding]] = []
        self.replays = 0
        self._late = late

    def arrive(self, told: Act) -> None:
        self.told.append(told)
        if (
            told.event.declaration is not None
            or told not in history(self.told)
            or self._late(self.world, told)
        ):
            self.replays += 1
            self.world, self.findings = replay(self.told)
            return
        outcome = apply(self.world, told)
        self.world.update(outcome.changed)
        self.findings += [(told, finding) for finding in outcome.findings]


# Each example replays a whole history: a busy machine is no failure.
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PARTIES = st.sampled_from([MAKER, WHOLESALER, PHARMACY, STRANGER])
PACKAGES = st.sampled_from([A, B, C])
BOXES = st.sampled_from([CASE, OTHER_CASE, PALLET])
THINGS = st.lists(st.one_of(PACKAGES, BOXES), min_size=1, max_size=3).map(tuple)
TIMES = st.integers(0, 14)


def told_by(make: Callable[..., Act]) -> st.SearchStrategy[Act]:
    return st.builds(lambda keys, by, at: make(*keys, by=by, at=at), THINGS, PARTIES, TIMES)


def boxed_by(make: Callable[..., Act]) -> st.SearchStrategy[Act]:
    return st.builds(lambda box, keys, by, at: make(box, *keys, by=by, at=at), BOXES, THINGS, PARTIES, TIMES)


ACTS = st.one_of(
    told_by(commission),
    boxed_by(pack),
    boxed_by(pack),
    boxed_by(unpack),
    boxed_by(count),
    st.builds(lambda keys, by, to, at: ship(*keys, by=by, to=to, at=at), THINGS, PARTIES, PARTIES, TIMES),
    told_by(receive),
    told_by(void_shipping),
    told_by(accept),
    told_by(observe),
    told_by(hold),
    told_by(dispense),
    told_by(destroy),
    told_by(decommission),
    st.builds(lambda keys, by, at: recall(*keys, by=by, lots=[LOT_KEY], at=at), THINGS, PARTIES, TIMES),
    st.builds(lambda old, new, by, at: repackage([old], [new], by, at), PACKAGES, PACKAGES, PARTIES, TIMES),
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Act]:
    """A plausible beginning, noise of every kind, some of it declared wrong, in any order of arrival."""
    keys = [A, B, C]
    acts = [commission(*keys, at=0), pack(CASE, A, B, at=1), pack(PALLET, CASE, at=2), ship(PALLET, at=3)]
    acts += [receive(PALLET, at=4), unpack(PALLET, CASE, at=5)]
    acts += draw(st.lists(ACTS, max_size=10))
    wrong = draw(st.lists(st.sampled_from(acts), max_size=2))
    acts += [declare_wrong(told) for told in wrong]
    return draw(st.permutations(acts))


@settings(SLOW, max_examples=250)
@given(arrivals())
def test_applying_in_order_and_replaying_what_is_late_gives_what_replaying_everything_gives(acts):
    incremental = Incremental()
    for told in acts:
        incremental.arrive(told)
    world, findings = replay(acts)
    assert incremental.world.items == world.items
    assert _contents(incremental.world) == _contents(world)
    assert _as_set(incremental.findings) == _as_set(findings)


@settings(SLOW, max_examples=40)
@given(arrivals(), st.randoms())
def test_the_order_of_arrival_does_not_matter(acts, random):
    shuffled = list(acts)
    random.shuffle(shuffled)
    one, two = replay(acts), replay(shuffled)
    assert one[0].items == two[0].items
    assert [finding for _, finding in one[1]] == [finding for _, finding in two[1]]


@settings(SLOW, max_examples=60)
@given(arrivals())
def test_a_world_never_breaks_its_own_shape(acts):
    """One parent each, no ring, nothing under way without a holder, and every end has a time and an author."""
    world, _ = replay(acts)
    for item in world.items.values():
        assert item.key not in world.path(item)
        assert world.outer(item).parent is None
        assert item.parent is None or item.key in world.contents(item.parent)
        assert not item.in_transit or (item.holder and item.sender)
        assert item.ended == (item.ended_at is not None) == (item.ended_by is not None)
        assert (
            item.maker is None or item.status.value != "unknown" or item.key == LOT_KEY or "/10/" in item.key
        )
    for box, inside in world.inside.items():
        assert all(world.item(key).parent == box for key in inside)


@settings(SLOW, max_examples=60)
@given(arrivals())
def test_applying_an_act_leaves_the_world_before_it_as_it_was(acts):
    world, _ = replay(acts[:-1])
    items, inside = dict(world.items), _contents(world)
    outcome = apply(world, acts[-1])
    assert world.items == items and _contents(world) == inside
    assert outcome == apply(world, acts[-1])


def _contents(world: World) -> dict[str, frozenset[str]]:
    return {box: frozenset(inside) for box, inside in world.inside.items() if inside}


def _as_set(findings: Iterable[tuple[Act, Finding]]) -> set[tuple[str, Finding]]:
    return {(told.event.id, finding) for told, finding in findings}


# Lateness, case by case


def arrived(*acts: Act) -> Incremental:
    incremental = Incremental()
    for told in acts:
        incremental.arrive(told)
    return incremental


def test_acts_in_order_are_never_replayed():
    story = Story().tell(commission(A, B), pack(CASE, A, B), ship(CASE), receive(CASE), unpack(CASE, A))
    assert arrived(*story.acts).replays == 0


def test_a_receipt_that_was_refused_is_right_once_the_shipping_arrives():
    story = Story().tell(commission(A), pack(CASE, A), ship(CASE), receive(CASE))
    begun, packed, shipping, receipt = story.acts
    incremental = arrived(begun, packed, receipt)
    assert [f.code for _, f in incremental.findings] == [FindingCode.RECEIVED_WITHOUT_SHIPPING]
    incremental.arrive(shipping)
    assert incremental.replays == 1
    assert incremental.findings == []
    assert incremental.world.item(CASE).holder == WHOLESALER


def test_a_shipment_refused_because_its_receipt_is_late_is_right_once_that_arrives():
    """It was under way by the record: refused, and nothing of it changed but that it was touched."""
    story = Story().tell(commission(A), ship(A), receive(A), ship(A, by=WHOLESALER, to=PHARMACY))
    begun, shipping, receipt, onward = story.acts
    incremental = arrived(begun, shipping, onward)
    assert [f.code for _, f in incremental.findings] == [FindingCode.NOT_HOLDER]
    incremental.arrive(receipt)
    assert incremental.findings == []
    assert incremental.world.item(A).bound_for == PHARMACY


def test_what_happened_to_a_case_makes_a_late_word_about_its_pallet_late():
    story = Story().tell(commission(A), pack(CASE, A), pack(PALLET, CASE), ship(PALLET), receive(CASE))
    *before, shipping, receipt = story.acts
    incremental = arrived(*before, receipt, shipping)
    assert incremental.replays == 1
    assert incremental.world.item(CASE).holder == WHOLESALER
    assert incremental.findings == []


def test_a_late_word_about_a_package_is_late_when_its_pallet_has_moved_since():
    story = Story().tell(
        commission(A), pack(CASE, A), pack(PALLET, CASE), unpack(CASE, A, by=MAKER), ship(PALLET)
    )
    begun, packed, stacked, unpacked, shipping = story.acts
    incremental = arrived(begun, packed, stacked, shipping, unpacked)
    assert incremental.replays == 1
    assert incremental.world.outer(incremental.world.item(A)).in_transit is False


def test_a_late_commissioning_is_late_for_its_lot():
    """Whoever commissions first from a lot is its maker, so an earlier commissioning changes the lot."""
    story = Story().tell(commission(A, by=STRANGER), commission(B))
    assert not comes_late(World(), story.acts[0])
    assert comes_late(replay(story.acts[1:])[0], story.acts[0])


def test_at_the_same_position_the_later_arrival_counts_as_late():
    one, two = ship(A, at=1), ship(A, by=STRANGER, at=1)
    assert comes_late(replay([one])[0], two)


def test_everything_an_event_names_is_touched_though_it_changes_nothing():
    story = Story().tell(commission(A, B), pack(CASE, A), observe(A, CASE, by=STRANGER))
    at = story.last.event.position
    assert (story.item(A).last, story.item(CASE).last, story.item(B).last) == (
        at,
        at,
        story.acts[0].event.position,
    )


def test_a_strangers_report_does_not_make_seen_what_was_inferred():
    story = Story().tell(commission(A), pack(CASE, A), ship(CASE), receive(CASE), observe(A, by=STRANGER))
    assert story.inferred(A)


def test_a_shipper_who_lists_the_contents_has_seen_them():
    story = Story().tell(commission(A), pack(CASE, A), ship(CASE, A), receive(CASE))
    assert story.inferred(A)
    story = Story().tell(commission(A), pack(CASE, A), ship(CASE, A))
    assert not story.inferred(A)


def test_a_story_may_go_on_from_a_world_that_is_known():
    before = Story().tell(commission(A), ship(A))
    world, findings = replay([receive(A, at=10)], before.world)
    assert findings == []
    assert world.item(A).holder == WHOLESALER


# Error declarations


def test_a_declared_act_has_not_happened():
    story = Story().tell(commission(A), ship(A))
    story.tell(declare_wrong(story.last))
    assert not story.in_transit(A)
    assert story.codes == []


def test_a_declaration_may_arrive_before_what_it_declares():
    story = Story().tell(commission(A), ship(A))
    declaration = declare_wrong(story.acts[1])
    assert not Story([story.acts[0], declaration, story.acts[1]]).in_transit(A)


def test_nobody_declares_wrong_what_another_has_said():
    story = Story().tell(commission(A), ship(A))
    story.tell(declare_wrong(story.last, by=STRANGER))
    assert story.in_transit(A)


def test_a_declaration_by_itself_changes_nothing():
    outcome = apply(World(), declare_wrong(commission(A, at=0)))
    assert (outcome.changed, outcome.findings) == ({}, ())


def test_a_corrected_lot_is_the_lot():
    story = Story().tell(commission(A, lot="WRONG"), ship(A))
    wrong = story.acts[0]
    story.tell(declare_wrong(wrong))
    right = commission(A, lot="RIGHT")
    story.tell(replace(right, event=replace(right.event, event_time=wrong.event.event_time)))
    assert story.item(A).lot == "RIGHT"
    assert story.codes == []


# Custody's order


def test_at_one_time_steps_happen_in_the_order_of_their_rank():
    acts = [dispense(A, by=MAKER, at=1), observe(A, by=MAKER, at=1), receive(A, at=1), ship(A, at=1)]
    acts += [pack(TOTE, A, at=1), unpack(TOTE, A, at=1), commission(A, at=1)]
    steps = [told.event.biz_step for told in history(acts)]
    assert steps == [
        *("commissioning", "unpacking", "packing", "shipping", "receiving", "inspecting", "dispensing")
    ]


def test_the_ranks_are_those_of_the_format():
    ranks = {step: step_rank(step) for step in Step}
    assert set(ranks.values()) == {0, 1, 2, 3, 4, 5, 6}
    assert [step for step, rank in ranks.items() if rank == 3] == [Step.SHIPPING, Step.VOID_SHIPPING]
    assert [step for step, rank in ranks.items() if rank == 4] == [Step.RECEIVING, Step.ACCEPTING]
    assert [step for step, rank in ranks.items() if rank == 6] == [
        *(Step.DISPENSING, Step.DECOMMISSIONING, Step.DESTROYING)
    ]
    assert (step_rank(None), step_rank(""), step_rank("https://example.com/step")) == (5, 5, 5)


def test_one_microsecond_outweighs_every_rank():
    assert position_at(minutes(0), 15) < position_at(minutes(0)) + 16
    assert time_of(position_at(minutes(3), 6)) == minutes(3)


def test_the_event_id_breaks_ties_by_its_bytes():
    one = act(MAKER, event(EventType.OBJECT, Action.OBSERVE, None, event_id="urn:x:é"), at=0)
    two = act(MAKER, event(EventType.OBJECT, Action.OBSERVE, None, event_id="urn:x:z"), at=0)
    assert [told.event.id for told in history([one, two])] == ["urn:x:z", "urn:x:é"]


def test_an_event_is_about_its_objects_and_its_lots():
    told = pack(CASE, A)
    assert named(told.event) == (CASE, A)
    assert named(commission(A).event) == (A, LOT_KEY)


def test_an_unknown_step_only_observes():
    seen = act(MAKER, event(EventType.OBJECT, Action.OBSERVE, "https://example.com/dancing", epcs=(A,)))
    story = Story().tell(commission(A), seen)
    assert story.codes == []
    assert story.item(A).last == story.last.event.position
