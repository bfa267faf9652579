"""The high-water mark: the largest head this node ever signed, in a file of its own.

A restored database would go on signing where it stood yesterday, and the ledger would have forked. The mark is what
remembers: it is written and fsynced *before* a checkpoint is signed and is never restored from a backup::

    packproof.example/ledger
    1234
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint

MAX_MARK_BYTES: Final = 1024


class MarkError(LedgerError):
    """The mark forbids it, or cannot be written."""

    code = "mark"


@dataclass(frozen=True, slots=True)
class MarkFile:
    """The mark's file. One process writes it at a time: the one that holds the signer's lock."""

    path: Path

    def read(self) -> Checkpoint | None:
        """The mark, or nothing if there is no file; raises `VerificationError` if it was tampered with."""
        try:
            with self.path.open("rb") as stream:
                data = stream.read(MAX_MARK_BYTES + 1)
        except FileNotFoundError:
            return None
        try:
            return Checkpoint.parse(data.decode("ascii"))
        except UnicodeDecodeError:
            raise MarkError(f"{self.path} holds no mark") from None

    def advance(self, head: Checkpoint) -> None:
        """Raise the mark to `head`, durably; an equal one is written anew: whoever wrote it may have died before the
        disk had it, or been told that the disk had it not.

        Raises `MarkError` where `head` is below the mark or another head of the same size: signing it would fork the
        ledger. Whether the mark is on the tree (consistency) is for the caller to check before.
        """
        mark = self.read()
        if mark is not None and mark != head:
            if mark.origin != head.origin:
                raise MarkError(f"the mark is of {mark.origin}, not of {head.origin}", code="mark-origin")
            if head.size < mark.size:
                raise MarkError(
                    f"this node has signed {mark.size} entries before and would now sign {head.size}: "
                    "its database was restored or cut. Nothing is signed",
                    code="mark-rollback",
                )
            if head.size == mark.size:
                raise MarkError(
                    f"this node has signed another root for size {head.size} before", code="mark-fork"
                )
        self._replace(head.text().encode("ascii"))

    def _replace(self, data: bytes) -> None:
        temporary = self.path.with_name(f"{self.path.name}.new")
        try:
            file = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise MarkError(
                f"the mark {self.path} cannot be written: {error.strerror}", code="mark-io"
            ) from error
