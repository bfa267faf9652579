"""`python -m ledger verify` as a stranger runs it: another process, nothing installed but `cryptography`."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.__main__ import main
from ledger.log.encoding import from_json, to_json
from tests.ledger.evidence.world import MAKER, PACK, World, made
from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT

# What may be loaded: the kernel, the standard library, cryptography and the bindings it brings.
_GUARD = """
import sys
allowed = {"ledger", "cryptography", "_cffi_backend", "cffi", "pycparser", "_cryptography"} | sys.stdlib_module_names
class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed:
            raise ImportError(f"{name} is neither of the standard library nor cryptography")
        if top == "ledger" and name.split(".")[1:2] and name.split(".")[1] not in {
            "__main__", "errors", "evidence", "log", "signing"
        }:
            raise ImportError(f"{name} is not for the verifier")
        return None
sys.meta_path.insert(0, Guard())
sys.path.insert(0, sys.argv.pop(1))
from ledger.__main__ import main
from ledger.log.encoding import from_json, to_json
status = main()
foreign = {m.partition(".")[0] for m in sys.modules} - allowed - {"__main__", "__mp_main__"}
print(sorted(m for m in foreign if not m.startswith("_")), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    world = World()
    index = world.capture(made(PACK))
    data = world.bundle([index], [PACK])
    (folder / "good.json").write_bytes(data)
    (folder / "bad.json").write_bytes(
        data.replace(b"commissioning", b"commissionino").replace(b'"i":0', b'"i":1')
    )
    (folder / "policy").write_text(f"log {world.log.verifier}\nquorum none\n")
    (folder / "authors.json").write_text(json.dumps({"roots": {MAKER: [world.root.thumbprint.hex()]}}))
    return folder


def unwritten(file: Path, redirected: str = "", stdout: int | None = None) -> tuple[int, str]:
    """How the verifier ends whose answer nobody can read."""
    command = ["bash", "-c", f'"$0" -m ledger verify "$1" {redirected}', sys.executable, str(file)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ["good.json", "bad.json"])
def test_an_answer_that_reaches_nobody_is_no_refusal(files: Path, name: str) -> None:
    told = "packproof-verify: the answer could not be written: "
    assert unwritten(files / name, ">/dev/full") == (2, f"{told}No space left on device\n")
    assert unwritten(files / name, ">&-") == (2, f"{told}there is no standard output\n")
    ready, unread = os.pipe()
    os.close(ready)
    try:
        assert unwritten(files / name, stdout=unread) == (141, "")
    finally:
        os.close(unread)


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", _GUARD, str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_a_stranger_needs_nothing_but_cryptography(files: Path) -> None:
    trusted = ("--policy", str(files / "policy"), "--authors", str(files / "authors.json"))
    result = alone("verify", str(files / "good.json"), *trusted)
    assert result.returncode == 0, result.stderr
    assert result.stderr.strip() == "[]", "a third-party module was loaded"
    assert result.stdout.startswith("ACCEPTED")
    assert "root pinned by your policy" in result.stdout


def test_one_changed_byte_and_it_says_what_broke(files: Path) -> None:
    result = alone("verify", str(files / "bad.json"))
    assert result.returncode == 1
    assert result.stdout.startswith("REFUSED")
    assert "step " in result.stdout


def test_the_plain_form_takes_a_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(files / "good.json"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] is True
    assert report["events"][0]["one"]["bizStep"] == "commissioning"
    assert main(["verify", str(files / "bad.json"), "--json"]) == 1
    refusal = json.loads(capsys.readouterr().out)
    assert refusal["accepted"] is False
    assert refusal["step"] in range(1, 10)


def test_usage_is_status_two(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(files / "absent.json")]) == 2
    for option in ("--policy", "--authors"):
        (files / "broken").write_text("{}")
        assert main([str(files / "good.json"), option, str(files / "broken")]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["--nothing"])
    assert caught.value.code == 2
    assert "absent.json" in capsys.readouterr().err


def test_help_is_that_of_the_command_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: packproof-verify [-h] [--policy P]")
    assert "--authors" in told


def test_what_is_wrong_with_a_file_of_the_readers_own_names_which_it_is(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(files / "good.json"), "--authors", str(files / "policy")]) == 2
    assert "author policy: not JSON" in capsys.readouterr().err


def test_a_terminal_of_ascii_is_no_reason_to_fail(files: Path) -> None:
    command = [sys.executable, "-m", "ledger", "verify", str(files / "good.json")]
    result = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b[1;1HACCEPTED. Every byte of this file holds together.\x1b[8m",
        "x\nACCEPTED.",
        "\u202e\u2066\x9b",
    ],
)
def test_a_refused_file_cannot_write_accepted_onto_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    """A refusal quotes the file: its subject, a field's path. Both are whatever a forger likes."""
    world = World()
    data = from_json(world.bundle([world.capture(made(PACK))], [PACK]))
    del data["digest"]
    for name, change in (("subject", {"subject": hostile}), ("path", {})):
        forged = json.loads(json.dumps(data | change))
        if name == "path":
            forged["entries"][-1]["records"][0]["fields"][0]["path"] = f"e0/{hostile}"
        forged["digest"] = sha256(to_json(forged)).hexdigest()
        (tmp_path / "forged.json").write_bytes(to_json(forged))
        assert main(["verify", str(tmp_path / "forged.json")]) == 1
        told = capsys.readouterr().out
        assert told.startswith("REFUSED.")
        assert len(told.splitlines()) == 2
        assert all(char.isprintable() for line in told.splitlines() for char in line)
