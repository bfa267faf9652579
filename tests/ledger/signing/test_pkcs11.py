"""Keys in a token: made, found again and used in a real one (SoftHSM2), and strangers' URIs refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.signing.client import KeyFolder, make_device, make_root, sign_capture
from ledger.signing.envelope import Envelope, verify
from ledger.signing.holder import Place
from ledger.signing.keys import ED25519, P256, P256_ORDER, load_verifier
from ledger.signing.pkcs11 import TokenError, TokenUri, make_token_key, open_token_key
from tests.support.patience import PATIENCE_S
from tests.support.token import Token

PARTY, ORIGIN = "9506000134352", "packproof.example/ledger"


def test_a_key_made_in_a_token_signs_in_the_one_form(token: Token) -> None:
    uri = token.uri("line-1")
    made = make_token_key(uri)
    assert make_token_key(uri).spki == made.spki  # found, not made again
    again = open_token_key(uri)
    assert (again.alg, again.spki, again.thumbprint) == (P256, made.spki, made.thumbprint)
    verifier = load_verifier(again.spki)
    for number in range(20):
        signature = again.sign(b"%d" % number)
        verifier.verify(signature, b"%d" % number)
        assert int.from_bytes(signature[32:], "big") <= P256_ORDER // 2
    assert token.pin not in repr(again)


def test_an_ed25519_key_in_a_token(token: Token) -> None:
    made = make_token_key(token.uri("bench-ed"), "ed25519")
    assert made.alg == ED25519
    load_verifier(made.spki).verify(open_token_key(token.uri("bench-ed")).sign(b"told"), b"told")


def test_a_key_folder_names_its_key_in_the_token(token: Token, tmp_path: Path) -> None:
    make_root(tmp_path / "root", PARTY, ORIGIN, place=Place(uri=token.uri("root")))
    make_device(tmp_path / "dock", tmp_path / "root", "Dock 3", place=Place(uri=token.uri("dock")))
    assert not list(tmp_path.rglob("*.pem"))
    folder = KeyFolder.open(tmp_path / "dock")
    capture = sign_capture(folder, b"{}", "application/json", [])
    statement = verify(Envelope.parse(capture.envelope), [load_verifier(folder.signer.spki)])
    assert statement.author == folder.thumbprint
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or token.pin.encode() not in path.read_bytes()


def test_what_a_token_refuses_is_told_without_the_pin(token: Token, tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="no such key"):
        open_token_key(token.uri("nobody"))
    wrong = tmp_path / "wrong"
    wrong.write_text("99999999")
    # A process logs in once, so the wrong PIN is for another one.
    tried = subprocess.run(
        [sys.executable, "-c", "import sys; from ledger.signing.pkcs11 import open_token_key as o; o(sys.argv[1])",
         token.uri("line-1", pin=f"file:{wrong}")],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert tried.returncode == 1
    assert "cannot be opened by" in tried.stderr
    assert "PinIncorrect" in tried.stderr
    assert "99999999" not in tried.stderr
    with pytest.raises(TokenError, match="cannot be opened"):
        open_token_key(token.uri("line-1").replace("token=packproof", "token=elsewhere"))
    with pytest.raises(TokenError, match="cannot be read"):
        open_token_key(token.uri("line-1", pin=f"file:{tmp_path}/none"))


def test_a_pin_comes_from_the_environment_too(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TokenError, match="PACKPROOF_TEST_PIN"):
        make_token_key(token.uri("line-2", pin="env:PACKPROOF_TEST_PIN"))
    monkeypatch.setenv("PACKPROOF_TEST_PIN", token.pin)
    assert make_token_key(token.uri("line-2", pin="env:PACKPROOF_TEST_PIN")).alg == P256


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:/etc/passwd",
        "pkcs11:token=a?module-path=/x.so",
        "pkcs11:token=a;object=b",
        "pkcs11:token=a;object=b?module-path=x.so",
        "pkcs11:token=a;object=b;object=c?module-path=/x.so",
        "pkcs11:token=a;object=b?module-path=/x.so&pin-value=1234",
        "pkcs11:token=a;object=b;colour=red?module-path=/x.so",
        "pkcs11:token=a;object=b;type=public?module-path=/x.so",
        "pkcs11:object=" + "b" * 3000,
    ],
)
def test_a_uri_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TokenError) as caught:
        TokenUri.parse(text)
    assert "1234" not in str(caught.value)


def test_a_uri_is_read_as_rfc_7512_has_it() -> None:
    text = "pkcs11:token=North%20Pharma;object=line%3b1;id=%01%ff?module-path=/x.so&pin-source=file:/pin"
    uri = TokenUri.parse(text)
    assert (uri.token, uri.label, uri.id, uri.pin_source) == (
        "North Pharma",
        "line;1",
        b"\x01\xff",
        "file:/pin",
    )
    with pytest.raises(TokenError, match="pin-source"):
        TokenUri.parse(text.replace("file:/pin", "|cat")).pin()
