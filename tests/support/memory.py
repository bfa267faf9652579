"""Where the tests of a run keep their files: in memory, if this machine has room, or else where temporary files lie.

Most of what a small database costs on a disk is the disk: a journal, a sync for each commit, blocks for three hundred
files that live a tenth of a second. None of it is what the tests are about. Those that are about it, in `tests/faults`
and `tests/ledger/store`, look at the calls that a process makes, or kill processes, and see the same either way.

``/dev/shm`` is used where it is large and programs may be started from it; a container's usual 64 MB are not large.
What is made there is gone after the run. A killed run's leavings are taken away by the next.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3
"""What must be free there and in the machine: a run takes up to 1 GB of it, two runs at once twice that."""
_NAME = "packproof-tests-"


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def room_in_memory() -> bool:
    """Whether a run's files can lie in memory on this machine."""
    try:
        about = os.statvfs(SHARED_MEMORY)
        free = min(about.f_bavail * about.f_frsize, _available_bytes())
    except (OSError, ValueError):
        return False
    return (
        free >= ROOM_BYTES and not about.f_flag & os.ST_NOEXEC and os.access(SHARED_MEMORY, os.W_OK | os.X_OK)
    )


def _leavings() -> Iterator[Path]:
    for path in SHARED_MEMORY.glob(f"{_NAME}*-*"):
        pid = path.name.removeprefix(_NAME).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            yield path


def pytest_configure(config: pytest.Config) -> None:
    """Send this run's temporary files, its workers' and its children's too, into memory."""
    if (
        hasattr(config, "workerinput")
        or config.option.basetemp
        or "TMPDIR" in os.environ
        or not room_in_memory()
    ):
        return
    for path in _leavings():
        shutil.rmtree(path, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=SHARED_MEMORY))
    folder.chmod(0o711)  # the database's server is another user, and has a folder of its own within
    os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    tempfile.tempdir = None

    def end() -> None:
        del os.environ["TMPDIR"], os.environ["PYTEST_DEBUG_TEMPROOT"]
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(end)
