"""DSSE v1: signatures over a statement's exact bytes, and the envelope they travel in.

https://github.com/secure-systems-lab/dsse, payload type ``application/vnd.packproof.statement.v1+json``::

    PAE = "DSSEv1" SP len(type) SP type SP len(statement) SP statement
    {"payload": base64(statement), "payloadType": "...", "signatures": [{"keyid": hex thumbprint, "sig": base64}]}

The envelope is transport only: the ledger keeps statement and signatures in its entry. `keyid` finds a key; what counts
is that the key found hashes to it, which `Verifier.thumbprint` gives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.errors import VerificationError
from ledger.log.encoding import from_base64, from_hex, from_json, to_base64, to_json
from ledger.log.entry import MAX_SIGNATURES, MAX_STATEMENT_BYTES
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.keys import SIGNATURE_LENGTH, Signer, Verifier
from ledger.signing.statement import Statement

PAYLOAD_TYPE: Final = "application/vnd.packproof.statement.v1+json"
MAX_ENVELOPE_BYTES: Final = 64 * 1024


class _Signed(Protocol):
    @property
    def key(self) -> bytes: ...
    @property
    def sig(self) -> bytes: ...


def pae(statement: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    type_ = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(type_), type_, len(statement), statement)


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """Thumbprint of the signing key and its 64 bytes of signature."""

    key: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement's exact bytes and 1 to 4 signatures, the author's first, each by another key."""

    statement: bytes
    signatures: tuple[EnvelopeSignature, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.statement) <= MAX_STATEMENT_BYTES:
            raise _refuse(f"a payload of {len(self.statement)} bytes; 1 to {MAX_STATEMENT_BYTES} are allowed")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise _refuse(f"{len(self.signatures)} signatures; 1 to {MAX_SIGNATURES} are allowed")
        if len({signature.key for signature in self.signatures}) != len(self.signatures):
            raise _refuse("two signatures by one key")

    def encode(self) -> bytes:
        """The envelope as JSON."""
        return to_json(
            {
                "payload": to_base64(self.statement),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [
                    {"keyid": item.key.hex(), "sig": to_base64(item.sig)} for item in self.signatures
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Envelope":
        """Read an envelope; canonical base64 only, no member twice or unknown. Verifies nothing."""
        if len(data) > MAX_ENVELOPE_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_ENVELOPE_BYTES} are read")
        value = from_json(data)
        if not isinstance(value, dict) or value.keys() != {"payload", "payloadType", "signatures"}:
            raise _refuse("not an object of payload, payloadType and signatures")
        if value["payloadType"] != PAYLOAD_TYPE:
            raise _refuse(f"its payload type is not {PAYLOAD_TYPE}")
        signatures = value["signatures"]
        if not isinstance(signatures, list) or len(signatures) > MAX_SIGNATURES:
            raise _refuse(f"signatures is not an array of 1 to {MAX_SIGNATURES}")
        return cls(from_base64(_text(value["payload"])), tuple(_signature(item) for item in signatures))

    def entry_signatures(self, verifiers: Iterable[Verifier]) -> tuple[EntrySignature, ...]:
        """The signatures as an entry keeps them, each with its key's algorithm."""
        algs = {verifier.thumbprint: verifier.alg for verifier in verifiers}
        try:
            return tuple(EntrySignature(algs[item.key], item.key, item.sig) for item in self.signatures)
        except KeyError:
            raise _refuse("a signature by a key that is not at hand") from None


def sign(statement: bytes, signers: Sequence[Signer]) -> Envelope:
    """Sign a statement's bytes; the author's key first."""
    data = pae(statement)
    return Envelope(
        statement, tuple(EnvelopeSignature(signer.thumbprint, signer.sign(data)) for signer in signers)
    )


def verify(envelope: Envelope, verifiers: Iterable[Verifier]) -> Statement:
    """The statement, if every signature verifies with one of `verifiers` and the author's is the first.

    Raises `VerificationError` otherwise. Whether the keys may sign is the keyring's question, not this one's.
    """
    statement = Statement.parse(envelope.statement)
    verify_signatures(envelope.statement, statement.author, envelope.signatures, verifiers)
    return statement


def verify_signatures(
    statement: bytes, author: bytes, signatures: Sequence[_Signed], verifiers: Iterable[Verifier]
) -> None:
    """Raise `VerificationError` unless each signature (of an envelope or an entry) fits the statement's bytes."""
    known = {verifier.thumbprint: verifier for verifier in verifiers}
    if signatures[0].key != author:
        raise VerificationError("the first signature is not by the statement's author", code="author")
    data = pae(statement)
    for signature in signatures:
        verifier = known.get(signature.key)
        if verifier is None:
            raise VerificationError(
                f"no key with thumbprint {signature.key.hex()} is known", code="unknown-key"
            )
        if isinstance(signature, EntrySignature) and signature.alg != verifier.alg:
            raise VerificationError(
                f"the entry gives key {signature.key.hex()[:16]} another algorithm", code="signature"
            )
        verifier.verify(signature.sig, data)


def _signature(item: object) -> EnvelopeSignature:
    if not isinstance(item, dict) or item.keys() != {"keyid", "sig"}:
        raise _refuse("a signature is not an object of keyid and sig")
    return EnvelopeSignature(
        from_hex(_text(item["keyid"]), length=32), from_base64(_text(item["sig"]), length=SIGNATURE_LENGTH)
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _refuse("a number or object where text belongs")
    return value


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"envelope: {message}", code="envelope")
