"""Single values: the fast ways give what the slow ways give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.epcis.errors import ValueProblem
from ledger.epcis.spelling import Speller, Spelling
from ledger.epcis.values import EpcReader, parse_decimal
from ledger.gs1.epc import parse_epc
from ledger.gs1.errors import Gs1Error
from tests.ledger.epcis.generated import CLASSES, CONTAINERS, PACKAGES, PLACES

HEADS = [
    "urn:epc:id:sgtin:0399999.000101",
    "https://id.gs1.org/01/00399999001014/21",
    "https://id.gs1.org/01/00399999001011/21",
]
WARM = ["urn:epc:id:sgtin:0399999.000101.A", "https://id.gs1.org/01/00399999001014/21/A"]
FIRSTS = [*WARM, "https://x.example/1", "urn:x-y:1"]
ODD = st.builds(
    "{}{}{}".format,
    st.sampled_from(HEADS),
    st.sampled_from(["./", ".", "/", "./a", "/.b"]),
    st.text("aB1./%2ï٣", max_size=24),
)


@settings(max_examples=300)
@given(
    st.lists(ODD | PACKAGES.map(lambda epc: epc.canonical) | PACKAGES.map(lambda epc: epc.urn(8)), max_size=8)
)
def test_a_reader_that_has_seen_a_product_reads_as_one_that_has_not(texts: list[str]):
    reader = EpcReader()
    for warm in WARM:
        reader.canonical(warm)
    for text in texts:
        try:
            expected = parse_epc(text).canonical
        except Gs1Error:
            with pytest.raises(ValueProblem):
                reader.canonical(text)
            for first in FIRSTS:
                with pytest.raises(ValueProblem):
                    reader.canonical_list([first, text])
        else:
            assert reader.canonical(text) == expected
            for first in FIRSTS:
                assert reader.canonical_list([first, text]) == [parse_epc(first).canonical, expected]


@given(
    st.lists(st.one_of(PACKAGES, CONTAINERS).map(lambda epc: epc.canonical) | PLACES | CLASSES, max_size=6)
)
def test_a_speller_that_has_written_a_product_writes_as_one_that_has_not(texts: list[str]):
    speller = Speller(Spelling(lambda canonical: 7))
    speller.epc("https://id.gs1.org/01/00399999001014/21/A")
    for text in texts:
        assert speller.epc(text) == parse_epc(text).urn(7)


def test_a_table_of_prefixes_that_is_wrong_is_not_papered_over():
    with pytest.raises(Gs1Error):
        Speller(Spelling(lambda canonical: 13)).epc("https://id.gs1.org/01/00399999001014/21/A")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5", "5"),
        ("5.0", "5"),
        ("1.50E+2", "150"),
        ("-0.0", "0"),
        ("+0.10", "0.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e-7", "0.0000001"),
    ],
)
def test_decimals_have_one_text(text: str, plain: str):
    assert parse_decimal(text) == plain


@pytest.mark.parametrize(
    "text", ["", ".", "1,5", "INF", "NaN", "0x10", "1e999", "1e50", "٥", " 5", "1" * 41, "1_000"]
)
def test_what_is_no_decimal_is_refused(text: str):
    with pytest.raises(ValueProblem):
        parse_decimal(text)
