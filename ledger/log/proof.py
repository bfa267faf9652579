"""Proofs that an entry is in the tree, and that a tree is a later state of another.

RFC 6962, sections 2.1.1 and 2.1.2 (verification as RFC 9162, 2.1.3.2 and 2.1.4.2 word it). A proof is a list of
32-byte hashes from the leaf's neighbour up. Proofs are minimal: one hash too many or too few is refused, so there
is exactly one proof for each question.

The side that makes proofs reads hashes of complete subtrees through `NodeReader`, wherever they lie.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Protocol

from ledger.errors import VerificationError
from ledger.log.hashing import EMPTY_ROOT, HASH_BYTES, node_hash, pair_up


class NodeReader(Protocol):
    """Where the hashes of complete subtrees come from."""

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves that begin at leaf ``index * 2**level``."""
        ...


class LeafNodes:
    """A `NodeReader` over leaf hashes in memory, each level made when it is first asked for."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels: list[Sequence[bytes]] = [leaves]

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        while len(self._levels) <= level:
            self._levels.append(pair_up(self._levels[-1]))
        return self._levels[level][index]


def _split(count: int) -> int:
    """The largest power of two below `count` (>= 2)."""
    return 1 << (count - 1).bit_length() - 1


def range_hash(nodes: NodeReader, start: int, end: int) -> bytes:
    """The hash over the leaves `start` to `end` (exclusive) of a tree that splits there."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes.node(level, start >> level)
    middle = start + _split(count)
    return node_hash(range_hash(nodes, start, middle), range_hash(nodes, middle, end))


def root_at(nodes: NodeReader, size: int) -> bytes:
    """The root of the tree's first `size` leaves."""
    return range_hash(nodes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(nodes: NodeReader, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1), lowest first."""
    if not 0 <= index < size:
        raise VerificationError(f"entry {index} is not in a tree of {size} entries", code="proof-range")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(nodes, middle, end))
            end = middle
        else:
            path.append(range_hash(nodes, start, middle))
            start = middle
    path.reverse()
    return path


def consistency_proof(nodes: NodeReader, old: int, new: int) -> list[bytes]:
    """The proof that the old tree is the first `old` of `new` leaves (RFC 6962, 2.1.2); empty if equal."""
    if not 0 < old <= new:
        raise VerificationError(f"there is no proof from size {old} to size {new}", code="proof-range")
    path: list[bytes] = []
    start, end = 0, new
    # Walk down to the old tree's right edge. While `whole` is true, the subtree begins where the tree does: if it
    # ends with the old tree, its root is the old root, which the verifier has and need not be sent.
    whole = True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(nodes, middle, end))
            end = middle
        else:
            path.append(range_hash(nodes, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(nodes, start, end))
    path.reverse()
    return path


def fold_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to from `leaf` at `index` of `size` leaves (RFC 9162, 2.1.3.2).

    Raises `VerificationError` if the proof has not exactly the number of hashes it must have.
    """
    if not 0 <= index < size:
        raise VerificationError(f"position {index} is not in a tree of {size}", code="inclusion")
    _check_lengths((leaf, *proof), "inclusion")
    at, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise VerificationError(
                "the inclusion proof has more hashes than the tree has levels", code="inclusion"
            )
        if at & 1 or at == last:
            computed = node_hash(sibling, computed)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise VerificationError(
            "the inclusion proof has fewer hashes than the tree has levels", code="inclusion"
        )
    return computed


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `VerificationError` unless `proof` leads from `leaf` at `index` to `root` of `size` leaves."""
    if not compare_digest(fold_inclusion(leaf, index, size, proof), root):
        raise VerificationError(
            f"the inclusion proof of position {index} leads to another root", code="inclusion"
        )


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `VerificationError` unless the tree (`new`, `new_root`) begins with the tree (`old`, `old_root`).

    RFC 9162, 2.1.4.2. From an empty tree nothing can be proven, so `old` = 0 is refused.
    """
    if not 0 < old <= new:
        raise VerificationError(
            f"a tree of {new} cannot be a later state of a tree of {old}", code="consistency"
        )
    _check_lengths((old_root, new_root, *proof), "consistency")
    if old == new:
        if proof:
            raise VerificationError("between equal sizes the proof must be empty", code="consistency")
        if not compare_digest(old_root, new_root):
            raise VerificationError(
                f"two different roots for one size, {old}: the ledger forked", code="consistency"
            )
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)  # the old tree is one complete subtree: its root is not sent
    old_computed, new_computed = fold_consistency(old, new, path)
    if not compare_digest(old_computed, old_root):
        raise VerificationError(
            f"the consistency proof does not lead to the root of size {old}", code="consistency"
        )
    if not compare_digest(new_computed, new_root):
        raise VerificationError(
            f"the consistency proof does not lead to the root of size {new}", code="consistency"
        )


def fold_consistency(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The two roots that `path` leads to: a consistency proof that has its first hash always (RFC 9162, 2.1.4.2).

    ``0 < old < new``. Raises `VerificationError` where it has not exactly the hashes that it must have.
    """
    if not path:
        raise VerificationError("the consistency proof is empty", code="consistency")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise VerificationError("the consistency proof has too many hashes", code="consistency")
        if at & 1 or at == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise VerificationError("the consistency proof has too few hashes", code="consistency")
    return old_computed, new_computed


def _check_lengths(hashes: Sequence[bytes], code: str) -> None:
    if len(hashes) > 130:  # 64 levels; a proof has at most 63 hashes (inclusion) or 64 (consistency)
        raise VerificationError(f"a proof of {len(hashes)} hashes is longer than any tree is high", code=code)
    if any(len(item) != HASH_BYTES for item in hashes):
        raise VerificationError("a hash in the proof is not 32 bytes long", code=code)
