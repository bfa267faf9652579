"""Two heads that one log signed and that cannot both be true, as a file that proves it to anybody.

A JSON object, written as `ledger.log.encoding.to_json` writes (docs/formats/conflict.md)::

    {"format": "packproof-conflict/1", "kind": "log-forked", "log": "<verifier key>", "path": [base64...],
     "remembered": {"note": "<checkpoint>", "seen_at": "2026-11-22T10:00:00+00:00"}, "shown": {...}}

Two roots for one size are proof by themselves. For two sizes the proof is `path`, a consistency proof (RFC 9162,
2.1.4.2) with its first hash always there: it leads to the larger head's root, and gives another root for the smaller
size than the log has signed. That a log would not prove something proves nothing: such a file is refused, saying so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.encoding import from_base64, from_json, to_base64, to_json
from ledger.log.hashing import HASH_BYTES
from ledger.log.note import MAX_NOTE_BYTES, NoteVerifier
from ledger.log.proof import fold_consistency

FORMAT: Final = "packproof-conflict/1"
MAX_CONFLICT_BYTES: Final = 4 * MAX_NOTE_BYTES
MAX_PATH: Final = 66
BEGINNING: Final = b'{"format":"' + FORMAT.encode() + b'",'
"""How every such file begins: its members are sorted."""


class ConflictKind(StrEnum):
    """How the head shown contradicts the one remembered."""

    FORKED = "log-forked"
    REWRITTEN = "log-rewritten"
    ROLLED_BACK = "log-rolled-back"

    @classmethod
    def of(cls, remembered: Checkpoint, shown: Checkpoint) -> "ConflictKind":
        """By the sizes alone."""
        if shown.size < remembered.size:
            return cls.ROLLED_BACK
        return cls.FORKED if shown.size == remembered.size else cls.REWRITTEN


@dataclass(frozen=True, slots=True)
class Sighting:
    """A checkpoint as it came, and when whoever kept it saw it (aware UTC; only their word)."""

    note: bytes
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """The head that was remembered, the head that was shown later, and what leads from one to the other.

    `log` is the verifier key under which whoever made the file knew the log.
    """

    log: NoteVerifier
    remembered: Sighting
    shown: Sighting
    path: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes."""
        kind = ConflictKind.of(_head(self.remembered.note, [self.log]), _head(self.shown.note, [self.log]))
        return to_json(
            {
                "format": FORMAT,
                "kind": kind.value,
                "log": str(self.log),
                "path": [to_base64(item) for item in self.path],
                "remembered": _sighting_json(self.remembered),
                "shown": _sighting_json(self.shown),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Conflict":
        """Read a conflict file strictly; both heads are signed by the key in it. Raises `VerificationError`."""
        if len(data) > MAX_CONFLICT_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_CONFLICT_BYTES} are read")
        value = _members(from_json(data), "format", "kind", "log", "path", "remembered", "shown")
        if value["format"] != FORMAT:
            raise _refuse(f"it is not of the format {FORMAT}")
        path = value["path"]
        if not isinstance(path, list) or len(path) > MAX_PATH:
            raise _refuse(f"path is no array of at most {MAX_PATH} hashes")
        found = cls(
            NoteVerifier.parse(_text(value["log"])),
            _sighting(value["remembered"]),
            _sighting(value["shown"]),
            tuple(from_base64(_text(item), length=HASH_BYTES) for item in path),
        )
        if found.encode() != data:
            raise _refuse("its bytes are not the writing of what it says")
        return found

    def prove(self, logs: Sequence[NoteVerifier] = ()) -> "Proven":
        """What the file proves: one of `logs` (none given: the key in the file) signed two histories.

        Raises `VerificationError`: `conflict-unproven` where both heads are the log's and may both be true, and the
        codes of notes and checkpoints where one of them is not the log's.
        """
        keys = list(logs) or [self.log]
        before, after = _head(self.remembered.note, keys), _head(self.shown.note, keys)
        if before.origin != after.origin:
            raise _refuse("the two heads are of different logs", "conflict-unproven")
        _require_contradiction(before, after, self.path)
        kind = ConflictKind.of(before, after)
        return Proven(kind, before, self.remembered.seen_at, after, self.shown.seen_at, self.log, bool(logs))


@dataclass(frozen=True, slots=True)
class Proven:
    """A conflict that holds. `trusted`: the log's key is the verifier's own, not the file's."""

    kind: ConflictKind
    remembered: Checkpoint
    remembered_at: datetime
    shown: Checkpoint
    shown_at: datetime
    log: NoteVerifier
    trusted: bool

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "accepted": True,
            "proves": "this log signed two histories",
            "kind": self.kind.value,
            "origin": self.shown.origin,
            "log_key": str(self.log),
            "log_trusted": self.trusted,
            "heads": [
                {"size": head.size, "root": head.root.hex(), "seen_at": at.isoformat()}
                for head, at in ((self.remembered, self.remembered_at), (self.shown, self.shown_at))
            ],
        }

    def text(self) -> str:
        """For people."""
        same = self.remembered.size == self.shown.size
        how = (
            "It signed two different ledgers of one size."
            if same
            else "The larger ledger that it signed does not begin with the smaller one that it signed."
        )
        key = (
            "named by your policy"
            if self.trusted
            else "taken from this file itself: compare it with one you trust, or the file accuses nobody"
        )
        return (
            f"ACCEPTED. This log signed two histories: {self.shown.origin}\n\n"
            f"     {how} One of them was not the truth.\n"
            f"     remembered   {_told(self.remembered, self.remembered_at)}\n"
            f"     shown later  {_told(self.shown, self.shown_at)}\n"
            f"     key          {key}\n                  {self.log}\n\n"
            "What this proves: whoever holds the log's key signed both heads. What it does not prove: which of them\n"
            "is the truth, and when they were signed (the times are the word of who kept this file).\n"
        )


