"""The node's own keys on disk: ``data_dir/keys``, outside the database and its backups.

    intake.pem              Ed25519     signs what the node received
    checkpoint.pem          Ed25519     signs heads; scanners and policies pin it
    checkpoint-mldsa.pem    ML-DSA-44   cosigns heads under the log's own name, for as long as records must hold
    *-next.pem              the key that follows one of them, while it takes over
    checkpoint-mldsa-handover-*.json    what the third left for who pinned it (`app.node.longterm`)

The first two are made with the ledger and followed by others only as `app.node.rotation` says, the third as
`app.node.longterm` does. That one came later: a node that never had one gets it when it first seals. Once a head was
cosigned with it, it is made anew only by `packproof init`, never in passing. Which of the first two counts is in the
ledger; a file that was replaced is read again, so that every process of the node signs by the key that is there.

Where the node was given a passphrase, every file is locked by it (PKCS#8, encrypted) from its making on, those that
follow too. A file in clear is refused then, so that nobody believes it locked; `NodeKeys.lock` locks what lies there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.config import Settings
from app.errors import AppError
from ledger.errors import LedgerError
from ledger.log import mldsa
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import NoteSigner
from ledger.signing.durable import locked, make_folder, sync_folder, write_whole
from ledger.signing.keyfile import KeyFileError, load_key, read_passphrase, read_pem, save_key, save_pem
from ledger.signing.keys import Ed25519Signer, generate

INTAKE, CHECKPOINT, MLDSA = "intake", "checkpoint", "checkpoint-mldsa"
NEXT = {name: f"{name}-next" for name in (INTAKE, CHECKPOINT, MLDSA)}
_Stamp = tuple[int, int]
_K = TypeVar("_K")
Passphrase = Callable[[], bytes | None]
"""What locks the keys; None where nothing does. Asked whenever a file is read or made. Raises `AppError`."""


class Mldsa(NamedTuple):
    """An ML-DSA-44 key, and what cosigns heads by it under the log's origin."""

    private_key: MLDSA44PrivateKey
    cosigner: CosignatureSigner


class NodeKeys:
    """The keys in one folder, each read when its file is new."""

    def __init__(self, folder: Path, origin: str, passphrase: Passphrase = lambda: None) -> None:
        self.folder = folder
        self._origin = origin
        self._passphrase = passphrase
        self._read: dict[str, tuple[_Stamp, Ed25519Signer]] = {}
        self._read_mldsa: dict[str, tuple[_Stamp, Mldsa]] = {}

    def path(self, name: str) -> Path:
        """Where a key lies."""
        return self.folder / f"{name}.pem"

    @property
    def intake(self) -> Ed25519Signer:
        """Signs what the node received. Raises `AppError` where it is missing or cannot be used."""
        return self._ed25519(INTAKE)

    @property
    def checkpoint(self) -> Ed25519Signer:
        """Signs heads."""
        return self._ed25519(CHECKPOINT)

    @property
    def note_signer(self) -> NoteSigner:
        """Signs checkpoints under the log's origin."""
        return NoteSigner(self._origin, self.checkpoint.private_key)

    @property
    def checkpoints(self) -> list[Ed25519Signer]:
        """The keys for heads that lie here: the present one, and the one that follows where there is one."""
        following, present = self.following(CHECKPOINT), self.checkpoint
        # It may have taken the other's place between the two looks.
        if following is None or following.thumbprint == present.thumbprint:
            return [present]
        return [present, following]

    def following(self, name: str) -> Ed25519Signer | None:
        """The key that follows `name`, where one was made."""
        return self._if_there(NEXT[name], self._ed25519)

    def make_following(self, name: str) -> Ed25519Signer:
        """The key that follows `name`, made where there is none yet. Raises `AppError`."""
        self._once(NEXT[name], self._save)
        return self._ed25519(NEXT[name])

    def take_over(self, name: str) -> None:
        """The key that follows takes the place of `name`, whose file is gone then. Durable when it returns."""
        with locked(self.folder):
            self.path(NEXT[name]).replace(self.path(name))
            sync_folder(self.folder)

    @property
    def mldsa(self) -> Mldsa:
        """The key that cosigns heads. Raises `AppError`."""
        path = self.path(MLDSA)
        if not path.exists():
            raise AppError(
                "node.key",
                503,
                "The node's ML-DSA-44 key is missing",
                f"{path}, and heads were cosigned with it before",
                "Put the file back from where the keys are kept safe. If it is lost, run packproof init: it makes "
                "a new one, and everybody who pins the old one must be told",
            )
        return self._mldsa(MLDSA)

    def following_mldsa(self) -> Mldsa | None:
        """The ML-DSA-44 key that follows, where one was made."""
        return self._if_there(NEXT[MLDSA], self._mldsa)

    def make_following_mldsa(self) -> Mldsa:
        """The ML-DSA-44 key that follows, made where there is none yet. Raises `AppError`."""
        self._once(NEXT[MLDSA], self._save_mldsa)
        return self._mldsa(NEXT[MLDSA])

    @property
    def cosigners(self) -> list[CosignatureSigner]:
        """What cosigns heads now: one key, or two while one follows another. Raises `AppError`."""
        following, present = self.following_mldsa(), self.mldsa
        if following is None or following.cosigner.verifier == present.cosigner.verifier:
            return [present.cosigner]
        return [present.cosigner, following.cosigner]

    def make(self) -> None:
        """Make the keys that are missing. Raises `AppError`."""
        make_folder(self.folder)
        for name in (INTAKE, CHECKPOINT):
            self._once(name, self._save)
        self.make_mldsa()

    def make_mldsa(self) -> bool:
        """Make the ML-DSA-44 key where there is none; whether one was made. Raises `AppError`."""
        return self._once(MLDSA, self._save_mldsa)

    def lock(self) -> list[str]:
        """Lock every key here that lies in clear; the names of their files. Raises `AppError`, also for a key that is
        locked by another passphrase."""
        passphrase = self._passphrase()
        with locked(self.folder):
            return lock_all(self.folder, passphrase)

    def _save(self, path: Path) -> None:
        save_key(generate(), path, self._passphrase())

    def _save_mldsa(self, path: Path) -> None:
        save_mldsa(path, self._passphrase())

    def _once(self, name: str, save: Callable[[Path], None]) -> bool:
        with locked(self.folder):  # so that no process reads what another one is just writing
            path = self.path(name)
            if path.exists():
                return False
            try:
                save(path)
            except LedgerError as error:
                raise AppError(
                    "node.key", 503, f"The node's {name} key cannot be made", str(error)
                ) from error
            return True

    def _if_there(self, name: str, read: Callable[[str], _K]) -> _K | None:
        """The key `name` as `read` gives it; None where there is none, or it took another's place just now."""
        path = self.path(name)
        try:
            return read(name) if path.exists() else None
        except AppError:
            if path.exists():
                raise
            return None

    def _ed25519(self, name: str) -> Ed25519Signer:
        path = self.path(name)
        try:
            found = path.stat()
        except FileNotFoundError:
            raise AppError(
                "node.not_initialised", 503, "This node has no keys yet", str(path), "run: packproof init"
            ) from None
        stamp = (found.st_mtime_ns, found.st_ino)
        known = self._read.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            key = load_key(path, self._passphrase())
        except LedgerError as error:
            raise _unusable(name, str(error)) from error
        if not isinstance(key, Ed25519Signer):
            raise AppError("node.key", 503, f"The node's {name} key is of another kind", str(path))
        self._read[name] = (stamp, key)
        return key

    def _mldsa(self, name: str) -> Mldsa:
        path = self.path(name)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            known = self._read_mldsa.get(name)
            if known is not None and known[0] == stamp:
                return known[1]
            private_key = load_any(path, self._passphrase())
        except (KeyFileError, OSError, TypeError, ValueError) as error:
            raise _unusable(name, str(error)) from error
        if not isinstance(private_key, MLDSA44PrivateKey):
            raise AppError("node.key", 503, f"The node's {name} key is of another kind", str(path))
        key = Mldsa(private_key, CosignatureSigner(self._origin, private_key))
        self._read_mldsa[name] = (stamp, key)
        return key


