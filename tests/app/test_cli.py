"""``packproof``, run as a person runs it: what it answers, where it complains, and how it ends."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from app.cli import Context, of_system
from tests.support import programs
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.shared import ROOT

GLN = "0399999000017"


@pytest.fixture
def packproof(sqlite_database, tmp_path):
    """Runs the command on a migrated database of its own."""

    def run(*arguments, given="", **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKPROOF_")}
        kept |= {"PACKPROOF_DATABASE_URL": str(sqlite_database.url), "PYTHONPATH": str(ROOT), **environment}
        return programs.run("-m", "app.cli", *arguments, given=given, cwd=tmp_path, env=kept)

    return run


def test_it_starts_by_itself():
    """The other tests fork the command from a process that has loaded it: this one loads it."""
    found = subprocess.run(
        [sys.executable, "-m", "app.cli", "--help"], check=False, capture_output=True, timeout=180
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"\nexample" in found.stdout


def test_help_shows_the_commands_and_examples(packproof):
    for arguments in (
        ["--help"],
        ["user", "--help"],
        ["token", "--help"],
        ["db", "--help"],
        ["serve", "--help"],
    ):
        found = packproof(*arguments)
        assert found.returncode == 0
        assert "example" in found.stdout, arguments


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["db"],
        ["user"],
        ["nonsense"],
        ["user", "add", "mia"],
        ["user", "add", "mia", "--role", "king"],
        ["serve", "--port", "x"],
    ],
)
def test_wrong_usage_ends_with_status_2(packproof, arguments):
    assert packproof(*arguments).returncode == 2


def test_a_usage_error_is_one_line(packproof):
    found = packproof("user", "add", "mia")
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert "the following arguments are required: --role" in found.stderr


def test_the_schema_goes_up_and_down_and_says_where_it_is(packproof, tmp_path):
    url = f"sqlite:///{tmp_path}/new/node.db"
    before = packproof("db", "current", "--json", PACKPROOF_DATABASE_URL=url)
    assert (before.returncode, json.loads(before.stdout)["current"]) == (1, None)
    assert "packproof db upgrade" in packproof("user", "list", PACKPROOF_DATABASE_URL=url).stderr
    assert packproof("db", "upgrade", PACKPROOF_DATABASE_URL=url).returncode == 0
    after = json.loads(packproof("db", "current", "--json", PACKPROOF_DATABASE_URL=url).stdout)
    assert after["fits"] is True
    assert "as before" in packproof("db", "upgrade", PACKPROOF_DATABASE_URL=url).stdout
    assert (
        packproof("db", "downgrade", "base", PACKPROOF_DATABASE_URL=url).stdout
        == "The schema is at nothing.\n"
    )


def test_people_are_added_listed_given_passwords_and_disabled(packproof):
    added = packproof(
        "user", "add", "mia", "--role", "pharmacist", "--gln", GLN, given="a long walk by the sea\n"
    )
    assert (added.returncode, added.stdout) == (0, "mia may sign in as pharmacist.\n")
    assert f"no party on this node has GLN {GLN}" in added.stderr, "a GLN mistyped sees nothing"
    assert f"packproof party add {GLN} --name NAME --kind KIND\n" in added.stderr
    made = json.loads(
        packproof(
            "user", "add", "ines", "--role", "inspector", "--expires", "30d", "--generate", "--json"
        ).stdout
    )
    assert len(made["password"]) == 20
    assert (
        packproof("user", "password", "mia", "--password-stdin", given="another walk home\n").returncode == 0
    )
    assert packproof("user", "disable", "mia").returncode == 0
    listed = json.loads(packproof("user", "list", "--json").stdout)
    assert [(user["name"], user["state"].split()[0]) for user in listed] == [
        ("ines", "until"),
        ("mia", "disabled"),
    ]


def test_a_refusal_is_one_line_with_the_next_step_and_status_1(packproof):
    found = packproof(
        "user",
        "add",
        "mia",
        "--role",
        "pharmacist",
        "--gln",
        "0399999000018",
        given="a long walk by the sea\n",
    )
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert "check digit is 7" in found.stderr
    as_json = packproof("user", "disable", "nobody", "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stderr)["code"] == "not_found"


def test_what_strangers_wrote_cannot_move_the_cursor(packproof, capsys):
    """Names, labels and what another node answers are shown as they came, but for what steers a terminal."""
    refused = packproof("user", "disable", "mia\x1b[2J\x1b[HDone.\u202e")
    assert refused.returncode == 1
    assert not set(refused.stderr) & {"\x1b", "\u202e"}
    Context(as_json=False).show({}, "a\x1b[2Jb\u202e\r\n\tc")
    assert capsys.readouterr().out == "a\ufffd[2Jb\ufffd\ufffd\n\tc\n"


def test_a_token_is_printed_once_alone_on_standard_output(packproof):
    made = packproof("token", GLN, "--name", "erp", "--expires", "365d")
    assert re.fullmatch(r"pp_[a-z2-7]{52}\n", made.stdout)
    listed = packproof("token", GLN, "--list")
    assert made.stdout.strip() not in listed.stdout
    token_id = listed.stdout.split()[0]
    assert packproof("token", GLN, "--revoke", token_id).returncode == 0
    assert "revoked" in packproof("token", GLN, "--list").stdout


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PACKPROOF_DATABSE_URL": "x"}, "PACKPROOF_DATABSE_URL: no such setting"),
        ({"PACKPROOF_ENVIRONMENT": "production"}, "PACKPROOF_SECRET_KEY: production refuses"),
        ({"PACKPROOF_DATABASE_URL": "mysql://x"}, "a mysql database is not supported"),
        (
            {"PACKPROOF_DATABASE_URL": "postgresql://me:hush@127.0.0.1:1/x"},
            "the database does not do as asked",
        ),
    ],
)
def test_wrong_settings_are_one_line_without_secrets(packproof, environment, words):
    found = packproof("user", "list", **environment)
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert words in found.stderr
    assert "hush" not in found.stderr


def test_the_server_answers_with_two_workers_and_stops_when_told(sqlite_database, tmp_path):
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKPROOF_")}
    kept |= {"PACKPROOF_DATABASE_URL": str(sqlite_database.url), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", "2"]
    server = subprocess.Popen(command, cwd=tmp_path, env=kept, stderr=subprocess.PIPE, text=True)
    try:
        assert answer(port).keys() == {"schema", "status"}
        for _ in range(20):
            assert answer(port)["status"] == "ok"
    finally:
        server.terminate()
        _, complaints = server.communicate(timeout=PATIENCE_S)
    assert f"Serving on http://127.0.0.1:{port}" in complaints
    assert "Traceback" not in complaints
    assert list(tmp_path.glob("*.ctl")) == []


def test_a_port_that_is_taken_is_told_before_the_server_starts(packproof):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = packproof("serve", "--port", str(port))
        witness = ("ledger", "witness", "--data", "w", "--name", "w.example/1", "--port", str(port))
        for each in (found, packproof(*witness)):
            said = f"packproof: Port {port} is taken by another program; Take another with --port\n"
            assert (each.returncode, each.stdout, each.stderr) == (1, "", said)
    for arguments in (("--host", "192.0.2.1"), ("--port", "70000")):
        found = packproof("serve", *arguments)
        assert found.returncode == 1
        assert "cannot be listened on" in found.stderr and "Traceback" not in found.stderr


def test_a_witness_that_follows_nobody_says_so(packproof):
    found = packproof("ledger", "witness", "--data", "w", "--name", "w.example/1")
    assert "follows no log and cosigns nothing: give --policy FILE or --add VKEY" in found.stdout


def test_a_folder_that_is_not_there_is_named_and_no_file_that_nobody_knows(tmp_path):
    def said(name):
        return of_system(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name))

    gone = tmp_path / "gone"
    assert said(str(gone / ".x.new")) == f"{gone}: there is no such folder"
    assert said(gone) == f"{gone}: No such file or directory"
    assert of_system(OSError("broken")) == "input: broken"


def answer(port):
    """What ``/healthz`` answers, once it does."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S) as response:
                return json.load(response)
        except OSError:
            assert time.monotonic() < give_up, "the server did not answer"
            time.sleep(0.1)
