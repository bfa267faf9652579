"""`packproof-scan trust`: what this bench remembers of its node, and the only way back after a refusal."""

import argparse
import sys

from scanner.bench import Bench
from scanner.client import NodeClient
from scanner.commands import Subparsers
from scanner.commands._shared import add_home, add_json, home_of, print_json, provider_of
from scanner.errors import BenchError
from scanner.rotation import unfinished
from scanner.sources import utc_now
from scanner.ui.plain import say

_EXAMPLES = """\
examples:
  packproof-scan trust                 what does this bench remember?
  packproof-scan trust --check         does the node still continue it?
  packproof-scan trust --reset         believe a refused node again: read the warning

exit status: 0 the node is trusted, 2 it could not be done, 3 the node cannot be reached, 4 the node is refused
"""
_WARNING = """\
WARNING. This bench refused the node because it showed a different past than before. That is what happens when a ledger
is rewritten, forked, or rolled back. If you reset, the bench forgets the head it remembered and believes the node's
present one, whatever it hides. The proofs are kept. Do it only when your quality unit has agreed.
"""


def register(subparsers: Subparsers) -> None:
    """Add ``trust``."""
    parser = subparsers.add_parser(
        "trust",
        help="what this bench remembers of its node",
        description="Show what this bench remembers of its node's ledger, and whether it refuses the node.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="hold the node's present head against what is remembered"
    )
    what.add_argument("--reset", action="store_true", help="forget what is remembered and begin anew")
    parser.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    bench = Bench.open(home_of(arguments))
    if arguments.check:
        provider_of(bench).look_at_head()
    if arguments.reset:
        _reset(bench, arguments.yes)
    with bench.locked():
        seen, refusal = bench.memory.remembered(), bench.memory.refusal()
    if arguments.json:
        print_json(
            {
                "node": bench.enrolment.node,
                "origin": bench.enrolment.origin,
                "log": str(bench.log),
                "size": seen.checkpoint.size,
                "root": seen.checkpoint.root.hex(),
                "seen_at": seen.seen_at.isoformat(),
                "refused": None
                if refusal is None
                else {
                    "code": refusal.code,
                    "message": refusal.message,
                    "file": str(bench.home / refusal.file),
                },
            }
        )
    else:
        say(
            f"{bench.enrolment.node} had {seen.checkpoint.size} entries in its ledger {bench.enrolment.origin} when "
            f"this bench saw it, {seen.seen_at:%Y-%m-%d %H:%M:%S} UTC."
        )
        if refusal is not None:
            say(f"REFUSED since {refusal.at:%Y-%m-%d %H:%M} UTC. {refusal.message}")
            say(f"The proof is in {bench.home / refusal.file}.")
        if unfinished(bench.home):
            say("A rotation of this bench's key was begun and cut off: packproof-scan rotate ends it.")
    return 0 if refusal is None else 4


def _reset(bench: Bench, sure: bool) -> None:
    sys.stderr.write(_WARNING)
    if not sure:
        if not sys.stdin.isatty():
            raise BenchError(
                "not-confirmed", "nothing was reset: confirm with --yes, or run it where you can be asked"
            )
        sys.stderr.write("Type the word RESET to go on: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() != "RESET":
            raise BenchError("not-confirmed", "nothing was reset")
    note = NodeClient(bench.enrolment.node, bench.token()).get_bytes("/ledger/checkpoint")
    with bench.locked():
        bench.memory.reset(note, utc_now())
