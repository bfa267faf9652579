"""Statements and envelopes: one writing each, held against an independent RFC 8785 library."""

import json
import os
from base64 import b64encode

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import VerificationError
from ledger.log.encoding import from_json, to_json
from ledger.log.entry import Kind
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.envelope import (
    PAYLOAD_TYPE,
    Envelope,
    EnvelopeSignature,
    pae,
    sign,
    verify,
    verify_signatures,
)
from ledger.signing.keys import generate, load_verifier
from ledger.signing.statement import Chain, Commit, Statement
from tests.support.shared import shared_path

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
VALUES = st.recursive(
    PRINTABLE | st.integers(0, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
)
HASHES = st.binary(min_size=32, max_size=32)
IDS = st.binary(min_size=16, max_size=16)
NAMES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="+"), min_size=1, max_size=60
)
CHAINS = st.none() | st.builds(Chain, IDS, st.integers(1, 2**53 - 1), HASHES)
STATEMENTS = st.builds(
    Statement, NAMES, HASHES, st.just(Kind.CAPTURED), IDS, st.builds(Commit, HASHES, st.integers(0, 2**32 - 3)),
    st.lists(HASHES, max_size=5).map(tuple), CHAINS,
) | st.builds(
    Statement, NAMES, HASHES, st.sampled_from([Kind.KEY, Kind.POLICY, Kind.AUDIT]), IDS,
    st.builds(Commit, HASHES, st.just(1)),
)  # fmt: skip


def plain(**changes) -> Statement:
    values = {
        "ledger": "packproof.example/ledger", "author": b"a" * 32, "kind": Kind.CAPTURED, "id": b"i" * 16,
        "commit": Commit(b"r" * 32, 3),
    }  # fmt: skip
    return Statement(**{**values, **changes})


@given(VALUES)
def test_for_printable_ascii_and_integers_our_json_is_jcs(value: object) -> None:
    assert to_json(value) == rfc8785.dumps(value)
    assert from_json(to_json(value)) == value


def test_the_library_that_ours_is_held_to_writes_the_public_jcs_vectors() -> None:
    """What ours makes of each of them is in tests/ledger/log/test_public_vectors.py."""
    folder = shared_path("data/ledger/jcs")
    for path in sorted((folder / "input").iterdir()):
        output = (folder / "output" / path.name).read_bytes()
        assert rfc8785.dumps(json.loads(path.read_bytes())) == output


@given(STATEMENTS)
def test_a_statement_reads_back_and_is_jcs(statement: Statement) -> None:
    data = statement.encode()
    assert Statement.parse(data) == statement
    assert data == rfc8785.dumps(json.loads(data))


def test_the_writing_of_a_statement_does_not_change() -> None:
    assert plain(chain=Chain(b"s" * 16, 1, b"p" * 32), refs=(b"f" * 32,)).encode() == (
        b'{"author":"' + b"61" * 32 + b'","commit":{"alg":"salted-sha256-v1","n":3,"root":"' + b"72" * 32
        + b'"},"id":"' + b"69" * 16 + b'","ledger":"packproof.example/ledger","prev":"' + b"70" * 32
        + b'","refs":["' + b"66" * 32 + b'"],"seq":1,"stream":"' + b"73" * 16 + b'","type":"captured","v":1}'
    )  # fmt: skip


def test_every_changed_byte_of_a_statement_is_another_statement_or_refused() -> None:
    statement = plain(chain=Chain(b"s" * 16, 7, b"p" * 32))
    data = statement.encode()
    for at in range(len(data)):
        for bit in range(8):
            bent = bytearray(data)
            bent[at] ^= 1 << bit
            try:
                other = Statement.parse(bytes(bent))
            except VerificationError:
                continue
            assert other != statement
            assert other.encode() == bytes(bent)


