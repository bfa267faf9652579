"""A key in a hardware token, reached by PKCS#11 (OASIS, 2.40 and later): it signs there and never comes out.

A key folder names it in ``key.uri`` instead of holding ``key.pem``, as RFC 7512 writes it::

    pkcs11:token=vault;object=line-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/packproof/pin

`token` or `serial` finds the token, `object` and/or `id` the key. `pin-source` is ``file:PATH`` or ``env:NAME``; a PIN
in the URI itself (`pin-value`) is refused, because URIs end up in listings. P-256 signs with CKM_ECDSA over the SHA-256
digest, Ed25519 with CKM_EDDSA where the token has it. What a token gives is turned into the one form used here (s in
the lower half) and verified before it is believed.

``python-pkcs11`` (the extra ``hsm``) is imported when a key is opened, not before.
"""

import importlib
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.errors import LedgerError, VerificationError
from ledger.signing.keys import ED25519, P256, P256_ORDER, SIGNATURE_LENGTH, Verifier, load_verifier

MAX_URI: Final = 2000
_MAX_PIN_BYTES: Final = 255
_PATH: Final = frozenset(("token", "serial", "object", "id", "type"))
_QUERY: Final = frozenset(("module-path", "pin-source"))
_ED25519_PARAMS: Final = bytes.fromhex("130c656477617264733235353139")  # PrintableString "edwards25519"
_P256_PARAMS: Final = bytes.fromhex("06082a8648ce3d030107")  # OID 1.2.840.10045.3.1.7


class TokenError(LedgerError):
    """A token that cannot be reached, or has not the key that was named."""

    code = "key-token"


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Where a key lies (RFC 7512). `module` is the path of the PKCS#11 library."""

    module: str
    token: str | None
    serial: str | None
    label: str | None
    id: bytes | None
    pin_source: str | None

    @classmethod
    def parse(cls, text: str) -> "TokenUri":
        """Read a URI. Raises `TokenError` for an attribute that is doubled, unknown or missing."""
        if len(text) > MAX_URI or not text.startswith("pkcs11:") or not text.isascii():
            raise TokenError("a key in a token is named by an RFC 7512 URI: pkcs11:token=...;object=...")
        path, _, query = text.removeprefix("pkcs11:").partition("?")
        found: dict[str, str] = {}
        for part, known in [(p, _PATH) for p in path.split(";")] + [(p, _QUERY) for p in query.split("&")]:
            if not part:
                continue
            name, equals, value = part.partition("=")
            if name == "pin-value":
                raise TokenError(
                    "a PIN does not belong into a URI: name its file by pin-source=file:/path instead"
                )
            if not equals or name not in known or name in found:
                raise TokenError(f"the token's URI has {name[:40]!r} twice, in the wrong place or unknown")
            found[name] = value
        if found.get("type", "private") != "private" or not found.keys() & {"object", "id"}:
            raise TokenError("the token's URI names a private key by object or id")
        module = unquote(found.get("module-path", ""))
        if not module.startswith("/"):
            raise TokenError("the token's URI says by module-path=/... which library speaks to the token")
        return cls(
            module,
            _text(found, "token"),
            _text(found, "serial"),
            _text(found, "object"),
            _bytes(found["id"]) if "id" in found else None,
            _text(found, "pin-source"),
        )

    def pin(self) -> str | None:
        """The PIN from where `pin_source` says; None where it says nothing. Never part of an error's text."""
        if self.pin_source is None:
            return None
        kind, _, where = self.pin_source.partition(":")
        if kind == "env" and where:
            pin = os.environ.get(where)
            if pin is None:
                raise TokenError(f"the environment has no {where[:100]}, where the token's PIN should be")
            return pin
        if kind == "file" and where.startswith("/"):
            try:
                with Path(where).open("rb") as stream:
                    data = stream.read(_MAX_PIN_BYTES + 1)
            except OSError as error:
                raise TokenError(f"the token's PIN cannot be read from {where}: {error.strerror}") from None
            try:
                return data[:_MAX_PIN_BYTES].decode("utf-8").strip("\r\n")
            except UnicodeDecodeError:
                raise TokenError(f"what {where} holds is no PIN") from None
        raise TokenError("pin-source is file:/path or env:NAME")


@dataclass(slots=True)
class TokenSigner:
    """A private key in a token. One session, one thread at a time."""

    alg: int
    spki: bytes
    thumbprint: bytes
    _verifier: Verifier = field(repr=False)
    _key: Any = field(repr=False)
    _mechanism: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """64 bytes over `data`, verified. Raises `TokenError` where the token does not sign."""
        try:
            to_sign = sha256(data).digest() if self.alg == P256 else data
            made = bytes(self._key.sign(to_sign, mechanism=self._mechanism))
        except (
            Exception
        ) as error:  # python-pkcs11 has a tree of its own, and none of it says more than its name
            raise TokenError(f"the token did not sign: {type(error).__name__}") from None
        if len(made) != SIGNATURE_LENGTH:
            raise TokenError(f"the token gave a signature of {len(made)} bytes")
        if self.alg == P256:
            s = int.from_bytes(made[32:], "big")
            made = made[:32] + min(s, P256_ORDER - s).to_bytes(32, "big")
        try:
            self._verifier.verify(made, data)
        except VerificationError:
            raise TokenError("what the token signed does not verify with its own public key") from None
        return made


