"""Every file of the public vectors is read by some test, and what becomes of each is written down here."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from ledger.custody.event import compact
from ledger.errors import VerificationError
from ledger.log.encoding import from_json, to_json
from tests.support.shared import shared_path

# Who writes each byte for byte: `to_json`, statements (printable ASCII and integers); `compact`, the values inside an
# event (any text, no numbers). Two are refused by our reader, each for a number with a fraction, which no record of
# ours has; here is what it says of them.
JCS = {
    "arrays": to_json,
    "french": lambda value: compact(value).encode(),
    "structures": "the number '56.0' is not an integer",
    "unicode": lambda value: compact(value).encode(),
    "values": "the number '333333333.33333329' is not an integer",
    "weird": lambda value: compact(value).encode(),
}
READ_BY = {
    "merkle/inclusion": 65,  # tests/ledger/log/test_tree_and_proofs.py
    "merkle/consistency": 57,
    "jcs/input": 6,  # below, and tests/ledger/signing/test_statement_and_envelope.py
    "jcs/output": 6,
    "jcs/outhex": 6,
    "wycheproof": 3,  # tests/ledger/signing/test_keys.py, tests/ledger/log/test_cosignature.py
    "tlog": 47,  # tests/ledger/log/test_notes_tiles_and_mark.py
}


def test_every_file_of_the_public_vectors_is_counted() -> None:
    folder = shared_path("data/ledger")
    about = {"LICENSE", "INDEX.md"}
    found = {
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name not in about
    }
    counts = {name: sum(path.is_relative_to(name) for path in found) for name in READ_BY}
    assert counts == READ_BY
    assert sum(counts.values()) == len(found), "a file that no test reads"


@pytest.mark.parametrize("name", JCS)
def test_each_jcs_vector_is_refused_or_written_alike(name: str) -> None:
    folder = shared_path("data/ledger/jcs")
    output = (folder / "output" / f"{name}.json").read_bytes()
    assert bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text()) == output
    data, wanted = (folder / "input" / f"{name}.json").read_bytes(), JCS[name]
    if isinstance(wanted, str):
        with pytest.raises(VerificationError) as caught:
            from_json(data)
        assert (caught.value.code, caught.value.message.endswith(wanted)) == ("json", True), caught.value
        return
    assert wanted(from_json(data)) == output


def test_the_ml_dsa_vectors_with_a_context_are_no_signatures_here() -> None:
    """A cosignature has an empty context (FIPS 204, 5.2): signed under another, a signature does not hold."""
    suite = json.loads((shared_path("data/ledger/wycheproof") / "mldsa_44_verify_test.json").read_text())
    judged = held = 0
    for group in suite["testGroups"]:
        for case in group["tests"]:
            if not case.get("ctx"):
                continue
            judged += 1
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            context = bytes.fromhex(case["ctx"])
            try:
                key = MLDSA44PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]))
                key.verify(signature, message, context)
            except (InvalidSignature, ValueError):
                assert case["result"] == "invalid", case["tcId"]
                continue
            assert case["result"] == "valid", case["tcId"]
            held += 1
            with pytest.raises(InvalidSignature):
                key.verify(signature, message)
    assert (judged, held) == (7, 2)
