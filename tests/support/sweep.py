"""All the ledger's invariants in one function, called after every step of the tests that change a ledger.

Written against `LedgerReader` and, on purpose, without the store's own helpers: the tree is computed here by the
definition of RFC 6962, 2.1. I8 (a redaction changes no leaf): each redaction names the leaf of what it erased from, as
it was then. I9 (projections equal what the events give) is about the tables of `app`: who has them brings what says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.entry import ZERO_LEAF, Entry, Kind
from ledger.log.mark import MarkFile
from ledger.log.note import Note, NoteVerifier
from ledger.signing.statement import Statement
from ledger.store.port import LedgerReader, LedgerStore


def sweep(
    store: LedgerStore,
    acknowledged: Mapping[int, bytes] | None = None,
    *,
    mark_path: Path | None = None,
    log_key: NoteVerifier | None = None,
    differing: Callable[[], Iterable[object]] | None = None,
) -> None:
    """Assert I1 to I9. `acknowledged`: entry bytes, or their beginning, by the index a client was told.

    `differing`: the projected rows that are not what the entries' events give; a bare store has no projections.
    """
    with store.reading() as reader:
        head = reader.head()
        entries = dict(reader.entries(0, head.size + 1_000))
        assert list(entries) == list(range(head.size)), "I2: indexes contiguous and equal to the head's size"
        for index, body in (acknowledged or {}).items():
            assert entries.get(index) == body, f"I1: entry {index} was acknowledged and is not what it was"
        leaves = _chain(entries)
        assert [reader.leaf(index) for index in range(head.size)] == leaves, (
            "I3: the leaves are the entries' hashes"
        )
        assert (head.root, head.last_leaf) == (_root(leaves), leaves[-1] if leaves else ZERO_LEAF), (
            "I3: root, chain"
        )
        assert head.peaks.size == head.size, "I3: the peaks"
        assert head.peaks.root() == head.root, "I3: the peaks"
        _checkpoints(reader, store.origin, leaves, mark_path, log_key)
        _tiles(reader, leaves)
        firsts: dict[bytes, int] = {}
        for index, body in entries.items():
            statement = Entry.decode(body).statement
            assert firsts.setdefault(statement, index) == index, f"I7: entry {index} repeats a statement"
            assert reader.find_statement(statement) == index, (
                f"I7: entry {index} is not found by its statement"
            )
        _redactions(entries, leaves)
    # After the reading ended: a snapshot of its own.
    found = list(differing()) if differing is not None else []
    assert not found, f"I9: {found[:3]}"


def _chain(entries: Mapping[int, bytes]) -> list[bytes]:
    leaves: list[bytes] = []
    for index, body in entries.items():
        entry = Entry.decode(body)
        assert entry.index == index, f"I2: entry {index} says it is {entry.index}"
        assert entry.prev_leaf == (leaves[-1] if leaves else ZERO_LEAF), (
            f"I3: the chain breaks at entry {index}"
        )
        leaves.append(sha256(b"\x00" + body).digest())
    return leaves


def _redactions(entries: Mapping[int, bytes], leaves: Sequence[bytes]) -> None:
    for index, body in entries.items():
        entry = Entry.decode(body)
        if entry.kind is Kind.REDACTION:
            refs = Statement.parse(entry.statement).refs
            assert refs, f"I8: the redaction at {index} says of no entry that it erased something"
            for leaf in refs:
                assert leaf in leaves[:index], f"I8: the redaction at {index} changed the leaf {leaf.hex()}"


def _root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _checkpoints(
    reader: LedgerReader,
    origin: str,
    leaves: Sequence[bytes],
    mark_path: Path | None,
    log_key: NoteVerifier | None,
) -> None:
    largest = 0
    for kept in reader.checkpoints():
        checkpoint = Checkpoint.parse(Note.parse(kept.note).text)
        assert (checkpoint.origin, checkpoint.size) == (origin, kept.size), (
            "I5: the checkpoint is this ledger's"
        )
        assert checkpoint.size <= len(leaves), "I4: signed beyond what is kept"
        assert checkpoint.root == _root(leaves[: kept.size]), (
            f"I5: the checkpoint of size {kept.size} is off the tree"
        )
        if log_key is not None:
            SignedCheckpoint.open(kept.note, [log_key])
        largest = max(largest, kept.size)
    mark = MarkFile(mark_path).read() if mark_path is not None else None
    if mark is not None:
        assert largest <= mark.size <= len(leaves), (
            "I4: checkpoints up to the mark, the mark up to what is kept"
        )
        assert mark.root == _root(leaves[: mark.size]), "I4: the mark is on the tree"


def _tiles(reader: LedgerReader, leaves: Sequence[bytes]) -> None:
    level, hashes = 0, list(leaves)
    while len(hashes) >= 256:
        roots = []
        for n in range(len(hashes) // 256):
            part = hashes[256 * n : 256 * n + 256]
            assert reader.tile(level, n) == b"".join(part), f"I6: tile {n} of level {level} is not its hashes"
            roots.append(_root(part))
        level, hashes = level + 1, roots
