"""The first four behaviours a toy gets wrong, as the domain reference says them."""

import sqlite3
from datetime import date
from urllib.parse import quote, unquote

import pytest

from ledger.gs1.element_string import ScanNote, parse_scan
from ledger.gs1.epc import Sgtin, parse_epc
from ledger.gs1.errors import Gs1Code, Gs1Error
from ledger.gs1.gtin import Gtin

GTIN = "00399999001014"


def test_1_the_same_package_under_differently_split_company_prefixes_is_one_package():
    spellings = {
        "urn:epc:id:sgtin:0399999.000101.X",
        "urn:epc:id:sgtin:03999990.00101.X",
        "urn:epc:id:sgtin:039999900101.0.X",
    }
    packages = {parse_epc(spelling) for spelling in spellings}
    assert packages == {Sgtin(Gtin(GTIN), "X")}
    assert {package.canonical for package in packages} == {f"https://id.gs1.org/01/{GTIN}/21/X"}


def test_2_a_serial_survives_scan_to_uri_to_url_path_to_database_unchanged():
    scanned = parse_scan(f"]d201{GTIN}21a1/B%\x1d1728053110L".encode()).epc
    from_uri = parse_epc(scanned.urn(7))
    path = f"/packages/{quote(from_uri.canonical, safe='')}"
    assert path.count("/") == 2
    from_path = parse_epc(unquote(path.rpartition("/")[2]))
    database = sqlite3.connect(":memory:")
    database.execute("create table package (key text primary key, serial text)")
    database.execute("insert into package values (?, ?)", (from_path.canonical, from_path.serial))
    key, serial = database.execute("select key, serial from package").fetchone()
    database.close()
    assert serial == "a1/B%"
    assert parse_epc(key) == scanned


def test_2_upper_and_lower_case_serials_are_two_packages():
    upper, lower = (parse_scan(f"]d201{GTIN}21{serial}").epc for serial in ("ABC", "abc"))
    assert upper != lower
    assert upper.canonical != lower.canonical


def test_3_a_label_parses_in_any_ai_order():
    one = parse_scan(f"]d201{GTIN}21ABC\x1d1728053110L1")
    other = parse_scan(f"]d210L1\x1d1728053121ABC\x1d01{GTIN}")
    assert dict(one.ais) == dict(other.ais)
    assert one.epc == other.epc == Sgtin(Gtin(GTIN), "ABC")


@pytest.mark.parametrize("data", [f"01{GTIN}21ABC17280531", f"01{GTIN}21ABC1728053110L1"])
def test_3_a_missing_separator_is_reported_not_guessed(data):
    with pytest.raises(Gs1Error, match="separator GS") as caught:
        parse_scan(data, "]d2")
    assert caught.value.code is Gs1Code.SEPARATOR_MISSING


def test_3_day_zero_reads_as_month_end_and_is_flagged():
    scan = parse_scan(f"]d201{GTIN}21ABC\x1d1728020010L1")
    assert scan.expiry.on(date(2026, 1, 1)) == date(2028, 2, 29)
    assert scan.expiry.day_zero
    assert scan.notes == (ScanNote.DAY_ZERO,)


@pytest.mark.parametrize(
    ("symbology", "digits"),
    [("]E0", "312345678906"), ("]E0", "0312345678906"), ("]E4", "40170725"), ("]I1", "50312345678901")],
)
def test_4_a_retail_scan_yields_a_gtin_only_and_can_never_verify_a_unit(symbology, digits):
    scan = parse_scan(digits, symbology)
    assert scan.gtin == Gtin.parse(digits)
    assert (scan.serial, scan.lot, scan.expiry, scan.sscc, scan.epc) == (None,) * 5


@pytest.mark.parametrize("symbology", ["]E0", "]E4", "]I1"])
def test_4_a_retail_symbol_with_anything_else_in_it_is_refused(symbology):
    with pytest.raises(Gs1Error):
        parse_scan(f"01{GTIN}21ABC", symbology)
