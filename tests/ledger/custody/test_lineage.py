"""Repackaging: the old serials and the new ones are linked by what their holder says, and by nobody else's word."""

from dataclasses import replace

from ledger.custody.act import Act
from ledger.custody.event import LOT, Linked, compact
from ledger.custody.findings import FindingCode
from ledger.custody.lineage import Link, Side
from ledger.custody.rules import apply, replay
from ledger.custody.state import World
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    MAKER,
    STRANGER,
    Story,
    act,
    commission,
    event,
    package,
    repackage,
)

OLD, OTHER, NEW = package("old"), package("other"), package("new")
ORDER = "urn:epcglobal:cbv:bt:0399999000017:REPACK-7"


def links(*acts: Act) -> list[Link]:
    """What the last of these acts links, after the others."""
    story = Story().tell(*acts)
    *before, last = story.acts
    world, _ = replay(before, World())
    return list(apply(world, last).links)


def by_order(key: str, action: Action, **fields: object) -> Act:
    made = event(
        EventType.OBJECT,
        action,
        "repackaging",
        epcs=(key,),
        transactions=(Linked("prodorder", ORDER), Linked("po", "urn:epcglobal:cbv:bt:1:2")),
        **fields,
    )
    return act(MAKER, made)


def test_a_transformation_links_what_went_in_with_what_came_out():
    told = repackage([OLD, OTHER], [NEW], MAKER)
    assert links(commission(OLD, OTHER), told) == [
        Link(told.event.id, OLD, Side.OLD),
        Link(told.event.id, OTHER, Side.OLD),
        Link(told.event.id, NEW, Side.NEW),
    ]


def test_parts_of_one_transformation_go_by_its_id():
    told = repackage([OLD], [], MAKER)
    told = replace(told, event=replace(told.event, transformation_id="urn:uuid:7"))
    assert links(commission(OLD), told) == [Link("urn:uuid:7", OLD, Side.OLD)]


def test_decommissioning_and_commissioning_are_linked_by_their_production_order():
    ended = by_order(OLD, Action.DELETE)
    begun = by_order(NEW, Action.ADD, ilmd=((LOT, compact("N1")),))
    assert links(commission(OLD), ended) == [Link(ORDER, OLD, Side.OLD)]
    assert links(commission(OLD), ended, begun) == [Link(ORDER, NEW, Side.NEW)]


def test_an_ordinary_production_order_links_nothing():
    made = commission(NEW)
    made = replace(made, event=replace(made.event, transactions=(Linked("prodorder", ORDER),)))
    assert links(made) == []


def test_who_does_not_hold_the_old_ones_links_them_with_nothing():
    told = repackage([OLD], [package("forged")], STRANGER)
    assert links(commission(OLD), told) == [Link(told.event.id, package("forged"), Side.NEW)]
    assert Story().tell(commission(OLD), told).codes == [FindingCode.NOT_HOLDER]
