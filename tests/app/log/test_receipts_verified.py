"""`packproof-verify --receipt`: what the node writes as COSE receipts, held against evidence by the verifier alone."""

import json

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from app.log.receipts import of_entry, receipt, since
from ledger.__main__ import main
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.beside import verify_receipt
from ledger.evidence.cbor import Tagged, dumps, loads
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.evidence.policy import Policy
from ledger.evidence.receipt import CONSISTENCY, INCLUSION, MAX_RECEIPT_BYTES, Receipt
from ledger.evidence.timestamp import check
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.note import NoteVerifier
from ledger.log.proof import inclusion_proof
from ledger.signing.keys import generate
from tests.support.app import OPERATOR
from tests.support.world import MAKER, package


def captured(trade, number):
    trade.node.services.capture.receive(
        trade.document(trade.begun(number)), "application/json", by=MAKER, channel="file", actor=OPERATOR
    )


@pytest.fixture
def shown(sqlite_trade):
    """Evidence of a package, the node that made it, and the entry that it shows."""
    for number in (1, 2, 3):
        captured(sqlite_trade, number)
    services = sqlite_trade.node.services
    data = services.evidence.of_package(package(2), reader=None)
    report = verify(data)
    [line] = report.events
    return sqlite_trade, data, report, line.index


def refused(receipt_, report, policy=None):
    with pytest.raises(EvidenceRefused) as caught:
        verify_receipt(receipt_, report, policy)
    assert caught.value.step is Step.RECEIPT == 10
    return caught.value.code


