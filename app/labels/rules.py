"""What may stand on a label: checked before anything is drawn.

The encoder would write a wrong check digit with a warning on standard error only, and a label that is printed cannot
be taken back, so a label is a value that cannot exist wrongly::

    PackageLabel.parse(gtin="00399999001014", serial="A1B2", lot="L7", expiry="2028-05-31")
    PackageLabel.parse(..., expiry="280500")     LabelError label-day-zero

Carriers (dscsa.md, section 2.3): packages and homogeneous cases carry 01, 21, 17, 10 in a GS1 DataMatrix, logistic
units their SSCC (00) in a GS1-128.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

from ledger.gs1.charset import require_value
from ledger.gs1.dates import ExpiryDate, from_yymmdd, parse_iso_date, to_yymmdd
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

LONGEST_SERIAL = 20
LONGEST_LOT = 20
LONGEST_TEXT = 60
MOST_ADDRESS_LINES = 4

Elements = tuple[tuple[str, str], ...]

_YYMMDD = re.compile(r"[0-9]{6}")


class LabelError(Exception):
    """A label that may not be printed; `code` is stable, the text is for people.

    Codes: ``label-gtin``, ``label-serial``, ``label-lot``, ``label-expiry``, ``label-day-zero``, ``label-sscc``,
    ``label-text``, ``label-size`` (an unsupported resolution), ``label-symbol`` (the encoder refused), ``label-link``
    (a stem that makes no Digital Link) and ``label-readback`` (what was drawn does not read as what was meant).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class PackageLabel:
    """One package's or homogeneous case's label.

    `gtin`, `serial`, `lot`, `expiry` go into the symbol and below it; the others are printed only. `strength` and
    `form` as on the carton ('20 mg', 'tablets'), `quantity` its contents ('90 tablets'), `ndc` dashed.
    """

    gtin: Gtin
    serial: str
    lot: str
    expiry: date
    product_name: str = ""
    strength: str = ""
    form: str = ""
    quantity: str = ""
    ndc: str = ""
    maker: str = ""
    prescription_only: bool = True

    def __post_init__(self) -> None:
        _hold("label-serial", "serial number (21)", self.serial, LONGEST_SERIAL)
        _hold("label-lot", "lot (10)", self.lot, LONGEST_LOT)
        if not isinstance(self.expiry, date):
            raise LabelError("label-expiry", "a package label needs an expiry date: give it as YYYY-MM-DD")
        _plain(self.product_name, self.strength, self.form, self.quantity, self.ndc, self.maker)

    @classmethod
    def parse(
        cls, *, gtin: str, serial: str, lot: str, expiry: str, today: date | None = None, **printed: str
    ) -> Self:
        """Read a label's values from text.

        `expiry` is YYYY-MM-DD, or YYMMDD where `today` is given to tell the century. `printed` are the fields that
        are not in the symbol. Raises LabelError: ``label-gtin``, ``label-serial``, ``label-lot``, ``label-expiry``,
        ``label-day-zero`` (DD=00 is not permitted on medicines since 2025), ``label-text``.
        """
        try:
            parsed = Gtin.parse(gtin)
        except Gs1Error as error:
            raise LabelError("label-gtin", f"the GTIN {gtin!r} cannot be printed: {error.message}") from error
        return cls(parsed, serial, lot, _expiry(expiry, today), **printed)

    @property
    def elements(self) -> Elements:
        """Identifiers and values in the order of the symbol."""
        return (
            ("01", self.gtin.digits),
            ("21", self.serial),
            ("17", to_yymmdd(self.expiry)),
            ("10", self.lot),
        )


@dataclass(frozen=True, slots=True)
class LogisticLabel:
    """One pallet's, case's or tote's label: the SSCC in the symbol, the rest for people.

    `unit` names the level ('PALLET'), `ship_from` and `ship_to` are name and address lines, `contents` what is in it
    ('24 cases, 240 packages'), `reference` a purchase order or shipment number.
    """

    sscc: Sscc
    unit: str = "PALLET"
    ship_from: tuple[str, ...] = ()
    ship_to: tuple[str, ...] = ()
    product_name: str = ""
    gtin: Gtin | None = None
    lot: str = ""
    expiry: date | None = None
    contents: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        if self.lot:
            _hold("label-lot", "lot", self.lot, LONGEST_LOT)
        for lines in (self.ship_from, self.ship_to):
            if len(lines) > MOST_ADDRESS_LINES:
                raise LabelError(
                    "label-text", f"an address on a label has at most {MOST_ADDRESS_LINES} lines"
                )
        _plain(self.unit, self.product_name, self.contents, self.reference, *self.ship_from, *self.ship_to)

    @classmethod
    def parse(cls, *, sscc: str, **printed: str) -> Self:
        """Read a label's SSCC from text; `printed` are the fields that are text. Raises LabelError ``label-sscc``."""
        try:
            parsed = Sscc.parse(sscc)
        except Gs1Error as error:
            raise LabelError("label-sscc", f"the SSCC {sscc!r} cannot be printed: {error.message}") from error
        return cls(parsed, **printed)

    @property
    def elements(self) -> Elements:
        """The one element of the symbol."""
        return (("00", self.sscc.digits),)


def human_readable(elements: Elements) -> str:
    """Elements as they are printed below a symbol (GS1 General Specifications, section 4.14)."""
    return "".join(f"({ai}){value}" for ai, value in elements)


def element_string(elements: Elements) -> bytes:
    """Elements as a reader transmits them, GS after each that is not of predefined length and not the last."""
    parts = []
    for place, (ai, value) in enumerate(elements):
        predefined = ai in {"00", "01", "17"}
        parts.append(f"{ai}{value}" + ("" if predefined or place == len(elements) - 1 else "\x1d"))
    return "".join(parts).encode("ascii")


def _expiry(text: str, today: date | None) -> date:
    try:
        if _YYMMDD.fullmatch(text):
            if ExpiryDate(text).day_zero:
                raise LabelError(
                    "label-day-zero",
                    f"the expiry date {text} has no day: since 2025 a medicine's label names the day; print the last "
                    "day of the month",
                )
            if today is not None:
                return from_yymmdd(text, today)
        return parse_iso_date(text)
    except Gs1Error as error:
        raise LabelError("label-expiry", f"the expiry date cannot be printed: {error.message}") from error


def _hold(code: str, name: str, value: str, longest: int) -> None:
    try:
        require_value(value, longest, name)
    except Gs1Error as error:
        raise LabelError(code, f"{error.message}; it cannot be printed") from error


def _plain(*texts: str) -> None:
    for text in texts:
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise LabelError(
                "label-text",
                f"a line on a label is at most {LONGEST_TEXT} printable characters, not {text[:80]!r}",
            )
