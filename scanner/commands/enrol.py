"""`packproof-scan enrol`: this bench joins a node."""

import argparse
from pathlib import Path

from ledger.signing.keyfile import read_passphrase
from scanner.client import NodeClient, checked_address
from scanner.commands import Subparsers
from scanner.commands._shared import add_home, add_json, home_of, print_json
from scanner.enrol import default_label, enrol, root_folder
from scanner.sources import utc_now
from scanner.ui.plain import say

_EXAMPLES = """\
examples:
  packproof-scan enrol --node https://packproof.example --root-key north-root
  packproof-scan enrol --node http://127.0.0.1:8000 --root-key north-root --label 'Dock 3' --home dock-3

The key is made here and never leaves; the root key is only read, to vouch for it.

exit status: 0 enrolled, 2 it could not be done, 3 the node cannot be reached, 4 the node's head is not signed by
its own key
"""


def register(subparsers: Subparsers) -> None:
    """Add ``enrol``."""
    parser = subparsers.add_parser(
        "enrol",
        help="make this bench's key and register it with a node",
        description="Make this bench's key, have its party's root key vouch for it, and register it with a node.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--node", required=True, metavar="URL", help="the node's address")
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
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="lock this bench's key with what stands on its first line; commands that sign ask for it then",
    )
    parser.add_argument(
        "--label", default=None, help="what people call this bench (default: the machine's name)"
    )
    parser.add_argument("--plain-http", action="store_true", help="allow http:// to another machine")
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    client = NodeClient(checked_address(arguments.node, plain_http=arguments.plain_http))
    label = arguments.label or default_label()
    root = root_folder(arguments.root_key)
    made = enrol(
        home_of(arguments),
        client,
        root,
        label,
        utc_now,
        root_passphrase_file=arguments.root_passphrase_file,
        passphrase=read_passphrase(arguments.passphrase_file),
    )
    enrolment = made.bench.enrolment
    if arguments.json:
        print_json(
            {
                "home": str(made.bench.home),
                "node": enrolment.node,
                "origin": enrolment.origin,
                "log": enrolment.log,
                "party": enrolment.party,
                "party_name": made.party_name,
                "label": enrolment.label,
                "thumbprint": made.thumbprint,
                "size": made.size,
            }
        )
        return 0
    say(f"'{enrolment.label}' scans for {made.party_name} ({enrolment.party}) from now on.")
    say(f"Its key is {made.thumbprint[:16]}..., in {made.bench.home}.")
    say(
        f"It remembers the ledger {enrolment.origin} at {made.size} entries and will notice any change of them."
    )
    say(f"Compare the ledger's key with the one the operator reads out: {enrolment.log}")
    return 0
