"""On what a benchmark ran: a figure without its machine says nothing."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ledger.store.sql.engine import Database, sqlite_driver

ROOT = Path(__file__).resolve().parent.parent


def machine(databases: Sequence[Database]) -> dict[str, str]:
    """Date, commit, processor, cores, load at the start, and the versions that matter."""
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load when it began": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, cryptography {version('cryptography')}",
        "SQLite": f"{sqlite_driver().sqlite_version}, WAL, synchronous=FULL",
    }
    for database in databases:
        if not database.is_sqlite:
            with database.reading() as connection:
                shown = connection.exec_driver_sql("SHOW server_version").scalar_one()
                durable = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
                fsync = connection.exec_driver_sql("SHOW fsync").scalar_one()
            found["PostgreSQL"] = (
                f"{shown}, fsync {fsync}, synchronous_commit {durable}, psycopg {version('psycopg')}"
            )
    return found


@dataclass(frozen=True, slots=True)
class Stolen:
    """The processors' time that went to other guests of the same host: a slow figure may be theirs."""

    stolen: int
    total: int

    @classmethod
    def now(cls) -> "Stolen":
        """The processors' counters, in ticks since the machine began (proc(5), /proc/stat: steal is the eighth)."""
        ticks = [int(count) for count in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return cls(ticks[7], sum(ticks))

    def since(self) -> str:
        """How much of the processors' time was taken since."""
        later = Stolen.now()
        return (
            f"{(later.stolen - self.stolen) / max(1, later.total - self.total):.0%} of the processors' time"
        )


def _commit() -> str:
    try:
        asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()
