"""A witness: cosigns a log's head if it continues the largest one it cosigned before. C2SP tlog-witness.

    200 the cosignatures      400 not a request                403 not signed by a key of that log
    404 a log not followed    409 from another size than known (the size is the answer)
    422 not a continuation

Comparing and raising the mark is one step under the log's lock, and the mark is on the disk before a signature exists:
whatever dies in between, no two roots are cosigned for one size and no head is cosigned below another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError, VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.conflict import Conflict, Sighting, asks_beyond, path_of
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import Note, NoteVerifier
from ledger.log.proof import verify_consistency
from ledger.witness.request import AddCheckpoint, Submitted
from ledger.witness.state import LogState, Mark, StateFolder

PLAIN: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"

Logs = Mapping[str, Sequence[NoteVerifier]]
"""The logs that are followed: the keys of each, by origin."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the witness answers. `conflict`: where a proof that the log signed two histories was just kept."""

    status: HTTPStatus
    body: bytes
    content_type: str = PLAIN
    conflict: Path | None = None


class Refused(LedgerError):
    """A request that is not cosigned, with the answer that says so."""

    code = "witness-refused"

    def __init__(self, status: HTTPStatus, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.answer = answer or Answer(status, f"{message}\n".encode())


def logs_of(keys: Sequence[NoteVerifier]) -> Logs:
    """The logs by origin; a log may have several keys."""
    found: dict[str, list[NoteVerifier]] = {}
    for key in keys:
        found.setdefault(key.name, []).append(key)
    return found


class Witness:
    """One witness: its folder, the keys it cosigns with, the logs it follows (asked anew each time), its clock."""

    def __init__(
        self,
        folder: StateFolder,
        signers: Sequence[CosignatureSigner],
        logs: Callable[[], Logs],
        now: Callable[[], datetime],
    ) -> None:
        self.folder = folder
        self._signers = signers
        self._logs = logs
        self._now = now

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request. Raises `StateError` where the witness's own folder fails: then nothing was signed."""
        try:
            request = AddCheckpoint.parse(body)
            keys = self._trusted(request)
            with self.folder.locked(request.submitted.origin) as state:
                return self._decide(request, keys, state)
        except Refused as refused:
            return refused.answer
        except VerificationError as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error.message}\n".encode("utf-8", "backslashreplace"))

    def _trusted(self, request: AddCheckpoint) -> Sequence[NoteVerifier]:
        """The keys of the log, one of which signed the note."""
        keys = self._logs().get(request.submitted.origin)
        if not keys:
            raise Refused(HTTPStatus.NOT_FOUND, "this log is not followed here")
        try:
            return request.note.verify(keys)
        except VerificationError as error:
            raise Refused(HTTPStatus.FORBIDDEN, error.message) from error

    def _decide(self, request: AddCheckpoint, keys: Sequence[NoteVerifier], state: LogState) -> Answer:
        new = request.submitted
        if request.old > new.size:
            raise Refused(HTTPStatus.BAD_REQUEST, "the old size is above the checkpoint's")
        kept = state.mark()
        known = kept.head.size if kept else 0
        try:
            _require_size(request.old, known)
            _require_continuation(request, kept.head if kept else None)
        except Refused as refused:
            path = None if kept is None else self._conflict(request, keys, kept, state)
            answer = refused.answer
            raise Refused(
                answer.status,
                refused.message,
                Answer(answer.status, answer.body, answer.content_type, path),
            ) from refused
        head = new.checkpoint()
        # Only what was verified is kept: lines of strangers' keys could fill the disk, or be taken for somebody's.
        lines = tuple(line for line in request.note.signatures if any(key.wrote(line) for key in keys))
        note = Note(request.note.text, lines)
        # One that stands is written anew: whoever wrote it may have died before the disk had it.
        state.advance(kept.note if kept is not None and kept.head == new else note.encode())
        seconds = int(self._now().timestamp())
        signed = [signer.sign(head, seconds) for signer in self._signers]
        state.show(note.signed_also(signed).encode())
        return Answer(HTTPStatus.OK, "".join(line.line() for line in signed).encode())

    def _conflict(
        self,
        request: AddCheckpoint,
        keys: Sequence[NoteVerifier],
        kept: Mark,
        state: LogState,
    ) -> Path | None:
        """Keep what proves that the log signed two histories, where this request does."""
        before, after = kept.head, request.submitted
        if before.extensions or after.extensions or not before.size or after.size < before.size:
            return None
        path: tuple[bytes, ...] = ()
        if after.size > before.size:
            if request.old != before.size or asks_beyond(before.size, after.size):
                return None  # the log must be asked for more, and it is the log that calls here
            path = path_of(_plain(before), _plain(after), request.proof)
        for key in keys:
            note = Note(request.note.text, tuple(line for line in request.note.signatures if key.wrote(line)))
            conflict = Conflict(
                key, Sighting(kept.note, kept.seen_at), Sighting(note.encode(), self._now()), path
            )
            try:
                conflict.prove()
            except VerificationError:
                continue  # nothing that proves anything, or the earlier head was signed by another key of the log
            return state.keep(conflict)
        return None


def _require_size(old: int, known: int) -> None:
    if old != known:
        body = f"{known}\n".encode()
        raise Refused(
            HTTPStatus.CONFLICT, f"the size known here is {known}", Answer(HTTPStatus.CONFLICT, body, SIZE)
        )


def _require_continuation(request: AddCheckpoint, kept: Submitted | None) -> None:
    """The order of the answers is the specification's: size zero, empty proof, the proof, equal roots."""
    new = request.submitted
    if not new.possible:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "an empty tree has another root")
    if request.old == 0:
        if request.proof:
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY, "from an empty tree nothing is proven: send no hashes"
            )
        return
    assert kept is not None
    try:
        verify_consistency(request.old, new.size, kept.root, new.root, request.proof)
    except VerificationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, error.message) from error


def _plain(head: Submitted) -> Checkpoint:
    return Checkpoint(head.origin, head.size, head.root)
