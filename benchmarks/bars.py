"""One line of a table of bars: what was asked, what was measured, and the yardstick of the same run.

A bar asks either for a ratio (our rate beside a yardstick's, both medians of rounds that took turns) or for a time at
most. As JSON::

    {"bar": "one durable append, signature verified", "database": "sqlite", "measured": 2710.0, "unit": "entries/s",
     "yardstick": 4300.0, "beside": "verify + bare commit", "ratio": 0.63, "asked": ">= 0.6", "met": true}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, measured. `least` is a ratio to reach, `most` a measured value not to pass; one of the two is set."""

    bar: str
    database: str
    measured: float
    unit: str
    beside: str = "none"
    yardstick: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours beside the yardstick, where there is one to compare rates with."""
        return None if self.yardstick is None or self.least is None else self.measured / self.yardstick

    @property
    def met(self) -> bool:
        """Whether the bar holds in this run."""
        if self.least is not None:
            return self.ratio is not None and self.ratio >= self.least
        return self.most is not None and self.measured <= self.most

    @property
    def asked(self) -> str:
        """The bar in the page's words."""
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g} {self.unit}"

    def as_json(self) -> dict[str, object]:
        """All of it, for programs."""
        return {
            "bar": self.bar,
            "database": self.database,
            "measured": self.measured,
            "unit": self.unit,
            "yardstick": self.yardstick,
            "beside": self.beside,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "asked": self.asked,
            "met": self.met,
        }

    def as_row(self) -> str:
        """A line of the Markdown table."""
        yardstick = self.beside if self.yardstick is None else f"{_figure(self.yardstick)} ({self.beside})"
        cells = (
            self.bar,
            self.database,
            f"{_figure(self.measured)} {self.unit}",
            yardstick,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.asked,
            "met" if self.met else "**MISSED**",
        )
        return f"| {' | '.join(cells)} |"


def told(bars: Sequence[Bar], machine: Mapping[str, str], as_json: bool) -> str:
    """The bars as Markdown or JSON, with the machine they were measured on."""
    if as_json:
        return json.dumps({"machine": dict(machine), "bars": [bar.as_json() for bar in bars]}, indent=2)
    lines = [f"- {name}: {value}" for name, value in machine.items()]
    lines += [
        "",
        "| Bar | Database | Measured | Yardstick | Ratio | Asked | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [bar.as_row() for bar in bars]
    return "\n".join(lines)


def _figure(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}".rstrip("0").rstrip(".")
