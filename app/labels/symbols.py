"""Element strings to modules: the symbol itself, before it has a size.

Two traps of the encoder, both seen: ``options="gs1"`` is silently ignored (the symbol is then plain ``]d1``), so
``gs1=True`` is passed and reading back proves it; and left alone it may choose a long rectangle that older readers do
not know, so the square is asked for.

    datamatrix(elements).rows[0]    '#.#.#.#.#.#.#.#.#.#.#.'
"""

import re
from dataclasses import dataclass

import qrcode
import qrcode.constants
import zxingcpp

from app.labels.rules import Elements, LabelError

DARK = "#"
LIGHT = "."
_ESCAPED = re.compile(r"[()]")
_BACKSLASH = r"\\\g<0>"


@dataclass(frozen=True, slots=True)
class Symbol:
    """Modules as rows of ``#`` and ``.``, without the quiet zone; `quiet` is how many modules it must have around.

    A linear symbol has one row. `symbology` is the AIM identifier that a reader must report.
    """

    rows: tuple[str, ...]
    quiet: int
    symbology: str

    @property
    def width(self) -> int:
        """Modules across."""
        return len(self.rows[0])

    @property
    def height(self) -> int:
        """Modules down; 1 for a linear symbol, whose bars are as high as the label makes them."""
        return len(self.rows)


def datamatrix(elements: Elements) -> Symbol:
    """A square GS1 DataMatrix (ISO/IEC 16022, ECC 200). Raises LabelError ``label-symbol``."""
    return Symbol(_encoded(elements, zxingcpp.BarcodeFormat.DataMatrix), quiet=1, symbology="]d2")


def gs1_128(elements: Elements) -> Symbol:
    """A GS1-128 (ISO/IEC 15417 with FNC1 first). Raises LabelError ``label-symbol``."""
    rows = _encoded(elements, zxingcpp.BarcodeFormat.Code128)
    return Symbol(rows[:1], quiet=10, symbology="]C1")


def qr(link: str) -> Symbol:
    """A QR code (ISO/IEC 18004, error correction M) that holds a web address. Raises LabelError ``label-symbol``."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(link)
    try:
        code.make(fit=True)
    except (qrcode.exceptions.DataOverflowError, ValueError) as error:
        raise LabelError("label-symbol", f"{len(link)} characters do not fit into a QR code") from error
    rows = tuple("".join(DARK if dark else LIGHT for dark in row) for row in code.get_matrix())
    return Symbol(rows, quiet=4, symbology="]Q1")


def _encoded(elements: Elements, kind: zxingcpp.BarcodeFormat) -> tuple[str, ...]:
    # The encoder's notation has AIs in parentheses, so those inside a value are escaped; backslashes cannot occur.
    text = "".join(f"({ai}){_ESCAPED.sub(_BACKSLASH, value)}" for ai, value in elements)
    try:
        code = zxingcpp.create_barcode(text, kind, gs1=True, force_square=True)
    except ValueError as error:
        raise LabelError("label-symbol", f"{text} cannot be encoded: {error}") from error
    image = memoryview(code.to_image(scale=1, add_quiet_zones=False))
    return tuple("".join(DARK if level < 128 else LIGHT for level in row) for row in image.tolist())
