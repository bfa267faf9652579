"""The keyring: which key signs for whom, and at which indexes its signature counts.

Built from the key records of the ledger, in the order of their indexes, by one set of rules for the node that accepts
signatures and the stranger who checks evidence:

* a key may sign at index i if it was registered below i and not revoked or suspended at or below i;
* a party's root registers itself where the party has no valid root; further roots of a party are registered by a
  root that is valid then, and sign along;
* a device's or person's key is registered by a valid root of its party and signs along;
* where it takes the place of another key of the same party and role (a rotation), that one signs along too, and is
  valid then; nobody else's signature stands on a registration. A key that is lost signs nothing: it is revoked, and
  the next one registered without it;
* the intake key at index 0 registers itself; every other key of the node is registered by a valid intake key, and a
  new intake key signs along; a checkpoint key that follows a valid one signs along too, and so does that one, so that
  whoever pinned the old key needs nobody's word for the new;
* a key is revoked or suspended by a valid root of its party (a root also by itself), a node's own by a valid
  intake key;
* a suspension ends when the key is registered again; a revocation never ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.errors import LedgerError
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keys import Verifier, load_verifier


class KeyringError(LedgerError):
    """A key record or a signature that the keyring's rules do not allow."""

    code = "keyring"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key's registration: it counts above `registered` and below `ended` (nothing: still)."""

    verifier: Verifier
    role: Role
    party: str | None
    label: str
    registered: int
    ended: int | None = None
    revoked: bool = False
    suspect_since: int | None = None

    @property
    def thumbprint(self) -> bytes:
        """The key's thumbprint."""
        return self.verifier.thumbprint

    def valid_at(self, index: int) -> bool:
        """Whether a signature at `index` counts."""
        return self.registered < index and (self.ended is None or index < self.ended)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys by thumbprint, each with its registrations in order. A value: `add` gives a new one."""

    entries: Mapping[bytes, tuple[KeyEntry, ...]] = field(default_factory=dict)

    @classmethod
    def accepted(cls, records: Iterable[tuple[int, KeyRecord]]) -> "Keyring":
        """The keyring that (index, record) in the order of their indexes give, without asking the rules again.

        For records that stand in the ledger: whoever appended them has asked. All records of a key, or none. Raises
        `KeyringError` where an end comes before its registration.
        """
        entries: dict[bytes, tuple[KeyEntry, ...]] = {}
        for index, record in records:
            before = entries.get(record.thumbprint, ())
            if record.action is Action.REGISTER:
                entries[record.thumbprint] = _begun(before, index, record)
            elif before:
                entries[record.thumbprint] = _ended(before, index, record)
            else:
                raise KeyringError(f"the record at {index} ends a key that was never registered")
        return cls(entries)

    def valid_at(self, thumbprint: bytes, index: int) -> KeyEntry | None:
        """The registration by which a signature of this key at `index` counts, or nothing."""
        for entry in self.entries.get(thumbprint, ()):
            if entry.valid_at(index):
                return entry
        return None

    def require(self, thumbprint: bytes, index: int) -> KeyEntry:
        """As `valid_at`; raises `KeyringError` that says why a signature does not count."""
        entry = self.valid_at(thumbprint, index)
        if entry is not None:
            return entry
        known = self.entries.get(thumbprint)
        short = thumbprint.hex()[:16]
        if not known:
            raise KeyringError(f"key {short} is not registered in this ledger", code="key-unknown")
        if known[0].registered >= index:
            raise KeyringError(f"key {short} was registered at {known[0].registered} only", code="key-early")
        ended = [item for item in known if item.registered < index][-1]
        word = "revoked" if ended.revoked else "suspended"
        raise KeyringError(f"key {short} ({ended.label}) was {word} at {ended.ended}", code=f"key-{word}")

    def roots(self, party: str, index: int) -> list[KeyEntry]:
        """The party's root keys that are valid at `index`."""
        return [
            entry
            for registrations in self.entries.values()
            for entry in registrations
            if entry.role is Role.ROOT and entry.party == party and entry.valid_at(index)
        ]

    def add(self, index: int, record: KeyRecord, signers: Sequence[bytes]) -> "Keyring":
        """The keyring with the record at `index` applied; `signers` are the keys whose signatures over it verified.

        The author's is the first. Raises `KeyringError` if the rules do not allow it.
        """
        if record.action is Action.REGISTER:
            return self._register(index, record, signers)
        return self._end(index, record, signers)

    def _register(self, index: int, record: KeyRecord, signers: Sequence[bytes]) -> "Keyring":
        key, author = record.thumbprint, signers[0]
        before = self.entries.get(key, ())
        if before:
            last = before[-1]
            if last.revoked or last.ended is None:
                word = "was revoked and stays so" if last.revoked else "is registered already"
                raise KeyringError(f"key {key.hex()[:16]} {word}", code="key-again")
            if (last.role, last.party) != (record.role, record.party):
                raise KeyringError("a suspended key comes back as what it was", code="key-again")
        if not self._may_register(index, record, author):
            raise KeyringError(
                f"key {author.hex()[:16]} may not register a {record.role} key for {record.party or 'this node'}",
                code="key-author",
            )
        if record.role is not Role.CHECKPOINT and key not in signers:
            raise KeyringError(
                "the new key did not sign along: its holder is not proven", code="key-possession"
            )
        if record.role is Role.CHECKPOINT:
            self._followed(index, key, signers)
        if not record.role.of_node:
            self._replaced(index, record, signers)
        return Keyring({**self.entries, key: _begun(before, index, record)})

    def checkpoints(self, index: int) -> list[KeyEntry]:
        """The log's checkpoint keys that are valid at `index`, in the order of their registration."""
        found = [
            entry
            for registrations in self.entries.values()
            for entry in registrations
            if entry.role is Role.CHECKPOINT and entry.valid_at(index)
        ]
        return sorted(found, key=lambda entry: entry.registered)

    def _followed(self, index: int, key: bytes, signers: Sequence[bytes]) -> None:
        standing = {entry.thumbprint for entry in self.checkpoints(index)}
        if standing and (key not in signers or not standing & set(signers)):
            raise KeyringError(
                "a checkpoint key that follows another is signed along by both", code="key-possession"
            )

    def _replaced(self, index: int, record: KeyRecord, signers: Sequence[bytes]) -> None:
        beside = replaced_by(record, signers)
        entries = [self.valid_at(each, index) for each in beside]
        if len(beside) > 1 or any(
            entry is None or (entry.role, entry.party) != (record.role, record.party) for entry in entries
        ):
            raise KeyringError(
                "beside root and new key only the key whose place it takes signs a registration: "
                f"one valid {record.role} key of {record.party}",
                code="key-replaced",
            )

    def _may_register(self, index: int, record: KeyRecord, author: bytes) -> bool:
        by_itself = author == record.thumbprint
        if record.role is Role.INTAKE and by_itself:
            return index == 0
        if record.role is Role.ROOT and by_itself:
            # Such a root stands for itself; whether it is the party's, only a verifier's own policy knows.
            return not self.roots(record.party or "", index)
        return self._governs(index, record, author)

    def _governs(self, index: int, record: KeyRecord, author: bytes) -> bool:
        entry = self.valid_at(author, index)
        if entry is None:
            return False
        if record.role.of_node:
            return entry.role is Role.INTAKE
        return entry.role is Role.ROOT and entry.party == record.party

    def _end(self, index: int, record: KeyRecord, signers: Sequence[bytes]) -> "Keyring":
        key = record.thumbprint
        before = self.entries.get(key, ())
        if not before or before[-1].revoked:
            raise KeyringError(
                f"key {key.hex()[:16]} is not registered, or revoked already", code="key-unknown"
            )
        last = before[-1]
        if (last.role, last.party) != (record.role, record.party):
            raise KeyringError(
                "the record names another role or party than the registration", code="key-record"
            )
        if not self._governs(index, record, signers[0]):
            raise KeyringError(
                f"key {signers[0].hex()[:16]} may not {record.action} this key", code="key-author"
            )
        return Keyring({**self.entries, key: _ended(before, index, record)})


def replaced_by(record: KeyRecord, signers: Sequence[bytes]) -> tuple[bytes, ...]:
    """The keys that signed a registration beside its author and the new key: that whose place it takes, if any.

    `record` is a party's, `signers` all keys whose signatures stand on it, the author's first.
    """
    return tuple(each for each in signers if each not in (signers[0], record.thumbprint))


def _begun(before: tuple[KeyEntry, ...], index: int, record: KeyRecord) -> tuple[KeyEntry, ...]:
    return (
        *before,
        KeyEntry(load_verifier(record.key), record.role, record.party, record.label, index),
    )


def _ended(before: tuple[KeyEntry, ...], index: int, record: KeyRecord) -> tuple[KeyEntry, ...]:
    *earlier, last = before
    ended = replace(
        last,
        ended=index if last.ended is None else last.ended,
        revoked=record.action is Action.REVOKE,
        suspect_since=record.suspect_since,
    )
    # A thief may have had it before it was suspended and came back: the doubt reaches over all its registrations.
    return (*(replace(each, suspect_since=record.suspect_since) for each in earlier), ended)
