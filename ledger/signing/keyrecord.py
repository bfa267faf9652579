"""Key records: who may sign, registered and revoked by entries of the ledger itself.

A key record is committed like an event (docs/formats/statement.md): a list of fields, each of one value, and a raw
document that is JCS of the same members, all strings::

    {"action":"register","key":"<base64 DER SPKI>","label":"Dock 3 scanner","party":"9506000134352",
     "role":"device","type":"key"}

A party's root registers itself. A device's or person's key is registered by the party's root and signs along, which
proves that its holder has it; in a rotation the key whose place it takes signs along too. The node's own keys are
registered by its intake key, which registers itself first.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_decimal, to_base64
from ledger.log.entry import Kind
from ledger.signing.commitment import SEED_BYTES, Leaf, commit
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keys import Signer, load_verifier, thumbprint
from ledger.signing.printable import is_printable
from ledger.signing.statement import Commit, Statement

MAX_LABEL: Final = 100
_REQUIRED: Final = frozenset(("type", "action", "key", "role", "label"))
_OPTIONAL: Final = frozenset(("party", "suspectSince"))


class Action(StrEnum):
    """What happens to the key."""

    REGISTER = "register"
    REVOKE = "revoke"
    SUSPEND = "suspend"


class Role(StrEnum):
    """What the key is for; the last two are the node's own."""

    ROOT = "root"
    DEVICE = "device"
    PERSON = "person"
    INTAKE = "intake"
    CHECKPOINT = "checkpoint"

    @property
    def of_node(self) -> bool:
        """Whether it is one of the node's own keys, which belong to no party."""
        return self in (Role.INTAKE, Role.CHECKPOINT)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One registration, revocation or suspension. `key` is the DER SubjectPublicKeyInfo, `party` a GLN.

    `suspect_since` is the index from which a revoked key's signatures are in doubt.
    """

    action: Action
    key: bytes
    role: Role
    party: str | None
    label: str
    suspect_since: int | None = None

    def __post_init__(self) -> None:
        load_verifier(self.key)
        if self.role.of_node != (self.party is None):
            raise _refuse("a party's key names its party, a node's own key names none")
        if self.party is not None and not (
            len(self.party) == 13 and self.party.isascii() and self.party.isdigit()
        ):
            raise _refuse(f"party {self.party[:40]!r} is not a GLN of 13 digits")
        if not 1 <= len(self.label) <= MAX_LABEL or not is_printable(self.label):
            raise _refuse(f"a label has 1 to {MAX_LABEL} printable characters")
        if self.suspect_since is not None and (self.action is not Action.REVOKE or self.suspect_since < 0):
            raise _refuse("only a revocation says since which index the key is suspect")

    @property
    def thumbprint(self) -> bytes:
        """The thumbprint of the key it is about."""
        return thumbprint(self.key)

    def members(self) -> dict[str, str]:
        """The record's members, as the document has them and, in UTF-8, the fields."""
        members = {
            "type": "key",
            "action": self.action.value,
            "key": to_base64(self.key),
            "role": self.role.value,
            "label": self.label,
        }
        if self.party is not None:
            members["party"] = self.party
        if self.suspect_since is not None:
            members["suspectSince"] = str(self.suspect_since)
        return members

    def fields(self) -> list[Leaf]:
        """The record as fields for the commitment, sorted by path."""
        return [Leaf(path, value.encode()) for path, value in sorted(self.members().items())]

    def document(self) -> bytes:
        """The raw document: JCS (RFC 8785) of the members; for strings without control characters this is it."""
        return json.dumps(self.members(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_fields(cls, fields: Mapping[str, bytes]) -> "KeyRecord":
        """Read a record from all its fields; `VerificationError` for anything but exactly one."""
        if fields.keys() - _OPTIONAL != _REQUIRED or fields["type"] != b"key":
            raise _refuse("its fields are not those of a key record")
        try:
            text = {path: value.decode("utf-8") for path, value in fields.items()}
            action, role = Action(text["action"]), Role(text["role"])
        except ValueError:
            raise _refuse("an action, role or text that cannot be read") from None
        since = text.get("suspectSince")
        return cls(
            action,
            from_base64(text["key"]),
            role,
            text.get("party"),
            text["label"],
            None if since is None else from_decimal(since),
        )


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A key record ready to be appended: the envelope, and the document and seed that open its commitment."""

    record: KeyRecord
    envelope: Envelope
    document: bytes
    seed: bytes


def sign_record(record: KeyRecord, ledger: str, signers: Sequence[Signer]) -> SignedRecord:
    """Make the statement of a key record for the log `ledger` and sign it, the author's key first."""
    seed, document = secrets.token_bytes(SEED_BYTES), record.document()
    root = commit(sha256(document).digest(), [], [record.fields()], seed)
    statement = Statement.new(ledger, signers[0].thumbprint, Kind.KEY, Commit(root, 1))
    return SignedRecord(record, sign(statement.encode(), signers), document, seed)


def register_root(ledger: str, root: Signer, party: str, label: str) -> SignedRecord:
    """A party's root registers itself. `party` is its GLN."""
    return sign_record(KeyRecord(Action.REGISTER, root.spki, Role.ROOT, party, label), ledger, [root])


def register_key(
    ledger: str,
    root: Signer,
    key: Signer,
    role: Role,
    party: str,
    label: str,
    *,
    replaces: Signer | None = None,
) -> SignedRecord:
    """A party's root registers a device's or person's key, which signs along; so does the key whose place it takes."""
    signers = [root, key]
    if replaces is not None and replaces.thumbprint != root.thumbprint:
        signers.append(replaces)
    return sign_record(KeyRecord(Action.REGISTER, key.spki, role, party, label), ledger, signers)


def register_intake(ledger: str, intake: Signer, label: str) -> SignedRecord:
    """The node's intake key registers itself: entry 0 of every log."""
    return sign_record(KeyRecord(Action.REGISTER, intake.spki, Role.INTAKE, None, label), ledger, [intake])


def register_checkpoint_key(ledger: str, intake: Signer, spki: bytes, label: str) -> SignedRecord:
    """The intake key registers the key that signs checkpoints: entry 1 of every log.

    That key does not sign along: every checkpoint proves that the node has it.
    """
    return sign_record(KeyRecord(Action.REGISTER, spki, Role.CHECKPOINT, None, label), ledger, [intake])


def register_next_intake(ledger: str, intake: Signer, following: Signer, label: str) -> SignedRecord:
    """The intake key registers the one that follows it, which signs along."""
    record = KeyRecord(Action.REGISTER, following.spki, Role.INTAKE, None, label)
    return sign_record(record, ledger, [intake, following])


def register_next_checkpoint_key(
    ledger: str, intake: Signer, present: Signer, following: Signer, label: str
) -> SignedRecord:
    """The intake key registers the checkpoint key `following`; `present`, which is valid, vouches for it, and it signs
    along itself.

    Notes and envelopes cannot be taken for one another: what is signed of an envelope begins with ``DSSEv1`` and a
    space, and a note with its origin, which has no space.
    """
    record = KeyRecord(Action.REGISTER, following.spki, Role.CHECKPOINT, None, label)
    return sign_record(record, ledger, [intake, present, following])


def revoke(ledger: str, author: Signer, record: KeyRecord, suspect_since: int | None = None) -> SignedRecord:
    """Revoke the key that `record` registered; `author` is the party's root, or the intake key for the node's own."""
    revocation = KeyRecord(Action.REVOKE, record.key, record.role, record.party, record.label, suspect_since)
    return sign_record(revocation, ledger, [author])


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"key record: {message}", code="key-record")
