"""National Drug Code: how US law names a drug, and how it sits in a GTIN.

An NDC has three segments, and only its dashes tell where they end: ten digits alone could be 4-4-2, 5-3-2 or 5-4-1.
Master data therefore keeps the dashed form (21 CFR 207.33)::

    1234-5678-90   NDC-10, 4-4-2
                   -> NDC-11 (billing) 01234-5678-90: the short segment padded to 5-4-2
                   -> GTIN 00312345678906: 0, prefix 03, the ten digits, check digit
                   -> GTIN of a case 50312345678901: indicator 5, check digit computed anew
    123456-7890-12 NDC-12, 6-4-2: does not fit a GTIN; AI (715) carries it
"""

import re
from dataclasses import dataclass

from ledger.gs1.check_digit import check_digit
from ledger.gs1.errors import Gs1Code, Gs1Error, shown
from ledger.gs1.gtin import Gtin

_SEGMENTS = re.compile(r"([0-9]{4,6})-([0-9]{3,4})-([0-9]{1,2})")
_TEN = ((4, 4, 2), (5, 3, 2), (5, 4, 1))
_ELEVEN = (5, 4, 2)
_TWELVE = (6, 4, 2)
HIGHEST_INDICATOR = 8
"""9 means variable measure, which no drug has."""


@dataclass(frozen=True, slots=True)
class Ndc:
    """An NDC of 10, 11 or 12 digits by its segments; make it with `parse`."""

    labeler: str
    product: str
    package: str

    def __post_init__(self) -> None:
        if _SEGMENTS.fullmatch(str(self)) is None or self._form not in (*_TEN, _ELEVEN, _TWELVE):
            raise Gs1Error(
                Gs1Code.BAD_NDC,
                f"{shown(str(self))} is no NDC: its segments have 4-4-2, 5-3-2, 5-4-1, 5-4-2 or 6-4-2 digits",
            )

    @classmethod
    def parse(cls, text: str) -> "Ndc":
        """Read a dashed NDC. Digits without dashes are refused: they do not tell where the segments end.

        Raises:
            Gs1Error: ``bad_ndc``.
        """
        match = _SEGMENTS.fullmatch(text)
        if match is None:
            raise Gs1Error(
                Gs1Code.BAD_NDC,
                f"{shown(text)} is no NDC: write it with its dashes, as on the label (1234-5678-90)",
            )
        return cls(*match.groups())

    @property
    def _form(self) -> tuple[int, int, int]:
        return len(self.labeler), len(self.product), len(self.package)

    @property
    def digits(self) -> str:
        """All digits without dashes: 10, 11 or 12."""
        return self.labeler + self.product + self.package

    @property
    def ndc11(self) -> str:
        """The billing form 5-4-2, dashed: the short segment padded with a zero.

        Raises:
            Gs1Error: ``bad_ndc`` for an NDC of 12 digits, which has none.
        """
        if self._form == _TWELVE:
            raise Gs1Error(Gs1Code.BAD_NDC, f"NDC {self} has 12 digits and no 11-digit form")
        return f"{self.labeler.zfill(5)}-{self.product.zfill(4)}-{self.package.zfill(2)}"

    def gtin(self, indicator: int = 0) -> Gtin:
        """The GTIN of the package (`indicator` 0) or of a packaging level above it (1 to 8).

        Raises:
            Gs1Error: ``bad_ndc`` for an NDC that is not of 10 digits, or for an indicator outside 0 to 8.
        """
        if self._form not in _TEN:
            raise Gs1Error(
                Gs1Code.BAD_NDC, f"NDC {self} does not fit a GTIN, which holds 10 digits: AI (715) carries it"
            )
        if not 0 <= indicator <= HIGHEST_INDICATOR:
            raise Gs1Error(
                Gs1Code.BAD_NDC, f"the indicator of a drug is 0 to {HIGHEST_INDICATOR}, not {indicator}"
            )
        body = f"{indicator}03{self.digits}"
        return Gtin(body + check_digit(body))

    def is_in(self, gtin: Gtin) -> bool:
        """Whether `gtin`, at any packaging level, holds this NDC's ten digits."""
        return self._form in _TEN and gtin.ndc10_digits == self.digits

    def __str__(self) -> str:
        return f"{self.labeler}-{self.product}-{self.package}"


def from_ndc11(text: str) -> tuple[Ndc, ...]:
    """The NDC-10s that a billing NDC of 11 digits, dashed 5-4-2 or bare, may stand for.

    More than one where more than one segment begins with zero; none where no segment does.

    Raises:
        Gs1Error: ``bad_ndc``.
    """
    digits = text.replace("-", "")
    if re.fullmatch(r"[0-9]{5}-[0-9]{4}-[0-9]{2}|[0-9]{11}", text) is None:
        raise Gs1Error(Gs1Code.BAD_NDC, f"an NDC-11 is 5-4-2 digits, not {shown(text)}")
    segments = (digits[:5], digits[5:9], digits[9:])
    return tuple(
        Ndc(*(part[1:] if place == short else part for place, part in enumerate(segments)))
        for short in range(3)
        if segments[short][0] == "0"
    )
