"""``packproof retention ...``: what may be purged when, and the legal holds that keep it."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.partners.service import checked_gln
from app.retention.rules import CALLED, About, Fate, Line

if TYPE_CHECKING:
    from app.cli import Context

TOLD = (
    "Nothing is deleted by itself. What can be erased of a record is what packproof redact erases: values that "
    "somebody wrote beside the regulated content. The regulated content stays."
)


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    parser = commands.add_parser(
        "retention",
        help="what may be purged when; legal holds: report, holds, hold, lift",
        description=f"What is kept for six years, from when, and what a legal hold keeps beyond that. {TOLD}",
        epilog="examples:\n"
        "  packproof retention report\n"
        "  packproof retention report --at 2032-12-31 --party 0860000000017\n"
        "  packproof retention hold lot '(01)00312345678906(10)A1' --reason 'Civil action 26-cv-1234'\n"
        "  packproof retention lift hold_abc --why 'The action was settled'",
    )
    parser.set_defaults(parser=parser)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    shown = actions.add_parser(
        "report", help="how many records there are, until when they are kept, what is free"
    )
    shown.add_argument("--at", type=_day, metavar="DAY", help="as of that day (default: now)")
    shown.add_argument("--party", metavar="GLN", help="this party's records alone")
    shown.set_defaults(run=_report)
    listed = actions.add_parser("holds", help="the holds in force")
    listed.add_argument("--lifted", action="store_true", help="those that were lifted")
    listed.set_defaults(run=_holds)
    hold = actions.add_parser("hold", help="set a legal hold: what it is about is kept until it is lifted")
    hold.add_argument("kind", choices=[kind.value for kind in About])
    hold.add_argument(
        "about", nargs="?", default="", metavar="WHAT", help="a GLN, a GTIN, a lot or a package"
    )
    hold.add_argument("--reason", required=True)
    hold.set_defaults(run=_hold)
    lift = actions.add_parser("lift", help="lift a legal hold")
    lift.add_argument("hold", metavar="HOLD")
    lift.add_argument("--why", required=True)
    lift.set_defaults(run=_lift)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write 2032-03-31") from error


def _report(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    at = arguments.at or node.clock.now()
    gln = checked_gln(arguments.party) if arguments.party else None
    lines, in_force = node.retention.report(at, gln)
    data = {
        "at": at.isoformat(),
        "types": [_data(line) for line in lines],
        "holds": [
            {"hold": h.hold_id, "kind": h.kind.value, "about": h.about, "reason": h.reason} for h in in_force
        ],
        "note": TOLD,
    }
    said = [f"As of {at:%Y-%m-%d}:"]
    for line in lines:
        said += _said(line)
    said += [f"{len(in_force)} legal hold{'' if len(in_force) == 1 else 's'} in force.", TOLD]
    context.show(data, "\n".join(said))


def _data(line: Line) -> dict[str, Any]:
    return {
        "type": line.type.value,
        "runs_from": CALLED[line.type][1],
        **{kind.value: line.counts[kind] for kind in Fate},
        "oldest": line.oldest.isoformat() if line.oldest else None,
        "next_free": line.next_free.isoformat() if line.next_free else None,
        "held_by": line.held_by,
    }


def _said(line: Line) -> list[str]:
    name, start = CALLED[line.type]
    counts = line.counts
    told = [f"{name}: {line.total}, kept six years from {start}"]
    told.append(
        f"  {counts[Fate.KEPT]} within six years, {counts[Fate.OPEN]} whose years have not begun, "
        f"{counts[Fate.HELD]} kept by a hold alone, {counts[Fate.FREE]} that no rule keeps"
    )
    if line.next_free is not None:
        told.append(f"  the next may go on {line.next_free:%Y-%m-%d}")
    return told


def _holds(arguments: argparse.Namespace, context: "Context") -> None:
    found = context.services.retention.holds(lifted=arguments.lifted)
    data = [
        {
            "hold": h.hold_id,
            "kind": h.kind.value,
            "about": h.about,
            "reason": h.reason,
            "set_at": h.set_at.isoformat(),
        }
        for h in found
    ]
    lines = [f"{h.hold_id}  {h.kind.value} {h.about}  since {h.set_at:%Y-%m-%d}: {h.reason}" for h in found]
    context.show(data, "\n".join(lines) or "No hold.")


def _hold(arguments: argparse.Namespace, context: "Context") -> None:
    kind = About(arguments.kind)
    made = context.services.retention.hold(context.actor, kind, arguments.about, arguments.reason)
    context.show(
        {"hold": made.hold_id, "kind": kind.value, "about": made.about},
        f"{made.hold_id}: {kind.value} {made.about} is kept until the hold is lifted.",
    )


def _lift(arguments: argparse.Namespace, context: "Context") -> None:
    context.services.retention.lift(context.actor, arguments.hold, arguments.why)
    context.show({"hold": arguments.hold}, f"{arguments.hold} is lifted. Nothing was deleted by that.")
