"""How long records are kept, from when, and what a legal hold keeps beyond that (domain reference 1.5). Pure.

    TRANSACTION      transaction information and statement   six years from the transaction   582(b)(1)(C) and so on
    IDENTIFIERS      product identifiers                     six years from the transaction   582(b)(2)(A)(iv)
    SUSPECT          a suspect product's file                six years from the end of the investigation
    ILLEGITIMATE     an illegitimate product's file          six years from the end of its disposition
    REPACKAGING      new to old product identifiers          six years from the repackaging        582(e)(2)(A)(iv)

What has not begun to run has no end: it is kept. 'May be purged' means that no rule here stands against it; nothing is
deleted (docs/decisions/0047).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime
from enum import StrEnum

YEARS = 6


class RecordType(StrEnum):
    """What is kept."""

    TRANSACTION = "transaction"
    IDENTIFIERS = "identifiers"
    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"
    REPACKAGING = "repackaging"


CALLED = {
    RecordType.TRANSACTION: ("Transaction information and statements", "the transaction"),
    RecordType.IDENTIFIERS: ("Product identifiers", "the transaction"),
    RecordType.SUSPECT: ("Files of suspect products", "the end of the investigation"),
    RecordType.ILLEGITIMATE: ("Files of illegitimate products", "the end of the disposition"),
    RecordType.REPACKAGING: ("Links of repackaged products", "the repackaging"),
}


class About(StrEnum):
    """What a legal hold keeps."""

    EVERYTHING = "everything"
    PARTY = "party"  # a GLN
    GTIN = "gtin"
    LOT = "lot"  # a canonical EPC
    PACKAGE = "package"  # a canonical EPC of a package or a container


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold that is in force."""

    hold_id: str
    kind: About
    about: str
    reason: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that is kept. `started`: from when its years run; None: they have not begun. `count`: how many it
    stands for (packages in a sale)."""

    type: RecordType
    key: str
    started: datetime | None
    parties: frozenset[str] = frozenset()
    things: frozenset[str] = frozenset()
    """GTINs, and canonical EPCs of lots, packages and containers."""
    count: int = 1


def keep_until(started: datetime) -> datetime:
    """The first moment at which six years are over: 29 February ends on 1 March. A day that somebody wrote so far ahead
    that no calendar has its end is kept for ever."""
    if started.year + YEARS > MAXYEAR:
        return datetime.max.replace(tzinfo=started.tzinfo)
    try:
        return started.replace(year=started.year + YEARS)
    except ValueError:
        return started.replace(year=started.year + YEARS, month=3, day=1)


def holds_of(record: Record, holds: Iterable[Hold]) -> list[Hold]:
    """The holds that keep this record."""
    return [
        each
        for each in holds
        if each.kind is About.EVERYTHING
        or (each.kind is About.PARTY and each.about in record.parties)
        or (each.kind not in (About.EVERYTHING, About.PARTY) and each.about in record.things)
    ]


class Fate(StrEnum):
    """What may be done with a record now."""

    KEPT = "kept"  # its six years are not over
    OPEN = "open"  # they have not begun
    HELD = "held"  # they are over, and a hold keeps it
    FREE = "free"  # no rule keeps it


def fate(record: Record, holds: Iterable[Hold], now: datetime) -> Fate:
    """What may be done with `record` at `now` (aware)."""
    if record.started is None:
        return Fate.OPEN
    if now < keep_until(record.started):
        return Fate.KEPT
    return Fate.HELD if holds_of(record, holds) else Fate.FREE


@dataclass(slots=True)
class Line:
    """What the report says of one type: how many of each fate, and when the next of them may go."""

    type: RecordType
    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    oldest: datetime | None = None
    next_free: datetime | None = None
    held_by: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def report(records: Iterable[Record], holds: Iterable[Hold], now: datetime) -> list[Line]:
    """One line for each type, in their order. `held_by` also counts what a hold would keep beyond its years."""
    listed = list(holds)
    lines = {each: Line(each) for each in RecordType}
    for record in records:
        line = lines[record.type]
        line.counts[fate(record, listed, now)] += record.count
        for each in holds_of(record, listed):
            line.held_by[each.hold_id] = line.held_by.get(each.hold_id, 0) + record.count
        if record.started is None:
            continue
        line.oldest = record.started if line.oldest is None else min(line.oldest, record.started)
        ends = keep_until(record.started)
        if ends > now:
            line.next_free = ends if line.next_free is None else min(line.next_free, ends)
    return list(lines.values())
