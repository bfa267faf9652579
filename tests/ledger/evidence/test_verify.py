"""Evidence: the numbered steps accept what was signed and refuse everything else, each at its step."""

import copy
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.bundle import Bundle, EvidenceError, build
from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.entry import Kind
from ledger.log.note import COSIGNATURE, Note, NoteSignature, NoteSigner, NoteVerifier, key_id
from ledger.signing.keyrecord import register_intake, register_root
from ledger.signing.keys import generate
from tests.ledger.evidence.refusals import refused
from tests.ledger.evidence.world import (
    CASE,
    MAKER,
    ORIGIN,
    OTHER,
    PACK,
    PALLET,
    World,
    at,
    made,
    shipped,
    told_story,
)


@pytest.fixture(scope="module")
def story() -> World:
    return told_story()


def test_the_whole_story_of_a_package_is_accepted_and_told(story: World) -> None:
    report = verify(story.bundle([4, 5, 6], [PACK, CASE, PALLET]))
    assert [(event.index, event.record) for event in report.events] == [(4, 0), (5, 0), (5, 1), (6, 0)]
    assert (report.origin, report.size) == (ORIGIN, 7)
    text = report.text()
    assert "signed by 9506000134352 (by this node's word, device key 'Packing line 3')" in text
    assert "received from 9506000134352 (by rest), NOT signed by it" in text
    assert "Completeness cannot be proven here" in text
    assert OTHER not in text, "a package that is not the subject must not be told"


def test_a_hidden_field_is_counted_and_not_told(story: World) -> None:
    entries = [story.material(index, [PACK]) for index in story.key_entries()]
    entries.append(story.material(4, [PACK], hide=("ilmd/urn:epcglobal:cbv:mda#lotNumber",)))
    report = verify(build(PACK, str(story.log.verifier), story.checkpoint(), entries))
    assert report.hidden == 1
    assert "LOT-77" not in report.text()


def test_a_policy_pins_log_and_root_and_the_report_says_so(story: World) -> None:
    pins = {MAKER: frozenset((story.root.thumbprint,))}
    report = verify(story.bundle([4], [PACK]), Policy((story.log.verifier,), pins))
    assert report.log_trusted
    assert report.events[0].signed_by[0].pinned
    assert "root pinned by your policy" in report.text()


def test_another_root_than_the_pinned_one_is_refused(story: World) -> None:
    policy = Policy((story.log.verifier,), {MAKER: frozenset((generate().thumbprint,))})
    error = refused(story.bundle([4], [PACK]), policy)
    assert (error.step, error.index, error.code) == (Step.KEYS, 2, "not-pinned")


def test_a_log_that_the_policy_does_not_name_is_refused(story: World) -> None:
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate()).verifier
    assert refused(story.bundle([4], [PACK]), Policy((other,))).step is Step.CHECKPOINT


def _asking(story: World, quorum: str, *witnesses: NoteVerifier) -> Policy:
    """A policy for the story's log, its witnesses called 0, 1 and so on."""
    lines = [f"witness {number} {key}" for number, key in enumerate(witnesses)]
    return Policy.parse("\n".join((f"log {story.log.verifier}", *lines, quorum, "")).encode())


def test_a_quorum_of_witnesses_is_counted(story: World) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    witness = NoteVerifier("witness.example", public, COSIGNATURE)
    policy = _asking(story, "quorum 0", witness)
    data = story.bundle([4], [PACK])
    assert refused(data, policy).step is Step.CHECKPOINT

    note = Note.parse(story.checkpoint())
    signed = f"cosignature/v1\ntime 1772000000\n{note.text}".encode()
    raw = (1772000000).to_bytes(8, "big") + private.sign(signed)
    line = NoteSignature(witness.name, key_id(witness.name, COSIGNATURE, public), raw)
    entries = [story.material(index, [PACK]) for index in [*story.key_entries(), 4]]
    seen = build(PACK, str(story.log.verifier), note.signed_also([line]).encode(), entries)
    [told] = verify(seen, policy).witnesses
    assert (told.name, told.key, told.seconds) == ("witness.example", str(witness), 1772000000)
    assert "witness.example, by its clock at 2026-02-25 06:13:20 UTC" in verify(seen, policy).text()

    absent = NoteVerifier(
        "absent.example", generate().private_key.public_key().public_bytes_raw(), COSIGNATURE
    )
    for least, enough in (("all", False), ("2", False), ("any", True), ("1", True)):
        asking = _asking(story, f"group G {least} 0 1\nquorum G", witness, absent)
        if enough:
            assert verify(seen, asking).witnesses == (told,)
        else:
            assert refused(seen, asking).code == "quorum"

    bent = note.signed_also([NoteSignature(line.name, line.key_id, raw[:-1] + bytes((raw[-1] ^ 1,)))])
    assert (
        refused(build(PACK, str(story.log.verifier), bent.encode(), entries), policy).code == "note-signature"
    )


