"""What a statement refers to, judged from the log alone: does the leaf stand there, below the statement itself?

A receiver's statement refers to the shipper's, an adoption to the act that it adopts. A leaf is the hash of an entry
that has its place, so nobody can refer to what does not stand yet; where it does not stand at all, something was taken
away, or meant another ledger. That is a finding, never a refusal::

    for leaf in dangling(Entry.decode(body), ledger.find_leaf): ...
"""

from collections.abc import Callable
from enum import StrEnum

from ledger.log.entry import Entry
from ledger.signing.statement import Statement

_NONE = b'"refs":[]'


class RefCode(StrEnum):
    """Closed set; each has its heading in docs/reference/findings.md."""

    UNKNOWN = "ref_unknown"


def dangling(entry: Entry, find_leaf: Callable[[bytes], int | None]) -> list[bytes]:
    """The leaves that the entry's statement refers to and that stand nowhere below it, in its order.

    `find_leaf` gives the index of the entry with a leaf's hash, None where there is none. Raises `VerificationError`
    for a statement that cannot be read.
    """
    if (
        _NONE in entry.statement
    ):  # the canonical form of most: not parsed, because whole logs are looked through
        return []
    found = []
    for leaf in Statement.parse(entry.statement).refs:
        index = find_leaf(leaf)
        if index is None or index >= entry.index:
            found.append(leaf)
    return found
