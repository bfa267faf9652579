"""The operator is the adversary: nodes with the true keys that show another past, and what a bench makes of them."""

import json
import shutil

import pytest

from app.node.keys import CHECKPOINT
from app.node.rotation import Rotation
from ledger.__main__ import main as verify
from ledger.signing.keyfile import save_key
from ledger.signing.keys import generate
from scanner.bench import Bench
from scanner.cli import main
from tests.scanner.story import GTIN, MAKER, commissioning, package_picture
from tests.support.live import LiveNode, closing_database
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """The node as it was before, as it is now, and a bench that has seen the present. All are down."""
    folder = tmp_path_factory.mktemp("past")
    node = LiveNode(folder / "now")
    node.initialise()
    node.start()
    maker = node.party(MAKER, "North Pharma", "maker", makes=[GTIN])
    enrol = ["enrol", "--node", node.url, "--root-key", str(maker.root), "--home", str(folder / "bench")]
    assert main(enrol) == 0
    node.kill()
    before = node.twin(folder / "before")
    node.start()
    node.capture(maker, commissioning("A1"))
    node.capture(maker, commissioning("A2"))
    picture = package_picture(folder, "A1")
    assert main(["check", str(picture), "--home", str(folder / "bench")]) == 0
    node.kill()
    return node, before, folder / "bench", picture


@pytest.fixture
def crook(past, tmp_path):
    """A copy of the bench, and the node that was before, serving again in the place of the true one."""
    _, before, bench, picture = past
    twin = before.twin(tmp_path / "twin")
    home = shutil.copytree(bench, tmp_path / "bench")
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


def test_another_past_under_a_key_that_was_handed_over_is_refused_and_proven(crook, capsys):
    """The old key signs the handover's head: the operator cannot leave a fork behind by changing the log's key."""
    twin, home, picture = crook
    maker = twin.known(MAKER)
    for serial in ("A1", "X2"):
        twin.capture(maker, commissioning(serial))
    services = twin.services()
    with closing_database(services):
        Rotation(services.node).begin(CHECKPOINT)
        Rotation(services.node).finish(CHECKPOINT)
    assert "log-rewritten" in refused(capsys, home, picture)
    [proof] = home.glob("conflict-*.json")
    assert verify([str(proof)]) == 0
    assert "node-distrusted" in refused(capsys, home, picture)


def test_the_truth_is_not_believed_again_before_a_person_says_so(crook, past, tmp_path, capsys):
    twin, home, picture = crook
    refused(capsys, home, picture)
    twin.kill()
    truth = past[0].twin(tmp_path / "truth")
    truth.start()
    assert "node-distrusted" in refused(capsys, home, picture)
    assert main(["trust", "--reset", "--home", str(home)]) == 2, "a reset that nobody confirmed"
    assert main(["trust", "--reset", "--yes", "--home", str(home)]) == 0
    assert "WARNING" in capsys.readouterr().err
    status = main(["check", str(picture), "--home", str(home)])
    truth.kill()
    assert status == 0


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
    twin, home, picture = crook
    before = (home / "token").read_bytes()
    assert main(["rotate", "--root-key", str(twin.known(MAKER).root), "--home", str(home)]) == 4
    assert ((home / "token").read_bytes(), (home / "rotation").exists()) == (before, False), "nor a new key"
    assert main(["receive", str(picture), "--home", str(home)]) == 4
    # It was signed before, and waits for a node that can be believed.
    assert len(list((home / "key" / "outbox").glob("*.json"))) == 1


def test_a_node_that_is_down_is_said_to_be_and_decides_nothing(past, capsys):
    _, _, home, picture = past
    capsys.readouterr()
    assert main(["check", str(picture), "--home", str(home)]) == 3
    shown = capsys.readouterr()
    assert "cannot be reached" in shown.err
    assert shown.out == ""


def test_what_arrives_while_the_node_is_down_is_signed_and_kept(past, tmp_path, capsys):
    _, _, bench, picture = past
    home = shutil.copytree(bench, tmp_path / "bench")
    capsys.readouterr()
    assert main(["receive", str(picture), "--home", str(home)]) == 3
    assert "Your report need not be made again" in capsys.readouterr().err
    assert len(list((home / "key" / "outbox").glob("*.json"))) == 1


def test_a_bench_follows_its_node_to_another_address_only_if_its_past_came_along(past, tmp_path, capsys):
    now, before, bench, picture = past
    home = shutil.copytree(bench, tmp_path / "bench")
    true, false = (node.twin(tmp_path / name) for node, name in ((now, "true"), (before, "false")))
    true.port, false.port = free_port(), free_port()
    true.start()
    assert main(["move", "--node", true.url, "--home", str(home)]) == 0
    assert main(["check", str(picture), "--home", str(home)]) == 0
    true.kill()
    false.start()
    status = main(["move", "--node", false.url, "--home", str(home)])
    false.kill()
    assert status == 4
    assert Bench.open(home).enrolment.node == true.url
