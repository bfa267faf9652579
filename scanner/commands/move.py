"""`packproof-scan move`: the node has another address. What the bench remembers of it must hold there too."""

import argparse
from dataclasses import replace

from scanner.bench import Bench, change_address
from scanner.client import NodeClient, checked_address
from scanner.commands import Subparsers
from scanner.commands._shared import EXIT_STATUS, add_home, add_json, home_of, print_json
from scanner.lookup.online import OnlineProvider
from scanner.sources import utc_now
from scanner.ui.plain import say

_EXAMPLES = f"""\
examples:
  packproof-scan move --node https://packproof.example:8443
  packproof-scan move --node http://127.0.0.1:8000 --home dock-3

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``move``."""
    parser = subparsers.add_parser(
        "move",
        help="tell this bench that its node has another address",
        description="The node has moved. It is asked there first: its ledger must continue what this bench remembers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--node", required=True, metavar="URL", help="the node's new address")
    parser.add_argument("--plain-http", action="store_true", help="allow http:// to another machine")
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    bench = Bench.open(home)
    address = checked_address(arguments.node, plain_http=arguments.plain_http)
    moved = replace(bench, enrolment=replace(bench.enrolment, node=address))
    OnlineProvider(moved, NodeClient(address, bench.token()), utc_now).look_at_head()
    change_address(home, address)
    if arguments.json:
        print_json({"node": address, "before": bench.enrolment.node})
    else:
        say(f"This bench now asks {address}; the ledger there continues what it remembers.")
    return 0