def test_receipts_of_the_entry_and_of_the_head_are_accepted(shown, tmp_path, capsys):
    trade, data, report, index = shown
    node = trade.node.services.node
    inclusion, head = of_entry(node, index)
    line = verify_receipt(inclusion, report)
    assert (line.kind, line.first, line.second, line.root) == ("inclusion", index, head.size, head.root.hex())
    for old in range(1, report.size):
        older, _ = since(node, old)
        if old & (old - 1):
            assert verify_receipt(older, report).first == old, (
                "its newer tree is the one that the evidence seals"
            )
        else:
            # A proof from a whole subtree does not have its root in it, and the evidence has not either.
            assert refused(older, report) == "receipt-head"
    captured(trade, 4)
    later, head = of_entry(node, index)
    assert verify_receipt(later, report).second == head.size > report.size
    newer, _ = since(node, report.size)
    assert verify_receipt(newer, report, Policy((node.note_verifier,))).root == head.root.hex()

    files = {name: tmp_path / name for name in ("evidence.json", "one.cbor", "two.cbor", "broken.cbor")}
    broken = inclusion[:-1] + bytes((inclusion[-1] ^ 1,))
    for path, content in zip(files.values(), (data, later, newer, broken), strict=True):
        path.write_bytes(content)
    evidence, one, two, bad = map(str, files.values())
    assert main([evidence, "--receipt", one, "--receipt", two]) == 0
    told = capsys.readouterr().out
    assert f"receipt: entry {index} is in the ledger of {head.size} entries" in told
    assert f"continues the one of {report.size}" in told
    assert main([evidence, "--receipt", one, "--json"]) == 0
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["receipts"]] == ["inclusion"]
    assert main([evidence, "--receipt", bad, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["name"], told["code"]) == (10, "receipt", "receipt-signature")
    assert main([evidence, "--receipt", str(tmp_path / "none.cbor")]) == 2


def test_what_proves_nothing_of_this_evidence_is_refused_by_name(shown):
    trade, _, report, index = shown
    node = trade.node.services.node
    other, _ = of_entry(node, index + 1)
    assert refused(other, report) == "receipt-entry"
    captured(trade, 4)
    captured(trade, 5)
    head_then = node.opened(node.checkpoint()).checkpoint.size - 1
    beyond, _ = since(node, head_then)
    assert refused(beyond, report) == "receipt-head", (
        "neither of its trees is the one that the evidence seals"
    )
    good, head = of_entry(node, index)
    stranger = NoteVerifier(node.origin, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert refused(good, report, Policy((stranger,))) == "unknown-log"
    with node.ledger.reading() as reader:
        path = inclusion_proof(reader, index, head.size)
        wrong = inclusion_proof(reader, index + 1, head.size)
    key = node.keys.checkpoint
    assert verify_receipt(receipt(head, key, INCLUSION, head.size, index, path), report).first == index
    assert refused(receipt(head, key, INCLUSION, head.size, index, wrong), report) == "receipt-signature"
    assert refused(receipt(head, key, INCLUSION, head.size, index, path[1:]), report) == "inclusion"
    assert refused(receipt(head, generate(), INCLUSION, head.size, index, path), report) == "unknown-log"
    assert refused(receipt(head, key, CONSISTENCY, head.size, head.size, []), report) == "receipt"
    assert refused(receipt(head, key, CONSISTENCY, report.size, head.size, path[:1]), report) in (
        "consistency",
        "receipt-head",
    )


def test_any_changed_byte_of_a_receipt_is_refused(shown):
    trade, _, report, index = shown
    made, _ = of_entry(trade.node.services.node, index)
    assert refused(made + b"\0", report) == "cbor"
    assert refused(bytes(MAX_RECEIPT_BYTES + 1), report) == "receipt"
    for at in range(len(made)):
        refused(made[:at] + bytes((made[at] ^ 1,)) + made[at + 1 :], report)
        refused(made[:at], report)


CHANGES = (
    lambda parts: parts.__setitem__(2, b"payload"),
    lambda parts: parts.__setitem__(1, {}),
    lambda parts: parts.__setitem__(1, {396: {-1: parts[1][396][-1] * 2}}),
    lambda parts: parts.__setitem__(1, {**parts[1], 7: 1}),
    lambda parts: parts.__setitem__(3, b"short"),
    lambda parts: parts.__setitem__(0, cbor2.dumps({**cbor2.loads(parts[0]), 1: -7}, canonical=True)),
    lambda parts: parts.__setitem__(0, cbor2.dumps({**cbor2.loads(parts[0]), 395: 2}, canonical=True)),
    lambda parts: parts.append(None),
)


def test_another_shape_is_no_receipt(shown):
    trade, _, report, index = shown
    made, _ = of_entry(trade.node.services.node, index)
    for number, change in enumerate(CHANGES):
        parts = list(cbor2.loads(made).value)
        change(parts)
        changed = cbor2.dumps(cbor2.CBORTag(18, parts), canonical=True)
        assert refused(changed, report) == "receipt", number


def test_our_cbor_is_what_another_hand_writes_and_nothing_else():
    value = [
        0,
        23,
        24,
        255,
        256,
        65536,
        2**32,
        -1,
        -25,
        -257,
        b"",
        b"x" * 300,
        "ä",
        None,
        {1: [], -1: {"a": b""}},
    ]
    data = cbor2.dumps(value, canonical=True)
    assert dumps(value) == data
    assert loads(data) == value
    assert loads(cbor2.dumps(cbor2.CBORTag(18, [1]))) == Tagged(18, [1])
    for wrong in (
        b"", b"\x18\x17", b"\x19\x00\xff", b"\x9f\xff", b"\x5f\x41x\xff", b"\xf5", b"\xfb" + bytes(8), b"\x41",
        b"\x61\xff", b"\xa2\x02\x00\x01\x00", b"\xa2\x01\x00\x01\x00", b"\xa1\x80\x00", b"\x9b" + b"\xff" * 8,
        b"\x81" * 20 + b"\x00", b"\x00\x00", b"\x1c",
    ):  # fmt: skip
        with pytest.raises(VerificationError) as caught:
            loads(wrong)
        assert caught.value.code == "cbor", wrong
    with pytest.raises(VerificationError):
        Receipt.parse(b"\x00")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_junk_ends_in_a_refusal(data):
    for read in (loads, Receipt.parse, MldsaHandover.parse, lambda junk: check(junk, b"note", ())):
        try:
            read(data)
        except LedgerError as refused_:
            assert refused_.code
        else:
            assert read is loads, "a byte is a CBOR item, and nothing else"
