"""Private keys on disk: PKCS#8 PEM (RFC 5958, RFC 7468), for their owner's eyes only.

A file is made once and never written over: losing a key by a slip of a command is worse than a second file.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.errors import LedgerError, VerificationError
from ledger.signing.durable import sync_folder
from ledger.signing.keys import LocalSigner, local_signer

MAX_KEY_FILE_BYTES: Final = 16 * 1024
MAX_PASSPHRASE_BYTES: Final = 1024


class KeyFileError(LedgerError):
    """A key file that is missing, readable by others, not a key, or locked by another passphrase."""

    code = "key-file"


def save_key(signer: LocalSigner, path: Path, passphrase: bytes | None = None) -> None:
    """Write a private key to a new file of mode 0600, encrypted where a passphrase is given.

    Raises `KeyFileError` if the file is already there. A crash leaves the whole file or none that loads.
    """
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    save_pem(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), path)


def save_pem(pem: bytes, path: Path) -> None:
    """Write a key's PEM, whatever kind of key, as `save_key` does."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{path} is already there; a key is never written over. Take another name"
        ) from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be made: {error.strerror}") from None
    try:
        with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    sync_folder(path.parent)


def load_key(path: Path, passphrase: bytes | None = None) -> LocalSigner:
    """Read a private key; raises `KeyFileError` if others may read the file, or it is no key, or locked."""
    pem = read_pem(path)
    try:
        return local_signer(load_pem_private_key(pem, passphrase))
    except TypeError:
        wanted = "is not locked; give no passphrase" if passphrase else "is locked; give its passphrase"
        raise KeyFileError(f"{path} {wanted}", code="key-locked") from None
    except (ValueError, UnsupportedAlgorithm, VerificationError):
        raise KeyFileError(
            f"{path} holds no Ed25519 or P-256 private key, or the passphrase is wrong"
        ) from None


def read_pem(path: Path) -> bytes:
    """A key file's bytes, whatever kind of key; raises `KeyFileError` if others may read the file."""
    try:
        # Not blocking, so that a pipe put in the key's place cannot hold the program.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{path} is no regular file")
        if status.st_mode & 0o077:
            raise KeyFileError(f"{path} can be read by others; run: chmod 600 {path}")
        pem = os.read(file, MAX_KEY_FILE_BYTES + 1)
    finally:
        os.close(file)
    if len(pem) > MAX_KEY_FILE_BYTES:
        raise KeyFileError(f"{path} is too long for a key")
    return pem


def read_passphrase(path: Path | None, *, private: bool = True) -> bytes | None:
    """The first line of the file `path`, 1 to 1,024 bytes; None where no file is named. Raises `KeyFileError`.

    So it does for a file that others may read, as of a key, where it has to be `private`.
    """
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if private and stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                raise KeyFileError(f"{path} can be read by others; run: chmod 600 {path}")
            found = stream.readline(MAX_PASSPHRASE_BYTES + 2).rstrip(b"\r\n")
    except OSError as error:
        raise KeyFileError(f"the passphrase cannot be read from {path}: {error.strerror}") from None
    if not 1 <= len(found) <= MAX_PASSPHRASE_BYTES:
        raise KeyFileError(f"{path} holds no passphrase: one line of 1 to {MAX_PASSPHRASE_BYTES} bytes")
    return found
