"""``packproof user ...`` and ``packproof token ...``: letting people and systems in, and stopping them."""

import argparse
import getpass
import sys
from typing import TYPE_CHECKING, Any

from app.errors import Invalid
from app.partners import service as partners
from app.people.tokens import ALL_SCOPES
from app.shared.actor import BEARERS, PEOPLE, Role
from app.shared.ids import new_secret

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    from app.cli import instant

    user = commands.add_parser(
        "user",
        help="people: add, list, disable, password",
        epilog="examples:\n"
        "  packproof user add mia --role pharmacist --gln 0399999000017\n"
        "  packproof user add ines --role inspector --expires 30d --generate\n"
        "  packproof user disable mia",
    )
    user.set_defaults(parser=user)
    actions = user.add_subparsers(title="actions", metavar="ACTION")
    add = actions.add_parser("add", help="add an account; the password is asked for")
    add.add_argument("name", metavar="NAME", help="what they sign in with: a-z, 0-9, . _ @ -")
    add.add_argument("--role", required=True, choices=sorted(role.value for role in PEOPLE))
    add.add_argument("--gln", help="the party they belong to; not for operators and inspectors")
    add.add_argument("--full-name", default="", help="how the audit trail's readers know them")
    add.add_argument(
        "--expires", type=instant, metavar="WHEN", help="2027-03-31, 90d or 12h; an inspector must have one"
    )
    _password_options(add)
    add.set_defaults(run=_add)
    actions.add_parser("list", help="every account").set_defaults(run=_list)
    disable = actions.add_parser("disable", help="close an account; its sessions end at once")
    disable.add_argument("name", metavar="NAME")
    disable.set_defaults(run=_disable)
    password = actions.add_parser("password", help="set a new password; its sessions end at once")
    password.add_argument("name", metavar="NAME")
    _password_options(password)
    password.set_defaults(run=_password)
    _register_token(commands, instant)


def _register_token(commands: Any, instant: Any) -> None:
    token = commands.add_parser(
        "token",
        help="bearer tokens of partner systems and devices",
        description="Make a bearer token for a party's system and print it once; or list or revoke what it has.",
        epilog="examples:\n"
        "  packproof token 0399999000017 --name erp --expires 365d\n"
        "  packproof token 0399999000017 --list\n"
        "  packproof token 0399999000017 --revoke tok_...",
    )
    token.add_argument("gln", metavar="GLN", help="the party it speaks for")
    token.add_argument("--name", default="", help="what it is for, such as erp")
    token.add_argument(
        "--kind", default="partner_system", choices=sorted(role.value for role in BEARERS - PEOPLE)
    )
    token.add_argument(
        "--scope", action="append", choices=sorted(ALL_SCOPES), help="what it may do; may be repeated"
    )
    token.add_argument("--expires", type=instant, metavar="WHEN", help="2027-03-31, 90d or 12h")
    action = token.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="list the party's tokens, without their secrets")
    action.add_argument("--revoke", metavar="ID", help="stop a token at once")
    token.set_defaults(run=_token)


def _password_options(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    how.add_argument("--generate", action="store_true", help="make a password and print it once")


def _read_password(arguments: argparse.Namespace) -> str:
    if arguments.generate:
        return new_secret()[:20]
    if arguments.password_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise Invalid("people.password", "The two passwords differ", "", "Run the command again.")
    return first


def _add(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    expires_at = arguments.expires(node.clock.now()) if arguments.expires else None
    password = _read_password(arguments)
    user = node.people.add(
        context.actor,
        arguments.name,
        password,
        Role(arguments.role),
        party_gln=arguments.gln,
        display_name=arguments.full_name,
        expires_at=expires_at,
    )
    data = {"user_id": user.user_id, "name": user.name, "role": user.role, "expires_at": user.expires_at}
    text = f"{user.name} may sign in as {user.role.value}" + (
        f" until {expires_at:%Y-%m-%d %H:%M} UTC." if expires_at else "."
    )
    if arguments.generate:
        data["password"] = password
        text += f"\nPassword (shown once): {password}"
    if user.party_gln is not None and (warning := _unknown_party(context, user.party_gln)):
        data["warning"] = warning
        sys.stderr.write(f"packproof: {warning}\n")
    context.show(data, text)


def _unknown_party(context: "Context", gln: str) -> str:
    """What to do where no party of this node has the GLN: the account stands, and sees nothing until one does."""
    with context.services.database.reading() as connection:
        if partners.by_gln(connection, gln) is not None:
            return ""
    return (
        f"no party on this node has GLN {gln}: check its digits, or register it, for until then the account sees "
        f"nothing: packproof party add {gln} --name NAME --kind KIND"
    )


def _list(_arguments: argparse.Namespace, context: "Context") -> None:
    now = context.services.clock.now()
    users = context.services.people.all()
    rows = []
    for user in users:
        if user.disabled_at is not None:
            state = "disabled"
        elif user.expires_at is not None:
            state = f"{'expired' if user.expires_at <= now else 'until'} {user.expires_at:%Y-%m-%d}"
        else:
            state = "active"
        rows.append((user.name, user.role.value, user.party_gln or "-", state))
    data = [dict(zip(("name", "role", "party_gln", "state"), row, strict=True)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    context.show(
        data, "\n".join(lines) or "Nobody has an account. Add somebody: packproof user add NAME --role ROLE"
    )


def _disable(arguments: argparse.Namespace, context: "Context") -> None:
    context.services.people.disable(context.actor, arguments.name)
    context.show(
        {"disabled": arguments.name}, f"{arguments.name} can no longer sign in; open sessions have ended."
    )


def _password(arguments: argparse.Namespace, context: "Context") -> None:
    password = _read_password(arguments)
    context.services.people.set_password(context.actor, arguments.name, password)
    text = f"{arguments.name} has a new password; open sessions have ended."
    if arguments.generate:
        text += f"\nPassword (shown once): {password}"
    context.show({"changed": arguments.name} | ({"password": password} if arguments.generate else {}), text)


def _token(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    if arguments.list:
        found = node.tokens.of_party(arguments.gln)
        rows = [
            f"{t.token_id}  {t.name}  {'revoked' if t.revoked_at else ' '.join(sorted(t.scopes))}"
            for t in found
        ]
        data = [
            {"token_id": t.token_id, "name": t.name, "scopes": sorted(t.scopes), "revoked_at": t.revoked_at}
            for t in found
        ]
        context.show(data, "\n".join(rows) or "This party has no token.")
        return
    if arguments.revoke:
        node.tokens.revoke(context.actor, arguments.revoke)
        context.show({"revoked": arguments.revoke}, f"{arguments.revoke} is of no use any more.")
        return
    made = node.tokens.create(
        context.actor,
        arguments.name,
        Role(arguments.kind),
        party_gln=arguments.gln,
        scopes=arguments.scope,
        expires_at=arguments.expires(node.clock.now()) if arguments.expires else None,
    )
    data = {"token": made.secret, "token_id": made.token.token_id, "scopes": sorted(made.token.scopes)}
    context.show(data, made.secret)
    if not context.as_json:
        sys.stderr.write(
            f"This is {made.token.token_id}; it is shown this once. Send it as: Authorization: Bearer pp_...\n"
        )
