"""The dock: one scan receives a pallet, a case is opened and counted, packages are taken out. All of it signed."""

import json
import os
import pty
import sys
from pathlib import Path

import pytest

from ledger.custody.vocabulary import Action, EventType
from ledger.evidence.verify import verify
from ledger.log.entry import Entry
from ledger.signing.client import KeyFolder
from ledger.signing.statement import Statement
from scanner.bench import Bench
from scanner.cli import main
from scanner.commands._shared import provider_of
from tests.scanner.story import (
    commissioning,
    container,
    container_picture,
    event,
    package,
    package_picture,
    packing,
    shipping,
)
from tests.scanner.test_live_check import answers
from tests.support import programs
from tests.support.patience import PATIENCE_S

CASES, EACH = 3, 4


@pytest.fixture(scope="module")
def pallet(dock):
    """Three cases of four on a pallet, shipped to the wholesaler by the maker."""
    serials = [f"{case}-{n}" for case in range(CASES) for n in range(EACH)]
    packed = [
        packing(container(100 + case), *(package(f"{case}-{n}") for n in range(EACH)))
        for case in range(CASES)
    ]
    cases = [container(100 + case) for case in range(CASES)]
    dock.node.capture(
        dock.maker, commissioning(*serials), *packed, packing(container(200), *cases, minutes=45)
    )
    dock.node.capture(dock.maker, shipping(container(200)))
    return 200


@pytest.fixture(scope="module")
def home(dock, tmp_path_factory):
    return dock.enrol(tmp_path_factory.mktemp("benches") / "dock-3", dock.wholesaler)


@pytest.fixture(scope="module")
def received(pallet, home, tmp_path_factory):
    """The picture of the pallet's label, after it was received at the bench by one scan."""
    picture = container_picture(tmp_path_factory.mktemp("labels"), pallet)
    assert main(["receive", str(picture), "--home", str(home)]) == 0
    return picture


def test_one_scan_receives_a_pallet_and_all_that_is_on_it(received, home, capsys):
    [result], status = answers(capsys, "receive", received, "--home", home)
    assert status == 0
    assert result["told"] == "12 packages now in your custody, inferred from the pallet's label."
    assert result["receipt"]["signed"]
    [answer], _ = answers(
        capsys, "check", "--text", "(01)00399999001014(21)0-1(17)310531(10)L7", "--home", home
    )
    assert (answer["word"], answer["record"]["yours"], answer["record"]["inferred"]) == ("OK", True, True)


def test_a_receiving_refers_to_the_shippers_own_statement_and_evidence_shows_it(received, dock, home):
    """Who holds both sees that they are about one hand-over: the receiver signed the leaf of the shipper's."""
    services = dock.node.services()
    try:
        with services.node.ledger.reading() as reader:
            entries = [Entry.decode(body) for _, body in reader.entries(0, reader.head().size)]
            leaves = {reader.leaf(entry.index): entry.index for entry in entries}
        data = services.evidence.of_package(container(200), reader=None)
    finally:
        services.database.dispose()
    told = {event.one.get("bizStep"): event for event in verify(data).events}
    shipped, taken = told["shipping"], told["receiving"]
    statement = Statement.parse(entries[taken.index].statement)
    assert [leaves[ref] for ref in statement.refs] == [shipped.index]
    assert (taken.refers_to, shipped.refers_to) == ((shipped.index,), ())
    assert taken.leaf != shipped.leaf
    # Who has no part in it is told of no statement, and his receiving, though recorded, refers to none.
    stranger = dock.enrol(home.parent / "till", dock.pharmacy)
    provider = provider_of(Bench.open(stranger))
    assert provider.shipped(container(200)) == ()
    assert provider.shipped("https://id.gs1.org/00/000000000000000000") == ()
    assert provider_of(Bench.open(home)).shipped(container(200)) == (bytes.fromhex(shipped.leaf),)


def test_what_is_signed_at_the_bench_is_acknowledged_and_kept(received, home):
    keys = KeyFolder.open(home / "key")
    assert keys.outbox() == []
    assert list((home / "key" / "sent").glob("*.json"))


def test_a_case_that_lacks_one_is_told_and_the_node_finds_it_short(received, home, tmp_path, capsys):
    seen = [package_picture(tmp_path, f"1-{n}") for n in range(EACH - 1)]
    capsys.readouterr()
    case = container_picture(tmp_path, 101)
    assert main(["count", str(case), *map(str, seen), "--home", str(home)]) == 1
    shown = capsys.readouterr().out
    for line in ("1 of 4, 3 short", "2 of 4, 2 short", "Counted and reported: 3 of 4, 1 short.", "21/1-3"):
        assert line in shown
    [answer], _ = answers(capsys, "check", received, "--home", home)
    assert answer["contents"]["packages"] == CASES * EACH - 1
    [lost], status = answers(capsys, "check", package_picture(tmp_path, "1-3"), "--home", home)
    assert (status, lost["record"]["in_transit"], lost["reason"]) == (1, True, "not_found_in_container")


