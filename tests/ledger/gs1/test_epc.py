"""EPCs: many spellings, one value."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gs1.epc import (
    MAX_EPC_CHARS,
    Epc,
    GtinClass,
    Lgtin,
    OtherEpc,
    Pgln,
    Sgln,
    Sgtin,
    parse_any,
    parse_epc,
)
from ledger.gs1.errors import Gs1Code, Gs1Error
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc
from tests.ledger.gs1.strategies import gcp_lengths, glns, gtins, ssccs, values
from tests.support.shared import shared_path
from tests.support.speed import within

UNIT = Gtin("00399999001014")
epcs = st.one_of(
    st.builds(Sgtin, gtins, values),
    st.builds(Lgtin, gtins, values),
    st.builds(GtinClass, gtins),
    ssccs,
    st.builds(Sgln, glns, st.none() | values.filter(lambda v: v != "0")),
    st.builds(Pgln, glns),
)


@given(epcs)
def test_the_canonical_text_reads_back(epc):
    assert parse_epc(epc.canonical) == epc
    assert re.fullmatch(
        r"https://id\.gs1\.org(/[A-Za-z0-9._~-]+|/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)+", epc.canonical
    )


@given(epcs, gcp_lengths)
def test_every_split_of_the_urn_is_the_same_thing(epc, gcp_length):
    assert parse_epc(epc.urn(gcp_length)) == epc


@given(epcs)
def test_a_link_on_any_domain_is_the_same_thing(epc):
    assert (
        parse_epc(epc.canonical.replace("https://id.gs1.org", "http://brand.example:8080/some/path")) == epc
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("urn:epc:id:sgtin:0399999.000101.A1B2", Sgtin(UNIT, "A1B2")),
        ("urn:epc:id:sgtin:0399999.000101.a1%2FB%25", Sgtin(UNIT, "a1/B%")),
        ("urn:epc:id:sgtin:0399999.000101.a1%2fB%25", Sgtin(UNIT, "a1/B%")),
        ("urn:epc:idpat:sgtin:0399999.000101.*", GtinClass(UNIT)),
        ("urn:epc:class:lgtin:0399999.000101.L-1", Lgtin(UNIT, "L-1")),
        ("urn:epc:id:sscc:0399999.1000000001", Sscc("103999990000000014")),
        ("urn:epc:id:sgln:0399999.00001.0", Sgln(Gln("0399999000017"))),
        ("urn:epc:id:sgln:0399999.00001.Dock%2F4", Sgln(Gln("0399999000017"), "Dock/4")),
        ("urn:epc:id:pgln:0399999.00001", Pgln(Gln("0399999000017"))),
        ("urn:epc:id:pgln:999999999999.", Pgln(Gln("9999999999994"))),
        ("https://id.gs1.org/414/0399999000017/254/0", Sgln(Gln("0399999000017"))),
        ("https://example.com/01/00399999001014/10/L-1/21/A1B2?17=280531", Sgtin(UNIT, "A1B2")),
        ("HTTPS://ID.GS1.ORG/01/00399999001014/21/A1B2", Sgtin(UNIT, "A1B2")),
    ],
)
def test_each_spelling_gives_its_value(text, value):
    assert parse_epc(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "urn:epc:id:grai:0614141.12345.400",
        "urn:epc:id:giai:0614141.12345%2F400",
        "urn:epc:id:gdti:987659999999..9",
        "urn:epc:id:gsrn:0614141.0000010253",
        "urn:epc:id:itip:4012345.011111.01.02.987",
        "urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7'SDB",
        "urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234",
        "urn:epc:id:gid:95100000.12345.400",
        "urn:epc:idpat:sgtin:0614141.*.*",
        "urn:uuid:7f5c1f9e-8c53-4a8a-9fd0-3b2f8d1f1c11",
        "urn:example:epcis:id:obj:1",
        "https://example.com/epc/obj/1",
        "https://id.example.com/8003/0040123450007418765",
        "https://id.gs1.org/01/00399999001014/22/2A",
    ],
)
def test_other_identifiers_are_kept_verbatim(text):
    assert parse_epc(text) == OtherEpc(text)
    assert parse_epc(text).canonical == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Gs1Code.EMPTY),
        ("not-an-epc", Gs1Code.NOT_AN_EPC),
        ("urn:", Gs1Code.NOT_AN_EPC),
        ("urn:epc:", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:sgtin:", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:sgtin:0399999.000101", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:sgtin:0399999.00101.A", Gs1Code.LENGTH),
        ("urn:epc:id:sgtin:0399999.0000101.A", Gs1Code.LENGTH),
        ("urn:epc:id:sgtin:03999.99000101.A", Gs1Code.COMPANY_PREFIX),
        ("urn:epc:id:sgtin:0399999000101..A", Gs1Code.COMPANY_PREFIX),
        ("urn:epc:id:sgtin:039999X.000101.A", Gs1Code.CHARSET),
        ("urn:epc:id:sgtin:0399999.000101.", Gs1Code.LENGTH),
        ("urn:epc:id:sgtin:0399999.000101." + "A" * 21, Gs1Code.LENGTH),
        ("urn:epc:id:sgtin:0399999.000101.A%2", Gs1Code.BAD_ESCAPE),
        ("urn:epc:id:sgtin:0399999.000101.A%GG", Gs1Code.BAD_ESCAPE),
        ("urn:epc:id:sgtin:0399999.000101.A%20B", Gs1Code.CHARSET),
        ("urn:epc:id:sgtin:0399999.000101.A%C3%A9", Gs1Code.CHARSET),
        ("urn:epc:id:sgtin:0399999.000101.A/B", Gs1Code.CHARSET),
        ("urn:epc:id:sgtin:0399999.000101.A B", Gs1Code.CHARSET),
        ("urn:epc:id:sgtin:0399999.000101.A\n", Gs1Code.CHARSET),
        (" urn:epc:id:sgtin:0399999.000101.A", Gs1Code.NOT_AN_EPC),
        ("URN:EPC:ID:SGTIN:0399999.000101.A", Gs1Code.NOT_AN_EPC),
        ("urn:epc:tag:sgtin-96:3.0614141.112345.400", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:lgtin:0399999.000101.A", Gs1Code.NOT_AN_EPC),
        ("urn:epc:class:sgtin:0399999.000101.A", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:unknown:0399999.000101.A", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:sscc:0399999.100000001", Gs1Code.LENGTH),
        ("urn:epc:id:sscc:0399999", Gs1Code.NOT_AN_EPC),
        ("urn:epc:id:sgln:0399999.0001.0", Gs1Code.LENGTH),
        ("urn:epc:id:pgln:0399999.0000A", Gs1Code.CHARSET),
        ("urn:epc:id:grai:0614141.1234.400", Gs1Code.LENGTH),
        ("urn:epc:id:grai:0614141.12345", Gs1Code.NOT_AN_EPC),
        ("urn:epc:idpat:sgtin:0399999.*.A", Gs1Code.NOT_AN_EPC),
        ("https://id.gs1.org/01/00399999001015/21/A", Gs1Code.CHECK_DIGIT),
        ("https://example.com/01/00399999001015/21/A", Gs1Code.CHECK_DIGIT),
        ("https://id.gs1.org/01/00399999001014/21/A<B", Gs1Code.LINK_STRUCTURE),
        ("https://id.gs1.org/01/00399999001014/21/A%2", Gs1Code.BAD_ESCAPE),
        ("https://id.gs1.org/shop", Gs1Code.LINK_STRUCTURE),
        ("https://exa mple.com/", Gs1Code.NOT_AN_EPC),
        ("ftp://example.com/01/00399999001014", Gs1Code.NOT_AN_EPC),
        ("urn:x:" + "a" * MAX_EPC_CHARS, Gs1Code.TOO_LONG),
    ],
)
def test_junk_is_refused_with_its_reason(text, code):
    with pytest.raises(Gs1Error) as caught:
        parse_epc(text)
    assert caught.value.code is code, caught.value.message


@given(
    st.text(max_size=60) | st.text("urn:epcidsgt.0123456789%*/", max_size=60).map("urn:epc:id:sgtin:".__add__)
)
def test_whatever_comes_the_answer_is_a_value_or_a_gs1_error(text):
    try:
        epc = parse_epc(text)
    except Gs1Error:
        return
    assert parse_epc(epc.canonical) == epc


@pytest.mark.parametrize("length", [5, 13, 0, -1])
def test_no_company_prefix_has_other_than_6_to_12_digits(length):
    for epc in (Sgtin(UNIT, "A"), Sscc("103999990000000014"), Pgln(Gln("0399999000017"))):
        with pytest.raises(Gs1Error) as caught:
            epc.urn(length)
        assert caught.value.code is Gs1Code.COMPANY_PREFIX


@pytest.mark.parametrize("serial", ["", "A" * 21, "A B", "A#", "é", "A\x1d"])
def test_no_value_holds_a_serial_that_a_barcode_could_not_carry(serial):
    with pytest.raises(Gs1Error):
        Sgtin(UNIT, serial)
    with pytest.raises(Gs1Error):
        Lgtin(UNIT, serial)


def test_the_extension_0_has_one_spelling():
    with pytest.raises(Gs1Error):
        Sgln(Gln("0399999000017"), "0")


@pytest.mark.parametrize(
    "typed",
    [
        "urn:epc:id:sgtin:0399999.000101.a1%2FB%25",
        "  https://id.gs1.org/01/00399999001014/21/a1%2FB%25\n",
        "(01)00399999001014(21)a1/B%",
        "(01) 00399999001014 (21) a1/B%",
        "010039999900101421a1/B%",
        "]d2010039999900101421a1/B%",
        "]d2010039999900101421a1/B%\x1d1728053110L",
        "010039999900101421a1/B%<GS>1728053110L",
        "(01)00399999001014(17)280531(10)L(21)a1/B%",
    ],
)
def test_whatever_a_person_types_finds_the_package(typed):
    assert parse_any(typed) == Sgtin(UNIT, "a1/B%")


def test_a_person_may_type_a_container_a_product_or_a_place():
    assert parse_any("103999990000000014") == parse_any("00103999990000000014") == Sscc("103999990000000014")
    assert parse_any("(01)00399999001014") == parse_any("399999001014") == GtinClass(UNIT)
    assert parse_any("(01)00399999001014(10)L") == Lgtin(UNIT, "L")
    assert parse_any("(414)0399999000017(254)4") == Sgln(Gln("0399999000017"), "4")
    assert parse_any("(417)0399999000017") == Pgln(Gln("0399999000017"))


@pytest.mark.parametrize(
    "typed", ["", "   ", "hello", "103999990000000015", "(99)x", "(21)A", "urn:epc:id:sgtin:1.2.3", "é"]
)
def test_what_names_nothing_is_refused(typed):
    with pytest.raises(Gs1Error):
        parse_any(typed)


def _corpus_epcs() -> set[str]:
    texts = set()
    pattern = re.compile(r"""["'>](urn:epc:(?:id|idpat|class):[^"'<\s]+)["'<]""")
    for path in shared_path("data/epcis").rglob("*"):
        if path.suffix in (".json", ".jsonld", ".xml") and path.is_file():
            texts.update(pattern.findall(path.read_text(encoding="utf-8", errors="replace")))
    return texts


def test_every_epc_of_the_public_corpora_is_read_or_known_to_be_wrong():
    texts = _corpus_epcs()
    assert len(texts) > 100
    refused: dict[str, Gs1Code] = {}
    values: dict[str, Epc] = {}
    for text in texts:
        try:
            values[text] = parse_epc(text)
        except Gs1Error as error:
            refused[text] = error.code
    assert refused == KNOWN_WRONG
    assert all(parse_epc(epc.canonical) == epc for epc in values.values())


KNOWN_WRONG: dict[str, Gs1Code] = {}


def test_a_document_of_ten_thousand_packages_is_read_without_waiting():
    texts = [f"urn:epc:id:sgtin:0399999.000101.S{number:010}" for number in range(10_000)]
    within(20e-6 * len(texts), lambda: [parse_epc(text) for text in texts])
