"""`packproof evidence` as it is typed: what it writes, what it says of it, and how it refuses."""

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli import main
from app.shared.actor import Role
from ledger.__main__ import main as packproof_verify
from ledger.evidence.verify import verify
from ledger.log.encoding import to_base64
from ledger.log.note import COSIGNATURE, NoteVerifier
from ledger.signing.remains import encode, openings
from tests.support.app import OPERATOR
from tests.support.crook import flipped, tamper
from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT
from tests.support.trade import Trade
from tests.support.world import GTIN, MAKER, WHOLESALER, package

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PACK, OTHER = package(21), package(22)


@pytest.fixture
def trade(sqlite_trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Trade:
    """A node on which the maker has made two packages, signed, and to which the command line belongs."""
    trade = sqlite_trade
    made = replace(trade.begun(21, 22), extensions=(("http://maker.example/ns#note", '"keep cool"'),))
    assert trade.post_signed(trade.document(made)).status_code == 201
    settings = trade.node.services.settings
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("PACKPROOF_LEDGER_ORIGIN", settings.ledger_origin)
    return trade


def carried(page: Path) -> bytes:
    """The evidence file within a page."""
    [text] = re.findall(
        r'<script type="text/plain" id="evidence">([^<]*)</script>', page.read_text(encoding="utf-8")
    )
    return base64.b64decode(text, validate=True)


def test_file_and_page_carry_the_same_and_the_text_says_what_is_in_it(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "e.json", tmp_path / "e.html"
    assert main(["evidence", PACK, "-o", str(file), "--html", str(page)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"{file} and {page}: {file.stat().st_size} bytes of evidence about {PACK}",
        "shown   1 event",
        "hidden  no field; other packages' numbers always are",
        f"Anybody checks it with: packproof-verify {file} (or python -m ledger verify {file})",
        f"Anybody opens {page} in a browser: it checks itself, without network.",
    ]
    data = file.read_bytes()
    assert carried(page) == data
    assert verify(data).events[0].one["bizStep"] == "commissioning"
    assert OTHER.encode() not in data
    assert packproof_verify([str(file)]) == 0
    assert "keep cool" in capsys.readouterr().out


def test_verifier_and_page_judge_by_the_policy_that_the_node_prints(
    trade: Trade, browser: "Browser", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "e.json", tmp_path / "e.html"
    policy, both = tmp_path / "policy", tmp_path / "both"
    assert main(["evidence", PACK, "-o", str(file), "--html", str(page)]) == 0
    assert main(["ledger", "policy", "-o", str(policy)]) == 0
    assert main(["ledger", "policy", "--mldsa", "-o", str(both)]) == 0
    made_for = sha256(policy.read_bytes()).hexdigest()
    assert trade.client.get("/ledger/policy").data == policy.read_bytes()
    assert json.loads(file.read_bytes())["policy"] == made_for
    capsys.readouterr()
    for given, said in (
        ([], "you check with none"),
        (["--policy", str(policy)], "the one you check with"),
        (["--policy", str(both)], "which is not the one you check with"),
    ):
        assert packproof_verify([str(file), *given]) == 0
        told = capsys.readouterr().out
        assert f"     made for policy      {made_for}\n{'':26}{said}\n" in told
    assert "named by your policy" in told
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.goto(page.as_uri())
    opened.set_input_files("#other", policy)
    opened.locator("#facts", has_text="the ledger's key is named by your policy").wait_for()
    assert opened.inner_text("#word") == "Accepted"
    facts = opened.inner_text("#facts")
    assert made_for in facts and "the one you check with" in facts
    opened.set_input_files("#other", both)
    opened.wait_for_selector('body[data-verdict="cannot-judge"]')
    assert "by ML-DSA-44 it cannot check: use packproof-verify" in opened.inner_text("#why")
    context.close()


def test_it_can_be_made_for_the_readers_own_policy_if_that_accepts_it(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, policy = tmp_path / "e.json", tmp_path / "policy"
    assert main(["ledger", "policy", "-o", str(policy)]) == 0
    policy.write_bytes(b"# ours\n" + policy.read_bytes())
    assert main(["evidence", PACK, "-o", str(file), "--policy", str(policy)]) == 0
    assert json.loads(file.read_bytes())["policy"] == sha256(policy.read_bytes()).hexdigest()
    assert packproof_verify([str(file), "--policy", str(policy)]) == 0
    assert "          the one you check with\n" in capsys.readouterr().out
    file.unlink()
    witness = NoteVerifier("w.example", bytes(32), COSIGNATURE)
    asking = policy.read_text().replace("quorum none", f"witness w {witness}\nquorum w")
    for refused in (asking, "quorum none\n", "nonsense"):
        policy.write_text(refused)
        assert main(["evidence", PACK, "-o", str(file), "--policy", str(policy), "--json"]) == 1
        assert json.loads(capsys.readouterr().err)["code"] == "evidence.policy"
        assert not file.exists()


def test_a_page_alone_names_no_file_and_says_what_a_reader_is_not_shown(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "e.html"
    assert main(["evidence", PACK, "--html", str(page), "--profile", "regulator"]) == 0
    told = capsys.readouterr().out
    assert "hidden  ext/http://maker.example/ns#note\n" in told
    assert "packproof-verify" not in told
    shown = verify(carried(page)).events[0]
    assert shown.hidden == 1
    assert not any(path.startswith("ext/") for path in shown.one)


def test_programs_get_the_same_as_data(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "e.json"
    assert main(["evidence", PACK, "-o", str(file), "--for", MAKER, "--hide", "lotNumber", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["file"] == str(file)
    assert value["page"] is None
    assert (value["for"], value["events"], value["unnamed"], value["left_out"]) == (MAKER, 1, 0, 0)
    [hidden] = value["hidden"]
    assert [path.rpartition("#")[2] for path in hidden["paths"]] == ["lotNumber"]
    assert value["bytes"] == file.stat().st_size


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([PACK], "evidence.file"),
        ([PACK, "--show", "nonsense"], "evidence.field"),
        ([PACK, "--hide", "eventTime"], "evidence.field"),
        ([PACK, "--for", WHOLESALER], "not_found"),
        (["nonsense"], "epc.invalid"),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_code_and_nothing_is_written(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    file = tmp_path / "e.json"
    output = [] if code == "evidence.file" else ["-o", str(file)]
    assert main(["evidence", *words, *output, "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["code"] == code
    assert not file.exists()


def test_that_it_was_taken_is_in_the_audit_trail(trade: Trade, tmp_path: Path) -> None:
    assert main(["evidence", PACK, "-o", str(tmp_path / "e.json")]) == 0
    with trade.node.services.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT action, subject FROM audit_trail").all()
    assert ("evidence.export", PACK) in [tuple(row) for row in rows]


def test_who_reads_only_the_beginning_is_not_told_of_a_broken_pipe(trade: Trade) -> None:
    ready, unread = os.pipe()
    os.close(ready)
    command = [sys.executable, "-m", "app.cli", "ledger", "entry", "0"]
    try:
        found = subprocess.run(
            command, cwd=ROOT, stdout=unread, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S
        )
    finally:
        os.close(unread)
    assert (found.returncode, found.stderr) == (141, b"")


def test_a_damaged_seed_is_told_with_its_entry_whoever_asks_for_evidence(
    trade: Trade, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = trade.node.services
    with services.database.reading() as connection:
        index, event_id = connection.exec_driver_sql("SELECT idx, event_id FROM event").one()
        seed = bytes(connection.exec_driver_sql(f"SELECT seed FROM seed WHERE idx = {index}").scalar_one())
    inspector = trade.node.signed_in_as(Role.INSPECTOR)
    data = to_base64(f"01{GTIN}2121".encode())
    scan = {"data": data, "symbology": "]d2", "known_size": 0, "evidence": True}

    def told(kept: bytes, detail: str) -> None:
        assert tamper(services.database, f"UPDATE seed SET seed = ? WHERE idx = {index}", [kept]) == 1
        capsys.readouterr()
        assert main(["evidence", PACK, "-o", str(tmp_path / "e.json")]) == 1
        shown = capsys.readouterr().err
        assert detail in shown and "packproof fsck" in shown
        page = inspector.get("/inspector/evidence", query_string={"epc": PACK})
        assert page.status_code == 503 and detail in unescape(page.text)
        answer = trade.client.post("/verification/checks", json=scan, headers=trade.bearer)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "evidence.damaged")
        assert answer.get_json()["detail"].startswith(detail)

    root = f"Entry {index}: document, seed and records do not give the root that was signed"
    broken = f"The seed of entry {index} is damaged: "
    told(b"\x01" + seed, broken)
    told(seed[:5], broken)
    told(flipped(seed, 0), root)
    assert tamper(services.database, f"UPDATE seed SET seed = ? WHERE idx = {index}", [seed]) == 1
    services.redactions.redact(event_id, None, "GDPR Art. 17(1)(a)", OPERATOR)
    with services.database.reading() as connection:
        left = bytes(connection.exec_driver_sql(f"SELECT seed FROM seed WHERE idx = {index}").scalar_one())
    told(flipped(left, 0), broken)
    told(flipped(left, len(left) - 1), root)
    fewer = encode(openings(left, int.from_bytes(left[1:5], "big"))[:-1])
    told(fewer, f"What is kept of entry {index} cannot be used: what is left of the seed is for ")
