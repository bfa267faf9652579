"""The paper for an authority shows what was asked for, in words, and keeps its numbers whole."""

import base64
import re
import zlib

import pytest

from app.errors import Invalid
from app.regulator import pdf
from app.regulator.rules import Search
from app.regulator.tables import in_words
from ledger.custody.findings import FindingCode
from tests.app.regulator.test_sales import answered
from tests.support.dock import Dock
from tests.support.world import GTIN, MAKER, package


def written(paper: bytes) -> list[str]:
    """The lines of a paper, as they are set."""
    streams = re.findall(rb"stream\r?\n(.*?)~>\r?\n?endstream", paper, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(base64.a85decode(each)) for each in streams).decode("latin-1")
    return [re.sub(r"\\(.)", r"\1", each) for each in re.findall(r"\(((?:\\.|[^\\)])*)\) Tj", drawn)]


def test_what_was_asked_for_comes_first_and_its_companys_number_is_whole(sqlite_dock: Dock) -> None:
    numbers = range(1, pdf.MOST_EPCS + 9)
    sqlite_dock.made(*numbers)
    lines = written(answered(sqlite_dock, MAKER, gtin=GTIN, serial=str(numbers[-1]))["events.pdf"])
    first = next(line for line in lines if line.startswith("(01)"))
    assert first == f"(01){GTIN} (21){numbers[-1]}"
    assert any(line.startswith(f"{MAKER}, ") for line in lines), lines


def test_of_a_lot_its_packages_and_its_name_come_first() -> None:
    other = package(1).replace(GTIN, "00399999001014")
    lots = {package(1): "A1", package(2): "B2", other: "A1"}
    lot = package(1).replace("/21/1", "/10/A1")
    assert Search(gtin=GTIN, lot="A1").named(lots) == {package(1), lot}
    assert Search(gtin=GTIN, lot="A1", serial="2").named(lots) == {package(2)}
    assert Search(gln=MAKER).named(lots) == set()


def test_a_finding_is_called_as_at_the_exceptions_desk() -> None:
    assert in_words(FindingCode.NOT_HOLDER) == "Shipped or handled by somebody who does not hold it"
    assert in_words(FindingCode.NOT_INSIDE) == "not inside"


def test_a_serial_without_its_gtin_is_asked_for_it() -> None:
    with pytest.raises(Invalid) as refused:
        Search.parse({"serial": "A1"})
    said = (refused.value.title, refused.value.detail)
    assert said == ("Give the GTIN too", "A serial or lot is unique only with it.")
    with pytest.raises(Invalid) as refused:
        Search.parse({"gtin": GTIN, "serial": "1", "since": "2026-02-02", "until": "2026-02-01"})
    assert refused.value.detail == "It is before since."