def test_a_scan_accepts_only_its_log(story: World) -> None:
    data = story.bundle([4], [PACK])
    assert verify(data, Policy((story.log.verifier,))).subject == PACK
    with pytest.raises(EvidenceRefused):
        verify(data, Policy((NoteSigner(ORIGIN, Ed25519PrivateKey.generate()).verifier,)))


def test_a_node_that_forges_a_signature_is_caught(story: World) -> None:
    """The operator rewrites the ledger properly and signs again, but has not the maker's key."""
    forger = World()
    forger.kept = copy.deepcopy(story.kept[:4])
    forger.log, forger.device = story.log, story.device
    index = forger.capture(made(PACK, minute=9))
    entry = forger.kept[index].entry
    forged = bytearray(entry.signatures[0].sig)
    forged[3] ^= 1
    signature = type(entry.signatures[0])(1, entry.signatures[0].key, bytes(forged))
    forger.kept[index].entry = type(entry)(
        entry.kind, index, entry.received_ms, entry.prev_leaf, entry.statement, (signature,)
    )
    error = refused(forger.bundle([index], [PACK]))
    assert (error.step, error.index, error.code) == (Step.SIGNATURES, index, "signature")


def test_an_entry_that_was_signed_but_never_sealed_is_refused(story: World) -> None:
    """The device signed it, the node left it out of the tree: the checkpoint does not cover it."""
    sealed = story.checkpoint()
    beside = World()
    beside.kept, beside.log, beside.device = copy.deepcopy(story.kept[:6]), story.log, story.device
    index = beside.capture(shipped(PACK, 9))
    entries = [story.material(number, [PACK]) for number in story.key_entries()]
    entries.append(beside.material(index, [PACK]))
    error = refused(build(PACK, str(story.log.verifier), sealed, entries))
    assert (error.step, error.index, error.code) == (Step.INCLUSION, index, "inclusion")


def test_a_key_registration_with_a_wrong_signature_is_caught(story: World) -> None:
    forger = World()
    forger.kept = copy.deepcopy(story.kept[:5])
    forger.log, forger.device = story.log, story.device
    entry = forger.kept[3].entry
    bad = type(entry.signatures[1])(1, entry.signatures[1].key, bytes(64))
    forger.kept[3].entry = type(entry)(
        entry.kind, 3, entry.received_ms, entry.prev_leaf, entry.statement, (entry.signatures[0], bad)
    )
    error = refused(forger.bundle([4], [PACK]))
    assert (error.step, error.index, error.code) == (Step.KEYS, 3, "signature")


def test_an_author_without_registration_is_refused(story: World) -> None:
    error = refused(story.bundle([4], [PACK], keys=[0, 2]))
    assert (error.step, error.index, error.code) == (Step.SIGNATURES, 4, "key-unknown")


def test_a_device_without_its_root_is_refused(story: World) -> None:
    error = refused(story.bundle([4], [PACK], keys=[0, 3]))
    assert (error.step, error.index, error.code) == (Step.KEYS, 3, "unknown-key")


def test_a_signature_after_a_shown_revocation_does_not_count() -> None:
    world = World()
    before = world.capture(made(PACK))
    revocation = world.revoke_device()
    after = world.capture(shipped(PACK, 3))
    report = verify(world.bundle([before], [PACK]))
    assert f"revoked in entry {revocation}, suspect since entry 4" in report.text()
    error = refused(world.bundle([before, after], [PACK]))
    assert (error.step, error.index, error.code) == (Step.SIGNATURES, after, "key-revoked")