def test_a_case_that_is_complete_is_said_to_be(received, home, tmp_path, capsys):
    seen = [package_picture(tmp_path, f"2-{n}") for n in range(EACH)]
    result, status = answers(
        capsys, "count", container_picture(tmp_path, 102), *seen, seen[0], "--home", home
    )
    assert (status, result["text"], result["missing"], result["over"]) == (0, "4 of 4, all there", [], [])
    [answer], _ = answers(capsys, "check", seen[0], "--home", home)
    assert not answer["record"]["inferred"], "it was seen"


def test_what_should_not_be_in_a_case_is_told(received, home, tmp_path, capsys):
    seen = [package_picture(tmp_path, f"2-{n}") for n in range(EACH)]
    stray = package_picture(tmp_path, "0-0")
    result, status = answers(capsys, "count", container_picture(tmp_path, 102), *seen, stray, "--home", home)
    assert (status, result["over"]) == (1, [package("0-0")])


def test_a_label_that_cannot_be_read_is_no_missing_package(received, home, tmp_path, capsys):
    from PIL import Image

    blank = tmp_path / "blank.png"
    Image.new("L", (200, 200), 255).save(blank)
    case, first = container_picture(tmp_path, 100), package_picture(tmp_path, "0-1")
    sent = len(list((home / "key" / "sent").glob("*.json")))
    assert main(["count", str(case), str(first), str(blank), "--home", str(home)]) == 2
    assert "[nothing-counted]" in capsys.readouterr().err
    assert main(["count", str(case), "--home", str(home)]) == 2
    assert len(list((home / "key" / "sent").glob("*.json"))) == sent


def test_unpacking_lets_packages_go_their_own_way(received, home, tmp_path, capsys):
    case, one = container_picture(tmp_path, 100), package_picture(tmp_path, "0-2")
    result, status = answers(capsys, "unpack", case, one, "--home", home)
    assert (status, result["unpacked"]) == (0, [package("0-2")])
    [answer], _ = answers(capsys, "check", one, "--home", home)
    assert (answer["word"], answer["record"]["inside"], answer["record"]["yours"]) == ("OK", [], True)
    rest, status = answers(
        capsys, "unpack", "--container-text", "(00)" + container(100)[-18:], "--home", home
    )
    assert (status, len(rest["unpacked"])) == (0, EACH - 1)


def test_nobody_else_is_told_what_is_in_a_container(received, dock, tmp_path, capsys):
    home = dock.enrol(tmp_path / "pharmacy", dock.pharmacy)
    capsys.readouterr()
    case = container_picture(tmp_path, 102)
    assert main(["count", str(case), str(package_picture(tmp_path, "2-1")), "--home", str(home)]) == 2
    assert "not_found" in capsys.readouterr().err


def test_what_was_signed_while_the_node_was_away_goes_first(received, dock, home, tmp_path, capsys):
    from scanner import acts
    from scanner.sources import utc_now

    keys = KeyFolder.open(home / "key")
    acts.signed(keys, [acts.received(container(102), keys.party, utc_now())], utc_now())
    assert len(keys.outbox()) == 1
    capsys.readouterr()
    assert main(["receive", str(received), "--home", str(home)]) == 0
    assert "1 signed earlier went first." in capsys.readouterr().out
    assert KeyFolder.open(home / "key").outbox() == []


@pytest.fixture(scope="module")
def half_recalled(dock):
    """Ships a case in a case of its own: two packs of four are recalled. Its number."""

    def ship(number: int) -> int:
        serials = [f"h{number}-{n}" for n in range(4)]
        inner, outer = container(number), container(number + 1)
        dock.node.capture(
            dock.maker,
            commissioning(*serials),
            packing(inner, *map(package, serials)),
            packing(outer, inner, minutes=45),
        )
        dock.node.capture(dock.maker, shipping(outer))
        recalled = tuple(map(package, serials[:2]))
        recall = event(EventType.OBJECT, Action.OBSERVE, "holding", "recalled", 30, epcs=recalled)
        dock.node.capture(dock.maker, recall)
        return number + 1

    return ship


