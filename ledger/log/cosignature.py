"""Cosigning: somebody who compared a head with the last one he knew says so, and when.

C2SP tlog-cosignature. The witness's signature line, Ed25519 (0x04) or ML-DSA-44 (0x06), joins the log's own in the
note::

    — witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIU...

Whoever calls `CosignatureSigner.sign` has verified the log's signature and the consistency before.
"""

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosigned import MAX_SECONDS, ed25519_message, mldsa_message
from ledger.log.note import COSIGNATURE, MLDSA44, NoteSignature, NoteVerifier

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey


class CosignatureSigner:
    """Cosigns checkpoints under one name with one key: Ed25519 makes 0x04, ML-DSA-44 makes 0x06."""

    def __init__(self, name: str, private_key: "Ed25519PrivateKey | MLDSA44PrivateKey") -> None:
        type_ = COSIGNATURE if isinstance(private_key, Ed25519PrivateKey) else MLDSA44
        self._private_key = private_key
        self.verifier = NoteVerifier(name, private_key.public_key().public_bytes_raw(), type_)

    @property
    def name(self) -> str:
        """The name it cosigns under."""
        return self.verifier.name

    def sign(self, checkpoint: Checkpoint, seconds: int) -> NoteSignature:
        """The signature line over `checkpoint` at `seconds` since 1970 (1 to 2^63-1)."""
        if not 0 < seconds <= MAX_SECONDS:
            raise LedgerError(f"{seconds} is no time to cosign at", code="cosignature-time")
        if self.verifier.type == COSIGNATURE:
            message = ed25519_message(checkpoint.text(), seconds)
        else:
            message = mldsa_message(self.name, checkpoint.text(), seconds)
        signature = seconds.to_bytes(8, "big") + self._private_key.sign(message)
        return NoteSignature(self.name, self.verifier.key_id, signature)
