"""A key's whole life at the command line, and in several processes, against a node that runs."""

import io
import json
import subprocess
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from app.cli import main
from app.devices import service as devices
from ledger.__main__ import main as verify
from ledger.log.entry import Entry
from ledger.signing.client import KeyFolder
from ledger.signing.envelope import Envelope
from ledger.signing.keylife import end_key
from ledger.signing.keyrecord import Action
from tests.app.devices.keys import another, audit, known, parked, root
from tests.support import programs
from tests.support.live import LiveNode, closing_database
from tests.support.patience import PATIENCE_S
from tests.support.token import Token
from tests.support.trade import Trade
from tests.support.world import MAKER, package


@pytest.fixture
def trade_document(tmp_path: Path):
    """Writes the document in which the maker commissions a package; its path."""

    def write(number: int) -> Path:
        path = tmp_path / f"begun-{number}.json"
        path.write_bytes(Trade.document(None, Trade.begun(None, number)))  # type: ignore[arg-type]
        return path

    return write


def packproof(*words: object) -> tuple[int, object, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(word) for word in (*words, "--json")])
    text = out.getvalue() or err.getvalue()
    return status, json.loads(text) if text.strip() else None, err.getvalue()


def test_the_whole_life_at_the_command_line(live_node: LiveNode, tmp_path: Path, trade_document) -> None:
    maker = live_node.party(MAKER, "North Pharma", "maker")
    at = ("--node", live_node.url)
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    status, key, _ = packproof(
        "key", "make", "--key", maker.root, "--new", tmp_path / "mia", "--label", "Mia", "--role", "person",
        "--new-passphrase-file", secret, *at,
    )  # fmt: skip
    assert (status, key["state"], key["role"]) == (0, "valid", "person")
    assert b"ENCRYPTED" in (tmp_path / "mia" / "key.pem").read_bytes()
    first = trade_document(1)
    status, told, _ = packproof("capture", first, "--key", maker.device, *at)
    assert status == 0, told
    thumb = KeyFolder.open(maker.device).thumbprint.hex()
    status, key, _ = packproof("key", "revoke", thumb[:16], "--key", maker.root, *at)
    assert (status, key["state"]) == (0, "revoked")
    for number in (2, 3):
        status, told, _ = packproof("capture", trade_document(number), "--key", maker.device, *at)
        assert (status, told["code"]) == (1, "capture.parked")
    status, rows, _ = packproof("key", "parked", "--key", maker.device, "--out", tmp_path / "late")
    assert [row["seq"] for row in rows] == [2, 3]
    for other in (first, rows[1]["file"]):
        status, told, _ = packproof(
            "capture", other, "--key", tmp_path / "mia", "--passphrase-file", secret,
            "--adopt", rows[0]["leaf"], "--of", maker.device, *at,
        )  # fmt: skip
        assert (status, told["code"]) == (1, "adopt.other_document")
    assert len(packproof("key", "parked", "--key", maker.device)[1]) == 2
    status, told, _ = packproof(
        "capture", rows[0]["file"], "--key", tmp_path / "mia", "--passphrase-file", secret,
        "--adopt", rows[0]["leaf"], "--ref", "ab" * 32, "--of", maker.device, *at,
    )  # fmt: skip
    assert status == 0, told
    status, left, _ = packproof("key", "parked", "--key", maker.device)
    assert [row["seq"] for row in left] == [3], "what was adopted waits no longer"
    status, told, _ = packproof(
        "key", "reject", "--key", tmp_path / "mia", "--passphrase-file", secret, "--of", maker.device,
        "--seq", 3, "--why", "scanned twice", *at,
    )  # fmt: skip
    assert (status, told["seq"]) == (0, 3), told
    assert packproof("key", "parked", "--key", maker.device)[1] == []
    status, keys, _ = packproof("key", "list", "--key", maker.root, *at)
    assert [(key["role"], key["state"]) for key in keys] == [
        ("root", "valid"), ("device", "revoked"), ("person", "valid"),
    ]  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple\n")
    wrong.chmod(0o600)
    status, told, err = packproof("key", "show", "--key", tmp_path / "mia", "--passphrase-file", wrong, *at)
    assert (status, told["code"]) == (1, "client.key-file")
    assert "battery" not in err
    chained = programs.run("-m", "app.cli", "ledger", "chains", "--json", env=live_node.environment())
    found = json.loads(chained.stdout)
    assert [stream["given_up"] for stream in found["streams"]] == [1, 0]
    # Number 2 was adopted under another key's number: the gap stays, and says which entry parked it.
    assert [(each["code"], each["first"], len(each["parked"])) for each in found["findings"]] == [
        ("chain_gap", 2, 1),
        ("ref_unknown", 1, 0),
    ]
    assert chained.returncode == 1
    # Its number can be given up all the same, though it waits no more.
    status, told, _ = packproof(
        "key", "reject", "--key", tmp_path / "mia", "--passphrase-file", secret, "--of", maker.device,
        "--seq", 2, "--why", "adopted", *at,
    )  # fmt: skip
    assert (status, told["seq"]) == (0, 2), told
    packproof("key", "make", "--key", maker.root, "--new", tmp_path / "dock", "--label", "Dock", *at)
    status, told, _ = packproof(
        "key", "rotate", "--key", maker.root, "--old", tmp_path / "dock", "--new", tmp_path / "dock2", *at
    )
    assert (status, told["new"]["state"], told["old"]["state"]) == (0, "valid", "revoked")
    assert len(Envelope.parse(KeyFolder.open(tmp_path / "dock2").registration.envelope).signatures) == 3
    status, told, _ = packproof(
        "key", "rotate", "--key", maker.root, "--old", maker.root, "--new", tmp_path / "root2", *at
    )
    assert (status, told["new"]["state"], told["old"]["state"]) == (0, "valid", "revoked")
    # A person signs along at the device.
    packproof(
        "key", "make", "--key", tmp_path / "root2", "--new", tmp_path / "noa", "--label", "Noa", "--role", "person",
        *at,
    )  # fmt: skip
    along = ("capture", trade_document(4), "--also", tmp_path / "noa")
    assert packproof(*along, "--as", MAKER)[1]["code"] == "usage", "it goes with --key"
    status, told, _ = packproof(*along, "--key", tmp_path / "dock2", *at)
    assert (status, told["signed"]) == (0, True), told
    services = live_node.services()
    with closing_database(services), services.node.ledger.reading() as reader:
        signed = [each.key for each in Entry.decode(reader.entry(told["index"])).signatures]
    assert signed == [KeyFolder.open(tmp_path / name).thumbprint for name in ("dock2", "noa")]
    locked = ("capture", trade_document(5), "--key", tmp_path / "dock2", "--also", tmp_path / "mia", *at)
    assert packproof(*locked)[1]["code"] == "client.key-locked"
    secret.chmod(0o640)
    opened = (*locked, "--also-passphrase-file", secret)
    assert packproof(*opened)[1]["code"] == "client.key-file", "others may read it"
    secret.chmod(0o600)
    status, told, _ = packproof(*opened)
    assert status == 0, told
    with closing_database(services), services.node.ledger.reading() as reader:
        signed = [each.key for each in Entry.decode(reader.entry(told["index"])).signatures]
    assert signed[1] == KeyFolder.open(tmp_path / "mia", b"correct horse").thumbprint
    turned = ("capture", trade_document(6), "--also-passphrase-file", secret, "--also", tmp_path / "mia", *at)
    with pytest.raises(SystemExit), redirect_stderr(io.StringIO()) as said:
        main([str(word) for word in turned])
    assert "goes behind the --also whose key it opens" in said.getvalue()


