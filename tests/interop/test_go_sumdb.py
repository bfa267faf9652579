"""A log that we export is read by another hand in another language: Go's x/mod/sumdb, from Debian's packages."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.log.export import export
from ledger.store.sql.writer import SqlWriter
from tests.support.ledgers import drafts
from tests.support.patience import PATIENCE_S

GOPATH = Path("/usr/share/gocode")
SIZES = (2, 3, 255, 256, 257, 512, 599, 600)


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The Go program, built once."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        said = "Go or golang.org/x/mod is missing: apt-get install golang-go golang-golang-x-mod-dev"
        assert os.environ.get("CI") != "true", said
        pytest.skip(said)
    folder = tmp_path_factory.mktemp("go")
    built = subprocess.run(
        ["go", "build", "-o", str(folder / "checklog"), str(Path(__file__).with_name("checklog.go"))],
        env={
            "PATH": os.environ["PATH"], "HOME": str(folder), "GOCACHE": str(folder / "cache"),
            "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "GOTOOLCHAIN": "local",
        },
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return lambda *words: subprocess.run(
        [folder / "checklog", *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.fixture
def exported(sqlite_node, tmp_path):
    """A folder with the log of 600 entries, the older checkpoints beside it, and the log's verifier key."""
    own = sqlite_node.services.node
    own.initialise()
    folder, older, size = tmp_path / "log", [], 2
    for target in SIZES:
        with sqlite_node.services.database.writing() as connection:
            writer = SqlWriter(connection, own.origin)
            writer.lock()
            writer.append(drafts(target - size, size))
        size, note = target, own.checkpoint()
        older.append(tmp_path / f"checkpoint.{target}")
        older[-1].write_bytes(note)
        with own.ledger.reading() as reader:
            export(reader, folder, note, own.note_verifier, entries=True)
    return folder, older, own.verifier_key


def test_go_opens_the_checkpoint_and_finds_every_entry_and_every_older_head_in_the_tree(checker, exported):
    folder, older, key = exported
    found = checker(folder, key, *older)
    assert found.returncode == 0, found.stderr
    assert found.stdout == f"size 600 entries 600 older {len(SIZES)}\n"


@pytest.mark.parametrize(
    ("name", "at"),
    [("tile/0/001", 77), ("tile/0/002.p/88", 2000), ("tile/1/000.p/2", 5), ("tile/entries/000", 3000),
     ("tile/entries/002.p/88", 40), ("checkpoint", 40)],
)  # fmt: skip
def test_go_refuses_the_same_log_with_one_bit_changed(checker, exported, name, at):
    folder, older, key = exported
    data = bytearray((folder / name).read_bytes())
    data[at] ^= 1
    (folder / name).write_bytes(data)
    found = checker(folder, key, *older)
    assert found.returncode == 1 and found.stderr
