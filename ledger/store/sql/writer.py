"""Appending inside a transaction that belongs to the caller.

The node's committer opens one transaction, appends through `SqlWriter`, and writes events and projections on the
same connection: all of it is committed together, or none::

    with database.writing() as connection:
        entries = SqlWriter(connection, origin).append(drafts)
        ...                                       # events, projections, on the same connection

Nothing that is remembered is believed. A process that alone appends expects the head as it left it, and asks for all
of an append in one statement, which does nothing unless the head's row is that one in every column. Where it is not,
because another process wrote or a savepoint was rolled back, the head is locked and read, and the append goes by what
it says. The leaves and tiles that are needed to complete a tile are read when a tile becomes full.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select

from ledger.log.entry import Entry
from ledger.log.hashing import leaf_hash
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.log.tree import Growth, grow
from ledger.store.nodes import full_tiles
from ledger.store.port import CheckpointConflict, Draft, Head, HeadMoved, StoreError
from ledger.store.sql import tables as t
from ledger.store.sql.bulk import NewRows, rows_of
from ledger.store.sql.reader import SqlReader, UnknownLedger, checked_head, hash16, note_computed

MAX_APPEND: Final = 100_000
"""Drafts in one append; more than any batch of the node, and what one statement's arrays carry with ease."""


class _Last(NamedTuple):
    """The head as this process wrote it last, the ledger's number, and whether it was the head the time before too."""

    origin: str
    ledger: int
    head: Head
    alone: bool


_last: list[_Last] = []


