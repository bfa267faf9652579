"""``packproof ledger recover`` as an operator runs it, against benches' files and a witness that answers over HTTP."""

import http.server
import json
import threading
from hashlib import sha256

import pytest

from app import wiring
from app.cli import main
from app.config import Settings
from ledger.log.mark import MarkFile
from ledger.log.note import COSIGNATURE, NoteVerifier

ORIGIN = "packproof.example/recover"


class Operator:
    """Runs commands on a node of their own."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *arguments, fails=0):
        status = main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert status == fails, out + err
        return out + err

    def json(self, *arguments, fails=0):
        status = main([*(str(argument) for argument in arguments), "--json"])
        out, err = self._capsys.readouterr()
        assert status == fails, out + err
        return json.loads(out or err)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", f"sqlite:///{tmp_path / 'node' / 'packproof.db'}")
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(tmp_path / "node"))
    monkeypatch.setenv("PACKPROOF_LEDGER_ORIGIN", ORIGIN)
    operator = Operator(capsys)
    operator("init")
    return operator


@pytest.fixture
def bench(run, tmp_path):
    """A bench's `trust.json` over the node's present head."""
    services = wiring.build(Settings.from_env())
    note = services.node.checkpoint()
    services.database.dispose()
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"v": 1, "log": "x", "note": note.decode(), "refused": None}))
    return path


@pytest.fixture
def witness():
    """Serves what `pages` holds by path."""
    pages = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", pages
        server.shutdown()
        thread.join()


def page(origin=ORIGIN):
    return f"/{sha256(origin.encode()).hexdigest()}/checkpoint"


def test_a_healthy_node_has_nothing_to_recover(run):
    found = run.json("ledger", "recover")
    assert (found["verdict"], found["written"]) == ("fine", False)
    assert "Nothing is to be done" in run("ledger", "recover")


def test_a_lost_mark_is_led_back_by_a_benchs_file(run, bench, tmp_path):
    mark = tmp_path / "node" / "mark"
    before = mark.read_bytes()
    mark.unlink()
    assert "There is no mark" in run("ledger", "recover", fails=1)
    assert run.json("ledger", "recover", "--yes", fails=1)["verdict"] == "nobody-asked"
    tried = run.json("ledger", "recover", "--checkpoint", bench)
    assert (tried["verdict"], tried["written"]) == ("mark-to-write", False)
    assert not mark.exists()
    said = run("ledger", "recover", "--checkpoint", bench, "--yes")
    assert "Restart the node" in said
    assert mark.read_bytes() == before
    assert run.json("ledger", "recover")["verdict"] == "fine"


def test_whoever_vouches_that_nobody_else_saw_a_head_may_go_on_alone(run, tmp_path):
    (tmp_path / "node" / "mark").unlink()
    assert run.json("ledger", "recover", "--alone", "--yes")["written"] is True
    assert MarkFile(tmp_path / "node" / "mark").read().origin == ORIGIN


def test_a_restored_database_is_refused_whatever_is_asked_for(run, bench, tmp_path):
    mark, database = tmp_path / "node" / "mark", tmp_path / "node" / "packproof.db"
    mark.unlink()
    database.unlink()
    for name in ("packproof.db-wal", "packproof.db-shm"):
        (tmp_path / "node" / name).unlink(missing_ok=True)
    run("db", "upgrade")
    services = wiring.build(Settings.from_env())
    services.node.ledger.create()
    services.database.dispose()
    found = run.json("ledger", "recover", "--checkpoint", bench, "--alone", "--yes", fails=1)
    assert (found["verdict"], found["written"], found["new_mark"]) == ("entries-lost", False, None)
    assert "NEW origin" in found["next"]
    assert not mark.exists()


def test_a_witness_is_asked_and_one_that_is_silent_is_not_passed_over(run, bench, witness, tmp_path):
    url, pages = witness
    (tmp_path / "node" / "mark").unlink()
    pages[page()] = (200, json.loads(bench.read_text())["note"].encode())
    silent = "http://127.0.0.1:9"
    assert run.json("ledger", "recover", "--witness", url)["verdict"] == "mark-to-write"
    both = ("ledger", "recover", "--witness", url, silent, "--yes")
    found = run.json(*both, fails=1)
    assert found["written"] is False and found["silent"][0].startswith(silent)
    assert run.json(*both, "--without-witnesses")["written"] is True


def test_the_witnesses_that_the_node_is_configured_with_are_asked_unbidden(
    run, bench, witness, tmp_path, monkeypatch
):
    url, pages = witness
    key = NoteVerifier("w.example", bytes(range(32)), COSIGNATURE)
    (tmp_path / "witnesses.txt").write_text(f"witness w {key} {url}\nquorum none\n")
    monkeypatch.setenv("PACKPROOF_WITNESSES", str(tmp_path / "witnesses.txt"))
    pages[page()] = (200, json.loads(bench.read_text())["note"].encode())
    (tmp_path / "node" / "mark").unlink()
    found = run.json("ledger", "recover", "--yes")
    assert found["written"] is True
    assert found["heads"][-1]["source"] == f"the witness {url}"


@pytest.mark.parametrize("answer", [(404, b""), (500, b"x"), (200, b"x" * 300_000)])
def test_a_witness_that_has_nothing_to_say_is_no_witness(run, witness, answer, tmp_path):
    url, pages = witness
    pages[page()] = answer
    (tmp_path / "node" / "mark").unlink()
    found = run.json("ledger", "recover", "--witness", url, "--yes", fails=1)
    assert found["verdict"] == "nobody-asked"
    assert bool(found["silent"]) is (answer[0] != 404)


def test_a_witness_that_answers_with_anothers_note_stops_it(run, witness, tmp_path):
    url, pages = witness
    pages[page()] = (200, b"nonsense")
    (tmp_path / "node" / "mark").unlink()
    assert "It cannot be compared" in run("ledger", "recover", "--witness", url, "--yes", fails=1)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"note": 1}', b'{"entries": [{}]}', b"{" * 50_000, b"\xff"]
)
def test_a_file_without_a_checkpoint_is_named(run, tmp_path, content):
    path = tmp_path / "kept"
    path.write_bytes(content)
    assert str(path) in run("ledger", "recover", "--checkpoint", path, fails=1)
    assert "absent" in run("ledger", "recover", "--checkpoint", tmp_path / "absent", fails=1)
