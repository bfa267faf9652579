"""The last head of a log that somebody saw, and the refusal to believe a log that shows another past.

Everyone who scans or captures is a witness: a node's operator can rewrite its database, recompute every hash and sign
again, but it cannot change the checkpoint that lies with somebody else. `trust.json` in a client's own folder holds it
as it came::

    {"log": "<verifier key>", "note": "<checkpoint>", "refused": null, "seen_at": "2026-11-22T10:00:00+00:00", "v": 1}

`former`, where it stands, are the log's keys of before: it was led on from each by a `ledger.evidence.handover`, which
lies beside as ``handover-TIME-NUMBER.json``.

A later checkpoint is accepted only if the log's key signed it and a proof (RFC 6962, 2.1.2) shows that it continues
the one remembered. Where the log itself signed something that cannot go together with it, both notes are kept in
``conflict-TIME.json`` (`ledger.log.conflict`), and the log is refused from then on, until a person says otherwise.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

from ledger.errors import LedgerError, VerificationError
from ledger.evidence.handover import Handover
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.conflict import Conflict, ConflictKind, Sighting, asks_beyond, path_of
from ledger.log.note import Note, NoteVerifier
from ledger.log.proof import verify_consistency
from ledger.signing.durable import write_whole

FILE: Final = "trust.json"
_VERSION: Final = 1
_MOST_BYTES: Final = 1 << 20
_ED25519_BYTES: Final = 64

Prove = Callable[[int, int], Sequence[bytes]]
"""The log's own consistency proof between two sizes, the smaller first."""


class Untrusted(LedgerError):
    """What is shown cannot be believed: `log-key`, a `ConflictKind`, or `node-distrusted`."""

    code = "node-distrusted"


