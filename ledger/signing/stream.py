"""The root over a long capture, a record at a time: what `commitment.commit` gives, without all records in memory.

    stream = CommitmentStream(document_digest, intake, seed)
    for record in ...:
        stream.add(record)
    root, n = stream.root(), stream.count

Of each record one hash of 32 bytes is kept. Salts are SHAKE128's output, which begins alike whatever its length, so
that their number need not be known before the last record (docs/formats/statement.md).
"""

from collections.abc import Sequence

from ledger.signing.commitment import (
    HEAD_CHILDREN,
    SALT_BYTES,
    CommitmentError,
    Leaf,
    OpenList,
    Record,
    check_order,
    leaf_commitment,
    subtree_over,
)
from ledger.signing.remains import SEED_BYTES, salt_stream

_FIRST_SALTS = 4096


class CommitmentStream:
    """One capture's commitment. Raises `CommitmentError` for what `commit` raises it for."""

    def __init__(self, document_digest: bytes, intake: Sequence[Leaf], seed: bytes) -> None:
        if len(seed) != SEED_BYTES or len(document_digest) != 32:
            raise CommitmentError("a seed and a document's digest are 32 bytes each")
        self._seed = seed
        self._made = _FIRST_SALTS
        self._salts = salt_stream(seed, self._made)
        self._taken = 0
        self._children = [leaf_commitment("document", self._take(1), document_digest)]
        self._children.append(self._subtree("intake", intake))

    @property
    def count(self) -> int:
        """How many records were added."""
        return len(self._children) - HEAD_CHILDREN

    def add(self, record: Record) -> None:
        """Add the next record's fields, sorted by the bytes of their path."""
        self._children.append(self._subtree(f"e{self.count}", record))

    def root(self) -> bytes:
        """The root over what was added."""
        return subtree_over("", self._children)

    def _subtree(self, name: str, record: Record) -> bytes:
        check_order(record)
        hashes = []
        for field in record:
            path = f"{name}/{field.path}"
            if isinstance(field, Leaf):
                hashes.append(leaf_commitment(path, self._take(1), field.value))
            else:
                hashes.append(OpenList(path, field.values, self._take(len(field.values))).hash)
        return subtree_over(name, hashes)

    def _take(self, count: int) -> bytes:
        start, self._taken = self._taken, self._taken + count
        while self._taken > self._made:
            self._made *= 2
            self._salts = salt_stream(self._seed, self._made)
        return self._salts[start * SALT_BYTES : self._taken * SALT_BYTES]
