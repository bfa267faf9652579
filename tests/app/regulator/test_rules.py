"""The clocks of requests, and what may be asked for."""

from datetime import UTC, date, datetime

import pytest

from app.errors import Invalid
from app.regulator.rules import Search, due_at, is_business_day
from app.regulator.service import NewRequest
from tests.support.world import GTIN, MAKER


@pytest.mark.parametrize(
    ("kind", "came", "due"),
    [
        ("maker", "2026-11-25T17:00", "2026-11-26T17:00:00"),
        ("wholesaler", "2026-11-28T09:00", "2026-11-29T09:00:00"),
        ("dispenser", "2026-11-23T09:00", "2026-11-25T23:59:59"),
        ("dispenser", "2026-11-25T09:00", "2026-11-30T23:59:59"),  # over Thanksgiving and a weekend
        ("dispenser", "2026-12-23T09:00", "2026-12-28T23:59:59"),  # over Christmas, a Friday
        (
            "dispenser",
            "2021-12-30T09:00",
            "2022-01-04T23:59:59",
        ),  # New Year's Day 2022 was observed on Friday
    ],
)
def test_24_hours_or_a_dispensers_two_business_days(kind: str, came: str, due: str) -> None:
    moment = datetime.fromisoformat(came).replace(tzinfo=UTC)
    assert due_at(kind, moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_the_federal_holidays_of_a_year() -> None:
    weekdays = [
        date.fromordinal(day) for day in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    ]
    off = [f"{day:%m-%d}" for day in weekdays if day.weekday() < 5 and not is_business_day(day)]
    assert off == "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25".split()


def test_a_search_reads_what_it_writes() -> None:
    search = Search.parse({"gtin": GTIN, "serial": "a1/B%", "since": "2026-01-02", "until": "2026-01-02"})
    assert Search.parse(search.as_json()) == search
    start, end = search.span
    assert start is not None and end is not None
    assert (end - start).days == 1
    assert search.package is not None and search.package.endswith("a1%2FB%25")


def test_a_search_until_the_last_day_of_the_calendar_has_no_end() -> None:
    assert Search.parse({"gln": MAKER, "until": "9999-12-31"}).span == (None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"gtin": GTIN},
        {"serial": "1"},
        {"lot": "L"},
        {"gtin": GTIN[:-1] + "9", "serial": "1"},
        {"gtin": GTIN, "serial": "with space"},
        {"gtin": GTIN, "lot": "x" * 21},
        {"gln": "0614141000013"},
        {"gln": MAKER, "since": "2026-02-30"},
        {"gln": MAKER, "since": "yesterday"},
        {"gln": MAKER, "since": "2026-03-02", "until": "2026-03-01"},
        {"gln": "0" * 201},
    ],
)
def test_a_search_that_does_not_do_says_why(fields: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        Search.parse(fields)
    assert refused.value.code == "request.search"
    assert refused.value.detail


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"requester": ""}, "request.field"),
        ({"proof": " "}, "request.field"),
        ({"standing": "friend"}, "request.standing"),
        ({"reason": "curiosity"}, "request.standing"),
        ({"standing": "partner", "reason": "inspection"}, "request.reason"),
    ],
)
def test_who_asks_and_why_is_part_of_a_request(changed: dict[str, str], code: str) -> None:
    fields = {
        "requester": "R. Doe, FDA",
        "proof": "called back",
        "standing": "fda",
        "reason": "recall",
        "gln": MAKER,
    }
    assert NewRequest.parse(fields, MAKER).reference == ""
    with pytest.raises(Invalid) as refused:
        NewRequest.parse({**fields, **changed}, MAKER)
    assert refused.value.code == code
