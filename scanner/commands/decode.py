"""`packproof-scan decode`: what codes does this picture carry, and what do they say?

Nothing is asked of any node. For programs, ``--json`` prints a list with one object a file:

    [{"file": "label.png", "error": null, "elapsed_ms": 12.3, "codes": [
        {"data_hex": "3031...1d...", "text": "0100399999001014...␝...", "symbology": "]d2", "format": "Data Matrix",
         "single_read": false, "position": [[10, 10], [90, 10], [90, 90], [10, 90]],
         "gs1": {"ais": [{"ai": "01", "value": "00399999001014"}, ...], "gtin": "00399999001014", "serial": "A1",
                 "lot": "L7", "expiry": "280531", "sscc": null, "epc": "https://id.gs1.org/01/...", "notes": []}}]}]

``gs1`` is ``{"error": {"code", "message"}}`` where the code names nothing in GS1's terms, and so is a file's ``error``
where it cannot be opened.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from scanner.commands import Subparsers
from scanner.decode import Decoded
from scanner.decode.rescue import DEFAULT_BUDGET_S
from scanner.sources import utc_now
from scanner.sources.files import Looked, look

_EXAMPLES = """\
examples:
  packproof-scan decode label.png
  packproof-scan decode --json shelf/*.jpg > codes.json
  packproof-scan decode --rescue 0 label.png       one quick look, no second one

exit status: 0 every picture gave a code, 1 some gave none, 2 some could not be opened
"""
_TITLES = {"00": "SSCC", "01": "GTIN", "10": "LOT", "17": "EXP", "21": "SN"}


def register(subparsers: Subparsers) -> None:
    """Add ``decode``."""
    parser = subparsers.add_parser(
        "decode",
        help="read the codes in picture files",
        description="Read the barcodes in picture files and say what they carry in GS1's terms; no node is asked.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a PNG, JPEG, WebP, GIF, BMP or TIFF file"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object a file")
    parser.add_argument(
        "--rescue",
        type=_seconds,
        default=DEFAULT_BUDGET_S,
        metavar="SECONDS",
        help="how long to try again on a picture that gave nothing (default %(default)s, 0 to 30)",
    )
    parser.set_defaults(run=_run)


def shown(data: bytes) -> str:
    """The bytes as a person may read them: separators as ␝, anything not printable escaped."""
    text = data.decode("utf-8", "backslashreplace").replace("\x1d", "␝")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def gs1_of(code: Decoded) -> dict[str, Any]:
    """What the code says in GS1's terms, or why it says nothing."""
    try:
        scan = parse_scan(code.data, code.symbology)
    except Gs1Error as error:
        return {"error": {"code": str(error.code), "message": error.message}}
    return {
        "ais": [{"ai": ai, "value": value} for ai, value in scan.ais],
        "gtin": str(scan.gtin) if scan.gtin is not None else None,
        "serial": scan.serial,
        "lot": scan.lot,
        "expiry": str(scan.expiry) if scan.expiry is not None else None,
        "sscc": str(scan.sscc) if scan.sscc is not None else None,
        "epc": scan.epc.canonical if scan.epc is not None else None,
        "notes": [str(note) for note in scan.notes],
    }


def _run(arguments: argparse.Namespace) -> int:
    status = 0
    results = []
    for looked, elapsed_ms in _timed(arguments.images, arguments.rescue):
        status = max(status, 2 if looked.error is not None else 0 if looked.codes else 1)
        if arguments.json:
            results.append(_as_json(looked, elapsed_ms))
        else:
            sys.stdout.write(_as_text(looked))
    if arguments.json:
        sys.stdout.write(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return status


def _timed(images: list[Path], rescue_s: float) -> Iterator[tuple[Looked, float]]:
    began = time.monotonic()
    for looked in look(images, utc_now, rescue_s=rescue_s):
        ended = time.monotonic()
        yield looked, (ended - began) * 1000
        began = time.monotonic()


def _as_json(looked: Looked, elapsed_ms: float) -> dict[str, Any]:
    error = looked.error
    return {
        "file": str(looked.path),
        "error": None if error is None else {"code": error.code, "message": error.message},
        "elapsed_ms": round(elapsed_ms, 1),
        "codes": [
            {
                "data_hex": code.data.hex(),
                "text": shown(code.data),
                "symbology": code.symbology,
                "format": code.format,
                "single_read": code.single_read,
                "position": code.position,
                "gs1": gs1_of(code),
            }
            for code in looked.codes
        ],
    }


def _as_text(looked: Looked) -> str:
    lines = [str(looked.path)]
    if looked.error is not None:
        lines.append(f"  cannot be read: {looked.error.message}")
    elif not looked.codes:
        lines.append("  no code found: turn the label, move closer, or give it more light")
    for code in looked.codes:
        lines.append(f"  {code.format} {code.symbology}  {shown(code.data)}")
        gs1 = gs1_of(code)
        if "error" in gs1:
            lines.append(f"      not a GS1 identifier: {gs1['error']['message']}")
        for element in gs1.get("ais", ()):
            lines.append(f"      ({element['ai']}) {_TITLES.get(element['ai'], ''):<5} {element['value']}")
        if code.single_read:
            lines.append("      read once only; scan again before you rely on it")
    return "\n".join(lines) + "\n"


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 30:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 30")
    return value
