"""The answer to a scan: the table of the needs page, row by row, and which of two reasons is shown."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.custody.event import position_at
from ledger.custody.findings import FindingCode
from ledger.custody.state import Item, Status
from ledger.custody.verdict import RESCAN_WINDOW, TABLE, Facts, Reason, Word, judge, worst
from tests.support.world import (
    CASE,
    MAKER,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    commission,
    dispense,
    hold,
    minutes,
    pack,
    package,
    recall,
    receive,
    ship,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ITEM = Item(
    key=package("A"),
    status=Status.ACTIVE,
    maker=MAKER,
    lot="LOT42",
    expiry="2028-05-31",
    holder=PHARMACY,
    owner=PHARMACY,
)
GOOD = Facts(
    now=NOW, item=ITEM, outer=ITEM, asker=PHARMACY, label_lot="LOT42", label_expiry=date(2028, 5, 31)
)


def with_item(facts: Facts, **changes: object) -> Facts:
    """`facts` of a package that is in nothing, with its record changed."""
    assert facts.item is not None
    item = replace(facts.item, **changes)
    return replace(facts, item=item, outer=item)


def ended(facts: Facts, status: Status, ago: timedelta, by: str = PHARMACY) -> Facts:
    return with_item(facts, status=status, ended_by=by, ended_at=position_at(NOW - ago, 6))


# For every reason: what makes it hold, and it alone.
CAUSES = {
    Reason.NOTHING_DECODED: lambda f: replace(f, unreadable=Reason.NOTHING_DECODED),
    Reason.SEPARATOR_LOST: lambda f: replace(f, unreadable=Reason.SEPARATOR_LOST),
    Reason.NAMES_NO_PACKAGE: lambda f: replace(f, unreadable=Reason.NAMES_NO_PACKAGE),
    Reason.UNREADABLE: lambda f: replace(f, unreadable=Reason.UNREADABLE),
    Reason.TWO_CUSTODIANS: lambda f: with_item(f, disputed=True),
    Reason.IMPOSSIBLE_TRAVEL: lambda f: replace(f, impossible_travel=True),
    Reason.SEEN_AFTER_END: lambda f: ended(f, Status.DISPENSED, timedelta(days=2)),
    Reason.NEVER_MADE: lambda f: replace(f, maker_denies=True),
    Reason.RECALLED: lambda f: replace(f, lot_recalled=True),
    Reason.EXPIRED: lambda f: replace(with_item(f, expiry="2026-11-19"), label_expiry=date(2026, 11, 19)),
    Reason.HELD: lambda f: with_item(f, held="damaged"),
    Reason.DECOMMISSIONED: lambda f: ended(f, Status.DECOMMISSIONED, timedelta(days=2)),
    Reason.ENDED_HERE: lambda f: ended(f, Status.DISPENSED, timedelta(hours=1)),
    Reason.LOT_DIFFERS: lambda f: replace(f, label_lot="LOT43"),
    Reason.EXPIRY_DIFFERS: lambda f: replace(f, label_expiry=date(2028, 6, 30)),
    Reason.SHIPPED_ELSEWHERE: lambda f: with_item(f, in_transit=True, holder=MAKER, bound_for=WHOLESALER),
    Reason.NOT_OURS: lambda f: with_item(f, holder=WHOLESALER),
    Reason.NOT_FOUND_IN_CONTAINER: lambda f: with_item(f, missing=True),
    Reason.NO_RECORD: lambda f: replace(f, item=None, outer=None),
    Reason.NOT_COMMISSIONED: lambda f: with_item(f, status=Status.UNKNOWN, maker=None, lot=None, expiry=None),
    Reason.IN_PROGRESS: lambda f: replace(f, in_progress=True),
    Reason.OFFLINE_TOO_OLD: lambda f: replace(f, offline_too_old=True),
}
WORDS = {
    Word.COULD_NOT_READ: (
        Reason.NOTHING_DECODED,
        Reason.SEPARATOR_LOST,
        Reason.NAMES_NO_PACKAGE,
        Reason.UNREADABLE,
    ),
    Word.SUSPECT: (
        Reason.TWO_CUSTODIANS,
        Reason.IMPOSSIBLE_TRAVEL,
        Reason.SEEN_AFTER_END,
        Reason.NEVER_MADE,
    ),
    Word.DO_NOT_USE: (
        Reason.RECALLED,
        Reason.EXPIRED,
        Reason.HELD,
        Reason.DECOMMISSIONED,
        Reason.ENDED_HERE,
    ),
    Word.DETAILS_DIFFER: (
        Reason.LOT_DIFFERS,
        Reason.EXPIRY_DIFFERS,
        Reason.SHIPPED_ELSEWHERE,
        Reason.NOT_OURS,
        Reason.NOT_FOUND_IN_CONTAINER,
    ),
    Word.CANNOT_CONFIRM: (
        Reason.NO_RECORD,
        Reason.NOT_COMMISSIONED,
        Reason.IN_PROGRESS,
        Reason.OFFLINE_TOO_OLD,
    ),
    Word.OK: (Reason.OK,),
}
ORDER = [reason for reasons in WORDS.values() for reason in reasons]

# Pairs that cannot hold together, each for the reason that stands with it.
_ENDS = {Reason.SEEN_AFTER_END, Reason.DECOMMISSIONED, Reason.ENDED_HERE}
_PLACES = {Reason.SHIPPED_ELSEWHERE, Reason.NOT_OURS}
_RECORD = {  # what is read from a record that the maker has told of
    *(Reason.RECALLED, Reason.EXPIRED, Reason.HELD, Reason.DECOMMISSIONED, Reason.ENDED_HERE),
    *(Reason.LOT_DIFFERS, Reason.EXPIRY_DIFFERS),
}
_ITEM = {Reason.TWO_CUSTODIANS, *_ENDS, *_PLACES, Reason.HELD, Reason.EXPIRED, Reason.NOT_FOUND_IN_CONTAINER}
_UNREAD = set(WORDS[Word.COULD_NOT_READ])


def impossible(one: Reason, two: Reason) -> bool:
    pair = {one, two}
    return (
        pair <= _UNREAD  # one scan is unreadable for one reason
        or pair <= _ENDS  # one package ends once
        or pair <= _PLACES  # it is under way or it is not
        or (pair & _ENDS and pair & _PLACES)  # what has ended is nowhere
        or (Reason.NO_RECORD in pair and pair & (_ITEM | _RECORD | _UNREAD | {Reason.NOT_COMMISSIONED}))
        or (Reason.NOT_COMMISSIONED in pair and pair & _RECORD)
        or (Reason.NEVER_MADE in pair and not pair & {Reason.NO_RECORD, Reason.NOT_COMMISSIONED})
    )


def facts_for(*reasons: Reason) -> Facts:
    facts = GOOD
    for reason in sorted(reasons, key=_build_order):
        facts = CAUSES[reason](facts)
    return facts


def _build_order(reason: Reason) -> int:
    """What replaces the record comes first, what changes it later, an end last: it leaves the rest standing."""
    if reason in (Reason.NO_RECORD, Reason.NOT_COMMISSIONED):
        return 0
    return 2 if reason in _ENDS else 1


def test_what_is_known_in_date_and_with_its_holder_is_ok():
    verdict = judge(GOOD)
    assert (verdict.word, verdict.reason, verdict.others) == (Word.OK, Reason.OK, ())
    assert verdict.next_step == "Continue."


def test_the_words_are_the_six_of_the_needs_page_the_gravest_first():
    assert [str(word) for word in Word] == [
        *("COULD NOT READ", "SUSPECT", "GENUINE, DO NOT USE"),
        *("DETAILS DIFFER", "CANNOT CONFIRM YET", "OK"),
    ]


def test_the_table_is_in_the_order_of_the_words_and_of_the_reasons():
    assert [reason for reason, *_ in TABLE] == list(Reason) == ORDER
    assert {reason: word for reason, word, *_ in TABLE} == {
        reason: word for word, reasons in WORDS.items() for reason in reasons
    }


@pytest.mark.parametrize("reason", [reason for reason in CAUSES if reason is not Reason.NEVER_MADE])
def test_each_reason_alone_gives_its_word(reason):
    verdict = judge(facts_for(reason))
    assert verdict.reason is reason
    assert reason in WORDS[verdict.word]
    assert verdict.others == ()


def test_a_serial_its_maker_denies_is_suspect_and_has_no_record():
    verdict = judge(facts_for(Reason.NEVER_MADE, Reason.NO_RECORD))
    assert (verdict.word, verdict.reason, verdict.others) == (
        Word.SUSPECT,
        Reason.NEVER_MADE,
        (Reason.NO_RECORD,),
    )


PAIRS = [pair for pair in itertools.combinations(CAUSES, 2) if not impossible(*pair)]


@pytest.mark.parametrize(("one", "two"), PAIRS, ids=lambda reason: reason.value)
def test_of_two_reasons_the_earlier_is_shown_and_the_later_stands_below(one, two):
    verdict = judge(facts_for(one, two))
    earlier, later = sorted((one, two), key=ORDER.index)
    assert verdict.reason is earlier
    assert verdict.word is next(word for word, reasons in WORDS.items() if earlier in reasons)
    assert verdict.others == (later,)


def test_the_pairs_that_are_left_out_are_few_enough_to_read():
    assert len(PAIRS) > 140
    assert {reason for pair in PAIRS for reason in pair} == set(CAUSES)


def test_the_shown_step_is_the_step_of_the_shown_reason():
    for reason, _, _, step in TABLE:
        if reason in CAUSES and reason is not Reason.NEVER_MADE:
            assert judge(facts_for(reason)).next_step == step


def test_every_reason_has_a_next_step_of_its_own():
    steps = [step for *_, step in TABLE]
    assert len(set(steps)) == len(steps)
    assert all(step.endswith(".") and len(step) >= 8 for step in steps)


def test_no_text_says_fake():
    texts = [*(step for *_, step in TABLE), *Word, *Reason, *FindingCode]
    assert not [text for text in texts if "fake" in text.lower() or "counterfeit" in text.lower()]
    suspects = [step for _, word, _, step in TABLE if word is Word.SUSPECT]
    assert all(step.startswith("Potential suspect") for step in suspects)


# COULD NOT READ


@pytest.mark.parametrize("reason", [*WORDS[Word.COULD_NOT_READ], Reason.OK, Reason.NO_RECORD])
def test_what_could_not_be_read_is_never_ok(reason):
    verdict = judge(Facts(now=NOW, unreadable=reason))
    assert verdict.word is Word.COULD_NOT_READ
    assert verdict.others == ()


# SUSPECT


@pytest.mark.parametrize("status", [Status.DISPENSED, Status.DESTROYED])
@pytest.mark.parametrize(
    ("ago", "by", "reason"),
    [
        (timedelta(0), PHARMACY, Reason.ENDED_HERE),
        (RESCAN_WINDOW, PHARMACY, Reason.ENDED_HERE),
        (RESCAN_WINDOW + timedelta(microseconds=1), PHARMACY, Reason.SEEN_AFTER_END),
        (timedelta(minutes=1), WHOLESALER, Reason.SEEN_AFTER_END),
    ],
)
def test_a_rescan_is_told_from_a_reappearance(status, ago, by, reason):
    verdict = judge(ended(GOOD, status, ago, by))
    assert verdict.reason is reason
    assert verdict.others == ()


def test_who_holds_nothing_sees_a_rescan_window_too():
    assert (
        judge(replace(ended(GOOD, Status.DISPENSED, timedelta(hours=1)), asker=None)).reason
        is Reason.ENDED_HERE
    )


def test_an_end_without_a_time_is_not_taken_as_a_rescan():
    assert judge(with_item(GOOD, status=Status.DISPENSED, ended_by=PHARMACY)).word is Word.SUSPECT


def test_an_end_whose_maker_is_unknown_is_not_called_genuine():
    verdict = judge(with_item(ended(GOOD, Status.DISPENSED, timedelta(hours=1)), maker=None))
    assert verdict.reason is Reason.NOT_COMMISSIONED


def test_what_is_in_a_destroyed_case_is_suspect_when_it_is_seen_again():
    box = Item(CASE, Status.DESTROYED, holder=PHARMACY, ended_by=WHOLESALER, ended_at=position_at(NOW))
    inside = replace(ITEM, parent=CASE)
    assert judge(replace(GOOD, item=inside, outer=box)).reason is Reason.SEEN_AFTER_END
    assert (
        judge(replace(GOOD, item=inside, outer=replace(box, ended_by=PHARMACY))).reason is Reason.ENDED_HERE
    )


def test_what_is_in_a_case_whose_label_was_taken_out_of_use_is_ok():
    box = Item(CASE, Status.DECOMMISSIONED, holder=PHARMACY, ended_by=PHARMACY, ended_at=position_at(NOW))
    assert judge(replace(GOOD, item=replace(ITEM, parent=CASE), outer=box)).word is Word.OK


def test_a_serial_the_maker_made_is_not_denied_by_a_slow_answer():
    assert judge(replace(GOOD, maker_denies=True)).word is Word.OK


def test_a_serial_moved_but_never_made_is_suspect_when_its_maker_denies_it():
    facts = replace(facts_for(Reason.NOT_COMMISSIONED), maker_denies=True)
    assert judge(facts).reason is Reason.NEVER_MADE


# GENUINE, DO NOT USE


def test_a_recall_by_serial_counts_as_one_by_lot():
    assert judge(with_item(GOOD, recalled=True)).reason is Reason.RECALLED


def test_what_nobody_has_made_is_not_called_genuine():
    for changes in ({"held": "damaged"}, {"recalled": True}):
        verdict = judge(replace(with_item(facts_for(Reason.NOT_COMMISSIONED), **changes), lot_recalled=True))
        assert verdict.reason is Reason.NOT_COMMISSIONED


def test_what_was_dispensed_in_part_without_having_been_made_is_not_ok():
    facts = with_item(facts_for(Reason.NOT_COMMISSIONED), status=Status.PARTIALLY_DISPENSED)
    assert judge(facts).reason is Reason.NOT_COMMISSIONED


def test_a_hold_or_recall_of_any_container_stands_for_what_is_inside():
    pallet = Item(PALLET, Status.ACTIVE, MAKER, holder=PHARMACY)
    box = Item(CASE, Status.ACTIVE, MAKER, parent=PALLET)
    facts = replace(GOOD, item=replace(ITEM, parent=CASE), outer=pallet, around=(box, pallet))
    assert judge(facts).word is Word.OK
    assert judge(replace(facts, around=(replace(box, held="damaged"), pallet))).reason is Reason.HELD
    assert judge(replace(facts, around=(box, replace(pallet, recalled=True)))).reason is Reason.RECALLED
    assert judge(replace(facts, around=(), outer=replace(pallet, held="damaged"))).reason is Reason.HELD
    assert judge(replace(facts, around=(replace(box, missing=True), pallet))).reason is (
        Reason.NOT_FOUND_IN_CONTAINER
    )


@pytest.mark.parametrize(
    ("expiry", "word"),
    [("2026-11-19", Word.DO_NOT_USE), ("2026-11-20", Word.OK), ("2026-11-21", Word.OK)],
)
def test_a_package_may_be_used_on_its_last_day(expiry, word):
    facts = replace(with_item(GOOD, expiry=expiry), label_expiry=date.fromisoformat(expiry))
    assert judge(facts).word is word


def test_a_package_without_an_expiry_does_not_expire():
    assert judge(with_item(GOOD, expiry=None)).word is Word.OK


# DETAILS DIFFER


def test_a_lot_differs_by_its_case_alone():
    assert judge(replace(GOOD, label_lot="lot42")).reason is Reason.LOT_DIFFERS


@pytest.mark.parametrize("changes", [{"label_lot": None}, {"label_expiry": None}])
def test_what_the_label_does_not_say_does_not_differ(changes):
    assert judge(replace(GOOD, **changes)).word is Word.OK


def test_what_the_record_does_not_say_does_not_differ():
    assert judge(with_item(GOOD, lot=None, expiry=None)).word is Word.OK


def test_what_is_under_way_to_us_is_ours_to_receive():
    assert judge(with_item(GOOD, in_transit=True, holder=MAKER, bound_for=PHARMACY)).word is Word.OK


def test_what_we_have_shipped_is_shipped_elsewhere():
    facts = with_item(GOOD, in_transit=True, holder=PHARMACY, bound_for=WHOLESALER)
    assert judge(facts).reason is Reason.SHIPPED_ELSEWHERE


def test_who_holds_nothing_is_told_of_no_other_holder():
    assert judge(replace(with_item(GOOD, holder=WHOLESALER), asker=None)).word is Word.OK


def test_custody_is_that_of_the_outermost_container():
    pallet = Item(PALLET, Status.ACTIVE, MAKER, holder=PHARMACY)
    inside = replace(ITEM, parent=PALLET, holder=MAKER)
    assert judge(replace(GOOD, item=inside, outer=pallet)).word is Word.OK
    pallet = replace(pallet, holder=WHOLESALER)
    assert judge(replace(GOOD, item=inside, outer=pallet)).reason is Reason.NOT_OURS


def test_what_nobody_is_known_to_hold_is_not_somebody_elses():
    assert judge(with_item(GOOD, holder=None)).word is Word.OK


def test_a_record_without_its_surroundings_is_not_somebody_elses():
    assert judge(replace(GOOD, outer=None)).word is Word.OK


# A container shows the gravest verdict of its contents


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(Word, 2)))
def test_the_graver_of_two_words_is_shown(one, two):
    assert worst([two, one, two]) is one
    assert worst([one, two]) is one


def test_words_of_one_kind_stay_that_kind():
    assert worst([Word.OK, Word.OK]) is Word.OK


# From events to the word


def _seen(story: Story, key: str, asker: str, at: float = 100) -> Reason:
    world = story.world
    item = world.item(key)
    facts = Facts(now=minutes(at), item=item, outer=world.outer(item), around=world.around(item), asker=asker)
    return judge(facts).reason


def test_the_way_of_a_package_as_its_scans_show_it():
    key = package("A")
    story = Story().tell(commission(key), pack(CASE, key), ship(CASE, to=PHARMACY))
    assert _seen(story, key, MAKER) is Reason.SHIPPED_ELSEWHERE
    assert _seen(story, key, WHOLESALER) is Reason.SHIPPED_ELSEWHERE
    assert _seen(story, key, PHARMACY) is Reason.OK
    story.tell(receive(CASE, by=PHARMACY))
    assert _seen(story, key, PHARMACY) is Reason.OK
    assert _seen(story, key, STRANGER) is Reason.NOT_OURS
    story.tell(hold(CASE, by=PHARMACY))
    assert _seen(story, key, PHARMACY) is Reason.HELD
    story.tell(recall(key))
    assert _seen(story, key, PHARMACY) is Reason.RECALLED


def test_a_dispensed_package_as_its_scans_show_it():
    key = package("A")
    story = Story().tell(commission(key), ship(key, to=PHARMACY), receive(key, by=PHARMACY), dispense(key))
    assert _seen(story, key, PHARMACY) is Reason.ENDED_HERE
    assert _seen(story, key, WHOLESALER) is Reason.SEEN_AFTER_END
    assert _seen(story, key, PHARMACY, at=60 * 24 + 5) is Reason.SEEN_AFTER_END
