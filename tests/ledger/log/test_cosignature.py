"""Cosignatures of both kinds: what they sign, what they refuse, and what is said where ML-DSA-44 is not to be had."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa as library
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import LedgerError, VerificationError
from ledger.log import mldsa
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.cosigned import split_time
from ledger.log.encoding import from_base64
from ledger.log.note import MAX_NOTE_BYTES, Note, NoteSignature, NoteSigner, NoteVerifier
from tests.support.shared import shared_path

ORIGIN = "packproof.example/ledger"
HEAD = Checkpoint(ORIGIN, 1234, b"r" * 32)
SECONDS = 1_763_785_800


def cosigner(kind: str, name: str = "witness.example/w1") -> CosignatureSigner:
    return CosignatureSigner(name, Ed25519PrivateKey.generate() if kind == "ed25519" else mldsa.generate())


@pytest.fixture(scope="module", params=["ed25519", "mldsa"])
def signer(request: pytest.FixtureRequest) -> CosignatureSigner:
    return cosigner(request.param)


def test_a_cosignature_holds_for_its_head_and_tells_its_time(signer: CosignatureSigner) -> None:
    line = signer.sign(HEAD, SECONDS)
    signer.verifier.check(HEAD.text(), line)
    assert split_time(line.sig)[0] == SECONDS
    assert line.name == "witness.example/w1" and signer.verifier.wrote(line)
    assert NoteVerifier.parse(str(signer.verifier)) == signer.verifier


@pytest.mark.parametrize(
    "other",
    [
        Checkpoint(ORIGIN, 1235, b"r" * 32),
        Checkpoint(ORIGIN, 1234, b"s" * 32),
        Checkpoint("x.example", 1234, b"r" * 32),
    ],
)
def test_a_cosignature_holds_for_no_other_head(signer: CosignatureSigner, other: Checkpoint) -> None:
    with pytest.raises(VerificationError) as caught:
        signer.verifier.check(other.text(), signer.sign(HEAD, SECONDS))
    assert caught.value.code == "note-signature"


def test_every_changed_byte_of_a_cosigned_note_is_refused(signer: CosignatureSigner) -> None:
    log = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    data = HEAD.sign(log).signed_also([signer.sign(HEAD, SECONDS)]).encode()
    both = [log.verifier, signer.verifier]
    assert Note.parse(data).verify(both) == both
    for at in range(len(data)):
        bent = bytearray(data)
        bent[at] ^= 1
        try:
            signed = Note.parse(bytes(bent)).verify(both)
        except VerificationError:
            continue
        # A line that no longer names the key is a stranger's, and then the key has not signed.
        assert signed != both, f"byte {at} may be changed"


def test_the_time_is_signed_too(signer: CosignatureSigner) -> None:
    line = signer.sign(HEAD, SECONDS)
    later = NoteSignature(line.name, line.key_id, (SECONDS + 1).to_bytes(8, "big") + line.sig[8:])
    for wrong in (later, NoteSignature(line.name, line.key_id, b"\xff" * 8 + line.sig[8:])):
        with pytest.raises(VerificationError):
            signer.verifier.check(HEAD.text(), wrong)
    for length in (0, 7, 8, 9, len(line.sig) - 1):
        with pytest.raises(VerificationError):
            signer.verifier.check(HEAD.text(), NoteSignature(line.name, line.key_id, line.sig[:length]))
    with pytest.raises(VerificationError):
        split_time(bytes(8))
    for seconds in (0, -1, 2**63):
        with pytest.raises(LedgerError):
            signer.sign(HEAD, seconds)


def test_the_message_of_ml_dsa_is_the_structure_that_the_specification_writes() -> None:
    signer = cosigner("mldsa", "w.example")
    message = b"".join(
        (
            b"subtree/v1\n\0", b"\x09w.example", SECONDS.to_bytes(8, "big"), b"\x18" + ORIGIN.encode(),
            (0).to_bytes(8, "big"), (1234).to_bytes(8, "big"), b"r" * 32,
        )
    )  # fmt: skip
    key = library.MLDSA44PublicKey.from_public_bytes(signer.verifier.public_key)
    key.verify(signer.sign(HEAD, SECONDS).sig[8:], message)


def test_ml_dsa_commits_to_the_cosigners_name() -> None:
    private = mldsa.generate()
    line = CosignatureSigner("w.example", private).sign(HEAD, SECONDS)
    other = CosignatureSigner("other.example", private).verifier
    with pytest.raises(VerificationError):
        other.check(HEAD.text(), NoteSignature("other.example", other.key_id, line.sig))


def test_a_text_that_is_no_head_cannot_carry_an_ml_dsa_cosignature() -> None:
    signer = cosigner("mldsa")
    line = signer.sign(HEAD, SECONDS)
    for text in (
        "",
        "x\n",
        "a\nb\nc\n",
        f"{ORIGIN}\n1234\nAAAA\n",
        f"\n1\n{'A' * 43}=\n",
        f"{'o' * 256}\n1\n{'A' * 43}=\n",
    ):
        with pytest.raises(VerificationError):
            signer.verifier.check(text, line)


def test_the_logs_own_ml_dsa_line_asks_nothing_of_who_knows_only_ed25519() -> None:
    log = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    own = CosignatureSigner(ORIGIN, mldsa.generate())
    note = HEAD.sign(log).signed_also([own.sign(HEAD, SECONDS)])
    assert SignedCheckpoint.open(note.encode(), [log.verifier]).checkpoint == HEAD
    # Alone it does not make a checkpoint of the log: the log's key is Ed25519 (tlog-checkpoint).
    alone = Note(HEAD.text(), (own.sign(HEAD, SECONDS),))
    with pytest.raises(VerificationError):
        SignedCheckpoint.open(alone.encode(), [log.verifier])


def test_a_note_with_as_many_lines_as_are_read_fits_whatever_signs() -> None:
    lines = tuple(NoteSignature(f"w{n}.example/" + "x" * 80, b"abcd", bytes(8 + 2420)) for n in range(64))
    data = Note(HEAD.text(), lines).encode()
    assert len(data) <= MAX_NOTE_BYTES
    assert len(Note.parse(data).signatures) == 64


def test_where_the_library_has_no_ml_dsa_nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = cosigner("mldsa")
    line = signer.sign(HEAD, SECONDS)

    def lacks(*_: object) -> None:
        raise UnsupportedAlgorithm("no ML-DSA")

    class Lacking:
        from_public_bytes = generate = staticmethod(lacks)

    monkeypatch.setattr(library, "MLDSA44PublicKey", Lacking)
    monkeypatch.setattr(library, "MLDSA44PrivateKey", Lacking)
    with pytest.raises(VerificationError) as caught:
        signer.verifier.check(HEAD.text(), line)
    assert caught.value.code == "mldsa-unsupported" and "cannot be judged" in caught.value.message
    with pytest.raises(LedgerError) as refused:
        mldsa.generate()
    assert refused.value.code == "mldsa-unsupported"


def vectors() -> Path:
    return shared_path("data/ledger/wycheproof/mldsa_44_verify_test.json")


def test_every_wycheproof_vector_of_ml_dsa_44_is_judged_as_it_must_be() -> None:
    suite = json.loads(vectors().read_text())
    judged = 0
    for group in suite["testGroups"]:
        key = bytes.fromhex(group["publicKey"])
        for case in group["tests"]:
            if case.get("ctx"):
                continue  # counted below: a note's signature has no context
            fits = mldsa.verify(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert fits is (case["result"] == "valid"), case["tcId"]
            judged += 1
    with_context = sum(1 for group in suite["testGroups"] for case in group["tests"] if case.get("ctx"))
    assert judged + with_context == suite["numberOfTests"]
    assert judged > 0


def test_the_example_of_the_specification_reads() -> None:
    text = from_base64(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert split_time(text[4:])[0] == 1679315147
