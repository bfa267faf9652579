"""Signing the head, and refusing to when the ledger is not the one that was signed before.

The failure to fear most is rollback: yesterday's database is restored, the node goes on signing, and the ledger has
forked. The mark, a file that no backup restores, remembers the largest head ever signed. One signer at a time (a lock
on ``<mark>.lock``) goes through these steps::

    read head -> is the tree at the mark's size the one the mark knows? -> write the mark, fsync
              -> sign -> keep the checkpoint -> hand it out

A note carries the log's Ed25519 signature (two of them while one key follows another) and, where the log has such a
key, its ML-DSA-44 cosignature, which tells the time: so the same head is signed once and the note that was kept is
given again.

Roots are computed from tiles and leaves before each signature and never remembered. Where there is nothing to sign,
because the head's row and the mark are in every column what this process sealed last, the note of then is given again:
each scan asks for it. `check_at_start` does the same comparison and belongs before the first append of every process.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerError, VerificationError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.mark import MarkFile
from ledger.log.note import NoteSigner
from ledger.log.proof import root_at
from ledger.store.port import Head, LedgerDamaged, LedgerReader, LedgerStore, NoSuchEntry, StoredCheckpoint


class ReadOnly(LedgerError):
    """The node must not append and must not sign. The message says why and what to do."""

    code = "ledger-read-only"


class RolledBack(ReadOnly):
    """The ledger is not the one whose head this node signed."""

    code = "ledger-rolled-back"


class MarkMissing(ReadOnly):
    """There is a ledger, and no mark that says how far it was signed."""

    code = "mark-missing"


@contextlib.contextmanager
def signing_lock(mark_path: Path) -> Iterator[None]:
    """One process at a time reads the mark, raises it and signs."""
    mark_path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(
        mark_path.with_name(f"{mark_path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What was sealed last: the head's row, the mark that it was compared with and raised, and the note."""

    head: Head
    mark: Checkpoint
    note: bytes


