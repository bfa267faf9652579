"""What a delivery comes to: the count, and what is recorded of it. Pure."""

import pytest

from app.exceptions.rules import OwnKind
from app.receiving.rules import Act, ActKind, Line, Outcome, Seen, Tally, judge, plan, stopped
from ledger.custody.verdict import Reason, Word
from tests.support.world import CASE, PALLET, package

# A pallet of two cases of two packages, and a package by itself.
OTHER = f"{CASE[:-3]}118"
LINES = (
    Line(1, None, PALLET, package=False),
    Line(2, 1, CASE, package=False),
    Line(3, 1, OTHER, package=False),
    *(Line(10 + n, 2, package(n), True, "LOT42", "2028-05-31") for n in (1, 2)),
    *(Line(10 + n, 3, package(n), True, "LOT42", "2028-05-31") for n in (3, 4)),
    Line(20, None, package(9), True, "LOT42", "2028-05-31"),
)


def scan(epc: str, outcome: Outcome = Outcome.MATCH) -> Act:
    return Act(ActKind.SCAN, epc, outcome)


def opened(epc: str) -> Act:
    return Act(ActKind.OPEN, epc, Outcome.DONE)


@pytest.mark.parametrize(
    ("acts", "text", "received", "counted"),
    [
        ([], "0 of 5, 5 short", [], []),
        ([scan(PALLET)], "4 of 5, 1 short", [PALLET], []),
        ([scan(PALLET), scan(package(9))], "5 of 5, all there", [PALLET, package(9)], []),
        ([scan(CASE)], "2 of 5, 3 short", [CASE], []),
        # Both cases: then the pallet is there, whose label nobody saw.
        ([scan(CASE), scan(OTHER)], "4 of 5, 1 short", [PALLET], [(PALLET, (CASE, OTHER), True)]),
        ([scan(PALLET), opened(PALLET), scan(CASE)], "2 of 5, 3 short", [PALLET], [(PALLET, (CASE,), False)]),
        (
            [scan(PALLET), opened(CASE), scan(package(1))],
            "3 of 5, 2 short",
            [PALLET],
            [(CASE, (package(1),), False)],
        ),
        # Packages of a case whose label nobody saw are taken by themselves, where not all of them came.
        ([scan(package(1))], "1 of 5, 4 short", [package(1)], []),
        # In an opened pallet, a case of which one package was seen is there, and lacks the other.
        (
            [opened(PALLET), scan(package(1))],
            "1 of 5, 4 short",
            [PALLET],
            [(PALLET, (CASE,), False), (CASE, (package(1),), False)],
        ),
        ([scan(package(7), Outcome.NO_DATA)], "0 of 5, 5 short, 1 too many", [], []),
        ([scan(package(7), Outcome.OTHER_DELIVERY)], "0 of 5, 5 short", [package(7)], []),
    ],
)
def test_the_count_and_what_is_recorded(acts, text, received, counted):
    assert Tally.of(LINES, acts).text() == text
    made = plan(LINES, acts)
    assert made.received == received
    assert made.counted == counted


def test_what_is_under_a_scanned_label_is_inferred_until_it_is_opened():
    seen = {row.line.epc: row.seen for row in Tally.of(LINES, [scan(CASE), scan(package(1))]).rows}
    assert (seen[CASE], seen[package(1)], seen[package(2)]) == (Seen.SEEN, Seen.SEEN, Seen.INFERRED)
    seen = {row.line.epc: row.seen for row in Tally.of(LINES, [scan(CASE), opened(CASE)]).rows}
    assert (seen[CASE], seen[package(2)]) == (Seen.OPENED, Seen.AWAITED)


def test_what_is_missing_is_one_exception_a_container_and_one_a_lot():
    found = plan(LINES, [scan(CASE)]).discrepancies
    assert [(one.kind, one.epcs) for one in found] == [
        (OwnKind.NOT_RECEIVED, (OTHER,)),
        (OwnKind.NOT_RECEIVED, (package(9),)),
    ]
    # What lacks in a container that was opened, its count says.
    made = plan(LINES, [scan(PALLET), opened(CASE), scan(package(9))])
    assert made.discrepancies == []


def gone(epc: str) -> Act:
    return Act(ActKind.MISSING, epc, Outcome.DONE)


