"""The last head this bench saw, and the refusal to believe a node that shows another past.

Everyone who scans is a witness: a node's operator can rewrite its database, recompute every hash and sign again, but
it cannot change the checkpoint that lies here. `trust.json` in the bench's folder holds it as it came::

    {"log": "<verifier key>", "note": "<checkpoint>", "refused": null, "seen_at": "2026-11-22T10:00:00+00:00", "v": 1}

A later checkpoint is accepted only if the log's key signed it and a proof (RFC 6962, 2.1.2) shows that it continues
the one remembered. Where the log itself signed something that cannot go together with it, both notes and the proof
are kept in ``conflict-TIME.json``, which proves the matter to anybody who knows the log's key, and the node is
refused from then on, until a person says otherwise (``packproof-scan trust --reset``).
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.note import NoteVerifier
from ledger.log.proof import verify_consistency
from scanner.durable import write_file
from scanner.errors import BenchError, TrustError

_FILE = "trust.json"
_VERSION = 1
_MOST_BYTES = 1 << 20
RESET_ADVICE = (
    "Do not rely on this node. Keep that file: it proves the matter to anybody. Tell your quality unit and the "
    "node's operator; only when they have explained it: packproof-scan trust --reset"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the node is refused: the error's code, the words, when it was found (aware UTC) and the file of proof."""

    code: str
    message: str
    at: datetime
    file: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A head that was accepted: the note as it came, when, and what it says."""

    note: bytes
    seen_at: datetime
    checkpoint: Checkpoint


class Memory:
    """What one bench remembers of one node. `folder` is the bench's, `log` the key it enrolled with.

    One process at a time: whoever uses it holds the bench's lock (`scanner.bench`).
    """

    def __init__(self, folder: Path, log: NoteVerifier) -> None:
        self._path = folder / _FILE
        self._log = log

    def remembered(self) -> Remembered:
        """The last head accepted. Raises `BenchError` where the file is gone or damaged: never a fresh start."""
        return self._read()[0]

    def refusal(self) -> Refusal | None:
        """Why this node is refused; None while it is not."""
        return self._read()[1]

    def require_trusted(self) -> Remembered:
        """The last head accepted. Raises `TrustError` ``node-distrusted`` where the node was refused before."""
        remembered, refusal = self._read()
        if refusal is not None:
            raise TrustError(
                "node-distrusted",
                f"This node has been refused since {_day(refusal.at)}. {refusal.message} "
                f"The proof is in {self._path.with_name(refusal.file)}. {RESET_ADVICE}",
            )
        return remembered

    def begin(self, note: bytes, now: datetime) -> Remembered:
        """Take the first head on trust: at enrolment, or when a person resets. Its signature must be the log's."""
        first = Remembered(note, now, self._opened(note).checkpoint)
        self._write(first, None)
        return first

    def opened(self, note: bytes) -> Checkpoint:
        """What a note says, if the log's key signed it. Raises `TrustError` ``log-key``."""
        return self._opened(note).checkpoint

    def continues(self, note: bytes, proof: Sequence[bytes]) -> bool:
        """Whether `note` is the log's and goes on, by `proof`, from what is remembered. Raises as `opened`."""
        seen, shown = self.remembered().checkpoint, self.opened(note)
        return _broken(seen, shown, proof) is None

    def accept(self, note: bytes, proof: Sequence[bytes], now: datetime) -> Remembered:
        """Take over a later head. Raises `TrustError`, and then this node is refused from now on.

        ``log-key`` alone refuses this answer and not the node: without the log's signature it proves nothing
        against it (a wrong address, another node in its place).
        """
        seen = self.require_trusted()
        shown = self._opened(note).checkpoint
        broken = _broken(seen.checkpoint, shown, proof)
        if broken is not None:
            self._refuse(broken, seen, note, shown, proof, now)
        if shown == seen.checkpoint:
            return seen
        latest = Remembered(note, now, shown)
        self._write(latest, None)
        return latest

    def reset(self, note: bytes, now: datetime) -> Remembered:
        """Forget the refusal and begin anew from `note`. What was remembered is kept beside, with the proofs."""
        self._opened(note)
        kept = self._path.with_name(f"trust-until-{_stamp(now)}.json")
        write_file(kept, self._path.read_bytes())
        return self.begin(note, now)

    def _opened(self, note: bytes) -> SignedCheckpoint:
        try:
            return SignedCheckpoint.open(note, [self._log])
        except LedgerError as error:
            raise TrustError(
                "log-key",
                "This answer is not signed by the key this bench enrolled with, so nothing in it is believed "
                f"({error.message}). Is this still the right address, and has the node's key been changed? Ask its "
                "operator; a new key needs a new enrolment.",
            ) from error

    def _refuse(
        self,
        code: str,
        seen: Remembered,
        note: bytes,
        shown: Checkpoint,
        proof: Sequence[bytes],
        now: datetime,
    ) -> None:
        message = _words(code, seen, shown)
        name = f"conflict-{_stamp(now)}.json"
        conflict = {
            "format": "packproof-conflict/1",
            "kind": code,
            "says": message,
            "log": str(self._log),
            "remembered": {"note": seen.note.decode(), "seen_at": seen.seen_at.isoformat()},
            "shown": {"note": note.decode(), "seen_at": now.isoformat()},
            "consistency": [base64.b64encode(item).decode() for item in proof],
        }
        # The proof first: a refusal that cannot show why would be worth little.
        write_file(self._path.with_name(name), _json(conflict))
        self._write(seen, Refusal(code, message, now, name))
        raise TrustError(code, f"{message} The proof is in {self._path.with_name(name)}. {RESET_ADVICE}")

    def _write(self, latest: Remembered, refusal: Refusal | None) -> None:
        refused = None
        if refusal is not None:
            refused = {
                "code": refusal.code,
                "message": refusal.message,
                "at": refusal.at.isoformat(),
                "file": refusal.file,
            }
        value = {
            "v": _VERSION,
            "log": str(self._log),
            "note": latest.note.decode(),
            "seen_at": latest.seen_at.isoformat(),
            "refused": refused,
        }
        write_file(self._path, _json(value))

    def _read(self) -> tuple[Remembered, Refusal | None]:
        try:
            with self._path.open("rb") as stream:
                value: Any = json.loads(stream.read(_MOST_BYTES))
            if value["v"] != _VERSION or value["log"] != str(self._log):
                raise ValueError("it is of another version or another log")
            note = value["note"].encode()
            seen = Remembered(note, datetime.fromisoformat(value["seen_at"]), self._opened(note).checkpoint)
            refused = value["refused"]
            refusal = None
            if refused is not None:
                at = datetime.fromisoformat(refused["at"])
                refusal = Refusal(refused["code"], refused["message"], at, refused["file"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, TrustError) as error:
            raise BenchError(
                "bench-damaged",
                f"{self._path} cannot be used ({error}): without the head remembered there, nobody would notice a "
                "changed past. Put it back from a copy, or enrol this bench again in another folder",
            ) from error
        return seen, refusal


def _broken(seen: Checkpoint, shown: Checkpoint, proof: Sequence[bytes]) -> str | None:
    """How a head shown contradicts the one seen: the error's code, None where it continues it."""
    if shown.size < seen.size:
        return "log-rolled-back"
    if shown.size == seen.size:
        return None if shown.root == seen.root else "log-forked"
    if seen.size == 0:
        return None
    try:
        verify_consistency(seen.size, shown.size, seen.root, shown.root, proof)
    except LedgerError:
        return "log-rewritten"
    return None


def _words(code: str, seen: Remembered, shown: Checkpoint) -> str:
    before = f"the one you saw on {_day(seen.seen_at)}"
    size = seen.checkpoint.size
    if code == "log-rolled-back":
        return (
            f"This node shows a different past than {before}: then it had signed {size} entries, now it shows "
            f"{shown.size}. Entries that were in the ledger are gone from it."
        )
    if code == "log-forked":
        return (
            f"This node shows a different past than {before}: it has signed two different ledgers of {size} entries. "
            "One of them was not the truth."
        )
    return (
        f"This node shows a different past than {before}: it has signed {shown.size} entries now, and cannot show "
        f"that the {size} it had signed then are still the first of them. Something among them was changed."
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d at %H:%M} UTC"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S%f}Z"


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
