"""``packproof redact EVENT_ID``: erase what nobody is obliged to keep, and say who, what and on which legal basis."""

import argparse
from typing import TYPE_CHECKING, Any

from app.errors import Invalid, NotFound

if TYPE_CHECKING:
    from app.cli import Context

UNREACHED = (
    "What this cannot reach: partners' own copies, evidence files and exports already given away, and backups of the "
    "key folder (data_dir/wraps): destroy those, or this can be undone."
)


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    redact = commands.add_parser(
        "redact",
        help="erase fields of an event that nobody is obliged to keep; every proof stays valid",
        description="Erase extensions and contacts of an event, wherever this node keeps it. What is regulated (what, "
        "where, when, why, who, lot, expiry) cannot be erased, nor what a legal hold keeps, but for --despite. "
        "Without --yes it only lists what can be.",
        epilog="examples:\n"
        "  packproof redact urn:uuid:4f3c...                     # which fields can be erased\n"
        '  packproof redact urn:uuid:4f3c... --all --basis "GDPR Art. 17(1)(a)" --yes\n'
        "  packproof redact urn:uuid:4f3c... --field 'ext/http://example.com/ns#contact' --basis ... --by mia --yes\n"
        "  packproof redact --finish                             # after a crash: take out the keys that are left\n\n"
        + UNREACHED,
    )
    redact.add_argument("event_id", nargs="?", metavar="EVENT_ID")
    which = redact.add_mutually_exclusive_group()
    which.add_argument("--field", action="append", metavar="PATH", help="erase this field; may be repeated")
    which.add_argument("--all", action="store_true", help="erase every field that can be")
    which.add_argument("--finish", action="store_true", help="only take out the keys of what was erased")
    redact.add_argument("--basis", default="", metavar="TEXT", help="the legal basis; is recorded for ever")
    redact.add_argument(
        "--by", metavar="NAME", help="the account it is done for; its id is recorded (default: the operator)"
    )
    redact.add_argument(
        "--despite",
        action="append",
        default=[],
        metavar="HOLD",
        help="a legal hold that yields to the legal basis; may be repeated (packproof retention holds lists them)",
    )
    redact.add_argument("--yes", action="store_true", help="do it; it cannot be undone")
    redact.set_defaults(run=_redact)


def _redact(arguments: argparse.Namespace, context: "Context") -> None:
    redactions = context.services.redactions
    if arguments.finish:
        keys = redactions.finish()
        context.show({"keys": keys}, f"{keys} keys taken out of their rings.")
        return
    if not arguments.event_id:
        raise Invalid("redaction.event", "Which event?", "", "packproof redact --help tells more.")
    if not arguments.yes:
        _list(arguments.event_id, context)
        return
    if not arguments.all and not arguments.field:
        raise Invalid("redaction.what", "What is to be erased?", "", "Say --field PATH, or --all.")
    by = _account(arguments.by, context) if arguments.by else None
    done = redactions.redact(
        arguments.event_id,
        None if arguments.all else arguments.field,
        arguments.basis,
        context.actor,
        by=by,
        despite=arguments.despite,
    )
    data = {
        "event": arguments.event_id,
        "entries": list(done.entries),
        "fields": list(done.fields),
        "keys": done.keys,
        "known": done.known,
    }
    if done.known:
        text = "Everything asked for was erased before."
    else:
        where = ", ".join(map(str, done.entries))
        text = (
            f"{len(done.fields)} field{'' if len(done.fields) == 1 else 's'} erased; entry {where} says so:\n"
            + "".join(f"  {path}\n" for path in done.fields)
        )
    context.show(data, text.rstrip() + "\n" + UNREACHED)


def _account(name: str, context: "Context") -> str:
    """The id of the account `name`: ids are recorded, names are not. Raises `NotFound`."""
    for user in context.services.people.all():
        if user.name == name:
            return user.user_id
    raise NotFound("No such account", name, "List them: packproof user list")


def _list(event_id: str, context: "Context") -> None:
    found = context.services.redactions.fields_of(event_id)
    data = {"event": event_id, "fields": [{"path": path, "erased": erased} for path, erased in found]}
    lines = [f"  {path}" + ("  (erased)" if erased else "") for path, erased in found]
    text = "These can be erased (--field PATH or --all, with --basis and --yes):\n" + "\n".join(lines)
    context.show(data, text if found else "Nothing in this event can be erased: all of it is regulated.")
