"""``packproof trace``: the history of a package, its containers' moves included."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.errors import NotFound
from app.history.rules import said, shown, subject_of
from app.history.service import Story, Told, story
from app.shared.audit import Outcome, disclose

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    trace = commands.add_parser(
        "trace",
        help="the history of a package, its containers' moves included",
        epilog="examples:\n"
        "  packproof trace urn:epc:id:sgtin:030001.0012345.11\n"
        "  packproof trace 'https://id.gs1.org/01/00300010123455/21/11'\n"
        "  packproof trace '(01)00300010123455(21)11'",
    )
    trace.add_argument("package", metavar="PACKAGE", help="EPC URN, Digital Link, element string or SSCC")
    trace.set_defaults(run=_trace)


def _trace(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    subject = subject_of(arguments.package)
    with services.database.snapshot() as connection:
        found = story(connection, subject, reader=None)
    outcome = Outcome.SHOWN if found else Outcome.NOTHING
    disclose(
        services.database, services.clock, context.actor, "package.trace", subject=subject, outcome=outcome
    )
    if found is None:
        raise NotFound(
            "No record of this package",
            f"nothing was told here about {shown(subject)}",
            "Check the number, or ask whoever sent it.",
        )
    context.show(_data(found), "\n".join(_lines(found)))


def _lines(found: Story) -> Iterator[str]:
    title = found.product.title if found.product else "Product not known here"
    yield f"{title}   {shown(found.subject)}"
    yield f"lot {found.item.lot or '-'}, expires {found.item.expiry or '-'}, made by {found.maker_name or 'not known'}"
    where = f"with {found.holder_name or 'nobody known'}"
    if found.outer.in_transit:
        where = f"under way from {found.holder_name} to {found.bound_for_name or 'an unnamed party'}"
    if found.item.ended:
        where = f"{found.item.status.value} by {found.holder_name}"
    yield f"now {where}" + (f", inside {shown(found.inside[0])}" if found.inside else "")
    yield ""
    for number, told in enumerate(found.events, 1):
        yield from _event(number, told)


def _event(number: int, told: Told) -> Iterator[str]:
    yield (
        f"{number:3}. {told.at:%Y-%m-%d %H:%M} UTC  "
        + (f"its container {shown(told.via)} was " if told.via else "")
        + said(told.step)
        + (f" to {told.to_name}" if told.to_name else "")
        + ("   [declared wrong]" if told.declared_wrong else "")
        + ("   [says that an earlier event was wrong]" if told.declares_error else "")
    )
    vouched = (
        f"signed by {told.by_name}" if told.signed else f"received from {told.by_name}, not signed by it"
    )
    yield f"     {vouched}; at {told.place or 'no place named'}; entry {told.index}"
    for each in told.findings:
        yield f"     finding: {each.message} ({each.code.value})"


def _data(found: Story) -> dict[str, Any]:
    item, outer = found.item, found.outer
    return {
        "subject": found.subject,
        "product": found.product.title if found.product else None,
        "lot": item.lot,
        "expiry": item.expiry,
        "status": item.status.value,
        "maker": item.maker,
        "holder": outer.holder,
        "owner": outer.owner,
        "in_transit": outer.in_transit,
        "bound_for": outer.bound_for,
        "inside": list(found.inside),
        "events": [
            {
                "event_id": told.event_id,
                "index": told.index,
                "at": told.at.isoformat(),
                "type": told.type,
                "action": told.action,
                "step": told.step,
                "disposition": told.disposition,
                "by": told.by,
                "place": told.place,
                "via": told.via,
                "signed": told.signed,
                "channel": told.channel,
                "declared_wrong": told.declared_wrong,
                "declares_error": told.declares_error,
                "findings": [each.code.value for each in told.findings],
            }
            for told in found.events
        ],
    }
