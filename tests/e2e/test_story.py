"""The story of `make demo`, whole, as anybody runs it; and the crook's three frauds on what it leaves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import programs

WORDS = {
    "ok.png": "OK",
    "dispensed-elsewhere.png": "SUSPECT",
    "never-made.png": "SUSPECT",
    "no-record.png": "CANNOT CONFIRM YET",
    "wrong-lot.png": "DETAILS DIFFER",
    "expired.png": "GENUINE, DO NOT USE",
    "recalled.png": "GENUINE, DO NOT USE",
    "damaged.png": "COULD NOT READ",
    "pallet.png": "GENUINE, DO NOT USE (10 GENUINE, DO NOT USE; 10 OK)",
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], str]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    words = [sys.executable, "-m", "app.cli", "demo", "run", "--no-serve", "--json", "--dir", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout), done.stderr


def test_every_picture_on_the_sheet_is_answered_for_what_it_is(played: tuple[Path, dict, str]) -> None:
    _, answer, _ = played
    assert {name: word for name, word, _ in answer["labels"]} == WORDS
    assert all(step for _, _, step in answer["labels"])


def test_the_story_is_told_in_words(played: tuple[Path, dict, str]) -> None:
    told = played[2]
    for part in ("240 packages", "239 of 240, 1 short", "closes by itself", "Proof: signed by", "accepts it"):
        assert part in told


def test_no_private_key_of_a_party_lies_on_the_node(played: tuple[Path, dict, str]) -> None:
    folder = played[0]
    theirs = [path.read_bytes() for path in (folder / "parties").rglob("key.pem")]
    assert len(theirs) == 8  # a root and a bench for each of four companies
    on_node = b"".join(path.read_bytes() for path in (folder / "node").rglob("*") if path.is_file())
    for pem in theirs:
        body = b"".join(pem.splitlines()[1:-1])
        assert body not in on_node


def test_the_three_frauds_come_out(played: tuple[Path, dict, str]) -> None:
    done = programs.run("-m", "app.cli", "demo", "cheat", "--json", "--dir", played[0], timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["edit"]["first"].startswith("entry 12, column body")
    assert found["rewrite"] | {"reason": ""} == {"fsck_content": True, "scanner_refused": True, "reason": ""}
    assert "different past" in found["rewrite"]["reason"]
    assert "old database was restored" in found["rollback"]["detail"]
