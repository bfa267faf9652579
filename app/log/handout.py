"""``packproof ledger proof|entry|policy``: single things taken out of the log, for tools of other hands.

packproof ledger proof EVENT_ID -o proof.txt        a C2SP tlog-proof
packproof ledger entry EVENT_ID -o entry.bin        the entry's bytes; SHA-256(0x00 || them) is the leaf
packproof ledger policy --authors authors.json      a C2SP tlog-policy, and the roots beside it
packproof ledger policy --mldsa                     the same, demanding the log's ML-DSA-44 line beside the other
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.log.service import Log, Place
from app.node.service import Provable
from app.shared.audit import disclose
from ledger.log.encoding import to_base64, to_json
from ledger.log.entry import Entry
from ledger.log.hashing import leaf_hash
from ledger.signing.durable import write_whole

if TYPE_CHECKING:
    from app.cli import Context


def register(actions: Any) -> None:
    """Add the actions to `packproof ledger`."""
    proof = actions.add_parser(
        "proof",
        help="the proof that an entry is in the log (C2SP tlog-proof)",
        epilog="example:\n  packproof ledger proof urn:uuid:5d2c... -o proof.txt\n  packproof ledger proof 17",
    )
    entry = actions.add_parser(
        "entry",
        help="an entry's bytes, as they are hashed and signed",
        epilog="example:\n  packproof ledger entry urn:uuid:5d2c... -o entry.bin\n  packproof ledger entry 17 | xxd",
    )
    for parser, run in ((proof, _proof), (entry, _entry)):
        parser.add_argument("entry", metavar="EVENT_ID|INDEX", help="an event's id, or the entry's index")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
        parser.set_defaults(run=run)
    policy = actions.add_parser(
        "policy",
        help="whom a verifier of this log trusts: a C2SP tlog-policy, and the parties' roots",
        description="Print this node as a C2SP tlog-policy: its log by its Ed25519 key, and the witnesses it is "
        "configured with. It is a beginning for a verifier's own policy: compare the keys by another way.",
        epilog="example:\n  packproof ledger policy -o policy.txt --authors authors.json\n"
        "  python -m ledger verify evidence.json --policy policy.txt --authors authors.json",
    )
    policy.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    policy.add_argument("--authors", type=Path, metavar="FILE", help="also write the author policy, JSON")
    policy.add_argument(
        "--mldsa",
        action="store_true",
        help="demand the log's ML-DSA-44 cosignature too; browsers cannot check it, packproof-verify can",
    )
    policy.set_defaults(run=_policy)


def _proof(arguments: argparse.Namespace, context: "Context") -> None:
    log = _log(context)
    place, *others = log.places(arguments.entry)
    head = context.services.cosigned.provable_at(place.index)
    made = log.proof(place.index, head)
    warn(head)
    also = tell_others(place, others)
    data = {
        "index": place.index,
        "also": also,
        "hashes": [to_base64(item) for item in made.hashes],
        "checkpoint": made.checkpoint.decode(),
        "read_only": head.warning,
    }
    _give(arguments.output, made.encode(), data, context, f"the proof of entry {place.index}")


def _entry(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    place, *others = _log(context).places(arguments.entry)
    index = place.index
    body = _log(context).entry(index)
    disclose(services.database, services.clock, context.actor, "ledger.entries", subject=f"entry {index}")
    decoded = Entry.decode(body)
    data = {
        "index": index,
        "also": tell_others(place, others),
        "kind": decoded.kind.name.lower().replace("_", "-"),
        "received_ms": decoded.received_ms,
        "leaf": leaf_hash(body).hex(),
        "entry": to_base64(body),
    }
    _give(arguments.output, body, data, context, f"entry {index}")


def _policy(arguments: argparse.Namespace, context: "Context") -> None:
    data = context.services.own_policy.encode(mldsa=arguments.mldsa)
    roots = {"roots": _log(context).authors()}
    if arguments.authors:
        write_whole(arguments.authors, to_json(roots) + b"\n")
        sys.stderr.write(
            f"{arguments.authors}: the roots as this node knows them. Compare each with its party by another way.\n"
        )
    shown = {"policy": data.decode("utf-8", "replace"), "authors": roots}
    _give(arguments.output, data, shown, context, "the policy")


def tell_others(first: Place, others: Sequence[Place]) -> list[dict[str, Any]]:
    """Name, on standard error, the other entries of an event whose own is given; the same for programs."""
    if others:
        rest = ", ".join(f"{each.index} ({each.what})" for each in others)
        sys.stderr.write(f"packproof: this is entry {first.index} ({first.what}); it stands in {rest} too\n")
    return [{"index": each.index, "what": each.what} for each in others]


def warn(head: Provable) -> None:
    """Tell, on standard error, who takes a proof from a node that is read-only."""
    if head.warning:
        sys.stderr.write(f"packproof: {head.warning}\n")


def _log(context: "Context") -> Log:
    return Log(context.services.database, context.services.node)


def _give(path: Path | None, data: bytes, as_json: Any, context: "Context", what: str) -> None:
    if path is not None:
        write_whole(path, data)
        context.show({**as_json, "file": str(path)}, f"{path}: {what}, {len(data)} bytes")
    elif context.as_json:
        context.show(as_json, "")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
