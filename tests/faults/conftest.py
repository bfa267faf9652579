"""A node whose writers are other processes, and what they said before they were gone."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.store.sql.engine import open_engine
from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT
from tests.support.trade import Trade

SOAK = ROOT / "var" / "soak" / "kills.json"
KEPT = ROOT / "docs" / "testing" / "kills.json"
PAGE = ROOT / "docs" / "benchmarks" / "ledger.md"
ROW = re.compile(r"^\| kill -9 under 8 writers \|.*$", re.MULTILINE)


def environment(url: str, data_dir: Path, origin: str) -> dict[str, str]:
    """A node's settings, as a process reads them."""
    return {
        "PACKPROOF_ENVIRONMENT": "test",
        "PACKPROOF_DATABASE_URL": url,
        "PACKPROOF_DATA_DIR": str(data_dir),
        "PACKPROOF_LEDGER_ORIGIN": origin,
    }


def asked(process: subprocess.Popen, **request: object) -> list[int]:
    """What the zygote answers."""
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@dataclass
class Writers:
    """The zygote, and the journal of all that it forked for one node."""

    trade: Trade
    folder: Path
    process: subprocess.Popen
    alive: list[int] = field(default_factory=list)
    _read: int = 0
    _lines: list[list[str]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def env(self) -> dict[str, str]:
        """The node's settings, as another process reads them."""
        settings = self.trade.node.services.settings
        return environment(settings.database_url, settings.data_dir, settings.ledger_origin)

    def fork(self, do: str, **request: object) -> list[int]:
        """Start writers; their pids."""
        pids = asked(
            self.process, do=do, env=self.env(), journal=str(self.journal), log=str(self.log), **request
        )
        self.alive += pids
        return pids

    def kill(self, pid: int) -> None:
        """End one as a plug pulled would; returns when it is gone."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.001)
        self.alive.remove(pid)

    def lines(self, *kinds: str) -> list[list[str]]:
        """What was journaled, of these kinds."""
        with suppress(FileNotFoundError), self.journal.open("rb") as journal:
            journal.seek(self._read)
            came = journal.read()
            came = came[: came.rfind(b"\n") + 1]
            self._read += len(came)
            self._lines += [line.split() for line in came.decode().splitlines()]
        return [words[1:] if len(kinds) == 1 else words for words in self._lines if words[0] in kinds]

    def forget(self) -> None:
        """Begin another journal. Nobody writes into this one any more."""
        assert not self.alive
        self.journal.unlink()
        self._read, self._lines = 0, []

    def wait_for(self, count: int, *kinds: str, seconds: float = PATIENCE_S) -> None:
        """Until so many lines of these kinds are journaled."""
        give_up = time.monotonic() + seconds
        while len(self.lines(*kinds)) < count:
            said = self.log.read_text()[-3000:] if self.log.exists() else ""
            assert time.monotonic() < give_up, f"only {len(self.lines(*kinds))} of {count} {kinds}: {said}"
            time.sleep(0.002)


@pytest.fixture(scope="session")
def zygote():
    """The process that forks writers, for all tests of a session."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.zygote"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.stdin.close()
    process.wait(PATIENCE_S)
    process.stdout.close()


def ended(writers: Writers) -> None:
    """Nobody of them is left."""
    for pid in list(writers.alive):
        writers.kill(pid)


@pytest.fixture
def another(request, tmp_path):
    """Makes another migrated database of the same kind as a node's."""

    def make(trade):
        if trade.node.services.database.is_sqlite:
            path = Path(tempfile.mkdtemp(dir=tmp_path)) / "another.db"
            shutil.copy(request.getfixturevalue("_sqlite_template"), path)
            return open_engine(f"sqlite:///{path}")
        server, template = (request.getfixturevalue(name) for name in ("postgres", "_postgres_template"))
        return open_engine(server.create(template))

    return make


@pytest.fixture(scope="session")
def warmed():
    """The kinds of databases for which the zygote has compiled what writers need."""
    return set()


@pytest.fixture
def made_writers(another, tmp_path, zygote, warmed):
    """Writers for a node, the first of which find everything compiled."""

    def make(trade):
        settings = trade.node.services.settings
        if trade.node.services.database.is_sqlite not in warmed:
            url = another(trade).url.render_as_string(hide_password=False)
            told = environment(url, tmp_path / "warm", settings.ledger_origin)
            assert asked(zygote, do="warm", env=told) == []
            warmed.add(trade.node.services.database.is_sqlite)
        return Writers(trade, tmp_path, zygote)

    return make


@pytest.fixture
def writers(trade, made_writers):
    """Writers on SQLite and on PostgreSQL."""
    made = made_writers(trade)
    yield made
    ended(made)


@pytest.fixture
def sqlite_writers(sqlite_trade, made_writers):
    """Writers on SQLite alone."""
    made = made_writers(sqlite_trade)
    yield made
    ended(made)


def count_kills(kills: int, acknowledged: int, *, keep: bool = False) -> dict[str, int]:
    """Add to the counts of this checkout; the sum over all runs.

    `keep` (make soak) moves them into the sum over all runs, which the repository tracks: a test leaves no tracked file
    changed, and no run is lost or counted twice.
    """
    counts = _sum(_counts(SOAK), {"runs": 1, "kills": kills, "acknowledged": acknowledged})
    if keep:
        _write(KEPT, _sum(_counts(KEPT), counts))
        PAGE.write_text(ROW.sub(row(_counts(KEPT)), PAGE.read_text()))
        counts = dict.fromkeys(counts, 0)
    _write(SOAK, counts)
    return _sum(counts, _counts(KEPT))


def row(counts: dict[str, int]) -> str:
    """The line of docs/benchmarks/ledger.md that says so."""
    measured = f"{counts['kills']:,} kills in {counts['runs']} runs, {counts['acknowledged']:,} acknowledged"
    return f"| kill -9 under 8 writers | both | {measured} | 0 lost, 0 forks | >= 500 kills | met |"


def _counts(path: Path) -> dict[str, int]:
    return json.loads(path.read_text()) if path.exists() else {"runs": 0, "kills": 0, "acknowledged": 0}


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: value + other[name] for name, value in one.items()}


def _write(path: Path, counts: dict[str, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(counts) + "\n")
    fresh.replace(path)
