"""What evidence proves at the bench: whose key it was, by whose word, and whether the label says the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.custody.verdict import Reason
from ledger.evidence.bundle import build
from ledger.evidence.policy import Policy
from ledger.signing.commitment import Leaf
from ledger.signing.keyrecord import Action, KeyRecord, Role, register_key, revoke
from ledger.signing.keys import generate
from scanner.lookup.port import ProofKind
from scanner.lookup.proofs import Printed, prove
from scanner.sources import RawScan
from tests.ledger.evidence.world import CASE, MAKER, ORIGIN, OTHER, PACK, World, at, event, made, packed

LOT = "ilmd/urn:epcglobal:cbv:mda#lotNumber"
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


NOTHING = Printed()
FAKE = "https://id.gs1.org/01/09506000134352/21/COUNTERFEIT1"


def asked(world: World, entries: list, subject: str, printed: Printed = NOTHING):
    """What the bench makes of a file of the operator's own, with the maker's root pinned."""
    keys = [world.material(index, [PACK]) for index in world.key_entries()]
    note = world.checkpoint()
    file = build(subject, str(world.log.verifier), note, [*keys, *entries]).decode()
    roots = {MAKER: frozenset((world.root.thumbprint,))}
    return prove(file, subject, note.decode(), Policy((world.log.verifier,), roots), printed)


def begun_as(kind: str, action: str, **lists: list[str]) -> list:
    return event(
        type=kind, action=action, bizStep="commissioning", eventID="urn:x:made", eventTime=at(1), **lists
    )


@pytest.mark.parametrize("holder", [PACK, CASE])
def test_the_commissioning_of_what_held_it_proves_nothing_of_a_counterfeit(holder: str) -> None:
    """Evidence may hold the story of a container: an operator says that the counterfeit lay in a genuine thing."""
    world = World()
    genuine = world.capture(made(holder, minute=1))
    inside = world.capture(packed(holder, FAKE, minute=0), received=True)
    entries = [world.material(genuine, [holder]), world.material(inside, [holder, FAKE])]
    found = asked(world, entries, FAKE, Printed(lot="LOT-77"))
    assert (found.kind, found.index) == (ProofKind.NONE, None)
    assert asked(world, entries[:1], holder, Printed(lot="LOT-77")).kind is ProofKind.SIGNED


def test_a_list_that_does_not_show_it_does_not_begin_it() -> None:
    world = World()
    both = world.capture(made(OTHER, PACK, minute=1))
    inside = world.capture(packed(OTHER, PACK, minute=0), received=True)
    shown = [world.material(both, [OTHER]), world.material(inside, [OTHER, PACK])]
    assert asked(world, shown, PACK).kind is ProofKind.NONE
    assert asked(world, [world.material(both, [PACK])], PACK).kind is ProofKind.SIGNED


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (begun_as("TransformationEvent", "ADD", outputEPCList=[PACK]), ProofKind.SIGNED),
        (begun_as("TransformationEvent", "ADD", inputEPCList=[PACK]), ProofKind.NONE),
        (begun_as("AggregationEvent", "ADD", childEPCs=[PACK]), ProofKind.NONE),
        (begun_as("ObjectEvent", "ADD", outputEPCList=[PACK]), ProofKind.NONE),
        (begun_as("ObjectEvent", "OBSERVE", epcList=[PACK]), ProofKind.NONE),
    ],
)
def test_what_begins_a_package_is_what_custody_says(record: list, kind: ProofKind) -> None:
    world = World()
    index = world.capture(record)
    assert asked(world, [world.material(index, [PACK])], PACK).kind is kind


@pytest.mark.parametrize("received", [False, True])
@pytest.mark.parametrize(
    ("hide", "label", "kind", "text"),
    [
        (
            (LOT,),
            b"\x1d1728053110COPIED",
            ProofKind.NONE,
            "no proof: the lot is not shown, and fields are hidden",
        ),
        ((LOT,), b"\x1d17290531", ProofKind.DIFFERS, "THE LABEL DIFFERS: expiry"),
        ((LOT,), b"\x1d1729053110COPIED", ProofKind.DIFFERS, "THE LABEL DIFFERS: expiry"),
        ((EXPIRY,), b"\x1d1729053110LOT-77", ProofKind.NONE, "no proof: the expiry is not shown"),
        ((EXPIRY, LOT), b"\x1d1729053110COPIED", ProofKind.NONE, "no proof: the lot is not shown"),
        ((EXPIRY, LOT), b"", None, ""),
        ((LOT,), b"\x1d17280531", None, ""),
        (("eventID",), b"\x1d1728053110LOT-77", None, ""),
    ],
)
def test_what_is_hidden_of_lot_and_expiry_is_not_proven_by_the_rest(
    world: World, hide: tuple[str, ...], label: bytes, kind: ProofKind | None, text: str, received: bool
) -> None:
    """A copied serial on another lot's carton, and a node that hides the lot by which it would be seen."""
    printed = read(b"01095060001343522111" + label)
    found = asked(world, [world.material(5 if received else 4, [PACK], hide)], PACK, printed)
    assert found.kind is (kind or (ProofKind.RECEIVED if received else ProofKind.SIGNED))
    assert found.text.startswith(text)


