"""Six years from different days, and holds that keep beyond them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.retention.rules import About, Fate, Hold, Record, RecordType, fate, holds_of, keep_until, report

SOLD = datetime(2026, 6, 1, tzinfo=UTC)
LOT = "https://id.gs1.org/01/00399999001014/10/LOT42"
PACK = "https://id.gs1.org/01/00399999001014/21/1"


def record(started=SOLD, kind=RecordType.TRANSACTION, **more):
    given = {
        "parties": frozenset({"0399999000017"}),
        "things": frozenset({LOT, PACK, "00399999001014"}),
        **more,
    }
    return Record(kind, "1.0", started, **given)


def hold(kind, about):
    return Hold("hold_1", kind, about, "an action", SOLD)


def test_six_years_end_on_the_same_day_of_the_year():
    assert keep_until(SOLD) == datetime(2032, 6, 1, tzinfo=UTC)
    assert keep_until(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2034, 3, 1, tzinfo=UTC)


def test_what_a_partner_dated_to_the_end_of_the_calendar_is_kept():
    assert keep_until(datetime(9999, 12, 31, tzinfo=UTC)).year == 9999


def test_a_record_is_kept_up_to_the_last_moment_and_free_after_it():
    last = keep_until(SOLD) - timedelta(microseconds=1)
    assert fate(record(), [], last) is Fate.KEPT
    assert fate(record(), [], keep_until(SOLD)) is Fate.FREE


def test_what_has_not_ended_has_no_day_from_which_it_runs():
    assert fate(record(None, RecordType.SUSPECT), [], SOLD + timedelta(days=36500)) is Fate.OPEN


@pytest.mark.parametrize(
    ("kind", "about", "keeps"),
    [
        (About.EVERYTHING, "", True),
        (About.PARTY, "0399999000017", True),
        (About.PARTY, "0860000000017", False),
        (About.GTIN, "00399999001014", True),
        (About.LOT, LOT, True),
        (About.LOT, LOT + "x", False),
        (About.PACKAGE, PACK, True),
        # What a thing is called is no party, and the other way round.
        (About.GTIN, "0399999000017", False),
        (About.PARTY, "00399999001014", False),
    ],
)
def test_a_hold_keeps_what_it_is_about(kind, about, keeps):
    later = SOLD + timedelta(days=3650)
    assert bool(holds_of(record(), [hold(kind, about)])) is keeps
    assert fate(record(), [hold(kind, about)], later) is (Fate.HELD if keeps else Fate.FREE)


def test_the_report_counts_and_says_when_the_next_may_go():
    records = [
        record(),
        record(SOLD + timedelta(days=30)),
        record(kind=RecordType.IDENTIFIERS, count=24),
        record(None, RecordType.ILLEGITIMATE),
    ]
    now = keep_until(SOLD)
    sold, packs, suspect, illegitimate, repacked = report(records, [hold(About.LOT, LOT)], now)
    assert (sold.counts[Fate.HELD], sold.counts[Fate.KEPT], sold.counts[Fate.FREE]) == (1, 1, 0)
    assert (sold.oldest, sold.next_free) == (SOLD, keep_until(SOLD + timedelta(days=30)))
    assert (packs.counts[Fate.HELD], packs.held_by) == (24, {"hold_1": 24})
    assert (illegitimate.counts[Fate.OPEN], illegitimate.next_free) == (1, None)
    assert suspect.total == repacked.total == 0