GOOD = plain().encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b"1", GOOD + b"\n", b" " + GOOD, GOOD.replace(b",", b", ", 1),
        GOOD.replace(b'"v":1', b'"v":1.0'), GOOD.replace(b'"v":1', b'"v":1e0'), GOOD.replace(b'"v":1', b'"v":true'),
        GOOD.replace(b'"v":1', b'"v":2'), GOOD.replace(b'"v":1', b'"v":"1"'), GOOD.replace(b'"v":1', b'"v":1,"v":1'),
        GOOD.replace(b'"n":3', b'"n":3,"n":3'), GOOD.replace(b'"n":3', b'"n":03'), GOOD.replace(b'"n":3', b'"n":-3'),
        GOOD.replace(b'"n":3', b'"n":true'), GOOD.replace(b'"n":3', b'"n":9007199254740993'),
        GOOD.replace(b'"n":3', b'"n":' + b"9" * 5000), GOOD.replace(b'"n":3', b'"n":4294967294'),
        GOOD.replace(b"61616161", b"6161616G"), GOOD.replace(b'"61', b'"6A', 1), GOOD.replace(b'"6161', b'"61', 1),
        GOOD.replace(b"packproof", b"p\\u0061ckproof"), GOOD.replace(b"packproof", b"p\xc3\xa4ckproof"),
        GOOD.replace(b"packproof", b"p\\u00e4ckproof"), GOOD.replace(b"packproof", b"pack proof"),
        GOOD.replace(b"packproof", b"pack+proof"), GOOD.replace(b"packproof", b"pack\x7fproof"),
        GOOD.replace(b"packproof.example/", b"packproof.example\\/"), GOOD.replace(b"packproof.example/ledger", b""),
        GOOD.replace(b"captured", b"Captured"), GOOD.replace(b"captured", b"captured "),
        GOOD.replace(b"captured", b"x"),
        GOOD.replace(b"salted-sha256-v1", b"sha256"), GOOD.replace(b'"refs":[]', b'"refs":{}'),
        GOOD.replace(b'"refs":[]', b'"refs":["' + b"66" * 31 + b'"]'), GOOD.replace(b'"refs":[]', b'"refs":[1]'),
        GOOD.replace(b'"refs":[]', b'"refs":[' + b",".join([b'"' + b"66" * 32 + b'"'] * 65) + b"]"),
        GOOD.replace(b'"refs":[]', b'"refs":[],"seq":1'), GOOD[:-1] + b',"x":1}', GOOD.replace(b',"v":1', b""),
        GOOD.replace(b'{"alg"', b'{"abc":1,"alg"'), b"[" * 16_000, GOOD + b" " * 17_000, b"\xff" + GOOD,
    ],
)  # fmt: skip
def test_any_other_writing_of_a_statement_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        Statement.parse(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": Kind.KEY},
        {"kind": Kind.KEY, "commit": Commit(b"r" * 32, 0)},
        {"kind": Kind.RECEIVED, "chain": Chain(b"s" * 16, 1, b"p" * 32)},
        {"kind": Kind.KEY, "commit": Commit(b"r" * 32, 1), "chain": Chain(b"s" * 16, 1, b"p" * 32)},
        {"chain": Chain(b"s" * 16, 0, b"p" * 32)},
        {"chain": Chain(b"s" * 15, 1, b"p" * 32)},
        {"commit": Commit(b"r" * 31, 1)},
        {"commit": Commit(b"r" * 32, -1)},
        {"author": b"a"},
        {"id": b"i"},
        {"refs": (b"f" * 32,) * 65},
        {"ledger": "ä"},
        {"ledger": "x" * 256},
    ],
)
def test_a_statement_out_of_bounds_cannot_be_made(changes: dict) -> None:
    with pytest.raises(VerificationError):
        plain(**changes)


def test_each_new_statement_has_its_own_id() -> None:
    made = {Statement.new("l", b"a" * 32, Kind.AUDIT, Commit(b"r" * 32, 1)).id for _ in range(100)}
    assert len(made) == 100


def test_the_pae_is_dsses_own_example() -> None:
    """The protocol's test vector: payload type http://example.com/HelloWorld, payload 'hello world'."""
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae(b"x").startswith(b"DSSEv1 43 application/vnd.packproof.statement.v1+json 1 ")


@pytest.mark.parametrize("alg", ["ed25519", "p256"])
def test_an_envelope_travels_and_verifies(alg: str) -> None:
    signers = [generate(alg), generate()]
    verifiers = [load_verifier(signer.spki) for signer in signers]
    statement = plain(author=signers[0].thumbprint)
    envelope = Envelope.parse(sign(statement.encode(), signers).encode())
    assert verify(envelope, verifiers) == statement
    signatures = envelope.entry_signatures(verifiers)
    assert [item.alg for item in signatures] == [1 if alg == "ed25519" else 2, 1]
    verify_signatures(statement.encode(), statement.author, signatures, verifiers)
    with pytest.raises(VerificationError):
        envelope.entry_signatures(verifiers[:1])


