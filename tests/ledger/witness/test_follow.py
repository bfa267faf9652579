"""A log that goes over to another key: who follows it, and what is kept where it has signed two pasts on the way.

All histories here begin with the same three entries, which hand the log's key over; from the fourth on they may differ.
A name such as ``true 6`` is a head over six entries of the history ``true``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.__main__ import main
from ledger.evidence.handover import Handover, KeyEntryProof
from ledger.log.checkpoint import Checkpoint
from ledger.log.conflict import Conflict
from ledger.log.entry import ZERO_LEAF, Entry, Kind
from ledger.log.hashing import leaf_hash
from ledger.log.note import NoteSigner
from ledger.log.proof import LeafNodes, consistency_proof, inclusion_proof, root_at
from ledger.signing.keyrecord import (
    SignedRecord,
    register_checkpoint_key,
    register_intake,
    register_next_checkpoint_key,
)
from ledger.signing.keys import Ed25519Signer, ed25519_spki, generate, load_verifier, thumbprint
from ledger.witness.memory import Memory, Untrusted

ORIGIN = "packproof.example/handed-over"
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NOW = THEN + timedelta(days=2)
MOST = 16


@dataclass(frozen=True)
class Key:
    """A key of the log, as notes and as key records have it."""

    note: NoteSigner
    record: Ed25519Signer

    @classmethod
    def made(cls) -> "Key":
        private = Ed25519PrivateKey.generate()
        spki = ed25519_spki(private.public_key().public_bytes_raw())
        return cls(NoteSigner(ORIGIN, private), Ed25519Signer(spki, thumbprint(spki), private))


OLD, NEW = Key.made(), Key.made()


def _key_entries() -> list[tuple[Entry, SignedRecord]]:
    intake, found = generate(), []
    for signed in (
        register_intake(ORIGIN, intake, "node"),
        register_checkpoint_key(ORIGIN, intake, OLD.record.spki, "seal"),
        register_next_checkpoint_key(ORIGIN, intake, OLD.record, NEW.record, "seal 2"),
    ):
        before = found[-1][0].leaf if found else ZERO_LEAF
        known = [load_verifier(spki) for spki in (intake.spki, OLD.record.spki, NEW.record.spki)]
        envelope, index = signed.envelope, len(found)
        signatures = envelope.entry_signatures(known)
        entry = Entry(Kind.KEY, index, 1_772_000_000_000 + index, before, envelope.statement, signatures)
        found.append((entry, signed))
    return found


KEYS = _key_entries()


def history(name: str) -> LeafNodes:
    rest = [leaf_hash(f"{name} {index}".encode()) for index in range(len(KEYS), MOST)]
    return LeafNodes([*(entry.leaf for entry, _ in KEYS), *rest])


HISTORIES = {name: history(name) for name in ("true", "other", "third")}


def note(head: str, *keys: Key) -> bytes:
    name, size = head.split()
    checkpoint = Checkpoint(ORIGIN, int(size), root_at(HISTORIES[name], int(size)))
    first, *others = (checkpoint.sign(key.note) for key in keys)
    for each in others:
        first = first.signed_also(list(each.signatures))
    return first.encode()


def handover(head: str) -> bytes:
    name, size = head.split()
    entries = tuple(
        KeyEntryProof(
            entry.encode(),
            tuple(inclusion_proof(HISTORIES[name], index, int(size))),
            signed.document,
            signed.seed,
        )
        for index, (entry, signed) in enumerate(KEYS)
    )
    return Handover(OLD.note.verifier, NEW.note.verifier, note(head, OLD, NEW), entries).encode()


def proves(name: str):
    """The proofs that a node gives which goes on with the history `name`."""
    return lambda old, new: tuple(consistency_proof(HISTORIES[name], old, new))


def remembering(folder: Path, head: str, *keys: Key) -> Memory:
    memory = Memory(folder, OLD.note.verifier)
    memory.begin(note(head, *(keys or (OLD,))), THEN)
    return memory


@pytest.mark.parametrize(
    ("seen", "both", "shown"),
    [("true 5", "true 7", "true 9"), ("true 9", "true 7", "true 9"), ("true 4", "true 4", "true 4")],
)
def test_one_past_is_followed_whenever_the_keys_changed(
    tmp_path: Path, seen: str, both: str, shown: str
) -> None:
    """A handover may be older than what was seen: for a while both keys sign."""
    memory = remembering(tmp_path, seen)
    key = memory.follow([handover(both)], note(shown, NEW), proves("true"), NOW)
    assert key == NEW.note.verifier
    assert Memory(tmp_path, key).require_trusted().note == note(shown, NEW)
    assert [path.read_bytes() for path in tmp_path.glob("handover-*.json")] == [handover(both)]


@pytest.mark.parametrize(
    ("seen", "both", "shown", "code"),
    [
        ("true 5", "other 7", "other 9", "log-rewritten"),
        ("true 4", "other 7", "other 7", "log-rewritten"),  # a power of two: one more proof tells
        ("true 7", "other 7", "other 9", "log-forked"),
        ("other 9", "true 7", "true 9", "log-rolled-back"),  # what it proves is of the larger head
    ],
)
def test_two_pasts_that_the_pinned_key_signed_are_kept_and_end_it(
    tmp_path: Path, seen: str, both: str, shown: str, code: str
) -> None:
    memory = remembering(tmp_path, seen)
    with pytest.raises(Untrusted) as refused:
        memory.follow([handover(both)], note(shown, NEW), proves("other"), NOW)
    assert refused.value.code == code
    assert "This node shows a different past than the one you saw on 2026-11-20" in refused.value.message
    again = Memory(tmp_path, OLD.note.verifier)
    assert again.remembered().note == note(seen, OLD)
    with pytest.raises(Untrusted) as later:
        again.require_trusted()
    assert later.value.code == "node-distrusted"
    [path] = tmp_path.glob("conflict-*.json")
    conflict = Conflict.parse(path.read_bytes())
    assert conflict.prove([OLD.note.verifier]).kind == code
    assert (conflict.remembered.note, conflict.shown.note) == (note(seen, OLD), note(both, OLD, NEW))
    assert main([str(path)]) == 0


@pytest.mark.parametrize(
    ("seen", "both", "proves", "code"),
    [
        ("true 5", "true 7", lambda old, new: (), "log-rewritten"),
        ("true 9", "other 7", proves("other"), "log-rolled-back"),  # its proof leads to no head that was seen
        ("true 8", "other 9", proves("other"), "log-rewritten"),  # a power of two, and the next size
    ],
)
def test_a_log_that_does_not_prove_its_past_is_refused_as_without_a_handover(
    tmp_path: Path, seen: str, both: str, proves, code: str
) -> None:
    memory = remembering(tmp_path, seen)
    with pytest.raises(Untrusted) as refused:
        memory.follow([handover(both)], note("other 12", NEW), proves, NOW)
    assert refused.value.code == code
    assert memory.refusal() is not None
    [path] = tmp_path.glob("conflict-*.json")
    assert main([str(path)]) == 1, "only the keeper's word"


@pytest.mark.parametrize(
    ("seen", "seen_by", "both", "shown"),
    [
        ("true 5", (OLD,), "true 7", "other 9"),
        ("true 5", (OLD,), "true 7", "other 7"),
        ("true 9", (OLD, NEW), "true 3", "other 12"),
    ],
)
def test_two_pasts_that_the_key_handed_over_to_signed_are_kept_too(
    tmp_path: Path, seen: str, seen_by: tuple[Key, ...], both: str, shown: str
) -> None:
    memory = remembering(tmp_path, seen, *seen_by)
    with pytest.raises(Untrusted) as refused:
        memory.follow([handover(both)], note(shown, NEW), _either(seen, both, shown), NOW)
    assert refused.value.code.startswith("log-")
    assert refused.value.code != "log-key"
    assert memory.remembered().note == note(seen, *seen_by)
    assert memory.refusal() is not None
    [path] = tmp_path.glob("conflict-*.json")
    assert Conflict.parse(path.read_bytes()).prove([NEW.note.verifier]).trusted
    [kept] = tmp_path.glob("handover-*.json")
    assert Handover.parse(kept.read_bytes()).prove(OLD.note.verifier), (
        "whoever knows the old key learns of this one"
    )


def _either(seen: str, both: str, shown: str):
    """A node that proves whatever it can: within the first history up to its heads, else within the one shown."""
    own = [int(head.split()[1]) for head in (seen, both)]
    return lambda old, new: proves("true" if new in own else shown.split()[0])(old, new)


@pytest.mark.parametrize(
    ("seen", "both", "shown"),
    [
        (
            "true 9",
            "true 3",
            "other 12",
        ),  # nobody signed both: that the new key is misled cannot be told apart
        ("true 9", "true 9", "true 7"),  # an older head may be genuine
        ("true 5", "true 9", "true 7"),
    ],
)
def test_what_no_key_signed_twice_refuses_the_answer_and_not_the_log(
    tmp_path: Path, seen: str, both: str, shown: str
) -> None:
    memory = remembering(tmp_path, seen)
    with pytest.raises(Untrusted) as refused:
        memory.follow([handover(both)], note(shown, NEW), _either(seen, both, shown), NOW)
    assert refused.value.code == "log-key"
    assert [path.name for path in tmp_path.iterdir()] == ["trust.json"]
    assert memory.require_trusted().note == note(seen, OLD)
