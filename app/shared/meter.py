"""How far a long command is, on standard error: how many a second, and how long it will go on.

tell = meter()             # None where nobody watches: not a terminal
tell("events", 2_000, 1_000_000)

events: 2,000 of 1,000,000, 950 a second, 17 min left
"""

import sys
import time
from collections.abc import Callable
from typing import TextIO

Tell = Callable[[str, int, int], None]
"""(what is being done, how many are done, how many there are)."""

_EVERY_S = 0.2


def meter(stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic) -> Tell | None:
    """Something to tell progress to, where a person watches `stream` (standard error)."""
    watched = sys.stderr if stream is None else stream
    return _Meter(watched, monotonic).tell if watched.isatty() else None


class _Meter:
    def __init__(self, stream: TextIO, monotonic: Callable[[], float]) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._what = ""
        self._began = self._shown = 0.0
        self._before = 0

    def tell(self, what: str, done: int, total: int) -> None:
        now = self._monotonic()
        if what != self._what:
            self._what, self._began, self._before, self._shown = what, now, done, 0.0
        ended = done >= total
        if not ended and now - self._shown < _EVERY_S:
            return
        self._shown = now
        self._stream.write(f"\r{what}: {done:,} of {total:,}{self._speed(done, total, now)}\033[K")
        if ended:
            self._stream.write("\n")
            self._what = ""
        self._stream.flush()

    def _speed(self, done: int, total: int, now: float) -> str:
        rate = (done - self._before) / (now - self._began) if now - self._began > 1 else 0.0
        if rate <= 0:
            return ""
        left = "" if done >= total else f", {duration((total - done) / rate)} left"
        return f", {rate:,.0f} a second{left}"


def duration(seconds: float) -> str:
    """A length of time as a person says it: ``40 s``, ``17 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
