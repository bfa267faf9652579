"""The way back from read-only: which heads exist, whether the ledger continues them all, and the mark anew.

Where the mark is gone, unreadable or came back from a backup, the node cannot know how far it had signed. Others do:
witnesses, scanners, whoever keeps an evidence file. Every head that can be found is held against the tree as the rows
give it now, and only if each one is on it is the largest written as the mark::

    known = mark, the latest checkpoint kept, and every checkpoint that is given
    each known head: signed by the log's key; size <= entries; root over so many entries = its root
    the mark becomes the largest of them

A head that is not on the tree means that the ledger lost entries or has another history. Then nothing is written,
ever: signing on would fork the ledger, and whoever remembers that head could prove it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.mark import MarkFile
from ledger.log.note import NoteVerifier
from ledger.store.port import Head, LedgerReader, LedgerStore
from ledger.store.sealing import check_head, signing_lock, tree_root


class Verdict(StrEnum):
    """What a comparison comes to."""

    FINE = "fine"
    """The mark is on the tree and no head lies beyond it: nothing is to be done."""
    MARK_TO_WRITE = "mark-to-write"
    """The ledger continues every head that is known; the mark must be written."""
    NOBODY_ASKED = "nobody-asked"
    """As before, but all that is known comes from this machine, which may have been restored as a whole."""
    OTHER_ORIGIN = "other-origin"
    """The mark is of another ledger: settings of two nodes are mixed."""
    ENTRIES_LOST = "entries-lost"
    """Some head covers more entries than there are."""
    OTHER_HISTORY = "other-history"
    """Some head has another root for as many entries."""

    @property
    def refused(self) -> bool:
        """Whether the mark must not be written."""
        return self in (Verdict.OTHER_ORIGIN, Verdict.ENTRIES_LOST, Verdict.OTHER_HISTORY)


@dataclass(frozen=True, slots=True)
class Given:
    """A signed checkpoint that somebody else kept, and where it came from, in words."""

    source: str
    note: bytes


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A head that was compared: where it is from, what it says, and what is wrong with it ("" if it is on the tree)."""

    source: str
    checkpoint: Checkpoint
    wrong: str
    verdict: Verdict

    @property
    def on_tree(self) -> bool:
        """Whether the ledger continues it."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found: the ledger's head, the mark's state, each head known, and what it comes to."""

    head: Checkpoint
    mark: Checkpoint | None
    mark_problem: str
    known: tuple[KnownHead, ...]
    verdict: Verdict
    new_mark: Checkpoint


Logs = NoteVerifier | Sequence[NoteVerifier]


def compare(store: LedgerStore, mark_path: Path, log: Logs, given: Sequence[Given]) -> Comparison:
    """Hold every head that is known against the tree; changes nothing.

    `log`: its key, or each that it ever had. Raises `VerificationError` where a given note is not a checkpoint of this
    log signed by one, and `LedgerDamaged` where the rows contradict each other.
    """
    with store.auditing() as reader:
        return _compare(store, reader, MarkFile(mark_path), log, given)


def restore_mark(
    store: LedgerStore, mark_path: Path, log: Logs, given: Sequence[Given], *, alone: bool
) -> Comparison:
    """Compare again under the signer's lock and write the mark if the comparison allows it; what was found.

    `alone`: a person vouches that nobody else ever saw a head of this ledger. A mark that could not be read is kept
    beside the new one as ``<mark>.unreadable``. Raises as `compare`, and `MarkError` where it cannot be written.
    """
    with signing_lock(mark_path), store.auditing() as reader:
        found = _compare(store, reader, MarkFile(mark_path), log, given)
        if found.verdict is Verdict.MARK_TO_WRITE or (found.verdict is Verdict.NOBODY_ASKED and alone):
            if found.mark_problem and mark_path.exists():
                mark_path.rename(mark_path.with_name(f"{mark_path.name}.unreadable"))
            MarkFile(mark_path).advance(found.new_mark)
    return found


def _compare(
    store: LedgerStore, reader: LedgerReader, mark_file: MarkFile, log: Logs, given: Sequence[Given]
) -> Comparison:
    mark, problem = _mark(mark_file)
    head = reader.head()
    root = tree_root(reader, head.size)
    check_head(reader, head, root)
    present = Checkpoint(store.origin, head.size, root)
    known = [
        _judge(store.origin, reader, head, source, item) for source, item in _heads(reader, log, mark, given)
    ]
    largest = max(
        (item.checkpoint for item in known if item.on_tree),
        key=lambda item: item.size,
        default=Checkpoint(store.origin, 0, EMPTY_ROOT),
    )
    return Comparison(present, mark, problem, tuple(known), _verdict(mark, known, largest, given), largest)


def _verdict(
    mark: Checkpoint | None, known: Sequence[KnownHead], largest: Checkpoint, given: Sequence[Given]
) -> Verdict:
    wrong = [item.verdict for item in known if not item.on_tree]
    for verdict in (Verdict.OTHER_ORIGIN, Verdict.OTHER_HISTORY, Verdict.ENTRIES_LOST):
        if verdict in wrong:
            return verdict
    if mark is not None and mark.size >= largest.size:
        return Verdict.FINE
    return Verdict.MARK_TO_WRITE if given else Verdict.NOBODY_ASKED


def _mark(mark_file: MarkFile) -> tuple[Checkpoint | None, str]:
    try:
        return mark_file.read(), ""
    except (LedgerError, OSError) as error:
        return None, str(error)


def _heads(
    reader: LedgerReader,
    log: Logs,
    mark: Checkpoint | None,
    given: Sequence[Given],
) -> Iterator[tuple[str, Checkpoint]]:
    if mark is not None:
        yield "the mark", mark
    latest = reader.latest_checkpoint()
    if latest is not None:
        yield "the latest checkpoint in the database", _open("the database", latest.note, log)
    for item in given:
        yield item.source, _open(item.source, item.note, log)


def _open(source: str, note: bytes, log: Logs) -> Checkpoint:
    try:
        return SignedCheckpoint.open(note, [log] if isinstance(log, NoteVerifier) else log).checkpoint
    except LedgerError as error:
        error.message = f"{source}: {error.message}"
        error.args = (error.message,)
        raise


def _judge(origin: str, reader: LedgerReader, head: Head, source: str, known: Checkpoint) -> KnownHead:
    wrong, verdict = "", Verdict.FINE
    if known.origin != origin:
        wrong, verdict = f"is of {known.origin}, not of {origin}", Verdict.OTHER_ORIGIN
    elif known.size > head.size:
        wrong = f"covers {known.size} entries, and the ledger has {head.size}"
        verdict = Verdict.ENTRIES_LOST
    elif tree_root(reader, known.size) != known.root:
        wrong = f"has another root: the first {known.size} entries are not those that were signed"
        verdict = Verdict.OTHER_HISTORY
    return KnownHead(source, known, wrong, verdict)
