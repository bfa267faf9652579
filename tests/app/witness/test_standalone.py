"""``packproof ledger witness``: a service of its own, as its users run it."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from app.cli import main
from app.errors import AppError
from app.node.keys import is_locked
from app.shared.clock import SystemClock
from app.witness.standalone import Service, Throttle, WitnessFolder, behind
from ledger.log.note import Note, NoteVerifier
from ledger.log.policy import PolicyLog
from ledger.witness.request import parse_answer
from ledger.witness.state import origin_hash
from tests.ledger.witness.history import LOG, ORIGIN, OTHER, note, request
from tests.support import programs
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port


@contextmanager
def serving(tmp_path: Path, **settings: str) -> Iterator[tuple[str, Path]]:
    """A witness that serves, following nobody yet: its address and folder."""
    port, folder = free_port(), tmp_path / "witness"
    command = (
        "-m",
        "app.cli",
        "ledger",
        "witness",
        "--data",
        folder,
        "--name",
        "w.example/1",
        "--port",
        port,
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PACKPROOF_")}
    process = programs.start(*command, cwd=tmp_path, env=environment | settings)
    url = f"http://127.0.0.1:{port}"
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        try:
            requests.get(url, timeout=1)
            break
        except requests.RequestException:
            time.sleep(0.1)
    try:
        yield url, folder
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with serving(tmp_path) as found:
        yield found


def test_it_makes_its_keys_takes_logs_over_while_it_runs_and_cosigns(served: tuple[str, Path]) -> None:
    url, folder = served
    keys = [NoteVerifier.parse(line) for line in requests.get(url, timeout=PATIENCE_S).text.splitlines()]
    assert [key.name for key in keys] == ["w.example/1"] * 2
    assert requests.post(f"{url}/add-checkpoint", data=request(0, 5), timeout=PATIENCE_S).status_code == 404
    assert main(["ledger", "witness", "--data", str(folder), "--add", str(LOG.verifier), "--json"]) == 0
    answer = requests.post(f"{url}/add-checkpoint", data=request(0, 5), timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    parse_answer(answer.content, Note.parse(note(5)), keys)
    conflict = requests.post(f"{url}/add-checkpoint", data=request(0, 9), timeout=PATIENCE_S)
    assert (conflict.status_code, conflict.text, conflict.headers["Content-Type"]) == (
        409,
        "5\n",
        "text/x.tlog.size",
    )
    assert (
        requests.post(f"{url}/add-checkpoint", data=request(5, 9, OTHER), timeout=PATIENCE_S).status_code
        == 422
    )
    assert len(list((folder / "conflicts").iterdir())) == 1
    shown = requests.get(f"{url}/{origin_hash(ORIGIN)}/checkpoint", timeout=PATIENCE_S)
    assert len(Note.parse(shown.content).verify(keys)) == 2
    assert requests.get(f"{url}/add-checkpoint", timeout=PATIENCE_S).status_code == 405
    for path in ("/keys/witness.pem", f"/{'0' * 64}/checkpoint", "/../keys/checkpoint", "/heads"):
        assert requests.get(url + path, timeout=PATIENCE_S).status_code == 404
    # Chunks of unknown length too are read only so far.
    endless = (b"x" * 65536 for _ in range(100))
    with suppress(requests.ConnectionError):  # it may hang up before all of it was sent
        assert requests.post(f"{url}/add-checkpoint", data=endless, timeout=PATIENCE_S).status_code == 400


def test_a_folder_keeps_its_name_and_its_logs(tmp_path: Path) -> None:
    folder = WitnessFolder.made(tmp_path / "w", "w.example/1")
    assert folder.follow([PolicyLog(LOG.verifier)]) == 1
    assert WitnessFolder.made(tmp_path / "w", None).follow([PolicyLog(LOG.verifier)]) == 0
    assert folder.keys == WitnessFolder.opened(tmp_path / "w").keys
    for path, name in ((tmp_path / "w", "w.example/2"), (tmp_path / "x", None), (tmp_path / "x", "a b")):
        with pytest.raises(AppError):
            WitnessFolder.made(path, name)


def test_its_keys_are_locked_and_opened_by_the_passphrase_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "witness"
    secret.write_text("correct horse\n")

    def said(*words: object) -> tuple[int, dict[str, object]]:
        status = main(["ledger", *map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert "correct horse" not in out + err
        return status, json.loads(out or err)

    def in_clear() -> list[str]:
        return sorted(path.name for path in folder.glob("keys/*.pem") if not is_locked(path.read_bytes()))

    status, made = said("witness", "--data", folder, "--name", "w.example/1")
    assert (status, in_clear()) == (0, ["witness-mldsa.pem", "witness.pem"])
    assert said("lock-keys", "--witness", folder)[1]["code"] == "node.passphrase"
    monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE_FILE", str(secret))
    status, told = said("witness", "--data", folder)
    assert (status, told["code"]) == (1, "witness.key"), "keys in clear are not believed locked"
    assert "lock-keys" in str(told["next"])
    assert said("lock-keys", "--witness", folder) == (0, {"locked": ["witness-mldsa.pem", "witness.pem"]})
    assert said("lock-keys", "--witness", folder) == (0, {"locked": []})
    assert said("witness", "--data", folder, "--add", LOG.verifier)[1]["keys"] == made["keys"]
    monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE_FILE", "")
    for other in ("", "battery staple"):
        monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE", other)
        assert said("witness", "--data", folder)[1]["code"] == "witness.key"
    # As a service: the process that answers opens them by the same setting.
    with serving(tmp_path, PACKPROOF_KEY_PASSPHRASE_FILE=str(secret)) as (url, served_folder):
        assert served_folder == folder
        assert requests.get(url, timeout=10).text.splitlines() == made["keys"]
        answer = requests.post(f"{url}/add-checkpoint", data=request(0, 5), timeout=10)
        assert answer.status_code == 200, answer.text
    # A new one never lies in clear.
    new = WitnessFolder.made(tmp_path / "new", "w.example/2", lambda: b"correct horse")
    assert len(new.keys) == 2
    assert all(is_locked(path.read_bytes()) for path in (tmp_path / "new").glob("keys/*.pem"))


def test_an_address_that_asks_too_often_waits(tmp_path: Path) -> None:
    times = [0.0]
    throttle = Throttle(3, lambda: times[0])
    assert [throttle.passes("a") for _ in range(4)] == [True, True, True, False]
    assert throttle.passes("b")
    times[0] = 61.0
    assert throttle.passes("a")

    service = Service(WitnessFolder.made(tmp_path / "w", "w.example/1"), SystemClock(), 1)
    told: list[str] = []
    for _ in range(2):
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/add-checkpoint",
            "REMOTE_ADDR": "10.0.0.1",
            "wsgi.input": BytesIO(b"nothing"),
        }
        service(environ, lambda status, headers: told.append(status))
    assert told == ["400 Bad Request", "429 Too Many Requests"]


def test_whoever_has_a_network_has_one_share() -> None:
    throttle = Throttle(2, lambda: 0.0)
    assert [throttle.passes(f"2001:db8:0:7::{n:x}") for n in range(3)] == [True, True, False]
    assert throttle.passes("2001:db8:0:8::1")
    assert [throttle.passes(address) for address in ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1")] == [
        True, True, False,
    ]  # fmt: skip
    assert throttle.passes("192.0.2.2")
    assert throttle.passes("::ffff:192.0.2.2")
    assert len(throttle) == 4


def test_many_addresses_take_neither_memory_nor_time() -> None:
    """However many ask, no more are remembered than there is room for, and a request looks at two of them."""
    times = [0.0]
    throttle = Throttle(2, lambda: times[0], addresses=100)
    for n in range(500):
        assert throttle.passes(f"10.0.{n // 256}.{n % 256}")
        assert throttle.passes("192.0.2.1") == (n < 2)  # who goes on asking is not forgotten among them
        assert len(throttle) <= 100
    times[0] = 61.0
    left = [len(throttle)]
    for n in range(60):
        assert throttle.passes(f"192.0.2.{n + 1}")
        left.append(len(throttle))
    assert min(after - before for before, after in pairwise(left)) >= -2
    assert left[-1] == 60, "those of the last minute alone"


def test_behind_a_proxy_it_is_the_callers_address_that_counts(tmp_path: Path) -> None:
    made = WitnessFolder.made(tmp_path / "w", "w.example/1")

    def asked(app: object, *forwarded: str) -> list[str]:
        told: list[str] = []
        for each in forwarded:
            environ = {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": "/add-checkpoint",
                "REMOTE_ADDR": "127.0.0.1",
                "HTTP_X_FORWARDED_FOR": each,
                "wsgi.input": BytesIO(b"nothing"),
            }
            app(environ, lambda status, headers: told.append(status[:3]))
        return told

    # One caller does not lock another out; and none gets more by writing addresses before the proxy's own word.
    one = behind(Service(made, SystemClock(), 1), 1)
    assert asked(one, "192.0.2.1", "192.0.2.2", "192.0.2.1") == ["400", "400", "429"]
    assert asked(one, "198.51.100.9, 192.0.2.1", "198.51.100.8, 192.0.2.2") == ["429", "429"]
    two = behind(Service(made, SystemClock(), 1), 2)
    assert asked(two, "192.0.2.1, 10.0.0.1", "192.0.2.2, 10.0.0.1", "9.9.9.9, 192.0.2.1, 10.0.0.1") == [
        "400",
        "400",
        "429",
    ]
    # Nothing is believed where no proxy is said to stand.
    none = behind(Service(made, SystemClock(), 1), 0)
    assert asked(none, "192.0.2.1", "192.0.2.2") == ["400", "429"]
