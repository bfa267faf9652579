"""Adding to the keys: registration, suspension, coming back, revocation, each a record that the party itself signed.

The node adds nothing of its own to the rules: it builds the keyring that a verifier would build from the ledger and
asks it, under the ledger's lock, whether the record may stand at the next index. The same record again changes nothing
and tells how the key stands now, also after it has ended since.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection

from app.devices import service as devices
from app.devices.service import PARTY_ROLES, Key
from app.errors import AppError, Conflict, Invalid, Refused
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.errors import VerificationError
from ledger.log.encoding import from_json
from ledger.log.entry import Kind
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.commitment import commit
from ledger.signing.envelope import Envelope, verify
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keyring import Keyring, KeyringError
from ledger.signing.keys import Verifier, load_verifier
from ledger.signing.statement import Statement
from ledger.store.port import Draft
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

Run = Callable[[Callable[[Connection, SqlWriter], Any]], Any]
"""The committer's `run` (`app.capture.committer`)."""


class Keys:
    """Key records, written by the committer as all else. `run` is its: under the ledger's lock, tried again where what
    kept it from that passes, and answered 503 where it does not."""

    def __init__(self, origin: str, clock: Clock, run: Run) -> None:
        self._origin = origin
        self._clock = clock
        self._run = run

    def register(
        self,
        envelope: bytes,
        document: bytes,
        seed: bytes,
        *,
        party: str | None = None,
        roles: Collection[Role] = PARTY_ROLES,
    ) -> Key:
        """Append a registration; idempotent. A root that registers itself must be brought by the operator.

        Only for the party `party` (GLN) where one is given, and only for keys of `roles`. Raises `Refused` also where
        the key was registered and has ended since; else as `apply` does.
        """
        record = self._read(envelope, document, seed)[1]
        if record.action is not Action.REGISTER:
            raise Invalid("key.malformed", "This is no registration of a key", record.action.value)
        if record.role not in roles:
            raise Refused("key.role", f"A {record.role} key is not registered this way", record.label)
        if party is not None and record.party != party:
            raise Refused("key.party", f"This key is for {record.party}, not for {party}", record.label)
        key = self._apply(envelope, document, seed, by_operator=True)
        if key.state != "valid":
            raise devices.KeyEnded(key.thumbprint, key.state, key.ended_idx or 0, key.label)
        return key

    def apply(self, envelope: bytes, document: bytes, seed: bytes) -> Key:
        """Append any record about a party's key that a root of it signed, and tell how the key stands then.

        Raises `Invalid` for a record that cannot be read or does not fit its statement, `Refused` and `Conflict` for
        one that docs/formats/statement.md does not allow.
        """
        return self._apply(envelope, document, seed, by_operator=False)

    def _apply(self, envelope: bytes, document: bytes, seed: bytes, *, by_operator: bool) -> Key:
        opened, record, author = self._read(envelope, document, seed)

        def write(connection: Connection, writer: SqlWriter) -> Key:
            index = writer.lock().size
            # Before anything is answered: what this tells, and the token that an enrolment gives, are for who signed.
            keyring, signatures = self._signed(connection, opened, record, author)
            if writer.find_statement(opened.statement) is not None:
                return devices.keys(connection, [record.thumbprint])[record.thumbprint]
            known = devices.keys(connection, [record.thumbprint]).get(record.thumbprint)
            if known is not None and record.action is Action.REGISTER:
                self._known(known, record)
                if known.state == "valid":
                    self._vouched(keyring, opened, record, author, index)
                    return known
            by_itself = author == record.thumbprint and record.role is Role.ROOT
            if by_itself and record.action is Action.REGISTER and not by_operator:
                raise Refused(
                    "key.role",
                    "A root that vouches for itself is registered by the node's operator",
                    record.label,
                    "The operator does: packproof party add GLN --root FILE",
                )
            if known is not None and (known.state, record.action) == ("suspended", Action.SUSPEND):
                raise Conflict(
                    "key.again",
                    "This key is suspended already",
                    f"{known.label}, since entry {known.ended_idx}",
                    "Nothing is to be done. packproof key reinstate takes it back, packproof key revoke ends it.",
                )
            self._allow(keyring, opened, record, author, index)
            owner = partners.by_gln(connection, record.party or "")
            if owner is None or not owner.verified:
                raise Refused(
                    "party.unknown",
                    f"{record.party} is not registered here",
                    "",
                    "The operator does: packproof party add",
                )
            received_ms = to_micros(self._clock.now()) // 1000
            [entry] = writer.append([Draft(Kind.KEY, received_ms, opened.statement, signatures, seed)])
            devices.insert_key(connection, record, owner.party_id, entry.index)
            return devices.keys(connection, [record.thumbprint])[record.thumbprint]

        key: Key = self._run(write)
        return key

    def _read(self, envelope: bytes, document: bytes, seed: bytes) -> tuple[Envelope, KeyRecord, bytes]:
        try:
            opened = Envelope.parse(envelope)
            record = _open_record(opened, document, seed, self._origin)
        except VerificationError as error:
            raise Invalid("key.malformed", "The key's record cannot be read", str(error)) from error
        if record.role not in PARTY_ROLES:
            raise Refused("key.role", f"A {record.role} key is the node's own", record.label)
        return opened, record, Statement.parse(opened.statement).author

    def _known(self, known: Key, record: KeyRecord) -> None:
        if (known.party_gln, known.role) != (record.party, record.role):
            raise Conflict("key.taken", "This key is registered already, for something else")
        if known.state == "revoked":
            raise devices.KeyEnded(known.thumbprint, "revoked", known.ended_idx or 0, known.label)

    def _signed(
        self, connection: Connection, opened: Envelope, record: KeyRecord, author: bytes
    ) -> tuple[Keyring, tuple[EntrySignature, ...]]:
        """The keys that bear on the record, and its signatures, each of which verifies."""
        standing = dict(devices.governing(connection, record.party))
        signers = [signature.key for signature in opened.signatures]
        standing |= dict(devices.records(connection, [record.thumbprint, author, *signers]))
        keyring = Keyring.accepted(sorted(standing.items()))
        by: dict[bytes, Verifier] = {record.thumbprint: load_verifier(record.key)}
        by |= {thumbprint: entries[-1].verifier for thumbprint, entries in keyring.entries.items()}
        if author not in by:
            raise _not_the_root(record)
        if not set(signers) <= by.keys():
            raise _replaced(record)
        verifiers = [by[thumbprint] for thumbprint in signers]
        try:
            verify(opened, verifiers)
            return keyring, opened.entry_signatures(verifiers)
        except VerificationError as error:
            raise Invalid("key.signature", "A signature does not verify", str(error)) from error

    def _vouched(
        self, keyring: Keyring, opened: Envelope, record: KeyRecord, author: bytes, index: int
    ) -> None:
        """A registration of a key that stands, in another statement: by a valid root of its party and by the key."""
        root = keyring.valid_at(author, index)
        if root is None or (root.role, root.party) != (Role.ROOT, record.party):
            raise _not_the_root(record)
        if record.thumbprint not in {signature.key for signature in opened.signatures}:
            raise _not_possessed()

    def _allow(
        self, keyring: Keyring, opened: Envelope, record: KeyRecord, author: bytes, index: int
    ) -> None:
        """Raise unless the keyring's rules allow the record at `index`."""
        if record.suspect_since is not None and record.suspect_since > index:
            raise Invalid(
                "key.malformed",
                "The key is said to be suspect since an entry that does not exist yet",
                f"{record.suspect_since}; the ledger has {index} entries",
            )
        try:
            keyring.add(index, record, [signature.key for signature in opened.signatures])
        except KeyringError as error:
            raise _refusal(error, keyring, record, author, index) from error


