"""A log goes on under another ML-DSA-44 key: the key that somebody pinned vouches for the next one.

The ledger does not name the keys by which heads are cosigned for the long run: no verifier of today's heads needs them,
and they are ten times as long as the others. So a handover between two of them is a file of its own
(docs/formats/handover.md), signed by both over one text, and shows a head that both cosigned::

    {"checkpoint": note, "following": vkey, "format": "packproof-handover-mldsa/1", "present": vkey,
     "signatures": [base64 by present, base64 by following]}

    signed = "packproof/handover/v1" LF 00 || present LF following LF || the checkpoint's three lines

What is signed can be taken for no cosignature, which begins with ``subtree/v1``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.log import mldsa
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.encoding import from_json, to_base64, to_json
from ledger.log.note import MAX_NOTE_BYTES, MLDSA44, NoteVerifier

FORMAT: Final = "packproof-handover-mldsa/1"
MEMBER: Final = b'"format":"packproof-handover-mldsa/'
"""Stands in no other file of ours: within a text a quotation mark stands after a backslash."""
MAX_BYTES: Final = MAX_NOTE_BYTES + 64 * 1024
_LABEL: Final = b"packproof/handover/v1\n\0"


def signed_bytes(present: NoteVerifier, following: NoteVerifier, checkpoint: Checkpoint) -> bytes:
    """What both keys sign."""
    return _LABEL + f"{present}\n{following}\n{checkpoint.text()}".encode()


@dataclass(frozen=True, slots=True)
class MldsaHandover:
    """From the key `present` to the key `following`. Nothing in it is believed before `prove`."""

    present: NoteVerifier
    following: NoteVerifier
    checkpoint: bytes
    signatures: tuple[bytes, bytes]

    @classmethod
    def make(
        cls,
        present: tuple[NoteVerifier, Callable[[bytes], bytes]],
        following: tuple[NoteVerifier, Callable[[bytes], bytes]],
        head: SignedCheckpoint,
    ) -> "MldsaHandover":
        """A handover in a head that both cosigned. Each key comes with what signs by it."""
        message = signed_bytes(present[0], following[0], head.checkpoint)
        both = (present[1](message), following[1](message))
        return cls(present[0], following[0], head.note.encode(), both)

    def encode(self) -> bytes:
        """The file's bytes."""
        value: dict[str, Any] = {
            "checkpoint": self.checkpoint.decode(),
            "following": str(self.following),
            "format": FORMAT,
            "present": str(self.present),
            "signatures": [to_base64(signature) for signature in self.signatures],
        }
        return to_json(value)

    @classmethod
    def parse(cls, data: bytes) -> "MldsaHandover":
        """Read a file strictly; `VerificationError` for a wrong shape or another writing of the same."""
        if len(data) > MAX_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_BYTES} are read", "size")
        value = shape.members(from_json(data), "checkpoint", "following", "format", "present", "signatures")
        if value["format"] != FORMAT:
            raise _refuse(f"it is not of the format {FORMAT}", "format")
        first, second = shape.array(value["signatures"], 2, 2)
        found = cls(
            NoteVerifier.parse(shape.text(value["present"])),
            NoteVerifier.parse(shape.text(value["following"])),
            shape.text(value["checkpoint"], MAX_NOTE_BYTES).encode(),
            (
                shape.base64_of(first, mldsa.SIGNATURE_BYTES),
                shape.base64_of(second, mldsa.SIGNATURE_BYTES),
            ),
        )
        if found.encode() != data:
            raise _refuse("it is not written exactly: white space, order or escapes", "writing")
        return found

    def prove(self, pinned: NoteVerifier) -> SignedCheckpoint:
        """The head that both keys cosigned, if the log whose key `pinned` is goes on with `following`.

        Raises `VerificationError` that says what does not hold, or that this interpreter cannot judge ML-DSA-44.
        """
        if self.present != pinned or self.following == pinned:
            raise _refuse("it does not lead on from the key that is trusted here")
        if {self.present.type, self.following.type} != {MLDSA44} or self.present.name != self.following.name:
            raise _refuse("both keys are of type 0x06, and under the log's origin", "note-key")
        head = SignedCheckpoint.open(self.checkpoint, [self.present])
        SignedCheckpoint.open(self.checkpoint, [self.following])
        if len(head.note.signatures) != 2:
            raise _refuse("its head has other lines than the two keys' cosignatures")
        message = signed_bytes(self.present, self.following, head.checkpoint)
        for key, signature, who in (
            (self.present, self.signatures[0], "the key that is trusted here"),
            (self.following, self.signatures[1], "the key that follows"),
        ):
            if not mldsa.verify(key.public_key, signature, message):
                raise _refuse(f"{who} did not sign that the one follows the other")
        return head


def _refuse(message: str, code: str = "handover") -> VerificationError:
    return VerificationError(f"handover: {message}", code=code)
