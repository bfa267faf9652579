"""Element strings: what a reader sends, strictly read."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gs1.check_digit import check_digit
from ledger.gs1.element_string import MAX_SCAN_BYTES, ScanNote, parse_scan, read_human_form
from ledger.gs1.epc import Lgtin, Pgln, Sgln, Sgtin
from ledger.gs1.errors import Gs1Code, Gs1Error
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc
from tests.ledger.gs1.strategies import gtins, ssccs, values

GS = "\x1d"
GTIN = "00312345678906"
UNIT = Gtin(GTIN)
PREDEFINED = {"01", "17"}


def raw(elements) -> str:
    """`elements` as a symbol carries them: GS behind every variable one but the last."""
    parts = [code + value + ("" if code in PREDEFINED else GS) for code, value in elements]
    return "".join(parts).removesuffix(GS)


def code_of(data, symbology=None) -> Gs1Code:
    with pytest.raises(Gs1Error) as caught:
        parse_scan(data, symbology)
    return caught.value.code


LABEL = (("01", GTIN), ("21", "a1/B%"), ("17", "280531"), ("10", "L-1"))


@pytest.mark.parametrize("elements", list(permutations(LABEL)))
def test_a_label_is_read_in_any_order(elements):
    scan = parse_scan(raw(elements).encode(), "]d2")
    assert scan.ais == tuple(elements)
    assert (scan.gtin, scan.serial, scan.lot) == (UNIT, "a1/B%", "L-1")
    assert scan.expiry.on(date(2026, 1, 1)) == date(2028, 5, 31)
    assert scan.epc == Sgtin(UNIT, "a1/B%")
    assert (scan.notes, scan.symbology, scan.raw) == ((), "]d2", raw(elements).encode())


days = st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda day: day.strftime("%y%m%d"))


@given(gtins, values, values, days, st.permutations(["01", "21", "17", "10"]))
def test_no_full_label_ever_trips_whatever_its_serial_and_lot(gtin, serial, lot, day, order):
    carried = {"01": gtin.digits, "21": serial, "17": day, "10": lot}
    elements = tuple((code, carried[code]) for code in order)
    # `<GS>` is read as a separator only where no real one arrives; a label of four always has one or needs none.
    if GS not in raw(elements) and "<gs>" in raw(elements).lower():
        return
    assert parse_scan(raw(elements), "]d2").ais == elements


@given(gtins, values, values, days)
def test_the_human_form_and_the_raw_form_say_the_same(gtin, serial, lot, day):
    escaped = {"21": serial.replace("(", "\\("), "10": lot.replace("(", "\\(")}
    typed = f"(01){gtin.digits}(17){day}(10){escaped['10']}(21){escaped['21']}"
    scan = parse_scan(typed)
    assert scan.ais == (("01", gtin.digits), ("17", day), ("10", lot), ("21", serial))
    assert scan.notes == (ScanNote.HUMAN_FORM,)


@given(ssccs)
def test_a_pallet_names_itself(sscc):
    assert parse_scan(f"]C100{sscc.digits}").epc == sscc


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (f"{GS}01{GTIN}21A{GS}1728053110L", ScanNote.LEADING_SEPARATOR),
        (f"01{GTIN}21A{GS}{GS}1728053110L", ScanNote.DOUBLED_SEPARATOR),
        (f"01{GTIN}21A<GS>1728053110L", ScanNote.SPELLED_SEPARATOR),
        (f"01{GTIN}21A{{GS}}1728053110L", ScanNote.SPELLED_SEPARATOR),
        (f"01{GTIN}21A\\x1d1728053110L", ScanNote.SPELLED_SEPARATOR),
        (f"01{GTIN}21A\\x1D1728053110L", ScanNote.SPELLED_SEPARATOR),
        (f"01{GTIN}21A{GS}1728053110L\r\n", ScanNote.LINE_ENDING),
        (f"01{GTIN}21A{GS}1728053110L\t", ScanNote.LINE_ENDING),
        (f"(01){GTIN}(21)A(17)280531(10)L", ScanNote.HUMAN_FORM),
    ],
)
@pytest.mark.parametrize("symbology", ["]d2", "]C1", None])
def test_what_readers_add_or_respell_is_read_and_noted(sent, note, symbology):
    scan = parse_scan(sent, symbology)
    assert scan.notes == (note,)
    assert scan.ais == (("01", GTIN), ("21", "A"), ("17", "280531"), ("10", "L"))


def test_a_serial_that_holds_the_text_gs_is_kept_where_real_separators_arrive():
    assert parse_scan(f"01{GTIN}21A<GS>B{GS}1728053110L", "]d2").serial == "A<GS>B"


def test_an_aim_identifier_may_stand_before_the_data_or_apart_or_both():
    data = f"01{GTIN}21A{GS}1728053110L"
    assert parse_scan("]d2" + data) == parse_scan(data, "]d2") == parse_scan("]d2" + data, "]d2")
    assert parse_scan(data).symbology is None


def test_separators_behind_predefined_values_and_at_the_end_are_no_fault():
    scan = parse_scan(f"01{GTIN}{GS}17280531{GS}10L{GS}21A{GS}", "]C1")
    assert (scan.epc, scan.notes) == (Sgtin(UNIT, "A"), ())


def test_the_same_element_twice_counts_once_and_two_values_are_refused():
    assert parse_scan(f"01{GTIN}01{GTIN}21A").ais == (("01", GTIN), ("21", "A"))
    assert code_of(f"01{GTIN}21A{GS}21B") is Gs1Code.DUPLICATE_AI


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", Gs1Code.EMPTY),
        ("\r\n", Gs1Code.EMPTY),
        ("]d2", Gs1Code.EMPTY),
        (f"]d2{GS}", Gs1Code.EMPTY),
        ("]d2" + "1" * MAX_SCAN_BYTES, Gs1Code.TOO_LONG),
        ("]d299A" + f"{GS}99A" * 64, Gs1Code.TOO_LONG),
        ("]d2hello", Gs1Code.UNKNOWN_AI),
        ("]d20500312345678906", Gs1Code.UNKNOWN_AI),
        ("]d2(05)1", Gs1Code.UNKNOWN_AI),
        ("]d2(01)" + GTIN + "(21)A(B", Gs1Code.UNKNOWN_AI),
        ("]d2(01)" + GTIN + "(21)", Gs1Code.LENGTH),
        ("]d2010031234567890721A", Gs1Code.CHECK_DIGIT),
        ("]d200103999990000000015", Gs1Code.CHECK_DIGIT),
        ("]d2010031234567890", Gs1Code.LENGTH),
        ("]d20100312345678 0621A", Gs1Code.CHARSET),
        (f"]d201{GTIN}21A B", Gs1Code.CHARSET),
        (f"]d201{GTIN}21{GS}17280531", Gs1Code.LENGTH),
        (f"]d201{GTIN}21" + "A" * 21, Gs1Code.LENGTH),
        (f"]d201{GTIN}17281331", Gs1Code.BAD_DATE),
        (f"]d201{GTIN}7003280500" + "1200", Gs1Code.BAD_DATE),
        (f"]d201{GTIN}70032805312460", Gs1Code.BAD_DATE),
        ("]d221A", Gs1Code.AI_REQUIRED),
        (f"]d202{GTIN}", Gs1Code.AI_REQUIRED),
        (f"]d201{GTIN}02{GTIN}3712", Gs1Code.AI_CONFLICT),
        ("é", Gs1Code.CHARSET),
        (b"\xff\xfe", Gs1Code.CHARSET),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_guessed(data, code):
    assert code_of(data) is code


@pytest.mark.parametrize("symbology", ["]d1", "]C0", "]Q1", "]A0", "]X9"])
def test_a_plain_symbol_carries_no_ai_data_however_it_looks(symbology):
    assert code_of(f"01{GTIN}21A", symbology) is Gs1Code.NOT_AI_DATA


@pytest.mark.parametrize("symbology", ["]d1", "]Q1", "]J0", None])
def test_a_digital_link_in_a_plain_2d_symbol_is_read_as_one(symbology):
    scan = parse_scan(f"https://example.com/x/01/{GTIN}/10/L%2F1/21/a1%2FB%25?17=280500&lang=en", symbology)
    assert scan.epc == Sgtin(UNIT, "a1/B%")
    assert (scan.lot, str(scan.expiry), scan.notes) == ("L/1", "280500", (ScanNote.DAY_ZERO,))


@pytest.mark.parametrize(
    "data", [b"http://brand.example/m", b"https://brand.example", b"\xe1\xa1\xff", b"M\xfcller"]
)
def test_a_symbol_beside_the_label_is_no_fault_of_the_reader(data):
    assert code_of(data, "]d1") is Gs1Code.NOT_AI_DATA


def test_a_link_that_is_meant_and_wrong_says_what_is_wrong():
    assert code_of("https://brand.example/01/00312345678907/21/A", "]Q1") is Gs1Code.CHECK_DIGIT
    assert code_of(f"https://brand.example/01/{GTIN}/21/A/10/L", "]Q1") is Gs1Code.LINK_STRUCTURE


def test_a_web_address_in_a_gs1_symbol_is_a_fault():
    assert code_of(f"https://example.com/01/{GTIN}", "]d2") is Gs1Code.NOT_AI_DATA


def test_what_else_a_scan_may_name():
    assert parse_scan(f"01{GTIN}10L").epc == Lgtin(UNIT, "L")
    assert parse_scan(f"01{GTIN}").epc is None
    assert parse_scan("4140399999000017254A1").epc == Sgln(Gln("0399999000017"), "A1")
    assert parse_scan("4140399999000017").epc == Sgln(Gln("0399999000017"))
    assert parse_scan("4170399999000017").epc == Pgln(Gln("0399999000017"))
    assert parse_scan("99whatever").epc is None
    both = parse_scan(f"0010399999000000001402{GTIN}3712")
    assert (both.epc, both.gtin) == (Sscc("103999990000000014"), None)


@given(st.binary(max_size=80) | st.text(max_size=80) | st.text("01217()]d2AB\x1d<GS>{}\\x1", max_size=60))
def test_whatever_arrives_the_answer_is_a_scan_or_a_gs1_error(data):
    try:
        scan = parse_scan(data)
    except Gs1Error:
        return
    human = "".join(f"({code})" + value.replace("(", "\\(") for code, value in scan.ais)
    assert read_human_form(human) == scan.ais


def test_unlabelled_digits_of_a_retail_symbol_are_a_gtin_only():
    for digits in ("312345678906", "4006381333931", "40170725", "50312345678901"):
        scan = parse_scan(digits)
        assert (scan.gtin, scan.epc) == (Gtin.parse(digits), None)
    eleven = "91234567890"
    assert parse_scan(eleven + check_digit(eleven)).gtin == Gtin.parse(eleven + check_digit(eleven))