def _refusal(error: KeyringError, keyring: Keyring, record: KeyRecord, author: bytes, index: int) -> AppError:
    """What the keyring's refusal is called at the node's edge."""
    if error.code == "key-possession":
        return _not_possessed()
    if error.code == "key-replaced":
        return _replaced(record)
    if error.code != "key-author":
        return Conflict(
            error.code.replace("-", ".", 1), "The keys of this party do not allow it", error.message
        )
    if author == record.thumbprint and record.role is Role.ROOT and record.action is Action.REGISTER:
        return Conflict(
            "key.second_root",
            f"{record.party} has a valid root already",
            "",
            "A further root is registered by that one: packproof key rotate. Where it is lost, its revocation that was "
            "made with it comes first: docs/operating/keys.md.",
        )
    last = (keyring.entries.get(author) or (None,))[-1]
    if last is not None and last.role is Role.ROOT and last.ended is not None and last.ended <= index:
        return Refused(
            "key.revoked", f"This root was {'revoked' if last.revoked else 'suspended'}", last.label
        )
    return _not_the_root(record)


def _not_possessed() -> Refused:
    return Refused("key.possession", "The new key has to sign along with the root")


def _replaced(record: KeyRecord) -> Refused:
    return Refused(
        "key.replaced",
        "Beside root and new key only the key whose place it takes signs a registration",
        f"that is one valid {record.role} key of {record.party}",
        "A key that is lost or ended signs nothing: packproof key revoke, then packproof key make.",
    )


def _not_the_root(record: KeyRecord) -> Refused:
    return Refused(
        "key.author",
        "Only the party's root registers and ends its keys",
        f"party {record.party}",
        "Have the operator register the root first: packproof party add ... --root FILE",
    )


def _open_record(envelope: Envelope, document: bytes, seed: bytes, origin: str) -> KeyRecord:
    """The key record that the statement commits to. Raises `VerificationError`."""
    statement = Statement.parse(envelope.statement)
    record = KeyRecord.from_fields(members_of(document))
    if record.document() != document:
        raise VerificationError("the document is not written as JCS writes it", code="key-record")
    if statement.ledger != origin or statement.kind is not Kind.KEY:
        raise VerificationError(f"not a key's record for {origin}", code="key-record")
    root = commit(hashlib.sha256(document).digest(), [], [record.fields()], seed)
    if (statement.commit.root, statement.commit.n) != (root, 1):
        raise VerificationError("document and seed do not give the root that was signed", code="key-record")
    return record


def members_of(document: bytes) -> dict[str, bytes]:
    """The members of a record's document, which are all strings. Raises `VerificationError`."""
    found = from_json(document)
    if not isinstance(found, dict):
        raise VerificationError("the document is no object", code="key-record")
    try:
        return {name: str(text).encode() for name, text in found.items()}
    except UnicodeEncodeError as error:
        raise VerificationError("a text of it cannot be written as UTF-8", code="key-record") from error
