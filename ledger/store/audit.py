"""The two streams of an audit: the chain of entries, and the tree that grows over them.

`ChainAudit` judges entry rows. Where a row's body and leaf disagree, the `prev_leaf` of the next entry (for the last
row the head) tells which of the two was changed; the audit goes on with the leaf that the rest of the ledger stands on,
so that one changed row is one finding, and a second one far behind it is found too.

`TreeAudit` takes those leaves, grows the tree, and compares the tiles and every signed root on the way. Both hold a
page of rows and one tile a level in memory, however long the ledger is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.errors import VerificationError
from ledger.log.entry import Entry
from ledger.log.hashing import HASH_BYTES, leaf_hash
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.log.tree import Growth, Peaks, grow
from ledger.store.findings import FsckFinding, FsckReport, short
from ledger.store.nodes import TILE_BYTES, TileSource
from ledger.store.signatures import SignatureCheck


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table `entry` with what its body gives."""

    idx: int
    leaf: bytes
    recv_ms: int
    computed: bytes
    entry: Entry | None
    fault: str
    """Why the body is no entry; empty if it is one."""

    @classmethod
    def read(cls, idx: int, leaf: bytes, body: bytes, recv_ms: int) -> "Row":
        """Hash and decode a row as it is stored."""
        try:
            entry, fault = Entry.decode(body), ""
        except VerificationError as error:
            entry, fault = None, error.message
        return cls(idx, leaf, recv_ms, leaf_hash(body), entry, fault)

    @property
    def sound(self) -> bool:
        """Whether body and leaf agree."""
        return self.computed == self.leaf

    def witness_for(self, index: int) -> bytes | None:
        """The leaf of entry `index` as this row remembers it, if it is the next, sound, and in its own place."""
        entry = self.entry
        if entry is None or not self.sound or not self.idx == entry.index == index + 1:
            return None
        return entry.prev_leaf


class ChainAudit:
    """I2 and the chain's part of I3."""

    def __init__(self, report: FsckReport, check_signatures: SignatureCheck | None) -> None:
        self._report = report
        self._check_signatures = check_signatures

    def judge(self, row: Row, witness: bytes | None) -> bytes:
        """The leaf that stands at this row; what is wrong with the row is reported.

        `witness`: what its successor knows the leaf to be, where there is one to ask.
        """
        if row.sound:
            if witness is not None and witness != row.leaf:
                # Body and leaf agree with each other, but not with the entry that was built on them.
                self._body(row, f"the bytes whose hash is {short(witness)}", f"a hash of {short(row.leaf)}")
                return witness
            self._content(row)
            return row.leaf
        if witness == row.computed:
            self._add("I3", row.idx, "leaf", short(row.computed), short(row.leaf), "proofs of this entry")
            return row.computed
        self._body(row, f"the bytes whose hash is {short(row.leaf)}", f"a hash of {short(row.computed)}")
        return witness or row.leaf

    def missing(self, index: int, following: str) -> None:
        """Report that there is no row `index`."""
        self._add("I2", index, "idx", f"entry {index}", following, _above(index))

    def _content(self, row: Row) -> None:
        """What a row with the right hash may still have wrong."""
        entry = row.entry
        if entry is None:
            self._body(row, "an entry", f"bytes that are none ({row.fault})")
        elif entry.index != row.idx:
            self._body(row, f"the entry of index {row.idx}", f"the entry of index {entry.index}")
        elif entry.received_ms != row.recv_ms:
            expected, found = str(entry.received_ms), str(row.recv_ms)
            self._add("I3", row.idx, "recv_ms", expected, found, "searches by time of receipt")
        elif self._check_signatures is not None:
            wrong = self._check_signatures(entry)
            if wrong is not None:
                self._add("signatures", row.idx, "body", "signatures that count", wrong, "who vouched for it")

    def _body(self, row: Row, expected: str, found: str) -> None:
        self._add("I3", row.idx, "body", expected, found, _above(row.idx))

    def _add(
        self, invariant: str, index: int, column: str, expected: str, found: str, consequence: str
    ) -> None:
        self._report.add(FsckFinding(invariant, "entry", str(index), column, expected, found, consequence))


