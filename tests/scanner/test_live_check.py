"""`enrol` and `check` against a node that is a process of its own, with labels that are pictures."""

import json

import pytest

from scanner.cli import main
from tests.scanner.story import (
    GTIN,
    MAKER,
    PHARMACY,
    WHOLESALER,
    commissioning,
    container,
    container_picture,
    package_picture,
    packing,
    shipping,
)


def answers(capsys, *arguments):
    """The JSON that a command prints, and its exit status."""
    capsys.readouterr()
    status = main([*map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out), status


def test_what_the_maker_signed_is_ok_with_proof(dock, bench, tmp_path, capsys):
    receipt = dock.node.capture(dock.maker, commissioning("ok1", "ok2"))
    home = bench(dock.maker)
    [answer], status = answers(capsys, "check", package_picture(tmp_path, "ok1"), "--home", home)
    assert (status, answer["word"], answer["proof"]["kind"]) == (0, "OK", "signed")
    assert answer["proof"]["index"] == receipt["index"]
    assert MAKER in answer["proof"]["text"]
    assert answer["product"]["name"] == "Sonnenal"


def test_what_only_came_from_the_maker_is_not_called_signed(dock, bench, tmp_path, capsys):
    from app.shared.actor import command_line
    from ledger.epcis.document import Document, Form
    from ledger.epcis.json20 import write
    from tests.support.live import closing_database

    event = commissioning("unsigned1")
    node = dock.node.services()
    with closing_database(node):
        raw = write(Document(Form.JSON20, (event,), created=event.event_time))
        node.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=command_line("tester"))
    [answer], status = answers(
        capsys, "check", package_picture(tmp_path, "unsigned1"), "--home", bench(dock.maker)
    )
    assert (status, answer["word"], answer["proof"]["kind"]) == (0, "OK", "received")
    assert "not signed by it" in answer["proof"]["text"]


def test_each_verdict_comes_with_its_reason_and_its_status(dock, bench, tmp_path, capsys):
    dock.node.capture(
        dock.maker, commissioning("v1", "v2"), commissioning("old", lot="OLD", expiry="2026-01-31")
    )
    home = bench(dock.maker)
    blank = tmp_path / "blank.png"
    from PIL import Image

    Image.new("L", (200, 200), 255).save(blank)
    asked = {
        package_picture(tmp_path, "v1"): ("OK", "ok"),
        package_picture(tmp_path, "v2", lot="L8"): ("DETAILS DIFFER", "lot_differs"),
        package_picture(tmp_path, "v2", expiry="2031-06-30"): ("DETAILS DIFFER", "expiry_differs"),
        package_picture(tmp_path, "old", lot="OLD", expiry="2026-01-31"): ("GENUINE, DO NOT USE", "expired"),
        package_picture(tmp_path, "never"): ("SUSPECT", "never_made"),
        package_picture(tmp_path, "v1", gtin="00614141999996"): ("CANNOT CONFIRM YET", "no_record"),
        blank: ("COULD NOT READ", "nothing_decoded"),
    }
    for path, expected in asked.items():
        [answer], status = answers(capsys, "check", path, "--home", home)
        assert (answer["word"], answer["reason"]) == expected, path
        assert status == (0 if answer["word"] == "OK" else 1)
        assert answer["next_step"]


def test_typed_text_and_a_wedges_line_are_answered_like_a_picture(dock, bench, capsys):
    dock.node.capture(dock.maker, commissioning("typed1"))
    home = bench(dock.maker)
    texts = (f"(01){GTIN}(21)typed1(17)310531(10)L7", f"]d201{GTIN}21typed1^]1731053110L7")
    found, status = answers(capsys, "check", "--text", texts[0], "--text", texts[1], "--home", home)
    assert status == 0
    assert [answer["word"] for answer in found] == ["OK", "OK"]


def test_a_container_tells_what_is_in_it(dock, bench, tmp_path, capsys):
    dock.node.capture(dock.maker, commissioning("c1", "c2", "c3"))
    dock.node.capture(
        dock.maker, packing(container(11), *(f"https://id.gs1.org/01/{GTIN}/21/c{n}" for n in (1, 2, 3)))
    )
    [answer], status = answers(capsys, "check", container_picture(tmp_path, 11), "--home", bench(dock.maker))
    assert status == 0, answer
    assert answer["contents"]["packages"] == 3
    assert answer["contents"]["by_word"] == {"OK": 3}


def test_a_stranger_with_the_pack_in_hand_gets_the_word_and_nobodys_name(dock, bench, tmp_path, capsys):
    dock.node.capture(dock.maker, commissioning("s1"))
    dock.node.capture(dock.maker, shipping(f"https://id.gs1.org/01/{GTIN}/21/s1", to=WHOLESALER))
    [answer], status = answers(
        capsys, "check", package_picture(tmp_path, "s1"), "--home", bench(dock.pharmacy)
    )
    assert (status, answer["word"], answer["reason"]) == (1, "DETAILS DIFFER", "shipped_elsewhere")
    assert answer["record"] is None
    assert answer["proof"]["kind"] == "none"
    assert WHOLESALER not in json.dumps(answer)
    assert "Middle Wholesale" not in json.dumps(answer)


def test_a_picture_that_cannot_be_opened_costs_no_other_its_answer(dock, bench, tmp_path, capsys):
    dock.node.capture(dock.maker, commissioning("p1"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good = package_picture(tmp_path, "p1")
    found, status = answers(capsys, "check", broken, good, "--home", bench(dock.maker))
    assert status == 2
    assert found[0]["error"]["code"] == "image-unreadable"
    assert found[1]["word"] == "OK"


def test_the_benchs_folder_is_its_owners_alone(dock, bench):
    home = bench(dock.pharmacy)
    assert home.stat().st_mode & 0o777 == 0o700
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_bench_belongs_to_one_node(dock, bench, capsys):
    home = bench(dock.pharmacy)
    command = ["enrol", "--node", dock.node.url, "--root-key", str(dock.pharmacy.root), "--home", str(home)]
    assert main(command) == 2
    assert "[already-enrolled]" in capsys.readouterr().err


def test_a_root_that_the_node_does_not_know_enrols_nobody(dock, tmp_path, capsys):
    out = tmp_path / "root"
    assert (
        main(
            [
                "root",
                "--party",
                PHARMACY,
                "--name",
                "Not the pharmacy",
                "--node",
                dock.node.url,
                "--out",
                str(out),
            ]
        )
        == 0
    )
    command = [
        "enrol",
        "--node",
        dock.node.url,
        "--root-key",
        str(out / "key.pem"),
        "--home",
        str(tmp_path / "b"),
    ]
    assert main(command) == 2
    assert "key.author" in capsys.readouterr().err


def test_a_bench_that_is_not_enrolled_says_how_to(tmp_path, capsys):
    assert main(["check", "--text", "(00)1", "--home", str(tmp_path / "nowhere")]) == 2
    assert "packproof-scan enrol" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["packproof.example", "ftp://x", "http://node.example", "https://u:p@x", "http://[x"]
)
def test_an_address_that_no_token_may_be_sent_to_is_refused(dock, tmp_path, capsys, address):
    command = ["enrol", "--node", address, "--root-key", str(dock.maker.root), "--home", str(tmp_path / "b")]
    assert main(command) == 2
    assert "[node-address]" in capsys.readouterr().err
