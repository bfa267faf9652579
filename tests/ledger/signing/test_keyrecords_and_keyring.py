"""Who may sign, and from which index to which."""

import json
from hashlib import sha256

import pytest
import rfc8785

from ledger.errors import VerificationError
from ledger.signing.commitment import commit
from ledger.signing.envelope import verify
from ledger.signing.keyrecord import (
    Action,
    KeyRecord,
    Role,
    SignedRecord,
    register_checkpoint_key,
    register_intake,
    register_key,
    register_next_checkpoint_key,
    register_root,
    revoke,
    sign_record,
)
from ledger.signing.keyring import Keyring, KeyringError
from ledger.signing.keys import generate, load_verifier
from ledger.signing.statement import Statement

LEDGER, MAKER, PHARMACY = "packproof.example/ledger", "9506000134352", "9506000140001"
INTAKE, ROOT, DEVICE, OTHER_ROOT, STRANGER = (generate() for _ in range(5))


def add(ring: Keyring, index: int, signed: SignedRecord) -> Keyring:
    return ring.add(index, signed.record, [item.key for item in signed.envelope.signatures])


def refuse(ring: Keyring, index: int, signed: SignedRecord, code: str) -> None:
    with pytest.raises(KeyringError) as caught:
        add(ring, index, signed)
    assert caught.value.code == code


@pytest.fixture
def ring() -> Keyring:
    ring = add(Keyring(), 0, register_intake(LEDGER, INTAKE, "node"))
    ring = add(ring, 1, register_checkpoint_key(LEDGER, INTAKE, STRANGER.spki, "seal"))
    ring = add(ring, 2, register_root(LEDGER, ROOT, MAKER, "root"))
    return add(ring, 3, register_key(LEDGER, ROOT, DEVICE, Role.DEVICE, MAKER, "Dock 3"))


DEVICE_REGISTERED = register_key(LEDGER, ROOT, DEVICE, Role.DEVICE, MAKER, "Dock 3")


def record(action: Action, role: Role = Role.DEVICE, party: str | None = MAKER) -> KeyRecord:
    return KeyRecord(action, DEVICE.spki, role, party, "Dock 3")


def test_a_record_is_signed_committed_and_reads_back() -> None:
    signed = register_key(LEDGER, ROOT, DEVICE, Role.PERSON, MAKER, "Zoë's badge")
    statement = verify(signed.envelope, [load_verifier(ROOT.spki), load_verifier(DEVICE.spki)])
    assert statement == Statement.parse(signed.envelope.statement)
    assert (statement.type, statement.ledger, statement.chain) == ("key", LEDGER, None)
    fields = signed.record.fields()
    assert [field.path for field in fields] == sorted(field.path for field in fields)
    assert commit(sha256(signed.document).digest(), [], [fields], signed.seed) == statement.commit.root
    assert signed.document == rfc8785.dumps(json.loads(signed.document))
    assert json.loads(signed.document) == {field.path: field.value.decode() for field in fields}
    assert KeyRecord.from_fields({field.path: field.value for field in fields}) == signed.record


def test_a_revocation_says_since_when_the_key_is_suspect() -> None:
    signed = revoke(LEDGER, ROOT, DEVICE_REGISTERED.record, suspect_since=17)
    assert json.loads(signed.document)["suspectSince"] == "17"
    assert (
        KeyRecord.from_fields({field.path: field.value for field in signed.record.fields()}).suspect_since
        == 17
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"type": b"event"}, {"action": b"Register"}, {"role": b"admin"}, {"key": b"AA=="}, {"key": b"\xff"},
        {"party": b"123"}, {"label": b""}, {"label": b"x" * 101}, {"label": b"a\nb"}, {"more": b""},
        {"suspectSince": b"1"}, {"action": b"revoke", "suspectSince": b"-1"}, {"role": b"intake"}, {"party": None},
        {"label": None}, {"key": None},
    ],
)  # fmt: skip
def test_fields_of_no_key_record_are_refused(changes: dict) -> None:
    fields = {field.path: field.value for field in DEVICE_REGISTERED.record.fields()} | changes
    with pytest.raises(VerificationError):
        KeyRecord.from_fields({path: value for path, value in fields.items() if value is not None})


