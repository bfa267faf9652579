"""Keys: a party's root, and the devices and persons it vouches for. Private keys never come here.

Every registration is an entry of the ledger that the party's root signed, and the new key too, which proves that its
holder has it. The table `party_key` is a projection of those entries.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from app.devices.models import party_key
from app.errors import Conflict, Invalid, Refused
from app.partners import service as partners
from app.partners.models import party
from app.shared.clock import Clock
from ledger.errors import VerificationError
from ledger.log.encoding import from_json
from ledger.log.entry import Kind
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.commitment import commit
from ledger.signing.envelope import Envelope, verify
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keys import Verifier, load_verifier
from ledger.signing.statement import Statement
from ledger.store.port import Draft
from ledger.store.sql.engine import Database
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

SIGNING_ROLES = (Role.DEVICE, Role.PERSON)
PARTY_ROLES = (Role.ROOT, *SIGNING_ROLES)


@dataclass(frozen=True, slots=True)
class Key:
    """A registered key as the node knows it."""

    thumbprint: bytes
    party_gln: str | None
    role: Role
    label: str
    spki: bytes
    registered_idx: int
    revoked_idx: int | None

    def verifier(self) -> Verifier:
        return load_verifier(self.spki)


def keys(connection: Connection, thumbprints: Iterable[bytes]) -> dict[bytes, Key]:
    """The keys with these thumbprints, of those that are registered."""
    query = (
        select(party_key, party.c.gln)
        .outerjoin(party, party.c.party_id == party_key.c.party_id)
        .where(party_key.c.thumbprint.in_(list(thumbprints)))
    )
    return {bytes(row.thumbprint): _key(row) for row in connection.execute(query)}


def keys_of(connection: Connection, gln: str) -> list[Key]:
    """All keys of a party, in the order of their registration."""
    query = (
        select(party_key, party.c.gln)
        .join(party, party.c.party_id == party_key.c.party_id)
        .where(party.c.gln == gln)
        .order_by(party_key.c.registered_idx)
    )
    return [_key(row) for row in connection.execute(query)]


def all_keys(connection: Connection) -> list[Key]:
    """Every key on this node, in the order of registration."""
    query = (
        select(party_key, party.c.gln)
        .outerjoin(party, party.c.party_id == party_key.c.party_id)
        .order_by(party_key.c.registered_idx)
    )
    return [_key(row) for row in connection.execute(query)]


def _key(row: object) -> Key:
    return Key(
        bytes(row.thumbprint),  # type: ignore[attr-defined]
        row.gln,  # type: ignore[attr-defined]
        Role(row.role),  # type: ignore[attr-defined]
        row.label,  # type: ignore[attr-defined]
        bytes(row.spki),  # type: ignore[attr-defined]
        row.registered_idx,  # type: ignore[attr-defined]
        row.revoked_idx,  # type: ignore[attr-defined]
    )


def signer_of(
    connection: Connection, statement: Statement, signatures: Sequence[bytes]
) -> tuple[str, list[Verifier]]:
    """The party (GLN) whose key authored a signed capture, and the verifiers of all its signatures.

    Raises `Refused` for a key that is not registered, is no device's or person's, or belongs to another party.
    """
    found = keys(connection, {statement.author, *signatures})
    missing = [thumb for thumb in (statement.author, *signatures) if thumb not in found]
    if missing:
        raise Refused(
            "key.unknown",
            "This key is not registered on this node",
            f"thumbprint {missing[0].hex()}",
            "Enrol the device first: packproof-scan enrol --node URL --root-key FILE",
        )
    author = found[statement.author]
    if author.role not in SIGNING_ROLES or author.party_gln is None:
        raise Refused(
            "key.role", f"A {author.role} key does not sign captures", author.label, "Use a device's key."
        )
    if any(key.party_gln != author.party_gln for key in found.values()):
        raise Refused("key.party", "The signatures are by keys of different parties")
    return author.party_gln, [found[thumb].verifier() for thumb in signatures]


def require_valid(connection: Connection, signatures: Sequence[EntrySignature], index: int) -> None:
    """Under the ledger's lock: every key that signed counts at `index`. Raises `Refused` otherwise."""
    found = keys(connection, {signature.key for signature in signatures})
    for signature in signatures:
        key = found.get(signature.key)
        if key is None:
            raise Refused("key.unknown", "This key is not registered on this node", signature.key.hex())
        if key.revoked_idx is not None and key.revoked_idx <= index:
            raise Refused(
                "key.revoked",
                "This key was revoked",
                f"{key.label}, at index {key.revoked_idx}",
                "Nothing was recorded. Sign it again with a valid key of the party.",
            )


