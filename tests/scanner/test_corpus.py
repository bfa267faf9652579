"""The decoder against the public pictures: bytes, not text, and nothing where there is nothing.

Truth is ``bytes_hex``. One of its entries contradicts its own picture and is named here, not hidden.
"""

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from ledger.gs1.element_string import parse_scan
from scanner.decode import decode_picture, load_picture
from scanner.decode.rescue import Rescue
from tests.support.shared import shared_path

# The picture itself says 978-4-87234-888-0 in print, which is what is read; the corpus expects another book.
TRUTH_IS_WRONG = {"ean_ean13-2__23.webp": bytes.fromhex("39373834383732333438383830")}

# Codes read, by group, at least; what zxing-cpp 3.1.1 reads alone, plus what the ladder wins without zbar.
FLOORS = {
    "datamatrix": 50,
    "synthetic_12labels": 36,
    "synthetic_phone": 7,
    "code128": 11,
    "qr": 36,
    "databar": 35,
    "itf": 10,
    "ean": 27,
    "upc": 14,
    "code39": 8,
    "fullsize": 6,
    "libdmtx": 8,
    "nhm": 6,
}


@dataclass
class Tally:
    expected: int = 0
    pictures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def corpus() -> Path:
    return shared_path("data/images")


@pytest.fixture(scope="module")
def tally(corpus: Path) -> Tally:
    """All pictures, each with half a second of the processor for its second look, however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.decode.Rescue", partial(Rescue, now=time.thread_time))
        return _tally(corpus)


def _tally(corpus: Path) -> Tally:
    counted = Tally()
    for entry in json.loads((corpus / "expected.json").read_text()):
        group = entry["category"].split("_")[0]
        group = entry["category"] if group == "synthetic" else group
        truth = [bytes.fromhex(code["bytes_hex"]) for code in entry["expected"]]
        counted.expected += len(truth)
        counted.pictures[group.split("_")[0]] += 1
        left = list(truth)
        for code in decode_picture(load_picture(corpus / entry["file"]), rescue_s=0.5):
            if code.data in left:
                left.remove(code.data)
                counted.read[group] += 1
            elif code.data not in truth and code.data != TRUTH_IS_WRONG.get(entry["file"]):
                counted.wrong.append((entry["file"], code.data))
    return counted


@pytest.mark.parametrize("group", FLOORS)
def test_each_group_of_pictures_reads_at_least_as_well_as_it_did(tally: Tally, group: str) -> None:
    assert tally.read[group] >= FLOORS[group]


def test_the_whole_corpus_reads_better_than_the_plain_decoder(tally: Tally) -> None:
    assert tally.expected == 280
    assert sum(tally.read.values()) >= 254  # plain zxing-cpp 3.1.1: 250
    assert len(tally.wrong) <= 1, tally.wrong  # one misread EAN-13, caught where zbar is installed


def test_pictures_without_codes_read_as_nothing_even_after_the_second_look(tally: Tally) -> None:
    assert tally.pictures["negative"] == 23
    assert [wrong for wrong in tally.wrong if wrong[0].startswith("negative")] == []


def test_gs1_pictures_keep_their_separators_and_say_that_they_are_gs1(corpus: Path) -> None:
    codes = decode_picture(load_picture(corpus / "synthetic_12labels__sheet_4.webp"))
    packages = [code for code in codes if code.symbology == "]d2"]
    assert len(packages) == 12
    assert all(code.data.startswith(b"01") and b"\x1d17" in code.data for code in packages)


@pytest.mark.parametrize(
    "name", ["datamatrix-1__gs1-figure-4.15.1-2-32x32", "datamatrix-4__gs1-figure-4.15.1-2-44x20"]
)
def test_gs1s_own_figure_says_the_same_in_a_square_and_in_a_rectangle(corpus: Path, name: str) -> None:
    [code] = decode_picture(load_picture(corpus / f"datamatrix_{name}.png"))
    assert code.carries_ais
    scan = parse_scan(code.data, code.symbology)
    assert (str(scan.gtin), scan.serial, scan.lot) == ("09504000059101", "12345678p901", "1234567p")
