"""``packproof rebuild``: what is true now, made anew from the events alone."""

import argparse
from typing import TYPE_CHECKING, Any

from app.custody.rebuild import rebuild
from app.exceptions.anew import hold_all
from app.exceptions.settling import settle
from app.shared.meter import meter
from ledger.store.sql.writer import SqlWriter

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    parser = commands.add_parser(
        "rebuild",
        help="make custody anew from the events, where fsck found it wrong",
        description="Project custody, containment and findings again from the events. No event is touched.",
        epilog="example:\n  packproof rebuild && packproof fsck",
    )
    parser.set_defaults(run=_rebuild)


def _rebuild(_arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    with services.database.writing() as connection:
        SqlWriter(connection, services.node.origin).lock()
        count = rebuild(connection, services.clock, meter())
        hold_all(connection, services.clock)
    # What was wrong may have kept cases open, outside of this transaction as when somebody looks at them.
    settle(services.database, services.clock, None)
    context.show({"items": count}, f"Custody of {count} items was made anew from the events.")
