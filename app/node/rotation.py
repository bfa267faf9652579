"""The node's own keys are followed by others, in two steps between which both count.

    begin(INTAKE)         a new key, registered by the old one and by itself; every process signs by it from then on
    begin(CHECKPOINT)     a new key, registered by the intake key; the present key and it sign along. Every head is
                          signed by both from then on, so that nobody who pinned either is left behind
    finish(...)           the old key is revoked, by the intake key that counts then; its file is gone

Each step may be run again after a crash: it goes on where it stood. In `data_dir/keys` the key that follows waits as
``NAME-next.pem`` until it takes the other's place (`app.node.keys`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.devices import service as devices
from app.errors import Conflict
from app.node.keys import CHECKPOINT, INTAKE
from app.node.service import Node
from ledger.signing.keyrecord import (
    Action,
    KeyRecord,
    Role,
    SignedRecord,
    register_next_checkpoint_key,
    register_next_intake,
    revoke,
)
from ledger.signing.keyring import KeyEntry, Keyring
from ledger.signing.keys import Ed25519Signer
from ledger.store.sql.writer import SqlWriter

ROLES = {INTAKE: Role.INTAKE, CHECKPOINT: Role.CHECKPOINT}
_Signed = tuple[SignedRecord, tuple[Ed25519Signer, ...]]
LABELS = {INTAKE: "intake key of this node", CHECKPOINT: "checkpoint key of this node"}


@dataclass(frozen=True, slots=True)
class Rotated:
    """Where the entry of a step stands (None: it stood already), and the thumbprints of the keys that count now."""

    index: int | None
    keys: tuple[str, ...]


@dataclass
class Rotation:
    """The two steps. `node` is this node; nothing is cached."""

    node: Node

    def begin(self, name: str) -> Rotated:
        """Register a key that follows `name` (``intake``, ``checkpoint``). Raises `Conflict` where one does already."""
        node = self.node
        node.may_write()
        valid = self._valid(name)
        present = self._key(name)
        if len(valid) > 1 and not self._resumes(name, valid, present):
            raise Conflict(
                "node.rotation_open",
                f"Two {name} keys count already",
                ", ".join(entry.thumbprint.hex()[:16] for entry in valid),
                f"End the old one first: packproof ledger rotate-key {name} --finish",
            )
        following = node.keys.make_following(name)
        index = self._append(lambda keyring, _: self._registration(name, keyring, present, following))
        if name == INTAKE:
            node.keys.take_over(INTAKE)
        node.checkpoint()  # of a new checkpoint key: a head that both sign, and that the registration is part of
        return Rotated(index, self._thumbprints(name))

    def finish(self, name: str) -> Rotated:
        """Revoke the key that is followed, and remove its file. Raises `Conflict` where none is."""
        node = self.node
        node.may_write()
        following = node.keys.following(name)
        newest = following or self._key(name)
        valid = self._valid(name)
        if newest.thumbprint not in {entry.thumbprint for entry in valid} or (
            len(valid) < 2 and following is None
        ):
            raise Conflict(
                "node.rotation_none",
                f"There is no {name} key to end",
                "",
                f"Begin with: packproof ledger rotate-key {name}",
            )
        if name == CHECKPOINT:
            node.checkpoint()  # the last head that the old key signs, with the new one
        index = None
        for entry in valid:
            if entry.thumbprint != newest.thumbprint:
                index = self._append(partial(self._revocation, entry))
        if following is not None:
            node.keys.take_over(name)
        node.checkpoint()
        return Rotated(index, self._thumbprints(name))

    def _resumes(self, name: str, valid: list[KeyEntry], present: Ed25519Signer) -> bool:
        """Whether the step got as far as the registration, and not further."""
        following = self.node.keys.following(name)
        if following is None or following.thumbprint == present.thumbprint:
            return False
        return name == INTAKE and {entry.thumbprint for entry in valid} == {
            present.thumbprint,
            following.thumbprint,
        }

    def _registration(
        self, name: str, keyring: Keyring, present: Ed25519Signer, following: Ed25519Signer
    ) -> _Signed | None:
        if following.thumbprint in keyring.entries:
            return None
        origin, label, intake = self.node.origin, LABELS[name], self.node.keys.intake
        if name == INTAKE:
            return register_next_intake(origin, intake, following, label), (intake, following)
        record = register_next_checkpoint_key(origin, intake, present, following, label)
        return record, (intake, present, following)

    def _revocation(self, old: KeyEntry, keyring: Keyring, size: int) -> _Signed | None:
        if keyring.valid_at(old.thumbprint, size) is None:
            return None
        intake = self.node.keys.intake
        record = KeyRecord(Action.REGISTER, old.verifier.spki, old.role, None, old.label)
        return revoke(self.node.origin, intake, record), (intake,)

    def _append(self, make: Callable[[Keyring, int], _Signed | None]) -> int | None:
        """Append what `make` gives for the keyring and the size under the lock; None where it stands already."""
        node = self.node
        with node.database.writing() as connection:
            writer = SqlWriter(connection, node.origin)
            size = writer.lock().size
            keyring = Keyring.accepted(devices.nodes_own(connection))
            made = make(keyring, size)
            if made is None:
                return None
            signed, signers = made
            # By the rules that every verifier goes by.
            keyring.add(size, signed.record, [signer.thumbprint for signer in signers])
            [entry] = writer.append([node.draft_of(signed, signers)])
            devices.insert_key(connection, signed.record, None, entry.index)
            return entry.index

    def _valid(self, name: str) -> list[KeyEntry]:
        with self.node.database.reading() as connection:
            size = self.node.ledger.reader(connection).head().size
            entries = [
                entry
                for registrations in Keyring.accepted(devices.nodes_own(connection)).entries.values()
                for entry in registrations
                if entry.role is ROLES[name] and entry.valid_at(size)
            ]
        return sorted(entries, key=lambda entry: entry.registered)

    def _key(self, name: str) -> Ed25519Signer:
        return self.node.keys.intake if name == INTAKE else self.node.keys.checkpoint

    def _thumbprints(self, name: str) -> tuple[str, ...]:
        return tuple(entry.thumbprint.hex() for entry in self._valid(name))
