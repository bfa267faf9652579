"""A proof that travels: index, audit path and the checkpoint it leads to, as text.

C2SP tlog-proof (https://c2sp.org/tlog-proof), without the optional ``extra`` line::

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    ... one hash a line, the leaf's neighbour first

    packproof.example/ledger
    ... the checkpoint, as it was signed
"""

from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_decimal, to_base64
from ledger.log.hashing import HASH_BYTES
from ledger.log.note import MAX_NOTE_BYTES

MAX_PROOF_BYTES: Final = MAX_NOTE_BYTES + 8 * 1024
HEADER: Final = "c2sp.org/tlog-proof@v1"
"""Its first line."""


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where an entry stands and the hashes from its leaf to the root of `checkpoint` (a signed note's bytes)."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The proof's bytes."""
        lines = [HEADER, f"index {self.index}", *map(to_base64, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "LogProof":
        """Read a proof strictly; the checkpoint in it is left as bytes, unverified."""
        if len(data) > MAX_PROOF_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_PROOF_BYTES} are read")
        above, gap, checkpoint = data.partition(b"\n\n")
        try:
            header, index, *hashes = above.decode("ascii").split("\n")
        except ValueError:
            raise _refuse("it does not begin with its header and an index") from None
        if not gap or header != HEADER or not index.startswith("index "):
            raise _refuse("it does not begin with its header and an index")
        if len(hashes) > 64:
            raise _refuse("it has more hashes than any tree is high")
        proof = cls(
            from_decimal(index.removeprefix("index ")),
            tuple(from_base64(line, length=HASH_BYTES) for line in hashes),
            checkpoint,
        )
        if proof.encode() != data:
            raise _refuse("its bytes are not the writing of what they say")
        return proof


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"log proof: {message}", code="log-proof")
