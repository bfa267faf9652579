"""The doubt about a stolen key reaches what it registered, and what those keys registered and signed."""

import pytest

from ledger.evidence.keylines import key_lines
from ledger.evidence.report import Report
from ledger.evidence.verify import verify
from ledger.signing.keyrecord import Action, KeyRecord, Role, register_key, revoke, sign_record
from ledger.signing.keyring import KeyEntry, Keyring
from ledger.signing.keys import LocalSigner, generate, load_verifier
from tests.ledger.evidence.world import MAKER, ORIGIN, OTHER, PACK, World, made, shipped

LABEL = "Maker's root"


def registered(world: World, by: LocalSigner, role: Role, label: str) -> LocalSigner:
    key = generate()
    world.add_key(register_key(ORIGIN, by, key, role, MAKER, label), by, key)
    return key


def gone(world: World, key: LocalSigner, since: int | None) -> int:
    """The owner revokes the root `key`, by itself."""
    record = KeyRecord(Action.REGISTER, key.spki, Role.ROOT, MAKER, LABEL)
    return world.add_key(revoke(ORIGIN, key, record, suspect_since=since), key)


def by_the_thief(since: int | None) -> tuple[World, int]:
    """A root that is stolen registers a device at 5, is revoked at 6, and the device signs at 7."""
    world = World()
    world.capture(shipped(OTHER, 1))
    thief = registered(world, world.root, Role.DEVICE, "Line 9")
    gone(world, world.root, since)
    return world, world.capture(made(PACK), signer=thief)


def down_the_chain() -> tuple[World, int]:
    """As above, but the stolen root registers a further root at 4, and that one the device at 5."""
    world = World()
    second = registered(world, world.root, Role.ROOT, LABEL)
    thief = registered(world, second, Role.DEVICE, "Line 9")
    gone(world, world.root, 4)
    return world, world.capture(made(PACK), signer=thief)


def told(world: World, index: int) -> Report:
    return verify(world.bundle([index], [PACK]))


@pytest.mark.parametrize(("since", "doubted"), [(None, False), (6, False), (5, True), (4, True)])
def test_what_a_device_of_the_thiefs_signs_is_in_doubt(since: int | None, *, doubted: bool) -> None:
    report = told(*by_the_thief(since))
    [event] = report.events
    assert event.in_doubt is doubted
    assert report.to_json()["events"][0]["in_doubt"] is doubted
    words = f"IN DOUBT: it was registered by a key that is suspected since entry {since}"
    assert report.text().count(words) == (2 if doubted else 0), "of the event, and among the keys"


def test_so_it_is_down_a_chain_of_roots() -> None:
    report = told(*down_the_chain())
    assert report.events[0].in_doubt
    assert [key.registered_in_doubt for key in report.keys] == [None, None, None, 4, 4]


def test_a_device_that_comes_back_by_the_thief_is_in_doubt_then_and_not_before() -> None:
    world = World()
    before = world.capture(made(PACK))
    world.suspend_device()
    world.add_key(register_key(ORIGIN, world.root, world.device, Role.DEVICE, MAKER, "Packing line 3"))
    gone(world, world.root, 6)
    after = world.capture(shipped(PACK, 5))
    report = verify(world.bundle([before, after], [PACK]))
    assert [event.in_doubt for event in report.events] == [False, True]


def test_a_root_that_registered_itself_is_in_doubt_by_its_own_word_alone() -> None:
    world = World()
    gone(world, world.root, 2)
    fresh = generate()
    record = KeyRecord(Action.REGISTER, fresh.spki, Role.ROOT, MAKER, "root again")
    world.add_key(sign_record(record, ORIGIN, [fresh]), fresh)
    device = registered(world, fresh, Role.DEVICE, "Line 10")
    assert not told(world, world.capture(made(PACK), signer=device)).events[0].in_doubt


def test_a_long_chain_of_roots_is_gone_down_without_end() -> None:
    """Longer than an interpreter nests calls."""
    verifiers = [load_verifier(generate().spki) for _ in range(1100)]
    entries = {
        each.thumbprint: (KeyEntry(each, Role.ROOT, MAKER, "r", index, suspect_since=None if index else 1),)
        for index, each in enumerate(verifiers)
    }
    authors = {index: verifiers[max(index - 1, 0)].thumbprint for index in range(len(verifiers))}
    lines = key_lines(Keyring(entries), authors, None)
    assert lines[0].registered_in_doubt is None
    assert {line.registered_in_doubt for line in lines.values()} == {None, 1}
    assert lines[len(verifiers) - 1].in_doubt(9999)
