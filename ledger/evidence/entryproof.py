"""A tlog-proof held against the bytes of its entry: ``packproof-verify proof.txt --entry entry.bin --policy P``.

What `packproof ledger proof` and `packproof ledger entry` gave (docs/formats/checkpoint.md, entry.md): that these bytes
stand in the log at their place, under a head that the policy's log signed and its quorum cosigned. Not who their author
is: that an evidence file shows.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ledger.errors import VerificationError
from ledger.evidence.policy import Policy
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.entry import Entry
from ledger.log.hashing import leaf_hash
from ledger.log.logproof import HEADER, LogProof
from ledger.log.proof import verify_inclusion

BEGINNING = f"{HEADER}\n".encode()
"""How a tlog-proof begins."""


@dataclass(frozen=True, slots=True)
class EntryProven:
    """An entry that stands in a log: its index and leaf (hex), its kind, the head's size, who cosigned that."""

    origin: str
    index: int
    kind: str
    leaf: str
    size: int
    witnesses: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {"accepted": True, "proves": "an entry stands in this log", **asdict(self)}

    def text(self) -> str:
        """For people."""
        seen = ", ".join(self.witnesses) or "nobody that your policy names"
        return (
            f"ACCEPTED. These bytes are entry {self.index} of the log {self.origin}, a {self.kind} statement.\n\n"
            f"     leaf         {self.leaf}\n"
            f"     head         of {self.size} entries, signed by the log's key in your policy\n"
            f"     cosigned by  {seen}\n\n"
            "Who its author is, and what it commits to, an evidence file shows.\n"
        )


def prove_entry(proof: bytes, entry: bytes, policy: Policy) -> EntryProven:
    """What the proof and the bytes prove under the policy. Raises `VerificationError`."""
    told, held = LogProof.parse(proof), Entry.decode(entry)
    if held.index != told.index:
        raise VerificationError(
            f"the proof is of entry {told.index}, and the bytes are entry {held.index}", code="log-proof"
        )
    head = SignedCheckpoint.open(told.checkpoint, policy.logs)
    found = policy.trust.require_quorum(head.note)
    leaf = leaf_hash(entry)
    verify_inclusion(leaf, told.index, head.checkpoint.size, told.hashes, head.checkpoint.root)
    names = tuple(dict.fromkeys(witness.key.name for witness, _ in found))
    return EntryProven(
        head.checkpoint.origin, told.index, held.kind.type, leaf.hex(), head.checkpoint.size, names
    )
