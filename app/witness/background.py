"""Gathering cosignatures while the node serves: one thread in one process, which no scan ever waits for.

It begins with the first request, so after the server's fork, and only where witnesses are configured. A lock on
``data_dir/cosign.lock`` makes it one of however many workers; when that worker ends, another takes over. A witness
that does not answer is asked again after twice the time, at most an hour.
"""

import time
from typing import Final

import structlog

from app.errors import AppError
from app.node.service import Node
from app.shared.alone import OncePerProcess, alone
from app.witness.gather import Asked, Gatherer
from app.witness.service import CosignedHeads
from ledger.errors import LedgerError

log = structlog.get_logger(__name__)

LONGEST_PAUSE_S: Final = 3600


class Background:
    """Asks all witnesses every `interval_s` seconds. `start` may be called from anywhere, and any number of times."""

    def __init__(self, node: Node, heads: CosignedHeads, interval_s: int) -> None:
        self._node = node
        self._heads = heads
        self._interval_s = interval_s
        self._begun = OncePerProcess()
        self._due: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        """Begin, once in this process."""
        if self._interval_s:
            self._begun.thread(self._run, "cosign")

    def _run(self) -> None:
        lock = self._node.data_dir / "cosign.lock"
        while not alone(lock):
            time.sleep(self._interval_s)
        gatherer = Gatherer(self._node, self._heads)
        while True:
            self.round(gatherer, time.monotonic())
            time.sleep(self._interval_s)

    def round(self, gatherer: Gatherer, now: float) -> list[Asked]:
        """Ask those whose time has come; what they answered. Never raises: it is nobody's request."""
        try:
            due = [url for url in gatherer.urls() if self._due.get(url, (0.0, 0.0))[0] <= now]
            answers = gatherer.gather(due)
        except (AppError, LedgerError, OSError) as error:
            log.warning("cosign.stopped", code=getattr(error, "code", ""), reason=str(error))
            return []
        except Exception:
            log.exception("cosign.failed")
            return []
        for asked in answers:
            pause = self._interval_s if asked.ok else self._longer(asked.url)
            self._due[asked.url] = (now + (0 if asked.ok else pause), pause)
            if not asked.ok:
                log.warning("cosign.refused", witness=asked.url, code=asked.code, reason=asked.message)
            elif asked.lines:
                log.info("cosign.done", witness=asked.url, size=asked.size)
        return answers

    def _longer(self, url: str) -> float:
        return min(2 * max(self._due.get(url, (0.0, 0.0))[1], self._interval_s), LONGEST_PAUSE_S)
