"""The operator is the adversary: nodes with the true keys that show another past, and what a bench makes of them."""

import json

import pytest

from ledger.signing.keyfile import save_key
from ledger.signing.keys import generate
from scanner.cli import main
from tests.scanner.story import MAKER, commissioning, package_picture


@pytest.fixture
def crook(own_dock, tmp_path):
    """A bench that has seen the truth, and a twin of the node from before that, still down."""
    home = own_dock.enrol(tmp_path / "bench", own_dock.maker)
    own_dock.node.kill()
    twin = own_dock.node.twin(tmp_path / "twin")
    own_dock.node.start()
    own_dock.node.capture(own_dock.maker, commissioning("A1"))
    own_dock.node.capture(own_dock.maker, commissioning("A2"))
    picture = package_picture(tmp_path, "A1")
    assert main(["check", str(picture), "--home", str(home)]) == 0
    own_dock.node.kill()
    twin.start()
    yield twin, home, picture
    twin.kill()


def refused(capsys, home, picture):
    capsys.readouterr()
    status = main(["check", str(picture), "--home", str(home)])
    shown = capsys.readouterr()
    assert status == 4
    assert shown.out == "", "a verdict was shown"
    return shown.err


def test_a_ledger_rolled_back_is_refused_by_the_next_scan(crook, capsys):
    _, home, picture = crook
    assert "log-rolled-back" in refused(capsys, home, picture)


def test_two_ledgers_of_one_size_are_refused_by_the_next_scan(crook, capsys):
    twin, home, picture = crook
    maker = twin.known(MAKER)
    twin.capture(maker, commissioning("A1"))
    twin.capture(maker, commissioning("X2"))
    assert "log-forked" in refused(capsys, home, picture)


def test_a_rewritten_ledger_is_refused_from_then_on_and_says_why(crook, capsys):
    twin, home, picture = crook
    maker = twin.known(MAKER)
    for serial in ("A1", "X2", "X3"):
        twin.capture(maker, commissioning(serial))
    words = refused(capsys, home, picture)
    assert "log-rewritten" in words
    assert "This node shows a different past than the one you saw on" in words
    [proof] = home.glob("conflict-*.json")
    assert str(proof) in words
    assert json.loads(proof.read_bytes())["kind"] == "log-rewritten"
    assert "node-distrusted" in refused(capsys, home, picture)
    assert main(["trust", "--home", str(home)]) == 4


def test_the_truth_is_not_believed_again_before_a_person_says_so(crook, own_dock, capsys):
    twin, home, picture = crook
    refused(capsys, home, picture)
    twin.kill()
    own_dock.node.start()
    assert "node-distrusted" in refused(capsys, home, picture)
    assert main(["trust", "--reset", "--home", str(home)]) == 2, "a reset that nobody confirmed"
    assert main(["trust", "--reset", "--yes", "--home", str(home)]) == 0
    assert "WARNING" in capsys.readouterr().err
    assert main(["check", str(picture), "--home", str(home)]) == 0


def test_a_node_whose_key_was_changed_is_not_believed(crook, capsys):
    twin, home, picture = crook
    twin.kill()
    key = twin.folder / "data" / "keys" / "checkpoint.pem"
    key.unlink()
    save_key(generate(), key)
    twin.start()
    maker = twin.known(MAKER)
    for serial in ("A1", "A2", "A3"):
        twin.capture(maker, commissioning(serial))
    assert "log-key" in refused(capsys, home, picture)
    assert list(home.glob("conflict-*")) == []


def test_acts_too_are_not_sent_to_a_node_that_shows_another_past(crook, capsys):
    _, home, picture = crook
    assert main(["receive", str(picture), "--home", str(home)]) == 4
    # It was signed before, and waits for a node that can be believed.
    assert len(list((home / "key" / "outbox").glob("*.json"))) == 1


def test_a_node_that_is_down_is_said_to_be_and_decides_nothing(own_dock, tmp_path, capsys):
    home = own_dock.enrol(tmp_path / "bench", own_dock.maker)
    own_dock.node.kill()
    capsys.readouterr()
    assert main(["check", str(package_picture(tmp_path, "A1")), "--home", str(home)]) == 3
    shown = capsys.readouterr()
    assert "cannot be reached" in shown.err
    assert shown.out == ""