def test_an_envelope_is_refused_unless_author_first_all_known_and_all_right() -> None:
    one, two = generate(), generate()
    known = [load_verifier(one.spki), load_verifier(two.spki)]
    statement = plain(author=one.thumbprint).encode()
    good = sign(statement, [one, two])
    verify(good, known)
    wrong = {
        "author second": sign(statement, [two, one]),
        "author missing": sign(statement, [two]),
        "second wrong": Envelope(
            statement, (good.signatures[0], EnvelopeSignature(two.thumbprint, bytes(64)))
        ),
        "swapped": Envelope(
            statement,
            (EnvelopeSignature(one.thumbprint, good.signatures[1].sig),),
        ),
        "another statement": Envelope(plain(author=one.thumbprint, id=b"j" * 16).encode(), good.signatures),
        "no statement": sign(b"{}", [one]),
    }
    for name, envelope in wrong.items():
        with pytest.raises(VerificationError):
            verify(envelope, known)
            pytest.fail(name)
    with pytest.raises(VerificationError) as caught:
        verify(good, known[:1])
    assert caught.value.code == "unknown-key"
    with pytest.raises(VerificationError):
        sign(statement, [one, one])


def test_a_signature_over_the_bare_statement_does_not_count() -> None:
    signer = generate()
    statement = plain(author=signer.thumbprint).encode()
    for data in (statement, pae(statement, "text/plain")):
        bare = Envelope(statement, (EnvelopeSignature(signer.thumbprint, signer.sign(data)),))
        with pytest.raises(VerificationError):
            verify(bare, [load_verifier(signer.spki)])


def test_an_entrys_algorithm_is_not_believed() -> None:
    signer = generate()
    statement = plain(author=signer.thumbprint).encode()
    claimed = EntrySignature(2, signer.thumbprint, signer.sign(pae(statement)))
    with pytest.raises(VerificationError):
        verify_signatures(statement, signer.thumbprint, [claimed], [load_verifier(signer.spki)])


def envelope_json(**changes) -> bytes:
    signature = {"keyid": "61" * 32, "sig": b64encode(b"s" * 64).decode()}
    value = {"payload": b64encode(GOOD).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    return json.dumps({**value, **changes}).encode()


def test_white_space_in_an_envelope_is_nobodys_business() -> None:
    assert Envelope.parse(envelope_json()).statement == GOOD


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", envelope_json(more=1), envelope_json(payloadType="text/plain"), envelope_json(payload=1),
        envelope_json(payload=""), envelope_json(payload=b64encode(GOOD).decode().rstrip("=") + "\n"),
        envelope_json(payload=b64encode(b"x" * 17_000).decode()), envelope_json(signatures=[]),
        envelope_json(signatures={}), envelope_json(signatures=[1]),
        envelope_json(signatures=[{"keyid": "61" * 32, "sig": "AA=="}]),
        envelope_json(signatures=[{"keyid": "61" * 31, "sig": b64encode(b"s" * 64).decode()}]),
        envelope_json(signatures=[{"keyid": "6A" * 32, "sig": b64encode(b"s" * 64).decode()}]),
        envelope_json(signatures=[{"sig": b64encode(b"s" * 64).decode()}]),
        envelope_json(signatures=[{"keyid": "61" * 32, "sig": b64encode(b"s" * 64).decode()}] * 2),
        envelope_json(signatures=[{"keyid": f"6{n}" * 32, "sig": b64encode(b"s" * 64).decode()} for n in range(5)]),
        envelope_json()[:-1] + b',"payload":"AA=="}', envelope_json() + b" " * 70_000, b"[" * 60_000,
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        Envelope.parse(data)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_junk_is_refused_and_nothing_else_happens(data: bytes) -> None:
    for parse in (Envelope.parse, Statement.parse):
        with pytest.raises(VerificationError):
            parse(data)


def test_a_random_statement_is_not_verified_by_anybody() -> None:
    signer = generate()
    envelope = Envelope(
        plain(author=signer.thumbprint).encode(), (EnvelopeSignature(signer.thumbprint, os.urandom(64)),)
    )
    with pytest.raises(VerificationError):
        verify(envelope, [load_verifier(signer.spki)])
