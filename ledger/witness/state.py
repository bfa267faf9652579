"""How far a witness has followed each log: one file an origin, on the disk before anything is cosigned.

In the witness's folder, `<h>` being the hex SHA-256 of the origin::

    heads/<h>          the high-water mark: origin, size, root, and the log's signatures, of the largest head cosigned
    heads/<h>.lock     who holds it decides about this log: one thread of one process at a time
    cosigned/<h>       the same head with the witness's signatures, to be shown
    conflicts/<h>-...  two heads that one log signed and that cannot both be true (`ledger.log.conflict`)

The mark only rises. It is **never restored from a backup**: with yesterday's mark the witness would cosign another
continuation of yesterday. A witness that lost its folder begins anew under another key.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError, VerificationError
from ledger.log.conflict import Conflict
from ledger.log.note import MAX_NOTE_BYTES, Note
from ledger.signing.durable import sync_folder, write_whole
from ledger.witness.memory import stamp
from ledger.witness.request import Submitted

MAX_CONFLICTS: Final = 100
"""Conflicts kept for one log: the first is proof enough, and a log must not fill a witness's disk."""


class StateError(LedgerError):
    """The mark cannot be read or written: then nothing is cosigned."""

    code = "witness-state"


def origin_hash(origin: str) -> str:
    """The name of an origin in files and addresses: hex SHA-256 (tlog-witness, monitor retrieval)."""
    return sha256(origin.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """The largest head cosigned: what it says, the log's note, and when it was written here (aware UTC)."""

    head: Submitted
    note: bytes
    seen_at: datetime


class LogState:
    """What a witness knows of one log. Made by `StateFolder.locked`, and used under its lock."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin
        self._name = origin_hash(origin)

    def mark(self) -> Mark | None:
        """The largest head cosigned; None where there is none. Raises `StateError`."""
        path = self._folder / "heads" / self._name
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_NOTE_BYTES + 1)
                seen_at = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
            head = Submitted.parse(Note.parse(data).text)
        except FileNotFoundError:
            return None
        except (OSError, VerificationError) as error:
            raise StateError(
                f"{path} cannot be read ({error}). Nothing is cosigned for {self._origin}: without its mark a witness "
                "could vouch for another past. It must never be put back from a backup or taken away"
            ) from error
        if head.origin != self._origin:
            raise StateError(f"{path} is of {head.origin}, not of {self._origin}")
        return Mark(head, data, seen_at)

    def advance(self, note: bytes) -> None:
        """Raise the mark to the head of `note`, durably. Raises `StateError`; then nothing may be signed."""
        try:
            write_whole(self._folder / "heads" / self._name, note)
        except OSError as error:
            raise StateError(f"the mark of {self._origin} cannot be written: {error.strerror}") from error

    def show(self, note: bytes) -> None:
        """Keep the cosigned note for `StateFolder.cosigned`."""
        try:
            write_whole(self._folder / "cosigned" / self._name, note)
        except OSError as error:
            raise StateError(
                f"the cosigned head of {self._origin} cannot be kept: {error.strerror}"
            ) from error

    def keep(self, conflict: Conflict) -> Path | None:
        """Keep a proven conflict; None where it is kept already, or enough of them are. Raises `StateError`."""
        try:
            return self._keep(conflict)
        except OSError as error:
            raise StateError(f"a conflict of {self._origin} cannot be kept: {error.strerror}") from error

    def _keep(self, conflict: Conflict) -> Path | None:
        folder = self._folder / "conflicts"
        kept = list(folder.glob(f"{self._name}-*.json"))
        if any(_shows(path, conflict.shown.note) for path in kept) or len(kept) >= MAX_CONFLICTS:
            return None
        data = conflict.encode()
        # By its content too: two of one moment are two.
        digest = sha256(data).hexdigest()[:16]
        path = folder / f"{self._name}-{stamp(conflict.shown.seen_at)}-{digest}.json"
        write_whole(path, data)
        return path


def _shows(path: Path, note: bytes) -> bool:
    """Whether the conflict in this file ends with the same head. One that was damaged since shows nothing."""
    try:
        return Conflict.parse(path.read_bytes()).shown.note == note
    except VerificationError:
        return False


class StateFolder:
    """All the logs that one witness follows, in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def locked(self, origin: str) -> Iterator[LogState]:
        """The state of one log, for one thread of one process at a time. The lock ends with its process."""
        try:
            self._make()
            lock = self.path / "heads" / f"{origin_hash(origin)}.lock"
            file = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{self.path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield LogState(self.path, origin)
        finally:
            os.close(file)

    def _make(self) -> None:
        if (self.path / "conflicts").is_dir():
            return
        for folder in (self.path, *(self.path / name for name in ("heads", "cosigned", "conflicts"))):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A mark is as durable as the folder it lies in.
            sync_folder(folder.parent)

    def cosigned(self, name: str) -> bytes | None:
        """The latest cosigned note of the log with the hash `name`; None where there is none."""
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            return None
        try:
            return (self.path / "cosigned" / name).read_bytes()
        except FileNotFoundError:
            return None

    def conflicts(self) -> list[Path]:
        """All the conflicts that were kept."""
        return sorted((self.path / "conflicts").glob("*.json"))
