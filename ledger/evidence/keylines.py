"""What is told of each registration of a key: how long it counted, whose word it is, and whether it is in doubt.

A stolen root does not only sign: it registers. So the doubt about a key reaches every key whose registration it signed
at or above the index since which it is suspected, and the keys that those registered::

    root suspected since 5:   2 root   5 device ("Line 9", by the thief)   7 shipping, signed by Line 9: in doubt
"""

from collections.abc import Mapping

from ledger.evidence.policy import Policy
from ledger.evidence.report import KeyLine
from ledger.signing.keyring import KeyEntry, Keyring


def key_lines(keyring: Keyring, authors: Mapping[int, bytes], policy: Policy | None) -> dict[int, KeyLine]:
    """Each registration by its index, a key's registrations together. `authors` are the thumbprints of the keys that
    signed first on the key records, by their index."""
    doubts = _doubts(keyring, authors)
    return {each.registered: _line(each, policy, doubts[each.registered]) for each in _all(keyring)}


def _all(keyring: Keyring) -> list[KeyEntry]:
    return [entry for entries in keyring.entries.values() for entry in entries]


def _doubts(keyring: Keyring, authors: Mapping[int, bytes]) -> dict[int, int | None]:
    """Of each registration, by its index: since when a key that it goes back to is suspected, if it was by then."""
    found: dict[int, int | None] = {}
    for entry in sorted(_all(keyring), key=lambda each: each.registered):
        index = entry.registered
        by = keyring.valid_at(authors[index], index)  # nothing where a key registered itself
        if by is None:
            found[index] = None
        elif by.suspect_since is not None and index >= by.suspect_since:
            found[index] = by.suspect_since
        else:
            found[index] = found[by.registered]
    return found


def _line(entry: KeyEntry, policy: Policy | None, registered_in_doubt: int | None) -> KeyLine:
    return KeyLine(
        key=entry.thumbprint.hex(),
        role=entry.role.value,
        party=entry.party,
        label=entry.label,
        registered=entry.registered,
        ended=entry.ended,
        revoked=entry.revoked,
        suspect_since=entry.suspect_since,
        pinned=policy is not None and entry.party in policy.roots,
        registered_in_doubt=registered_in_doubt,
    )
