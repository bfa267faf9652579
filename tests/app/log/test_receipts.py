"""Receipts (RFC 9942) read by another hand: the library `cwt` verifies COSE, the kernel folds the proof to the root."""

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cwt import COSE, COSEKey, VerifyError

from app.errors import Invalid
from app.log.receipts import of_entry, since
from ledger.log.hashing import leaf_hash
from ledger.log.proof import fold_inclusion, root_at, verify_consistency
from tests.app.log.test_recover import run  # noqa: F401 - a fixture
from tests.app.log.test_tiles import append


@pytest.fixture
def log(sqlite_node):
    sqlite_node.services.node.initialise()
    append(sqlite_node, 298)
    return sqlite_node.services.node


def public_key(own):
    key = own.keys.checkpoint
    pem = key.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return COSEKey.from_pem(pem.decode(), kid=key.thumbprint)


def read(data):
    """Protected header, proofs and signature of a receipt, with cbor2 alone."""
    tag = cbor2.loads(data)
    protected, unprotected, payload, _ = tag.value
    assert (tag.tag, payload) == (18, None)
    return cbor2.loads(protected), unprotected[396]


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_a_receipt_of_inclusion_verifies_with_cwt_over_the_root_that_the_proof_gives(log, index):
    data, head = of_entry(log, index)
    protected, proofs = read(data)
    assert protected == {1: -8, 4: log.keys.checkpoint.thumbprint, 15: {1: log.origin}, 395: 1}
    assert list(proofs) == [-1]
    size, at, path = cbor2.loads(proofs[-1][0])
    assert (size, at) == (300, index)
    with log.ledger.reading() as reader:
        root = fold_inclusion(leaf_hash(reader.entry(index)), at, size, path)
    assert root == head.root
    COSE.new().decode(data, public_key(log), detached_payload=root)
    with pytest.raises(VerifyError):
        COSE.new().decode(data, public_key(log), detached_payload=leaf_hash(root))


@pytest.mark.parametrize("old", [1, 2, 128, 299])
def test_a_receipt_of_consistency_verifies_with_cwt(log, old):
    with log.ledger.reading() as reader:
        old_root = root_at(reader, old)
    data, head = since(log, old)
    _, proofs = read(data)
    first, second, path = cbor2.loads(proofs[-2][0])
    verify_consistency(first, second, old_root, head.root, path)
    COSE.new().decode(data, public_key(log), detached_payload=head.root)


def test_no_receipt_for_what_is_not_there(log):
    for make, number in ((of_entry, 300), (of_entry, -1), (since, 0), (since, 301)):
        with pytest.raises(Invalid):
            make(log, number)


def test_the_command_writes_a_receipt(run, tmp_path):  # noqa: F811
    said = run.json("ledger", "receipt", "1", "-o", tmp_path / "receipt.cbor")
    _, proofs = read((tmp_path / "receipt.cbor").read_bytes())
    assert cbor2.loads(proofs[-1][0])[:2] == [said["size"], 1] == [2, 1]
    run("ledger", "receipt", "--since", "1", "-o", tmp_path / "later.cbor")
    assert "no such" in run("ledger", "receipt", "--since", "9", "-o", tmp_path / "x", fails=1).lower()
    assert not (tmp_path / "x").exists()
