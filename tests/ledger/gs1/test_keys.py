"""GTIN, GLN, SSCC and NDC, and their check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gs1.check_digit import check_digit, has_valid_check_digit
from ledger.gs1.errors import Gs1Code, Gs1Error
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.ndc import Ndc, from_ndc11
from ledger.gs1.sscc import Sscc

digits = st.text("0123456789", min_size=1, max_size=17)


def code_of(call, *arguments) -> Gs1Code:
    with pytest.raises(Gs1Error) as caught:
        call(*arguments)
    return caught.value.code


@given(digits)
def test_the_check_digit_is_the_weighted_sum_of_the_standard(body):
    weighted = sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body)))
    assert check_digit(body) == str((10 - weighted % 10) % 10)


@given(digits, st.data())
def test_one_wrong_digit_never_passes(body, data):
    whole = body + check_digit(body)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[place]]))
    assert has_valid_check_digit(whole)
    assert not has_valid_check_digit(whole[:place] + other + whole[place + 1 :])


@pytest.mark.parametrize(
    ("printed", "stored"),
    [
        ("12345670", "00000012345670"),
        ("312345678906", "00312345678906"),
        ("0312345678906", "00312345678906"),
        ("00312345678906", "00312345678906"),
        ("50312345678901", "50312345678901"),
    ],
)
def test_a_gtin_of_any_length_is_stored_with_14_digits(printed, stored):
    assert Gtin.parse(printed).digits == stored


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Gs1Code.EMPTY),
        ("00312345678907", Gs1Code.CHECK_DIGIT),
        ("0031234567890", Gs1Code.CHECK_DIGIT),
        ("003123456", Gs1Code.LENGTH),
        ("003123456789066", Gs1Code.LENGTH),
        ("0031234567890A", Gs1Code.CHARSET),
        ("٠٠٣١٢٣٤٥٦٧٨٩٠٦", Gs1Code.CHARSET),
        (" 0312345678906", Gs1Code.CHARSET),
        ("+0312345678906", Gs1Code.CHARSET),
    ],
)
def test_what_is_no_gtin_is_refused_with_its_reason(text, code):
    assert code_of(Gtin.parse, text) is code


def test_values_cannot_be_made_wrong_by_their_constructors():
    assert code_of(Gtin, "312345678906") is Gs1Code.LENGTH
    assert code_of(Gln, "0399999000018") is Gs1Code.CHECK_DIGIT
    assert code_of(Gln.parse, "039999900001") is Gs1Code.LENGTH
    assert code_of(Sscc, "103999990000000015") is Gs1Code.CHECK_DIGIT
    assert code_of(Sscc.parse, "") is Gs1Code.EMPTY


def test_a_case_has_its_own_check_digit():
    unit = Gtin.parse("00312345678906")
    assert (unit.indicator, unit.ndc10_digits) == (0, "1234567890")
    case = unit.with_indicator(5)
    assert (case.digits, case.indicator, case.ndc10_digits) == ("50312345678901", 5, "1234567890")
    assert Gtin.parse("04012345123456").ndc10_digits is None
    assert code_of(unit.with_indicator, 10) is Gs1Code.LENGTH


@pytest.mark.parametrize("dashed", ["1234-5678-90", "12345-678-90", "12345-6789-0"])
def test_three_ndcs_of_the_same_digits_share_a_gtin_but_not_a_billing_form(dashed):
    ndc = Ndc.parse(dashed)
    assert str(ndc) == dashed
    assert ndc.gtin().digits == "00312345678906"
    assert ndc.gtin(indicator=5).digits == "50312345678901"
    assert ndc.is_in(Gtin.parse("50312345678901"))
    assert ndc in from_ndc11(ndc.ndc11)


def test_ndc_11_pads_the_short_segment():
    assert Ndc.parse("1234-5678-90").ndc11 == "01234-5678-90"
    assert Ndc.parse("12345-678-90").ndc11 == "12345-0678-90"
    assert Ndc.parse("12345-6789-0").ndc11 == "12345-6789-00"


def test_a_billing_ndc_may_stand_for_several_labels_or_none():
    assert [str(n) for n in from_ndc11("01234-0678-90")] == ["1234-0678-90", "01234-678-90"]
    assert [str(n) for n in from_ndc11("01234567890")] == ["1234-5678-90"]
    assert from_ndc11("12345-6789-12") == ()
    assert code_of(from_ndc11, "1234-56789-12") is Gs1Code.BAD_NDC


def test_a_twelve_digit_ndc_is_read_but_fits_no_gtin():
    ndc = Ndc.parse("123456-7890-12")
    assert ndc.digits == "123456789012"
    assert code_of(ndc.gtin) is Gs1Code.BAD_NDC
    assert code_of(lambda: ndc.ndc11) is Gs1Code.BAD_NDC
    assert not ndc.is_in(Gtin.parse("00312345678906"))


@pytest.mark.parametrize(
    "text", ["1234567890", "123-4567-890", "4-4-2", "12345-67890", "1234-567-89", "", "١٢٣٤-5678-90"]
)
def test_digits_without_telling_dashes_are_no_ndc(text):
    assert code_of(Ndc.parse, text) is Gs1Code.BAD_NDC


def test_an_indicator_9_is_for_no_drug():
    assert code_of(Ndc.parse("1234-5678-90").gtin, 9) is Gs1Code.BAD_NDC
