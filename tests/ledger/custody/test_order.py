"""Which of several acts of equal content counts: decided by the set of them, and by nothing else."""

from dataclasses import replace
from itertools import permutations

from ledger.custody.act import Act
from ledger.custody.findings import FindingCode
from ledger.custody.order import history, ordered
from ledger.custody.rules import replay
from tests.support.world import STRANGER, WHOLESALER, commission, declare_wrong, package, ship

A = package("A")
MADE = commission(A)


def called(act: Act, number: int) -> Act:
    return replace(act, event=replace(act.event, event_id=f"urn:uuid:00000000-0000-4000-8000-{number:012}"))


SALE = ship(A, to=WHOLESALER, at=10)
FIRST, SECOND, THIRD = (called(SALE, number) for number in (1, 2, 3))


def test_of_equal_content_the_first_in_custodys_order_counts_whichever_came_first() -> None:
    for told in permutations((MADE, FIRST, SECOND, THIRD)):
        counts, again = ordered(told)
        assert counts == [MADE, FIRST]
        assert again == [SECOND, THIRD]


def test_a_correction_counts_whether_it_came_before_the_declaration_or_after_it() -> None:
    wrong = declare_wrong(FIRST)
    worlds = [replay(told) for told in permutations((MADE, FIRST, SECOND, wrong))]
    assert all(world.items == worlds[0][0].items for world, _ in worlds)
    assert all(found == [] for _, found in worlds)
    assert worlds[0][0].item(A).bound_for == WHOLESALER
    assert history([MADE, FIRST, SECOND, wrong]) == [MADE, SECOND]


def test_what_is_told_again_is_said_to_be_so() -> None:
    _, found = replay([MADE, SECOND, FIRST])
    assert [(act, each.code) for act, each in found] == [(SECOND, FindingCode.OTHER_ID_SAME_CONTENT)]


def test_what_can_be_erased_makes_no_other_content() -> None:
    """Else whoever erases a telephone number from one of two makes both of them count."""
    remark = (("http://example.com/ns#contact", '"+1 555 0100"'),)
    other = replace(SECOND, event=replace(SECOND.event, extensions=remark))
    assert history([MADE, FIRST, other]) == [MADE, FIRST]
    dated = (("http://epcis.gs1us.org/hc/ns#transactionDate", '"2026-06-02"'),)
    other = replace(SECOND, event=replace(SECOND.event, extensions=dated))
    assert history([MADE, FIRST, other]) == [MADE, FIRST, other]


def test_another_partys_word_is_its_own_and_other_content_of_one_moment_is_no_repetition() -> None:
    strangers = replace(SECOND, by=STRANGER)
    elsewhere = called(ship(A, to=STRANGER, at=10), 3)
    assert history([FIRST, strangers, elsewhere]) == [FIRST, strangers, elsewhere]
