"""A bench's key is rotated in its own folder; whatever cuts it off, the bench works or says how to go on."""

import io
import json
import shutil
from contextlib import redirect_stderr

import pytest

from app.cli import main as packproof
from app.demo.stage import Stage, StoryBroke
from app.demo.world import PHARMACY
from app.devices import service as devices
from ledger.signing.client import KeyFolder
from ledger.signing.envelope import Envelope
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action
from scanner import acts, bench, rotation
from scanner.bench import Bench
from scanner.cli import main
from scanner.errors import BenchError
from scanner.sources import utc_now
from tests.scanner.story import commissioning, container
from tests.scanner.test_live_check import answers
from tests.support.live import closing_database
from tests.support.ports import free_port

LABEL = "(01)00399999001014(21){}(17)310531(10)L7"


def rotated(home, party, *more):
    return main(["rotate", "--root-key", str(party.root), "--home", str(home), *map(str, more)])


def checked(home):
    """Asks about a package that nobody made: 1 where the node answers, 2 where it takes the token no more."""
    return main(["check", "--text", LABEL.format("nobody"), "--home", str(home)])


def states(dock, party, label):
    """How the keys of this label stand at the node, in the order of their registration."""
    node = dock.node.services()
    with closing_database(node), node.database.reading() as connection:
        return [key.state for key in devices.keys_of(connection, party.gln) if key.label == label]


def ended(dock, party, home, action=Action.REVOKE):
    """Ends the bench's key, as its party does on another machine."""
    old = KeyFolder.open(home / "key")
    record = end_key(KeyFolder.open(party.root), action, KnownKey(old.signer.spki, old.role, old.label))
    node = dock.node.services()
    with closing_database(node):
        node.keys.apply(record.envelope, record.document, record.seed)


def plug_pulled(*_):
    raise KeyboardInterrupt


def waiting(home):
    keys = KeyFolder.open(home / "key")
    return acts.signed(keys, [acts.received(container(901), keys.party, utc_now())], utc_now())


def test_a_bench_gets_another_key_and_keeps_all_else(dock, bench, capsys):
    home = bench(dock.maker)
    dock.node.capture(dock.maker, commissioning("r1"))
    old, before, trust = KeyFolder.open(home / "key"), Bench.open(home), Bench.open(home).memory.remembered()
    capture, token = waiting(home), before.token()
    assert rotated(home, dock.maker) == 0
    assert "signs with the key" in capsys.readouterr().out
    new, after = KeyFolder.open(home / "key"), Bench.open(home)
    assert (new.label, new.thumbprint == old.thumbprint) == (old.label, False)
    assert (after.enrolment, after.token() == token) == (before.enrolment, False)
    assert after.memory.remembered().checkpoint.size > trust.checkpoint.size, "it went on from what it knew"
    assert len(Envelope.parse(new.registration.envelope).signatures) == 3
    assert states(dock, dock.maker, home.name) == ["revoked", "valid"]
    # What waited went before the old key ended: the node has it from that key.
    kept = KeyFolder.open(home / f"key-{old.thumbprint.hex()[:16]}")
    assert (kept.outbox(), kept.refused_captures()) == ([], [])
    assert (kept.path / "sent" / f"{capture.content}.json").exists()
    [answer], status = answers(capsys, "check", "--text", LABEL.format("r1"), "--home", home)
    assert (answer["word"], status) == ("OK", 0)
    assert not rotation.unfinished(home)
    # And once more: nothing of the first rotation stands in the way of a second.
    assert rotated(home, dock.maker) == 0
    assert states(dock, dock.maker, home.name) == ["revoked", "revoked", "valid"]


@pytest.mark.parametrize("action", [Action.REVOKE, Action.SUSPEND])
def test_a_bench_whose_key_has_ended_says_so_and_comes_back_in_its_own_folder(action, dock, bench, capsys):
    home = bench(dock.pharmacy)
    ended(dock, dock.pharmacy, home, action)
    late, old = waiting(home), KeyFolder.open(home / "key")
    for command in (["check", "--text", LABEL.format("r1")], ["trust", "--check"]):
        capsys.readouterr()
        assert main([*command, "--home", str(home)]) == 2
        told = capsys.readouterr().err
        assert "[key-ended]" in told
        assert "packproof-scan rotate --root-key FOLDER" in told
        assert "packproof token" not in told, "no token of the operator's is for a bench"
    assert rotated(home, dock.pharmacy) == 1
    assert "did not take 1 of what the old key signed" in capsys.readouterr().out
    kept = KeyFolder.open(home / f"key-{old.thumbprint.hex()[:16]}")
    assert [each.envelope for each in kept.refused_captures()] == [late.envelope]
    assert (checked(home), states(dock, dock.pharmacy, home.name)[-2:]) == (1, ["revoked", "valid"])


