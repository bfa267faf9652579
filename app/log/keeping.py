"""Other logs' heads, noted in this ledger once a day while the node serves: one thread in one process.

Which logs, and what makes a head of theirs count, a C2SP tlog-policy says (`PACKPROOF_KEPT_LOGS`). A log with an
address is asked there for its newest head (C2SP tlog-tiles, ``<url>/checkpoint``); one without is noted as this node
last cosigned it as a witness. A log that has not grown makes no entry, and this makes no two of one on one day (UTC),
whichever process asks: that is decided under the ledger's lock. What a person gives (``packproof ledger keep checkpoint
FILE``) is noted besides, on any day, and counts as that day's.

It begins with the first request, so after the server's fork. A lock on ``data_dir/keep.lock`` makes it one of however
many workers. A log that cannot be had is asked again after a minute, then after twice the time, at most an hour.
``packproof ledger keep logs`` does the same at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from app.errors import AppError
from app.log import heads
from app.log.keep import FOLDER, Keeper, Known, judged
from app.shared.alone import OncePerProcess, alone
from app.witness.policies import read_policy
from ledger.errors import LedgerError
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.conflict import Conflict, Sighting
from ledger.log.policy import LogPolicy, PolicyLog
from ledger.signing.aside import KeptCheckpoint
from ledger.signing.durable import write_whole

log = structlog.get_logger(__name__)

LOOK_S: Final = 60
LONGEST_PAUSE_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one log. `code`: ``noted`` (at the entry `index`), ``known`` (there, before), or what is wrong."""

    origin: str
    code: str
    index: int | None = None
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether this day has its head."""
        return self.index is not None

    @property
    def told(self) -> str:
        """A line for a person."""
        where = "" if self.index is None else f" at entry {self.index}"
        return f"{self.origin}: {self.code}{where}" + (f" ({self.message})" if self.message else "")


class Keeping:
    """Notes the heads of the logs in the policy file `policy`. `start` may be called any number of times.

    `cosigned` gives the note of the log with this origin that this node cosigned last, None where it never did.
    """

    def __init__(self, keeper: Keeper, policy: Path | None, cosigned: Callable[[str], bytes | None]) -> None:
        self._keeper = keeper
        self._policy = policy
        self._cosigned = cosigned
        self._begun = OncePerProcess()
        self._done: dict[str, date] = {}
        self._due: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        """Begin, once in this process."""
        self._begun.thread(self._run, "keep")

    def _run(self) -> None:
        while not alone(self._keeper.node.data_dir / "keep.lock"):
            time.sleep(LOOK_S)
        while True:
            self.round(time.monotonic())
            time.sleep(LOOK_S)

    def round(self, now: float) -> list[Done]:
        """Note those whose time has come; what became of each. Never raises: it is nobody's request."""
        today = self._keeper.clock.now().date()
        try:
            policy = self._read()
        except AppError as error:
            log.warning("keep.policy", code=error.code, reason=error.detail)
            return []
        found = []
        for origin, entries in _by_origin(policy).items():
            due, pause = self._due.get(origin, (0.0, 0.0))
            if self._done.get(origin) == today or now < due:
                continue
            try:
                done = self._one(policy, origin, entries)
            except Exception as error:
                log.exception("keep.failed", log=origin)
                done = Done(origin, "failed", None, type(error).__name__)
            found.append(done)
            if done.ok:
                self._done[origin], self._due[origin] = today, (0.0, 0.0)
                log.info("keep.done", log=origin, code=done.code, entry=done.index)
            else:
                pause = min(2 * pause or LOOK_S, LONGEST_PAUSE_S)
                self._due[origin] = (now + pause, pause)
                log.warning("keep.refused", log=origin, code=done.code, reason=done.message)
        return found

    def due(self) -> list[Done]:
        """Note every log now that has no head of today. Raises `AppError` where the policy cannot be read."""
        policy = self._read()
        return [self._one(policy, origin, entries) for origin, entries in _by_origin(policy).items()]

    def _read(self) -> LogPolicy:
        return LogPolicy() if self._policy is None else read_policy(self._policy)

    def _one(self, policy: LogPolicy, origin: str, entries: list[PolicyLog]) -> Done:
        try:
            data = self._newest(origin, entries)
            if data is None:
                return Done(origin, "none", None, "it has no address, and this node cosigned no head of it")
            record = judged(data, policy, self._keeper.node.origin)
            if record.origin != origin:
                return Done(origin, "other", None, f"what answers there is the log {record.origin}")
            noted = self._keeper.keep_daily(record, data)
            with self._keeper.node.ledger.reading() as reader:
                below = noted.index if noted.new else reader.head().size
                before = self._keeper.largest(reader, origin, below)
        except AppError as error:
            return Done(origin, error.code, None, f"{error.title}: {error.detail}")
        except LedgerError as error:
            return Done(origin, error.code, None, error.message)
        if before is not None:
            self._compare(entries, before, record, data)
        return Done(origin, "noted" if noted.new else "known", noted.index)

    def _newest(self, origin: str, entries: list[PolicyLog]) -> bytes | None:
        url = next((each.url for each in entries if each.url), None)
        return self._cosigned(origin) if url is None else heads.from_log(url)

    def _compare(self, entries: list[PolicyLog], before: Known, record: KeptCheckpoint, data: bytes) -> None:
        """Say where the head contradicts the largest noted before; two of one size prove it, and are written as a
        proof."""
        if record.size > before.record.size or (record.size, record.root) == (
            before.record.size,
            before.record.root,
        ):
            return
        proof = None
        if record.size == before.record.size:
            both = [each.key for each in entries if _signed(each, data) and _signed(each, before.data)]
            if both:
                shown = Sighting(data, self._keeper.clock.now())
                conflict = Conflict(both[0], Sighting(before.data, before.at), shown)
                name = f"conflict-{before.index}-{record.root.hex()[:16]}.json"
                path = self._keeper.node.data_dir / FOLDER / name
                write_whole(path, conflict.encode())
                proof = str(path)
        log.error(
            "keep.conflict", log=record.origin, size=record.size, before=before.record.size, proof=proof
        )


def _signed(entry: PolicyLog, data: bytes) -> bool:
    try:
        SignedCheckpoint.open(data, [entry.key])
    except LedgerError:
        return False
    return True


def _by_origin(policy: LogPolicy) -> dict[str, list[PolicyLog]]:
    """The policy's logs by name: one may stand there by several keys."""
    found: dict[str, list[PolicyLog]] = {}
    for each in policy.logs:
        found.setdefault(each.key.name, []).append(each)
    return found
