"""RFC 3161 time stamps beside an evidence file: step 11, a stranger's clock under a head.

A token is CMS SignedData (RFC 5652) over a TSTInfo, which holds the hash of what was stamped: here a checkpoint's note.
Read strictly as DER and checked in this order: the answer granted a token; its imprint is the note's; one signer, whose
signed attributes name the content's type and digest and the signer's certificate (RFC 5035); the signature; the
certificate is for time stamping alone and leads to one of the reader's own, each link valid at the time stamped::

    TimeStampResp = { status, token = { signedData, { version, digests, { TSTInfo }, [0] certificates, signerInfos } } }

No revocation lists are read: nothing here asks a network. SHA-256, -384 and -512; RSA (PKCS #1 v1.5), ECDSA, Ed25519.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new as new_hash
from hmac import compare_digest
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from ledger.errors import VerificationError
from ledger.evidence.der import Der, context, oid
from ledger.evidence.receipt import MAX_STAMP_BYTES

MAX_CHAIN: Final = 5
MAX_CERTIFICATES: Final = 32

_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID, _TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x18
_SIGNED_DATA = oid("1.2.840.113549.1.7.2")
_TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE = oid(
    "1.2.840.113549.1.9.16.2.12"
)  # by SHA-1, which names a certificate and vouches for nothing
_SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.47")
_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    oid("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
# Signature algorithms that name their hash; rsaEncryption and none name it in the digest algorithm beside.
_SIGNATURES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    oid("1.2.840.113549.1.1.11"): hashes.SHA256(),
    oid("1.2.840.113549.1.1.12"): hashes.SHA384(),
    oid("1.2.840.113549.1.1.13"): hashes.SHA512(),
    oid("1.2.840.10045.4.3.2"): hashes.SHA256(),
    oid("1.2.840.10045.4.3.3"): hashes.SHA384(),
    oid("1.2.840.10045.4.3.4"): hashes.SHA512(),
}
_PLAIN: Final = frozenset((oid("1.2.840.113549.1.1.1"), oid("1.3.101.112")))
_UNREADABLE = (
    ValueError,
    TypeError,
    IndexError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an authority saw the bytes, UTC by its clock, and the name in its certificate."""

    at: datetime
    authority: str


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """The reader's own certificates of authorities. Raises `VerificationError`."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise _refuse("the file of certificates holds none in PEM", "tsa-certificates") from None
    if len(found) > MAX_CERTIFICATES:
        raise _refuse(f"more than {MAX_CERTIFICATES} certificates", "tsa-certificates")
    return found


def check(data: bytes, stamped: bytes, trusted: Sequence[x509.Certificate]) -> Stamp:
    """When `stamped` was seen by an authority that `trusted` leads to. Raises `VerificationError`.

    `data` is a TimeStampResp as authorities answer and `packproof ledger timestamp --show -o` writes it.
    """
    if len(data) > MAX_STAMP_BYTES:
        raise _refuse(f"{len(data)} bytes; at most {MAX_STAMP_BYTES} are read")
    try:
        return _check(data, stamped, trusted)
    except _UNREADABLE as error:  # too few parts, a certificate that is none
        raise _refuse(f"it cannot be read: {error}") from None


def _check(data: bytes, stamped: bytes, trusted: Sequence[x509.Certificate]) -> Stamp:
    answer = Der.whole(data, _SEQUENCE).parts()
    if len(answer) != 2 or answer[0].require(_SEQUENCE).parts()[0].integer() not in (0, 1):
        raise _refuse("the authority did not grant it")
    wrapped, signed = answer[1].require(_SEQUENCE).parts(2)
    if wrapped.require(_OID).content != _SIGNED_DATA:
        raise _refuse("it is no signed data")
    version, digests, encapsulated, *more, infos = (
        signed.require(context(0)).parts(1)[0].require(_SEQUENCE).parts()
    )
    type_, content = encapsulated.require(_SEQUENCE).parts(2)
    if type_.require(_OID).content != _TST_INFO:
        raise _refuse("what it signs is no time stamp")
    info = content.require(context(0)).parts(1)[0].require(_OCTETS).content
    at = _time(info, stamped)
    [signer] = infos.require(_SET).parts(1)
    used = signer.require(_SEQUENCE).parts()[2].content
    if version.integer() != 3 or used not in [each.content for each in digests.require(_SET).parts()]:
        raise _refuse("its version or its list of digests is not what it must be")
    given = [part for item in more if item.tag == context(0) for part in item.parts()]
    if len(given) > MAX_CERTIFICATES:
        raise _refuse(f"more than {MAX_CERTIFICATES} certificates")
    known = [*trusted, *(x509.load_der_x509_certificate(part.whole_bytes) for part in given)]
    certificate = _signed(signer, info, known)
    _for_time_stamps(certificate)
    _leads_to(certificate, known, trusted, at)
    return Stamp(at, certificate.subject.rfc4514_string())


def _time(info: bytes, stamped: bytes) -> datetime:
    """The time in a TSTInfo, whose imprint is that of `stamped`."""
    version, _policy, imprint, _serial, moment, *_ = Der.whole(info, _SEQUENCE).parts()
    algorithm, digest = imprint.require(_SEQUENCE).parts(2)
    if version.integer() != 1 or not compare_digest(
        digest.require(_OCTETS).content, _digest(_hash_of(algorithm), stamped)
    ):
        raise _refuse("it is not of these bytes", "time-stamp-imprint")
    text = moment.require(_TIME).content.decode("ascii", "replace")
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if (
        not text.endswith("Z")
        or not whole.isdecimal()
        or len(whole) != 14
        or not (fraction or "0").isdecimal()
    ):
        raise _refuse("its time is not written in UTC")
    found = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return found.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)


def _signed(signer: Der, info: bytes, known: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate of the signer, whose signature over the attributes and through them the content verifies."""
    version, who, digest_algorithm, attributes, algorithm, signature, *_ = signer.require(_SEQUENCE).parts()
    if version.integer() != 1:
        raise _refuse("its signer is not named by issuer and serial number")
    certificate = _named(who, known)
    digest = _hash_of(digest_algorithm)
    values = {}
    for attribute in attributes.require(context(0)).parts():
        type_, value = attribute.require(_SEQUENCE).parts(2)
        if type_.require(_OID).content in values:
            raise _refuse("a signed attribute stands twice")
        values[type_.content] = value.require(_SET).parts(1)[0]
    if _CONTENT_TYPE not in values or values[_CONTENT_TYPE].require(_OID).content != _TST_INFO:
        raise _refuse("its signed attributes do not name the content's type")
    if _MESSAGE_DIGEST not in values or not compare_digest(
        values[_MESSAGE_DIGEST].require(_OCTETS).content, _digest(digest, info)
    ):
        raise _refuse("its signed digest is not the content's", "time-stamp-signature")
    _require_named(values, certificate)
    name = algorithm.require(_SEQUENCE).parts()[0].require(_OID).content
    by = _SIGNATURES.get(name, digest if name in _PLAIN else None)
    if by is None:
        raise _refuse("it is signed by an algorithm that is not known here")
    # The attributes are signed as the SET that they are, not under the tag that they stand under.
    _verify(certificate, signature.require(_OCTETS).content, bytes((_SET,)) + attributes.whole_bytes[1:], by)
    return certificate