def _unusable(name: str, why: str) -> AppError:
    return AppError(
        "node.key",
        503,
        f"The node's {name} key cannot be used",
        why,
        "PACKPROOF_KEY_PASSPHRASE_FILE names the passphrase of locked keys; packproof ledger lock-keys locks those in "
        "clear. docs/operating/keys.md has the rest",
    )


def lock_all(folder: Path, passphrase: bytes | None) -> list[str]:
    """Lock each key file of `folder` that lies in clear, for whoever holds its lock; their names. Raises `AppError`,
    also for a key that is locked by another passphrase."""
    if passphrase is None:
        raise AppError(
            "node.passphrase",
            503,
            "There is no passphrase for these keys",
            str(folder),
            "Set PACKPROOF_KEY_PASSPHRASE_FILE for every process that uses them, then try again",
        )
    locked = []
    for path in sorted(folder.glob("*.pem")):
        try:
            pem = read_pem(path)
            if is_locked(pem):
                load_pem_private_key(pem, passphrase)
                continue
            key = load_pem_private_key(pem, None)
        except (LedgerError, TypeError, ValueError) as error:
            raise _unusable(path.stem, str(error)) from error
        lock = BestAvailableEncryption(passphrase)
        write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        locked.append(path.name)
    return locked


def passphrase_of(text: str, path: Path | None) -> bytes | None:
    """The passphrase in `text`, or in the first line of `path`; None where there is neither. Raises `AppError`."""
    try:
        # Not private: what mounts secrets into a service of its own often makes them readable there.
        return text.encode("utf-8", "surrogateescape") or read_passphrase(path, private=False)
    except KeyFileError as error:
        raise AppError(
            "node.passphrase", 503, "The passphrase of the node's keys cannot be read", str(error)
        ) from error


def passphrase_in(settings: Settings) -> Passphrase:
    """The passphrase that these settings name."""
    return lambda: passphrase_of(settings.key_passphrase, settings.key_passphrase_file)


def is_locked(pem: bytes) -> bool:
    """Whether a PEM of a private key is encrypted (RFC 7468, section 11)."""
    return pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


def save_mldsa(path: Path, passphrase: bytes | None) -> None:
    """Make an ML-DSA-44 key in a new file, locked where a passphrase is given."""
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    save_pem(mldsa.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), path)


def load_any(path: Path, passphrase: bytes | None) -> PrivateKeyTypes:
    """Read the private key in `path`, of whatever kind. Raises `KeyFileError`, ValueError."""
    pem = read_pem(path)
    if is_locked(pem) != bool(passphrase):
        wanted = "is not locked; give no passphrase" if passphrase else "is locked; give its passphrase"
        raise KeyFileError(f"{path} {wanted}", code="key-locked")
    return load_pem_private_key(pem, passphrase)
