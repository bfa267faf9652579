"""What the page of the format says of bounds and of printable characters is what both verifiers do."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.evidence.bundle import MAX_BUNDLE_BYTES, MAX_BUNDLE_ENTRIES, MAX_BUNDLE_RECORDS, MAX_INDEX, Bundle
from ledger.evidence.html import script
from ledger.evidence.nodes import MAX_CHILDREN, parse_field, parse_intake, parse_leaf
from ledger.log.encoding import from_json, to_base64, to_json
from ledger.log.entry import MAX_ENTRY_BYTES, MAX_SIGNATURES
from ledger.log.logproof import MAX_PROOF_BYTES
from ledger.log.note import MAX_NOTE_BYTES
from ledger.signing.printable import REFUSED, is_printable
from tests.ledger.evidence.world import PACK, World, made
from tests.support.shared import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FORMATS = ROOT / "docs" / "formats"


def bounds() -> dict[str, list[int]]:
    """The numbers of each line of the page's table."""
    table = (FORMATS / "evidence.md").read_text().partition("*Bounds*")[2].partition("## Steps")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)[1:]
    return {what: [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", bound)] for what, bound in rows}


def test_the_page_says_the_bounds_that_the_verifier_has() -> None:
    assert bounds() == {
        "the file": [MAX_BUNDLE_BYTES],
        "`entries`": [1, MAX_BUNDLE_ENTRIES],
        "`records` of all entries together": [MAX_BUNDLE_RECORDS],
        "`fields` of a record": [1, 10_000],
        "`elements` shown of a list of n": [1],
        "`nodes` of the intake": [0, 64],
        "`signers`": [1, MAX_SIGNATURES],
        "an audit path (`proof`, each of `head`)": [0, shape.MAX_PROOF_HASHES],
        "`subject`, `log`, a `path`, any hex, a hash in base64": [4096],
        "`checkpoint`": [MAX_NOTE_BYTES],
        "`proof` in format 1": [MAX_PROOF_BYTES],
        "`entry` in base64": [2 * MAX_ENTRY_BYTES],
        "a value, a key in `signers`, in base64": [2 << 20],
        "`index`": [0, MAX_INDEX],
        "`count`": [2, MAX_CHILDREN],
        "`n` of a record": [0, MAX_CHILDREN],
        "`n` of a list, `i` of an element": [1, MAX_CHILDREN, 0, 1],
    }


def refused(call: Callable[[Any], object], value: object) -> bool:
    try:
        call(value)
    except VerificationError:
        return True
    return False


def test_at_each_bound_it_is_read_and_beyond_it_refused() -> None:
    salt, hashed = "00" * 16, {"hash": "00" * 32}
    shown = {"path": "p" * 4096, "salt": salt, "value": to_base64(bytes(1_572_864))}
    assert not refused(parse_leaf, shown)
    assert refused(parse_leaf, shown | {"path": "p" * 4097})
    assert refused(parse_leaf, shown | {"value": to_base64(bytes(1_572_867))})
    assert not refused(shape.hashes, [to_base64(bytes(32))] * 64)
    assert refused(shape.hashes, [to_base64(bytes(32))] * 65)
    assert not refused(parse_intake, {"path": "intake", "nodes": [hashed] * 64})
    assert refused(parse_intake, {"path": "intake", "nodes": [hashed] * 65})
    element = {"i": 0, "salt": salt, "value": "", "proof": []}
    assert not refused(parse_field, {"path": "e0/x", "n": MAX_CHILDREN, "elements": [element]})
    assert refused(parse_field, {"path": "e0/x", "n": MAX_CHILDREN + 1, "elements": [element]})
    assert refused(parse_field, {"path": "e0/x", "n": 1, "elements": []})
    assert refused(parse_field, {"path": "e0/x", "n": 1, "elements": [element | {"i": 1}]})
    world = World()
    value = from_json(world.bundle([world.capture(made(PACK))], [PACK]))
    for count, wrong in ((10_000, False), (10_001, True)):
        value["entries"][-1]["records"][0]["fields"] = [hashed] * count
        data = to_json(value)
        assert refused(Bundle.parse, data) is wrong, count


def test_printable_is_the_same_on_the_page_in_python_and_in_the_browser(browser: "Browser") -> None:
    """Every code point, whatever Unicode version Python, the browser or a third program has."""
    written = re.search(
        r"\*Printable\* are all code points but(.*?):", (FORMATS / "statement.md").read_text(), re.DOTALL
    )
    assert written is not None
    ranges = []
    for each in written[1].replace("\n", " ").split(","):
        first, _, last = each.strip().removeprefix("U+").partition("-U+")
        ranges.append((int(first, 16), int(last or first, 16)))
    assert tuple(ranges) == REFUSED
    expected = {point for first, last in REFUSED for point in range(first, last + 1)}
    assert {point for point in range(0x110000) if not is_printable(chr(point))} == expected
    found = re.search(r"const UNPRINTABLE = new RegExp\(.*?\);", script(), re.DOTALL)
    assert found is not None
    page = browser.new_page()
    seen = page.evaluate(
        f"() => {{ {found[0]} const out = []; for (let n = 0; n < 0x110000; n += 1)"
        " if (UNPRINTABLE.test(String.fromCodePoint(n))) out.push(n); return out; }"
    )
    page.close()
    assert set(seen) == expected


@pytest.mark.parametrize("label", ["Zo\u00eb", "\u5009\u5eab 3", "\U0001f4e6", "a\u00a0b", "\U0003fffd"])
def test_a_label_may_be_in_any_script(label: str) -> None:
    assert is_printable(label)
