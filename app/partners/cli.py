"""``packproof party ...``: who trades on this node, where their sites are, what licenses them, and their root keys."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import Invalid
from app.partners import service
from app.shared import audit
from ledger.errors import LedgerError
from ledger.signing.client import Registration, load_registration

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    party = commands.add_parser(
        "party",
        help="parties: add, list",
        epilog="examples:\n"
        "  packproof party add 0399999999991 --name 'North Wholesale' --kind wholesaler \\\n"
        "      --site 0399999999915='Dock Street' --licence NJ-BOP:WD-1234:2024-01-01:2027-12-31 \\\n"
        "      --root root/registration.json\n"
        "  packproof party list",
    )
    party.set_defaults(parser=party)
    actions = party.add_subparsers(title="actions", metavar="ACTION")
    add = actions.add_parser(
        "add",
        help="register a party, or complete one that a document named first",
        description="Register a party, or complete one that a document named first. With --root alone, add its "
        "root key to a party that stands already.",
        epilog="The party makes its root at its own place (packproof-scan root) and sends the file "
        "registration.json. Compare the key's thumbprint with the party by another way before you add it.",
    )
    add.add_argument("gln", metavar="GLN")
    add.add_argument("--name", help="what people call it")
    add.add_argument("--kind", choices=service.KINDS)
    add.add_argument("--address", default="", help="street, city, state, postal code, country")
    add.add_argument(
        "--site", action="append", default=[], type=_site, metavar="GLN=NAME", help="a place of the party's"
    )
    add.add_argument(
        "--licence",
        action="append",
        default=[],
        type=_licence,
        metavar="AUTHORITY:NUMBER:FROM[:UNTIL]",
        help="what authorizes it to trade; dates as 2026-03-31",
    )
    add.add_argument("--root", type=Path, metavar="FILE", help="the registration of its root key")
    add.set_defaults(run=_add)
    actions.add_parser("list", help="every party, and those that only a document has named").set_defaults(
        run=_list
    )


def _site(text: str) -> service.NewSite:
    gln, separator, name = text.partition("=")
    if not (separator and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is no site: write 0399999999915='Dock Street'")
    return service.NewSite(gln, name.strip())


def _licence(text: str) -> service.NewLicence:
    parts = text.split(":")
    if len(parts) not in (3, 4) or not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no licence: write AUTHORITY:NUMBER:2024-01-01")
    days = [_day(part) for part in parts[2:]]
    return service.NewLicence(parts[0], parts[1], *days)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write 2026-03-31") from error


def _add(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    root = _read_root(arguments.root) if arguments.root else None
    gln = service.checked_gln(arguments.gln)
    with node.database.reading() as connection:
        known = service.by_gln(connection, gln)
    only_root = root is not None and arguments.name is None and known is not None and known.verified
    if not only_root:
        if arguments.name is None or arguments.kind is None:
            raise Invalid("party.incomplete", "A party needs --name and --kind", gln)
        with node.database.writing() as connection:
            known = service.register(
                connection,
                node.clock,
                gln,
                arguments.name,
                arguments.kind,
                address=arguments.address,
                sites=arguments.site,
                licences=arguments.licence,
            )
            audit.record(connection, node.clock, context.actor, "party.add", subject=gln, whose=gln)
    assert known is not None
    data: dict[str, Any] = {"gln": gln, "name": known.name, "kind": known.kind, "root": None}
    lines = [f"{known.name} ({gln}) is registered as {known.kind}."]
    if root is not None:
        key = node.keys.register(root.envelope, root.document, root.seed, party=gln)
        data["root"] = key.thumbprint.hex()
        lines.append(
            f"Its root key is entry {key.registered_idx}: {key.thumbprint.hex()}\n"
            "Read this thumbprint to somebody at the party you know, and have them compare."
        )
    context.show(data, "\n".join(lines))


def _read_root(path: Path) -> Registration:
    try:
        return load_registration(path)
    except LedgerError as error:
        raise Invalid(
            "key.malformed",
            "This file is no key registration",
            f"{path}: {error}",
            "The party makes it by: packproof-scan root",
        ) from error


def _list(_arguments: argparse.Namespace, context: "Context") -> None:
    with context.services.database.reading() as connection:
        found = service.all_parties(connection)
    data = [{"gln": p.gln, "name": p.name, "kind": p.kind, "verified": p.verified} for p in found]
    lines = [f"{p.gln}  {p.kind:<11}  {p.name}{'' if p.verified else '  (unverified)'}" for p in found]
    context.show(
        data, "\n".join(lines) or "No party is here. Add one: packproof party add GLN --name NAME --kind KIND"
    )
