"""Time stamps of checkpoints by a real authority: `openssl ts` behind a small server of its own."""

import http.server
import os
import shutil
import subprocess
import threading

import pytest

from app import wiring
from app.config import Settings
from app.log import audit
from app.log.models import time_stamp
from app.shared.auditing import AuditContext
from ledger.log.checkpoint import SignedCheckpoint
from ledger.store.findings import FsckReport
from ledger.store.sql.reader import SqlReader
from tests.app.log.test_recover import run  # noqa: F401 - a fixture
from tests.support.crook import flipped, tamper
from tests.support.patience import PATIENCE_S

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[req]
distinguished_name = name
[name]
"""


def openssl(*words, **kwargs):
    return subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, check=True, timeout=PATIENCE_S, **kwargs
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority's certificates and what `openssl ts` needs."""
    if shutil.which("openssl") is None:
        assert os.environ.get("CI") != "true", "openssl is missing: apt-get install openssl"
        pytest.skip("openssl is missing: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "ts.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    config = ("-config", folder / "ts.cnf")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
    for name in ("root", "other"):
        openssl("req", "-x509", *key, *config, "-subj", f"/CN={name}", "-extensions", "root",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")  # fmt: skip
    openssl(
        "req",
        *key[:-2],
        *config,
        "-subj",
        "/CN=tsa",
        "-keyout",
        folder / "tsa.key",
        "-out",
        folder / "tsa.csr",
    )
    openssl("x509", "-req", "-in", folder / "tsa.csr", "-CA", folder / "root.pem", "-CAkey", folder / "root.key",
            "-days", "30", "-set_serial", "7", "-extfile", folder / "ts.cnf", "-extensions", "stamping",
            "-out", folder / "tsa.pem")  # fmt: skip
    return folder


@pytest.fixture
def server(authority):
    """The authority over HTTP; `answers` replaces what it says where something is in it."""
    answers, asked = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["content-length"]))
            asked.append(query)
            assert self.headers["content-type"] == "application/timestamp-query"
            (authority / "query").write_bytes(query)
            status, body = answers.pop() if answers else (200, None)
            if body is None:
                body = openssl(
                    "ts", "-reply", "-config", authority / "ts.cnf", "-queryfile", authority / "query"
                ).stdout
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/tsa", answers, asked
        listening.shutdown()
        thread.join()


@pytest.fixture
def node(run, server, authority, monkeypatch):  # noqa: F811
    """A node that is configured with the authority, at the command line."""
    monkeypatch.setenv("PACKPROOF_TSA_URL", server[0])
    monkeypatch.setenv("PACKPROOF_TSA_CERTIFICATES", str(authority / "root.pem"))
    return run


def test_a_checkpoint_is_stamped_once_a_day_and_openssl_agrees(node, server, authority, tmp_path):
    made = node.json("ledger", "timestamp", "-o", tmp_path / "stamp")
    assert (made["new"], made["size"]) == (True, 2)
    again = node.json("ledger", "timestamp")
    assert again == {**made, "new": False, "files": []}
    assert len(server[2]) == 1
    assert node.json("ledger", "timestamp", "--force")["new"] is True
    note = (tmp_path / "stamp.note").read_bytes()
    services = wiring.build(Settings.from_env())
    SignedCheckpoint.open(note, [services.node.note_verifier])
    services.database.dispose()
    agreed = openssl("ts", "-verify", "-data", tmp_path / "stamp.note", "-in", tmp_path / "stamp.tsr",
                     "-CAfile", authority / "root.pem")  # fmt: skip
    assert b"OK" in agreed.stdout
    assert node.json("ledger", "timestamp", "--show")["new"] is False


def test_an_answer_by_an_authority_that_is_not_trusted_is_not_kept(node, authority, monkeypatch):
    monkeypatch.setenv("PACKPROOF_TSA_CERTIFICATES", str(authority / "other.pem"))
    assert "does not verify" in node("ledger", "timestamp", fails=1)
    assert "no time stamp yet" in node("ledger", "timestamp", "--show", fails=1)


@pytest.mark.parametrize("answer", [(200, b""), (200, b"nonsense"), (500, b""), (200, b"x" * 300_000)])
def test_what_is_no_time_stamp_is_not_kept(node, server, answer):
    server[1].append(answer)
    assert "The time" in node("ledger", "timestamp", fails=1)
    assert "no time stamp yet" in node("ledger", "timestamp", "--show", fails=1)


def test_an_answer_to_another_question_is_not_kept(node, server, authority, tmp_path):
    (tmp_path / "data").write_bytes(b"another note")
    query = openssl("ts", "-query", "-data", tmp_path / "data", "-sha256", "-cert").stdout
    (authority / "query").write_bytes(query)
    reply = openssl("ts", "-reply", "-config", authority / "ts.cnf", "-queryfile", authority / "query").stdout
    server[1].append((200, reply))
    assert "does not verify" in node("ledger", "timestamp", fails=1)


def test_without_settings_it_says_which(run):  # noqa: F811
    told = run("ledger", "timestamp", fails=1)
    assert "PACKPROOF_TSA_URL and PACKPROOF_TSA_CERTIFICATES are empty" in told


def findings():
    services = wiring.build(Settings.from_env())
    report = FsckReport()
    with services.database.snapshot() as connection:
        reader = SqlReader(connection, services.node.origin)
        audit.check(
            AuditContext(connection, reader, report, services.node.origin, services.settings.data_dir)
        )
    services.database.dispose()
    return [(found.table, found.key, found.column) for found in report.findings]


def test_the_audit_names_each_column_that_was_changed(node):
    node("ledger", "timestamp")
    assert findings() == []
    services = wiring.build(Settings.from_env())
    with services.database.reading() as connection:
        row = connection.execute(time_stamp.select()).one()
    changes = {
        "at": int(row.at.timestamp() * 10**6) + 1,
        "size": 1,
        "note": flipped(bytes(row.note), 40),
        "response": flipped(bytes(row.response), len(row.response) - 5),
        "certificates": b"",
    }
    kept = {
        "at": int(row.at.timestamp() * 10**6),
        "size": row.size,
        "note": row.note,
        "response": row.response,
        "certificates": row.certificates,
    }
    for column, value in changes.items():
        tamper(services.database, f"UPDATE time_stamp SET {column} = ?", [value])
        assert ("time_stamp", "1", column) in findings(), column
        tamper(services.database, f"UPDATE time_stamp SET {column} = ?", [kept[column]])
    assert findings() == []
    services.database.dispose()
