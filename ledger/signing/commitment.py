"""The salted commitment: a capture's content is not in the ledger, only a Merkle root over it.

Single fields, and single elements of a list, can so be shown with a short proof while the rest stays hidden; the salts
keep anybody from guessing what is hidden. The tree (docs/formats/statement.md)::

    root    = subtree("", [ document, intake, e0, e1, ... ])
    intake  = subtree("intake", [ leaf("intake/channel", ...), ... ])
    e0      = subtree("e0", [ leaf("e0/bizStep", ...), subtree("e0/epcList", [ leaf("e0/epcList/0", ...), ... ]), ... ])

    leaf(path, salt, value)  = SHA-256(0x00 || salt[16] || path || 0x00 || value)
    subtree(path, children)  = SHA-256(0x02 || path || 0x00 || u32 number of children || mth(children))

Callers give paths within a record (``epcList``) and names within the intake (``channel``); the prefixes are put here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import chain, repeat
from struct import Struct
from typing import Final, NamedTuple

from ledger.errors import LedgerError
from ledger.log.hashing import hash_each, tree_hash
from ledger.log.proof import LeafNodes, inclusion_proof, root_at
from ledger.signing.remains import SALT_BYTES as SALT_BYTES
from ledger.signing.remains import SEED_BYTES as SEED_BYTES
from ledger.signing.remains import is_seed, openings, salt_stream

HEAD_CHILDREN: Final = 2
"""Children of the root before the first record: `document` and `intake`."""

_SALTS_AT_ONCE: Final = Struct("16s" * 128)
_HIDDEN: Final = b"\x00"


class CommitmentError(LedgerError):
    """The caller gave fields that have no commitment: out of order, twice, or a path with a zero byte."""

    code = "commitment"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of one value."""

    path: str
    value: bytes


class HiddenLeaf(Leaf):
    """A field whose value is kept elsewhere or was erased: its `value` is a zero byte and the hash of its leaf."""

    __slots__ = ()

    @classmethod
    def of(cls, path: str, leaf_hash: bytes) -> "HiddenLeaf":
        """The field at `path` without its value."""
        return cls(path, _HIDDEN + leaf_hash)

    @property
    def hash(self) -> bytes:
        """The hash of its leaf in the commitment."""
        return self.value[1:]


@dataclass(frozen=True, slots=True)
class ListField:
    """A field that is a list: every element is a leaf of its own."""

    path: str
    values: tuple[bytes, ...]


Field = Leaf | ListField
Record = Sequence[Field]
"""The fields of one event or key record, sorted by the bytes of their path."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a tree needs of a record of which nothing is shown: its subtree's hash, and how many leaves it has."""

    hash: bytes
    leaves: int


def leaf_commitment(path: str, salt: bytes, value: bytes) -> bytes:
    """The hash of one value under its whole path and salt."""
    return sha256(b"\x00" + salt + path.encode() + b"\x00" + value).digest()


def subtree_commitment(path: str, count: int, children_root: bytes) -> bytes:
    """The hash of a subtree, from the number of its children and the Merkle hash over them."""
    return sha256(b"\x02" + path.encode() + b"\x00" + count.to_bytes(4, "big") + children_root).digest()


def subtree_over(path: str, children: Sequence[bytes]) -> bytes:
    """The hash of a subtree over the hashes of its children."""
    return subtree_commitment(path, len(children), tree_hash(children))


def commit(document_digest: bytes, intake: Sequence[Leaf], records: Sequence[Record], seed: bytes) -> bytes:
    """The root over a capture: digest of its raw document, what the node noted at intake, and its records.

    `document_digest` is SHA-256 of the raw document, `seed` 32 random bytes made by the author for this capture, or
    what a redaction left of them (ledger.signing.remains): hashes in it stand for the values that were erased.
    Raises `CommitmentError` for fields out of order or twice.
    """
    return Tree(document_digest, intake, records, seed).root


class OpenLeaf(NamedTuple):
    """A committed value with what is needed to show it. Where salt and value are empty it cannot be shown."""

    path: str
    salt: bytes
    value: bytes
    hash: bytes

    @property
    def can_be_shown(self) -> bool:
        """Whether its value and salt are there."""
        return bool(self.salt)


