"""A log made here, with a second history that its own key signs too, and the requests it sends to witnesses."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.hashing import leaf_hash
from ledger.log.note import NoteSigner
from ledger.log.proof import LeafNodes, consistency_proof, root_at
from ledger.witness.request import AddCheckpoint

ORIGIN = "packproof.example/followed"
LOG = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
COSIGNER = CosignatureSigner("witness.example/w", Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MOST = 64


def history(changed: int | None = None) -> LeafNodes:
    """64 entries, of which one may be another."""
    return LeafNodes([leaf_hash(b"%d%s" % (n, b"!" if n == changed else b"")) for n in range(MOST)])


TRUE, OTHER = history(), history(0)


def note(size: int, nodes: LeafNodes = TRUE, signer: NoteSigner = LOG) -> bytes:
    """The signed head."""
    return Checkpoint(signer.name, size, root_at(nodes, size)).sign(signer).encode()


def request(old: int, new: int, nodes: LeafNodes = TRUE) -> bytes:
    """What an honest program sends; `nodes` may be another history."""
    proof = consistency_proof(nodes, old, new) if 0 < old <= new else []
    return AddCheckpoint.encode(old, proof, note(new, nodes))
