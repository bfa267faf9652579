"""Step 8: only the package's own story, and that of what it was in while it was in it."""

import pytest

from ledger.evidence.subject import Containment, ShownEvent, foreign
from ledger.evidence.verify import EvidenceRefused, Step, verify
from tests.ledger.evidence.world import CASE, OTHER, PACK, PALLET, World, event, made, packed, shipped


def check(events: list[list], epcs: list[str]) -> None:
    world = World()
    indexes = [world.capture(record) for record in events]
    verify(world.bundle(indexes, epcs))


def refuse(events: list[list], epcs: list[str], at_event: int) -> None:
    with pytest.raises(EvidenceRefused) as caught:
        check(events, epcs)
    assert (caught.value.step, caught.value.index) == (Step.SUBJECT, 4 + at_event)


ALL = [PACK, CASE, PALLET]


def test_a_pallets_journey_counts_while_the_package_is_in_it() -> None:
    check([made(PACK), packed(CASE, PACK, minute=1), packed(PALLET, CASE, minute=2), shipped(PALLET, 3)], ALL)


def test_the_order_in_which_the_ledger_heard_of_it_does_not_matter() -> None:
    check([shipped(PALLET, 3), packed(PALLET, CASE, minute=2), packed(CASE, PACK, minute=1), made(PACK)], ALL)


def test_a_pallets_journey_before_the_packing_is_foreign() -> None:
    refuse([packed(PALLET, PACK, minute=5), shipped(PALLET, 3)], ALL, 1)


def test_a_pallets_journey_after_the_unpacking_is_foreign() -> None:
    refuse(
        [packed(PALLET, PACK, minute=1), packed(PALLET, PACK, minute=4, action="DELETE"), shipped(PALLET, 5)],
        ALL,
        2,
    )


def test_an_unpacking_without_children_empties_the_pallet() -> None:
    emptied = event(
        type="AggregationEvent", action="DELETE", bizStep="unpacking", parentID=PALLET, eventID="urn:x:1",
        eventTime="2026-03-01T10:04:00.000000Z",
    )  # fmt: skip
    check([packed(PALLET, PACK, minute=1), shipped(PALLET, 3), emptied], ALL)
    refuse([packed(PALLET, PACK, minute=1), emptied, shipped(PALLET, 5)], ALL, 2)


def test_packed_again_it_is_in_again() -> None:
    check(
        [
            packed(PALLET, PACK, minute=1), packed(PALLET, PACK, minute=4, action="DELETE"),
            packed(PALLET, PACK, minute=6), shipped(PALLET, 7),
        ],
        ALL,
    )  # fmt: skip


def test_another_packages_events_are_foreign() -> None:
    refuse([made(PACK), made(OTHER)], [PACK, OTHER], 1)


def test_an_event_that_shows_no_object_is_foreign() -> None:
    refuse([made(PACK), shipped(PALLET, 2)], [PACK], 1)


def test_a_packing_that_was_declared_wrong_links_nothing() -> None:
    packing = packed(PALLET, PACK, minute=1)
    wrong = [item for item in packing if item.path != "errorDeclaration/declarationTime"]
    declaration = sorted(
        [*wrong, *event(**{"errorDeclaration/declarationTime": "2026-03-01T11:00:00.000000Z"})],
        key=lambda f: f.path,
    )
    refuse([packing, declaration, shipped(PALLET, 3)], ALL, 2)


def link(parent: str, *children: str, time: str = "1") -> ShownEvent:
    one = {"type": "AggregationEvent", "action": "ADD", "parentID": parent, "eventTime": time}
    return ShownEvent(one, {"childEPCs": list(children)})


def test_a_circle_of_containers_is_no_trap() -> None:
    circle = Containment([link("a", "b"), link("b", "a", "x")])
    assert circle.holders("x", "2") == {"x", "a", "b"}
    assert circle.holders("a", "2") == {"a", "b"}


def test_a_tangle_of_links_costs_no_more_than_its_size() -> None:
    """Two parents a level, both in both above: the ways up double with each level, the work must not."""
    events = [
        link(f"{parent}{level + 1}", f"a{level}", f"b{level}") for level in range(200) for parent in "ab"
    ]
    assert foreign(events, "a0") is None
    assert len(Containment(events).holders("a0", "2")) == 401
