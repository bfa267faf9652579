"""What a cosignature signs: a head of a log, who cosigns it, and when.

C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature). A signature is ``u64 seconds since 1970 || raw signature``.
The two kinds sign different bytes over the same head::

    Ed25519 (0x04)      "cosignature/v1\\ntime <seconds>\\n" || the checkpoint's whole text
    ML-DSA-44 (0x06)    "subtree/v1\\n\\0" || u8 len, cosigner's name || u64 seconds
                        || u8 len, log's origin || u64 0 || u64 size || root[32]

The second commits to the cosigner's name and outlives Ed25519 (FIPS 204).
"""

from typing import Final

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_decimal
from ledger.log.hashing import HASH_BYTES

MAX_SECONDS: Final = 2**63 - 1
TIME_BYTES: Final = 8
_LABEL: Final = b"subtree/v1\n\0"


def ed25519_message(text: str, seconds: int) -> bytes:
    """The bytes an Ed25519 cosignature (0x04) signs over a checkpoint's `text`."""
    return f"cosignature/v1\ntime {seconds}\n".encode() + text.encode()


def mldsa_message(name: str, text: str, seconds: int) -> bytes:
    """The bytes an ML-DSA-44 cosignature (0x06) by `name` signs; raises `VerificationError` if `text` is no head."""
    lines = text.split("\n")
    if len(lines) < 4:
        raise VerificationError("only a checkpoint can be cosigned with ML-DSA-44", code="cosignature")
    size, root = from_decimal(lines[1]), from_base64(lines[2], length=HASH_BYTES)
    return b"".join(
        (
            _LABEL,
            _short_opaque(name),
            seconds.to_bytes(8, "big"),
            _short_opaque(lines[0]),
            bytes(8),  # a whole tree begins at leaf 0
            size.to_bytes(8, "big"),
            root,
        )
    )


def split_time(signature: bytes) -> tuple[int, bytes]:
    """Seconds since 1970 (0: it says nothing; only as true as its signer) and the raw signature.

    Raises `VerificationError` where there is no time to read.
    """
    seconds = int.from_bytes(signature[:TIME_BYTES], "big")
    if len(signature) <= TIME_BYTES or seconds > MAX_SECONDS:
        raise VerificationError("a cosignature begins with the time, u64 below 2^63", code="cosignature")
    return seconds, signature[TIME_BYTES:]


def _short_opaque(text: str) -> bytes:
    raw = text.encode()
    if not 1 <= len(raw) <= 255:
        raise VerificationError("a cosigned name or origin has 1 to 255 bytes", code="cosignature")
    return bytes((len(raw),)) + raw
