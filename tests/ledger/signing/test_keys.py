"""Keys verify what they signed, refuse everything else, and lie safely on disk."""

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.errors import LedgerError, VerificationError
from ledger.signing.keyfile import KeyFileError, load_key, save_key
from ledger.signing.keys import generate, load_verifier, local_signer, thumbprint
from tests.support.shared import shared_path

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


@pytest.mark.parametrize("alg", ["ed25519", "p256"])
def test_what_a_key_signed_verifies_and_nothing_else_does(alg: str) -> None:
    signer = generate(alg)
    verifier = load_verifier(signer.spki)
    assert verifier.thumbprint == signer.thumbprint == thumbprint(signer.spki)
    for _ in range(40):  # half of all P-256 signatures come out with s in the upper half
        signature = signer.sign(b"data")
        assert len(signature) == 64
        verifier.verify(signature, b"data")
    for wrong, data in (
        (signature, b"date"),
        (signature[:-1], b"data"),
        (signature + b"\0", b"data"),
        (b"", b"data"),
    ):
        with pytest.raises(VerificationError):
            verifier.verify(wrong, data)
    with pytest.raises(VerificationError):
        load_verifier(generate(alg).spki).verify(signature, b"data")


@pytest.mark.parametrize("alg", ["ed25519", "p256"])
def test_every_changed_bit_of_a_signature_is_refused(alg: str) -> None:
    signer = generate(alg)
    verifier, signature = load_verifier(signer.spki), signer.sign(b"data")
    for bit in range(512):
        bent = bytearray(signature)
        bent[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            verifier.verify(bytes(bent), b"data")


def test_the_other_half_of_a_p256_signature_is_refused() -> None:
    signer = generate("p256")
    signature = signer.sign(b"data")
    s = int.from_bytes(signature[32:], "big")
    with pytest.raises(VerificationError, match="upper half"):
        load_verifier(signer.spki).verify(signature[:32] + (ORDER - s).to_bytes(32, "big"), b"data")


def test_the_public_vectors_of_ed25519() -> None:
    cases = json.loads((shared_path("data/ledger/wycheproof") / "ed25519_test.json").read_text())
    ran = 0
    for group in cases["testGroups"]:
        verifier = load_verifier(bytes.fromhex(group["publicKeyDer"]))
        for test in group["tests"]:
            ran += 1
            signature, data = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
            if test["result"] == "valid":
                verifier.verify(signature, data)
            else:
                with pytest.raises(VerificationError):
                    verifier.verify(signature, data)
    assert ran == cases["numberOfTests"] >= 140


def test_the_public_vectors_of_p256_but_for_those_with_a_high_s() -> None:
    """A signature with s in the upper half is valid ECDSA and refused here: it would be a second one."""
    cases = json.loads(
        (shared_path("data/ledger/wycheproof") / "ecdsa_secp256r1_sha256_p1363_test.json").read_text()
    )
    ran = high = 0
    for group in cases["testGroups"]:
        verifier = load_verifier(bytes.fromhex(group["publicKeyDer"]))
        for test in group["tests"]:
            ran += 1
            signature, data = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
            high_s = len(signature) == 64 and int.from_bytes(signature[32:], "big") > ORDER // 2
            if test["result"] == "valid" and not high_s:
                verifier.verify(signature, data)
                continue
            high += test["result"] == "valid"
            with pytest.raises(VerificationError):
                verifier.verify(signature, data)
            if test["result"] == "valid":
                low = (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
                verifier.verify(signature[:32] + low, data)
    assert ran == cases["numberOfTests"] >= 250
    assert high > 0


def spki_of(key: object, format_: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, format_)


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        b"\x30\x00",
        b"x" * 500,
        spki_of(ec.generate_private_key(ec.SECP384R1())),
        spki_of(ec.generate_private_key(ec.SECP256K1())),
        spki_of(ed448.Ed448PrivateKey.generate()),
        spki_of(rsa.generate_private_key(65537, 2048)),
        generate().spki + b"\0",
        generate("p256").spki[:-1],
    ],
    ids=["empty", "no key", "noise", "P-384", "secp256k1", "Ed448", "RSA", "a byte more", "a byte less"],
)
def test_other_keys_are_refused(spki: bytes) -> None:
    with pytest.raises(VerificationError):
        load_verifier(spki)


def test_a_compressed_point_is_not_a_second_name_of_a_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    with pytest.raises(VerificationError):
        load_verifier(spki)


def order_divides_eight(y: int, sign: int) -> bool:
    """Doubles a point three times, in the plain affine formulas of RFC 8032."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(x2, (p + 3) // 8, p)
    if (x * x - x2) % p:
        x = x * pow(2, (p - 1) // 4, p) % p
    if (x * x - x2) % p:
        return False
    x = p - x if x % 2 != sign else x
    for _ in range(3):
        k = d * x * x * y * y
        x, y = 2 * x * y * pow(1 + k, -1, p) % p, (y * y + x * x) * pow(1 - k, -1, p) % p
    return (x % p, y % p) == (0, 1)


def test_weak_and_oddly_written_points_are_refused() -> None:
    p = 2**255 - 19
    order_8 = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    weak = [0, 1, p - 1, order_8, p - order_8]
    assert all(order_divides_eight(y, 0) for y in weak), "the list of weak points is wrong"
    for y in [*weak, p, p + 1, 2**255 - 1]:
        for sign in (0, 1):
            encoded = (y | sign << 255).to_bytes(32, "little")
            with pytest.raises(VerificationError):
                load_verifier(ED25519_SPKI + encoded)
    off_curve = next(y for y in range(2, 100) if not on_curve(y))
    with pytest.raises(VerificationError, match="curve"):
        load_verifier(ED25519_SPKI + off_curve.to_bytes(32, "little"))
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert load_verifier(ED25519_SPKI + public).alg == 1


def on_curve(y: int) -> bool:
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    return pow((y * y - 1) * pow(d * y * y + 1, -1, p), (p - 1) // 2, p) == 1


@pytest.mark.parametrize("alg", ["ed25519", "p256"])
@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_key_file_gives_the_key_back(tmp_path: Path, alg: str, passphrase: bytes | None) -> None:
    signer = generate(alg)
    path = tmp_path / "key.pem"
    save_key(signer, path, passphrase)
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = load_key(path, passphrase)
    assert loaded.thumbprint == signer.thumbprint
    load_verifier(signer.spki).verify(loaded.sign(b"x"), b"x")
    for wrong in (None, b"wrong") if passphrase else (b"needless",):
        with pytest.raises(KeyFileError):
            load_key(path, wrong)


def test_a_key_is_never_written_over_nor_through_a_link(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    save_key(generate(), path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never written over"):
        save_key(generate(), path)
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(KeyFileError):
        save_key(generate(), tmp_path / "link.pem")
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere.pem").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    save_key(generate(), path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key(path)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    for data in (
        b"",
        b"junk",
        b"x" * 20_000,
        b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
    ):
        path = tmp_path / "key.pem"
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(KeyFileError):
            load_key(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("absent", "pipe", "."):
        with pytest.raises(KeyFileError):
            load_key(tmp_path / name)
    with pytest.raises(KeyFileError):
        save_key(generate(), tmp_path / "absent" / "key.pem")


def test_a_signer_shows_no_secret_and_other_algorithms_are_refused() -> None:
    signer = generate()
    assert signer.private_key.private_bytes_raw().hex() not in repr(signer)
    assert "private" not in repr(generate("p256"))
    with pytest.raises(LedgerError):
        generate("rsa")
    with pytest.raises(VerificationError):
        local_signer(ec.generate_private_key(ec.SECP384R1()))