def path_of(
    remembered: Checkpoint, shown: Checkpoint, proof: Sequence[bytes], beyond: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """The path that proves that `shown`, the larger head, contradicts `remembered`; empty where there is none.

    `proof` is what the log gave for the two sizes. Where the smaller size is a power of two that leaves out the one
    hash that matters; it stands in `beyond`, the log's proof from the next size on (see `asks_beyond`).
    """
    paths = [tuple(proof)]
    if asks_beyond(remembered.size, shown.size):
        first = _whole(remembered.size, shown.size, beyond)
        paths = [] if first is None else [(first, *proof)]
    for path in paths:
        try:
            _require_contradiction(remembered, shown, path)
        except VerificationError:
            continue
        return path
    return ()


def asks_beyond(old: int, new: int) -> bool:
    """Whether the proof from `old` to `new` leaves its first hash out, and the proof from ``old + 1`` has it."""
    return old >= 2 and old & (old - 1) == 0 and new > old + 1


def _whole(old: int, new: int, beyond: Sequence[bytes]) -> bytes | None:
    """The hash over the first `old` (a power of two) leaves, out of the proof from ``old + 1`` to `new`."""
    at, last = old, new - 1
    for sibling in beyond[1:]:
        if at & 1 or at == last:
            return sibling
        at, last = at >> 1, last >> 1
    return None


def _require_contradiction(before: Checkpoint, after: Checkpoint, path: Sequence[bytes]) -> None:
    smaller, larger = (before, after) if before.size <= after.size else (after, before)
    if smaller.size == larger.size:
        if path:
            raise _refuse("between heads of one size there is no path")
        if smaller.root == larger.root:
            raise _refuse("both heads are the same", "conflict-unproven")
        return
    if not path:
        raise _refuse(
            f"the log signed both heads, of {smaller.size} and {larger.size} entries, and nothing here shows that they "
            "contradict each other: ask the log for the consistency proof between these sizes",
            "conflict-unproven",
        )
    if not smaller.size:
        raise _refuse("every ledger continues the empty one", "conflict-unproven")
    try:
        old_root, new_root = fold_consistency(smaller.size, larger.size, path)
    except VerificationError as error:
        raise _refuse(error.message, "conflict-unproven") from error
    if new_root != larger.root:
        raise _refuse("the path does not lead to the larger head's root", "conflict-unproven")
    if old_root == smaller.root:
        raise _refuse("the larger head continues the smaller one: they agree", "conflict-unproven")


def _head(note: bytes, logs: Sequence[NoteVerifier]) -> Checkpoint:
    return SignedCheckpoint.open(note, logs).checkpoint


def _sighting_json(sighting: Sighting) -> dict[str, str]:
    return {"note": sighting.note.decode(), "seen_at": sighting.seen_at.isoformat()}


def _sighting(value: object) -> Sighting:
    found = _members(value, "note", "seen_at")
    text = _text(found["seen_at"])
    try:
        seen_at = datetime.fromisoformat(text)
    except ValueError:
        raise _refuse(f"{text[:60]!a} is no time") from None
    if seen_at.tzinfo is None or seen_at.utcoffset() != UTC.utcoffset(None):
        raise _refuse("a time is written in UTC")
    return Sighting(_text(found["note"]).encode("utf-8", "surrogatepass"), seen_at)


def _members(value: object, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(names):
        raise _refuse(f"not an object of {', '.join(names)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _refuse("not text where text belongs")
    return value


def _told(head: Checkpoint, at: datetime) -> str:
    return f"{head.size} entries, root {head.root.hex()}, seen {at:%Y-%m-%d %H:%M:%S} UTC"


def _refuse(message: str, code: str = "conflict") -> VerificationError:
    return VerificationError(f"conflict: {message}", code=code)
