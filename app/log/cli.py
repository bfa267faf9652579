"""``packproof ledger ACTION``: what the log hands out, and what keeps it honest.

Each action has a module of its own with ``register(actions)``; `ACTIONS` names it once.
"""

import importlib
from typing import Any

ACTIONS: tuple[str, ...] = (
    "app.devices.ledger_cli",
    "app.log.handover",
    "app.log.recover",
    "app.node.cli",
    "app.witness.cli",
    "app.log.export",
    "app.log.keep",
    "app.log.handout",
    "app.log.receipts",
    "app.log.timestamps",
)


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    ledger = commands.add_parser(
        "ledger",
        help="proofs, tiles, witnesses, and the way back from a restored database",
        description="What the log hands out to others, and what keeps it honest.",
    )
    ledger.set_defaults(parser=ledger)
    actions = ledger.add_subparsers(title="actions", metavar="ACTION")
    for name in ACTIONS:
        importlib.import_module(name).register(actions)
