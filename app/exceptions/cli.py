"""``packproof sweep``: look at what is due though nobody looks."""

import argparse
from typing import TYPE_CHECKING, Any

from app.exceptions.due import look
from app.vrs import volume

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    parser = commands.add_parser(
        "sweep",
        help="open and close what is due: what has not arrived, keys in doubt, lots of which too much is about",
        description="Look at what no event says and no capture can notice, for every party: part of a shipment that "
        "has not come, what a key in doubt signed, licences entered late, and lots of which more is about than was "
        "made. The desks look too whenever somebody opens them; this is for when nobody does. Run it every hour.",
        epilog="example:\n  packproof sweep",
    )
    parser.set_defaults(run=_sweep)


def _sweep(_arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    look(services.database, services.clock, None)
    with services.database.writing() as connection:
        volumes = volume.note_all(connection, services.clock)
    context.show(
        {"volumes": volumes}, f"Looked at what is due; of {volumes} lots more is about than was made."
    )
