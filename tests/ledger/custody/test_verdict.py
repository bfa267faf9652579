"""The answer to a scan: the table of the needs page, row by row, and which of two reasons is shown."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.custody.event import position_at
from ledger.custody.findings import FindingCode
from ledger.custody.state import Item, Status
from ledger.custody.verdict import TABLE, Facts, Reason, Word, judge
from tests.support.world import (
    MAKER,
    PHARMACY,
    WHOLESALER,
    package,
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
GOOD = Facts(now=NOW, item=ITEM, around=(), asker=PHARMACY, label_lot="LOT42", label_expiry=date(2028, 5, 31))


def with_item(facts: Facts, **changes: object) -> Facts:
    """`facts` of a package that is in nothing, with its record changed."""
    assert facts.item is not None
    item = replace(facts.item, **changes)
    return replace(facts, item=item, around=())


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
    Reason.NO_RECORD: lambda f: replace(f, item=None, around=()),
    Reason.NOT_COMMISSIONED: lambda f: with_item(f, status=Status.UNKNOWN, maker=None, lot=None, expiry=None),
    Reason.MAKER_NOT_VOUCHED: lambda f: replace(f, vouched=False),
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
        Reason.IN_PROGRESS,
        Reason.NO_RECORD,
        Reason.NOT_COMMISSIONED,
        Reason.MAKER_NOT_VOUCHED,
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
    *(Reason.LOT_DIFFERS, Reason.EXPIRY_DIFFERS, Reason.MAKER_NOT_VOUCHED),
}
_ITEM = {Reason.TWO_CUSTODIANS, *_ENDS, *_PLACES, Reason.HELD, Reason.EXPIRED, Reason.NOT_FOUND_IN_CONTAINER}
_UNCONFIRMED = {Reason.NO_RECORD, Reason.NOT_COMMISSIONED, Reason.MAKER_NOT_VOUCHED}
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
        or (Reason.NEVER_MADE in pair and not pair & _UNCONFIRMED)
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
