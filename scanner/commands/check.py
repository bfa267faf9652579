"""`packproof-scan check`: what is this, and may it be used?"""

import argparse
from pathlib import Path

from scanner.bench import Bench
from scanner.commands import Subparsers
from scanner.commands._shared import (
    EXIT_STATUS,
    add_home,
    add_json,
    home_of,
    pictured,
    print_json,
    provider_of,
    typed,
)
from scanner.errors import ImageError
from scanner.lookup.port import Answer
from scanner.sources import RawScan
from scanner.ui.plain import complain, show_answer

_EXAMPLES = f"""\
examples:
  packproof-scan check label.png
  packproof-scan check --json shelf/*.png > answers.json
  packproof-scan check --text '(01)00399999001014(21)A1(17)280531(10)L7'
  packproof-scan check --text ']d2010039999900101421A1^]1728053110L7'

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``check``."""
    parser = subparsers.add_parser(
        "check",
        help="ask the node about packages or containers",
        description="Read labels from pictures, or take their text, and say of each what it is and what to do next.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="FILE", help="a picture of a label")
    parser.add_argument(
        "--text", action="append", default=[], metavar="TEXT", help="what a label says, instead of a picture"
    )
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.images and not arguments.text:
        arguments.parser.error("name a picture, or give a label's text by --text")
    provider = provider_of(Bench.open(home_of(arguments)))
    status = 0
    answers = []
    for name, scans in _asked(arguments):
        if isinstance(scans, ImageError):
            status = 2
            answers.append({"file": name, "error": {"code": scans.code, "message": scans.message}})
            if not arguments.json:
                complain(f"{name}: {scans.message}")
            continue
        for scan in scans:
            answer = provider.check(scan)
            status = max(status, _status(answer))
            answers.append({"file": name, **answer.as_json()})
            if not arguments.json:
                show_answer(answer, name)
    if arguments.json:
        print_json(answers)
    return status


def _asked(arguments: argparse.Namespace) -> list[tuple[str, tuple[RawScan, ...] | ImageError]]:
    found: list[tuple[str, tuple[RawScan, ...] | ImageError]] = []
    for path in arguments.images:
        try:
            found.append((str(path), pictured(path)))
        except ImageError as error:
            found.append((str(path), error))
    return found + [("typed", (typed(text),)) for text in arguments.text]


def _status(answer: Answer) -> int:
    return 0 if answer.is_clean else 1