def _above(index: int) -> str:
    return f"entry {index} and every root, proof and checkpoint of more than {index} entries"


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """A root that was published for a size, and the row or file that says so."""

    size: int
    root: bytes
    table: str
    column: str


class TreeAudit:
    """The tree over the judged leaves: I5, I6, and the root of I3.

    `signed` gives roots ascending by size.
    """

    def __init__(self, report: FsckReport, tiles: TileSource, signed: Iterator[SignedRoot]) -> None:
        self._report = report
        self._tiles = tiles
        self._signed = signed
        self._next = next(signed, None)
        self._good = 0  # the largest size whose signed root was right
        self._edges: list[tuple[int, list[bytes]]] = []  # a level: number of the tile, its hashes so far
        self._broken = False
        self.peaks = Peaks()

    def take(self, leaves: Sequence[bytes]) -> None:
        """Grow by some leaves; where a root was signed for a size on the way, compare."""
        start = 0
        self._compare()
        while start < len(leaves) and not self._broken:
            stop = len(leaves)
            if self._next is not None:
                stop = min(stop, start + self._next.size - self.peaks.size)
            growth = grow(self.peaks, leaves[start:stop])
            self.peaks, start = growth.peaks, stop
            self._collect(growth)
            self._compare()

    def give_up(self) -> None:
        """Several leaves in a row are unknown: from here on there is no tree to compare with."""
        self._broken = True

    @property
    def whole(self) -> bool:
        """Whether every leaf was known."""
        return not self._broken

    def finish(self) -> None:
        """Report what was signed beyond the last entry."""
        self._compare()
        while self._next is not None:
            if not self._broken:
                self._add_root(
                    self._next, f"at most {self.peaks.size} entries", f"a root of {self._next.size}"
                )
            self._next = next(self._signed, None)

    def _compare(self) -> None:
        while self._next is not None and self._next.size == self.peaks.size and not self._broken:
            root = self.peaks.root()
            if self._next.root == root:
                self._good = self._next.size
                self._report.counts["signed roots"] += 1
            else:
                self._add_root(self._next, f"the root {short(root)}", f"the root {short(self._next.root)}")
            self._next = next(self._signed, None)

    def _add_root(self, signed: SignedRoot, expected: str, found: str) -> None:
        consequence = (
            f"entries {self._good} to {signed.size - 1} are not those that were signed; whoever kept this checkpoint "
            "refuses the ledger"
        )
        key = f"size {signed.size}"
        self._report.add(FsckFinding("I5", signed.table, key, signed.column, expected, found, consequence))

    def _collect(self, growth: Growth) -> None:
        for completed in growth.completed[::TILE_HEIGHT]:
            level = completed.level // TILE_HEIGHT
            while len(self._edges) <= level:
                self._edges.append((0, []))
            n, hashes = self._edges[level]
            hashes = hashes + completed.hashes
            full = len(hashes) // TILE_WIDTH
            if full:
                stored = dict(self._tiles(level, n, n + full))
                for k in range(full):
                    part = hashes[k * TILE_WIDTH : (k + 1) * TILE_WIDTH]
                    self._tile(level, n + k, part, stored.get(n + k))
            self._edges[level] = n + full, hashes[full * TILE_WIDTH :]

    def _tile(self, level: int, n: int, hashes: Sequence[bytes], data: bytes | None) -> None:
        self._report.counts["tiles"] += 1
        if data == b"".join(hashes):
            return
        if data is None:
            expected, found = f"a tile of {TILE_WIDTH} hashes", "no row"
        elif len(data) != TILE_BYTES:
            expected, found = f"{TILE_BYTES} bytes", f"{len(data)} bytes"
        else:
            stored = [data[at : at + HASH_BYTES] for at in range(0, TILE_BYTES, HASH_BYTES)]
            wrong = next(k for k in range(TILE_WIDTH) if stored[k] != hashes[k])
            expected, found = f"{short(hashes[wrong])} as hash {wrong}", short(stored[wrong])
        span = TILE_WIDTH ** (level + 1)
        consequence = f"proofs over entries {n * span} to {(n + 1) * span - 1}"
        self._report.add(FsckFinding("I6", "tile", f"{level}/{n}", "data", expected, found, consequence))