def test_a_bench_in_a_token_is_believed_by_node_and_verifier(
    live_node: LiveNode, tmp_path: Path, token: Token, trade_document
) -> None:
    maker = live_node.party(MAKER, "North Pharma", "maker")
    at = ("--node", live_node.url)
    status, key, _ = packproof(
        "key", "make", "--key", maker.root, "--new", tmp_path / "hsm", "--label", "Line 9",
        "--token", token.uri("node-line-9"), *at,
    )  # fmt: skip
    assert status == 0, key
    status, told, _ = packproof("capture", trade_document(1), "--key", tmp_path / "hsm", *at)
    assert (status, told["signed"]) == (0, True)
    services = live_node.services()
    data = services.evidence.of_package(package(1), reader=None)
    services.database.dispose()
    (tmp_path / "evidence.json").write_bytes(data)
    out = io.StringIO()
    with redirect_stdout(out):
        assert verify([str(tmp_path / "evidence.json"), "--json"]) == 0
    assert "Line 9" in out.getvalue()


def test_a_stolen_key_signs_no_more_within_the_second_in_another_process(trade, tmp_path):
    """One process takes captures without end, another revokes the key: nothing counts at or above that index."""
    services = trade.node.services
    dock = another(trade, "dock")
    captures, revoked = tmp_path / "captures", tmp_path / "revoked"
    captures.mkdir()
    for number in range(60):
        capture = trade.signed(trade.document(trade.begun(100 + number)), dock)
        (captures / f"{number:04d}.json").write_bytes(capture.encode())
    settings = services.settings
    program = (
        "import json,sys,time; from pathlib import Path; from datetime import timedelta\n"
        "from app import wiring; from app.config import Settings; from app.errors import AppError\n"
        "from ledger.signing.client import SignedCapture\n"
        "s = wiring.build(Settings(environment='test', database_url=sys.argv[1], data_dir=Path(sys.argv[2])))\n"
        "for number, path in enumerate(sorted(Path(sys.argv[3]).iterdir())):\n"
        "    while number >= 40 and not Path(sys.argv[4]).exists(): time.sleep(0.01)\n"
        "    c, began = SignedCapture.parse(path.read_bytes()), time.time()\n"
        "    try: told = s.capture.take_signed(c.envelope, c.seed, c.document, c.content_type).index\n"
        "    except AppError as error: told = error.code\n"
        "    print(json.dumps([told, began]), flush=True)\n"
    )
    running = programs.start(
        *("-c", program, settings.database_url, settings.data_dir, captures, revoked), stdout=subprocess.PIPE
    )
    with running.stdout:
        lines = [json.loads(running.stdout.readline()) for _ in range(5)]
        record = end_key(root(trade), Action.REVOKE, known(dock))
        key = services.keys.apply(record.envelope, record.document, record.seed)
        done = time.time()
        revoked.touch()
        lines += [json.loads(line) for line in running.stdout]
    assert running.wait(PATIENCE_S) == 0
    stand = [index for index, _ in lines if isinstance(index, int)]
    late = [(told, at) for told, at in lines if not isinstance(told, int)]
    assert len(stand) >= 5
    assert len(late) >= 20, "the last twenty were sent once the key was revoked"
    assert max(stand) < key.ended_idx
    assert {told for told, _ in late} == {"capture.parked"}
    assert max(began for told, began in lines if isinstance(told, int)) < done
    with services.database.reading() as connection:
        assert devices.keys(connection, [dock.thumbprint])[dock.thumbprint].state == "revoked"
    assert len(parked(trade)) == len(late)
    trade.sweep()
    assert audit(trade).ok
