"""What was scanned, what it truly was, and what the node said: as a confusion matrix with its goals.

    seen = Measure(); seen.add(Scan(Truth.COPY, "SUSPECT", "two_custodians", ...)); print(seen.text())

An **alert** is the word SUSPECT. It is **real** where the box is no genuine pack, or where a copy of the pack is about:
then the serial is compromised, and its genuine pack must be held too. A box is **flagged** where it was told anything
but OK the first time.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ledger.custody.verdict import Word


class Truth(StrEnum):
    """What a scanned box truly is."""

    GENUINE = "genuine"
    PAPERWORK = "genuine, papers late or wrong"
    MISREAD = "genuine, misread"
    COPIED = "genuine, a copy of it is about"
    COPY = "copy"
    INVENTED = "invented serial"
    REFILLED = "refilled box"


FALSE_BOXES: Final = frozenset({Truth.COPY, Truth.INVENTED, Truth.REFILLED})
INNOCENT: Final = frozenset({Truth.GENUINE, Truth.PAPERWORK, Truth.MISREAD})

GOAL_FLAGGED: Final = 0.95
GOAL_REAL: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Scan:
    """One answered scan. `box` tells one box from another, whatever its label says."""

    truth: Truth
    word: str
    reason: str
    at: datetime
    box: int


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was reached, and whether that is enough."""

    name: str
    asked: float
    reached: float | None  # None: nothing of the kind happened
    holds: bool


@dataclass(slots=True)
class Measure:
    """All scans of a simulation, and the documents of innocent companies that the node called suspect."""

    scans: list[Scan] = field(default_factory=list)
    accused: Counter[str] = field(
        default_factory=Counter
    )  # finding codes of weight 'hold' about innocent packs
    documents: Counter[str] = field(default_factory=Counter)  # that were sent: late, or prompt
    mistakes: Counter[str] = field(default_factory=Counter)  # in them

    def add(self, scan: Scan) -> None:
        """Count one scan."""
        self.scans.append(scan)

    def matrix(self) -> dict[Truth, Counter[str]]:
        """Scans by truth and word."""
        found: dict[Truth, Counter[str]] = {truth: Counter() for truth in Truth}
        for scan in self.scans:
            found[scan.truth][scan.word] += 1
        return found

    def first_words(self, truths: Collection[Truth]) -> dict[int, str]:
        """What each box of these truths was told when it was scanned first: a copy that passes once is sold."""
        found: dict[int, str] = {}
        for scan in self.scans:
            if scan.truth in truths:
                found.setdefault(scan.box, scan.word)
        return found

    def goals(self) -> tuple[Goal, ...]:
        """Planted boxes flagged, alerts that are real, innocent packs and files called suspect."""
        false = self.first_words(FALSE_BOXES)
        flagged = sum(word != Word.OK for word in false.values())
        alerts = [scan for scan in self.scans if scan.word == Word.SUSPECT]
        real = sum(scan.truth not in INNOCENT for scan in alerts)
        innocent = len({scan.box for scan in alerts if scan.truth in INNOCENT})
        return (
            _share("planted boxes flagged when scanned", GOAL_FLAGGED, flagged, len(false)),
            _share("alerts that are real", GOAL_REAL, real, len(alerts)),
            Goal("innocent packs called suspect", 0, innocent, innocent == 0),
            Goal("innocent files called suspect", 0, self.accused.total(), not self.accused),
        )

    @property
    def holds(self) -> bool:
        """Whether every goal is reached."""
        return all(goal.holds for goal in self.goals())

    def reasons(self) -> Mapping[Truth, Counter[str]]:
        """Why, by truth."""
        found: dict[Truth, Counter[str]] = {truth: Counter() for truth in Truth}
        for scan in self.scans:
            found[scan.truth][scan.reason] += 1
        return found

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "scans": len(self.scans),
            "documents": dict(self.documents),
            "mistakes": dict(self.mistakes),
            "matrix": {truth.value: dict(row) for truth, row in self.matrix().items()},
            "reasons": {truth.value: dict(row) for truth, row in self.reasons().items()},
            "accused": dict(self.accused),
            "goals": [
                {"name": goal.name, "asked": goal.asked, "reached": goal.reached, "holds": goal.holds}
                for goal in self.goals()
            ],
        }

    def text(self) -> str:
        """The matrix and the goals as a person reads them."""
        words = [word.value for word in Word]
        wide = max(len(truth) for truth in Truth)
        lines = [f"{'':{wide}}  " + "  ".join(words)]
        for truth, row in self.matrix().items():
            cells = (f"{row[word] or '·':>{len(word)}}" for word in words)
            lines.append(f"{truth:{wide}}  " + "  ".join(cells))
        lines.append("")
        for goal in self.goals():
            reached = "none happened" if goal.reached is None else f"{goal.reached:.3g}"
            verdict = "met" if goal.holds else "MISSED"
            lines.append(f"{verdict:6}  {goal.name}: {reached} (asked {goal.asked:.3g})")
        for code, count in sorted(self.accused.items()):
            lines.append(f"        {count} x {code}")
        return "\n".join(lines)


def _share(name: str, asked: float, part: int, whole: int) -> Goal:
    reached = part / whole if whole else None
    return Goal(name, asked, reached, reached is None or reached >= asked)
