"""The node's ML-DSA-44 key is followed by another, in two steps between which both cosign every head.

    begin()     a new key; a handover that both signed, in a head that both cosigned (`ledger.evidence.mldsa_handover`)
    finish()    the new key takes the place of the old one, whose file is gone

The ledger does not name these keys (docs/decisions/0013), so nothing is appended, and the handovers lie beside the keys
as ``checkpoint-mldsa-handover-NUMBER.json``: the old key signs no second one. Each step may be run again after a crash.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.errors import AppError, Conflict
from app.node.keys import MLDSA, Mldsa
from app.node.rotation import Rotated
from app.node.service import Node
from ledger.errors import LedgerError
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.note import Note
from ledger.signing.durable import write_whole
from ledger.signing.keys import thumbprint

_FILE = f"{MLDSA}-handover-"


def mldsa_handovers(folder: Path) -> list[MldsaHandover]:
    """Those of the node whose keys lie in `folder`, the oldest first. Raises `AppError` where a file is damaged."""
    found = []
    for path in sorted(folder.glob(f"{_FILE}*.json"), key=_number):
        try:
            found.append(MldsaHandover.parse(path.read_bytes()))
        except LedgerError as error:
            raise AppError(
                "node.key", 503, "A handover beside the keys cannot be read", f"{path}: {error}"
            ) from error
    return found


@dataclass
class MldsaRotation:
    """The two steps. `node` is this node."""

    node: Node

    def begin(self) -> Rotated:
        """Make a key that follows, for which the present one vouches. Raises `Conflict` where one does already."""
        node = self.node
        node.may_write()
        present = node.keys.mldsa
        if self._handed_over() is not None:
            raise Conflict(
                "node.rotation_open",
                f"A {MLDSA} key follows already",
                "",
                f"End the old one first: packproof ledger rotate-key {MLDSA} --finish",
            )
        following = node.keys.make_following_mldsa()
        made = MldsaHandover.make(
            (present.cosigner.verifier, present.private_key.sign),
            (following.cosigner.verifier, following.private_key.sign),
            self._head_of(present, following),
        )
        made.prove(present.cosigner.verifier)
        known = mldsa_handovers(node.keys.folder)
        write_whole(node.keys.folder / f"{_FILE}{len(known) + 1}.json", made.encode())
        return Rotated(None, (_name(present), _name(following)))

    def finish(self) -> Rotated:
        """Let the key that follows take the other's place. Raises `Conflict` where none follows."""
        node = self.node
        node.may_write()
        if self._handed_over() is None:
            raise Conflict(
                "node.rotation_none",
                f"There is no {MLDSA} key to end",
                "",
                f"Begin with: packproof ledger rotate-key {MLDSA}",
            )
        node.keys.take_over(MLDSA)
        node.checkpoint()
        return Rotated(None, (_name(node.keys.mldsa),))

    def _handed_over(self) -> MldsaHandover | None:
        """The handover from the present key to the one that follows, where both are there."""
        present, following = self.node.keys.mldsa, self.node.keys.following_mldsa()
        if following is None:
            return None
        keys = (present.cosigner.verifier, following.cosigner.verifier)
        kept = mldsa_handovers(self.node.keys.folder)
        return next((each for each in kept if (each.present, each.following) == keys), None)

    def _head_of(self, *keys: Mldsa) -> SignedCheckpoint:
        """The present head, sealed, under the cosignatures of these keys and no others: each byte is vouched for."""
        head = self.node.opened(self.node.checkpoint()).checkpoint
        lines = tuple(key.cosigner.sign(head, self.node.seconds()) for key in keys)
        return SignedCheckpoint(head, Note(head.text(), lines))


def _name(key: Mldsa) -> str:
    """SHA-256 of its DER SubjectPublicKeyInfo, in hex, as the thumbprints of all keys."""
    spki = key.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return thumbprint(spki).hex()


def _number(path: Path) -> int:
    number = path.stem.removeprefix(_FILE)
    return int(number) if number.isdecimal() else 0
