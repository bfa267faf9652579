"""Dates in barcodes and documents."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gs1.dates import ExpiryDate, from_yymmdd, parse_iso_date, to_yymmdd
from ledger.gs1.errors import Gs1Code, Gs1Error

TODAY = date(2026, 3, 14)


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.dates(date(2000, 1, 1), date(2050, 12, 31)))
def test_every_day_from_49_years_past_to_50_ahead_comes_back(day, today):
    if today.year - 49 <= day.year <= today.year + 50:
        assert from_yymmdd(to_yymmdd(day), today) == day


def test_the_century_turns_between_50_ahead_and_49_past():
    assert from_yymmdd("761231", TODAY) == date(2076, 12, 31)
    assert from_yymmdd("770101", TODAY) == date(1977, 1, 1)
    assert from_yymmdd("000229", TODAY) == date(2000, 2, 29)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("280200", date(2028, 2, 29)), ("270200", date(2027, 2, 28)), ("281200", date(2028, 12, 31))],
)
def test_day_zero_is_the_last_of_the_month_and_flagged(text, meant):
    expiry = ExpiryDate.parse(text)
    assert expiry.on(TODAY) == meant
    assert expiry.day_zero
    assert not ExpiryDate.of(meant).day_zero


@pytest.mark.parametrize(
    "text", ["", "28053", "2805311", "281301", "280001", "280532", "270229", "28O531", "٢٨٠٥٣١", " 28053"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(Gs1Error) as caught:
        ExpiryDate(text)
    assert caught.value.code is Gs1Code.BAD_DATE


def test_29_february_of_2100_is_refused_when_the_century_is_known():
    assert ExpiryDate("000229").on(date(2049, 1, 1)) == date(2000, 2, 29)
    with pytest.raises(Gs1Error, match="2100"):
        ExpiryDate("000229").on(date(2060, 1, 1))


@given(st.dates())
def test_iso_dates_are_read_as_written(day):
    assert parse_iso_date(day.isoformat()) == day


@pytest.mark.parametrize(
    "text", ["", "20280531", "2028-5-31", "2028-02-30", "2028-W22-3", "2028-05-31T00:00:00Z", "2028-05-31\n"]
)
def test_other_spellings_of_a_date_are_refused(text):
    with pytest.raises(Gs1Error) as caught:
        parse_iso_date(text)
    assert caught.value.code is Gs1Code.BAD_DATE


def test_yymmdd_drops_the_century():
    assert to_yymmdd(date(2005, 1, 9) + timedelta(days=1)) == "050110"