class Sealer:
    """Signs heads of one ledger under its origin, with one mark."""

    def __init__(
        self,
        store: LedgerStore,
        mark_path: Path,
        signer: NoteSigner | Callable[[], Sequence[NoteSigner]],
        cosigner: CosignatureSigner | Callable[[], Sequence[CosignatureSigner]] | None = None,
        seconds: Callable[[], int] = lambda: 0,
    ) -> None:
        """`signer` is the log's Ed25519 key, or gives those that sign now, asked for each head after it was read: two
        while one follows another. `cosigner` is its ML-DSA-44 key, or gives those that cosign now; `seconds` tells the
        time since 1970 that they sign.
        """
        if isinstance(cosigner, CosignatureSigner) or cosigner is None:
            fixed = [] if cosigner is None else [cosigner]
            for each in fixed:
                _require_name(store.origin, each.name)
            self._cosigners: Callable[[], Sequence[CosignatureSigner]] = lambda: fixed
        else:
            self._cosigners = cosigner
        if isinstance(signer, NoteSigner):
            only = [signer]
            _require_name(store.origin, signer.name)
            self._signers: Callable[[], Sequence[NoteSigner]] = lambda: only
        else:
            self._signers = signer
        self._store = store
        self._mark = MarkFile(mark_path)
        self._seconds = seconds
        self._sealed: _Sealed | None = None

    def check_at_start(self) -> None:
        """Raise `ReadOnly` unless the ledger continues what was signed. An empty ledger without a mark gets one.

        `RolledBack`, `MarkMissing`, or `ReadOnly` with the codes ``mark-origin``, ``mark-behind``,
        ``mark-unreadable``. Raises `LedgerDamaged` where rows contradict each other.
        """
        with signing_lock(self._mark.path), self._store.auditing() as reader:
            mark, head, latest = self._read_mark(), reader.head(), reader.latest_checkpoint()
            if mark is None and head.size == 0 and latest is None:
                # From here on a missing mark means that somebody took it away.
                self._mark.advance(Checkpoint(self._store.origin, 0, EMPTY_ROOT))
                return
            self._check(reader, mark, head, latest)

    def seal(self) -> bytes:
        """Sign the present head and keep the checkpoint; the note's bytes. The same head gives the same note.

        Raises as `check_at_start` does, and `MarkError` where the mark cannot be written; then nothing was signed.
        """
        sealed = self._sealed
        if sealed is not None and self._stands(sealed):
            return sealed.note
        with signing_lock(self._mark.path):
            with self._store.auditing() as reader:
                mark, head, latest = self._read_mark(), reader.head(), reader.latest_checkpoint()
                self._check(reader, mark, head, latest)
                checkpoint = Checkpoint(self._store.origin, head.size, tree_root(reader, head.size))
                check_head(reader, head, checkpoint.root)
            signers, cosigners = self._signers(), self._cosigners()
            if not signers:
                raise LedgerDamaged(
                    "none of the checkpoint keys that lie here counts: packproof ledger rotate-key"
                )
            if latest is not None and latest.size == head.size:
                note = self._again(latest, checkpoint, signers)
            else:
                self._mark.advance(checkpoint)
                note = self._sign(checkpoint, signers, cosigners)
                with self._store.writing() as writer:
                    writer.add_checkpoint(checkpoint.size, note)
            self._sealed = _Sealed(head, checkpoint, note)
            return note

    def _stands(self, sealed: _Sealed) -> bool:
        """Whether the head's row and the mark are still what they were; another process may have sealed since."""
        with self._store.reading() as reader:
            return reader.head() == sealed.head and self._read_mark() == sealed.mark

    def _sign(
        self,
        checkpoint: Checkpoint,
        signers: Sequence[NoteSigner],
        cosigners: Sequence[CosignatureSigner],
    ) -> bytes:
        note = checkpoint.sign(signers[0])
        note = note.signed_also([signer.signature(note.text) for signer in signers[1:]])
        note = note.signed_also([each.sign(checkpoint, self._seconds()) for each in cosigners])
        return note.encode()

    def _read_mark(self) -> Checkpoint | None:
        try:
            return self._mark.read()
        except (LedgerError, OSError) as error:
            raise ReadOnly(
                f"the mark {self._mark.path} cannot be read ({error}): the node stays read-only. packproof "
                "ledger recover compares the checkpoints that witnesses and scanners kept",
                code="mark-unreadable",
            ) from error

    def _check(
        self, reader: LedgerReader, mark: Checkpoint | None, head: Head, latest: StoredCheckpoint | None
    ) -> None:
        """The tree at the mark's size is the one the mark knows, and no checkpoint lies beyond the mark."""
        if mark is None:
            raise MarkMissing(
                f"the ledger has {head.size} entries, and the mark {self._mark.path} is gone: the node stays "
                "read-only, because it cannot know how far it had signed. packproof ledger recover compares the "
                "checkpoints that witnesses and scanners kept"
            )
        if mark.origin != self._store.origin:
            raise ReadOnly(
                f"the mark {self._mark.path} is of {mark.origin}, this ledger is {self._store.origin}: set the "
                "origin or the mark's path right",
                code="mark-origin",
            )
        if head.size < mark.size:
            raise RolledBack(
                f"this node has signed {mark.size} entries, and the ledger has only {head.size}: an old database "
                "was restored or its end was cut. The node stays read-only; put back the newest database"
            )
        if tree_root(reader, mark.size) != mark.root:
            raise RolledBack(
                f"the first {mark.size} of {head.size} entries are not those this node has signed: an old database "
                "was restored and has grown since, or history was rewritten. The node stays read-only; put back the "
                "database that was signed"
            )
        if latest is not None and latest.size > mark.size:
            raise ReadOnly(
                f"the mark {self._mark.path} stands at {mark.size}, and a checkpoint of {latest.size} entries was "
                "signed: the mark was restored from a backup. The node stays read-only; put back the newest mark, "
                "or run packproof ledger recover",
                code="mark-behind",
            )

    def _again(
        self, latest: StoredCheckpoint, checkpoint: Checkpoint, signers: Sequence[NoteSigner]
    ) -> bytes:
        try:
            kept = SignedCheckpoint.open(latest.note, [signer.verifier for signer in signers]).checkpoint
        except VerificationError as error:
            raise LedgerDamaged(
                f"the checkpoint of size {latest.size} as kept does not verify ({error}): run packproof fsck"
            ) from error
        if kept != checkpoint:
            raise LedgerDamaged(f"the checkpoint of size {latest.size} is off the tree: run packproof fsck")
        return latest.note


def _require_name(origin: str, name: str) -> None:
    if name != origin:
        raise ValueError(f"the signer is {name!r}, the ledger is {origin!r}")


def tree_root(reader: LedgerReader, size: int) -> bytes:
    """The root over the first `size` entries, computed from the rows; raises `LedgerDamaged`."""
    try:
        return root_at(reader, size)
    except NoSuchEntry as error:
        raise LedgerDamaged(
            f"the root of {size} entries cannot be computed ({error}): run packproof fsck"
        ) from error


def check_head(reader: LedgerReader, head: Head, root: bytes) -> None:
    """What is about to be signed is what the rows give, not what the head's row says."""
    if head.root != root or (head.size and reader.leaf(head.size - 1) != head.last_leaf):
        raise LedgerDamaged(
            f"the head of {head.size} entries is not what its entries give: run packproof fsck"
        )
