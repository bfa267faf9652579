"""What an audit of the stored rows found, as data: which row, what it should be, and what rests on it.

The ledger's own audit (`ledger.store.fsck`) writes these, and so does whoever audits tables that stand beside the
ledger::

    entry 41, column body: expected the bytes whose hash is 5f0c..., found bytes whose hash is 91ab... (I3).
    Rests on it: entry 41 and every root, proof and checkpoint of more than 41 entries.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MAX_FINDINGS: Final = 100
"""More say no more: the first one is where to look."""


@dataclass(frozen=True, slots=True)
class FsckFinding:
    """One row that is not what it must be. `invariant`: its short name on the ledger's page, such as ``I3``."""

    invariant: str
    table: str
    key: str
    column: str
    expected: str
    found: str
    consequence: str

    @property
    def message(self) -> str:
        """The finding in one paragraph."""
        return (
            f"{self.table} {self.key}, column {self.column}: expected {self.expected}, found {self.found} "
            f"({self.invariant}). Rests on it: {self.consequence}."
        )


@dataclass(slots=True)
class FsckReport:
    """All findings, the first broken row first, and how many rows of each kind were looked at."""

    findings: list[FsckFinding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, finding: FsckFinding) -> None:
        """Add a finding; beyond `MAX_FINDINGS` only their number is kept."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)
        else:
            self.suppressed += 1


def short(data: bytes | None) -> str:
    """Bytes for a person: hex, at most 16 characters of it."""
    if data is None:
        return "nothing"
    return data.hex() if len(data) <= 8 else f"{data[:8].hex()}..."
