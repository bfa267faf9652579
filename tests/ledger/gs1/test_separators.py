"""A reader that drops GS: found out where it can be, and never a wrong value instead."""

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Code, Gs1Error
from tests.ledger.gs1.strategies import gtins, values
from tests.ledger.gs1.test_element_string import GS, GTIN, days, raw
from tests.support.speed import within


def refused_for_a_lost_separator(data: str) -> bool:
    try:
        parse_scan(data, "]d2")
    except Gs1Error as error:
        return error.code is Gs1Code.SEPARATOR_MISSING
    return False


LABEL = (("01", GTIN), ("21", "ABC"), ("17", "280531"), ("10", "L1"))


@pytest.mark.parametrize("elements", [e for e in permutations(LABEL) if GS in raw(e)])
def test_every_order_of_a_label_without_its_separators_is_found_out(elements):
    assert refused_for_a_lost_separator(raw(elements).replace(GS, ""))


@given(gtins, values, values, days, st.permutations(["01", "21", "17", "10"]))
def test_a_dropped_separator_never_gives_a_value(gtin, serial, lot, day, order):
    carried = {"01": gtin.digits, "21": serial, "17": day, "10": lot}
    sent = raw((code, carried[code]) for code in order)
    assume(GS in sent)
    with pytest.raises(Gs1Error):
        parse_scan(sent.replace(GS, ""), "]d2")


@pytest.mark.parametrize(
    "data",
    [
        f"01{GTIN}21ABC17280531",
        f"01{GTIN}21ABC1728053110L1",
        f"01{GTIN}21ABC10L117280531",
        f"01{GTIN}21ABC10L1",
        f"01{GTIN}21ABC17280500",
        f"01{GTIN}1728053110L121ABC",
        f"01{GTIN}1728053121ABC10L1",
        f"01{GTIN}21ABCDEFGHIJKLMNOPQ17280531",
        f"01{GTIN}17280531240PART10L1",
        f"01{GTIN}712CN21ABC",
        f"1728053110L101{GTIN}21ABC",
        f"21ABC01{GTIN}1728053110L1",
        f"0010399999000000001402{GTIN}10LOT3712",
        f"01{GTIN}10L{GS}21ABC17280531",
        f"01{GTIN}700328053112001728053110L",
    ],
)
def test_a_tail_that_could_be_what_the_label_lacks_is_reported(data):
    assert refused_for_a_lost_separator(data)


@pytest.mark.parametrize(
    "data",
    [
        f"01{GTIN}21ABC{GS}17280531",
        f"01{GTIN}17280531" + f"10L1{GS}21ABC17280531",
        f"01{GTIN}21ABC17281399",  # no such day
        f"01{GTIN}2117280531",  # nothing would be left of the serial
        f"01{GTIN}21ABC10",  # nothing would be left of the lot
        f"01{GTIN}21ABC21DEF",  # (21) is not missing
        f"01{GTIN}1728053110L{GS}21A10B",  # nothing is missing
        f"01{GTIN}17280531240P{GS}21A10B",  # the reader sends separators, and free text proves nothing
        f"01{GTIN}21A1728053110B{GS}",  # a separator ends it
        f"01{GTIN}21ABC{GS}91X17280531",  # (91) is a company's own: any text stands there by right
        f"01{GTIN}8003003123456789062117280531",  # a GRAI, not free text
        "99ABC17280531",  # no medicine's label
        "00103999990000000014400ABC17280531",
    ],
)
def test_what_cannot_be_a_lost_separator_is_read(data):
    assert parse_scan(data, "]d2").ais


def test_the_human_form_is_never_in_doubt():
    assert parse_scan(f"(01){GTIN}(21)ABC17280531").serial == "ABC17280531"


@pytest.mark.parametrize("tail", ["10" * 3000, "1021" * 1500, "A" + "17280531" * 800, "01" * 3000])
def test_looking_for_a_lost_separator_is_cheap_for_hostile_data(tail):
    def refuse():
        with pytest.raises(Gs1Error):
            parse_scan(f"01{GTIN}21{tail}", "]d2")

    within(0.3, refuse)
