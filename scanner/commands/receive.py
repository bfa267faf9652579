"""`packproof-scan receive`: one scan receives a pallet, and with it everything on it."""

import argparse
from pathlib import Path

from scanner import acts
from scanner.commands import Subparsers
from scanner.commands._acting import Desk, container_in, findings_of
from scanner.commands._shared import (
    EXIT_STATUS,
    add_home,
    add_json,
    add_passphrase,
    pictured,
    print_json,
    typed,
)
from scanner.lookup.port import Answer
from scanner.sources import RawScan, utc_now
from scanner.ui.plain import say, show_answer
from scanner.ui.words import counted

_EXAMPLES = f"""\
examples:
  packproof-scan receive pallet.png
  packproof-scan receive case-1.png case-2.png --json
  packproof-scan receive --text '(00)003999990000000017'

Each label is one receipt, signed with this bench's key. What arrived is recorded as it came, also what is suspect or
does not agree with the record: the verdict says what to do with it, and an exception opens.

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``receive``."""
    parser = subparsers.add_parser(
        "receive",
        help="receive packages, cases or pallets by their labels",
        description="Report that what these labels name has arrived here. One scan receives an intact case or pallet.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="FILE", help="a picture of a label")
    parser.add_argument("--text", action="append", default=[], metavar="TEXT", help="what a label says")
    add_home(parser)
    add_passphrase(parser)
    add_json(parser)
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.images and not arguments.text:
        arguments.parser.error("name a picture, or give a label's text by --text")
    labels = [container_in(pictured(path)) for path in arguments.images]
    labels += [container_in([typed(text)]) for text in arguments.text]
    desk = Desk.of(arguments)
    status = 0
    results = []
    for scan, subject in labels:
        result, good = _receive(desk, scan, subject, arguments.json)
        results.append(result)
        status = max(status, 0 if good else 1)
    if arguments.json:
        print_json(results)
    return status


def _receive(desk: Desk, scan: RawScan, subject: str, quiet: bool) -> tuple[dict[str, object], bool]:
    """Report the arrival, then ask anew: what is told is what the record says afterwards, not what was hoped."""
    refs = desk.provider.shipped(subject)
    receipt = desk.report(acts.received(subject, desk.bench.party, utc_now()), refs)
    after = desk.look(scan)
    told = _told(after, _unit(desk, after, subject))
    if not quiet:
        show_answer(after, scan.source)
        say(told)
        for found in findings_of(receipt):
            say(f"Found: {found}")
    yours = after.record is not None and after.record.yours
    result = {
        "subject": subject,
        "in_your_custody": yours,
        "told": told,
        "refers_to": [leaf.hex() for leaf in refs],
        "receipt": receipt,
        "answer": after.as_json(),
    }
    return result, yours and after.is_clean


def _unit(desk: Desk, after: Answer, subject: str) -> str:
    """What people call it: a pallet holds containers, a case packages."""
    if after.contents is None or after.record is None or not after.record.yours:
        return "label"
    nested = any(child.kind == "container" for child in desk.provider.contents(subject))
    return "pallet" if nested else "case"


def _told(after: Answer, unit: str) -> str:
    if after.record is None or not after.record.yours:
        return "Your receipt is recorded. By the record this is not in your custody: an exception says why."
    if after.contents is None:
        one = "1 package now in your custody."
        return one if after.label.gtin else "Now in your custody. By the record nothing is in it."
    held, inferred = after.contents.packages, after.contents.inferred
    text = f"{counted(held, 'package')} now in your custody"
    if inferred == held:
        return f"{text}, inferred from the {unit}'s label."
    return f"{text}, {inferred} of them inferred from the {unit}'s label, {held - inferred} seen."
