from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.labels.rules import LabelError, LogisticLabel, PackageLabel, element_string, human_readable
from ledger.gs1.element_string import parse_scan

GOOD = {"gtin": "00312345678906", "serial": "a1/B%", "lot": "L7", "expiry": "2028-05-31"}


def _code_of(**changed: str) -> str:
    with pytest.raises(LabelError) as refused:
        PackageLabel.parse(**{**GOOD, **changed})
    assert refused.value.message
    return refused.value.code


def test_a_label_holds_what_it_was_given() -> None:
    label = PackageLabel.parse(**GOOD, product_name="Atorvastatin")
    assert label.elements == (("01", "00312345678906"), ("21", "a1/B%"), ("17", "280531"), ("10", "L7"))
    assert human_readable(label.elements) == "(01)00312345678906(21)a1/B%(17)280531(10)L7"
    assert element_string(label.elements) == b"010031234567890621a1/B%\x1d1728053110L7"


def test_a_short_gtin_is_printed_with_14_digits() -> None:
    assert PackageLabel.parse(**{**GOOD, "gtin": "312345678906"}).gtin.digits == "00312345678906"


@pytest.mark.parametrize("gtin", ["00312345678907", "0031234567890", "", "0031234567890X", "003123456789061"])
def test_a_wrong_gtin_is_refused_before_the_encoder_could_print_it(gtin: str) -> None:
    assert _code_of(gtin=gtin) == "label-gtin"


@pytest.mark.parametrize("serial", ["", "x" * 21, "a b", "a#b", "é", "a\x1db", "a\\b"])
def test_a_serial_outside_the_character_set_is_refused(serial: str) -> None:
    assert _code_of(serial=serial) == "label-serial"


@pytest.mark.parametrize("lot", ["", "x" * 21, "L 7", "L$"])
def test_a_lot_outside_the_character_set_is_refused(lot: str) -> None:
    assert _code_of(lot=lot) == "label-lot"


@pytest.mark.parametrize("expiry", ["280500", "000200"])
def test_an_expiry_without_a_day_is_never_printed(expiry: str) -> None:
    assert _code_of(expiry=expiry) == "label-day-zero"


@pytest.mark.parametrize(
    "expiry", ["", "2028-02-30", "2028-13-01", "28-05-31", "280532", "May 2028", "280531"]
)
def test_an_expiry_that_is_no_day_of_a_known_century_is_refused(expiry: str) -> None:
    assert _code_of(expiry=expiry) == "label-expiry"


def test_six_digits_are_a_date_where_today_tells_the_century() -> None:
    label = PackageLabel.parse(**{**GOOD, "expiry": "280531"}, today=date(2026, 11, 22))
    assert label.expiry == date(2028, 5, 31)


def test_a_label_without_an_expiry_cannot_be_made() -> None:
    good = PackageLabel.parse(**GOOD)
    with pytest.raises(LabelError) as refused:
        PackageLabel(good.gtin, "A1", "L7", None)  # type: ignore[arg-type]
    assert refused.value.code == "label-expiry"


@pytest.mark.parametrize("text", ["x" * 61, "two\nlines", "bell\x07", "\u202egnp"])
def test_texts_that_would_spoil_the_label_are_refused(text: str) -> None:
    assert _code_of(product_name=text) == "label-text"


@pytest.mark.parametrize("sscc", ["103999990000000015", "10399999000000001", "", "10399999000000001X"])
def test_a_wrong_sscc_is_refused(sscc: str) -> None:
    with pytest.raises(LabelError) as refused:
        LogisticLabel.parse(sscc=sscc)
    assert refused.value.code == "label-sscc"


def test_an_address_has_room_for_four_lines() -> None:
    good = LogisticLabel.parse(sscc="103999990000000014")
    with pytest.raises(LabelError, match="4 lines"):
        LogisticLabel(good.sscc, ship_to=("a", "b", "c", "d", "e"))


_CSET82 = st.sampled_from(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)


@given(
    serial=st.text(_CSET82, min_size=1, max_size=20),
    lot=st.text(_CSET82, min_size=1, max_size=20),
    expiry=st.dates(date(1990, 1, 1), date(2060, 12, 31)),
)
def test_what_a_label_says_is_what_a_reader_parses(serial: str, lot: str, expiry: date) -> None:
    label = PackageLabel.parse(gtin=GOOD["gtin"], serial=serial, lot=lot, expiry=expiry.isoformat())
    assert parse_scan(element_string(label.elements), "]d2").ais == label.elements
