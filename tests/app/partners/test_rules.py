"""Who is an authorized trading partner, as of a moment; addresses and places on earth."""

from datetime import UTC, datetime, timedelta

import pytest

from app.partners.places import Address, Position
from app.partners.rules import KINDS, SUFFICES, Duty, Exemption, Licence, LicenceKind, judge, usual_kind

JAN, FEB, MAR = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
DAY = timedelta(days=1)


def licence(number=1, kind=LicenceKind.STATE_LICENCE, begins=JAN, until=FEB, **more):
    return Licence(number, kind, "KY-BOP", f"W-{number}", begins, until, **more)


def test_a_licence_holds_from_its_first_moment_to_before_its_end():
    held = [licence()]
    assert judge("wholesaler", held, [], JAN).authorized
    assert judge("wholesaler", held, [], FEB - timedelta(microseconds=1)).authorized
    assert judge("wholesaler", held, [], FEB).why == "its state licence W-1 of KY-BOP ran out on 2026-01-31"
    early = judge("wholesaler", held, [], JAN - DAY)
    assert (early.authorized, early.why) == (
        False,
        "its state licence W-1 of KY-BOP begins on 2026-01-01 only",
    )


def test_of_several_licences_the_one_that_lasts_longest_is_the_evidence():
    held = [licence(1), licence(2, until=MAR), licence(3, until=None), licence(4, until=None)]
    assert judge("wholesaler", held[:2], [], JAN).licence.licence_id == 2
    assert judge("wholesaler", held, [], JAN).licence.licence_id == 3, "of equals the first"


def test_a_licence_that_was_revoked_counts_up_to_that_day_alone():
    held = [licence(until=None, ended_at=FEB, ended_why="order 12")]
    assert judge("wholesaler", held, [], FEB - DAY).authorized
    assert judge("wholesaler", held, [], FEB).why == (
        "its state licence W-1 of KY-BOP was ended on 2026-02-01 (order 12)"
    )


@pytest.mark.parametrize(
    ("party", "kind", "enough"),
    [
        ("maker", LicenceKind.ESTABLISHMENT_REGISTRATION, True),
        ("maker", LicenceKind.STATE_LICENCE, False),
        ("repackager", LicenceKind.ESTABLISHMENT_REGISTRATION, True),
        ("wholesaler", LicenceKind.STATE_LICENCE, True),
        ("wholesaler", LicenceKind.ANNUAL_REPORT, False),
        ("wholesaler", LicenceKind.ESTABLISHMENT_REGISTRATION, False),
        ("3pl", LicenceKind.ANNUAL_REPORT, True),
        ("dispenser", LicenceKind.STATE_LICENCE, True),
        ("dispenser", LicenceKind.FEDERAL_LICENCE, False),
        ("unknown", LicenceKind.STATE_LICENCE, True),
    ],
)
def test_each_kind_of_company_needs_its_own_kind_of_licence(party, kind, enough):
    assert judge(party, [licence(kind=kind)], [], JAN).authorized is enough


def test_a_licence_of_no_named_kind_is_the_one_that_its_party_needs():
    assert set(SUFFICES) == set(KINDS)
    for kind in KINDS:
        assert usual_kind(kind) in SUFFICES[kind]


def test_nothing_on_record_says_what_is_missing():
    assert judge("dispenser", [], [], JAN).why == "no state licence of it is on record here"
    assert judge("maker", [], [], JAN).why == "no establishment registration of it is on record here"


def test_an_exemption_from_electronic_exchange_authorizes_nobody():
    waived = Exemption(1, Duty.AUTHORIZATION, JAN, FEB, "waiver", "letter")
    small = Exemption(2, Duty.ELECTRONIC_EXCHANGE, JAN, None, "small dispenser", "letter")
    assert judge("dispenser", [], [waived, small], JAN).why == "exempt: waiver"
    assert not judge("dispenser", [], [waived, small], FEB).authorized
    assert not judge("dispenser", [], [small], JAN).authorized


def test_an_address_is_one_line_of_what_is_known_of_it():
    assert (
        Address("1 Plant Road", "Trenton", "NJ", "08601", "US").line == "1 Plant Road, Trenton, NJ 08601, US"
    )
    assert Address("1 Plant Road, Trenton").line == "1 Plant Road, Trenton"
    assert Address().line == ""


def test_a_position_is_kept_in_millionths_of_a_degree():
    assert Position.parse("40.7128, -74.0060") == Position(40_712_800, -74_006_000)
    assert Position.parse("-90,180").degrees == (-90.0, 180.0)
    for text in ("", "40.7", "91,0", "0,181", "40.7;-74", "nan,0", "1e2,0"):
        with pytest.raises(ValueError, match=r"is no position|a latitude is"):
            Position.parse(text)
