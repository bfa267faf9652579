"""A file that was handed out stays valid: what regulators keep must verify with every later version."""

from pathlib import Path

from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from tests.ledger.evidence.world import OTHER, PACK

VECTORS = Path(__file__).parent / "vectors"


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
