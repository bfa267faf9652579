"""Global Trade Item Number: which product, at which packaging level.

Stored as 14 digits always, so that a product has one spelling however it was printed::

    GTIN-8   12345670         ->  00000012345670
    GTIN-12  312345678906     ->  00312345678906
    GTIN-14  50312345678901       indicator 5: a case
"""

from dataclasses import dataclass

from ledger.gs1.check_digit import check_digit, require_key
from ledger.gs1.errors import Gs1Code, Gs1Error, shown

_LENGTHS = (8, 12, 13, 14)


@dataclass(frozen=True, slots=True, order=True)
class Gtin:
    """A GTIN of 14 digits with a valid check digit (GS1 General Specifications, section 3.3.2)."""

    digits: str

    def __post_init__(self) -> None:
        require_key(self.digits, 14, "GTIN-14")

    @classmethod
    def parse(cls, text: str) -> "Gtin":
        """Read a GTIN-8, -12, -13 or -14 and pad it to 14 digits.

        Raises:
            Gs1Error: ``empty``, ``charset``, ``length`` or ``check_digit``.
        """
        if text and text.isascii() and text.isdigit() and len(text) not in _LENGTHS:
            raise Gs1Error(
                Gs1Code.LENGTH, f"a GTIN has 8, 12, 13 or 14 digits, {shown(text)} has {len(text)}"
            )
        return cls(text.zfill(14) if text else text)

    @property
    def indicator(self) -> int:
        """The first digit: 0 for the base unit, 1 to 8 for packaging levels, 9 for variable measure."""
        return int(self.digits[0])

    @property
    def ndc10_digits(self) -> str | None:
        """The ten digits after prefix 03, where a US drug has its NDC; `None` under another prefix.

        Not every GTIN of prefix 03 is an NDC, and digits alone do not tell where the dashes go: compare with
        master data before calling it one.
        """
        return self.digits[3:13] if self.digits[1:3] == "03" else None

    def with_indicator(self, indicator: int) -> "Gtin":
        """The same item reference at another packaging level, its check digit computed anew.

        Raises:
            Gs1Error: ``length`` for an indicator that is not one digit.
        """
        if not 0 <= indicator <= 9:
            raise Gs1Error(Gs1Code.LENGTH, f"an indicator is one digit, not {indicator}")
        body = f"{indicator}{self.digits[1:13]}"
        return Gtin(body + check_digit(body))

    def __str__(self) -> str:
        return self.digits
