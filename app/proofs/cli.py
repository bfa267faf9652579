"""``packproof init``: make this machine a node. Run again it changes nothing."""

import argparse
from typing import TYPE_CHECKING, Any

from app import migrate

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    init = commands.add_parser(
        "init",
        help="make this machine a node: schema, keys, the ledger's first entries",
        description="Bring the schema up, make the node's two keys and its ledger. Run again it changes nothing.",
        epilog="example:\n  PACKPROOF_LEDGER_ORIGIN=acme.example/ledger packproof init\n\n"
        "The origin is for ever: every signature names it. The mark and the keys must never be restored from a "
        "backup of the database.",
    )
    init.set_defaults(run=_init)


def _init(_arguments: argparse.Namespace, context: "Context") -> None:
    migrate.upgrade(context.bare.database)
    node = context.services.node
    fresh = node.initialise()
    data = {
        "new": fresh,
        "origin": node.origin,
        "verifier_key": node.verifier_key,
        "mark": str(node.data_dir / "mark"),
        "keys": str(node.data_dir / "keys"),
    }
    text = (
        f"{'The ledger is made' if fresh else 'The ledger stands already'}: {node.origin}\n"
        f"Its key, which scanners and verifiers pin:\n  {node.verifier_key}\n"
        f"Keep safe, and apart from backups of the database: {data['mark']} and {data['keys']}/"
    )
    context.show(data, text)
