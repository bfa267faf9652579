"""The bench's own folder: which node it belongs to, whose it is, its key, its token, what it remembers.

    bench.json     {"label": "Dock 3", "log": "<verifier key>", "node": "https://...", "origin": "...",
                    "party": "<GLN>", "root": "<hex thumbprint>", "enrolled_at": "...", "v": 1}
    token          the bearer token                     key/           the device's key folder (ledger.signing.client)
    trust.json     the last head seen (scanner.trust)   conflict-*     proofs that the node showed two pasts
    handover-*     what led from the log's key of the enrolment to the one that trust.json names
    key-<16 hex>/  a key that was rotated, named by its thumbprint, with all that it signed
    rotation/      the key that takes its place, until it does (scanner.rotation)
    lock           one process at a time

``~/.packproof`` unless ``--home`` or the variable PACKPROOF_SCAN_HOME says otherwise; mode 0700, its files 0600.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.log.note import NoteVerifier
from ledger.signing.client import KeyFolder
from ledger.signing.durable import locked, make_folder, sync_folder, write_whole
from ledger.signing.unlocking import open_folder
from ledger.witness.memory import pinned
from scanner.errors import BenchError
from scanner.trust import Memory

HOME_VARIABLE = "PACKPROOF_SCAN_HOME"
_VERSION = 1
_FILE = "bench.json"
_TOKEN = "token"  # noqa: S105 - a file's name
_KEY = "key"
_ROTATION = "rotation"


def default_home() -> Path:
    """Where a bench keeps its things unless told otherwise."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named) if named else Path.home() / ".packproof"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What was agreed when the bench was enrolled. `root` is the hex thumbprint of its party's root key."""

    node: str
    origin: str
    log: str
    party: str
    label: str
    root: str
    enrolled_at: str


@dataclass(frozen=True, slots=True)
class Bench:
    """An enrolled bench in its folder `home`. `passphrase_file`: what opens its key, where that is locked."""

    home: Path
    enrolment: Enrolment
    log: NoteVerifier
    passphrase_file: Path | None = None
    _opened: list[KeyFolder] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def open(cls, home: Path, passphrase_file: Path | None = None) -> "Bench":
        """The bench in `home`. Raises `BenchError` ``not-enrolled`` or ``bench-damaged``."""
        path = home / _FILE
        try:
            value: Any = json.loads(path.read_bytes())
            if value.pop("v") != _VERSION:
                raise ValueError("it is of another version")
            enrolment = Enrolment(**value)
            log = _present_key(home, NoteVerifier.parse(enrolment.log))
            return cls(home, enrolment, log, passphrase_file)
        except FileNotFoundError:
            raise BenchError(
                "not-enrolled",
                f"This bench belongs to no node yet ({path} is not there). Enrol it: "
                "packproof-scan enrol --node URL --root-key FOLDER",
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
            raise BenchError("bench-damaged", f"{path} cannot be used: {error}") from error

    @property
    def party(self) -> str:
        """GLN of the party it scans for."""
        return self.enrolment.party

    @property
    def memory(self) -> Memory:
        """What it remembers of the node; use it under `locked`."""
        return Memory(self.home, self.log)

    @property
    def keys(self) -> KeyFolder:
        """The key it signs with, opened once: nobody is asked for a passphrase twice. Raises `LedgerError` where the
        key folder is damaged, or its key locked and there is no passphrase for it."""
        if not self._opened:
            take_place(self.home)
            self._opened.append(open_folder(key_folder(self.home), self.passphrase_file))
        return self._opened[0]

    def token(self) -> str:
        """The bearer token. Raises `BenchError`."""
        try:
            return (self.home / _TOKEN).read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise BenchError("bench-damaged", f"{self.home / _TOKEN} cannot be read: {error}") from error

    def require_present_key(self) -> None:
        """Under `locked`, before something is signed: the opened key is still the bench's. Raises `BenchError`."""
        if retired_folder(self.home, self.keys.thumbprint).exists():
            raise BenchError(
                "key-rotated", "This bench's key was rotated a moment ago. Nothing was signed: do it again."
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One process of this bench talks to the node at a time, so that what it remembers only goes forward."""
        with locked(self.home):
            yield


def _present_key(home: Path, enrolled: NoteVerifier) -> NoteVerifier:
    """The log's key that counts for this bench: the one it was enrolled with, or the one that this led on to."""
    try:
        present = pinned(home)
    except LedgerError:
        present = None  # what is wrong with that file is said by who reads what it remembers
    return present if present is not None and present.name == enrolled.name else enrolled


def make_home(home: Path) -> None:
    """Make the folder, for its owner's eyes only. Raises `BenchError`."""
    try:
        make_folder(home)
        home.chmod(0o700)
    except OSError as error:
        raise BenchError("bench-damaged", f"{home} cannot be made: {error.strerror}") from error


def key_folder(home: Path) -> Path:
    """Where a bench's key lies."""
    return home / _KEY


def next_key_folder(home: Path) -> Path:
    """Where the key lies that is to take the place of the present one."""
    return home / _ROTATION / _KEY


def retired_folder(home: Path, thumbprint: bytes) -> Path:
    """Where the key of this thumbprint lies once another has taken its place."""
    return home / f"{_KEY}-{thumbprint.hex()[:16]}"


def replace_key(home: Path, thumbprint: bytes) -> None:
    """Put the next key in the place of the present one, of this thumbprint, under the bench's lock.

    Folders cannot be exchanged in one step: a crash between the two leaves none, and `take_place` ends it.
    """
    key_folder(home).rename(retired_folder(home, thumbprint))
    sync_folder(home)
    take_place(home)


def take_place(home: Path) -> None:
    """The bench's key where a crash came while it was put in its place; else nothing."""
    if key_folder(home).exists() or not next_key_folder(home).exists():
        return
    if next(home.glob(f"{_KEY}-*"), None) is None:
        return  # no key has made room: this bench lost its key another way
    with contextlib.suppress(FileNotFoundError):  # another process has just done it
        next_key_folder(home).rename(key_folder(home))
    sync_folder(home / _ROTATION)
    sync_folder(home)


def change_token(home: Path, token: str) -> None:
    """Another bearer token from now on."""
    write_whole(home / _TOKEN, token.encode("ascii") + b"\n")


def finish_enrolment(home: Path, enrolment: Enrolment, token: str) -> Bench:
    """Write down what was agreed; `bench.json` comes last, so that a crash leaves no half bench."""
    change_token(home, token)
    _write(home, enrolment)
    return Bench.open(home)


def change_address(home: Path, node: str) -> Bench:
    """The node answers at another address from now on; all else stays."""
    _write(home, replace(Bench.open(home).enrolment, node=node))
    return Bench.open(home)


def _write(home: Path, enrolment: Enrolment) -> None:
    text = json.dumps({"v": _VERSION, **asdict(enrolment)}, indent=1, sort_keys=True)
    write_whole(home / _FILE, text.encode() + b"\n")