class OpenList:
    """A committed list; its elements are shown one by one, each with an audit path."""

    __slots__ = ("_hashes", "_nodes", "_salts", "hash", "path", "values")

    def __init__(self, path: str, values: Sequence[bytes], salts: bytes) -> None:
        self.path = path
        self.values = values
        self._salts = salts
        self._hashes = _element_hashes(path, values, salts)
        self._nodes = LeafNodes(self._hashes)
        self.hash = subtree_commitment(path, len(values), root_at(self._nodes, len(values)))

    def element(self, index: int) -> OpenLeaf:
        """Element `index` with its salt."""
        salt = self._salts[index * SALT_BYTES : (index + 1) * SALT_BYTES]
        return OpenLeaf(f"{self.path}/{index}", salt, self.values[index], self._hashes[index])

    def audit_path(self, index: int) -> list[bytes]:
        """The hashes from element `index` to the Merkle hash over all elements."""
        return inclusion_proof(self._nodes, index, len(self._hashes))


OpenField = OpenLeaf | OpenList


class Tree:
    """The commitment with all that is needed to show parts of it; as fast to make as the root alone.

    Of a record that is an `Outline` nothing can be shown, and nothing is hashed: a document of thousands of events is
    made again for one of them.
    """

    def __init__(
        self, document_digest: bytes, intake: Sequence[Leaf], records: Sequence[Record | Outline], seed: bytes
    ) -> None:
        if len(document_digest) != 32 or len(seed) < SEED_BYTES:
            raise CommitmentError("a seed and a document's digest are 32 bytes each")
        check_order(intake)
        for record in records:
            if not isinstance(record, Outline):
                check_order(record)
        self._leaves = [_leaves(record) for record in records]
        salts = _Salts(seed, 1 + len(intake) + sum(self._leaves))
        self.document = _open_leaf("document", document_digest, salts)
        self.intake = [_open_leaf(f"intake/{leaf.path}", leaf.value, salts) for leaf in intake]
        self.records: list[list[OpenField]] = []
        self.children = [self.document.hash, subtree_over("intake", [leaf.hash for leaf in self.intake])]
        for number, record in enumerate(records):
            if isinstance(record, Outline):
                salts.skip(record.leaves)
                opened, over = [], record.hash
            else:
                opened = [_open(f"e{number}/", each, salts) for each in record]
                over = subtree_over(f"e{number}", [each.hash for each in opened])
            self.records.append(opened)
            self.children.append(over)
        self.root = subtree_over("", self.children)

    def outlines(self) -> tuple[Outline, ...]:
        """Every record as an outline."""
        return tuple(map(Outline, self.children[HEAD_CHILDREN:], self._leaves))

    @cached_property
    def _nodes(self) -> LeafNodes:
        return LeafNodes(self.children)

    def audit_path(self, child: int) -> list[bytes]:
        """The hashes from the root's child number `child` (0 document, 1 intake, 2 e0, ...) to all its children's."""
        return inclusion_proof(self._nodes, child, len(self.children))


class _Salts:
    """Leaf number k (depth first) has bytes 16k to 16k+15 of SHAKE128(label || seed), or what a redaction left."""

    __slots__ = ("_at", "_left", "_stream")

    def __init__(self, seed: bytes, count: int) -> None:
        self._left = None if is_seed(seed) else openings(seed, count)
        self._stream = salt_stream(seed, count) if self._left is None else b""
        self._at = 0

    def take(self, count: int = 1) -> bytes:
        """The salts of the next `count` leaves."""
        start = self._at
        self._at = start + count
        if self._left is None:
            return self._stream[start * SALT_BYTES : self._at * SALT_BYTES]
        salts = b"".join(self._left[start : self._at])
        if len(salts) != count * SALT_BYTES:
            raise CommitmentError("a leaf of a list was erased: only fields of one value can be")
        return salts

    def skip(self, count: int) -> None:
        """Leave out the salts of the next `count` leaves."""
        self._at += count

    def erased(self) -> bytes | None:
        """The hash of the next leaf, which is then taken, if it was erased."""
        if self._left is None or len(self._left[self._at]) == SALT_BYTES:
            return None
        self._at += 1
        return self._left[self._at - 1]


