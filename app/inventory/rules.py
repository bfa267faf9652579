"""What a company has, as lines that people read: counts put together, states, filters, pages. Pure.

A line is a product, a lot and an expiry, with how many packages are here, on their way, and stopped::

    Sonnenal 20 mg   LOT42   2028-05-31   120 here in 12 cases, 3 loose; 10 on hold; 24 on their way

States may overlap: what is recalled may be on hold, and expire next week.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.custody.stock import Counted
from app.errors import Invalid
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin

EXPIRING_DAYS = 90
"""How many days before its expiry a package counts as expiring soon; ours: what most returns policies ask for."""
PAGE_LINES = 50
MOST_LINES = 5_000  # groups of one answer; of more, a GTIN has to be named
LONGEST_LOT = 20  # characters, GS1 General Specifications, section 3.4.1


class Show(StrEnum):
    """Which lines are asked for. Those in `OF_HERE` are told by what is here alone."""

    ALL = "all"
    HERE = "here"
    COMING = "coming"
    HELD = "held"
    RECALLED = "recalled"
    EXPIRED = "expired"
    SOON = "soon"


OF_HERE = frozenset({Show.HERE, Show.HELD, Show.EXPIRED, Show.SOON})


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see. `gtin` has 14 digits; '' is any."""

    gtin: str = ""
    lot: str = ""
    show: Show = Show.ALL

    @classmethod
    def parse(cls, gtin: str = "", lot: str = "", show: str = "") -> "Asked":
        """What was typed: a GTIN of 8 to 14 digits, or a whole label, which names its lot too. Raises `Invalid`."""
        gtin, lot = gtin.strip(), lot.strip()
        if len(lot) > LONGEST_LOT:
            raise Invalid("inventory.lot", "That is no lot", lot[:40], "A lot has up to 20 characters.")
        if show and show not in set(Show):
            raise Invalid("inventory.show", "No such choice", show[:40], ", ".join(Show))
        chosen = Show(show) if show else Show.ALL
        if not gtin:
            return cls("", lot, chosen)
        try:
            if gtin.isascii() and gtin.isdigit() and len(gtin) <= 14:
                return cls(Gtin.parse(gtin).digits, lot, chosen)
            scan = parse_scan(gtin[:200].encode("utf-8", "replace"))
        except Gs1Error as error:
            raise Invalid(
                "inventory.gtin", "That is no GTIN", error.message, "Type its digits, or scan a pack's label."
            ) from error
        if scan.gtin is None:
            raise Invalid(
                "inventory.gtin", "That names no product", gtin[:40], "Type a GTIN, or scan a pack's label."
            )
        return cls(scan.gtin.digits, lot or scan.lot or "", chosen)

    def __str__(self) -> str:
        parts = (self.gtin and f"GTIN {self.gtin}", self.lot and f"lot {self.lot}")
        return ", ".join(filter(None, (*parts, "" if self.show is Show.ALL else self.show.value))) or "all"


@dataclass(frozen=True, slots=True)
class Line:
    """One product, lot and expiry. `here`: packages in the company's custody, in so many `containers` and so many
    `loose`; `held`, `recalled`: of those; `usable`: neither; `coming`: on their way to it, `coming_stopped` of these on
    hold or recalled; `short`: the container where they should be, or their case, was opened without them, so they are
    neither here nor on their way, whoever answers for them by the record."""

    gtin: str
    name: str
    lot: str
    expiry: date | None
    here: int = 0
    containers: int = 0
    loose: int = 0
    held: int = 0
    recalled: int = 0
    usable: int = 0
    coming: int = 0
    coming_stopped: int = 0
    short: int = 0

    def expired(self, today: date) -> bool:
        """Whether its last day is over (as the verdict has it)."""
        return self.expiry is not None and self.expiry < today

    def expires_soon(self, today: date) -> bool:
        """Whether it can still be used, and not for long."""
        return self.expiry is not None and today <= self.expiry <= today + timedelta(days=EXPIRING_DAYS)

    def matches(self, show: Show, today: date) -> bool:
        """Whether the line is asked for."""
        return {
            Show.ALL: True,
            Show.HERE: self.here > 0,
            Show.COMING: self.coming + self.short > 0,
            Show.HELD: self.held > 0,
            Show.RECALLED: self.recalled > 0 or self.coming_stopped > 0,
            Show.EXPIRED: self.here > 0 and self.expired(today),
            Show.SOON: self.here > 0 and self.expires_soon(today),
        }[show]


@dataclass(frozen=True, slots=True)
class Totals:
    """All lines together, in packages."""

    here: int
    coming: int
    short: int
    held: int
    recalled: int
    expired: int
    soon: int
    coming_stopped: int

    @classmethod
    def of(cls, lines: Iterable[Line], today: date) -> "Totals":
        found = list(lines)
        return cls(
            here=sum(line.here for line in found),
            coming=sum(line.coming for line in found),
            short=sum(line.short for line in found),
            held=sum(line.held for line in found),
            recalled=sum(line.recalled for line in found),
            expired=sum(line.here for line in found if line.expired(today)),
            soon=sum(line.here for line in found if line.expires_soon(today)),
            coming_stopped=sum(line.coming_stopped for line in found),
        )


def lines_of(counted: Sequence[Counted], names: Mapping[str, str]) -> list[Line]:
    """The lines, by product, what expires first before what expires later. `names`: of products by GTIN."""
    grouped: dict[tuple[str, str, date | None], list[Counted]] = {}
    for each in counted:
        grouped.setdefault((each.gtin, each.lot or "", each.expiry), []).append(each)
    found = [
        _line(gtin, names.get(gtin, ""), lot, expiry, parts) for (gtin, lot, expiry), parts in grouped.items()
    ]
    return sorted(
        found, key=lambda line: (line.name.casefold(), line.gtin, line.expiry or date.max, line.lot)
    )


def _line(gtin: str, name: str, lot: str, expiry: date | None, parts: Sequence[Counted]) -> Line:
    there = [each for each in parts if not each.missing]
    here = [each for each in there if not each.coming]
    coming = [each for each in there if each.coming]
    return Line(
        gtin,
        name,
        lot,
        expiry,
        here=sum(each.packages for each in here),
        containers=sum(each.containers for each in here),
        loose=sum(each.loose for each in here),
        held=sum(each.held for each in here),
        recalled=sum(each.recalled for each in here),
        usable=sum(each.usable for each in here),
        coming=sum(each.packages for each in coming),
        coming_stopped=sum(each.packages - each.usable for each in coming),
        short=sum(each.packages for each in parts if each.missing),
    )