class SqlWriter(SqlReader):
    """One ledger, read and appended to through one writing connection. It opens and commits nothing."""

    def __init__(self, connection: Connection, origin: str) -> None:
        super().__init__(connection, origin)
        self._rows = rows_of(connection)
        self._held: Head | None = None

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Give each draft its place and write it; a statement that is there already returns its first entry.

        Raises `VerificationError` for a draft that makes no entry, `UnknownLedger`, `LedgerDamaged`, `HeadMoved`.
        """
        if not drafts:
            return []
        if len(drafts) > MAX_APPEND:
            raise StoreError(f"{len(drafts)} drafts in one append; at most {MAX_APPEND}", code="append-limit")
        keys = [hash16(draft.statement) for draft in drafts]
        entries = self._append_onto(drafts, keys)
        if entries is not None:
            return entries
        head, known = self._locked(keys)
        entries, rows = _placed(head, drafts, keys, self._already_there(known))
        if rows.leaf:
            self._write(head, rows)
        return entries

    def lock(self) -> Head:
        """Take the head's lock for the rest of the transaction; the head as it is under it."""
        self._held = self._locked_head()
        return self._held

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint; the same note again changes nothing. Raises `CheckpointConflict`."""
        if len(note) > MAX_NOTE_BYTES:
            raise StoreError(
                f"a checkpoint of {len(note)} bytes; at most {MAX_NOTE_BYTES}", code="note-length"
            )
        head = self._locked_head()
        if size > head.size:
            raise StoreError(
                f"a checkpoint of size {size} over {head.size} entries", code="checkpoint-beyond-head"
            )
        kept = self.connection.execute(
            select(t.checkpoint.c.note).where(
                t.checkpoint.c.ledger == self.ledger_id, t.checkpoint.c.size == size
            )
        ).scalar()
        if kept is None:
            values = {"ledger": self.ledger_id, "size": size, "note": note}
            self.connection.execute(insert(t.checkpoint), values)
        elif bytes(kept) != note:
            raise CheckpointConflict(f"another checkpoint of size {size} is already kept")

    def _locked_head(self) -> Head:
        return self._locked(())[0]

    def _locked(self, keys: Sequence[bytes]) -> tuple[Head, list[int]]:
        """The head under its lock, and the indexes of the statements that stand under these keys."""
        found = self._rows.lock_head(self.origin, keys)
        if found is None:
            raise UnknownLedger(f"this database does not hold the ledger {self.origin!r}: create it first")
        row, known = found
        self._id = row.ledger
        return checked_head(row.size, row.root, row.last_leaf, row.peaks), known

    def _already_there(self, known: Sequence[int]) -> dict[bytes, Entry]:
        """The entries at `known`, by statement; the first where there are several."""
        found: dict[bytes, Entry] = {}
        for index in known:
            # Keyed by all its bytes: an entry that only shares the hash is looked up by no draft.
            entry = Entry.decode(self.entry(index))
            found.setdefault(entry.statement, entry)
        return found

    def _append_onto(self, drafts: Sequence[Draft], keys: Sequence[bytes]) -> list[Entry] | None:
        """Append in one statement to the head that is expected; None where it is another, or a statement is known."""
        expected = self._expected()
        if expected is None or expected.size % TILE_WIDTH + len(drafts) >= TILE_WIDTH:
            return None
        entries, rows = _placed(expected, drafts, keys, {})
        before, leaves = expected.peaks, rows.leaf
        peaks = before.append(leaves[0]) if len(leaves) == 1 else before.extend(leaves)
        new = Head(peaks.size, peaks.root(), rows.leaf[-1], peaks)
        if not self._rows.append_onto(self.ledger_id, self.origin, expected, rows, new):
            self._held = None
            return None
        self._moved_to(new, alone=True)
        return entries

    def _expected(self) -> Head | None:
        """The head as this transaction holds it, or as this process left it if nobody else seems to write."""
        if self._held is not None:
            return self._held
        if not _last or not _last[0].alone or _last[0].origin != self.origin:
            return None
        self._id = _last[0].ledger
        return _last[0].head

    def _moved_to(self, new: Head, *, alone: bool) -> None:
        note_computed(new)
        self._held = new
        _last[:] = [_Last(self.origin, self.ledger_id, new, alone)]

    def _write(self, head: Head, rows: NewRows) -> None:
        growth = grow(head.peaks, rows.leaf)
        peaks, tiles = growth.peaks, self._tile_rows(growth)
        new = Head(peaks.size, peaks.root(), rows.leaf[-1], peaks)
        if not self._rows.append(self.ledger_id, rows, head.size, new):
            raise HeadMoved(
                f"the head moved from {head.size} while it was locked: another program writes here"
            )
        self._moved_to(new, alone=bool(_last) and _last[0].head == head)
        if tiles:
            self.connection.execute(insert(t.tile), tiles)

    def _tile_rows(self, growth: Growth) -> list[dict[str, object]]:
        """The rows of the tiles that became full, before the new entries are written."""
        rows: list[dict[str, object]] = []
        for completed in growth.completed[::TILE_HEIGHT]:
            level = completed.level // TILE_HEIGHT
            for n, data in full_tiles(level, completed.first, completed.hashes, self._nodes.hashes):
                rows.append({"ledger": self.ledger_id, "level": level, "n": n, "data": data})
        return rows


def _placed(
    head: Head, drafts: Sequence[Draft], keys: Sequence[bytes], placed: dict[bytes, Entry]
) -> tuple[list[Entry], NewRows]:
    """The entries of `drafts` behind `head`, or where they are `placed` already; the rows of those that are new."""
    rows = NewRows(head.size)
    last_leaf = head.last_leaf
    entries: list[Entry] = []
    for draft, key in zip(drafts, keys, strict=True):
        entry = placed.get(draft.statement)
        if entry is None:
            index = head.size + len(rows.leaf)
            entry = Entry(draft.kind, index, draft.received_ms, last_leaf, draft.statement, draft.signatures)
            last_leaf = _add(rows, entry, key, draft.seed)
            placed[draft.statement] = entry
        entries.append(entry)
    return entries, rows


def _add(rows: NewRows, entry: Entry, key: bytes, seed: bytes | None) -> bytes:
    """Add the rows of one entry; returns its leaf."""
    body = entry.encode()
    leaf = leaf_hash(body)
    rows.leaf.append(leaf)
    rows.body.append(body)
    rows.recv_ms.append(entry.received_ms)
    rows.hash16.append(key)
    if seed is not None:
        rows.seed_idx.append(entry.index)
        rows.seeds.append(seed)
    return leaf
