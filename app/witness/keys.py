"""The keys that a witness cosigns with, made on first use: one Ed25519, one ML-DSA-44, under one name.

    witness.pem           Ed25519     cosignatures of type 0x04, which every verifier reads
    witness-mldsa.pem     ML-DSA-44   cosignatures of type 0x06, for as long as records must hold

A witness that lost its marks must not go on under these keys: it makes new ones in a new folder.
"""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from app.errors import AppError
from app.node.keys import load_any, lock_all, save_mldsa
from ledger.errors import LedgerError
from ledger.log.cosignature import CosignatureSigner
from ledger.signing.durable import locked, make_folder
from ledger.signing.keyfile import load_key, save_key
from ledger.signing.keys import Ed25519Signer, generate

ED25519, MLDSA = "witness.pem", "witness-mldsa.pem"
_LOCKED = (
    "PACKPROOF_KEY_PASSPHRASE_FILE names the passphrase of locked keys; packproof ledger lock-keys locks those in "
    "clear, with --witness DIR those of a witness that is a service of its own"
)


def cosigners(folder: Path, name: str, passphrase: bytes | None = None) -> list[CosignatureSigner]:
    """The signers of the witness `name` with its keys in `folder`; missing keys are made, locked where a `passphrase`
    is given. Raises `AppError`."""
    try:
        make_folder(folder)
        with locked(folder):
            _once(folder / ED25519, lambda path: save_key(generate(), path, passphrase))
            _once(folder / MLDSA, lambda path: save_mldsa(path, passphrase))
        ed25519 = load_key(folder / ED25519, passphrase)
        mldsa44 = load_any(folder / MLDSA, passphrase)
    except (LedgerError, OSError, TypeError, ValueError) as error:
        raise AppError(
            "witness.key", 503, "The witness's keys cannot be used", str(error), _LOCKED
        ) from error
    if not isinstance(ed25519, Ed25519Signer) or not isinstance(mldsa44, MLDSA44PrivateKey):
        raise AppError("witness.key", 503, "The witness's keys are of another kind", str(folder))
    return [CosignatureSigner(name, ed25519.private_key), CosignatureSigner(name, mldsa44)]


def lock(folder: Path, passphrase: bytes | None) -> list[str]:
    """Lock the witness's key files in `folder` that lie in clear; their names. Raises `AppError`."""
    with locked(folder):
        return lock_all(folder, passphrase)


def _once(path: Path, save: Callable[[Path], None]) -> None:
    if not path.exists():
        save(path)
