"""``packproof product ...``: what a GTIN is, and which party here makes it."""

import argparse
from typing import TYPE_CHECKING, Any

from app.partners.service import checked_gln
from app.products import service
from app.shared import audit
from ledger.gs1.gtin import Gtin

if TYPE_CHECKING:
    from app.cli import Context

TEXTS = ("ndc", "name", "manufacturer", "dosage_form", "strength", "net_content")


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    product = commands.add_parser(
        "product",
        help="products: add, allow",
        epilog="example:\n"
        "  packproof product add 00312345678906 --maker 0399999000017 --name Exampril --ndc 12345-678-90 \\\n"
        "      --strength '10 mg' --dosage-form tablet --net-content '30 tablets'",
    )
    product.set_defaults(parser=product)
    actions = product.add_subparsers(title="actions", metavar="ACTION")
    add = actions.add_parser(
        "add",
        help="register a GTIN, or change what is said of it",
        description="Say that a party here makes a GTIN: from now on only it gives it serial numbers, and it answers "
        "for them. Run again it changes what is given.",
    )
    add.add_argument("gtin", metavar="GTIN")
    add.add_argument("--maker", required=True, metavar="GLN", help="the party that makes it")
    for text in TEXTS:
        add.add_argument(f"--{text.replace('_', '-')}", default="")
    add.set_defaults(run=_add)
    allow = actions.add_parser(
        "allow",
        help="say for which countries a product is, and which companies alone may own it",
        description="Say for which countries a product is, and which companies alone may own it. What is given "
        "replaces what stood; without an option it may be sold to anybody.",
        epilog="example:\n  packproof product allow 00312345678906 --country US --party 0860000000017",
    )
    allow.add_argument("gtin", metavar="GTIN")
    allow.add_argument("--country", action="append", default=[], metavar="CC", help="ISO 3166-1, two letters")
    allow.add_argument("--party", action="append", default=[], metavar="GLN")
    allow.set_defaults(run=_allow)


def _add(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    maker = checked_gln(arguments.maker)
    texts = {name: getattr(arguments, name) for name in TEXTS}
    with node.database.writing() as connection:
        service.register(connection, node.clock, arguments.gtin, maker, **texts)
        gtin = Gtin.parse(arguments.gtin).digits
        audit.record(connection, node.clock, context.actor, "product.add", subject=gtin, whose=maker)
        [product] = service.by_gtins(connection, [gtin]).values()
    data = {"gtin": gtin, "maker": product.maker, **{name: getattr(product, name) for name in TEXTS}}
    context.show(data, f"{product.title} ({gtin}) is made by {maker}.")


def _allow(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    companies = [checked_gln(gln) for gln in arguments.party]
    countries = [word.upper() for word in arguments.country]
    with node.database.writing() as connection:
        service.allow(connection, arguments.gtin, countries, companies)
        gtin = Gtin.parse(arguments.gtin).digits
        detail = f"countries {' '.join(countries) or 'any'}; companies {' '.join(companies) or 'any'}"
        audit.record(connection, node.clock, context.actor, "product.allow", subject=gtin, detail=detail)
    data = {"gtin": gtin, "countries": countries, "parties": companies}
    context.show(
        data, f"{gtin} is for {', '.join(countries) or 'any country'}, {len(companies) or 'all'} companies."
    )
