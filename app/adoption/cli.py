"""``packproof events ...``: what was told before its time, and adopting it."""

import argparse
from typing import TYPE_CHECKING, Any

from app.partners.service import checked_gln

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    parser = commands.add_parser(
        "events",
        help="events that were told before their time: ahead, adopt",
        description="An event of the future changes no custody until a person adopts it, which is possible once its "
        "time has come. A party that signs adopts with packproof capture FILE --key FOLDER --node URL --ref LEAF: the "
        "event alone, and the leaf of the entry where it stands.",
        epilog="examples:\n"
        "  packproof events ahead --as 0399999000017\n"
        "  packproof events adopt urn:uuid:... --as 0399999000017 --why 'The truck left at night, as planned'",
    )
    parser.set_defaults(parser=parser)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listed = actions.add_parser("ahead", help="what a party has told before its time")
    listed.add_argument(
        "--as", dest="by", required=True, metavar="GLN", help="the party whose events they are"
    )
    listed.set_defaults(run=_ahead)
    adopt = actions.add_parser("adopt", help="let one count: its time was right")
    adopt.add_argument("event", metavar="EVENT_ID")
    adopt.add_argument("--as", dest="by", required=True, metavar="GLN", help="the party whose event it is")
    adopt.add_argument("--why", required=True, help="why its time was right; it stands in the audit trail")
    adopt.set_defaults(run=_adopt)


def _ahead(arguments: argparse.Namespace, context: "Context") -> None:
    found = context.services.adoption.listed(checked_gln(arguments.by))
    context.show(
        [
            {
                "event": e.event_id,
                "entry": e.index,
                "at": e.happens_at.isoformat(),
                "may": e.may,
                "overdue": e.overdue,
            }
            for e in found
        ],
        "\n".join(
            f"{e.event_id}  {e.happens_at:%Y-%m-%d %H:%M} UTC  entry {e.index}  {e.step}"
            f"{'' if e.may else '  (its time has not come)'}{'  (overdue)' if e.overdue else ''}"
            for e in found
        )
        or "Nothing was told before its time.",
    )


def _adopt(arguments: argparse.Namespace, context: "Context") -> None:
    receipt = context.services.adoption.adopt(
        context.actor, checked_gln(arguments.by), arguments.event, arguments.why
    )
    lines = [f"Adopted by entry {receipt.index}: the event counts from now on."]
    lines += [f"Found ({each['severity']}): {each['message']}" for each in receipt.findings]
    context.show(receipt.as_json(), "\n".join(lines))
