"""A witness that cosigned by several of its keys is one witness to whoever reads the report."""

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.evidence.bundle import build
from ledger.evidence.html import page
from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from ledger.log import mldsa
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import Note
from ledger.signing.keys import generate
from tests.ledger.evidence.world import PACK, World, made

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def cosigned(*signers: tuple[CosignatureSigner, int]) -> tuple[World, bytes]:
    """A file whose head these signed, each at its second, and the world it is from."""
    world = World()
    index = world.capture(made(PACK))
    note = Note.parse(world.checkpoint())
    head = Checkpoint.parse(note.text)
    whole = note.signed_also([signer.sign(head, seconds) for signer, seconds in signers]).encode()
    entries = [world.material(each, [PACK]) for each in [*world.key_entries(), index]]
    return world, build(PACK, str(world.log.verifier), whole, entries)


def policy_of(world: World, *signers: CosignatureSigner) -> bytes:
    lines = "".join(f"witness {n} {signer.verifier}\n" for n, signer in enumerate(signers))
    return f"log {world.log.verifier}\n{lines}quorum 0\n".encode()


def test_a_witness_with_two_kinds_of_keys_is_told_once() -> None:
    one = CosignatureSigner("w.example", generate().private_key)
    two = CosignatureSigner("w.example", mldsa.generate())
    other = CosignatureSigner("v.example", mldsa.generate())
    world, data = cosigned((one, 1772000060), (two, 1772000000), (other, 1772000009))
    report = verify(data, Policy.parse(policy_of(world, one, two, other)))
    seen = report.text().partition("seen by witnesses")[2].splitlines()[:2]
    assert [line.strip() for line in seen] == [
        "w.example, by its clock at 2026-02-25 06:13:20 UTC, by 2 keys",
        "v.example, by its clock at 2026-02-25 06:13:29 UTC",
    ]
    assert [line["name"] for line in report.to_json()["witnesses"]] == ["w.example", "w.example", "v.example"]


def test_so_does_the_page(browser: "Browser", tmp_path: Path) -> None:
    one, two = (CosignatureSigner("w.example", generate().private_key) for _ in range(2))
    world, data = cosigned((one, 1772000060), (two, 1772000000))
    (tmp_path / "policy").write_bytes(policy_of(world, one, two))
    (tmp_path / "e.html").write_bytes(page(data))
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.goto((tmp_path / "e.html").as_uri())
    opened.set_input_files("#other", tmp_path / "policy")
    line = "w.example, by its clock at 2026-02-25 06:13:20 UTC, by 2 keys"
    opened.locator("#facts dd", has_text=line).wait_for()
    assert opened.inner_text("#facts").count("w.example") == 1
    context.close()