def _named(who: Der, known: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate that a signer is named by: issuer and serial number."""
    issuer, serial = who.require(_SEQUENCE).parts(2)
    for certificate in known:
        if certificate.serial_number == serial.integer() and (
            certificate.issuer.public_bytes() == issuer.whole_bytes
        ):
            return certificate
    raise _refuse("the signer's certificate is neither in it nor among yours", "tsa-certificates")


def _require_named(values: dict[bytes, Der], certificate: x509.Certificate) -> None:
    """The signed attributes name this certificate by its hash (RFC 5816; RFC 3161, 2.4.1): no other takes its place."""
    raw = certificate.public_bytes(Encoding.DER)
    attribute = values.get(_SIGNING_CERTIFICATE_V2) or values.get(_SIGNING_CERTIFICATE)
    if attribute is None:
        raise _refuse("its signed attributes name no certificate")
    first = attribute.require(_SEQUENCE).parts()[0].require(_SEQUENCE).parts()[0].require(_SEQUENCE).parts()
    name = "sha256" if _SIGNING_CERTIFICATE_V2 in values else "sha1"
    if first[0].tag == _SEQUENCE:
        name = _hash_of(first[0]).name
        first = first[1:]
    digest = new_hash(name, raw, usedforsecurity=name != "sha1").digest()
    if not compare_digest(first[0].require(_OCTETS).content, digest):
        raise _refuse("its signed attributes name another certificate")


def _verify(certificate: x509.Certificate, signature: bytes, data: bytes, by: hashes.HashAlgorithm) -> None:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), by)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(by))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            raise _refuse("its signer has a key of a kind that is not known here")
    except InvalidSignature:
        raise _refuse("its signer did not sign it", "time-stamp-signature") from None


def _for_time_stamps(certificate: x509.Certificate) -> None:
    """RFC 3161, 2.3: the one extended use, and critical."""
    try:
        use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        use = None
    if use is None or not use.critical or list(use.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise _refuse("its signer's certificate is not for time stamps alone", "tsa-certificates")


def _leads_to(
    certificate: x509.Certificate,
    known: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    """The certificate, or one of those that issued it, is one of the reader's; all valid `at` the time."""
    for _ in range(MAX_CHAIN):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise _refuse("a certificate was not valid at the time stamped", "tsa-certificates")
        if certificate in trusted:
            return
        issuers = [each for each in known if each != certificate and _issued(each, certificate)]
        if not issuers:
            break
        certificate = issuers[0]  # the reader's own stand first
    raise _refuse("its signer's certificate does not lead to one of yours", "tsa-certificates")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return basic.ca
    return basic.ca and usage.key_cert_sign


def _hash_of(algorithm: Der) -> hashes.HashAlgorithm:
    name = algorithm.require(_SEQUENCE).parts()[0].require(_OID).content
    found = _HASHES.get(name)
    if found is None:
        raise _refuse("it uses another hash than SHA-256, SHA-384 and SHA-512")
    return found


def _digest(by: hashes.HashAlgorithm, data: bytes) -> bytes:
    return new_hash(by.name, data).digest()


def _refuse(message: str, code: str = "time-stamp") -> VerificationError:
    return VerificationError(f"time stamp: {message}", code=code)
