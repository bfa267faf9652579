"""Digital Links: web addresses that name things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gs1.digital_link import DigitalLink, find, format_link, from_ais, parse
from ledger.gs1.errors import Gs1Code, Gs1Error
from tests.ledger.gs1.strategies import gtins, values

GTIN = "00312345678906"


@given(
    gtins,
    st.none() | values,
    st.none() | values,
    st.none() | values,
    st.sampled_from([(), (("17", "280531"),)]),
)
def test_what_is_written_reads_back(gtin, variant, lot, serial, attributes):
    qualifiers = [("22", variant), ("10", lot), ("21", serial)]
    path = (("01", gtin.digits), *((code, value) for code, value in qualifiers if value is not None))
    link = DigitalLink(path, attributes)
    assert parse(format_link(link)) == link
    assert parse(format_link(link, "http://brand.example:8080/a/b/")) == link


def test_elements_of_a_barcode_are_put_in_order():
    ais = (("21", "a1/B%"), ("17", "280531"), ("01", GTIN), ("10", "L"))
    assert format_link(from_ais(ais)) == f"https://id.gs1.org/01/{GTIN}/10/L/21/a1%2FB%25?17=280531"


@pytest.mark.parametrize(
    "text",
    [
        f"https://example.com/01/{GTIN}/21/A?17=280531",
        f"https://example.com/shop/de/01/{GTIN}/21/A?17=280531&lang=de",
        f"http://example.com:8080/01/{GTIN}/21/A?lang=de;17=280531#top",
        f"HTTPS://EXAMPLE.COM/01/{GTIN}/21/%41?linkType=gs1:pip&17=280531",
        f"https://[2001:db8::1]/01/{GTIN}/21/A?17=280531",
    ],
)
def test_the_key_may_stand_anywhere_in_the_path(text):
    assert parse(text).ais == (("01", GTIN), ("21", "A"), ("17", "280531"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"https://example.com/01/{GTIN}/21/A/10/L", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}/17/280531", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}/", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}?10=L", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}?21=A", Gs1Code.LINK_STRUCTURE),
        ("https://example.com/", Gs1Code.LINK_STRUCTURE),
        (f"ftp://example.com/01/{GTIN}", Gs1Code.LINK_STRUCTURE),
        (f"https://user@example.com/01/{GTIN}", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}/21/é", Gs1Code.LINK_STRUCTURE),
        (f"https://example.com/01/{GTIN}/89/A", Gs1Code.UNKNOWN_AI),
        (f"https://example.com/01/{GTIN}?89=A", Gs1Code.UNKNOWN_AI),
        (f"https://example.com/01/{GTIN}?17=280531&17=280531", Gs1Code.DUPLICATE_AI),
        (f"https://example.com/01/{GTIN}/21/%4", Gs1Code.BAD_ESCAPE),
        (f"https://example.com/01/{GTIN}/21/%00", Gs1Code.CHARSET),
        (f"https://example.com/01/{GTIN}?17=", Gs1Code.LENGTH),
        (f"https://example.com/01/{GTIN}?17=281331", Gs1Code.BAD_DATE),
        ("https://example.com/01/00312345678907", Gs1Code.CHECK_DIGIT),
        ("https://example.com/01/312345678906", Gs1Code.LENGTH),
    ],
)
def test_parts_out_of_place_or_out_of_form_are_refused(text, code):
    with pytest.raises(Gs1Error) as caught:
        parse(text)
    assert caught.value.code is code, caught.value.message


def test_other_web_addresses_are_no_links():
    for text in (
        "https://example.com/epc/obj/1",
        "https://example.com/00/1",
        "https://example.com/01/x/21/y",
    ):
        assert find(text) is None


def test_what_cannot_stand_in_a_link_is_not_written():
    for ais in ((("99", "X"),), (("01", GTIN), ("8200", "http://example.com"))):
        with pytest.raises(Gs1Error) as caught:
            from_ais(ais)
        assert caught.value.code is Gs1Code.LINK_STRUCTURE
