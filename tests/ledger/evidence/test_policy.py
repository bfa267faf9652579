"""The verifier's policy is read strictly: a slip in it must not turn into trust."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import VerificationError
from ledger.evidence.policy import Policy
from ledger.log.note import COSIGNATURE, NoteVerifier


def vkey(name: str, type_: int = 1) -> str:
    return str(NoteVerifier(name, Ed25519PrivateKey.generate().public_key().public_bytes_raw(), type_))


def good() -> dict:
    return {
        "logs": [vkey("a.example")], "roots": {"9506000134352": ["ab" * 32]},
        "witnesses": [vkey("w.example", COSIGNATURE)], "quorum": 1,
    }  # fmt: skip


def test_a_policy_is_read_and_named_by_its_digest() -> None:
    policy = Policy.parse(json.dumps(good()).encode())
    assert (policy.quorum, policy.roots) == (1, {"9506000134352": frozenset((b"\xab" * 32,))})
    assert len(policy.sha256) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(logs=[]),
        lambda p: p.update(logs=p["witnesses"]),
        lambda p: p.update(witnesses=[vkey("w.example")]),
        lambda p: p.update(witnesses=p["witnesses"] * 2),
        lambda p: p.update(quorum=2),
        lambda p: p.update(quorum=True),
        lambda p: p.update(roots=[]),
        lambda p: p.update(roots={"9506000134352": []}),
        lambda p: p.update(roots={"9506000134352": ["AB" * 32]}),
        lambda p: p.update(qourum=1),
        lambda p: p.pop("witnesses"),
    ],
)
def test_a_slip_in_the_policy_is_refused(change) -> None:
    value = good()
    change(value)
    with pytest.raises(VerificationError):
        Policy.parse(json.dumps(value).encode())
