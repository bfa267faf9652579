"""`packproof-scan root`: a party makes its root key, at its own place."""

import argparse
from pathlib import Path

from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln
from ledger.signing.client import REGISTRATION, REVOCATION, KeyFolder
from ledger.signing.keyfile import read_passphrase
from scanner.client import NodeClient, checked_address
from scanner.commands import Subparsers
from scanner.commands._shared import add_json, print_json
from scanner.enrol import make_party_root, origin_of
from scanner.ui.plain import say

_EXAMPLES = """\
examples:
  packproof-scan root --party 0399999000017 --name 'North Pharma' --node https://packproof.example --out north-root
  packproof-scan root --party 0399999000017 --name 'North Pharma' --origin packproof.example/node --out north-root

Keep the folder in a safe: whoever has it speaks for the party. Send its file registration.json to the node's operator,
who adds it by: packproof party add GLN --root registration.json

exit status: 0 made, 2 it could not be done, 3 the node cannot be reached
"""


def register(subparsers: Subparsers) -> None:
    """Add ``root``."""
    parser = subparsers.add_parser(
        "root",
        help="make a party's root key",
        description="Make a party's root key, which vouches for the keys of its benches, and its registration file.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--party", required=True, type=_gln, metavar="GLN", help="the party it belongs to")
    parser.add_argument("--name", required=True, help="what people call the party or the key")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--node", metavar="URL", help="the node whose ledger it is for: its name is asked there"
    )
    where.add_argument("--origin", metavar="NAME", help="the name of the ledger it is for")
    parser.add_argument("--plain-http", action="store_true", help="allow http:// to another machine")
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="lock the key with what stands on its first line"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="a new folder for the key")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    origin = arguments.origin
    if origin is None:
        origin = origin_of(NodeClient(checked_address(arguments.node, plain_http=arguments.plain_http)))
    passphrase = read_passphrase(arguments.passphrase_file)
    make_party_root(arguments.out, arguments.party, arguments.name, origin, passphrase)
    thumbprint = KeyFolder.open(arguments.out, passphrase).thumbprint.hex()
    file = arguments.out / REGISTRATION
    if arguments.json:
        print_json(
            {"party": arguments.party, "origin": origin, "thumbprint": thumbprint, "registration": str(file)}
        )
        return 0
    say(
        f"The root key of {arguments.name} ({arguments.party}) for the ledger {origin} is in {arguments.out}."
    )
    say(f"Keep that folder in a safe. Send {file} to the node's operator.")
    say(f"Move {arguments.out / REVOCATION} to another place: it ends this key if you lose it.")
    say(f"Thumbprint, to compare with the operator by telephone: {thumbprint}")
    return 0


def _gln(text: str) -> str:
    try:
        return Gln.parse(text).digits
    except Gs1Error as error:
        raise argparse.ArgumentTypeError(error.message) from error