def test_what_its_maker_left_out_differs_in_nothing_and_what_cannot_be_read_proves_nothing() -> None:
    world, label = World(), read(b"01095060001343522111\x1d10LOT-77")
    bare = world.capture(begun_as("ObjectEvent", "ADD", epcList=[PACK]))
    number = [*begun_as("ObjectEvent", "ADD", epcList=[PACK]), Leaf(LOT, b"77")]
    odd = world.capture(sorted(number, key=lambda field: field.path))
    assert asked(world, [world.material(bare, [PACK])], PACK, label).kind is ProofKind.SIGNED
    found = asked(world, [world.material(odd, [PACK])], PACK, label)
    assert (found.kind, found.text) == (ProofKind.NONE, f"no proof: the lot cannot be read at entry {odd}")


def test_a_lot_that_differs_is_told_as_its_makers_text() -> None:
    world = World()
    forged = [*begun_as("ObjectEvent", "ADD", epcList=[PACK]), Leaf(LOT, b'"L7 signed by 1 (root pinned)"')]
    index = world.capture(sorted(forged, key=lambda field: field.path), received=True)
    found = asked(world, [world.material(index, [PACK])], PACK, Printed(lot="LOT-77"))
    said = f"received from {MAKER} at entry {index}, not signed by it"
    assert found.text == f"THE LABEL DIFFERS: lot LOT-77 on it, lot 'L7 signed by 1 (root pinned)' {said}"


def test_a_key_that_its_owner_suspects_by_then_is_told_in_doubt() -> None:
    world = World()
    index = world.capture(made(PACK))
    assert "IN DOUBT" not in asked(world, [world.material(index, [PACK])], PACK).text
    world.revoke_device()
    assert "IN DOUBT: " in asked(world, [world.material(index, [PACK])], PACK).text


def test_a_key_whose_root_was_suspect_when_it_registered_it_is_told_in_doubt() -> None:
    world = World()
    thief = generate()
    register = register_key(ORIGIN, world.root, thief, Role.DEVICE, MAKER, "Line 9")
    stolen_by = world.add_key(register, thief)
    root = KeyRecord(Action.REGISTER, world.root.spki, Role.ROOT, MAKER, "Maker's root")
    world.add_key(revoke(ORIGIN, world.root, root, suspect_since=stolen_by))
    by_thief, by_device = world.capture(made(PACK), signer=thief), world.capture(made(OTHER))
    assert "IN DOUBT: " in asked(world, [world.material(by_thief, [PACK])], PACK).text
    assert "IN DOUBT" not in asked(world, [world.material(by_device, [OTHER])], OTHER).text


def test_a_beginning_that_its_maker_took_back_is_no_proof() -> None:
    world = World()
    taken_back = [*made(PACK), *event(**{"errorDeclaration/declarationTime": at(5)})]
    index = world.capture(sorted(taken_back, key=lambda field: field.path))
    found = proof(world, Printed(), index)
    assert found.kind is ProofKind.BROKEN
    assert "declared to be wrong" in found.text
    hidden = asked(world, [world.material(index, [PACK], ("errorDeclaration/declarationTime",))], PACK)
    assert (hidden.kind, "taken back is hidden" in hidden.text) == (ProofKind.BROKEN, True)
