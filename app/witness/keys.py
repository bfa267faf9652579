"""The keys that a witness cosigns with, made on first use: one Ed25519, one ML-DSA-44, under one name.

    witness.pem           Ed25519     cosignatures of type 0x04, which every verifier reads
    witness-mldsa.pem     ML-DSA-44   cosignatures of type 0x06, for as long as records must hold

A witness that lost its marks must not go on under these keys: it makes new ones in a new folder.
"""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.errors import AppError
from ledger.errors import LedgerError
from ledger.log import mldsa
from ledger.log.cosignature import CosignatureSigner
from ledger.signing.durable import locked
from ledger.signing.keyfile import load_key, read_pem, save_key, save_pem
from ledger.signing.keys import Ed25519Signer, generate

ED25519, MLDSA = "witness.pem", "witness-mldsa.pem"


def cosigners(folder: Path, name: str) -> list[CosignatureSigner]:
    """The signers of the witness `name` with its keys in `folder`; missing keys are made. Raises `AppError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(folder):
            _once(folder / ED25519, lambda path: save_key(generate(), path))
            _once(folder / MLDSA, _save_mldsa)
        ed25519 = load_key(folder / ED25519)
        mldsa44 = load_pem_private_key(read_pem(folder / MLDSA), None)
    except (LedgerError, OSError, TypeError, ValueError) as error:
        raise AppError("witness.key", 503, "The witness's keys cannot be used", str(error)) from error
    if not isinstance(ed25519, Ed25519Signer) or not isinstance(mldsa44, MLDSA44PrivateKey):
        raise AppError("witness.key", 503, "The witness's keys are of another kind", str(folder))
    return [CosignatureSigner(name, ed25519.private_key), CosignatureSigner(name, mldsa44)]


def _once(path: Path, save: Callable[[Path], None]) -> None:
    if not path.exists():
        save(path)


def _save_mldsa(path: Path) -> None:
    save_pem(mldsa.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), path)
