"""ML-DSA-44 (FIPS 204), where the interpreter's `cryptography` can do it.

Older releases of the library, and builds against other OpenSSLs, lack it. Then nothing is accepted and the reason is
said: a signature that nobody checked must not look like one that holds.
"""

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from ledger.errors import LedgerError, VerificationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

PUBLIC_KEY_BYTES: Final = 1312
SIGNATURE_BYTES: Final = 2420


class Unsupported(VerificationError):
    """This interpreter cannot compute ML-DSA-44: neither yes nor no."""

    code = "mldsa-unsupported"


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `public_key` (1,312 bytes) made `signature` over `message`; raises `Unsupported`."""
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        key = MLDSA44PublicKey.from_public_bytes(public_key)
        key.verify(signature, message)
    except (ImportError, UnsupportedAlgorithm):
        raise Unsupported(_WHY) from None
    except (InvalidSignature, ValueError):
        return False
    return True


def generate() -> "MLDSA44PrivateKey":
    """A new private key; raises `LedgerError` where the library cannot make one."""
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        return MLDSA44PrivateKey.generate()
    except (ImportError, UnsupportedAlgorithm):
        raise LedgerError(_WHY, code=Unsupported.code) from None


_WHY: Final = (
    "the `cryptography` of this interpreter has no ML-DSA-44, so these signatures cannot be judged here: "
    "install cryptography 50 or newer"
)
