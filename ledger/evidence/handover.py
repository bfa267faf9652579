"""A log goes over to another checkpoint key: the file by which whoever pinned the old one follows, on nobody's word.

One JSON object (docs/formats/handover.md)::

    {"checkpoint": "<note>", "entries": [{"document", "entry", "proof", "seed"}], "following": "<verifier key>",
     "format": "packproof-handover/1", "present": "<verifier key>"}

The checkpoint is signed by both keys. The entries are all key records of the node's own keys below it, each opened
whole; by the rules of `ledger.signing.keyring` they register the new key, and the old one signed that registration.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.encoding import from_json, to_base64, to_json
from ledger.log.entry import MAX_ENTRY_BYTES, Entry, Kind
from ledger.log.hashing import leaf_hash
from ledger.log.note import ED25519, MAX_NOTE_BYTES, NoteVerifier
from ledger.log.proof import verify_inclusion
from ledger.signing.commitment import commit
from ledger.signing.envelope import verify_signatures
from ledger.signing.keyrecord import KeyRecord, Role
from ledger.signing.keyring import Keyring, KeyringError
from ledger.signing.keys import Verifier, ed25519_spki, load_verifier, thumbprint
from ledger.signing.statement import Statement

FORMAT: Final = "packproof-handover/1"
MEMBER: Final = b'"format":"packproof-handover/'
"""Stands in no other file of ours: within a text a quotation mark stands after a backslash."""
MAX_HANDOVER_BYTES: Final = 2 * 1024 * 1024
MAX_KEY_ENTRIES: Final = 256
_MAX_DOCUMENT_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class KeyEntryProof:
    """An entry that holds a key record, its audit path, and the document and seed that open its commitment."""

    entry: bytes
    proof: tuple[bytes, ...]
    document: bytes
    seed: bytes

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "document": to_base64(self.document),
            "entry": to_base64(self.entry),
            "proof": [to_base64(part) for part in self.proof],
            "seed": self.seed.hex(),
        }


@dataclass(frozen=True, slots=True)
class Handover:
    """From the key `present` to the key `following`. Nothing in it is believed before `prove`."""

    present: NoteVerifier
    following: NoteVerifier
    checkpoint: bytes
    entries: tuple[KeyEntryProof, ...]

    def encode(self) -> bytes:
        """The file's bytes."""
        return to_json(
            {
                "checkpoint": self.checkpoint.decode(),
                "entries": [entry.to_json() for entry in self.entries],
                "following": str(self.following),
                "format": FORMAT,
                "present": str(self.present),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Handover":
        """Read a file strictly; `VerificationError` for a wrong shape or another writing of the same."""
        if len(data) > MAX_HANDOVER_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_HANDOVER_BYTES} are read", "size")
        value = shape.members(from_json(data), "checkpoint", "entries", "following", "format", "present")
        if value["format"] != FORMAT:
            raise _refuse(f"it is not of the format {FORMAT}", "format")
        found = cls(
            NoteVerifier.parse(shape.text(value["present"])),
            NoteVerifier.parse(shape.text(value["following"])),
            shape.text(value["checkpoint"], MAX_NOTE_BYTES).encode(),
            tuple(_entry(item) for item in shape.array(value["entries"], 1, MAX_KEY_ENTRIES)),
        )
        if found.encode() != data:
            raise _refuse("it is not written exactly: white space, order or escapes", "writing")
        return found

    def prove(self, pinned: NoteVerifier) -> SignedCheckpoint:
        """The head that both keys signed, if the log whose key `pinned` is goes on with `following`.

        Raises `VerificationError` that says what does not hold.
        """
        try:
            return self._proven(pinned)
        except KeyringError as error:
            raise _refuse(error.message, error.code) from None

    def _proven(self, pinned: NoteVerifier) -> SignedCheckpoint:
        if self.present != pinned or self.following == pinned:
            raise _refuse("it does not lead on from the key that is trusted here")
        if {self.present.type, self.following.type} != {ED25519} or self.present.name != self.following.name:
            raise _refuse("a log's key is of type 0x01, and under its origin", "note-key")
        head = SignedCheckpoint.open(self.checkpoint, [self.present])
        SignedCheckpoint.open(self.checkpoint, [self.following])
        keyring, signers, before = Keyring(), {}, -1
        statements: set[bytes] = set()
        for item in self.entries:
            entry, record = _record(item, head, keyring)
            if entry.index <= before or (before < 0 < entry.index):
                raise _refuse("its entries begin with the ledger's first and ascend", "order")
            before = entry.index
            if entry.statement in statements:
                raise _refuse(f"the statement of entry {entry.index} stands before already", "repeated")
            statements.add(entry.statement)
            by = [signature.key for signature in entry.signatures]
            keyring = keyring.add(entry.index, record, by)
            signers[record.thumbprint, entry.index] = by
        old, new = _thumbprint(self.present), _thumbprint(self.following)
        registered = keyring.require(new, head.checkpoint.size)
        vouching = keyring.require(old, registered.registered)
        if {registered.role, vouching.role} != {Role.CHECKPOINT}:
            raise _refuse("it is about keys that sign no checkpoints")
        if old not in signers[new, registered.registered]:
            raise _refuse("the key that is trusted here did not sign for the one that follows")
        return head


def split_handovers(data: bytes) -> list[bytes]:
    """The handovers in a node's answer, a JSON array of them; none where it cannot be read. Nothing is believed yet."""
    try:
        value = from_json(data) if len(data) <= MAX_HANDOVER_BYTES * 2 else None
    except VerificationError:
        value = None
    return [to_json(each) for each in value[:MAX_KEY_ENTRIES]] if isinstance(value, list) else []


def _record(item: KeyEntryProof, head: SignedCheckpoint, keyring: Keyring) -> tuple[Entry, KeyRecord]:
    """The key record that an entry in the head's tree commits to, each signature on it verified."""
    entry, tree = Entry.decode(item.entry), head.checkpoint
    verify_inclusion(leaf_hash(item.entry), entry.index, tree.size, item.proof, tree.root)
    statement = Statement.parse(entry.statement)
    if statement.ledger != tree.origin or {statement.kind, entry.kind} != {Kind.KEY}:
        raise _refuse(f"entry {entry.index} is no key record of {tree.origin}", "kind")
    record = _open(item.document)
    root = commit(sha256(item.document).digest(), [], [record.fields()], item.seed)
    if (statement.commit.root, statement.commit.n) != (root, 1):
        raise _refuse(f"document and seed are not those of entry {entry.index}", "commitment")
    verifiers: list[Verifier] = [load_verifier(record.key)]
    verifiers += [entries[-1].verifier for entries in keyring.entries.values()]
    verify_signatures(entry.statement, statement.author, entry.signatures, verifiers)
    return entry, record


def _entry(value: object) -> KeyEntryProof:
    members = shape.members(value, "document", "entry", "proof", "seed")
    return KeyEntryProof(
        shape.base64_of(members["entry"], MAX_ENTRY_BYTES),
        shape.hashes(members["proof"]),
        shape.base64_of(members["document"], _MAX_DOCUMENT_BYTES),
        shape.hex_of(members["seed"], 32),
    )


def _open(document: bytes) -> KeyRecord:
    try:
        members = from_json(document)
        fields = {name: text.encode() for name, text in members.items()}
    except (AttributeError, UnicodeEncodeError):
        raise _refuse("a document that is no key record", "key-record") from None
    record = KeyRecord.from_fields(fields)
    if record.document() != document:
        raise _refuse("a document that is not written as JCS writes it", "key-record")
    return record


def _thumbprint(key: NoteVerifier) -> bytes:
    """The thumbprint by which key records know the Ed25519 key of a log."""
    return thumbprint(ed25519_spki(key.public_key))


def _refuse(message: str, code: str = "handover") -> VerificationError:
    return VerificationError(f"handover: {message}", code=code)
