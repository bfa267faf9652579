"""``packproof prefix ...``: which GS1 Company Prefix is whose."""

import argparse
from typing import TYPE_CHECKING, Any

from app.prefixes import service
from app.shared import audit

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    parser = commands.add_parser(
        "prefix",
        help="GS1 Company Prefixes: add, list",
        description="Only the company whose prefix an SSCC has begins it. Enter prefixes from GS1 certificates.",
        epilog="examples:\n  packproof prefix add 0399999 --party 0399999000017\n  packproof prefix list",
    )
    parser.set_defaults(parser=parser)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    add = inner.add_parser("add", help="say whose a prefix is")
    add.add_argument("prefix", metavar="PREFIX", help="6 to 12 digits")
    add.add_argument("--party", required=True, metavar="GLN")
    add.set_defaults(run=_add)
    listing = inner.add_parser("list", help="every prefix that is known")
    listing.set_defaults(run=_list)


def _add(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    with services.database.writing() as connection:
        made = service.add(connection, arguments.prefix, arguments.party)
        audit.record(
            connection, services.clock, context.actor, "prefix.add", subject=made.prefix, whose=made.gln
        )
    context.show(
        {"prefix": made.prefix, "party": made.gln}, f"SSCCs with {made.prefix} are begun by {made.gln} alone."
    )


def _list(_arguments: argparse.Namespace, context: "Context") -> None:
    with context.services.database.reading() as connection:
        found = service.all_prefixes(connection)
    context.show(
        [{"prefix": each.prefix, "party": each.gln} for each in found],
        "\n".join(f"{each.prefix:12} {each.gln}" for each in found) or "No prefix is known.",
    )
