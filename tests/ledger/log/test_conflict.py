"""A conflict is proof or it is refused: for every pair of sizes, and for every byte that somebody changes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.__main__ import main
from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.conflict import Conflict, Sighting, asks_beyond, path_of
from ledger.log.encoding import to_json
from ledger.log.hashing import leaf_hash
from ledger.log.note import NoteSigner
from ledger.log.proof import LeafNodes, consistency_proof, fold_consistency, root_at

ORIGIN = "packproof.example/conflict"
LOG = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
THEN, NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC), datetime(2026, 11, 22, 10, 0, 0, 5, tzinfo=UTC)
MOST = 70


def history(changed: int | None = None) -> LeafNodes:
    return LeafNodes([leaf_hash(b"%d%s" % (n, b"!" if n == changed else b"")) for n in range(MOST)])


TRUE, OTHER = history(), history(0)


def head(nodes: LeafNodes, size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_at(nodes, size))


def conflict(before: Checkpoint, after: Checkpoint, path: tuple[bytes, ...] = ()) -> Conflict:
    notes = (checkpoint.sign(LOG).encode() for checkpoint in (before, after))
    return Conflict(
        LOG.verifier, *(Sighting(note, at) for note, at in zip(notes, (THEN, NOW), strict=True)), path
    )


def proofs(nodes: LeafNodes, old: int, new: int) -> tuple[list[bytes], list[bytes]]:
    """What a log tells of two sizes, and of the next one where that is asked for."""
    beyond = consistency_proof(nodes, old + 1, new) if asks_beyond(old, new) else []
    return consistency_proof(nodes, old, new), beyond


def test_a_rewritten_log_convicts_itself_by_its_own_proofs_whatever_the_sizes() -> None:
    silent = []
    for old in range(1, MOST):
        for new in range(old + 1, MOST + 1):
            path = path_of(head(TRUE, old), head(OTHER, new), *proofs(OTHER, old, new))
            if not path:
                silent.append((old, new))
                continue
            assert fold_consistency(old, new, path) == (root_at(OTHER, old), root_at(OTHER, new))
    # The one hash that is missing there stands in no consistency proof: a later head will tell.
    assert silent == [
        (old, new)
        for old in range(1, MOST)
        for new in range(old + 1, MOST + 1)
        if old & (old - 1) == 0 and (old == 1 or new == old + 1)
    ]


def test_an_honest_log_is_never_convicted() -> None:
    for old in range(1, MOST):
        for new in range(old + 1, MOST + 1):
            proof, beyond = proofs(TRUE, old, new)
            for given in ((proof, beyond), ([root_at(TRUE, old), *proof], beyond), (beyond, proof)):
                assert path_of(head(TRUE, old), head(TRUE, new), *given) == ()


def test_two_roots_for_one_size_are_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = conflict(head(TRUE, 9), head(OTHER, 9))
    assert Conflict.parse(made.encode()) == made
    file, policy = tmp_path / "conflict.json", tmp_path / "policy"
    file.write_bytes(made.encode())
    assert main([str(file)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"ACCEPTED. This log signed two histories: {ORIGIN}")
    assert "taken from this file itself" in told
    policy.write_text(f"log {LOG.verifier}\nquorum none\n")
    assert main(["verify", str(file), "--policy", str(policy), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["log_trusted"], [each["size"] for each in told["heads"]]) == (
        "log-forked",
        True,
        [9, 9],
    )


def test_a_policy_that_does_not_know_the_log_is_not_persuaded(tmp_path: Path) -> None:
    file, policy = tmp_path / "conflict.json", tmp_path / "policy"
    file.write_bytes(conflict(head(TRUE, 9), head(OTHER, 9)).encode())
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate()).verifier
    policy.write_text(f"log {stranger}\nquorum none\n")
    assert main([str(file), "--policy", str(policy)]) == 1


def test_a_smaller_head_shown_later_is_proof_too_where_a_path_shows_it() -> None:
    path = tuple(consistency_proof(OTHER, 7, 12))
    proven = Conflict.parse(conflict(head(OTHER, 12), head(TRUE, 7), path).encode()).prove()
    assert proven.kind == "log-rolled-back"


UNPROVEN = {
    "the same head twice": (head(TRUE, 9), head(TRUE, 9), ()),
    "no proof was given": (head(TRUE, 9), head(OTHER, 12), ()),
    "an older head": (head(TRUE, 12), head(TRUE, 9), ()),
    "a path that agrees": (head(TRUE, 9), head(TRUE, 12), tuple(consistency_proof(TRUE, 9, 12))),
    "another log's path": (head(TRUE, 9), head(OTHER, 12), tuple(consistency_proof(history(1), 9, 12))),
    "a hash too many": (head(TRUE, 9), head(OTHER, 12), (*consistency_proof(OTHER, 9, 12), bytes(32))),
    "a hash too few": (head(TRUE, 9), head(OTHER, 12), tuple(consistency_proof(OTHER, 9, 12)[:-1])),
    "an empty ledger first": (head(TRUE, 0), head(OTHER, 12), (bytes(32),)),
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_what_may_both_be_true_is_refused(case: str, tmp_path: Path) -> None:
    made = Conflict.parse(conflict(*UNPROVEN[case]).encode())
    with pytest.raises(VerificationError) as refused:
        made.prove()
    assert refused.value.code == "conflict-unproven"
    (tmp_path / "file").write_bytes(made.encode())
    assert main([str(tmp_path / "file")]) == 1


def test_two_logs_may_differ() -> None:
    other = NoteSigner("packproof.example/other", LOG._private_key)
    made = conflict(head(TRUE, 9), head(OTHER, 9))
    theirs = Checkpoint(other.name, 9, root_at(OTHER, 9)).sign(other).encode()
    file = json.loads(made.encode())
    file["shown"]["note"] = theirs.decode()
    with pytest.raises(VerificationError):
        Conflict.parse(to_json(file))
    mixed = Conflict(LOG.verifier, made.remembered, Sighting(theirs, NOW))
    with pytest.raises(VerificationError):
        mixed.prove([LOG.verifier, other.verifier])


def test_every_changed_byte_is_refused() -> None:
    path = tuple(consistency_proof(OTHER, 9, 12))
    good = conflict(head(TRUE, 9), head(OTHER, 12), path).encode()
    Conflict.parse(good).prove()
    word = [good.index(at.isoformat().encode()) for at in (THEN, NOW)]
    for position in range(len(good)):
        bent = bytearray(good)
        bent[position] ^= 1
        try:
            proven = Conflict.parse(bytes(bent)).prove()
        except VerificationError:
            continue
        # The keeper's times are only his word; nothing else may change.
        assert any(begin <= position < begin + 32 for begin in word), position
        assert (proven.remembered, proven.shown) == (head(TRUE, 9), head(OTHER, 12))
    for end in range(len(good)):
        with pytest.raises(VerificationError):
            Conflict.parse(good[:end])
