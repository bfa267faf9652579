"""The day's time stamp, taken while the node serves: one thread in one process, which nobody waits for.

It begins with the first request, so after the server's fork, and only where an authority is configured. A lock on
``data_dir/timestamp.lock`` makes it one of however many workers; when that worker ends, another takes over. Who does
not answer, or wrongly, is asked again after a minute, then after twice the time, at most an hour.
``packproof ledger timestamp`` does the same by hand; whichever comes first on a day (UTC) is the day's.
"""

import time
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from app.errors import AppError
from app.node.service import Node
from app.shared.alone import OncePerProcess, alone
from app.shared.clock import Clock
from ledger.errors import LedgerError
from ledger.store.sql.engine import Database

log = structlog.get_logger(__name__)

LOOK_S: Final = 60
LONGEST_PAUSE_S: Final = 3600


class Stamping:
    """Has a head stamped once a day by the authority at `url`. `start` may be called any number of times."""

    def __init__(
        self, database: Database, node: Node, clock: Clock, url: str, certificates: Path | None
    ) -> None:
        self._database = database
        self._node = node
        self._clock = clock
        self._url = url
        self._certificates = certificates
        self._begun = OncePerProcess()
        self._done: date | None = None
        self._due, self._pause = 0.0, 0.0

    def start(self) -> None:
        """Begin, once in this process."""
        self._begun.thread(self._run, "timestamp")

    def _run(self) -> None:
        while not alone(self._node.data_dir / "timestamp.lock"):
            time.sleep(LOOK_S)
        while True:
            self.round(time.monotonic())
            time.sleep(LOOK_S)

    def round(self, now: float) -> bool:
        """Take the day's stamp if it is missing and its time has come; whether one was taken. Never raises."""
        # The authority's day may differ from ours for a moment, or for ever: ours says when this process is done.
        today = self._clock.now().date()
        if self._done == today or now < self._due:
            return False
        try:
            taken = self._take(today)
        except (AppError, LedgerError, OSError) as error:
            why = f"{error.title}: {error.detail}" if isinstance(error, AppError) else str(error)
            log.warning("timestamp.refused", code=getattr(error, "code", ""), reason=why)
        except Exception:
            log.exception("timestamp.failed")
        else:
            self._done, self._due, self._pause = today, 0.0, 0.0
            return taken
        self._pause = min(2 * self._pause or LOOK_S, LONGEST_PAUSE_S)
        self._due = now + self._pause
        return False

    def _take(self, today: date) -> bool:
        # What reads time stamps takes a while to load, and nothing else of a node needs it.
        from app.log import timestamps

        with self._database.reading() as connection:
            last = timestamps.latest(connection)
        if last is not None and last.at.date() >= today:
            return False
        roots = timestamps.certificates(self._certificates)
        stamp = timestamps.obtain(self._database, self._node, self._url, roots)
        log.info("timestamp.done", size=stamp.size, at=stamp.at.isoformat())
        return True
