"""`packproof-scan rotate`: this bench gets a new key, and keeps all else."""

import argparse
from pathlib import Path

from ledger.signing.keyfile import read_passphrase
from scanner.bench import Bench
from scanner.client import NodeClient, checked_address
from scanner.commands import Subparsers
from scanner.commands._shared import (
    add_home,
    add_json,
    add_passphrase,
    home_of,
    passphrase_file_of,
    print_json,
)
from scanner.enrol import root_folder
from scanner.rotation import rotate
from scanner.sources import utc_now
from scanner.ui.plain import say

_EXAMPLES = """\
examples:
  packproof-scan rotate --root-key north-root
  packproof-scan rotate --root-key north-root --home dock-3

The new key is registered, signed for by the root and the old key; it gets a token of its own, and then the old key is
revoked. What the bench remembers of the ledger stays. What was signed and not sent yet goes first. Also for a bench
whose key was revoked already: what that key signed since then is kept for a person (packproof key parked).

Cut off, it is run again and goes on with the same new key.

exit status: 0 rotated, 1 rotated, and the node did not take something that the old key signed, 2 it could not be done,
3 the node cannot be reached, 4 the node shows another past than before and is refused
"""


def register(subparsers: Subparsers) -> None:
    """Add ``rotate``."""
    parser = subparsers.add_parser(
        "rotate",
        help="put a new key in the place of this bench's",
        description="Put a new key in the place of this bench's, in the same folder; what it remembers is kept.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--root-key",
        required=True,
        type=Path,
        metavar="FILE",
        help="the party's root key: the folder that packproof-scan root made, or the key.pem in it",
    )
    parser.add_argument(
        "--root-passphrase-file", type=Path, metavar="FILE", help="what opens the root key, if it is locked"
    )
    parser.add_argument(
        "--new-passphrase-file",
        type=Path,
        metavar="FILE",
        help="lock the new key with this (default: with what opens the present one, if that is locked)",
    )
    parser.add_argument(
        "--node", metavar="URL", help="the node's address, if it is another than this bench knows"
    )
    parser.add_argument("--plain-http", action="store_true", help="allow http:// to another machine")
    add_passphrase(parser)
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    bench = Bench.open(home)
    address = bench.enrolment.node
    if arguments.node is not None:
        address = checked_address(arguments.node, plain_http=arguments.plain_http)
    done = rotate(
        bench,
        NodeClient(address),
        root_folder(arguments.root_key),
        utc_now,
        root_passphrase_file=arguments.root_passphrase_file,
        passphrase=read_passphrase(passphrase_file_of(arguments)),
        new_passphrase=read_passphrase(arguments.new_passphrase_file),
    )
    if arguments.json:
        print_json(
            {
                "home": str(home),
                "node": address,
                "thumbprint": done.thumbprint,
                "old": str(done.old_folder),
                "parked": done.parked,
                "resumed": done.resumed,
            }
        )
        return 1 if done.parked else 0
    if done.resumed:
        say("A rotation that had been begun is at its end: the old key is revoked, no further key was made.")
    say(f"'{bench.enrolment.label}' signs with the key {done.thumbprint[:16]}... from now on, in {home}.")
    say(f"The old key counts no more; it and all that it signed are in {done.old_folder}.")
    if done.parked:
        say(
            f"The node did not take {done.parked} of what the old key signed. A person decides on each: "
            f"packproof key parked --key {done.old_folder} --out late"
        )
    return 1 if done.parked else 0