def leaf_count(intake: int, records: Sequence[Record]) -> int:
    """How many leaves a capture has: the document's, `intake` of the intake, and those of its records."""
    return 1 + intake + sum(_leaves(record) for record in records)


def leaf_numbers(intake: int, records: Sequence[Record]) -> dict[str, int]:
    """The number of each leaf that is a field of one value, by its whole path (``e0/bizStep``); ``document`` is 0."""
    found, number = {"document": 0}, 1 + intake
    for position, record in enumerate(records):
        for field in record:
            if isinstance(field, Leaf):
                found[f"e{position}/{field.path}"] = number
            number += 1 if isinstance(field, Leaf) else len(field.values)
    return found


def _leaves(record: Record | Outline) -> int:
    if isinstance(record, Outline):
        return record.leaves
    return sum(1 if isinstance(field, Leaf) else len(field.values) for field in record)


def check_order(fields: Sequence[Field]) -> None:
    """Raise `CommitmentError` unless fields are sorted by the bytes of the path, each path once, no list empty.

    Code points sort as their UTF-8 bytes do.
    """
    before = ""
    for field in fields:
        if field.path <= before:
            raise CommitmentError(
                f"field {field.path!r} does not follow {before!r}: sort fields by path, each once"
            )
        if "\x00" in field.path:
            raise CommitmentError(f"field {field.path!r} holds a zero byte, which ends a path")
        if isinstance(field, ListField) and not field.values:
            raise CommitmentError(
                f"field {field.path!r} is a list without elements, which is an absent field"
            )
        before = field.path


def _open_leaf(path: str, value: bytes, salts: _Salts) -> OpenLeaf:
    erased = salts.erased()
    if erased is not None:
        return OpenLeaf(path, b"", b"", erased)
    salt = salts.take()
    return OpenLeaf(path, salt, value, leaf_commitment(path, salt, value))


def _open(prefix: str, field: Field, salts: _Salts) -> OpenField:
    path = prefix + field.path
    if isinstance(field, Leaf):
        opened = _open_leaf(path, field.value, salts)
        return OpenLeaf(path, b"", b"", field.hash) if isinstance(field, HiddenLeaf) else opened
    return OpenList(path, field.values, salts.take(len(field.values)))


def _element_hashes(path: str, values: Sequence[bytes], salts: bytes) -> list[bytes]:
    """The hot loop: a pallet's document lists ten thousand EPCs, and each is one leaf.

    Joining tuples in C and hashing what comes out is the fastest that Python has for it: a loop that does nothing but
    hash takes four fifths of it.
    """
    count = len(values)
    # Few sizes are kept, all powers of two; a list longer than any of the trade is not worth keeping.
    positions = (
        _positions(1 << max(4, (count - 1).bit_length())) if count <= 2**14 else _make_positions(count)
    )
    parts = (repeat(b"\x00"), _each_salt(salts), repeat(path.encode() + b"/"), positions, values)
    return hash_each(map(b"".join, zip(*parts, strict=False)))


def _each_salt(salts: bytes) -> Iterable[bytes]:
    """Salt by salt, and zeros after the last; taken apart by the hundred, which costs a third of one by one."""
    if len(salts) < _SALTS_AT_ONCE.size:
        return [salts[at : at + SALT_BYTES] for at in range(0, len(salts), SALT_BYTES)]
    return chain.from_iterable(_SALTS_AT_ONCE.iter_unpack(salts + bytes(-len(salts) % _SALTS_AT_ONCE.size)))


def _make_positions(count: int) -> tuple[bytes, ...]:
    """The ends of the paths of a list's elements, each with the zero byte that ends a path."""
    return tuple(b"%d\x00" % index for index in range(count))


_positions = lru_cache(maxsize=12)(_make_positions)
