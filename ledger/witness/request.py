"""What a log sends to a witness: C2SP tlog-witness, ``add-checkpoint``.

::

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=      the consistency proof from there, a hash a line

    example.com/behind-the-sofa                       the checkpoint, as the log signed it
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/...
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import from_base64, from_decimal, to_base64
from ledger.log.hashing import EMPTY_ROOT, HASH_BYTES
from ledger.log.note import MAX_NOTE_BYTES, Note, NoteVerifier

MAX_PROOF_LINES: Final = 63
MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 4096
_OLD: Final = "old "


@dataclass(frozen=True, slots=True)
class WitnessedCheckpoint(Checkpoint):
    """A checkpoint whose log added extension lines: they are cosigned with it, and nothing is said about them."""

    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed: three lines and the extensions."""
        return Checkpoint.text(self) + "".join(f"{line}\n" for line in self.extensions)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The three first lines of a checkpoint as it was sent, before anything in it is believed."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Submitted":
        """Read a note's text as a checkpoint. Raises `VerificationError`."""
        *lines, last = text.split("\n")
        if len(lines) < 3 or last or not all(lines):
            raise VerificationError("a checkpoint has lines origin, size and root", code="checkpoint")
        return cls(
            lines[0], from_decimal(lines[1]), from_base64(lines[2], length=HASH_BYTES), tuple(lines[3:])
        )

    @property
    def possible(self) -> bool:
        """Whether a tree can have this size and this root: the empty one has only one."""
        return self.size > 0 or self.root == EMPTY_ROOT

    def checkpoint(self) -> WitnessedCheckpoint:
        """The checkpoint. Raises `VerificationError` where it is not `possible`."""
        return WitnessedCheckpoint(self.origin, self.size, self.root, self.extensions)


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size that the log thinks the witness knows, the proof from there, and the note."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    submitted: Submitted

    @classmethod
    def parse(cls, data: bytes) -> "AddCheckpoint":
        """Read a request strictly. Raises `VerificationError`; verifies no signature and no proof."""
        if len(data) > MAX_REQUEST_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_REQUEST_BYTES} are read")
        above, gap, below = data.partition(b"\n\n")
        try:
            first, *hashes = above.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise _refuse("it begins with the line 'old SIZE'") from None
        if not gap or not first.startswith(_OLD):
            raise _refuse("it begins with the line 'old SIZE'")
        if len(hashes) > MAX_PROOF_LINES:
            raise _refuse(f"{len(hashes)} proof lines; at most {MAX_PROOF_LINES} are read")
        note = Note.parse(below)
        return cls(
            from_decimal(first.removeprefix(_OLD)),
            tuple(from_base64(line, length=HASH_BYTES) for line in hashes),
            note,
            Submitted.parse(note.text),
        )

    @staticmethod
    def encode(old: int, proof: Iterable[bytes], note: bytes) -> bytes:
        """The request's bytes."""
        lines = [f"{_OLD}{old}", *map(to_base64, proof), "", ""]
        return "\n".join(lines).encode() + note


def parse_answer(body: bytes, note: Note, keys: Iterable[NoteVerifier]) -> Note:
    """`note` with the cosignatures that a witness answered with; lines of keys that were not asked for are left out.

    Raises `VerificationError` where the answer is no signature lines, none of them by `keys`, or one of those is wrong.
    """
    known = list(keys)
    found = Note.parse(note.text.encode() + b"\n" + body)
    found.verify(known)
    lines = [line for line in found.signatures if any(key.wrote(line) for key in known)]
    return note.signed_also([line for line in lines if line not in note.signatures])


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"add-checkpoint: {message}", code="add-checkpoint")
