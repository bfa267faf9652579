"""``packproof ledger rotate-key``: the node's own keys are followed by others (`app.node.rotation`)."""

import argparse
from typing import TYPE_CHECKING, Any

from app.node.keys import CHECKPOINT, INTAKE, MLDSA
from app.node.longterm import MldsaRotation
from app.node.rotation import Rotated, Rotation
from app.node.service import Node
from app.shared.audit import record

if TYPE_CHECKING:
    from app.cli import Context

_BEGUN = {
    INTAKE: "Every process of this node signs by the new intake key from now on.\n"
    "When nothing signs by the old one any more: packproof ledger rotate-key intake --finish",
    CHECKPOINT: "Every head is signed by both keys from now on. Benches and signing clients follow by themselves.\n"
    "Give witnesses, inspectors and partners the handover: packproof ledger handover -o handover.json\n"
    "When all have it: packproof ledger rotate-key checkpoint --finish",
    MLDSA: "Every new head is cosigned by both keys from now on.\n"
    "Give those who pinned the old one the handover: packproof ledger handover --mldsa -o handover-mldsa.json\n"
    "When all have it: packproof ledger rotate-key checkpoint-mldsa --finish",
}


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "rotate-key",
        help="have the node's intake or checkpoint key followed by a new one",
        description="Make a new key, which the old one vouches for: in the ledger, that of ML-DSA-44 in a file. Both "
        "count until --finish ends the old one and removes its file. Who pinned the old one follows as "
        "docs/operating/keys.md says.",
        epilog="examples:\n  packproof ledger rotate-key checkpoint\n  packproof ledger handover -o handover.json\n"
        "  packproof ledger rotate-key checkpoint --finish",
    )
    parser.add_argument("key", choices=(INTAKE, CHECKPOINT, MLDSA))
    parser.add_argument("--finish", action="store_true", help="end the key that is followed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    services, name = context.services, arguments.key
    done = _turned(services.node, name, finish=arguments.finish)
    what = "ended" if arguments.finish else "begun"
    with services.database.writing() as connection:
        record(
            connection, services.clock, context.actor, f"node.key_{what}", subject=name, detail=done.keys[-1]
        )
    data = {
        "key": name,
        "entry": done.index,
        "keys": list(done.keys),
        "verifier_key": str(services.node.mldsa_verifier) if name == MLDSA else services.node.verifier_key,
    }
    head = f"The {name} key: {', '.join(key[:16] for key in done.keys)} counts now"
    at = "" if done.index is None else f" (entry {done.index})"
    ended = "The old key's file is gone." if name == MLDSA else "The old key is revoked and its file is gone."
    rest = ended if arguments.finish else _BEGUN[name]
    context.show(data, f"{head}{at}.\n{rest}")


def _turned(node: Node, name: str, *, finish: bool) -> Rotated:
    if name == MLDSA:
        longterm = MldsaRotation(node)
        return longterm.finish() if finish else longterm.begin()
    rotation = Rotation(node)
    return rotation.finish(name) if finish else rotation.begin(name)
