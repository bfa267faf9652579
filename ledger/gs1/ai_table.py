"""The table of Application Identifiers: which there are, how long their values are, whether a GS must follow.

The table itself is biip's (its data, not its parser: its parser pairs and measures leniently). It is loaded when the
first barcode is read, because loading takes a third of a second that a document never needs. On top of biip's
patterns, which know length and characters, stand the checks *inside* a value: check digit, day and time::

    17   N6      six digits, no separator needed, a day of the calendar
    21   X..20   up to 20 characters of set 82, runs to GS or to the end
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ledger.gs1.check_digit import has_valid_check_digit
from ledger.gs1.dates import ExpiryDate
from ledger.gs1.errors import Gs1Code, Gs1Error, shown

if TYPE_CHECKING:
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier

# The slice of a value that ends in its check digit (GS1 General Specifications, section 3: all numeric keys).
_KEYS = {
    "00": (0, 18), "01": (0, 14), "02": (0, 14), "03": (0, 14), "253": (0, 13), "255": (0, 13), "402": (0, 17),
    "410": (0, 13), "411": (0, 13), "412": (0, 13), "413": (0, 13), "414": (0, 13), "415": (0, 13), "416": (0, 13),
    "417": (0, 13), "8003": (1, 14), "8006": (0, 14), "8017": (0, 18), "8018": (0, 18), "8026": (0, 14),
}  # fmt: skip
_DAY_OR_MONTH = frozenset({"11", "12", "13", "15", "16", "17"})
_MOMENT = frozenset({"7003", "7006", "7011", "8008", "4326"})
_MOMENT_OR_MONTH = frozenset({"4324", "4325"})
_TIME = re.compile(r"(?:(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){0,2})?")
_PART = re.compile(r"([NXYZ])(\.\.)?([0-9]+)")


@dataclass(frozen=True, slots=True)
class Ai:
    """One Application Identifier: `longest` is the greatest length of its value, `predefined` means no GS follows."""

    code: str
    title: str
    predefined: bool
    longest: int
    pattern: re.Pattern[str]

    def check(self, value: str) -> None:
        """Hold `value` against length, characters, check digit and calendar.

        Raises:
            Gs1Error: ``length``, ``charset``, ``check_digit`` or ``bad_date``.
        """
        what = f"({self.code}) {self.title}".rstrip()
        if not value:
            raise Gs1Error(Gs1Code.LENGTH, f"{what} is empty")
        if len(value) > self.longest:
            raise Gs1Error(
                Gs1Code.LENGTH,
                f"{what} has at most {self.longest} characters, {shown(value)} has {len(value)}",
            )
        if self.code in _DAY_OR_MONTH and len(value) == 6 and value.isdigit():
            ExpiryDate(value)
            return
        if self.pattern.fullmatch(self.code + value) is None:
            raise self._mismatch(what, value)
        if self.code in _KEYS:
            start, end = _KEYS[self.code]
            if start and value[0] != "0":
                raise Gs1Error(Gs1Code.CHARSET, f"{what} begins with 0: {shown(value)}")
            if not has_valid_check_digit(value[start:end]):
                raise Gs1Error(
                    Gs1Code.CHECK_DIGIT, f"the check digit of {what} {value[start:end]} is wrong: scan again"
                )
        elif self.code in _MOMENT or self.code in _MOMENT_OR_MONTH:
            self._check_moment(what, value)
        elif self.code == "7007":
            for day in (value[:6], value[6:]):
                _full_day(day) if day else None

    def _mismatch(self, what: str, value: str) -> Gs1Error:
        """Whether `value` fails by its length or by its characters: biip's pattern does not say."""
        if value.isascii() and value.isdigit():
            return Gs1Error(Gs1Code.LENGTH, f"{what} has another length than {shown(value)}")
        if self.predefined and len(value) < self.longest:
            return Gs1Error(
                Gs1Code.LENGTH, f"{what} has {self.longest} digits, {shown(value)} has {len(value)}"
            )
        return Gs1Error(Gs1Code.CHARSET, f"{what} cannot be {shown(value)}")

    def _check_moment(self, what: str, value: str) -> None:
        day, time = value[:6], value[6:]
        if self.code in _MOMENT:
            _full_day(day)
        else:
            ExpiryDate(day)
            if time == "9999":  # no time given (GS1 General Specifications, section 3.8.24)
                return
        if _TIME.fullmatch(time) is None:
            raise Gs1Error(Gs1Code.BAD_DATE, f"{what} ends in no time of day: {shown(value)}")


def _full_day(text: str) -> None:
    if ExpiryDate(text).day_zero:
        raise Gs1Error(Gs1Code.BAD_DATE, f"{text} (YYMMDD) leaves the day open where a day is required")


def _longest(value_format: str) -> int:
    """The greatest length that e.g. ``N13[+X..17]`` allows."""
    return sum(int(size) for _, _, size in _PART.findall(value_format))


def _from_biip(entry: "GS1ApplicationIdentifier") -> Ai:
    # The format begins with the identifier's own digits: N2+X..20.
    longest = _longest(entry.format) - len(entry.ai)
    return Ai(
        entry.ai, entry.data_title, not entry.separator_required, longest, re.compile(entry.pattern[1:-1])
    )


@lru_cache(maxsize=4096)
def _starting(prefix: str) -> Ai | None:
    from biip import ParseError
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier

    try:
        return _from_biip(GS1ApplicationIdentifier.extract(prefix))
    except ParseError:
        return None


def at_start_of(text: str) -> Ai | None:
    """The Application Identifier that `text` begins with. They form a prefix code: there is one at most."""
    prefix = text[:4]
    if not prefix.isdigit() and not prefix[:2].isdigit():
        return None
    return _starting(prefix)


def named(code: str) -> Ai | None:
    """The Application Identifier `code`, exactly."""
    found = at_start_of(code)
    return found if found is not None and found.code == code else None
