"""An earlier holder who is not named: his signature holds, his registration and name are not in the file."""

from dataclasses import replace

import pytest

from ledger.evidence.bundle import EvidenceEntry, build
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.encoding import to_base64
from ledger.signing.keys import generate
from tests.ledger.evidence.world import MAKER, PACK, World, made, shipped


@pytest.fixture(scope="module")
def world() -> World:
    """The maker begins the package, and ships it; both by its device."""
    world = World()
    world.capture(made(PACK))
    world.capture(shipped(PACK, 5))
    world.capture(shipped(PACK, 7), received=True)
    return world


def file(world: World, *entries: EvidenceEntry) -> bytes:
    return build(PACK, str(world.log.verifier), world.checkpoint(), list(entries))


def unnamed(world: World, index: int, *signers: bytes) -> EvidenceEntry:
    return world.material(index, [PACK], ("eventID",), signers=signers or (world.device.spki,))


def refused(data: bytes) -> EvidenceRefused:
    with pytest.raises(EvidenceRefused) as caught:
        verify(data)
    assert caught.value.step is Step.SIGNATURES
    return caught.value


def test_a_holder_left_unnamed_is_told_as_that(world: World) -> None:
    data = file(world, unnamed(world, 4), unnamed(world, 5))
    report = verify(data)
    for name in (MAKER, "Packing line 3"):
        assert to_base64(name.encode()).encode() not in data
    assert [event.unnamed for event in report.events] == [(world.device.thumbprint.hex(),)] * 2
    assert report.events[0].signed_by == ()
    assert report.keys == ()
    assert "signed by somebody who is not named here" in report.text()
    assert "who he is, only the node or a regulator can show" in report.text()


def test_beside_named_ones_whose_keys_are_shown(world: World) -> None:
    report = verify(file(world, world.material(0, []), unnamed(world, 4), world.material(6, [PACK])))
    assert [bool(event.unnamed) for event in report.events] == [True, False]


def test_a_signature_by_another_key_than_the_one_given_is_refused(world: World) -> None:
    other = generate().spki
    assert refused(file(world, unnamed(world, 4, other))).code == "signers"
    assert refused(file(world, unnamed(world, 4, world.device.spki, other))).code == "signers"
    assert refused(file(world, unnamed(world, 4, world.device.spki, world.device.spki))).code == "signers"
    assert refused(file(world, unnamed(world, 4, b"no key"))).code == "key"


def test_whom_the_file_names_elsewhere_cannot_be_unnamed(world: World) -> None:
    named = [world.material(index, []) for index in (2, 3)]
    assert refused(file(world, *named, unnamed(world, 4))).code == "signers"


def test_what_the_node_took_in_is_never_unnamed_but_its_sender_may_be_hidden(world: World) -> None:
    intake = world.material(0, [])
    assert refused(file(world, intake, unnamed(world, 6, world.intake.spki))).code == "signers"
    hidden = replace(world.material(6, [PACK]), intake_shown=("channel",))
    report = verify(file(world, intake, hidden))
    assert "received from a party that is not shown (by rest)" in report.text()


def test_a_bent_signature_by_an_unnamed_key_is_refused() -> None:
    """The tree is made over the bent entry, as an operator would: only the signature itself tells."""
    world = World()
    index = world.capture(made(PACK))
    kept = world.kept[index]
    (signature,) = kept.entry.signatures
    bent = replace(signature, sig=bytes((signature.sig[0] ^ 1,)) + signature.sig[1:])
    kept.entry = replace(kept.entry, signatures=(bent,))
    assert refused(file(world, unnamed(world, index))).code == "signature"