def test_the_intake_key_cannot_sign_for_a_party_and_a_device_cannot_take_in(story: World) -> None:
    world = World()
    claimed = world.capture(made(PACK), signer=world.intake)
    assert refused(world.bundle([claimed], [PACK])).code == "role"
    taken = world.capture(made(PACK), signer=world.device, received=True)
    assert refused(world.bundle([taken], [PACK])).code == "role"
    by_root = world.capture(made(PACK), signer=world.root)
    assert refused(world.bundle([by_root], [PACK])).code == "role"


def test_a_statement_made_for_another_ledger_is_refused() -> None:
    world = World()
    replayed = world.capture(made(PACK), ledger="other.example/ledger")
    error = refused(world.bundle([replayed], [PACK]))
    assert (error.step, error.code) == (Step.ENTRY, "other-ledger")


def test_an_entry_of_another_kind_than_its_statement_is_refused() -> None:
    """The node files what the maker signed as something the node received."""
    world = World()
    relabelled = world.capture(made(PACK), kind=Kind.RECEIVED)
    error = refused(world.bundle([relabelled], [PACK]))
    assert (error.step, error.index, error.code) == (Step.ENTRY, relabelled, "kind")


def test_an_entry_that_tells_no_event_has_no_place_in_evidence() -> None:
    world = World()
    audit = world.capture(made(PACK), signer=world.intake, kind=Kind.AUDIT)
    error = refused(world.bundle([audit], [PACK]))
    assert (error.step, error.index, error.code) == (Step.ENTRY, audit, "kind")


def test_an_author_who_signed_another_number_of_records_is_refused() -> None:
    world = World()
    index = world.capture(made(PACK), claimed=2)
    error = refused(world.bundle([index], [PACK]))
    assert (error.step, error.index, error.code) == (Step.FIELDS, index, "count")


def test_the_same_written_otherwise_is_refused_at_step_one(story: World) -> None:
    value = json.loads(story.bundle([4], [PACK]))
    for other in (json.dumps(value, indent=1), json.dumps(value, separators=(",", ":"), ensure_ascii=False)):
        assert refused(other.encode()).step is Step.FILE


def test_a_second_intake_or_a_usurping_root_is_refused() -> None:
    world = World()
    usurper = generate()
    index = world.add_key(register_root(ORIGIN, usurper, MAKER, "Maker's root too"))
    event = world.capture(made(PACK))
    error = refused(world.bundle([event], [PACK]))
    assert (error.step, error.index, error.code) == (Step.KEYS, index, "key-author")
    world = World()
    index = world.add_key(register_intake(ORIGIN, usurper, "node again"))
    event = world.capture(made(PACK))
    assert refused(world.bundle([event], [PACK])).index == index


def test_a_p256_device_signs_as_well() -> None:
    world = World(device_alg="p256")
    index = world.capture(made(PACK))
    assert verify(world.bundle([index], [PACK])).events[0].signed_by[0].role == "device"


def test_material_that_does_not_open_its_entry_makes_no_evidence(story: World) -> None:
    good = story.material(4, [PACK])
    bad = type(good)(
        good.entry, good.inclusion, good.document_digest, good.intake, good.records, bytes(32), good.show
    )
    with pytest.raises(EvidenceError):
        build(PACK, str(story.log.verifier), story.checkpoint(), [bad])


def test_an_accident_in_the_policy_member_is_found_by_the_digest(story: World) -> None:
    data = story.bundle([4], [PACK])
    bent = data.replace(b'"policy":""', b'"policy":"' + b"0" * 64 + b'"')
    assert refused(bent).step is Step.DIGEST


def test_a_file_reads_back_as_it_was_written(story: World) -> None:
    data = story.bundle([4, 5, 6], [PACK, CASE, PALLET])
    assert Bundle.parse(data).encode() == data


def test_a_file_of_any_junk_is_refused_at_step_one() -> None:
    for junk in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"format":1}',
        b"1e999",
        b'{"a":1,"a":1}',
    ):
        assert refused(junk).step is Step.FILE


def test_the_time_of_an_event_is_told(story: World) -> None:
    assert (
        at(5).replace("T", " ").replace(".000000Z", " UTC")
        in verify(story.bundle([4, 5, 6], [PACK, CASE, PALLET])).text()
    )
