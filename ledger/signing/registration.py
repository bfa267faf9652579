"""A signed key record as it travels, in a file or over the wire: envelope, document, seed.

    {"document": "<base64>", "envelope": "<base64>", "seed": "<base64>"}

``registration.json`` and ``revocation.json`` of a key folder are such files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError, VerificationError
from ledger.log.encoding import from_base64, from_json, to_base64, to_json
from ledger.signing.keyrecord import SignedRecord

_MAX_REGISTRATION_BYTES: Final = 256 * 1024


class ClientError(LedgerError):
    """A key folder that is missing, of another kind, or not as this program left it."""

    code = "key-folder"


@dataclass(frozen=True, slots=True)
class Registration:
    """A signed key registration as it travels: to the operator for a root, to ``POST /devices`` for a device."""

    envelope: bytes
    document: bytes
    seed: bytes

    def encode(self) -> bytes:
        """As JSON: what ``registration.json`` holds and ``packproof party add --root FILE`` reads."""
        return to_json(
            {
                "envelope": to_base64(self.envelope),
                "document": to_base64(self.document),
                "seed": to_base64(self.seed),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Registration":
        """Read what `encode` wrote; verifies nothing. Raises `VerificationError`."""
        if len(data) > _MAX_REGISTRATION_BYTES:
            raise VerificationError(f"a registration of {len(data)} bytes is none", code="registration")
        value = from_json(data)
        if not isinstance(value, dict) or value.keys() != {"envelope", "document", "seed"}:
            raise VerificationError(
                "this is no key registration: it has not envelope, document and seed", code="registration"
            )
        if not all(isinstance(text, str) for text in value.values()):
            raise VerificationError("a registration holds base64 text", code="registration")
        return cls(from_base64(value["envelope"]), from_base64(value["document"]), from_base64(value["seed"]))

    @classmethod
    def of(cls, signed: SignedRecord) -> "Registration":
        """The record `signed`, ready to travel."""
        return cls(signed.envelope.encode(), signed.document, signed.seed)


def load_registration(path: Path) -> Registration:
    """The registration in the file `path`. Raises `VerificationError` where it is none, `OSError` without a file."""
    return Registration.parse(path.read_bytes())