def test_a_key_counts_above_its_registration_only(ring: Keyring) -> None:
    assert ring.valid_at(DEVICE.thumbprint, 3) is None
    assert ring.require(DEVICE.thumbprint, 4).label == "Dock 3"
    with pytest.raises(KeyringError) as caught:
        ring.require(DEVICE.thumbprint, 3)
    assert caught.value.code == "key-early"
    with pytest.raises(KeyringError) as caught:
        ring.require(b"?" * 32, 3)
    assert caught.value.code == "key-unknown"


def test_a_key_counts_below_its_revocation_and_never_again(ring: Keyring) -> None:
    after = add(ring, 9, revoke(LEDGER, ROOT, DEVICE_REGISTERED.record))
    assert after.valid_at(DEVICE.thumbprint, 8)
    assert after.valid_at(DEVICE.thumbprint, 9) is None
    with pytest.raises(KeyringError) as caught:
        after.require(DEVICE.thumbprint, 10)
    assert caught.value.code == "key-revoked"
    refuse(after, 11, DEVICE_REGISTERED, "key-again")
    refuse(after, 11, revoke(LEDGER, ROOT, DEVICE_REGISTERED.record), "key-unknown")
    assert ring.valid_at(DEVICE.thumbprint, 10), "a keyring is a value: adding leaves the old one alone"


def test_a_suspended_key_can_come_back(ring: Keyring) -> None:
    suspended = add(ring, 6, sign_record(record(Action.SUSPEND), LEDGER, [ROOT]))
    with pytest.raises(KeyringError) as caught:
        suspended.require(DEVICE.thumbprint, 7)
    assert caught.value.code == "key-suspended"
    back = add(suspended, 9, DEVICE_REGISTERED)
    counts = [index for index in range(13) if back.valid_at(DEVICE.thumbprint, index)]
    assert counts == [4, 5, 10, 11, 12]
    as_person = register_key(LEDGER, ROOT, DEVICE, Role.PERSON, MAKER, "Dock 3")
    refuse(suspended, 9, as_person, "key-again")
    revoked = add(suspended, 8, revoke(LEDGER, ROOT, DEVICE_REGISTERED.record))
    assert [index for index in range(13) if revoked.valid_at(DEVICE.thumbprint, index)] == [4, 5]


def test_a_rotation_is_signed_by_the_old_key_too_and_by_no_other(ring: Keyring) -> None:
    new, person, theirs = generate(), generate(), generate()
    follows = register_key(LEDGER, ROOT, new, Role.DEVICE, MAKER, "Dock 3b", replaces=DEVICE)
    assert [item.key for item in follows.envelope.signatures] == [
        ROOT.thumbprint, new.thumbprint, DEVICE.thumbprint,
    ]  # fmt: skip
    assert add(ring, 5, follows).require(new.thumbprint, 6).label == "Dock 3b"
    # Of before, and where the old key is lost: without it.
    add(ring, 5, register_key(LEDGER, ROOT, new, Role.DEVICE, MAKER, "Dock 3b"))
    ring = add(ring, 5, register_key(LEDGER, ROOT, person, Role.PERSON, MAKER, "Mia"))
    ring = add(ring, 6, register_root(LEDGER, OTHER_ROOT, PHARMACY, "root"))
    ring = add(ring, 7, register_key(LEDGER, OTHER_ROOT, theirs, Role.DEVICE, PHARMACY, "Till"))
    for other in (person, theirs, STRANGER, generate()):
        signed = register_key(LEDGER, ROOT, new, Role.DEVICE, MAKER, "Dock 3b", replaces=other)
        refuse(ring, 9, signed, "key-replaced")
    two = sign_record(follows.record, LEDGER, [ROOT, new, DEVICE, person])
    refuse(ring, 9, two, "key-replaced")
    ended = add(ring, 9, revoke(LEDGER, ROOT, DEVICE_REGISTERED.record))
    refuse(ended, 10, follows, "key-replaced")
    suspended = add(ring, 9, sign_record(record(Action.SUSPEND), LEDGER, [ROOT]))
    refuse(suspended, 10, follows, "key-replaced")


