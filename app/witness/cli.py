"""``packproof ledger witness`` and ``packproof ledger cosign``: cosign others' heads, have one's own cosigned.
``packproof ledger lock-keys``: the files of the node's own keys, or of a witness's, are locked by the passphrase."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import AppError, Invalid
from app.listening import require_free
from app.node.keys import passphrase_in
from app.shared.audit import record
from app.witness.policies import read_policy
from app.witness.standalone import WitnessFolder, command
from ledger.errors import LedgerError
from ledger.evidence.handover import MAX_HANDOVER_BYTES
from ledger.log.note import NoteVerifier
from ledger.log.policy import LOG_TYPES, PolicyLog

if TYPE_CHECKING:
    from app.cli import Context

_NOBODY = "It follows no log and cosigns nothing: give --policy FILE or --add VKEY."


def register(actions: Any) -> None:
    """Add the actions to `packproof ledger`."""
    witness = actions.add_parser(
        "witness",
        help="cosign other logs' heads, as a service of its own without a database",
        description="Serve a C2SP witness: it cosigns the heads of the logs it follows, each only if it continues the "
        "one before. The folder holds its keys and what it has cosigned; never put it back from a backup. "
        "PACKPROOF_KEY_PASSPHRASE_FILE locks the keys.",
        epilog="examples:\n"
        "  packproof ledger witness --data /srv/witness --name witness.example/w1 --policy logs.txt --port 8010\n"
        "  packproof ledger witness --data /srv/witness --add packproof.example/ledger+c32dd067+AdNZ...\n"
        "\nA log's operator takes the keys it prints into PACKPROOF_WITNESSES.",
    )
    witness.add_argument("--data", type=Path, required=True, metavar="DIR", help="the witness's folder")
    witness.add_argument("--name", metavar="NAME", help="its name in signatures; for a new folder")
    witness.add_argument("--log", action="append", default=[], metavar="VKEY", help="follow this log too")
    witness.add_argument(
        "--policy", type=Path, metavar="FILE", help="follow the logs of this C2SP tlog-policy"
    )
    witness.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="VKEY",
        help="follow this log too, serve nothing: a running witness takes it over at once",
    )
    witness.add_argument(
        "--follow",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a handover of a log that is followed: go over to its new key; serve nothing",
    )
    witness.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    witness.add_argument("--port", type=int, help="port to listen on; without it nothing is served")
    witness.add_argument("--threads", type=int, default=8, help="(default: %(default)s)")
    witness.add_argument(
        "--proxies",
        type=int,
        choices=range(11),
        metavar="N",
        help="proxies in front whose X-Forwarded-For is believed (default: PACKPROOF_TRUSTED_PROXIES)",
    )
    witness.set_defaults(run=_witness)
    cosign = actions.add_parser(
        "cosign",
        help="have the newest head cosigned by the witnesses of PACKPROOF_WITNESSES now",
        description="Send the newest checkpoint to each configured witness, verify what comes back, and keep it. Exit "
        "status 1 where the policy's quorum is not reached.",
        epilog="example:\n  PACKPROOF_WITNESSES=witnesses.policy packproof ledger cosign",
    )
    cosign.set_defaults(run=_cosign)
    _register_lock(actions)


def _register_lock(actions: Any) -> None:
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


def _witness(arguments: argparse.Namespace, context: "Context") -> None:
    folder = WitnessFolder.made(arguments.data, arguments.name, passphrase_in(context.settings))
    logs = [PolicyLog(_vkey(text)) for text in (*arguments.log, *arguments.add)]
    if arguments.policy is not None:
        logs += read_policy(arguments.policy).logs
    new = folder.follow(logs)
    for path in arguments.follow:
        folder.hand_over(_bytes(path))
    data = {
        "name": folder.name,
        "keys": [str(key) for key in folder.keys],
        "logs": [str(log.key) for log in folder.logs().logs],
        "new": new,
    }
    followed = f"{len(data['logs'])} log{'s' if len(data['logs']) != 1 else ''}"
    text = "\n".join(
        (
            f"Witness {folder.name}, following {followed} ({new} new). Its keys, for policies:",
            *(f"  {key}" for key in data["keys"]),
            *([] if data["logs"] else [_NOBODY]),
        )
    )
    if arguments.port is None or arguments.add or arguments.follow:
        context.show(data, text)
        return
    require_free(arguments.host, arguments.port)
    sys.stderr.write(f"{text}\nServing on http://{arguments.host}:{arguments.port} (Ctrl-C stops it)\n")
    sys.stderr.flush()
    root = Path(__file__).resolve().parents[2]
    proxies = context.settings.trusted_proxies if arguments.proxies is None else arguments.proxies
    served = command(
        arguments.data.resolve(), arguments.host, arguments.port, arguments.threads, root, proxies
    )
    os.execv(sys.executable, list(served))  # noqa: S606 - our own interpreter, no shell


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_HANDOVER_BYTES + 1)
    except OSError as error:
        raise AppError("file.unreadable", 400, f"{path} cannot be read", str(error.strerror)) from error


def _vkey(text: str) -> NoteVerifier:
    try:
        key = NoteVerifier.parse(text)
    except LedgerError as error:
        raise Invalid("witness.log", f"{text[:80]!a} is no log's key", error.message) from error
    if key.type not in LOG_TYPES:
        raise Invalid("witness.log", f"{key.name} is a witness's key, not a log's")
    return key


def _cosign(_arguments: argparse.Namespace, context: "Context") -> int:
    from app.witness.gather import Gatherer, quorum_reached

    services = context.services
    heads = services.cosigned
    if not heads.policy.witnesses:
        raise AppError(
            "witness.none",
            400,
            "No witness is configured",
            "",
            "Name them in a policy file and set PACKPROOF_WITNESSES to its path.",
        )
    answers = Gatherer(services.node, heads).gather()
    size = max((asked.size for asked in answers), default=0)
    reached = bool(answers) and quorum_reached(heads, services.node, size)
    data = {
        "size": size,
        "quorum": reached,
        "witnesses": [
            {
                "url": asked.url,
                "names": asked.names,
                "ok": asked.ok,
                "code": asked.code,
                "message": asked.message,
            }
            for asked in answers
        ],
    }
    lines = [
        f"{', '.join(asked.names)}: {asked.code}" + (f", {asked.message}" if asked.message else "")
        for asked in answers
    ]
    lines.append(
        f"The head of {size} entries is {'witnessed as the policy asks' if reached else 'NOT witnessed yet'}."
    )
    context.show(data, "\n".join(lines))
    return 0 if reached else 1


def _lock(arguments: argparse.Namespace, context: "Context") -> None:
    if arguments.witness is not None:
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
