"""Each lie in an evidence file whose digest fits is found, at its step."""

import json

import pytest

from ledger.evidence.bundle import build
from ledger.evidence.nodes import Shown
from ledger.evidence.verify import Step, verify
from ledger.log.encoding import from_base64, to_base64
from tests.fuzz.mutations import sealed
from tests.ledger.evidence.refusals import refused
from tests.ledger.evidence.world import (
    CASE,
    OTHER,
    PACK,
    World,
    made,
    told_story,
)


@pytest.fixture(scope="module")
def story() -> World:
    return told_story()


def rewritten(data: bytes, change) -> bytes:
    """The file with a change made by somebody who knows how to make the digest fit."""
    value = json.loads(data)
    change(value)
    return sealed(value)


def test_no_part_of_a_key_record_can_be_hidden() -> None:
    """Otherwise a revocation could be shown without the index since which the key is suspect."""
    world = World()
    index = world.capture(made(PACK))
    world.revoke_device()

    def hide(value: dict) -> None:
        fields = value["entries"][-1]["records"][0]["fields"]
        number = next(n for n, node in enumerate(fields) if node["path"] == "e0/suspectSince")
        shown = Shown(
            "e0/suspectSince", bytes.fromhex(fields[number]["salt"]), from_base64(fields[number]["value"])
        )
        fields[number] = {"hash": shown.fold().hex()}

    error = refused(rewritten(world.bundle([index], [PACK]), hide))
    assert (error.step, error.index, error.code) == (Step.KEYS, 5, "key-record")


@pytest.mark.parametrize(
    ("step", "path", "change"),
    [
        (Step.FILE, None, lambda v: v.update(format="packproof-evidence/3")),
        (Step.FILE, None, lambda v: v.update(format="packproof-evidence/1")),
        (Step.FILE, None, lambda v: v["entries"][0].update(index=2**53)),
        (Step.FILE, None, lambda v: v.update(more=1)),
        (Step.FILE, None, lambda v: v.update(entries=[])),
        (Step.FILE, None, lambda v: v["entries"][0].update(count=True)),
        (Step.FILE, None, lambda v: v["entries"][0].update(count=-1)),
        (Step.FILE, None, lambda v: v["entries"][0].update(head=[[]])),
        (Step.FILE, None, lambda v: v.update(subject="\ud800")),
        (Step.CHECKPOINT, None, lambda v: v.update(checkpoint=v["checkpoint"] + "\n")),
        (Step.CHECKPOINT, None, lambda v: v.update(log="x+00000000+AQ==")),
        (Step.CHECKPOINT, None, lambda v: v.update(checkpoint=v["checkpoint"][:-3] + "AA=\n")),
        (Step.INCLUSION, None, lambda v: v["entries"][0]["proof"].pop()),
        (Step.INCLUSION, None, lambda v: v["entries"][0].update(entry=v["entries"][1]["entry"])),
        (
            Step.INCLUSION, None,
            lambda v: v["entries"][-1].update(index=5),
        ),
        (Step.KEYS, None, lambda v: v["entries"].reverse()),
        (Step.KEYS, None, lambda v: v["entries"].insert(1, v["entries"][0])),
        (Step.KEYS, None, lambda v: v["entries"][0].update(count=4)),
        (Step.KEYS, "e0", lambda v: v["entries"][0]["records"][0]["fields"].pop()),
        (Step.KEYS, "document", lambda v: v["entries"][0]["head"].reverse()),
        (Step.FIELDS, "e0", lambda v: v["entries"][-1]["records"][0]["fields"].pop()),
        (Step.FIELDS, "e0/bizStep", lambda v: v["entries"][-1]["records"][0]["fields"].reverse()),
        (Step.FIELDS, "e0/action", lambda v: v["entries"][-1]["records"][0].update(n=1)),
        (Step.FIELDS, "intake", lambda v: v["entries"][-1]["intake"]["nodes"].append({"hash": "00" * 32})),
        (Step.FIELDS, "document", lambda v: v["entries"][-1].update(document={"hash": "00" * 32})),
        (Step.SUBJECT, "e0", lambda v: v.update(subject=OTHER)),
    ],
)  # fmt: skip
def test_each_lie_is_found_at_its_step(story: World, step: Step, path: str | None, change) -> None:
    error = refused(rewritten(story.bundle([4], [PACK]), change))
    assert error.step is step
    if path:
        assert error.path is not None
        assert error.path.startswith(path.split("/")[0])


@pytest.mark.parametrize("path", ["bizStep", "eventTime", "epcList"])
def test_a_changed_value_is_found_in_its_record(story: World, path: str) -> None:
    def change(value: dict) -> None:
        for node in value["entries"][-1]["records"][0]["fields"]:
            if node.get("path") == f"e0/{path}":
                (node["elements"][0] if "elements" in node else node)["value"] = to_base64(b"changed")

    error = refused(rewritten(story.bundle([4], [PACK]), change))
    assert (error.step, error.index, error.path) == (Step.FIELDS, 4, "e0")


def test_an_element_of_another_list_cannot_be_slipped_in(story: World) -> None:
    """Beside a true element a second one that leads to some other list."""
    world = World()
    index = world.capture(made(OTHER, PACK))
    data = build(
        PACK, str(world.log.verifier), world.checkpoint(),
        [world.material(n, [PACK, OTHER]) for n in [*world.key_entries(), index]],
    )  # fmt: skip
    assert verify(data).events[0].many["epcList"] == [PACK, OTHER]

    def slip(value: dict) -> None:
        for node in value["entries"][-1]["records"][0]["fields"]:
            if "elements" in node:
                node["elements"][1]["value"] = to_base64(CASE.encode())

    error = refused(rewritten(data, slip))
    assert (error.step, error.index, error.code) == (Step.FIELDS, index, "elements")
