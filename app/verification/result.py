"""What one scan was answered with: the verdict, what the label says, and what the record says to whom it concerns."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from app.cases.blocking import Blocking
from app.products.service import Product
from app.verification import rules
from app.verification.rules import Chase
from app.vrs.asking import Said
from ledger.custody.dock import MOST_APART, is_taken_whole
from ledger.custody.state import Item
from ledger.custody.verdict import Reason, Verdict, Word


@dataclass(frozen=True, slots=True)
class Label:
    """What the label itself says."""

    gtin: str | None = None
    serial: str | None = None
    lot: str | None = None
    expiry: date | None = None
    sscc: str | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What the record says, to a party that it concerns."""

    lot: str | None
    expiry: str | None
    status: str
    yours: bool
    owned: bool
    in_transit: bool
    inferred: bool
    inside: tuple[str, ...]
    last_custodian: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Apart:
    """A package inside that is to be set apart: its EPC, its word and why, and the EPC of what it lies in directly."""

    epc: str
    word: Word
    reason: Reason
    inside: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is inside a container: how many packages, how many of each verdict, and how many are only inferred.
    `apart`: those to be set apart, at most `ledger.custody.dock.MOST_APART`."""

    packages: int
    by_word: dict[str, int]
    inferred: int
    missing: int
    apart: tuple[Apart, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One answered scan."""

    check_id: str
    at: datetime
    verdict: Verdict
    raw: bytes
    subject: str | None
    label: Label
    product: Product | None
    record: Record | None
    contents: Contents | None
    licensed: bool | None
    latency_ms: float
    maker_said: Said | None = None
    near: str = ""
    chase: Chase | None = None
    blocked_by: tuple[Blocking, ...] = ()
    site: str | None = None  # the GLN of the asker's site where it was scanned, where that was said
    knowledge_age_s: int = 0  # asked of the ledger itself: of this moment

    @property
    def partly(self) -> bool:
        """Whether the verdict is that of some of the packages in a container, and not of all."""
        if self.contents is None or self.verdict.reason is Reason.OK:
            return False
        return 0 < self.contents.by_word.get(self.verdict.word.value, 0) < self.contents.packages

    @property
    def next_step(self) -> str:
        """What to do next: the verdict's, unless something beside it says more."""
        return rules.OPEN_IT if self.partly else rules.next_step(self.verdict, self.near, self.blocked_by)


def set_apart(packages: Iterable[Item], verdicts: Iterable[Verdict]) -> tuple[Apart, ...]:
    """Those of the packages with which nobody may go on, by EPC; of more than `MOST_APART` the first."""
    stopped = sorted(
        (item.key, verdict.word, verdict.reason, item.parent or "")
        for item, verdict in zip(packages, verdicts, strict=True)
        if not is_taken_whole(verdict.word)
    )
    return tuple(Apart(*each) for each in stopped[:MOST_APART])
