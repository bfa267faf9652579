"""Keys: a party's roots, and the devices and persons they vouch for. Private keys never come here.

Every registration, suspension and revocation is an entry of the ledger that a root of the party signed. The table
`party_key` has a row for each; what holds at which index is said by `ledger.signing.keyring`, the same rules by which
every verifier goes. Records are added in `app.devices.registry`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, Select, insert, select

from app.devices.models import party_key
from app.errors import Refused
from app.partners.models import party
from app.shared.chunks import chunks
from ledger.log.entry import Entry
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keyring import KeyEntry, Keyring, KeyringError, replaced_by
from ledger.signing.keys import Verifier, load_verifier
from ledger.signing.statement import Statement
from ledger.store.port import LedgerReader

SIGNING_ROLES = (Role.DEVICE, Role.PERSON)
PARTY_ROLES = (Role.ROOT, *SIGNING_ROLES)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the node knows it, with its registrations in order; the last one says how it stands."""

    thumbprint: bytes
    party_gln: str | None
    role: Role
    label: str
    spki: bytes
    registrations: tuple[KeyEntry, ...]

    @property
    def registered_idx(self) -> int:
        """Index of the registration that holds, or held last."""
        return self.registrations[-1].registered

    @property
    def ended_idx(self) -> int | None:
        """Index at which it ended; None while it is valid."""
        return self.registrations[-1].ended

    @property
    def suspect_since(self) -> int | None:
        """Index from which its signatures are in doubt, where its revocation named one."""
        return self.registrations[-1].suspect_since

    @property
    def state(self) -> str:
        """``valid``, ``suspended`` or ``revoked``."""
        if self.registrations[-1].revoked:
            return "revoked"
        return "valid" if self.ended_idx is None else "suspended"

    def verifier(self) -> Verifier:
        return load_verifier(self.spki)


class KeyEnded(Refused):
    """A signature by a key that was suspended or revoked: it does not count, and may be parked."""

    def __init__(self, key: bytes, why: str, ended_idx: int, detail: str) -> None:
        super().__init__(
            f"key.{why}",
            f"This key was {why}",
            detail,
            "Nothing was recorded. Sign it again with a valid key of the party.",
        )
        self.key = key
        self.why = why
        self.ended_idx = ended_idx


def records(connection: Connection, thumbprints: Iterable[bytes]) -> list[tuple[int, KeyRecord]]:
    """Every (index, record) about the keys with these thumbprints, in the order of the indexes."""
    found = []
    for chunk in chunks(sorted(set(thumbprints))):
        found += _records(connection, _query().where(party_key.c.thumbprint.in_(chunk)))
    return sorted(found, key=lambda pair: pair[0])


def governing(connection: Connection, gln: str | None) -> list[tuple[int, KeyRecord]]:
    """Every (index, record) about the keys that govern the party's: its roots; the intake keys for the node (None)."""
    query = _query().where(party_key.c.role == (Role.INTAKE if gln is None else Role.ROOT).value)
    return _records(connection, query.where(party.c.gln.is_(None) if gln is None else party.c.gln == gln))


def needed(
    connection: Connection, reader: LedgerReader, signers: Iterable[bytes]
) -> list[tuple[int, KeyRecord]]:
    """All records that a stranger needs to judge signatures by `signers`: theirs, those of the keys whose place they
    took, and of the keys that govern them all."""
    found = dict(records(connection, with_replaced(connection, reader, signers)))
    for gln in {record.party for record in found.values()}:
        found |= dict(governing(connection, gln))
    return sorted(found.items())


def with_replaced(connection: Connection, reader: LedgerReader, signers: Iterable[bytes]) -> set[bytes]:
    """`signers`, and the keys whose place they took, and so on: who signed along their registrations."""
    found: set[bytes] = set()
    more = set(signers)
    while more:
        found |= more
        more = _along(reader, dict(records(connection, more))) - found
    return found


def _along(reader: LedgerReader, found: Mapping[int, KeyRecord]) -> set[bytes]:
    """The keys that signed along in the place of which those of the registrations `found` came."""
    along: set[bytes] = set()
    for index, record in found.items():
        if record.action is Action.REGISTER and not record.role.of_node:
            signatures = Entry.decode(reader.entry(index)).signatures
            along.update(replaced_by(record, [signature.key for signature in signatures]))
    return along


