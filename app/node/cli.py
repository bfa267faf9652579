"""``packproof ledger rotate-key``: the node's own keys are followed by others (`app.node.rotation`).
``packproof ledger lock-keys``: their files, or those of a witness, are locked by the passphrase."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.node.keys import CHECKPOINT, INTAKE, MLDSA, passphrase_in
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
    lock = actions.add_parser(
        "lock-keys",
        help="lock the node's own key files, or a witness's, by the passphrase",
        description="Encrypt each key file of this node that lies in clear, in its place. New ones are locked as they "
        "are made. What lay in clear may lie in backups still: rotate such keys.",
        epilog="examples:\n  PACKPROOF_KEY_PASSPHRASE_FILE=/run/secrets/keys packproof ledger lock-keys\n"
        "  PACKPROOF_KEY_PASSPHRASE_FILE=/run/secrets/keys packproof ledger lock-keys --witness /srv/witness",
    )
    lock.add_argument(
        "--witness",
        type=Path,
        metavar="DIR",
        help="the keys of the packproof ledger witness in this folder instead, which needs no node",
    )
    lock.set_defaults(run=_lock)


def _lock(arguments: argparse.Namespace, context: "Context") -> None:
    if arguments.witness is not None:
        from app.witness.standalone import WitnessFolder

        _told(WitnessFolder.opened(arguments.witness, passphrase_in(context.settings)).lock_keys(), context)
        return
    services = context.services
    locked = services.node.keys.lock()
    if locked:
        with services.database.writing() as connection:
            record(connection, services.clock, context.actor, "node.keys_locked", subject=" ".join(locked))
    _told(locked, context)


def _told(locked: list[str], context: "Context") -> None:
    text = f"Locked: {', '.join(locked)}." if locked else "Every key is locked."
    context.show({"locked": locked}, text)


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