CUTS = {
    "before the token is written": (bench, "change_token"),
    "before what waits is sent": (rotation, "_send_waiting"),
    "before the folders change": (bench, "replace_key"),
    "between the folders": (bench, "take_place"),
    "before the old key is ended": (rotation, "_end"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_rotation_that_is_cut_off_leaves_a_bench_that_works_and_goes_on(
    cut, dock, tmp_path, monkeypatch, capsys
):
    home = dock.enrol(tmp_path / f"cut {list(CUTS).index(cut)}", dock.wholesaler)
    known, capture = Bench.open(home).enrolment, waiting(home)
    module, name = CUTS[cut]
    real, calls = getattr(module, name), []

    def at_the_cut(*given):
        calls.append(given)
        # The first call of `take_place` looks for what an earlier rotation left.
        if name == "take_place" and bench.key_folder(home).exists():
            return real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, at_the_cut)
        assert rotated(home, dock.wholesaler) == 130
    assert calls
    assert rotation.unfinished(home)
    assert (checked(home), Bench.open(home).keys.party) == (1, dock.wholesaler.gln), "it asks and it can sign"
    assert main(["trust", "--check", "--home", str(home)]) == 0
    assert "cut off: packproof-scan rotate ends it" in capsys.readouterr().out
    assert rotated(home, dock.wholesaler) == 0
    assert states(dock, dock.wholesaler, home.name) == ["revoked", "valid"], "one new key, and one alone"
    assert (checked(home), Bench.open(home).enrolment) == (1, known)
    [retired] = home.glob("key-*")
    assert (retired / "sent" / f"{capture.content}.json").exists()
    assert not rotation.unfinished(home)


def test_what_is_signed_while_the_keys_change_is_signed_by_neither_wrongly(dock, bench):
    home = bench(dock.maker)
    desk = Bench.open(home)
    assert desk.keys.outbox() == []
    desk.require_present_key()
    assert rotated(home, dock.maker) == 0
    with desk.locked(), pytest.raises(BenchError) as refused:
        desk.require_present_key()
    assert refused.value.code == "key-rotated"


def test_a_key_that_ends_between_two_tries_signs_along_no_more(dock, bench, monkeypatch, capsys):
    home = bench(dock.maker)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "introduce", plug_pulled)
        assert rotated(home, dock.maker) == 130
    ended(dock, dock.maker, home)
    assert rotated(home, dock.maker) == 2
    assert "Run packproof-scan rotate again" in capsys.readouterr().err
    assert rotated(home, dock.maker) == 0
    assert len(Envelope.parse(KeyFolder.open(home / "key").registration.envelope).signatures) == 2
    assert checked(home) == 1


def test_a_locked_key_is_followed_by_a_locked_one(dock, tmp_path, monkeypatch, capsys):
    home, secret, other = tmp_path / "locked", tmp_path / "secret", tmp_path / "other"
    for path, word in ((secret, "correct horse"), (other, "battery staple")):
        path.write_text(word + "\n")
        path.chmod(0o600)
    command = ["enrol", "--node", dock.node.url, "--root-key", str(dock.maker.root), "--home", str(home)]
    assert main([*command, "--passphrase-file", str(secret), "--label", "locked"]) == 0
    assert rotated(home, dock.maker) == 2
    assert "[key-locked]" in capsys.readouterr().err
    assert rotated(home, dock.maker, "--passphrase-file", secret) == 0
    assert b"ENCRYPTED" in (home / "key" / "key.pem").read_bytes()
    # Under another passphrase from now on, and cut off when the new key is in its place already.
    options = ("--passphrase-file", secret, "--new-passphrase-file", other)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_end", plug_pulled)
        assert rotated(home, dock.maker, *options) == 130
    capsys.readouterr()
    assert rotated(home, dock.maker, *options) == 0
    assert "that had been begun is at its end" in capsys.readouterr().out
    assert KeyFolder.open(home / "key", b"battery staple").role == "device"
    assert states(dock, dock.maker, "locked") == ["revoked", "revoked", "valid"]


def test_only_the_root_of_the_benchs_own_party_vouches(dock, bench, capsys):
    home = bench(dock.maker)
    before = sorted(path.name for path in home.iterdir())
    assert rotated(home, dock.pharmacy) == 2
    assert f"needs the root of {dock.maker.gln}" in capsys.readouterr().err
    assert main(["rotate", "--root-key", str(dock.maker.device), "--home", str(home)]) == 2
    assert sorted(path.name for path in home.iterdir()) == before


def test_the_partys_own_command_leaves_a_benchs_key_to_the_bench(dock, bench, tmp_path):
    home = bench(dock.maker)
    said = io.StringIO()
    words = ["key", "rotate", "--key", dock.maker.root, "--old", home / "key", "--new", tmp_path / "new"]
    with redirect_stderr(said):
        assert packproof([str(word) for word in (*words, "--node", dock.node.url, "--json")]) == 1
    told = json.loads(said.getvalue())
    assert (told["code"], (tmp_path / "new").exists()) == ("key.bench", False)
    assert f"packproof-scan rotate --root-key {dock.maker.root} --home {home}" in told["next"]
    assert checked(home) == 1


def test_the_demo_serves_without_a_bench_whose_key_has_ended(dock, tmp_path):
    stage = Stage(tmp_path / "demo", dock.node.port)
    shutil.copytree(dock.pharmacy.root, stage.home(PHARMACY) / "root")
    home = dock.enrol(stage.bench(PHARMACY), dock.pharmacy)
    ended(dock, dock.pharmacy, home)
    told = stage.follow(PHARMACY)
    assert told is not None
    assert f"The bench of {PHARMACY.name} is left out" in told
    words = told[told.index("packproof-scan rotate") :].split()[1:]
    assert main(words) == 0
    assert checked(home) == 1
    stage.port = free_port()
    with pytest.raises(StoryBroke):
        stage.follow(PHARMACY)
