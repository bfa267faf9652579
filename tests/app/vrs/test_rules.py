"""What is noticed at verification: guessing told from honest errors, heat, what does not match and what nearly does."""

from datetime import timedelta

import pytest

from app.vrs.rules import (
    HEAT_REQUESTERS,
    INNOCENT,
    MANY_MISSES,
    MOST_NEAR,
    VERY_MANY_MISSES,
    Asked,
    SignalKind,
    guessing,
    heat,
    is_low_entropy,
    longest_run,
    near,
    no_match,
)
from ledger.custody.findings import Severity
from tests.support.app import NOON

GTIN = "00399999001014"
RANDOM = ["K7QX2M9", "P4WZ8RT", "B6HN3VC", "T9JL5YD", "G2SF7KA", "X8CD4PM", "N5VB9QW", "R3MT6ZH"]


def asked(serials, *, missed=True, gtin=GTIN, minutes=1):
    return [Asked(NOON - timedelta(minutes=minutes), gtin, serial, missed) for serial in serials]


def weigh(questions, *, has_traded=True):
    found = guessing(questions, NOON, has_traded=has_traded)
    return found and found.severity


def test_a_few_that_miss_are_errors():
    assert weigh(asked(RANDOM[: MANY_MISSES - 1])) is None


def test_many_that_miss_are_an_exception_and_with_a_pattern_a_hold():
    assert weigh(asked(RANDOM[:MANY_MISSES])) is Severity.EXCEPTION
    assert weigh(asked(["A17", "A18", "A20", "A19", "A16"])) is Severity.HOLD
    assert weigh(asked(["1", "22", "AAAAA", "7777777", "000"])) is Severity.HOLD
    sweep = [each for n, serial in enumerate(RANDOM[:5]) for each in asked([serial], gtin=f"G{n}")]
    assert weigh(sweep) is Severity.HOLD
    assert weigh(asked(RANDOM[:MANY_MISSES]), has_traded=False) is Severity.HOLD
    assert (
        weigh(asked([f"{serial}{n}" for serial in RANDOM for n in "XYZ"][:VERY_MANY_MISSES])) is Severity.HOLD
    )


def test_a_busy_returns_centre_errs_more_and_guesses_no_more():
    right = asked([f"R{n}" for n in range(100)], missed=False)
    assert weigh(right + asked(RANDOM[:6])) is None
    assert weigh(asked(RANDOM[:6])) is Severity.EXCEPTION


def test_what_missed_hours_ago_is_forgotten():
    assert weigh(asked(RANDOM, minutes=61)) is None


def test_the_explanation_says_what_was_seen():
    found = guessing(asked(["A1", "A2", "A3", "A4", "A5"]), NOON, has_traded=False)
    assert found.explanation == (
        "5 of 5 questions within an hour matched nothing; 5 serials in a row; 5 serials too simple to be random; "
        "the requester has never had a pack here"
    )
    assert found.innocent == INNOCENT[SignalKind.SERIAL_GUESSING]


@pytest.mark.parametrize(
    ("serials", "length"),
    [
        ([], 0),
        (["A1"], 1),
        (["A09", "A10", "A11"], 3),
        (["A9", "A10"], 1),
        (["A1", "B2", "A3"], 1),
        (["12A"], 0),
    ],
)
def test_a_run_counts_up_by_one_in_one_form(serials, length):
    assert longest_run({(GTIN, serial) for serial in serials}) == length


def test_runs_of_two_products_are_two():
    assert longest_run({("G1", "A1"), ("G2", "A2")}) == 1


@pytest.mark.parametrize(
    ("serial", "simple"), [("123", True), ("AaAaA", True), ("1212", True), ("1234", False)]
)
def test_simple_serials_are_short_or_of_two_characters(serial, simple):
    assert is_low_entropy(serial) is simple


def test_heat_is_many_parties_and_not_many_questions_of_one():
    assert heat(["A"] * 9 + ["B"]) is None
    assert heat(map(str, range(HEAT_REQUESTERS))).severity is Severity.HOLD


def test_a_label_that_differs_says_in_what_and_not_from_what():
    assert no_match(serial=False) is None
    assert "lot and expiry" in no_match(serial=False, lot=True, expiry=True).explanation
    assert "not given" in no_match(serial=True).explanation


@pytest.mark.parametrize(
    ("typed", "meant", "how"),
    [
        ("abc7", "ABC7", "case"), ("aBC7", "ABC7", "case"), ("ZK9", "YK9", "Y and Z"), ("zk9", "YK9", "case, Y and Z"),
        ("1O5", "105", "O and 0, or I and 1"), ("I05", "1O5", "O and 0, or I and 1"),
        ("io5", "105", "case, O and 0, or I and 1"), ("l5", "15", "O and 0, or I and 1"),
    ],
)  # fmt: skip
def test_what_keyboards_and_eyes_confuse_is_near(typed, meant, how):
    assert near(typed)[meant] == how


def test_what_differs_otherwise_is_not_near_and_nothing_is_near_itself():
    assert "ABD" not in near("ABC")
    assert "ABC" not in near("ABC")
    assert near("2345") == {}


def test_the_likeliest_come_first_and_there_is_an_end():
    found = near("O0I1lYZyzO0I1lYZyzAb")
    assert 300 < len(found) <= MOST_NEAR
    assert next(iter(near("abO"))) == "ab0"
