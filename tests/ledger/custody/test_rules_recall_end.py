"""A recall ends by the word of its maker, who takes it back in so many words; by nobody else's and by nothing else."""

from ledger.custody.act import Act
from ledger.custody.event import Quantity
from ledger.custody.findings import FindingCode
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    LOT_KEY,
    MAKER,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    act,
    commission,
    event,
    package,
    recall,
    receive,
    ship,
)


def taken_back(*keys: str, by: str = MAKER, lots: tuple[str, ...] = (), unset: bool = True) -> Act:
    """`by` looks again and finds it sellable; where `unset`, says so of the recall too."""
    made = event(
        EventType.OBJECT,
        Action.OBSERVE,
        "inspecting",
        "sellable_accessible",
        epcs=keys,
        quantities=tuple(Quantity(lot) for lot in lots),
        persistent_unset=("recalled",) if unset else (),
    )
    return act(by, made)


def recalled() -> Story:
    story = Story()
    story.tell(commission(package(1), package(2)), ship(package(1)), receive(package(1), by=WHOLESALER))
    return story.tell(recall(lots=[LOT_KEY]), recall(package(2)))


def test_its_maker_takes_back_the_recall_of_a_lot_wherever_its_packages_are() -> None:
    story = recalled()
    assert story.item(LOT_KEY).recalled
    story.tell(taken_back(lots=(LOT_KEY,)))
    assert not story.item(LOT_KEY).recalled
    assert story.item(package(2)).recalled  # that was recalled by its serial
    assert story.codes == []
    story.tell(taken_back(package(2)))
    assert not story.item(package(2)).recalled


def test_a_serial_that_is_elsewhere_is_taken_back_without_being_claimed() -> None:
    story = recalled().tell(recall(package(1)), taken_back(package(1)))
    item = story.item(package(1))
    assert (item.recalled, item.claimed_by, item.disputed, story.holder(package(1))) == (
        False,
        None,
        False,
        WHOLESALER,
    )
    assert story.codes == []


def test_nobody_else_ends_a_recall() -> None:
    for party in (WHOLESALER, PHARMACY, STRANGER):
        story = recalled().tell(recall(package(1)), taken_back(package(1), by=party, lots=(LOT_KEY,)))
        assert story.item(LOT_KEY).recalled
        assert story.item(package(1)).recalled
        assert FindingCode.NOT_MAKER in story.codes


def test_a_stock_taking_of_sellable_lots_ends_none() -> None:
    story = recalled().tell(taken_back(package(2), lots=(LOT_KEY,), unset=False))
    assert story.item(LOT_KEY).recalled
    assert story.item(package(2)).recalled


def test_a_lot_is_recalled_again_after_its_recall_was_taken_back() -> None:
    story = recalled().tell(taken_back(lots=(LOT_KEY,)), recall(lots=[LOT_KEY]))
    assert story.item(LOT_KEY).recalled
