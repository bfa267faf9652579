"""Answering a node's challenge: that whoever enrols has the device's key in hand now, and not only its registration.

What is signed is DSSE's encoding (docs/formats/statement.md) of three lines under a payload type of its own, so that it
can be taken for no statement::

    origin LF challenge LF hex thumbprint of the key LF        application/vnd.packproof.enrolment.v1
"""

from typing import Final

from ledger.signing.envelope import pae
from ledger.signing.keys import Signer, Verifier

PAYLOAD_TYPE: Final = "application/vnd.packproof.enrolment.v1"


def answer(signer: Signer, origin: str, challenge: str) -> bytes:
    """The 64 bytes of signature by the device's key over the challenge of the node that keeps the ledger `origin`."""
    return signer.sign(_signed(origin, challenge, signer.thumbprint))


def check(verifier: Verifier, origin: str, challenge: str, proof: bytes) -> None:
    """Raise `VerificationError` unless `proof` is the key's answer to the challenge."""
    verifier.verify(proof, _signed(origin, challenge, verifier.thumbprint))


def _signed(origin: str, challenge: str, thumbprint: bytes) -> bytes:
    return pae(f"{origin}\n{challenge}\n{thumbprint.hex()}\n".encode(), PAYLOAD_TYPE)
