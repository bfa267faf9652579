"""What a benchmark says: for each question our figure, a yardstick's from the same run, their ratio and the bar.

A figure alone tells of the machine; a ratio of two that took turns on it tells of the program. Both are medians of
rates, so larger is better::

    [{"question": "...", "ours": 1870.2, "unit": "captures/s", "yardstick": 2811.0, "ratio": 0.67, "bar": 0.6,
      "holds": true}]
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Answer:
    """One question answered. `bar` is the least ratio that was promised."""

    question: str
    ours: float
    unit: str
    yardstick: float
    bar: float

    @property
    def ratio(self) -> float:
        return self.ours / self.yardstick

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bar

    def as_json(self) -> dict[str, object]:
        """The members that every benchmark's ``--json`` has."""
        return {**asdict(self), "ratio": round(self.ratio, 3), "holds": self.holds}


def seconds(act: Callable[[], object]) -> float:
    """How long `act` takes, in seconds."""
    start = perf_counter()
    act()
    return perf_counter() - start


def rate(amount: int, spent_s: Sequence[float]) -> float:
    """The median rate of rounds that each did `amount` of work in so many seconds."""
    return round(median(amount / each for each in spent_s), 1)


def told(answers: Sequence[Answer], as_json: bool) -> str:
    """The answers as JSON or as a table."""
    if as_json:
        return json.dumps([answer.as_json() for answer in answers], indent=2)
    rows = [("question", "ours", "yardstick", "unit", "ratio", "bar", "holds")]
    rows += [
        (
            answer.question,
            f"{answer.ours:,.0f}",
            f"{answer.yardstick:,.0f}",
            answer.unit,
            f"{answer.ratio:.2f}",
            f"{answer.bar:.2f}",
            "yes" if answer.holds else "NO",
        )
        for answer in answers
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(w) if n in (1, 2, 4, 5) else cell.ljust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
