"""Dates as barcodes and as documents write them.

A barcode has no century: ``YYMMDD`` is read within 49 years past and 50 years to come (GS1 General Specifications,
section 7.12), so its day depends on when it is read and `today` is passed in. Day ``00`` means the last day of the
month; since 2025 it is not permitted on medicines, so it is read and flagged, never printed::

    280531   2028-05-31
    280200   2028-02-29, day_zero
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from ledger.gs1.errors import Gs1Code, Gs1Error, shown

_SIX = re.compile(r"[0-9]{6}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _full_year(yy: int, today: date) -> int:
    """The year that ends in `yy` and lies from 49 years before `today` to 50 after."""
    ahead = (yy - today.year) % 100
    return today.year + (ahead if ahead <= 50 else ahead - 100)


@dataclass(frozen=True, slots=True)
class ExpiryDate:
    """A ``YYMMDD`` from a barcode; a day of the calendar, or day 00 of a month.

    Raises:
        Gs1Error: ``bad_date``.
    """

    yymmdd: str

    def __post_init__(self) -> None:
        text = self.yymmdd
        if _SIX.fullmatch(text) is None:
            raise Gs1Error(Gs1Code.BAD_DATE, f"a date in a barcode is YYMMDD, not {shown(text)}")
        year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
        # 2000 stands for the unknown century: as a leap year it admits 29 February of year 00.
        if not 1 <= month <= 12 or day > calendar.monthrange(2000 + year, month)[1]:
            raise Gs1Error(Gs1Code.BAD_DATE, f"{text} (YYMMDD) is no day of the calendar")

    @classmethod
    def parse(cls, text: str) -> "ExpiryDate":
        """Read six digits; the same as the constructor, named as everywhere else."""
        return cls(text)

    @classmethod
    def of(cls, day: date) -> "ExpiryDate":
        """`day` as a barcode carries it."""
        return cls(to_yymmdd(day))

    @property
    def day_zero(self) -> bool:
        """Whether the day was left open (``00``), which medicines may not do since 2025."""
        return self.yymmdd.endswith("00")

    def on(self, today: date) -> date:
        """The day meant, as read on `today`: the last of the month where the day was left open.

        Raises:
            Gs1Error: ``bad_date`` for 29 February of a year 00 that turns out to be 2100.
        """
        year, month = _full_year(int(self.yymmdd[:2]), today), int(self.yymmdd[2:4])
        last = calendar.monthrange(year, month)[1]
        day = int(self.yymmdd[4:]) or last
        if day > last:
            raise Gs1Error(Gs1Code.BAD_DATE, f"{self.yymmdd} (YYMMDD) is no day of {year}")
        return date(year, month, day)

    def __str__(self) -> str:
        return self.yymmdd


def from_yymmdd(text: str, today: date) -> date:
    """The day a barcode's ``YYMMDD`` means when read on `today`.

    Raises:
        Gs1Error: ``bad_date``.
    """
    return ExpiryDate(text).on(today)


def to_yymmdd(day: date) -> str:
    """`day` without its century, as barcodes and VRS messages write it."""
    return f"{day.year % 100:02}{day.month:02}{day.day:02}"


def parse_iso_date(text: str) -> date:
    """Read a strict ``YYYY-MM-DD``, as EPCIS writes expiry dates; no week dates, no times, no other digits.

    Raises:
        Gs1Error: ``bad_date``.
    """
    if _ISO.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise Gs1Error(Gs1Code.BAD_DATE, f"a date is a day of the calendar as YYYY-MM-DD, not {shown(text)}")
