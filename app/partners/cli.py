"""``packproof party ...``: who trades on this node, where their sites are, what licenses them, and their root keys."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import Invalid, NotFound
from app.partners import licences, service
from app.partners.places import Address, Position
from app.partners.rules import Duty, LicenceKind
from app.shared import audit
from ledger.errors import LedgerError
from ledger.signing.client import Registration, load_registration

if TYPE_CHECKING:
    from app.cli import Context

PLACES = ("city", "state", "postal-code", "country")


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    party = commands.add_parser(
        "party",
        help="parties: add, list, describe, site, licence, licences, end-licence, exempt",
        epilog="examples:\n"
        "  packproof party add 0399999999991 --name 'North Wholesale' --kind wholesaler \\\n"
        "      --site 0399999999915='Dock Street' --licence NJ-BOP:WD-1234:2024-01-01:2027-12-31 \\\n"
        "      --root root/registration.json\n"
        "  packproof party licences 0399999999991 --at 2026-06-01\n"
        "  packproof party list",
    )
    party.set_defaults(parser=party)
    actions = party.add_subparsers(title="actions", metavar="ACTION")
    _register_add(actions)
    actions.add_parser("list", help="every party, and those that only a document has named").set_defaults(
        run=_list
    )
    _register_places(actions)
    _register_licences(actions)


def _register_add(actions: Any) -> None:
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
    _place_options(add)
    add.add_argument(
        "--contact", default="", help="telephone or e-mail for what it sells and does not handle"
    )
    add.add_argument(
        "--site", action="append", default=[], type=_site, metavar="GLN=NAME", help="a place of the party's"
    )
    add.add_argument(
        "--licence",
        action="append",
        default=[],
        type=_licence,
        metavar="AUTHORITY:NUMBER:FROM[:UNTIL]",
        help="what authorizes it to trade; dates as 2026-03-31, the last one included",
    )
    add.add_argument("--root", type=Path, metavar="FILE", help="the registration of its root key")
    add.set_defaults(run=_add)


def _register_places(actions: Any) -> None:
    describe = actions.add_parser("describe", help="change a party's address, and how to reach it")
    describe.add_argument("gln", metavar="GLN")
    _place_options(describe)
    describe.add_argument("--contact", help="telephone or e-mail")
    describe.set_defaults(run=_describe)
    site = actions.add_parser(
        "site",
        help="add a place of a party's, or change what is said of it",
        description="Add a place of a party's, or change what is said of it: also the party's own GLN, to say where on "
        "earth that is. Impossible travel is looked for between places with a position.",
        epilog="example:\n  packproof party site 0399999999915 --of 0399999999991 --name 'Dock Street' \\\n"
        "      --city Louisville --state KY --country US --position 38.2527,-85.7585",
    )
    site.add_argument("gln", metavar="GLN")
    site.add_argument("--of", required=True, metavar="GLN", help="the party whose place it is")
    site.add_argument("--name", required=True)
    _place_options(site)
    site.add_argument("--position", type=_position, metavar="LAT,LON", help="decimal degrees, WGS 84")
    site.set_defaults(run=_set_site)


def _register_licences(actions: Any) -> None:
    add = actions.add_parser(
        "licence",
        help="keep a licence or registration of a party's; a renewal is another one",
        epilog="example:\n  packproof party licence 0860000000017 KY-BOP:W-20418:2026-01-01:2026-12-31 \\\n"
        "      --source 'FDA licensed WDD database' --checked 2026-01-05",
    )
    add.add_argument("gln", metavar="GLN")
    add.add_argument("licence", type=_licence, metavar="AUTHORITY:NUMBER:FROM[:UNTIL]")
    add.add_argument(
        "--kind", choices=[kind.value for kind in LicenceKind], help="default: by the party's kind"
    )
    add.add_argument("--evidence", default="", metavar="LINK", help="a link or a file's name")
    add.add_argument("--source", default="", help="where it was looked up")
    add.add_argument("--checked", type=_day, metavar="DAY", help="when it was looked up (default: now)")
    add.set_defaults(run=_add_licence)
    show = actions.add_parser("licences", help="a party's licences and exemptions, and if it is authorized")
    show.add_argument("gln", metavar="GLN")
    show.add_argument("--at", type=_day, metavar="DAY", help="as of that day (default: now)")
    show.set_defaults(run=_licences)
    ended = actions.add_parser(
        "end-licence", help="say that a licence was revoked or suspended before its day"
    )
    ended.add_argument("number", type=int, metavar="NUMBER", help="as packproof party licences shows it")
    ended.add_argument("--on", type=_day, required=True, metavar="DAY")
    ended.add_argument("--why", required=True)
    ended.set_defaults(run=_end_licence)
    exempt = actions.add_parser("exempt", help="keep a waiver or an exemption by law, with what grants it")
    exempt.add_argument("gln", metavar="GLN")
    exempt.add_argument("--covers", choices=[duty.value for duty in Duty], required=True)
    exempt.add_argument("--from", dest="begins", type=_day, required=True, metavar="DAY")
    exempt.add_argument("--until", type=_day, metavar="DAY", help="the last day")
    exempt.add_argument("--reason", required=True)
    exempt.add_argument("--evidence", required=True, metavar="LINK")
    exempt.set_defaults(run=_exempt)


def _place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", default="", help="the street; or all of it in one text")
    for name in PLACES:
        parser.add_argument(
            f"--{name}", default="", help="ISO 3166-1, two letters" if name == "country" else None
        )


def _place(arguments: argparse.Namespace) -> Address:
    return Address(
        arguments.address, arguments.city, arguments.state, arguments.postal_code, arguments.country.upper()
    )


def _site(text: str) -> service.NewSite:
    gln, separator, name = text.partition("=")
    if not (separator and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is no site: write 0399999999915='Dock Street'")
    return service.NewSite(gln, name.strip())


def _licence(text: str) -> licences.NewLicence:
    parts = text.split(":")
    if len(parts) not in (3, 4) or not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no licence: write AUTHORITY:NUMBER:2024-01-01")
    days = [_day(part) for part in parts[2:]]
    until = _after(days[1]) if len(days) > 1 else None
    return licences.NewLicence(parts[0], parts[1], days[0], until)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write 2026-03-31") from error


def _after(last_day: datetime) -> datetime:
    """The first moment after a last day, UTC."""
    return last_day + timedelta(days=1)


def _position(text: str) -> Position:
    try:
        return Position.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _known(context: "Context", gln: str) -> service.Party:
    digits = service.checked_gln(gln)
    with context.services.database.reading() as connection:
        found = service.by_gln(connection, digits)
    if found is None:
        raise NotFound("No such party", digits, "packproof party list")
    return found


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
                place=_place(arguments),
                contact=arguments.contact,
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


def _describe(arguments: argparse.Namespace, context: "Context") -> None:
    node, known = context.services, _known(context, arguments.gln)
    gln = known.gln
    said = {name: value for name, value in _place(arguments).columns().items() if value}
    place = replace(known.place, **said)
    with node.database.writing() as connection:
        found = service.describe(connection, gln, place, arguments.contact)
        audit.record(connection, node.clock, context.actor, "party.describe", subject=gln, whose=gln)
    context.show(
        {"gln": gln, **found.place.columns(), "contact": found.contact},
        f"{found.name}: {found.place.line or 'no address'}; {found.contact or 'no contact'}",
    )


def _set_site(arguments: argparse.Namespace, context: "Context") -> None:
    node, owner = context.services, _known(context, arguments.of)
    new = service.NewSite(arguments.gln, arguments.name, place=_place(arguments), position=arguments.position)
    gln = service.checked_gln(arguments.gln)
    with node.database.writing() as connection:
        service.set_site(connection, owner, new)
        where = service.positions(connection, [gln]).get(gln)
        audit.record(connection, node.clock, context.actor, "party.site", subject=gln, whose=owner.gln)
    degrees = where.degrees if where else None
    told = f" at {degrees[0]}, {degrees[1]}" if degrees else ""
    context.show(
        {"gln": gln, "of": owner.gln, "name": new.name, "position": degrees},
        f"{new.name} ({gln}) is a place of {owner.name}'s{told}.",
    )


def _add_licence(arguments: argparse.Namespace, context: "Context") -> None:
    node, owner = context.services, _known(context, arguments.gln)
    given: licences.NewLicence = arguments.licence
    new = licences.NewLicence(
        given.authority,
        given.number,
        given.valid_from,
        given.valid_until,
        evidence=arguments.evidence,
        kind=LicenceKind(arguments.kind) if arguments.kind else None,
        source=arguments.source,
        looked_up_at=arguments.checked or node.clock.now(),
    )
    with node.database.writing() as connection:
        number = licences.add(connection, owner.party_id, owner.kind, new)
        audit.record(
            connection, node.clock, context.actor, "party.licence", subject=owner.gln, whose=owner.gln,
            detail=f"{number}: {new.authority} {new.number}",
        )  # fmt: skip
    context.show({"gln": owner.gln, "licence": number}, f"Licence {number} of {owner.name} is kept.")


def _licences(arguments: argparse.Namespace, context: "Context") -> None:
    node, owner = context.services, _known(context, arguments.gln)
    at = arguments.at or node.clock.now()
    with node.database.reading() as connection:
        held = licences.of_parties(connection, [owner.party_id]).get(owner.party_id, [])
        waived = licences.exemptions_of(connection, [owner.party_id]).get(owner.party_id, [])
        standing = licences.standings(connection, [(owner.party_id, at)])[owner.party_id, at]
    data = {
        "gln": owner.gln,
        "at": at.isoformat(),
        "authorized": standing.authorized,
        "why": standing.why,
        "licences": [
            {
                "number": each.licence_id,
                "kind": each.kind.value,
                "title": each.title,
                "from": each.valid_from.isoformat(),
                "until": each.end.isoformat() if each.end else None,
                "source": each.source,
                "evidence": each.evidence,
            }
            for each in held
        ],
        "exemptions": [
            {
                "covers": each.covers.value,
                "from": each.valid_from.isoformat(),
                "exempt_until": each.exempt_until.isoformat() if each.exempt_until else None,
                "exempt_reason": each.exempt_reason,
                "evidence": each.evidence,
            }
            for each in waived
        ],
    }
    word = "was authorized" if standing.authorized else "was NOT authorized"
    lines = [f"{owner.name} ({owner.kind}) {word} on {at:%Y-%m-%d}: {standing.why}."]
    lines += [
        f"  {each.licence_id:>4}  {each.title}, from {each.valid_from:%Y-%m-%d}"
        + (f" to before {each.end:%Y-%m-%d}" if each.end else "")
        for each in held
    ]
    lines += [
        f"  exempt from {each.covers.value}, from {each.valid_from:%Y-%m-%d}"
        + (f" to before {each.exempt_until:%Y-%m-%d}" if each.exempt_until else "")
        + f": {each.exempt_reason} ({each.evidence})"
        for each in waived
    ]
    context.show(data, "\n".join(lines))


def _end_licence(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    with node.database.writing() as connection:
        licences.end(connection, arguments.number, arguments.on, arguments.why)
        audit.record(
            connection, node.clock, context.actor, "party.end_licence", subject=str(arguments.number),
            detail=arguments.why,
        )  # fmt: skip
    context.show(
        {"licence": arguments.number, "ended": arguments.on.isoformat()},
        f"Licence {arguments.number} counts no more from {arguments.on:%Y-%m-%d} on. What was before stays.",
    )


def _exempt(arguments: argparse.Namespace, context: "Context") -> None:
    node, owner = context.services, _known(context, arguments.gln)
    until = _after(arguments.until) if arguments.until else None
    with node.database.writing() as connection:
        licences.exempt(
            connection,
            owner.party_id,
            Duty(arguments.covers),
            arguments.begins,
            until,
            arguments.reason,
            arguments.evidence,
        )
        audit.record(
            connection, node.clock, context.actor, "party.exempt", subject=owner.gln, whose=owner.gln,
            detail=f"{arguments.covers}: {arguments.reason}",
        )  # fmt: skip
    context.show(
        {"gln": owner.gln, "covers": arguments.covers, "exempt_until": until.isoformat() if until else None},
        f"{owner.name} is exempt from {arguments.covers.replace('_', ' ')}: {arguments.reason}.",
    )
