"""Telling recalls while the node serves: whoever gets recalled packages later is told without anybody looking.

One thread in one process, which no scan waits for. It begins with the first request, so after the server's fork; a lock
on ``data_dir/recalls.lock`` makes it one of however many workers.
"""

import time
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from app.cases import service as cases
from app.cases.choice import Choice
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.errors import AppError
from app.recalls import captured, notices
from app.recalls.captured import RECALL
from app.shared.alone import OncePerProcess, alone
from app.shared.clock import Clock
from ledger.store.sql.engine import Database

log = structlog.get_logger(__name__)


class Sweep:
    """Looks every `interval_s` seconds. `start` may be called from anywhere, and any number of times."""

    def __init__(self, database: Database, clock: Clock, data_dir: Path, interval_s: int) -> None:
        self._database = database
        self._clock = clock
        self._lock = data_dir / "recalls.lock"
        self._interval_s = interval_s
        self._begun = OncePerProcess()

    def start(self) -> None:
        """Begin, once in this process."""
        if self._interval_s:
            self._begun.thread(self._run, "recalls")

    def _run(self) -> None:
        while not alone(self._lock):
            time.sleep(self._interval_s)
        while True:
            time.sleep(self._interval_s)
            self.round()

    def round(self) -> int:
        """Tell everybody whom an open recall concerns and who was not told; how many. Never raises: it is nobody's
        request."""
        told = 0
        try:
            captured.tell_waiting(self._database, self._clock)
            for each in self._open():
                told += self._tell(each)
        except (DBAPIError, AppError, OSError) as error:
            log.warning("recalls.stopped", error=type(error).__name__)
        except Exception:
            log.exception("recalls.failed")
        return told

    def _open(self) -> list[DeskCase]:
        found: list[DeskCase] = []
        after, recalls = None, Choice(kinds=(RECALL,))  # each has a notice for everybody who was told
        with self._database.reading() as connection:
            while page := cases.queue(connection, Desk.RECALLS, None, choice=recalls, after=after):
                found += [each for each in page if not each.data.get("waits")]
                after = page[-1].place
        return found

    def _tell(self, found: DeskCase) -> int:
        with self._database.snapshot() as connection:
            case = cases.case(connection, Desk.RECALLS, found.case_id, None)
            whom = notices.reached(connection, case.party_gln, captured.population_of(case))
            if whom.packages.keys() <= notices.known(connection, case.case_id):
                return 0
        with self._database.writing() as connection:
            case = cases.case(connection, Desk.RECALLS, found.case_id, None)
            return notices.tell(connection, self._clock, case, whom) if case.is_open else 0
