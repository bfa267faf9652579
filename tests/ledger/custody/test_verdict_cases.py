"""The answer to a scan, case by case, and from events to the word."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.custody.event import position_at
from ledger.custody.state import Item, Status
from ledger.custody.verdict import RESCAN_WINDOW, Facts, Reason, Word, judge, worst
from tests.ledger.custody.test_verdict import GOOD, ITEM, NOW, WORDS, ended, facts_for, with_item
from tests.support.world import (
    CASE,
    MAKER,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    commission,
    destroy,
    dispense,
    hold,
    minutes,
    pack,
    package,
    recall,
    receive,
    ship,
)

# COULD NOT READ


@pytest.mark.parametrize("reason", [*WORDS[Word.COULD_NOT_READ], Reason.OK, Reason.NO_RECORD])
def test_what_could_not_be_read_is_never_ok(reason):
    verdict = judge(Facts(NOW, None, (), unreadable=reason))
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


@pytest.mark.parametrize(
    ("site", "ended_site", "reason"),
    [
        ("0370000000028", "0370000000028", Reason.ENDED_HERE),
        ("0370000000028", "0370000000035", Reason.SEEN_AFTER_END),
        ("0370000000028", None, Reason.ENDED_HERE),
        (None, "0370000000035", Reason.ENDED_HERE),
    ],
)
def test_another_site_of_the_same_company_is_another_place(site, ended_site, reason):
    facts = ended(GOOD, Status.DISPENSED, timedelta(minutes=5))
    assert judge(replace(facts, site=site, ended_site=ended_site)).reason is reason


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
    assert judge(replace(GOOD, item=inside, around=(box,))).reason is Reason.SEEN_AFTER_END
    assert (
        judge(replace(GOOD, item=inside, around=(replace(box, ended_by=PHARMACY),))).reason
        is Reason.ENDED_HERE
    )


def test_what_is_in_a_case_whose_label_was_taken_out_of_use_is_ok():
    box = Item(CASE, Status.DECOMMISSIONED, holder=PHARMACY, ended_by=PHARMACY, ended_at=position_at(NOW))
    assert judge(replace(GOOD, item=replace(ITEM, parent=CASE), around=(box,))).word is Word.OK


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
    facts = replace(GOOD, item=replace(ITEM, parent=CASE), around=(box, pallet))
    assert judge(facts).word is Word.OK
    assert judge(replace(facts, around=(replace(box, held="damaged"), pallet))).reason is Reason.HELD
    assert judge(replace(facts, around=(box, replace(pallet, recalled=True)))).reason is Reason.RECALLED
    assert judge(replace(facts, around=(box, replace(pallet, held="damaged")))).reason is Reason.HELD
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
    assert judge(replace(GOOD, item=inside, around=(pallet,))).word is Word.OK
    pallet = replace(pallet, holder=WHOLESALER)
    assert judge(replace(GOOD, item=inside, around=(pallet,))).reason is Reason.NOT_OURS


def test_what_nobody_is_known_to_hold_is_not_somebody_elses():
    assert judge(with_item(GOOD, holder=None)).word is Word.OK


def test_nobody_judges_a_record_without_saying_what_is_around_it():
    with pytest.raises(TypeError, match="around"):
        Facts(NOW, ITEM)


@pytest.mark.parametrize("status", [Status.DISPENSED, Status.DECOMMISSIONED])
def test_what_has_ended_is_nobodys_to_hold(status):
    facts = with_item(ended(GOOD, status, timedelta(hours=1)), holder=WHOLESALER)
    assert judge(facts).word is Word.DO_NOT_USE
    assert judge(facts).others == ()


def test_what_has_ended_with_its_case_is_nobodys_to_hold():
    box = Item(CASE, Status.DESTROYED, holder=WHOLESALER, ended_by=WHOLESALER, ended_at=position_at(NOW))
    assert judge(replace(GOOD, item=replace(ITEM, parent=CASE), around=(box,))).others == ()


def test_without_a_record_nothing_is_said_of_a_holder():
    facts = Facts(NOW, None, (replace(ITEM, holder=WHOLESALER),), asker=PHARMACY)
    assert (judge(facts).reason, judge(facts).others) == (Reason.NO_RECORD, ())


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
    return judge(Facts.of(world, item, minutes(at), asker=asker)).reason


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


@pytest.mark.parametrize("which", [CASE, PALLET])
def test_what_stands_over_any_container_is_seen_on_the_package_in_it(which):
    key = package("A")
    story = Story().tell(commission(key), pack(CASE, key), pack(PALLET, CASE), hold(which, by=MAKER))
    assert _seen(story, key, MAKER) is Reason.HELD
    story = Story().tell(commission(key), pack(CASE, key), pack(PALLET, CASE), destroy(which, by=MAKER))
    assert _seen(story, key, MAKER, at=60 * 48) is Reason.SEEN_AFTER_END


def test_a_dispensed_package_as_its_scans_show_it():
    key = package("A")
    story = Story().tell(commission(key), ship(key, to=PHARMACY), receive(key, by=PHARMACY), dispense(key))
    assert _seen(story, key, PHARMACY) is Reason.ENDED_HERE
    assert _seen(story, key, WHOLESALER) is Reason.SEEN_AFTER_END
    assert _seen(story, key, PHARMACY, at=60 * 24 + 5) is Reason.SEEN_AFTER_END
