"""Who may sign what, asked of a whole log: every entry's signatures, by the keys that the entries before it allow.

Keys are entries of the log themselves. Taken in the order of their indexes and put to the keyring's own rules, they say
of each entry whether those who signed it counted there, in the role that its kind asks for and for one party::

    audit = SignerAudit()
    audit.key(index, record, signers)            a key entry; its record is what its statement commits to
    audit.entry(index, kind, signers)            any other

Each raises `KeyringError` for what a committer that keeps the rules never appends, and a verifier of evidence refuses.
Whether a signature fits the bytes is another question, asked before this one. What is kept grows with the number of
keys, never with that of entries, and a record is put to the rules beside those keys alone that bear on it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from ledger.log.entry import Kind
from ledger.signing.keyrecord import KeyRecord, Role
from ledger.signing.keyring import KeyEntry, Keyring, KeyringError

_OF_PARTY: Final = frozenset((Role.DEVICE, Role.PERSON))
_OF_NODE: Final = frozenset((Role.INTAKE,))
_SIGNS: Final[Mapping[Kind, frozenset[Role]]] = {
    kind: _OF_PARTY if kind in (Kind.CAPTURED, Kind.VOID_SEQ) else _OF_NODE
    for kind in Kind
    if kind is not Kind.KEY
}
"""The roles whose keys sign a statement of each type (docs/formats/statement.md); the keyring judges keys' records."""


class SignerCode(StrEnum):
    """Closed set; each has its heading in docs/reference/findings.md."""

    KEY = "key_not_allowed"
    SIGNER = "signer_not_valid"


class SignerAudit:
    """Takes what stands in a log in the order of the indexes."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[KeyEntry, ...]] = {}
        self._governing: dict[str | None, set[bytes]] = {}
        self._keyring = Keyring(self._known)

    def key(self, index: int, record: KeyRecord, signers: Sequence[bytes]) -> None:
        """The key entry at `index`; `signers` are the thumbprints of its signatures, the author's first.

        Raises `KeyringError` where the rules do not allow it: then it changes nothing.
        """
        governing = self._governing.get(record.party, set())
        bearing = {*governing, record.thumbprint, *signers} & self._known.keys()
        keyring = Keyring({each: self._known[each] for each in bearing})
        found = keyring.add(index, record, signers).entries[record.thumbprint]
        self._known[record.thumbprint] = found
        if record.role is Role.ROOT or record.role.of_node:
            self._governing.setdefault(record.party, set()).add(record.thumbprint)

    def entry(self, index: int, kind: Kind, signers: Sequence[bytes]) -> None:
        """An entry of another kind. Raises `KeyringError` where a signature does not count, or is of a wrong role or
        another party."""
        keys = [self._keyring.require(each, index) for each in signers]
        for key in keys:
            if key.role not in _SIGNS[kind]:
                short = key.thumbprint.hex()[:16]
                raise KeyringError(
                    f"key {short} ({key.label}) is a {key.role} key, which signs no {kind.type} statement",
                    code="role",
                )
            if key.party != keys[0].party:
                raise KeyringError(
                    f"it is signed by keys of {keys[0].party} and of {key.party}", code="party"
                )