def open_token_key(text: str) -> TokenSigner:
    """The signer of the key that the URI `text` names. Raises `TokenError`."""
    uri = TokenUri.parse(text)
    pkcs11 = _library()
    session = _session(pkcs11, uri, writing=False)
    try:
        return _found(pkcs11, session, uri)
    except TokenError:
        session.close()
        raise


def make_token_key(text: str, alg: str = "p256") -> TokenSigner:
    """The key that the URI names, made in the token where there is none yet: ``p256`` or ``ed25519``."""
    uri = TokenUri.parse(text)
    pkcs11 = _library()
    session = _session(pkcs11, uri, writing=True)
    try:
        return _found(pkcs11, session, uri)
    except TokenError as error:
        if error.code != "key-missing":
            session.close()
            raise
    kind = pkcs11.KeyType.EC if alg == "p256" else pkcs11.KeyType.EC_EDWARDS
    params = _P256_PARAMS if alg == "p256" else _ED25519_PARAMS
    try:
        curve = session.create_domain_parameters(kind, {pkcs11.Attribute.EC_PARAMS: params}, local=True)
        curve.generate_keypair(store=True, label=uri.label, id=uri.id or os.urandom(8))
    except Exception as error:  # as above
        session.close()
        raise TokenError(f"the token made no {alg} key: {type(error).__name__}") from None
    return _found(pkcs11, session, uri)


def _library() -> Any:
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise TokenError("keys in tokens need python-pkcs11: pip install 'packproof[hsm]'") from None


def _session(pkcs11: Any, uri: TokenUri, *, writing: bool) -> Any:
    pin = uri.pin()
    try:
        wanted = {"token_label": uri.token, "token_serial": uri.serial and uri.serial.encode()}
        token = pkcs11.lib(uri.module).get_token(**{k: v for k, v in wanted.items() if v is not None})
        try:
            return token.open(rw=writing, user_pin=pin)
        except pkcs11.exceptions.UserAlreadyLoggedIn:
            # A process logs in to a token once (PKCS#11, C_Login), with whatever session came first.
            return token.open(rw=writing)
    except Exception as error:  # the text of theirs may hold what was passed in
        raise TokenError(
            f"the token {uri.token or uri.serial or ''!r} cannot be opened by {uri.module}: {type(error).__name__}"
        ) from None


def _found(pkcs11: Any, session: Any, uri: TokenUri) -> TokenSigner:
    wanted = {"label": uri.label, "id": uri.id}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    classes = pkcs11.ObjectClass
    try:
        private = session.get_key(object_class=classes.PRIVATE_KEY, **wanted)
        public = session.get_key(object_class=classes.PUBLIC_KEY, **wanted)
        point = bytes(public[pkcs11.Attribute.EC_POINT])
        kind = private.key_type
    except pkcs11.exceptions.NoSuchKey:
        raise TokenError("the token has no such key, or not both halves of it", code="key-missing") from None
    except Exception as error:  # as above; two keys of one name among them
        raise TokenError(f"the token does not give the key: {type(error).__name__}") from None
    spki, alg = _public(pkcs11, kind, point)
    mechanism = pkcs11.Mechanism.ECDSA if alg == P256 else pkcs11.Mechanism.EDDSA
    verifier = load_verifier(spki)
    return TokenSigner(alg, spki, verifier.thumbprint, verifier, private, mechanism)


def _public(pkcs11: Any, kind: Any, point: bytes) -> tuple[bytes, int]:
    """The SubjectPublicKeyInfo of CKA_EC_POINT: a DER OCTET STRING of the point."""
    try:
        if len(point) < 2 or point[:2] != bytes((4, len(point) - 2)):
            raise ValueError
        if kind == pkcs11.KeyType.EC:
            elliptic = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[2:])
            return elliptic.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), P256
        if kind == pkcs11.KeyType.EC_EDWARDS:
            edwards = ed25519.Ed25519PublicKey.from_public_bytes(point[2:])
            return edwards.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), ED25519
    except ValueError:
        pass
    raise TokenError("the token's key is neither P-256 nor Ed25519")


def _text(found: dict[str, str], name: str) -> str | None:
    return unquote(found[name]) if name in found else None


def _bytes(text: str) -> bytes:
    """Percent-encoded octets, as RFC 7512 writes an id."""
    return unquote(text, encoding="latin-1").encode("latin-1", "replace")
