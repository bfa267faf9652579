"""The checkpoint: the tree's head, signed, that everybody keeps and compares.

C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), a signed note of exactly three lines::

    packproof.example/ledger
    1234
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — packproof.example/ledger Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo...

The log signs under its origin. Extension lines are refused: no witness would check them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_decimal, to_base64
from ledger.log.hashing import EMPTY_ROOT, HASH_BYTES
from ledger.log.note import Note, NoteSigner, NoteVerifier, check_name
from ledger.log.tree import MAX_SIZE


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the log: whose, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise _refuse("its size or root is out of range")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise _refuse("a tree without entries has another root")

    def text(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the three lines; `VerificationError` for anything more, less or written otherwise."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise _refuse("it has not exactly the lines origin, size and root")
        return cls(lines[0], from_decimal(lines[1]), from_base64(lines[2], length=HASH_BYTES))

    def sign(self, signer: NoteSigner) -> Note:
        """The signed note. Whoever calls this has written the mark before (`ledger.log.mark`)."""
        if signer.name != self.origin:
            raise _refuse(f"signer {signer.name} is not the log {self.origin}")
        return signer.sign(self.text())


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose log's signature was verified, with the note as it came."""

    checkpoint: Checkpoint
    note: Note

    @classmethod
    def open(cls, data: bytes, logs: Iterable[NoteVerifier]) -> "SignedCheckpoint":
        """Read and verify a checkpoint signed by one of `logs` under its own origin.

        Raises `VerificationError`. Cosignatures of witnesses stay in `note`, unverified.
        """
        note = Note.parse(data)
        checkpoint = Checkpoint.parse(note.text)
        keys = [log for log in logs if log.name == checkpoint.origin]
        if not keys:
            raise VerificationError(
                f"the checkpoint is of {checkpoint.origin}, a log that is not trusted here",
                code="unknown-log",
            )
        note.verify(keys)
        return cls(checkpoint, note)


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"checkpoint: {message}", code="checkpoint")
