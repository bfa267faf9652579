"""What was signed once stands once: a statement that a file has at two indexes proves neither two acts nor a return."""

import pytest

from ledger.errors import VerificationError
from ledger.evidence.verify import Step, verify
from ledger.signing.keyrecord import Role, register_key
from tests.fuzz.handovers import key_handover
from tests.ledger.evidence.refusals import refused
from tests.ledger.evidence.world import MAKER, ORIGIN, PACK, World, shipped


def test_one_shipping_signed_once_is_not_two_shippings() -> None:
    world = World()
    first = world.capture(shipped(PACK, 5))
    again = world.repeat(first)
    assert verify(world.bundle([first], [PACK])).events[0].index == first
    assert verify(world.bundle([again], [PACK])).events[0].index == again
    error = refused(world.bundle([first, again], [PACK]))
    assert (error.step, error.index, error.code) == (Step.ENTRY, again, "repeated")
    assert f"entry {first}" in error.message


def test_what_the_node_took_in_once_is_not_two_things() -> None:
    world = World()
    first = world.capture(shipped(PACK, 5), received=True)
    error = refused(world.bundle([first, world.repeat(first)], [PACK]))
    assert (error.step, error.code) == (Step.ENTRY, "repeated")


def test_an_old_registration_again_does_not_end_a_suspension() -> None:
    world = World()
    world.suspend_device()
    again = world.repeat(world.device_entry)
    late = world.capture(shipped(PACK, 5))
    error = refused(world.bundle([late], [PACK]))
    assert (error.step, error.index, error.code) == (Step.ENTRY, again, "repeated")


def test_a_new_registration_ends_it() -> None:
    world = World()
    world.suspend_device()
    label = "Packing line 3"
    world.add_key(register_key(ORIGIN, world.root, world.device, Role.DEVICE, MAKER, label))
    late = world.capture(shipped(PACK, 5))
    assert verify(world.bundle([late], [PACK])).events[0].signed_by[0].label == label


def test_a_handover_rests_on_no_statement_twice() -> None:
    good = key_handover(suspended=True)
    assert good.prove(good.present).checkpoint.size == 5
    bad = key_handover(suspended=True, repeated=True)
    with pytest.raises(VerificationError) as caught:
        bad.prove(bad.present)
    assert caught.value.code == "repeated"
