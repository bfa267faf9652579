"""An authority's request: who may ask for what reason, by when it is answered, and what it asks for. Pure.

The clocks are the Act's: 24 hours for manufacturers, wholesalers and repackagers (FD&C Act 582(m)), two business days
for dispensers (582(d)(1)(D), which 582(m) did not change)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from app.errors import Invalid
from ledger.gs1.epc import Lgtin, Sgtin
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin

LONGEST = 200  # characters of one field
HOURS_24 = timedelta(hours=24)
_DISPENSER_DAYS = 2


class Standing(StrEnum):
    """What entitles somebody to ask."""

    FDA = "fda"
    STATE = "state"
    PARTNER = "partner"  # an authorized trading partner that investigates suspect product, 582(g)(1)(E)


class Reason(StrEnum):
    """Why they ask: what the Act lets them ask for, and what inspections are."""

    RECALL = "recall"
    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"
    COMPLIANCE_AUDIT = "compliance_audit"
    INSPECTION = "inspection"


STANDINGS: Mapping[Standing, str] = {
    Standing.FDA: "U.S. Food and Drug Administration",
    Standing.STATE: "State authority",
    Standing.PARTNER: "Trading partner investigating suspect product",
}
REASONS: Mapping[Reason, str] = {
    Reason.RECALL: "Recall",
    Reason.SUSPECT: "Investigation of suspect product",
    Reason.ILLEGITIMATE: "Investigation of illegitimate product",
    Reason.COMPLIANCE_AUDIT: "Compliance audit",
    Reason.INSPECTION: "Inspection",
}
# A trading partner has no standing to audit or to inspect.
PARTNERS_REASONS = frozenset({Reason.SUSPECT, Reason.ILLEGITIMATE, Reason.RECALL})


def due_at(kind: str, received_at: datetime) -> datetime:
    """By when a company of this kind (app.partners) answers a request received at `received_at` (aware).

    Dispensers: the end of the second business day after it, in UTC; Saturdays, Sundays and federal holidays are none.
    """
    if kind != "dispenser":
        return received_at + HOURS_24
    day, left = received_at.astimezone(UTC).date(), _DISPENSER_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_business_day(day)
    return datetime.combine(day, time(23, 59, 59), UTC)


def is_business_day(day: date) -> bool:
    """Whether federal offices are open: no weekend and no holiday of 5 U.S.C. 6103(a), moved off the weekend."""
    return day.weekday() < 5 and day not in _holidays(day.year) | _holidays(day.year + 1)


def _holidays(year: int) -> frozenset[date]:
    fixed = [date(year, month, day) for month, day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))]
    observed = [day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0)) for day in fixed]
    mondays = (_nth(year, 1, 0, 3), _nth(year, 2, 0, 3), _nth(year, 9, 0, 1), _nth(year, 10, 0, 2))
    memorial = date(year, 5, 31) - timedelta(days=date(year, 5, 31).weekday())
    return frozenset((*observed, *mondays, memorial, _nth(year, 11, 3, 4)))


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: a package, a lot, a company's doings, a span of days; at least one of the first three."""

    gtin: str = ""
    serial: str = ""
    lot: str = ""
    gln: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Search":
        """Read a form's or a body's fields. Raises `Invalid` and says which does not do."""
        texts = {name: str(fields.get(name) or "").strip() for name in cls.__slots__}
        for name, text in texts.items():
            if len(text) > LONGEST:
                raise _invalid(name, f"at most {LONGEST} characters")
        try:
            gtin = Gtin.parse(texts["gtin"]).digits if texts["gtin"] else ""
            gln = Gln.parse(texts["gln"]).digits if texts["gln"] else ""
            if gtin and texts["serial"]:
                Sgtin(Gtin.parse(gtin), texts["serial"])
            if gtin and texts["lot"]:
                Lgtin(Gtin.parse(gtin), texts["lot"])
        except Gs1Error as error:
            raise _invalid("GTIN, serial, lot or GLN", error.message) from error
        if gtin and not (texts["serial"] or texts["lot"] or gln):
            raise _invalid("GTIN", "a GTIN alone is everything of a product: add a serial, a lot or a GLN")
        if (texts["serial"] or texts["lot"]) and not gtin:
            only = "A serial or lot is unique only with it."
            raise Invalid("request.search", "Give the GTIN too", only, "Add it and search again.")
        if not (gtin or gln):
            raise _invalid("what", "name a GTIN with serial or lot, or a GLN")
        since, until = (_day(name, texts[name]) for name in ("since", "until"))
        if since and until and until < since:
            raise _invalid("until", "it is before since")
        return cls(gtin, texts["serial"], texts["lot"], gln, since, until)

    def as_json(self) -> dict[str, str]:
        """The fields that are filled, as `parse` reads them."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: value if isinstance(value, str) else value.isoformat()
            for name, value in found.items()
            if value
        }

    def __str__(self) -> str:
        names = {
            "gtin": "GTIN",
            "serial": "serial",
            "lot": "lot",
            "gln": "GLN",
            "since": "since",
            "until": "until",
        }
        return ", ".join(f"{names[name]} {value}" for name, value in self.as_json().items())

    @property
    def package(self) -> str | None:
        """The canonical EPC of the package asked for."""
        return Sgtin(Gtin.parse(self.gtin), self.serial).canonical if self.gtin and self.serial else None

    @property
    def lot_key(self) -> str | None:
        """The canonical name of the lot asked for."""
        return Lgtin(Gtin.parse(self.gtin), self.lot).canonical if self.gtin and self.lot else None

    def named(self, lots: Mapping[str, str]) -> frozenset[str]:
        """The canonical names of what was asked for: the package, or the lot and what is of it among these packages
        (their lot by canonical EPC). A company's doings name none."""
        if self.package is not None:
            return frozenset({self.package})
        if self.lot_key is None:
            return frozenset()
        of_product = Sgtin(Gtin.parse(self.gtin), "0").canonical[:-1]
        inside = (epc for epc, lot in lots.items() if lot == self.lot and epc.startswith(of_product))
        return frozenset({self.lot_key, *inside})

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """From the first moment of `since` to the first after `until`, UTC; there is none after the last day."""
        start = datetime.combine(self.since, time(), UTC) if self.since else None
        ends = self.until is not None and self.until < date.max
        end = datetime.combine(self.until + timedelta(days=1), time(), UTC) if self.until and ends else None
        return start, end


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise _invalid(name, "write a day as 2026-03-31")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _invalid(name, "there is no such day") from error


def _invalid(what: str, why: str) -> Invalid:
    detail = f"{why[:1].upper()}{why[1:]}."
    return Invalid("request.search", f"This does not do: {what}", detail, "Correct it and search again.")
