"""What a recall is about, how grave it is, by when it is answered, and how well it reached everybody. Pure.

FDA's classes are those of 21 CFR 7.3(m); how soon a notice is to be answered is not in the law and is ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.errors import Invalid
from ledger.gs1.epc import Lgtin, Sgtin
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin

MOST_LOTS = 200
MOST_SERIALS = 5_000
LONGEST_REASON = 500  # characters
MOST_PACKAGES = 100_000_000


class RecallClass(StrEnum):
    """How dangerous the product is (21 CFR 7.3(m)); `NONE` before the FDA has classified it, or a market withdrawal."""

    I = "I"  # noqa: E741 - that is its name
    II = "II"
    III = "III"
    NONE = "none"


CLASSES: dict[RecallClass, tuple[str, timedelta]] = {
    RecallClass.I: ("Class I: may cause serious harm or death", timedelta(days=1)),
    RecallClass.II: ("Class II: may cause passing or reversible harm", timedelta(days=3)),
    RecallClass.III: ("Class III: not likely to cause harm", timedelta(days=5)),
    RecallClass.NONE: ("Not classified yet, or a market withdrawal", timedelta(days=3)),
}
"""What each class is called, and within how long whoever has the product answers."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is recalled: some packages of a GTIN by serial, or lots of it, or (neither given) every lot of it."""

    gtin: Gtin
    lots: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()

    @classmethod
    def parse(cls, gtin: str, lots: Iterable[str] = (), serials: Iterable[str] = ()) -> "Scope":
        """The scope as somebody gave it; each lot and serial once. Raises `Invalid`."""
        chosen_lots = tuple(dict.fromkeys(lot for lot in lots if lot))
        chosen = tuple(dict.fromkeys(serial for serial in serials if serial))
        if chosen_lots and chosen:
            raise Invalid(
                "recall.scope",
                "Name lots or serials, not both",
                "A recall by serial is about these packages alone; one by lot is about all packages of it.",
                "Make two recalls where you mean both.",
            )
        if len(chosen_lots) > MOST_LOTS or len(chosen) > MOST_SERIALS:
            raise Invalid(
                "recall.scope",
                "Too many at once",
                f"{len(chosen_lots)} lots, {len(chosen)} serials",
                f"At most {MOST_LOTS} lots or {MOST_SERIALS} serials; make several recalls.",
            )
        try:
            made = cls(Gtin.parse(gtin), chosen_lots, chosen)
            made.keys()
        except Gs1Error as error:
            raise Invalid(
                "lot.invalid", "That names no product or lot", str(error), "Give them as printed on the pack."
            ) from error
        return made

    def keys(self) -> tuple[str, ...]:
        """The canonical EPCs of what is named: lots, or packages."""
        lots = tuple(Lgtin(self.gtin, lot).canonical for lot in self.lots)
        return lots or tuple(Sgtin(self.gtin, serial).canonical for serial in self.serials)

    @property
    def said(self) -> str:
        """The scope in one line."""
        if self.serials:
            return f"{len(self.serials)} package{'s' if len(self.serials) > 1 else ''} by serial"
        if not self.lots:
            return "all lots"
        shown = ", ".join(self.lots[:5])
        return f"lot{'s' if len(self.lots) > 1 else ''} {shown}{', ...' if len(self.lots) > 5 else ''}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a consignee did with the packages it found. All noughts: it searched and has none."""

    quarantined: int = 0
    returned: int = 0
    destroyed: int = 0
    gone: int = 0  # dispensed or passed on before it was told

    @classmethod
    def parse(cls, **texts: object) -> "Counts":
        """The counts as a form or an interface gave them. Raises `Invalid` for what is no count."""
        numbers: dict[str, int] = {}
        for name, text in texts.items():
            cleaned = str(text or "0").strip() or "0"
            if not (cleaned.isascii() and cleaned.isdigit()) or int(cleaned[:12]) > MOST_PACKAGES:
                raise Invalid("recall.count", "A count is a whole number", f"{name}: {cleaned[:20]!r}")
            numbers[name] = int(cleaned[:12])
        return cls(**numbers)

    @property
    def total(self) -> int:
        return self.quarantined + self.returned + self.destroyed + self.gone


@dataclass(frozen=True, slots=True)
class Effect:
    """How well a recall reached those it went to, in parties and in packages."""

    told: int
    acknowledged: int
    answered: int
    packages: int
    accounted: int

    @property
    def acknowledged_percent(self) -> int:
        return _percent(self.acknowledged, self.told)

    @property
    def answered_percent(self) -> int:
        return _percent(self.answered, self.told)

    @property
    def accounted_percent(self) -> int:
        return _percent(self.accounted, self.packages)


def _percent(part: int, whole: int) -> int:
    """Rounded down, so that 100 % means all; 100 where there was nobody to reach."""
    return min(100, part * 100 // whole) if whole else 100
