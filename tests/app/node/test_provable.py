"""A read-only node proves by the newest head that was kept and that its ledger still holds to."""

import json
from pathlib import Path

import pytest

from app.cli import main
from app.errors import CaptureStopped
from app.log.receipts import since
from app.proofs.sealed import sealed as seal_of
from ledger.__main__ import main as packproof_verify
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.logproof import LogProof
from ledger.log.mark import MarkFile
from ledger.log.note import NoteSigner
from tests.app.node.test_keys import append, fresh
from tests.app.proofs.test_evidence_cli import PACK, trade  # noqa: F401 - a fixture
from tests.support.app import Node
from tests.support.crook import tamper
from tests.support.trade import Trade


def roll_back(node: Node, size: int) -> None:
    """As a database would be that was restored after `size` entries had been signed: the mark is beyond it."""
    own = node.services.node
    MarkFile(own.data_dir / "mark").advance(Checkpoint(own.origin, size, bytes(32)))


def test_every_proof_is_made_by_the_kept_head_and_says_so(
    trade: Trade,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = trade.node.services.node
    sealed = node.opened(node.checkpoint()).checkpoint
    assert trade.post_signed(trade.document(trade.begun(40))).status_code == 201
    roll_back(trade.node, sealed.size + 9)
    file, page, proof, cose = (tmp_path / name for name in ("e.json", "e.html", "proof", "cose"))
    last = str(sealed.size - 1)
    for words in (
        ["evidence", PACK, "-o", str(file), "--html", str(page)],
        ["ledger", "proof", last, "-o", str(proof)],
        ["ledger", "receipt", last, "-o", str(cose)],
        ["ledger", "receipt", "--since", "2", "-o", str(cose)],
        ["ledger", "export", "--tiles", str(tmp_path / "tiles")],
    ):
        assert main(words) == 0, words
        told = capsys.readouterr()
        assert f"the ledger has only {sealed.size + 1}" in told.err
        assert f"still holds to, of {sealed.size} entries" in told.err
        assert main([*words, "--json"]) == 0
        assert "signs no head now" in json.loads(capsys.readouterr().out)["read_only"]
    assert packproof_verify([str(file)]) == 0
    assert f"sealed at {sealed.size} entries" in capsys.readouterr().out
    given = LogProof.parse(proof.read_bytes()).checkpoint
    kept = (tmp_path / "tiles" / "checkpoint").read_bytes()
    for note in (given, kept):
        assert SignedCheckpoint.open(note, node.note_verifiers).checkpoint == sealed

    # What nothing signed covers is not proven, and the answer says why.
    assert main(["ledger", "proof", str(sealed.size), "--json"]) == 1
    assert "signs no head now" in json.loads(capsys.readouterr().err)["detail"]
    assert main(["evidence", "https://id.gs1.org/01/00312345678906/21/none", "-o", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["code"] == "capture.stopped"


def test_a_kept_head_that_the_tree_has_left_is_passed_over(sqlite_node: Node) -> None:
    services = sqlite_node.services
    own = services.node
    own.initialise()
    good = own.opened(own.checkpoint()).checkpoint
    append(sqlite_node, 2)
    left = Checkpoint(own.origin, good.size + 1, bytes(32))
    signer = NoteSigner(own.origin, own.keys.checkpoint.private_key)
    with own.ledger.writing() as writer:
        writer.add_checkpoint(left.size, left.sign(signer).encode())
        writer.add_checkpoint(left.size + 1, b"no note")
    roll_back(sqlite_node, 50)
    found = fresh(sqlite_node).provable()
    assert (own.opened(found.note).checkpoint, found.size) == (good, good.size)
    assert since(fresh(sqlite_node), 1)[1] == good


def test_where_no_head_was_kept_the_reason_stands(sqlite_node: Node) -> None:
    own = sqlite_node.services.node
    own.ledger.create()
    own.keys.make()
    roll_back(sqlite_node, 5)
    with pytest.raises(CaptureStopped, match="takes nothing in"):
        own.provable()


def test_a_head_that_was_rewritten_is_not_signed_and_the_kept_one_still_proves(sqlite_node: Node) -> None:
    own = sqlite_node.services.node
    own.initialise()
    note = own.checkpoint()
    with own.ledger.reading() as reader:
        root = reader.head().root
    tamper(own.database, "UPDATE head SET root = ?", [bytes(32)])
    for ask in (own.checkpoint, fresh(sqlite_node).may_write):
        with pytest.raises(CaptureStopped) as refused:
            ask()
        assert "packproof fsck" in refused.value.detail
    assert own.provable().note == note
    assert seal_of(own).refusal is not None
    # The row is put right: no restart is needed, for nothing was signed meanwhile.
    tamper(own.database, "UPDATE head SET root = ?", [root])
    assert own.checkpoint() == note
