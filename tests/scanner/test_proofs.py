"""What evidence proves at the bench: whose key it was, by whose word, and whether the label says the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.custody.verdict import Reason
from ledger.evidence.bundle import build
from ledger.evidence.policy import Policy
from ledger.signing.commitment import Leaf
from scanner.lookup.port import ProofKind
from scanner.lookup.proofs import Printed, prove
from scanner.sources import RawScan
from tests.ledger.evidence.world import MAKER, PACK, World, at, event, made

EXPIRY = "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate"


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    record = [*made(PACK), Leaf(EXPIRY, b'"2028-05-31"')]
    world.capture(sorted(record, key=lambda field: field.path))
    world.capture(sorted(record, key=lambda field: field.path), received=True)
    return world


def proof(world: World, printed: Printed, index: int = 4, *, pinned: bool = False):
    roots = {MAKER: frozenset((world.root.thumbprint,))} if pinned else {}
    file = world.bundle([index], [PACK]).decode()
    return prove(file, PACK, world.checkpoint().decode(), Policy((world.log.verifier,), roots), printed)


def read(label: bytes) -> Printed:
    return Printed.of(RawScan(label, "]d2", "dock", datetime(2026, 6, 1, tzinfo=UTC)))


def test_an_unpinned_key_is_known_by_the_nodes_word_alone(world: World) -> None:
    assert "by this node's word" in proof(world, Printed()).text
    assert "root pinned by your policy" in proof(world, Printed(), pinned=True).text
    assert "not signed by it" in proof(world, Printed(), 5).text


@pytest.mark.parametrize("index", [4, 5])
@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (b"01095060001343522111\x1d1728053110LOT-77", None),
        (b"01095060001343522111\x1d17280500", None),
        (b"01095060001343522111", None),
        (b"01095060001343522111\x1d1728053110LOT-78", Reason.LOT_DIFFERS),
        (b"01095060001343522111\x1d10lot-77", Reason.LOT_DIFFERS),
        (b"01095060001343522111\x1d1729053110LOT-77", Reason.EXPIRY_DIFFERS),
        (b"01095060001343522111\x1d1728053010LOT-77", Reason.EXPIRY_DIFFERS),
        (b"rubbish", None),
    ],
)
def test_the_label_is_held_against_what_is_proven(world: World, label: bytes, reason, index: int) -> None:
    found = proof(world, read(label), index)
    assert found.reason is reason
    assert (found.kind is ProofKind.DIFFERS) is (reason is not None)
    if reason:
        assert found.text.startswith("THE LABEL DIFFERS: ")


def test_a_signature_by_nobody_who_is_named_proves_no_maker(world: World) -> None:
    """The operator can make a key, sign with it what it likes, append that, and leave its author unnamed."""
    hidden = replace(world.material(4, [PACK]), signers=(world.device.spki,))
    note = world.checkpoint()
    file = build(PACK, str(world.log.verifier), note, [hidden]).decode()
    found = prove(file, PACK, note.decode(), Policy((world.log.verifier,), {}))
    assert found.kind is ProofKind.NONE
    assert "not named" in found.text


def test_a_beginning_that_its_maker_took_back_is_no_proof() -> None:
    world = World()
    taken_back = [*made(PACK), *event(**{"errorDeclaration/declarationTime": at(5)})]
    index = world.capture(sorted(taken_back, key=lambda field: field.path))
    found = proof(world, Printed(), index)
    assert found.kind is ProofKind.BROKEN
    assert "declared to be wrong" in found.text
