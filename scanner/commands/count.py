"""`packproof-scan count`: open a case, scan what is in it, and report what lacks."""

import argparse
from pathlib import Path

from scanner import acts
from scanner.acts import Tally
from scanner.commands import Subparsers
from scanner.commands._acting import Desk, container_in, findings_of, split
from scanner.commands._shared import (
    EXIT_STATUS,
    add_home,
    add_json,
    add_passphrase,
    pictured,
    print_json,
    typed,
)
from scanner.errors import BenchError
from scanner.lookup.online import subject_of
from scanner.sources import RawScan, utc_now
from scanner.ui.plain import say

_EXAMPLES = f"""\
examples:
  packproof-scan count case.png package-*.png
  packproof-scan count --container-text '(00)003999990000000017' package-*.png
  packproof-scan count --json case.png package-*.png

What is reported is what was seen. A label that cannot be read is not a package that is missing: then nothing is
reported, and the label is to be scanned again.

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``count``."""
    parser = subparsers.add_parser(
        "count",
        help="open a container and count what is directly in it",
        description="Compare what is in an opened case or pallet with the record, and report the count, signed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="first the container's label, then the labels of what is in it",
    )
    parser.add_argument(
        "--container-text", default=None, metavar="TEXT", help="what the container's label says"
    )
    parser.add_argument("--text", action="append", default=[], metavar="TEXT", help="what a label in it says")
    add_home(parser)
    add_passphrase(parser)
    add_json(parser)
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    scans, images = split(arguments, arguments.container_text, arguments.images)
    _, container = container_in(scans)
    desk = Desk.of(arguments)
    expected = desk.provider.contents(container)
    tally = Tally(frozenset(child.epc for child in expected))
    tally = _count(tally, images, arguments.text, quiet=arguments.json)
    if not tally.seen:
        raise BenchError(
            "nothing-counted", "not one label in it was read: nothing is reported. Scan what is in it"
        )
    receipt = desk.report(acts.counted(container, tally, desk.bench.party, utc_now()))
    if arguments.json:
        print_json(
            {
                "container": container,
                "expected": len(tally.expected),
                "found": tally.found,
                "missing": tally.missing,
                "over": tally.over,
                "text": tally.text(),
                "receipt": receipt,
            }
        )
    else:
        _tell(tally, receipt)
    return 0 if tally.is_complete else 1


def _count(tally: Tally, images: list[Path], texts: list[str], *, quiet: bool) -> Tally:
    unread = []
    for name, scan in _shown(images, texts):
        subject = subject_of(scan)
        if subject is None:
            unread.append(name)
            continue
        known = subject in tally.seen
        tally = tally.with_seen(subject)
        if not quiet:
            mark = "again" if known else "" if subject in tally.expected else "SHOULD NOT BE IN HERE"
            say(f"{tally.text():<24} {subject.removeprefix('https://id.gs1.org/')}  {mark}".rstrip())
    if unread:
        raise BenchError(
            "nothing-counted",
            f"{len(unread)} of the labels could not be read ({', '.join(unread[:5])}): nothing is reported, because "
            "they may be what seems to be missing. Scan them again, or type them by --text",
        )
    return tally


def _shown(images: list[Path], texts: list[str]) -> list[tuple[str, RawScan]]:
    found = [(str(path), scan) for path in images for scan in pictured(path)]
    return found + [(text, typed(text)) for text in texts]


def _tell(tally: Tally, receipt: dict[str, object]) -> None:
    say("")
    say(f"Counted and reported: {tally.text()}.")
    for key in tally.missing:
        say(f"  missing   {key.removeprefix('https://id.gs1.org/')}")
    for key in tally.over:
        say(f"  too many  {key.removeprefix('https://id.gs1.org/')}")
    for found in findings_of(receipt):
        say(f"  found: {found}")
    if not tally.is_complete:
        say(
            "An exception is open. It closes when its sender's correction arrives, or when you find what lacks."
        )
