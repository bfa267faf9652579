"""What an evidence file shows of a commitment: nodes that are shown, hidden, or shown in part.

Every node has a hash, and shown and hidden ones fold into the same root (docs/formats/evidence.md)::

    {"path": "e0/bizStep", "salt": hex, "value": base64}                          shown
    {"hash": hex}                                                                 hidden
    {"path": "e0/epcList", "n": 240, "elements": [{"i": 7, "salt", "value", "proof"}]}   a list, some elements shown
    {"path": "intake", "nodes": [...]}                                            a subtree, a node a child
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from itertools import pairwise
from typing import Any

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.log.encoding import to_base64
from ledger.log.proof import fold_inclusion
from ledger.signing.commitment import OpenLeaf, OpenList, leaf_commitment, subtree_commitment, subtree_over

MAX_CHILDREN = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Hidden:
    """A child of which only the hash is given."""

    hash: bytes

    def fold(self) -> bytes:
        """Its hash."""
        return self.hash

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"hash": self.hash.hex()}


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of one value with its salt."""

    path: str
    salt: bytes
    value: bytes

    def fold(self) -> bytes:
        """Its hash."""
        return leaf_commitment(self.path, self.salt, self.value)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"path": self.path, "salt": self.salt.hex(), "value": to_base64(self.value)}


@dataclass(frozen=True, slots=True)
class Element:
    """One shown element of a list with the audit path to the hash over all elements."""

    i: int
    salt: bytes
    value: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Elements:
    """A list of `n` elements of which at least one is shown."""

    path: str
    n: int
    elements: tuple[Element, ...]

    def fold(self) -> bytes:
        """Its hash; raises `VerificationError` if two elements lead to different lists."""
        roots = [
            fold_inclusion(
                leaf_commitment(f"{self.path}/{item.i}", item.salt, item.value), item.i, self.n, item.proof
            )
            for item in self.elements
        ]
        if not all(compare_digest(root, roots[0]) for root in roots):
            raise VerificationError(f"the elements shown of {self.path} are not of one list", code="elements")
        return subtree_commitment(self.path, self.n, roots[0])

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        elements = [
            {
                "i": item.i,
                "salt": item.salt.hex(),
                "value": to_base64(item.value),
                "proof": [to_base64(part) for part in item.proof],
            }
            for item in self.elements
        ]
        return {"path": self.path, "n": self.n, "elements": elements}


@dataclass(frozen=True, slots=True)
class Subtree:
    """A subtree of leaves, each shown or hidden: the intake."""

    path: str
    nodes: tuple[Shown | Hidden, ...]

    def fold(self) -> bytes:
        """Its hash."""
        return subtree_over(self.path, [node.fold() for node in self.nodes])

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"path": self.path, "nodes": [node.to_json() for node in self.nodes]}


FieldNode = Hidden | Shown | Elements
IntakeNode = Hidden | Subtree


def parse_leaf(value: object) -> Shown | Hidden:
    """Read a shown or hidden value."""
    if isinstance(value, dict) and value.keys() == {"hash"}:
        return Hidden(shape.hex_of(value["hash"], 32))
    members = shape.members(value, "path", "salt", "value")
    return Shown(
        shape.text(members["path"]), shape.hex_of(members["salt"], 16), shape.base64_of(members["value"])
    )


def parse_field(value: object) -> FieldNode:
    """Read a field of a record."""
    if not (isinstance(value, dict) and "elements" in value):
        return parse_leaf(value)
    members = shape.members(value, "path", "n", "elements")
    count = shape.integer(members["n"], 1, MAX_CHILDREN)
    elements = tuple(_element(item, count) for item in shape.array(members["elements"], 1, count))
    if any(left.i >= right.i for left, right in pairwise(elements)):
        raise VerificationError("the elements of a list are not in order", code="elements")
    return Elements(shape.text(members["path"]), count, elements)


def parse_intake(value: object) -> IntakeNode:
    """Read the intake subtree."""
    if isinstance(value, dict) and value.keys() == {"hash"}:
        return Hidden(shape.hex_of(value["hash"], 32))
    members = shape.members(value, "path", "nodes")
    nodes = tuple(parse_leaf(node) for node in shape.array(members["nodes"], 0, 64))
    if members["path"] != "intake":
        raise VerificationError("the intake's path is 'intake'", code="shape")
    return Subtree("intake", nodes)


def _element(value: object, count: int) -> Element:
    members = shape.members(value, "i", "salt", "value", "proof")
    return Element(
        shape.integer(members["i"], 0, count - 1),
        shape.hex_of(members["salt"], 16),
        shape.base64_of(members["value"]),
        shape.hashes(members["proof"]),
    )


Selection = Mapping[str, Collection[int] | None]
"""What is shown of a record: the path of a field within it -> nothing (all of it) or the numbers of elements."""


def disclose(
    fields: Sequence[OpenLeaf | OpenList], prefix: str, selection: Selection
) -> tuple[FieldNode, ...]:
    """The nodes of a record's fields: those selected shown, the rest hidden."""
    return tuple(
        _disclose(field, selection[name])
        if (name := field.path.removeprefix(prefix)) in selection
        else Hidden(field.hash)
        for field in fields
    )


def shown(leaf: OpenLeaf) -> Shown | Hidden:
    """The node of a value that is to be shown; where it was erased, its hash is all there is."""
    return Shown(leaf.path, leaf.salt, leaf.value) if leaf.can_be_shown else Hidden(leaf.hash)


def _disclose(field: OpenLeaf | OpenList, numbers: Collection[int] | None) -> FieldNode:
    if isinstance(field, OpenLeaf):
        return shown(field)
    chosen = sorted(numbers) if numbers is not None else range(len(field.values))
    if not chosen:
        return Hidden(field.hash)
    elements = []
    for number in chosen:
        leaf = field.element(number)
        elements.append(Element(number, leaf.salt, leaf.value, tuple(field.audit_path(number))))
    return Elements(field.path, len(field.values), tuple(elements))