def test_a_half_recalled_pallet_is_not_taken_whole_until_the_bench_is_told(
    half_recalled, home, tmp_path, capsys
):
    picture = container_picture(tmp_path, half_recalled(400))
    sent = len(list((home / "key" / "sent").glob("*.json")))
    assert main(["receive", str(picture), "--home", str(home)]) == 1
    shown = capsys.readouterr().out
    for line in (
        "Not received: 2 of 4 packages in it are to be set apart. Nothing was reported.",
        "(01)00399999001014(21)h400-0: recalled",
        "(01)00399999001014(21)h400-1: recalled",
        "--set-apart packs",
        "--set-apart all",
    ):
        assert line in shown
    assert len(list((home / "key" / "sent").glob("*.json"))) == sent
    [result], status = answers(capsys, "receive", picture, "--home", home)
    assert (status, result["receipt"], result["in_your_custody"]) == (1, None, False)

    [result], status = answers(capsys, "receive", picture, "--set-apart", "packs", "--home", home)
    assert (status, result["set_apart"]) == (0, [package("h400-0"), package("h400-1")])
    assert result["told"] == (
        "2 packages now in your custody, inferred from the pallet's label; 2 packages taken out and set apart."
    )
    for serial, word, inside in (("h400-0", "GENUINE, DO NOT USE", 0), ("h400-2", "OK", 2)):
        [answer], _ = answers(capsys, "check", package_picture(tmp_path, serial), "--home", home)
        assert (answer["word"], answer["record"]["yours"]) == (word, True)
        assert len(answer["record"]["inside"]) == inside


def test_a_pallet_that_stays_closed_is_held_with_all_that_is_in_it(half_recalled, home, tmp_path, capsys):
    picture = container_picture(tmp_path, half_recalled(410))
    [result], status = answers(capsys, "receive", picture, "--set-apart", "all", "--home", home)
    assert (status, result["in_your_custody"], result["set_apart"]) == (1, True, [])
    [answer], _ = answers(capsys, "check", package_picture(tmp_path, "h410-2"), "--home", home)
    assert (answer["word"], answer["reason"], len(answer["record"]["inside"])) == (
        "GENUINE, DO NOT USE",
        "held",
        2,
    )


def test_what_is_well_is_received_whatever_is_said_about_setting_apart(received, home, capsys):
    [result], _ = answers(capsys, "receive", received, "--set-apart", "packs", "--home", home)
    assert (result["set_apart"], result["in_your_custody"]) == ([], True)


def test_two_labels_in_one_picture_are_no_container(home, tmp_path, capsys):
    text = json.dumps("nothing that names a container")
    assert main(["receive", "--text", text, "--home", str(home)]) == 2
    assert "[no-container]" in capsys.readouterr().err


def test_a_locked_key_signs_by_its_passphrase_alone(dock, tmp_path, capsys, monkeypatch):
    home, secret = tmp_path / "locked", tmp_path / "secret"
    secret.write_text("correct horse\n")
    command = ["enrol", "--node", dock.node.url, "--root-key", str(dock.wholesaler.root), "--home", str(home)]
    assert main([*command, "--passphrase-file", str(secret)]) == 2
    assert "can be read by others; run: chmod 600" in capsys.readouterr().err
    secret.chmod(0o600)
    assert main([*command, "--passphrase-file", str(secret)]) == 0
    assert b"ENCRYPTED" in (home / "key" / "key.pem").read_bytes()
    dock.node.capture(dock.maker, commissioning("k-1"), packing(container(300), package("k-1")))
    dock.node.capture(dock.maker, shipping(container(300)))
    capsys.readouterr()
    case = container_picture(tmp_path, 300)
    receive = ["receive", str(case), "--home", str(home)]
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple\n")
    wrong.chmod(0o600)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert main(receive) == 2
        assert "[key-locked]" in capsys.readouterr().err
        assert main([*receive, "--passphrase-file", str(wrong)]) == 2
        assert "battery" not in capsys.readouterr().err
        assert main(["check", str(case), "--home", str(home)]) == 0, "who only asks signs nothing"
    assert list((home / "key" / "outbox").glob("*.json")) == []
    # A person at a terminal is asked, once; a bench without one reads a file.
    ours, theirs = pty.openpty()
    try:
        asked = programs.start("-m", "scanner.cli", *receive, stdin=theirs, stderr=theirs, new_session=True)
        os.close(theirs)
        shown = b""
        while b"Passphrase of" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, b"correct horse\n")
        assert asked.wait(PATIENCE_S) == 0
    finally:
        os.close(ours)
    monkeypatch.setenv("PACKPROOF_SCAN_PASSPHRASE_FILE", str(secret))
    assert main(["unpack", str(case), "--home", str(home)]) == 0
    assert len(list((home / "key" / "sent").glob("*.json"))) == 2