@pytest.mark.parametrize(
    ("acts", "live"),
    [
        ([], "0 of 5, 5 to come"),
        ([scan(PALLET)], "4 of 5, 1 to come"),
        ([scan(PALLET), gone(package(9))], "4 of 5, 1 short"),
        ([scan(PALLET), gone(package(9)), scan(package(9))], "5 of 5, all there"),
        ([scan(CASE), gone(OTHER)], "2 of 5, 2 short, 1 to come"),
        # Of an opened case, what was not seen; and what is found of it later is there.
        ([opened(CASE), scan(package(1)), gone(CASE)], "1 of 5, 1 short, 3 to come"),
        ([opened(CASE), scan(package(1)), gone(CASE), scan(package(2))], "2 of 5, 3 to come"),
        ([gone(PALLET), scan(package(7), Outcome.NO_DATA)], "0 of 5, 4 short, 1 to come, 1 too many"),
    ],
)
def test_while_it_is_counted_short_is_what_somebody_said_is_not_there(acts, live):
    tally = Tally.of(LINES, acts)
    assert tally.text(live=True) == live
    # What it comes to, and what is recorded, follow from what was seen.
    assert tally.text() == Tally.of(LINES, [each for each in acts if each.kind is not ActKind.MISSING]).text()
    assert plan(LINES, acts) == plan(LINES, [each for each in acts if each.kind is not ActKind.MISSING])


def test_what_is_damaged_or_differs_is_held_and_each_is_one_exception():
    acts = [
        scan(package(9), Outcome.LOT_DIFFERS),
        scan(CASE),
        Act(ActKind.DAMAGED, CASE, Outcome.DONE, "wet"),
        Act(ActKind.DAMAGED, OTHER, Outcome.DONE, "wet"),
    ]
    made = plan(LINES, acts)
    assert made.held == {"damaged": [CASE], "non_sellable_other": [package(9)]}, (
        "what is not there is not held"
    )
    assert sorted(one.kind for one in made.discrepancies) == ["damaged", "lot_differs", "not_received"]


LINE = Line(1, None, package(1), True, "LOT42", "2028-05-31")
PLAIN = {"again": False, "contents": False, "coming": False, "ours": False}


@pytest.mark.parametrize(
    ("word", "reason", "line", "label", "changed", "outcome"),
    [
        (Word.OK, Reason.OK, LINE, ("LOT42", "2028-05-31"), {}, Outcome.MATCH),
        (Word.OK, Reason.OK, LINE, (None, None), {}, Outcome.MATCH),
        (Word.OK, Reason.OK, LINE, ("LOT43", None), {}, Outcome.LOT_DIFFERS),
        (
            Word.DETAILS_DIFFER,
            Reason.EXPIRY_DIFFERS,
            LINE,
            ("LOT42", "2029-05-31"),
            {},
            Outcome.EXPIRY_DIFFERS,
        ),
        (Word.CANNOT_CONFIRM, Reason.NOT_COMMISSIONED, LINE, (None, None), {}, Outcome.MATCH),
        (Word.DO_NOT_USE, Reason.RECALLED, LINE, (None, None), {}, Outcome.RECALLED),
        (Word.DO_NOT_USE, Reason.EXPIRED, LINE, (None, None), {}, Outcome.EXPIRED),
        (Word.DO_NOT_USE, Reason.HELD, LINE, (None, None), {}, Outcome.ON_HOLD),
        (Word.DO_NOT_USE, Reason.ENDED_HERE, LINE, (None, None), {}, Outcome.UNUSABLE),
        (Word.SUSPECT, Reason.TWO_CUSTODIANS, LINE, ("LOT43", None), {}, Outcome.DOUBTFUL),
        (Word.SUSPECT, Reason.NEVER_MADE, None, (None, None), {}, Outcome.DOUBTFUL),
        (Word.DO_NOT_USE, Reason.RECALLED, LINE, (None, None), {"contents": True}, Outcome.CONTENTS),
        (Word.OK, Reason.OK, LINE, (None, None), {"again": True}, Outcome.AGAIN),
        (Word.OK, Reason.OK, None, (None, None), {"ours": True}, Outcome.RECEIVED_BEFORE),
        (Word.OK, Reason.OK, None, (None, None), {"coming": True}, Outcome.OTHER_DELIVERY),
        (Word.CANNOT_CONFIRM, Reason.NO_RECORD, None, (None, None), {}, Outcome.NO_DATA),
        (Word.DETAILS_DIFFER, Reason.SHIPPED_ELSEWHERE, None, (None, None), {}, Outcome.FOR_ANOTHER),
        (Word.DETAILS_DIFFER, Reason.NOT_OURS, None, (None, None), {}, Outcome.NOT_ON_DOCUMENT),
        (Word.COULD_NOT_READ, Reason.UNREADABLE, None, (None, None), {"again": True}, Outcome.UNREAD),
    ],
)
def test_what_a_scan_is_answered_with(word, reason, line, label, changed, outcome):
    assert judge(word, reason, line, label, **{**PLAIN, **changed}) is outcome


def test_what_a_partner_has_notified_as_illegitimate_is_set_apart_at_the_dock():
    assert stopped(Outcome.MATCH, is_container=False) is Outcome.DOUBTFUL
    assert stopped(Outcome.MATCH, is_container=True) is Outcome.CONTENTS
    assert stopped(Outcome.RECALLED, is_container=False) is Outcome.RECALLED