def keys(connection: Connection, thumbprints: Iterable[bytes]) -> dict[bytes, Key]:
    """The keys with these thumbprints, of those that were ever registered."""
    return _keys(records(connection, thumbprints))


def keys_of(connection: Connection, gln: str) -> list[Key]:
    """All keys of a party, in the order of their first registration."""
    return list(_keys(_records(connection, _query().where(party.c.gln == gln))).values())


def all_keys(connection: Connection) -> list[Key]:
    """Every key on this node, in the order of registration."""
    return list(_keys(_records(connection, _query())).values())


def checkpoint_spkis(connection: Connection) -> list[bytes]:
    """The node's own keys that sign heads or once did, as DER SubjectPublicKeyInfo, in the order of registration."""
    query = select(party_key.c.spki).where(
        party_key.c.role == Role.CHECKPOINT.value, party_key.c.action == Action.REGISTER.value
    )
    return [bytes(spki) for spki in connection.execute(query.order_by(party_key.c.idx)).scalars()]


def nodes_own(connection: Connection) -> list[tuple[int, KeyRecord]]:
    """Every (index, record) about the node's own keys, in the order of the indexes."""
    return _records(
        connection, _query().where(party_key.c.role.in_((Role.INTAKE.value, Role.CHECKPOINT.value)))
    )


def _query() -> Select[tuple[object, ...]]:
    return (
        select(party_key, party.c.gln)
        .outerjoin(party, party.c.party_id == party_key.c.party_id)
        .order_by(party_key.c.idx)
    )


def _records(connection: Connection, query: Select[tuple[object, ...]]) -> list[tuple[int, KeyRecord]]:
    return [
        (row.idx, _record(row.action, bytes(row.spki), row.role, row.gln, row.label, row.suspect_since))
        for row in connection.execute(query)
    ]


@lru_cache(maxsize=4096)
def _record(
    action: str, spki: bytes, role: str, gln: str | None, label: str, suspect_since: int | None
) -> KeyRecord:
    return KeyRecord(Action(action), spki, Role(role), gln, label, suspect_since)


def _keys(found: Sequence[tuple[int, KeyRecord]]) -> dict[bytes, Key]:
    keyring = Keyring.accepted(found)
    labels = {record.thumbprint: record for _, record in found if record.action is Action.REGISTER}
    return {
        thumbprint: Key(
            thumbprint,
            entries[-1].party,
            entries[-1].role,
            entries[-1].label,
            labels[thumbprint].key,
            entries,
        )
        for thumbprint, entries in keyring.entries.items()
    }


def signer_of(
    connection: Connection, statement: Statement, signatures: Sequence[bytes]
) -> tuple[str, list[Verifier]]:
    """The party (GLN) whose key authored a signed capture, and the verifiers of all its signatures.

    Raises `Refused` where one of the keys is not registered, is no device's or person's, or of another party.
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
    for key in (author, *found.values()):
        if key.role not in SIGNING_ROLES:
            raise Refused(
                "key.role", f"A {key.role} key does not sign captures", key.label, "Use a device's key."
            )
    assert author.party_gln is not None  # no key of the node's own has one of these roles
    if any(key.party_gln != author.party_gln for key in found.values()):
        raise Refused("key.party", "The signatures are by keys of different parties")
    return author.party_gln, [found[thumb].verifier() for thumb in signatures]


def require_valid(connection: Connection, signatures: Sequence[EntrySignature], index: int) -> None:
    """Under the ledger's lock: every key that signed counts at `index`. Raises `Refused`, `KeyEnded`."""
    keyring = Keyring.accepted(records(connection, {signature.key for signature in signatures}))
    for signature in signatures:
        try:
            keyring.require(signature.key, index)
        except KeyringError as error:
            known = keyring.entries.get(signature.key)
            last = known[-1] if known else None
            if last is None or last.ended is None:
                raise Refused(
                    "key.unknown", "This key is not registered on this node", signature.key.hex()
                ) from error
            why = "revoked" if last.revoked else "suspended"
            raise KeyEnded(signature.key, why, last.ended, f"{last.label}, at index {last.ended}") from error


def insert_key(connection: Connection, record: KeyRecord, party_id: int | None, index: int) -> None:
    """Project the key record at `index`."""
    connection.execute(
        insert(party_key).values(
            idx=index,
            action=record.action.value,
            thumbprint=record.thumbprint,
            party_id=party_id,
            role=record.role.value,
            label=record.label,
            spki=record.key,
            suspect_since=record.suspect_since,
        )
    )
