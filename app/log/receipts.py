"""``packproof ledger receipt``: the same leaf as a COSE receipt, for tools of the SCITT world.

RFC 9942 (COSE Receipts) with the verifiable data structure RFC9162_SHA256: a tagged COSE_Sign1 (RFC 9052, section 4.2)
by the checkpoint key, whose detached payload is the tree's root::

    18([ << {1: -8, 4: thumbprint, 15: {1: origin}, 395: 1} >>,         alg EdDSA, kid, CWT claim iss, vds
         {396: {-1: [ << [tree size, leaf index, [hashes]] >> ]}},      vdp: inclusion
         null, signature ])

With ``--since N`` the proof is of consistency: ``{396: {-2: [ << [N, tree size, [hashes]] >> ]}}``, and the payload the
root of the later tree. Only a head that was signed as a checkpoint, against the mark, is signed like this.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2

from app.errors import Invalid
from app.log.handout import tell_others, warn
from app.log.service import Log
from app.node.service import Provable
from ledger.errors import VerificationError
from ledger.evidence.receipt import (
    ALG,
    CONSISTENCY,
    CWT_CLAIMS,
    EDDSA,
    INCLUSION,
    ISSUER,
    KID,
    RFC9162_SHA256,
    SIGN1_TAG,
    VDP,
    VDS,
)
from ledger.log.checkpoint import Checkpoint
from ledger.log.proof import consistency_proof, inclusion_proof
from ledger.signing.durable import write_whole
from ledger.signing.keys import Signer

if TYPE_CHECKING:
    from app.cli import Context
    from app.node.service import Node


def receipt(
    head: Checkpoint, signer: Signer, kind: int, first: int, second: int, path: Sequence[bytes]
) -> bytes:
    """A receipt over `head`: `INCLUSION` with tree size and leaf index, or `CONSISTENCY` with the two tree sizes."""
    protected = cbor2.dumps(
        {ALG: EDDSA, KID: signer.thumbprint, CWT_CLAIMS: {ISSUER: head.origin}, VDS: RFC9162_SHA256}
    )
    proof = cbor2.dumps([first, second, list(path)])
    signature = signer.sign(cbor2.dumps(["Signature1", protected, b"", head.root]))
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, [protected, {VDP: {kind: [proof]}}, None, signature]))


def of_entry(node: "Node", index: int, shown: Provable | None = None) -> tuple[bytes, Checkpoint]:
    """The receipt that entry `index` is in the tree of the head `shown` (None: the present one), and that head.

    Raises `AppError`.
    """
    head = _head(node, shown)
    with node.ledger.reading() as reader:
        try:
            path = inclusion_proof(reader, index, head.size)
        except VerificationError as error:
            raise Invalid("receipt.range", "There is no such entry", error.message) from error
    return receipt(head, node.keys.checkpoint, INCLUSION, head.size, index, path), head


def since(node: "Node", size: int, shown: Provable | None = None) -> tuple[bytes, Checkpoint]:
    """The receipt that the tree of the head `shown` (None: the present one) continues the one of `size` entries.

    With that head. Raises `AppError`.
    """
    head = _head(node, shown)
    with node.ledger.reading() as reader:
        try:
            path = consistency_proof(reader, size, head.size)
        except VerificationError as error:
            raise Invalid("receipt.range", "There is no such proof", error.message) from error
    return receipt(head, node.keys.checkpoint, CONSISTENCY, size, head.size, path), head


def _head(node: "Node", shown: Provable | None) -> Checkpoint:
    return node.opened((shown or node.provable()).note).checkpoint


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "receipt",
        help="a COSE receipt (RFC 9942) that an entry is in the log",
        epilog="examples:\n  packproof ledger receipt urn:uuid:5d2c... -o receipt.cbor\n"
        "  packproof ledger receipt --since 1200 -o consistency.cbor",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "entry", nargs="?", metavar="EVENT_ID|INDEX", help="an event's id, or the entry's index"
    )
    what.add_argument(
        "--since", type=int, metavar="SIZE", help="that the log continues the one of SIZE entries"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    shown = services.node.provable()
    if arguments.since is not None:
        made, head = since(services.node, arguments.since, shown)
        also: list[dict[str, Any]] = []
        what = f"from {arguments.since} to {head.size} entries"
    else:
        place, *others = Log(services.database, services.node).places(arguments.entry)
        index = place.index
        also = tell_others(place, others)
        made, head = of_entry(services.node, index, shown)
        what = f"entry {index} of {head.size}"
    write_whole(arguments.output, made)
    warn(shown)
    data = {
        "file": str(arguments.output),
        "size": head.size,
        "root": head.root.hex(),
        "bytes": len(made),
        "also": also,
        "read_only": shown.warning,
    }
    context.show(data, f"{arguments.output}: {what}; its detached payload is the root {head.root.hex()}")
