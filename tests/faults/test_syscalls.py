"""Each system call of a capture and of a seal fails once, by strace: what failed was not acknowledged, what was
acknowledged stands, and a process that met an input/output error takes nothing more in.

strace is attached to a writer that waits for its cue, so that `when=N` counts the calls of this capture alone; N goes
up until no call is left to fail (of the many pages every 17th; `make soak` takes each).
"""

import os
import shutil
import signal
import subprocess
from contextlib import nullcontext

import pytest

from app.proofs.fsck import fsck
from tests.faults.test_kill import standing
from tests.support.patience import PATIENCE_S
from tests.support.shared import missing

MOST_CALLS = 400
EVERY = (
    1 if "PACKPROOF_TEST_KILLS" in os.environ else 17
)  # a capture writes a page by two calls, and many pages
# What SQLite and the mark write by: pages and the log, what makes them durable, the mark's file and its place.
CAPTURES = [
    ("pwrite64", "EIO", EVERY),
    ("pwrite64", "ENOSPC", EVERY),
    ("fdatasync,fsync", "EIO", 1),
    ("fdatasync,fsync", "ENOSPC", 1),
]
SEALS = [
    ("write", "EIO", MOST_CALLS),  # the first is the mark's, the next the journal's own
    ("write", "ENOSPC", MOST_CALLS),
    ("fsync,fdatasync", "EIO", 1),
    ("fsync,fdatasync", "ENOSPC", 1),
    ("rename", "EIO", 1),
    ("rename", "ENOSPC", 1),
    ("pwrite64", "ENOSPC", EVERY),
    ("pwrite64", "EIO", EVERY),
]


@pytest.fixture
def strace():
    """strace, where it may attach."""
    program = shutil.which("strace")
    if program is None:
        missing("strace is not installed (apt: strace)")
    sleeper = subprocess.Popen(["sleep", "10"])
    try:
        with attached(program, sleeper.pid, "trace=none"):
            pass
    except AssertionError:
        missing("strace may not attach to a process here (ptrace is not allowed)")
    finally:
        sleeper.kill()
        sleeper.wait()
    return program


class attached:
    """strace on a process for the length of a block; `tampered` is whether a call was made to fail."""

    def __init__(self, program, pid, *expressions):
        self._command = [
            program,
            "-f",
            "-p",
            str(pid),
            *(word for each in expressions for word in ("-e", each)),
        ]
        self.text = ""

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        first = self._process.stderr.readline()
        assert "attached" in first, first
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        self.text = self._process.communicate(timeout=PATIENCE_S)[1]

    @property
    def tampered(self):
        return "(INJECTED)" in self.text


def cue(writers, pid, count):
    os.kill(pid, signal.SIGUSR1)
    writers.wait_for(count, "stepped")


def failing(writers, strace, steps, at, calls, error, number):
    """Take all `steps`; during number `at` of them, call number `number` fails. Whether one did."""
    before, ready = len(writers.lines("stepped")), len(writers.lines("ready"))
    [pid] = writers.fork("step", steps=steps)
    writers.wait_for(ready + 1, "ready")
    trace = attached(strace, pid, f"trace={calls}", f"inject={calls}:error={error}:when={number}")
    for count in range(len(steps)):
        with trace if count == at else nullcontext():
            cue(writers, pid, before + 1 + count)
    writers.kill(pid)
    return trace.tampered


def answers(writers, name):
    return [words for words in writers.lines("ack", "fail", "head") if words[1] == name]


@pytest.mark.parametrize(("calls", "error", "every"), CAPTURES)
def test_a_capture_whose_disk_fails_anywhere(sqlite_writers, strace, calls, error, every):
    writers = sqlite_writers
    failed = 0
    for number in range(1, MOST_CALLS, every):
        first, second = f"{error}{number}A", f"{error}{number}B"
        tampered = failing(writers, strace, [first, second], 0, calls, error, number)
        [answer], [later] = answers(writers, first), answers(writers, second)
        if not tampered:
            assert answer[0] == later[0] == "ack"
            break
        if answer[0] == "fail":
            failed += 1
            # A disk too full to write to is no reason to stop. One that breaks is, and so is one that does not say
            # whether it kept what it took: after a failed fsync nobody knows, whatever the error was called.
            full = error == "ENOSPC" and calls == "pwrite64"
            assert answer[2:] == ["capture.stopped", "507" if full else "503"]
            assert later[0] == ("ack" if full else "fail"), later
        else:
            assert later[0] == "ack"
    else:
        raise AssertionError("the calls never ended")
    assert failed, "no call of this kind was ever on the way of a capture"
    whole(writers)


@pytest.mark.parametrize(("calls", "error", "every"), SEALS)
def test_a_seal_whose_disk_fails_anywhere(sqlite_writers, strace, calls, error, every):
    """A head that was handed out is on the tree and not above the mark; what could not be kept was not handed out."""
    writers = sqlite_writers
    failed = 0
    for number in range(1, MOST_CALLS, every):
        name, heads = f"{error}{number}", len(writers.lines("head"))
        tampered = failing(writers, strace, [name, "seal"], 1, calls, error, number)
        assert answers(writers, name)[0][0] == "ack"
        if not tampered:
            assert len(writers.lines("head")) == heads + 1
            break
        failed += len(writers.lines("head")) == heads
    assert failed, "no call of this kind was ever on the way of a seal"
    whole(writers)


def whole(writers):
    """After a restart everything is as it must be, and everything can be sent again."""
    assert standing(writers) > 0
    services = writers.trade.node.services
    services.database.dispose()
    writers.trade.sweep()
    ready, stepped = len(writers.lines("ready")), len(writers.lines("stepped"))
    refused = sorted({words[1] for words in writers.lines("fail") if words[1] != "seal"})[:5]
    [pid] = writers.fork("step", steps=[*refused, "seal"])
    writers.wait_for(ready + 1, "ready")
    for count in range(len(refused) + 1):
        cue(writers, pid, stepped + 1 + count)
    for name in refused:
        assert answers(writers, name)[-1][0] == "ack", answers(writers, name)
    writers.kill(pid)
    standing(writers)
    services.node.checkpoint()
    report = fsck(services.database, services.node)
    assert report.ok, report.findings