class Keys:
    """Registering keys, each in a transaction of its own. `may_write` as the committer has it."""

    def __init__(self, database: Database, origin: str, clock: Clock, may_write: Callable[[], None]) -> None:
        self._database = database
        self._origin = origin
        self._clock = clock
        self._may_write = may_write

    def register(
        self,
        envelope: bytes,
        document: bytes,
        seed: bytes,
        *,
        party: str | None = None,
        roles: Collection[Role] = PARTY_ROLES,
    ) -> Key:
        """Append a registration that its party's root signed (its own: the root itself). Idempotent.

        Only for the party `party` (GLN) where one is given, and only for keys of `roles`: a root registers itself, so
        who brings one must be somebody that the operator believes. Raises `Invalid` for a record that cannot be read
        or does not fit its statement, `Refused` for one that docs/formats/statement.md does not allow.
        """
        try:
            opened = Envelope.parse(envelope)
            record = _open_record(opened, document, seed, self._origin)
            verifiers = [load_verifier(record.key)]
        except VerificationError as error:
            raise Invalid("key.malformed", "The key's registration cannot be read", str(error)) from error
        if record.role not in roles:
            raise Refused("key.role", f"A {record.role} key is not registered this way", record.label)
        if party is not None and record.party != party:
            raise Refused("key.party", f"This key is for {record.party}, not for {party}", record.label)
        self._may_write()
        with self._database.writing() as connection:
            writer = SqlWriter(connection, self._origin)
            head = writer.lock()
            author = Statement.parse(opened.statement).author
            if record.role is not Role.ROOT:
                verifiers.insert(0, self._root(connection, record, author, head.size))
            elif author != record.thumbprint:
                raise Refused(
                    "key.author", "A root registers itself", "", "Sign the record with the root alone."
                )
            try:
                verify(opened, verifiers)
                signatures = opened.entry_signatures(verifiers)
            except VerificationError as error:
                raise Invalid("key.signature", "A signature does not verify", str(error)) from error
            if {s.key for s in signatures} != {v.thumbprint for v in verifiers}:
                raise Refused("key.possession", "The new key has to sign along with the root")
            return self._write(connection, writer, record, opened, signatures, seed)

    def _root(self, connection: Connection, record: KeyRecord, author: bytes, index: int) -> Verifier:
        root = keys(connection, [author]).get(author)
        if root is None or root.role is not Role.ROOT or root.party_gln != record.party:
            raise Refused(
                "key.author",
                "Only the party's root registers its keys",
                f"party {record.party}",
                "Have the operator register the root first: packproof party add ... --root FILE",
            )
        if root.revoked_idx is not None:
            raise Refused("key.revoked", "This root was revoked", root.label)
        return root.verifier()

    def _write(
        self,
        connection: Connection,
        writer: SqlWriter,
        record: KeyRecord,
        envelope: Envelope,
        signatures: tuple[EntrySignature, ...],
        seed: bytes,
    ) -> Key:
        known = keys(connection, [record.thumbprint]).get(record.thumbprint)
        if known is not None:
            if (known.party_gln, known.role) != (record.party, record.role):
                raise Conflict("key.taken", "This key is registered already, for something else")
            if known.revoked_idx is not None:
                raise Refused("key.revoked", "This key was revoked", known.label, "Enrol a new key.")
            return known
        owner = partners.by_gln(connection, record.party or "")
        if owner is None or not owner.verified:
            raise Refused(
                "party.unknown",
                f"{record.party} is not registered here",
                "",
                "The operator does: packproof party add",
            )
        if record.role is Role.ROOT and any(k.role is Role.ROOT for k in keys_of(connection, owner.gln)):
            raise Conflict(
                "key.second_root", f"{owner.name} has a root already", "", "A party has one root here."
            )
        [entry] = writer.append(
            [Draft(Kind.KEY, to_micros(self._clock.now()) // 1000, envelope.statement, signatures, seed)]
        )
        insert_key(connection, record, owner.party_id, entry.index)
        return keys(connection, [record.thumbprint])[record.thumbprint]


def insert_key(connection: Connection, record: KeyRecord, party_id: int | None, index: int) -> None:
    """Project a key's registration at `index`."""
    connection.execute(
        insert(party_key).values(
            thumbprint=record.thumbprint,
            party_id=party_id,
            role=record.role.value,
            label=record.label,
            spki=record.key,
            registered_idx=index,
        )
    )


def _open_record(envelope: Envelope, document: bytes, seed: bytes, origin: str) -> KeyRecord:
    """The key record that the statement commits to. Raises `VerificationError`."""
    statement = Statement.parse(envelope.statement)
    record = KeyRecord.from_fields(_members(document))
    if record.document() != document:
        raise VerificationError("the document is not written as JCS writes it", code="key-record")
    if statement.ledger != origin or statement.kind is not Kind.KEY or record.action is not Action.REGISTER:
        raise VerificationError(f"not a key's registration for {origin}", code="key-record")
    root = commit(hashlib.sha256(document).digest(), [], [record.fields()], seed)
    if (statement.commit.root, statement.commit.n) != (root, 1):
        raise VerificationError("document and seed do not give the root that was signed", code="key-record")
    return record


def _members(document: bytes) -> dict[str, bytes]:
    found = from_json(document)
    if not isinstance(found, dict):
        raise VerificationError("the document is no object", code="key-record")
    try:
        return {name: str(text).encode() for name, text in found.items()}
    except UnicodeEncodeError as error:
        raise VerificationError("a text of it cannot be written as UTF-8", code="key-record") from error
