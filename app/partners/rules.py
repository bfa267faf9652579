"""Who is an authorized trading partner, as of a moment (FD&C Act 581(2), 582; domain reference 1.1). Pure.

    judge("wholesaler", licences, exemptions, at)  ->  Standing(authorized=True, why="state licence W-20418 of ...")

It is asked about the time of the event and never about now: a licence that has run out since makes nothing wrong that
happened under it, and one that was renewed later puts nothing right that was not so then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

KINDS = ("maker", "repackager", "wholesaler", "3pl", "dispenser", "unknown")


class LicenceKind(StrEnum):
    """What a licence or registration is."""

    ESTABLISHMENT_REGISTRATION = "establishment_registration"  # FD&C Act 510
    STATE_LICENCE = "state_licence"
    FEDERAL_LICENCE = "federal_licence"  # 583, 584: not issued yet
    ANNUAL_REPORT = "annual_report"  # 503(e)(2), 584(b)


class Duty(StrEnum):
    """What an exemption is from."""

    AUTHORIZATION = "authorization"  # a waiver of having to be an authorized trading partner
    ELECTRONIC_EXCHANGE = "electronic_exchange"  # 582(g)(1)(A)-(F), such as FDA's of small dispensers


# Any one of these makes a party of that kind authorized. A 3PL counts as licensed until the federal rule is effective
# (582(a)(7)): its annual report is enough. What a document alone has named has no kind: any licence will do.
SUFFICES: dict[str, frozenset[LicenceKind]] = {
    "maker": frozenset({LicenceKind.ESTABLISHMENT_REGISTRATION}),
    "repackager": frozenset({LicenceKind.ESTABLISHMENT_REGISTRATION}),
    "wholesaler": frozenset({LicenceKind.STATE_LICENCE, LicenceKind.FEDERAL_LICENCE}),
    "3pl": frozenset(
        {LicenceKind.STATE_LICENCE, LicenceKind.FEDERAL_LICENCE, LicenceKind.ANNUAL_REPORT}
    ),
    "dispenser": frozenset({LicenceKind.STATE_LICENCE}),
    "unknown": frozenset(LicenceKind) - {LicenceKind.ANNUAL_REPORT},
}  # fmt: skip

CALLED = {
    LicenceKind.ESTABLISHMENT_REGISTRATION: "establishment registration",
    LicenceKind.STATE_LICENCE: "state licence",
    LicenceKind.FEDERAL_LICENCE: "federal licence",
    LicenceKind.ANNUAL_REPORT: "annual report",
}


def usual_kind(party_kind: str) -> LicenceKind:
    """What a licence of a party of this kind is, where nobody says: a maker registers, others are licensed."""
    registers = LicenceKind.ESTABLISHMENT_REGISTRATION in SUFFICES[party_kind] and party_kind != "unknown"
    return LicenceKind.ESTABLISHMENT_REGISTRATION if registers else LicenceKind.STATE_LICENCE


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence or registration: valid from `valid_from` to below `valid_until` or `ended_at`, the earlier one."""

    licence_id: int
    kind: LicenceKind
    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime | None = None
    ended_at: datetime | None = None
    ended_why: str = ""
    evidence: str = ""
    source: str = ""
    looked_up_at: datetime | None = None

    @property
    def end(self) -> datetime | None:
        """From when on it is not valid any more; None: open."""
        ends = [each for each in (self.valid_until, self.ended_at) if each is not None]
        return min(ends) if ends else None

    def is_valid(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.end is None or at < self.end)

    @property
    def title(self) -> str:
        return f"{CALLED[self.kind]} {self.number} of {self.authority}"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A party is exempt from a duty from `valid_from` to below `exempt_until`."""

    exemption_id: int
    covers: Duty
    valid_from: datetime
    exempt_until: datetime | None
    exempt_reason: str
    evidence: str = ""

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.exempt_until is None or at < self.exempt_until)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a party was authorized at a moment, by what, and why not. `why` is a sentence's end."""

    authorized: bool
    why: str
    licence: Licence | None = None
    exemption: Exemption | None = None


def judge(kind: str, licences: Iterable[Licence], exemptions: Iterable[Exemption], at: datetime) -> Standing:
    """Whether a party of this `kind` (one of `KINDS`) was an authorized trading partner at `at` (aware)."""
    listed = [each for each in licences if each.kind in SUFFICES[kind]]
    valid = sorted((each for each in listed if each.is_valid(at)), key=_longest)
    if valid:
        return Standing(True, valid[0].title, licence=valid[0])
    waived = [each for each in exemptions if each.covers is Duty.AUTHORIZATION and each.holds(at)]
    if waived:
        first = min(waived, key=lambda each: each.exemption_id)
        return Standing(True, f"exempt: {first.exempt_reason}", exemption=first)
    return Standing(False, _why_not(kind, listed, at))


def _longest(each: Licence) -> tuple[bool, float, int]:
    """The one that lasts longest comes first, of equals the one that was registered first."""
    return (each.end is not None, -each.end.timestamp() if each.end else 0.0, each.licence_id)


def _why_not(kind: str, listed: list[Licence], at: datetime) -> str:
    past = [each for each in listed if each.end is not None and each.end <= at]
    if past:
        last = max(past, key=lambda each: (each.end or at, each.licence_id))
        cut = last.ended_at is not None and last.end == last.ended_at
        how = (
            f"was ended on {last.end:%Y-%m-%d} ({last.ended_why})" if cut else f"ran out on {_last_day(last)}"
        )
        return f"its {last.title} {how}"
    if listed:
        first = min(listed, key=lambda each: (each.valid_from, each.licence_id))
        return f"its {first.title} begins on {first.valid_from:%Y-%m-%d} only"
    needed = " or ".join(sorted(CALLED[each] for each in SUFFICES[kind]))
    return f"no {needed} of it is on record here"


def _last_day(each: Licence) -> str:
    """The last day on which it was valid: ends are kept as the first moment after."""
    assert each.end is not None
    return f"{datetime.fromtimestamp(each.end.timestamp() - 1, each.end.tzinfo):%Y-%m-%d}"
