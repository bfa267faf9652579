"""Keys that sign statements: Ed25519, and P-256 for hardware that has nothing else.

A key is known by its *thumbprint*, SHA-256 of its DER SubjectPublicKeyInfo (RFC 5280, 4.1). Signatures are 64 bytes:
Ed25519 as RFC 8032 has it, or ECDSA P-256 with SHA-256 as r || s with s in the lower half of the group's order, so that
nobody can turn a signature into a second valid one.

`Signer` is a protocol: a key in an HSM signs through the same three attributes and one method.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ledger.errors import LedgerError, VerificationError

ED25519: Final = 1
P256: Final = 2
"""The `alg` of an entry's signature (docs/formats/entry.md)."""

SIGNATURE_LENGTH: Final = 64
MAX_SPKI_BYTES: Final = 200

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA_SHA256: Final = ec.ECDSA(SHA256())


def thumbprint(spki: bytes) -> bytes:
    """SHA-256 of the DER SubjectPublicKeyInfo: the name of a key everywhere."""
    return sha256(spki).digest()


class Verifier(Protocol):
    """A public key that checks signatures."""

    @property
    def alg(self) -> int:
        """1 Ed25519, 2 P-256."""
        ...

    @property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo."""
        ...

    @property
    def thumbprint(self) -> bytes:
        """SHA-256 of `spki`."""
        ...

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise `VerificationError` unless this key made `signature` over `data`."""
        ...


class Signer(Protocol):
    """A private key, wherever it lies."""

    @property
    def alg(self) -> int:
        """1 Ed25519, 2 P-256."""
        ...

    @property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo of its public key."""
        ...

    @property
    def thumbprint(self) -> bytes:
        """SHA-256 of `spki`."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes of signature over `data`."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """RFC 8032, plain Ed25519."""

    spki: bytes
    thumbprint: bytes
    _key: ed25519.Ed25519PublicKey
    alg: int = ED25519

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise `VerificationError` unless this key made `signature` over `data`."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            raise _wrong(self.thumbprint) from None


@dataclass(frozen=True, slots=True)
class P256Verifier:
    """ECDSA on P-256 with SHA-256 (FIPS 186-5), 64 bytes r || s, s in the lower half."""

    spki: bytes
    thumbprint: bytes
    _key: ec.EllipticCurvePublicKey
    alg: int = P256

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise `VerificationError` unless this key made `signature` over `data`."""
        if len(signature) != SIGNATURE_LENGTH:
            raise _wrong(self.thumbprint)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if s > P256_ORDER // 2:
            raise VerificationError(
                f"the signature by key {self.thumbprint.hex()[:16]} has s in the upper half: a copy, bent",
                code="signature",
            )
        try:
            self._key.verify(encode_dss_signature(r, s), data, _ECDSA_SHA256)
        except InvalidSignature:
            raise _wrong(self.thumbprint) from None


@lru_cache(maxsize=1024)
def load_verifier(spki: bytes) -> Verifier:
    """The verifier of a DER SubjectPublicKeyInfo; raises `VerificationError` for other, weak or oddly written keys."""
    if len(spki) > MAX_SPKI_BYTES:
        raise _unfit("its public key is longer than any this program uses")
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise _unfit("it is no DER SubjectPublicKeyInfo that can be read") from None
    # Read once, kept: the same few keys sign everything. A refusal is not kept.
    # One key, one writing: a compressed point or explicit curve parameters would give it a second thumbprint.
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise _unfit("its public key is not written canonically")
    if isinstance(key, ed25519.Ed25519PublicKey):
        _check_edwards_point(key.public_bytes_raw())
        return Ed25519Verifier(spki, thumbprint(spki), key)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return P256Verifier(spki, thumbprint(spki), key)
    raise _unfit("only Ed25519 and P-256 keys sign here")


def ed25519_spki(raw: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo of an Ed25519 public key of 32 bytes, as notes have it."""
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """An Ed25519 private key in memory."""

    spki: bytes
    thumbprint: bytes
    private_key: ed25519.Ed25519PrivateKey
    alg: int = ED25519

    def sign(self, data: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self.private_key.sign(data)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.thumbprint.hex()})"


@dataclass(frozen=True, slots=True)
class P256Signer:
    """A P-256 private key in memory."""

    spki: bytes
    thumbprint: bytes
    private_key: ec.EllipticCurvePrivateKey
    alg: int = P256

    def sign(self, data: bytes) -> bytes:
        """64 bytes r || s, s in the lower half."""
        r, s = decode_dss_signature(self.private_key.sign(data, _ECDSA_SHA256))
        return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")

    def __repr__(self) -> str:
        return f"P256Signer({self.thumbprint.hex()})"


LocalSigner = Ed25519Signer | P256Signer


def generate(alg: str = "ed25519") -> LocalSigner:
    """A new key: ``ed25519`` or ``p256``."""
    if alg == "ed25519":
        return local_signer(ed25519.Ed25519PrivateKey.generate())
    if alg == "p256":
        return local_signer(ec.generate_private_key(ec.SECP256R1()))
    raise LedgerError(f"there is no kind of key {alg!r}; take ed25519 or p256", code="key-alg")


def local_signer(private_key: object) -> LocalSigner:
    """The signer of a private key of `cryptography`; raises `VerificationError` for kinds not used here."""
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Ed25519Signer(spki, thumbprint(spki), private_key)
    if isinstance(private_key, ec.EllipticCurvePrivateKey) and isinstance(private_key.curve, ec.SECP256R1):
        spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return P256Signer(spki, thumbprint(spki), private_key)
    raise _unfit("only Ed25519 and P-256 keys sign here")


_FIELD: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _FIELD) % _FIELD
_ORDER_8_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_WEAK_Y: Final = frozenset((0, 1, _FIELD - 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y))
"""y of the points whose order divides 8: under such a 'key' one signature fits many messages."""


def _check_edwards_point(encoded: bytes) -> None:
    """RFC 8032, 5.1.3: y below the field's prime and on the curve; and not of small order."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= _FIELD:
        raise _unfit("its point is not written canonically")
    if y in _WEAK_Y:
        raise _unfit("its point is of small order: it would verify what nobody signed")
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _FIELD) % _FIELD
    if pow(square, (_FIELD - 1) // 2, _FIELD) != 1:
        raise _unfit("its point is not on the curve")


def _unfit(message: str) -> VerificationError:
    return VerificationError(f"this key cannot be used: {message}", code="key")


def _wrong(key: bytes) -> VerificationError:
    return VerificationError(
        f"the signature by key {key.hex()[:16]} does not fit what it should sign", code="signature"
    )