class MemoryDamaged(LedgerError):
    """The file is gone or not as this program left it."""

    code = "memory-damaged"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the log is refused: the error's code, the words, when it was found (aware UTC) and the file that keeps it."""

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
    """What one client remembers of one log. `folder` is the client's, `log` the key it pinned.

    One process at a time: whoever uses it holds the folder's lock. A client with errors of its own overrides
    `untrusted` and `damaged`, and `advice` with what a person can do there.
    """

    advice = (
        "Do not rely on this node. Keep that file: packproof-verify reads it. Tell your quality unit and the node's "
        "operator"
    )

    def __init__(self, folder: Path, log: NoteVerifier) -> None:
        self._path = folder / FILE
        self._log = log

    def untrusted(self, code: str, message: str) -> Exception:
        """The error for what cannot be believed."""
        return Untrusted(message, code=code)

    def damaged(self, message: str) -> Exception:
        """The error for a memory that cannot be used."""
        return MemoryDamaged(message)

    def remembered(self) -> Remembered:
        """The last head accepted. Raises `damaged` where the file is gone or damaged: never a fresh start."""
        return self._read()[0]

    def refusal(self) -> Refusal | None:
        """Why this log is refused; None while it is not."""
        return self._read()[1]

    def require_trusted(self) -> Remembered:
        """The last head accepted. Raises `untrusted` ``node-distrusted`` where the log was refused before."""
        remembered, refusal = self._read()
        if refusal is not None:
            raise self.untrusted(
                "node-distrusted",
                f"This node has been refused since {_day(refusal.at)}. {refusal.message} "
                f"Both heads are in {self._path.with_name(refusal.file)}. {self.advice}",
            )
        return remembered

    def begin(self, note: bytes, now: datetime) -> Remembered:
        """Take the first head on trust: at enrolment, or when a person resets. Its signature must be the log's."""
        first = Remembered(note, now, self.opened(note))
        self._write(first, None)
        return first

    def continues(self, note: bytes, proof: Sequence[bytes]) -> bool:
        """Whether `note` is the log's and goes on, by `proof`, from what is remembered. Raises as `opened`."""
        seen, shown = self.remembered().checkpoint, self.opened(note)
        return _broken(seen, shown, proof) is None

    def accept(
        self, note: bytes, proof: Sequence[bytes], now: datetime, beyond: Sequence[bytes] = ()
    ) -> Remembered:
        """Take over a later head. Raises `untrusted`, and then this log is refused from now on.

        ``log-key`` alone refuses this answer and not the log: without the log's signature it proves nothing against
        it (a wrong address, another node in its place). `beyond`: see `ledger.log.conflict.path_of`.
        """
        seen = self.require_trusted()
        shown = self.opened(note)
        broken = _broken(seen.checkpoint, shown, proof)
        if broken is not None:
            path = path_of(seen.checkpoint, shown, proof, beyond) if broken is ConflictKind.REWRITTEN else ()
            self._refuse(broken, seen, Remembered(note, now, shown), path)
        if shown == seen.checkpoint:
            return seen
        latest = Remembered(note, now, shown)
        self._write(latest, None)
        return latest

    def succeeded(self, note: bytes) -> bool:
        """Whether the note has a line under the log's name by a key that is not known here: the log may have gone over
        to another key. False for what cannot be read."""
        try:
            lines = Note.parse(note).signatures
            former = self._former()
        except VerificationError:
            return False
        known = {self._log.key_id} | {NoteVerifier.parse(key).key_id for key in former}
        mine = [line for line in lines if line.name == self._log.name and len(line.sig) == _ED25519_BYTES]
        return any(line.key_id not in known for line in mine)

    def follow(self, handovers: Sequence[bytes], note: bytes, prove: Prove, now: datetime) -> NoteVerifier:
        """Go on with the key that the log's own key leads to, by `handovers`; that key, pinned from now on.

        `note` is the log's present head, signed by the new key: it must continue what is remembered and each head
        that two keys signed. Raises `untrusted`: as `accept`, and from then on, where one key signed two of these
        heads that do not go together; ``log-key`` where anything else does not hold, and then nothing changes.
        """
        keys, heads, taken = [self._log], [self.require_trusted()], []
        try:
            for data in handovers:
                handover = Handover.parse(data)
                if handover.present == keys[-1]:
                    both = handover.prove(keys[-1]).checkpoint
                    heads.append(Remembered(handover.checkpoint, now, both))
                    taken.append(data)
                    keys.append(handover.following)
            shown = Remembered(note, now, SignedCheckpoint.open(note, [keys[-1]]).checkpoint)
        except LedgerError as error:
            raise self.untrusted("log-key", f"The log's new key is not believed: {error.message}") from error
        if not taken:
            raise self.untrusted("log-key", "The log gives nothing that leads on from the key pinned here.")
        self._require_one_past([*heads, shown], keys, taken, prove)
        self._keep(taken, now)
        former = (*self._former(), *map(str, keys[:-1]))
        type(self)(self._path.parent, keys[-1])._write(shown, None, former)
        return keys[-1]

    def _require_one_past(
        self, heads: Sequence[Remembered], keys: Sequence[NoteVerifier], taken: Sequence[bytes], prove: Prove
    ) -> None:
        """Each head goes together with the next and with the last, the newest of them, or `untrusted` is raised.

        A head and the next have a key that signed both: where they contradict each other the log itself has signed two
        pasts, and is refused. Which of the two is the larger tells nothing: a handover may be older than what was seen.
        """
        *before, shown = heads
        for one, other in dict.fromkeys([*pairwise(heads), *((head, shown) for head in before)]):
            path = _contradiction(one.checkpoint, other.checkpoint, prove)
            if path is not None:
                signer = _who_signed(keys, one.note, other.note)
                if signer is None:
                    raise self._not_continued(one, other)
                if signer != self._log:
                    self._keep(taken, shown.seen_at)  # they show that this key, too, is the log's
                kind = ConflictKind.of(one.checkpoint, other.checkpoint)
                self._refuse(kind, one, other, path, signer)
        for head in before:
            if head.checkpoint.size > shown.checkpoint.size:
                raise self._not_continued(head, shown)

    def _not_continued(self, seen: Remembered, shown: Remembered) -> Exception:
        return self.untrusted(
            "log-key",
            f"The log's new key is not believed: it signs {shown.checkpoint.size} entries that do not continue the "
            f"{seen.checkpoint.size} signed before",
        )

    def _keep(self, handovers: Sequence[bytes], now: datetime) -> None:
        for number, data in enumerate(handovers):
            write_whole(self._path.with_name(f"handover-{stamp(now)}-{number}.json"), data)

    def _former(self) -> tuple[str, ...]:
        """The log's keys of before, as the file has them."""
        try:
            with self._path.open("rb") as stream:
                former = json.loads(stream.read(_MOST_BYTES)).get("former", [])
            return tuple(str(NoteVerifier.parse(key)) for key in former)
        except (OSError, ValueError, TypeError, AttributeError, LedgerError):
            return ()  # a damaged file is named where it is read for what it remembers

    def reset(self, note: bytes, now: datetime) -> Remembered:
        """Forget the refusal and begin anew from `note`. What was remembered is kept beside, with the conflicts."""
        self.opened(note)
        kept = self._path.with_name(f"trust-until-{stamp(now)}.json")
        write_whole(kept, self._path.read_bytes())
        return self.begin(note, now)

    def opened(self, note: bytes) -> Checkpoint:
        """What a note says, if the log's key signed it. Raises `untrusted` ``log-key``."""
        try:
            return SignedCheckpoint.open(note, [self._log]).checkpoint
        except LedgerError as error:
            raise self.untrusted(
                "log-key",
                "This answer is not signed by the ledger's key that was pinned here first, so nothing in it is "
                f"believed ({error.message}). Is this still the right address, and has the node's key been changed? "
                "Ask its operator.",
            ) from error

    def _refuse(
        self,
        kind: ConflictKind,
        seen: Remembered,
        shown: Remembered,
        path: tuple[bytes, ...],
        signer: NoteVerifier | None = None,
    ) -> NoReturn:
        """Keep both heads, which `signer` (None: the key pinned here) signed, and refuse the log from now on."""
        message = _words(kind, seen, shown.checkpoint, proven=bool(path))
        name = f"conflict-{stamp(shown.seen_at)}.json"
        conflict = Conflict(
            signer or self._log, Sighting(seen.note, seen.seen_at), Sighting(shown.note, shown.seen_at), path
        )
        # The proof first: a refusal that cannot show why would be worth little.
        write_whole(self._path.with_name(name), conflict.encode())
        self._write(self.remembered(), Refusal(kind.value, message, shown.seen_at, name))
        raise self.untrusted(
            kind.value, f"{message} Both heads are in {self._path.with_name(name)}. {self.advice}"
        )

    def _write(
        self, latest: Remembered, refusal: Refusal | None, former: Sequence[str] | None = None
    ) -> None:
        refused = None
        if refusal is not None:
            refused = {
                "code": refusal.code,
                "message": refusal.message,
                "at": refusal.at.isoformat(),
                "file": refusal.file,
            }
        value: dict[str, Any] = {
            "v": _VERSION,
            "log": str(self._log),
            "note": latest.note.decode(),
            "seen_at": latest.seen_at.isoformat(),
            "refused": refused,
        }
        kept = self._former() if former is None else former
        if kept:
            value["former"] = list(kept)
        write_whole(
            self._path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
        )

    def _read(self) -> tuple[Remembered, Refusal | None]:
        try:
            with self._path.open("rb") as stream:
                value: Any = json.loads(stream.read(_MOST_BYTES))
            if value["v"] != _VERSION or value["log"] != str(self._log):
                raise ValueError("it is of another version or another log")
            note = value["note"].encode()
            checkpoint = SignedCheckpoint.open(note, [self._log]).checkpoint
            seen = Remembered(note, datetime.fromisoformat(value["seen_at"]), checkpoint)
            refused = value["refused"]
            refusal = None
            if refused is not None:
                at = datetime.fromisoformat(refused["at"])
                refusal = Refusal(refused["code"], refused["message"], at, refused["file"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
            raise self.damaged(
                f"{self._path} cannot be used ({error}): without the head remembered there, nobody would notice a "
                "changed past. Put it back from a copy, or begin again in another folder"
            ) from error
        return seen, refusal


def pinned(folder: Path) -> NoteVerifier | None:
    """The log's key that a memory in `folder` was begun with; None where there is no memory yet.

    Raises `MemoryDamaged` where it cannot be read.
    """
    try:
        with (folder / FILE).open("rb") as stream:
            return NoteVerifier.parse(json.loads(stream.read(_MOST_BYTES))["log"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
        raise MemoryDamaged(f"{folder / FILE} cannot be used ({error}); put it back from a copy") from error


def stamp(moment: datetime) -> str:
    """A moment (aware UTC) as part of a file's name."""
    return f"{moment:%Y%m%dT%H%M%S%f}Z"


def _broken(seen: Checkpoint, shown: Checkpoint, proof: Sequence[bytes]) -> ConflictKind | None:
    """How a head shown contradicts the one seen; None where it continues it."""
    if shown.size < seen.size:
        return ConflictKind.ROLLED_BACK
    if shown.size == seen.size:
        return None if shown.root == seen.root else ConflictKind.FORKED
    if seen.size == 0:
        return None
    try:
        verify_consistency(seen.size, shown.size, seen.root, shown.root, proof)
    except LedgerError:
        return ConflictKind.REWRITTEN
    return None


def _contradiction(one: Checkpoint, other: Checkpoint, prove: Prove) -> tuple[bytes, ...] | None:
    """None where the log shows that the larger head continues the smaller. Else the path that proves that it does not:
    empty where they are of one size, or where the log proves neither."""
    smaller, larger = sorted((one, other), key=lambda head: head.size)
    proof = prove(smaller.size, larger.size) if 0 < smaller.size < larger.size else ()
    if _broken(smaller, larger, proof) is None:
        return None
    asks = asks_beyond(smaller.size, larger.size)
    return path_of(smaller, larger, proof, prove(smaller.size + 1, larger.size) if asks else ())


def _who_signed(keys: Sequence[NoteVerifier], *notes: bytes) -> NoteVerifier | None:
    """The first of `keys`, all of one log, that signed each of `notes`."""
    for key in keys:
        with suppress(LedgerError):
            for note in notes:
                SignedCheckpoint.open(note, [key])
            return key
    return None


def _words(kind: ConflictKind, seen: Remembered, shown: Checkpoint, *, proven: bool) -> str:
    before = f"the one you saw on {_day(seen.seen_at)}"
    size = seen.checkpoint.size
    if kind is ConflictKind.ROLLED_BACK and proven:
        return (
            f"This node shows a different past than {before}: it has signed a ledger of {shown.size} entries that "
            f"are not the first of the {size} it had signed then. One of them was not the truth."
        )
    if kind is ConflictKind.ROLLED_BACK:
        return (
            f"This node shows a different past than {before}: then it had signed {size} entries, now it shows "
            f"{shown.size}. Entries that were in the ledger are gone from it."
        )
    if kind is ConflictKind.FORKED:
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
