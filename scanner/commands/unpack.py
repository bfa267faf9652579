"""`packproof-scan unpack`: take packages out of their case, so that they can go different ways."""

import argparse
from pathlib import Path

from scanner import acts
from scanner.commands import Subparsers
from scanner.commands._acting import Desk, container_in, findings_of, split
from scanner.commands._shared import EXIT_STATUS, add_home, add_json, add_passphrase, print_json, scans_of
from scanner.errors import BenchError
from scanner.lookup.online import subject_of
from scanner.sources import utc_now
from scanner.ui.plain import say
from scanner.ui.words import counted

_EXAMPLES = f"""\
examples:
  packproof-scan unpack case.png                          everything in it
  packproof-scan unpack case.png package-1.png package-2.png
  packproof-scan unpack --container-text '(00)003999990000000017'

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``unpack``."""
    parser = subparsers.add_parser(
        "unpack",
        help="take things out of their container",
        description="Report that things were taken out of a case or pallet: those named, else everything in it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="first the container's label, then what was taken out",
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
    shown = scans_of(images, arguments.text)
    named = [subject for scan in shown if (subject := subject_of(scan)) is not None]
    if len(named) < len(shown):
        raise BenchError(
            "nothing-counted",
            f"{len(shown) - len(named)} of the labels could not be read: nothing is reported. Scan them again",
        )
    desk = Desk.of(arguments)
    children = list(dict.fromkeys(named)) or [child.epc for child in desk.provider.contents(container)]
    if not children:
        raise BenchError("nothing-counted", "by the record nothing is in it: there is nothing to unpack")
    receipt = desk.report(acts.unpacked(container, children, desk.bench.party, utc_now()))
    found = findings_of(receipt)
    if arguments.json:
        print_json({"container": container, "unpacked": children, "receipt": receipt})
    else:
        say(f"{counted(len(children), 'thing')} unpacked, signed and reported.")
        for text in found:
            say(f"Found: {text}")
    return 1 if found else 0
