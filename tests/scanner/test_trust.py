"""What a bench remembers, and what it refuses: against trees and keys made here."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.__main__ import main
from ledger.log.checkpoint import Checkpoint
from ledger.log.conflict import Conflict
from ledger.log.hashing import leaf_hash
from ledger.log.note import NoteSigner
from ledger.log.proof import LeafNodes, consistency_proof, root_at
from scanner.errors import BenchError, TrustError
from scanner.trust import Memory

ORIGIN = "packproof.example/trust"
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NOW = THEN + timedelta(days=2)
LOG = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())


def ledger(*words):
    return LeafNodes([leaf_hash(word.encode()) for word in words])


TRUE = ledger(*(f"entry {n}" for n in range(20)))
REWRITTEN = ledger(*(f"entry {n}" if n != 3 else "another" for n in range(20)))


def note(nodes, size, signer=LOG, origin=ORIGIN):
    return Checkpoint(origin, size, root_at(nodes, size)).sign(signer).encode()


@pytest.fixture
def memory(tmp_path):
    found = Memory(tmp_path, LOG.verifier)
    found.begin(note(TRUE, 8), THEN)
    return found


@pytest.mark.parametrize("size", range(9, 21))
def test_a_later_head_is_accepted_with_its_proof_and_remembered_as_it_came(memory, size):
    memory.accept(note(TRUE, size), consistency_proof(TRUE, 8, size), NOW)
    assert memory.remembered().note == note(TRUE, size)
    assert memory.remembered().seen_at == NOW


def test_the_same_head_again_changes_nothing(memory):
    memory.accept(note(TRUE, 8), (), NOW)
    assert memory.remembered().seen_at == THEN


def test_from_an_empty_ledger_every_head_follows(tmp_path):
    memory = Memory(tmp_path, LOG.verifier)
    memory.begin(note(TRUE, 0), THEN)
    assert memory.accept(note(TRUE, 5), (), NOW).checkpoint.size == 5


CONFLICTS = {
    "a rewritten ledger": ("log-rewritten", REWRITTEN, 12, consistency_proof(REWRITTEN, 8, 12)),
    "no proof": ("log-rewritten", TRUE, 12, ()),
    "the proof of another step": ("log-rewritten", TRUE, 12, consistency_proof(TRUE, 7, 12)),
    "a hash too many": ("log-rewritten", TRUE, 12, [*consistency_proof(TRUE, 8, 12), bytes(32)]),
    "two heads of one size": ("log-forked", REWRITTEN, 8, ()),
    "yesterday's database": ("log-rolled-back", TRUE, 7, ()),
    "yesterday's database of another past": ("log-rolled-back", REWRITTEN, 5, ()),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_another_past_is_refused_from_then_on(memory, tmp_path, case):
    code, nodes, size, proof = CONFLICTS[case]
    with pytest.raises(TrustError) as refused:
        memory.accept(note(nodes, size), proof, NOW)
    assert refused.value.code == code
    assert "This node shows a different past than the one you saw on 2026-11-20" in refused.value.message
    # Nothing of it is taken over, and the truth is believed no more either: a person has to look.
    assert memory.remembered().note == note(TRUE, 8)
    again = Memory(tmp_path, LOG.verifier)
    for act in (
        again.require_trusted,
        lambda: again.accept(note(TRUE, 9), consistency_proof(TRUE, 8, 9), NOW),
    ):
        with pytest.raises(TrustError) as later:
            act()
        assert later.value.code == "node-distrusted"
        assert "a different past" in later.value.message


@pytest.mark.parametrize("case", CONFLICTS)
def test_the_conflict_is_a_file_that_proves_it_to_anybody_who_knows_the_logs_key(memory, tmp_path, case):
    code, nodes, size, proof = CONFLICTS[case]
    with pytest.raises(TrustError):
        memory.accept(note(nodes, size), proof, NOW, beyond_of(nodes, 8, size))
    [path] = tmp_path.glob("conflict-*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    conflict = Conflict.parse(path.read_bytes())
    assert (conflict.remembered.note, conflict.shown.note) == (note(TRUE, 8), note(nodes, size))
    proven = code == "log-forked" or case == "a rewritten ledger"
    assert main([str(path)]) == (0 if proven else 1)


def beyond_of(nodes, old, new):
    return consistency_proof(nodes, old + 1, new) if old + 1 < new else ()


def test_a_head_by_another_key_is_not_believed_and_proves_nothing_against_the_node(memory):
    forged = note(TRUE, 9, NoteSigner(ORIGIN, Ed25519PrivateKey.generate()))
    other = NoteSigner("packproof.example/other", Ed25519PrivateKey.generate())
    for wrong in (forged, note(TRUE, 9, other, other.name), b"no note at all", note(TRUE, 9)[:-5]):
        with pytest.raises(TrustError) as refused:
            memory.accept(wrong, consistency_proof(TRUE, 8, 9), NOW)
        assert refused.value.code == "log-key"
    assert memory.accept(note(TRUE, 9), consistency_proof(TRUE, 8, 9), NOW).checkpoint.size == 9


def test_a_reset_begins_anew_and_keeps_what_was(memory, tmp_path):
    with pytest.raises(TrustError):
        memory.accept(note(REWRITTEN, 12), (), NOW)
    memory.reset(note(REWRITTEN, 12), NOW)
    assert memory.require_trusted().checkpoint.size == 12
    assert len(list(tmp_path.glob("conflict-*.json"))) == 1
    [kept] = tmp_path.glob("trust-until-*.json")
    assert json.loads(kept.read_bytes())["refused"]["code"] == "log-rewritten"


@pytest.mark.parametrize("damage", ["gone", "cut", "other key", "changed"])
def test_a_memory_that_is_damaged_is_no_fresh_start(memory, tmp_path, damage):
    path = tmp_path / "trust.json"
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "changed":
        path.write_text(path.read_text().replace("\\n8\\n", "\\n7\\n"))
    reader = memory
    if damage == "other key":
        reader = Memory(tmp_path, NoteSigner(ORIGIN, Ed25519PrivateKey.generate()).verifier)
    with pytest.raises(BenchError) as refused:
        reader.require_trusted()
    assert refused.value.code == "bench-damaged"


def test_what_is_remembered_is_on_the_disk_before_it_counts(memory, tmp_path, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(file):
        synced.append(Path(f"/proc/self/fd/{file}").readlink())
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    memory.accept(note(TRUE, 9), consistency_proof(TRUE, 8, 9), NOW)
    assert synced == [tmp_path / ".trust.json.new", tmp_path]
