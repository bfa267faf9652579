"""Where the private half of a key folder's key lies: in ``key.pem``, perhaps encrypted, or in a token.

key.pem     PKCS#8; with a passphrase encrypted by a key that scrypt derives (RFC 7914)
key.uri     a pkcs11: URI (RFC 7512) instead: the key is in a token, and this file is no secret
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.signing.durable import write_whole
from ledger.signing.keyfile import KeyFileError, load_key, save_key
from ledger.signing.keys import Signer, generate
from ledger.signing.pkcs11 import MAX_URI, make_token_key, open_token_key

KEY: Final = "key.pem"
URI: Final = "key.uri"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new key goes: a file, encrypted where a passphrase is given, or the token that `uri` names."""

    passphrase: bytes | None = field(default=None, repr=False)
    uri: str | None = None
    alg: str = ""
    """``ed25519`` or ``p256``; a file's default is the first, a token's the second."""


HERE: Final = Place()


def open_key(folder: Path, passphrase: bytes | None = None) -> Signer:
    """The key of `folder`. Raises `KeyFileError`, `TokenError` with what is wrong with it."""
    uri = folder / URI
    if not uri.exists():
        return load_key(folder / KEY, passphrase)
    try:
        with uri.open(encoding="ascii") as stream:
            return open_token_key(stream.read(MAX_URI + 1).strip())
    except (OSError, UnicodeDecodeError):
        raise KeyFileError(f"{uri} cannot be read") from None


def make_key(folder: Path, place: Place = HERE) -> Signer:
    """Make a key in the new folder `folder`, or find what a making that was cut short has left there."""
    if (folder / KEY).exists() or (folder / URI).exists():
        return open_key(folder, place.passphrase)
    if place.uri is not None:
        made = make_token_key(place.uri, place.alg or "p256")
        write_whole(folder / URI, place.uri.encode("ascii") + b"\n")
        return made
    signer = generate(place.alg or "ed25519")
    save_key(signer, folder / KEY, place.passphrase)
    return signer