def test_only_a_valid_root_of_the_party_registers_and_revokes(ring: Keyring) -> None:
    new = generate()
    refuse(ring, 5, register_key(LEDGER, STRANGER, new, Role.DEVICE, MAKER, "x"), "key-author")
    refuse(ring, 5, register_key(LEDGER, DEVICE, new, Role.DEVICE, MAKER, "x"), "key-author")
    refuse(ring, 5, register_key(LEDGER, INTAKE, new, Role.DEVICE, MAKER, "x"), "key-author")
    refuse(ring, 5, register_key(LEDGER, ROOT, new, Role.DEVICE, PHARMACY, "x"), "key-author")
    refuse(ring, 5, register_key(LEDGER, ROOT, DEVICE, Role.DEVICE, MAKER, "x"), "key-again")
    for author in (STRANGER, DEVICE, INTAKE):
        refuse(ring, 5, revoke(LEDGER, author, DEVICE_REGISTERED.record), "key-author")
    refuse(ring, 5, sign_record(record(Action.REVOKE, Role.PERSON), LEDGER, [ROOT]), "key-record")
    rootless = add(ring, 5, revoke(LEDGER, ROOT, register_root(LEDGER, ROOT, MAKER, "root").record))
    refuse(rootless, 6, register_key(LEDGER, ROOT, new, Role.DEVICE, MAKER, "x"), "key-author")


def test_a_key_whose_holder_did_not_sign_along_is_refused(ring: Keyring) -> None:
    fresh = KeyRecord(Action.REGISTER, generate().spki, Role.DEVICE, MAKER, "x")
    refuse(ring, 5, sign_record(fresh, LEDGER, [ROOT]), "key-possession")


def test_a_second_root_needs_the_first(ring: Keyring) -> None:
    refuse(ring, 5, register_root(LEDGER, OTHER_ROOT, MAKER, "usurper"), "key-author")
    rotated = add(ring, 5, register_key(LEDGER, ROOT, OTHER_ROOT, Role.ROOT, MAKER, "new root"))
    assert {entry.label for entry in rotated.roots(MAKER, 6)} == {"root", "new root"}
    new = generate()
    assert add(rotated, 6, register_key(LEDGER, OTHER_ROOT, new, Role.DEVICE, MAKER, "x")).valid_at(
        new.thumbprint, 7
    )
    assert add(ring, 5, register_root(LEDGER, OTHER_ROOT, PHARMACY, "root")).roots(PHARMACY, 6)


def test_the_nodes_keys_are_its_intake_keys_affair(ring: Keyring) -> None:
    new = generate()
    refuse(ring, 5, register_intake(LEDGER, new, "second node"), "key-author")
    refuse(ring, 5, register_checkpoint_key(LEDGER, ROOT, new.spki, "seal"), "key-author")
    successor = KeyRecord(Action.REGISTER, new.spki, Role.INTAKE, None, "node 2")
    refuse(ring, 5, sign_record(successor, LEDGER, [INTAKE]), "key-possession")
    assert (
        add(ring, 5, sign_record(successor, LEDGER, [INTAKE, new])).require(new.thumbprint, 6).role
        is Role.INTAKE
    )
    assert ring.require(STRANGER.thumbprint, 2).role is Role.CHECKPOINT


def test_a_checkpoint_key_is_followed_by_one_that_both_sign_for(ring: Keyring) -> None:
    new, thief = generate(), generate()
    alone = register_checkpoint_key(LEDGER, INTAKE, new.spki, "seal")
    refuse(ring, 5, alone, "key-possession")
    refuse(ring, 5, sign_record(alone.record, LEDGER, [INTAKE, new]), "key-possession")
    refuse(ring, 5, sign_record(alone.record, LEDGER, [INTAKE, STRANGER]), "key-possession")
    refuse(ring, 5, register_next_checkpoint_key(LEDGER, INTAKE, thief, new, "seal"), "key-possession")
    both = add(ring, 5, register_next_checkpoint_key(LEDGER, INTAKE, STRANGER, new, "seal"))
    assert [entry.registered for entry in both.checkpoints(6)] == [1, 5]
    over = add(
        both, 6, revoke(LEDGER, INTAKE, register_checkpoint_key(LEDGER, INTAKE, STRANGER.spki, "s").record)
    )
    assert [entry.registered for entry in over.checkpoints(7)] == [5]
    refuse(over, 8, register_next_checkpoint_key(LEDGER, INTAKE, STRANGER, thief, "seal"), "key-possession")


def test_no_record_of_a_key_nobody_registered_can_end_it(ring: Keyring) -> None:
    stranger = KeyRecord(Action.REVOKE, generate().spki, Role.DEVICE, MAKER, "x")
    refuse(ring, 5, sign_record(stranger, LEDGER, [ROOT]), "key-unknown")
