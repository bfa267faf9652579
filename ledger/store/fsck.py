"""The audit of a ledger's tables: is what is stored what was appended and signed?

Everything is computed anew, in a memory that does not grow with the ledger. A sound ledger is proven by blocks of rows,
in several processes (`ledger.store.quick`). Where that does not succeed, every row is judged singly, and the first
broken one is named with what rests on it. It proves, by the names of the ledger's page: I2 (indexes without gaps, as
many as the head says), I3 (leaves, chain, root and peaks),
I5 (every checkpoint's signature, and its root on the tree, so that any two agree), I6 (tiles), I7 (each statement once,
found by its index row), and with `keys` that every entry is signed::

    with database.snapshot() as connection:
        report = fsck(connection, origin, log_keys=[verifier], mark=MarkFile(path).read())
    print(report.ok, report.findings[0].message)

What it cannot see: a ledger rewritten whole, and signed again with the node's own key. Others' checkpoints do.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, bindparam, func, select

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.entry import ZERO_LEAF
from ledger.log.note import Note, NoteVerifier
from ledger.log.tiles import TILE_HEIGHT
from ledger.log.tree import Peaks
from ledger.signing.remains import SEED_BYTES
from ledger.store.audit import ChainAudit, Row, SignedRoot, TreeAudit
from ledger.store.findings import FsckFinding, FsckReport, short
from ledger.store.quick.pool import WorkerFailed, usable_cores
from ledger.store.quick.prove import Progress, Soundness, prove
from ledger.store.signatures import SignatureCheck, signature_check
from ledger.store.sql import tables as t
from ledger.store.sql.bulk import known_statements
from ledger.store.sql.reader import SqlReader, UnknownLedger, hash16

__all__ = ["FsckFinding", "FsckReport", "Progress", "SignatureCheck", "fsck"]

PAGE_ROWS: Final = 1_000
WORTH_WORKERS: Final = 50_000
"""Entries from which on it is worth to start processes."""
MOST_WORKERS: Final = 4

_ROWS = (
    select(t.entry.c.idx, t.entry.c.leaf, t.entry.c.body, t.entry.c.recv_ms)
    .where(t.entry.c.ledger == bindparam("ledger"), t.entry.c.idx > bindparam("after"))
    .order_by(t.entry.c.idx)
    .limit(PAGE_ROWS)
)


def fsck(
    connection: Connection,
    origin: str,
    *,
    log_keys: Sequence[NoteVerifier] = (),
    mark: Checkpoint | None = None,
    keys: Collection[bytes] | None = None,
    check_signatures: SignatureCheck | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> FsckReport:
    """Audit the ledger `origin` through a connection that sees one snapshot.

    `log_keys`: the keys that may have signed checkpoints; without any, their signatures are not checked. `mark`: the
    high-water mark, which shows a cut tail. `keys`: SubjectPublicKeyInfo (DER) of those who may have signed entries, to
    check every signature; `check_signatures` instead, for a caller with a mind of its own, looks at one row at a time.
    `workers`: processes beside this one, None for as many as there are cores where the ledger is worth it.
    """
    report = FsckReport()
    try:
        if check_signatures is None:
            sound = FsckReport()
            quick = _Audit(connection, origin, sound, log_keys, mark)
            if quick.proven(keys, progress, workers):
                return sound
        if keys is not None and check_signatures is None:
            check_signatures = signature_check(keys)
        audit = _Audit(connection, origin, report, log_keys, mark)
    except UnknownLedger as error:
        expected = f"the row of {origin}"
        report.add(
            FsckFinding("I2", "ledger_origin", origin, "origin", expected, error.message, "the whole ledger")
        )
        return report
    audit.run(check_signatures, progress)
    return report


class _Audit:
    def __init__(
        self,
        connection: Connection,
        origin: str,
        report: FsckReport,
        log_keys: Sequence[NoteVerifier],
        mark: Checkpoint | None,
    ) -> None:
        self._connection = connection
        self._origin = origin
        self._report = report
        self._log_keys = log_keys
        self._mark = mark
        self._reader = SqlReader(connection, origin)
        self._ledger = self._reader.ledger_id
        self._head = connection.execute(
            select(t.head.c.size, t.head.c.root, t.head.c.last_leaf, t.head.c.peaks).where(
                t.head.c.ledger == self._ledger
            )
        ).one_or_none()

    def proven(self, keys: Collection[bytes] | None, progress: Progress | None, workers: int | None) -> bool:
        """Whether all is as it must be, with the counts of it in the report; then nothing is left to be looked for."""
        size = -1 if self._head is None else self._head.size
        if not isinstance(size, int) or size < 0:
            return False
        if self._beyond(t.entry, size) or self._beyond(t.seed, size):
            return False
        if workers is None:
            workers = min(MOST_WORKERS, usable_cores()) if size >= WORTH_WORKERS else 0
        try:
            found = self._prove(size, keys, progress, workers)
        except WorkerFailed:
            self._report.counts.clear()
            found = self._prove(size, keys, progress, 0)
        if found is None:
            return False
        self._report.counts.update({"entries": size, "tiles": found.tiles, "signed roots": found.roots})
        self._report.counts += Counter()  # a count of nothing is not told
        self._check_head(size, found.last_leaf, found.peaks)
        self._extras(size, size)
        self._cosigned()
        return self._report.ok

    def _prove(
        self, size: int, keys: Collection[bytes] | None, progress: Progress | None, workers: int
    ) -> Soundness | None:
        return prove(
            self._connection, self._ledger, size, self._signed_roots(), self._tiles,
            keys=keys, workers=workers, progress=progress,
        )  # fmt: skip

    def run(self, check_signatures: SignatureCheck | None, progress: Progress | None) -> None:
        """All checks, entries first."""
        self._head_there()
        chain = ChainAudit(self._report, check_signatures)
        tree = TreeAudit(self._report, self._tiles, self._signed_roots())
        total = self._count(t.entry)
        held: Row | None = None
        for page in self._pages():
            leaves: list[bytes] = []
            judged: list[Row] = []
            for row in page:
                expected = 0
                if held is not None:
                    leaves.append(chain.judge(held, row.witness_for(held.idx)))
                    judged.append(held)
                    expected = held.idx + 1
                if row.idx != expected:
                    leaves += self._gap(chain, tree, expected, row, leaves)
                held = row
            tree.take(leaves)
            self._statements(judged)
            self._report.counts["entries"] += len(page)
            if progress is not None:
                progress(self._report.counts["entries"], total)
        last = ZERO_LEAF
        if held is not None:
            last = chain.judge(held, self._head_witness(held, tree.peaks))
            tree.take([last])
            self._statements([held])
        tree.finish()
        self._check_head(0 if held is None else held.idx + 1, last, tree.peaks if tree.whole else None)
        self._extras(0 if held is None else held.idx + 1, total)
        self._seeds(0 if held is None else held.idx + 1)
        self._cosigned()

    def _head_there(self) -> None:
        if self._head is None:
            expected = f"a row for {self._origin}"
            self._add(
                "I3", "head", self._origin, "ledger", expected, "no row", "everything that is appended next"
            )

    def _pages(self) -> Iterator[list[Row]]:
        after = -(2**63)
        while rows := self._connection.execute(_ROWS, {"ledger": self._ledger, "after": after}).all():
            yield [Row.read(int(idx), bytes(leaf), bytes(body), int(ms)) for idx, leaf, body, ms in rows]
            after = rows[-1][0]

    def _gap(
        self, chain: ChainAudit, tree: TreeAudit, expected: int, row: Row, before: list[bytes]
    ) -> list[bytes]:
        """Report missing rows; the leaf of a single one is known to the row behind it."""
        chain.missing(expected, f"row {row.idx} next")
        witness = row.witness_for(expected)
        if witness is not None:
            return [witness]
        tree.take(before)
        before.clear()
        tree.give_up()
        return []

    def _head_witness(self, last: Row, before: Peaks) -> bytes | None:
        """The head's last leaf, where it may speak against the last row: it gives the head's root."""
        if self._head is None:
            return None
        leaf = bytes(self._head.last_leaf)
        if len(leaf) != len(ZERO_LEAF):
            return None
        return leaf if not last.sound or before.append(leaf).root() == bytes(self._head.root) else None

    def _tiles(self, level: int, start: int, end: int) -> Sequence[tuple[int, bytes]]:
        rows = self._connection.execute(
            select(t.tile.c.n, t.tile.c.data).where(
                t.tile.c.ledger == self._ledger,
                t.tile.c.level == level,
                t.tile.c.n >= start,
                t.tile.c.n < end,
            )
        ).all()
        return [(int(n), bytes(data)) for n, data in rows]

    def _signed_roots(self) -> Iterator[SignedRoot]:
        """The roots of checkpoints and mark, ascending by size."""
        mark, overtaken = self._mark, False
        for kept in self._reader.checkpoints():
            self._report.counts["checkpoints"] += 1
            if mark is not None and mark.size < kept.size and not overtaken:
                yield SignedRoot(mark.size, mark.root, "mark", "root")
                overtaken = True
            found = self._checkpoint(kept.size, kept.note)
            if found is None:
                continue
            if mark is not None and mark.size < kept.size:
                consequence = "what stops a restored database from signing"
                self._add(
                    "I4", "mark", self._origin, "size", f"{kept.size} or more", str(mark.size), consequence
                )
            yield SignedRoot(kept.size, found.root, "checkpoint", "note")
        if mark is not None and not overtaken:
            yield SignedRoot(mark.size, mark.root, "mark", "root")

    def _checkpoint(self, size: int, note: bytes) -> Checkpoint | None:
        expected = f"a checkpoint of {self._origin} of {size} entries"
        consequence = f"the proof that the first {size} entries are unchanged"
        try:
            if self._log_keys:
                found = SignedCheckpoint.open(note, self._log_keys).checkpoint
            else:
                found = Checkpoint.parse(Note.parse(note).text)
        except VerificationError as error:
            self._add("I5", "checkpoint", f"size {size}", "note", expected, error.message, consequence)
            return None
        if (found.origin, found.size) != (self._origin, size):
            stands = f"one of {found.origin} of {found.size}"
            self._add("I5", "checkpoint", f"size {size}", "size", expected, stands, consequence)
            return None
        return found

    def _cosigned(self) -> None:
        """A cosignature stands under a checkpoint: where that is gone, somebody took it away."""
        cosig, kept = t.cosig, t.checkpoint
        joined = cosig.outerjoin(kept, (kept.c.ledger == cosig.c.ledger) & (kept.c.size == cosig.c.size))
        query = select(cosig.c.size, cosig.c.witness).select_from(joined)
        query = query.where(cosig.c.ledger == self._ledger, kept.c.size.is_(None)).order_by(cosig.c.size)
        for size, witness in self._connection.execute(query.limit(PAGE_ROWS)):
            self._add(
                "I5", "checkpoint", f"size {size}", "size", f"the checkpoint that {witness} cosigned", "no row",
                f"the proof that others saw the first {size} entries",
            )  # fmt: skip

    def _statements(self, rows: Sequence[Row]) -> None:
        """Each entry has its index row, and no other entry has its statement."""
        entries = [
            row.entry for row in rows if row.entry is not None and row.sound and row.entry.index == row.idx
        ]
        keys = {entry.index: hash16(entry.statement) for entry in entries}
        found: dict[bytes, list[int]] = {}
        for key, index in known_statements(self._connection, self._ledger, list(set(keys.values()))):
            found.setdefault(key, []).append(index)
        for entry in entries:
            indexes = found.get(keys[entry.index], [])
            if entry.index not in indexes:
                self._add(
                    "I7", "statement_index", str(entry.index), "hash16", short(keys[entry.index]), "no such row",
                    f"entry {entry.index} is not recognised when it comes again",
                )  # fmt: skip
            for first in (index for index in indexes if index < entry.index):
                if self._reader.find_statement(entry.statement) == first:
                    self._add(
                        "I7", "entry", str(entry.index), "body", f"a statement that entry {first} has not",
                        "the same statement", "one act stands twice",
                    )  # fmt: skip
                    break

    def _check_head(self, size: int, last_leaf: bytes, peaks: Peaks | None) -> None:
        key, consequence = self._origin, "everything that is appended next"
        if self._head is None:
            return
        if self._head.size != size:
            self._add("I2", "head", key, "size", str(size), str(self._head.size), consequence)
        if peaks is None:
            return  # some leaves were not to be had
        for column, expected in (
            ("root", peaks.root()),
            ("last_leaf", last_leaf),
            ("peaks", peaks.encode()),
        ):
            stored = bytes(getattr(self._head, column))
            if stored != expected:
                self._add("I3", "head", key, column, _differing(expected, stored), _differing(stored, expected),
                          consequence)  # fmt: skip

    def _extras(self, size: int, rows: int) -> None:
        """Rows of index and tiles that stand for no entry."""
        if self._count(t.statement_index) != rows:
            for key, index in self._misfit_statements():
                self._add(
                    "I7", "statement_index", str(index), "idx", "the index of an entry with this statement", short(key),
                    "a new statement may be taken for one that was there",
                )  # fmt: skip
        tile = t.tile
        levels = (
            select(tile.c.level, func.min(tile.c.n), func.max(tile.c.n))
            .where(tile.c.ledger == self._ledger)
            .group_by(tile.c.level)
        )
        for level, least, most in self._connection.execute(levels):
            full = size >> TILE_HEIGHT * (level + 1) if level >= 0 else 0
            for n in {least, most}:
                if not 0 <= n < full:
                    expected, found = f"{full} full tiles of level {level}", f"tile {n}"
                    self._add(
                        "I6", "tile", f"{level}/{n}", "n", expected, found, "proofs of what is appended next"
                    )

    def _misfit_statements(self) -> Iterator[tuple[bytes, int]]:
        """Index rows whose entry has another statement, or that have no entry."""
        index, entry = t.statement_index, t.entry
        joined = (
            select(index.c.hash16, index.c.idx, entry.c.body)
            .select_from(
                index.outerjoin(entry, (entry.c.ledger == index.c.ledger) & (entry.c.idx == index.c.idx))
            )
            .where(index.c.ledger == self._ledger, index.c.hash16 > bindparam("after"))
            .order_by(index.c.hash16)
            .limit(PAGE_ROWS)
        )
        after = b""
        while rows := self._connection.execute(joined, {"after": after}).all():
            for key, idx, body in rows:
                read = None if body is None else Row.read(int(idx), b"", bytes(body), 0).entry
                if read is None or hash16(read.statement) != bytes(key):
                    yield bytes(key), int(idx)
            after = bytes(rows[-1][0])

    def _seeds(self, size: int) -> None:
        """A seed belongs to an entry and has 32 bytes, or is what a redaction left, a multiple of 16."""
        rows = select(t.seed.c.idx, func.length(t.seed.c.seed)).where(
            t.seed.c.ledger == self._ledger,
            (t.seed.c.idx < 0) | (t.seed.c.idx >= size) | (func.length(t.seed.c.seed) < SEED_BYTES),
        )
        for index, length in self._connection.execute(rows.limit(PAGE_ROWS)):
            found = f"a row for entry {index} of {length} bytes"
            self._add(
                "seed", "seed", str(index), "seed", f"{SEED_BYTES} bytes for an entry", found, "evidence"
            )

    def _beyond(self, table: Table, size: int) -> bool:
        """Whether a row stands at no index below `size`."""
        rows = select(table.c.idx).where(table.c.ledger == self._ledger)
        below, above = rows.where(table.c.idx < 0).limit(1), rows.where(table.c.idx >= size).limit(1)
        return any(self._connection.execute(query).first() is not None for query in (below, above))

    def _count(self, table: Table) -> int:
        found = self._connection.execute(
            select(func.count()).select_from(table).where(table.c.ledger == self._ledger)
        ).scalar_one()
        return int(found)

    def _add(
        self, invariant: str, table: str, key: str, column: str, expected: str, found: str, consequence: str
    ) -> None:
        self._report.add(FsckFinding(invariant, table, key, column, expected, found, consequence))


def _differing(data: bytes, other: bytes) -> str:
    """The part of a longer value where it begins to differ from another."""
    at = next(
        (at for at in range(min(len(data), len(other))) if data[at] != other[at]), min(len(data), len(other))
    )
    return f"{short(data[at : at + 8])} from byte {at}"
