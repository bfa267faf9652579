"""A file that was handed out stays valid: what regulators keep must verify with every later version."""

import json
from pathlib import Path

import pytest

from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, Step, verify
from tests.fuzz.mutations import sealed
from tests.ledger.evidence.world import OTHER, PACK

VECTORS = Path(__file__).parent / "vectors"
NAMES = ("story.evidence.json", "story.evidence-2.json")


def test_the_kept_file_is_accepted_under_its_policy() -> None:
    data = (VECTORS / "story.evidence.json").read_bytes()
    policy, authors = ((VECTORS / name).read_bytes() for name in ("policy", "authors.json"))
    report = verify(data, Policy.parse(policy, authors))
    assert report.subject == PACK
    assert [(event.index, event.record, event.one["bizStep"]) for event in report.events] == [
        (4, 0, "commissioning"), (5, 0, "packing"), (5, 1, "packing"), (6, 0, "shipping"),
    ]  # fmt: skip
    assert [event.type for event in report.events] == ["captured", "received", "received", "captured"]
    assert report.events[1].intake == {"channel": "rest", "onBehalfOf": "9506000134352"}
    assert all(key.pinned for event in report.events if event.type == "captured" for key in event.signed_by)
    assert OTHER.encode() not in data


@pytest.fixture
def policy() -> Policy:
    return Policy.parse(*((VECTORS / name).read_bytes() for name in ("policy", "authors.json")))


def test_a_file_of_the_first_format_is_read_for_ever_and_says_the_same(policy: Policy) -> None:
    first, second = ((VECTORS / name).read_bytes() for name in (NAMES))
    assert verify(first, policy).to_json() == verify(second, policy).to_json()
    assert json.loads(first)["format"] == "packproof-evidence/1"
    assert json.loads(second)["format"] == "packproof-evidence/2"
    assert len(second) < len(first)


def test_each_proof_of_the_first_format_leads_to_the_one_checkpoint(policy: Policy) -> None:
    value = json.loads((VECTORS / NAMES[0]).read_bytes())
    for change, step in (
        (lambda proof: proof.replace("index 3", "index 4"), Step.INCLUSION),
        (lambda proof: proof + "\n", Step.CHECKPOINT),
        (lambda proof: proof + "\N{EM DASH} w AAAAAAA=\n", Step.CHECKPOINT),
    ):
        proof = value["entries"][-1]["proof"] if step is not Step.INCLUSION else None
        at = -1 if proof else next(n for n, e in enumerate(value["entries"]) if "index 3\n" in e["proof"])
        changed = json.loads(json.dumps(value))
        changed["entries"][at]["proof"] = change(value["entries"][at]["proof"])
        with pytest.raises(EvidenceRefused) as refused:
            verify(sealed(changed), policy)
        assert refused.value.step is step


@pytest.mark.parametrize("name", NAMES)
def test_no_byte_of_a_kept_file_is_without_meaning(policy: Policy, name: str) -> None:
    data = (VECTORS / name).read_bytes()
    for at in range(0, len(data), 41):
        with pytest.raises(EvidenceRefused):
            verify(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :], policy)
