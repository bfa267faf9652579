"""The author policy is read strictly, and goes beside the tlog-policy: a slip in it must not turn into trust."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import VerificationError
from ledger.evidence.policy import Policy, parse_authors
from ledger.log.note import NoteVerifier

LOG = NoteVerifier("a.example", Ed25519PrivateKey.generate().public_key().public_bytes_raw())
GLN = "9506000134352"


def test_the_two_files_make_one_policy_named_by_the_digest_of_the_first() -> None:
    file = f"log {LOG}\nquorum none\n".encode()
    policy = Policy.parse(file, json.dumps({"roots": {GLN: ["ab" * 32]}}).encode())
    assert (policy.logs, policy.roots) == ((LOG,), {GLN: frozenset((b"\xab" * 32,))})
    assert policy.sha256 == Policy.parse(file).sha256
    assert policy.sha256 != Policy.parse(b"\n" + file).sha256


def test_a_policy_without_a_log_would_trust_any_log() -> None:
    with pytest.raises(VerificationError) as refused:
        Policy.parse(b"quorum none\n")
    assert refused.value.code == "policy-no-log"


def test_roots_alone_leave_the_log_to_the_file() -> None:
    assert Policy.parse(None, json.dumps({"roots": {GLN: ["ab" * 32]}}).encode()).logs == ()


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"roots": []},
        {"roots": {}, "quorum": 1},
        {"roots": {GLN: []}},
        {"roots": {GLN: "ab" * 32}},
        {"roots": {GLN: ["AB" * 32]}},
        {"roots": {GLN: ["ab" * 31]}},
        {"roots": {GLN[:-1]: ["ab" * 32]}},
        {"roots": {f"{GLN} ": ["ab" * 32]}},
    ],
)
def test_a_slip_in_the_author_policy_is_refused(value: object) -> None:
    with pytest.raises(VerificationError):
        parse_authors(json.dumps(value).encode())


def test_a_party_that_stands_twice_is_refused() -> None:
    twice = f'{{"roots": {{"{GLN}": ["{"ab" * 32}"], "{GLN}": ["{"cd" * 32}"]}}}}'
    with pytest.raises(VerificationError):
        parse_authors(twice.encode())
