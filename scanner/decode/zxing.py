"""zxing-cpp: the first and usually the only decoder.

Two traps, both seen: its default text shows GS as a picture of itself and may re-encode bytes, so only ``.bytes`` and
``.symbology_identifier`` are used; and its default of all formats finds codes that no medicine carries, so the formats
are the pharmaceutical ones. Code 39 is among them for Code 32 (Italy) and PZN (Germany).
"""

from dataclasses import dataclass

import zxingcpp

from scanner.decode.picture import Picture
from scanner.decode.port import Decoded, Point

_MATRIX_NAMES = "DataMatrix,QRCode"
_LINEAR_NAMES = "Code128,EAN13,EAN8,UPCA,UPCE,ITF,DataBar,DataBarLtd,DataBarExp,Code39"
MATRIX = zxingcpp.barcode_formats_from_str(_MATRIX_NAMES)
PHARMA = zxingcpp.barcode_formats_from_str(f"{_MATRIX_NAMES},{_LINEAR_NAMES}")

BINARIZERS = {
    "local": zxingcpp.Binarizer.LocalAverage,
    "global": zxingcpp.Binarizer.GlobalHistogram,
    "fixed": zxingcpp.Binarizer.FixedThreshold,
}


@dataclass(frozen=True, slots=True)
class ZxingDecoder:
    """Reads the pharmaceutical formats, or the matrix ones alone; `binarizer` is local, global or fixed."""

    matrix_only: bool = False
    binarizer: str = "local"

    def decode(self, picture: Picture) -> list[Decoded]:
        """Every valid code in `picture`."""
        view = memoryview(picture.luma).cast("B", (picture.height, picture.width))
        found = zxingcpp.read_barcodes(
            view, formats=MATRIX if self.matrix_only else PHARMA, binarizer=BINARIZERS[self.binarizer]
        )
        return [
            Decoded(
                data=bytes(code.bytes),
                symbology=code.symbology_identifier,
                format=str(code.format),
                position=(
                    _point(code.position.top_left),
                    _point(code.position.top_right),
                    _point(code.position.bottom_right),
                    _point(code.position.bottom_left),
                ),
            )
            for code in found
            if code.valid
        ]


def _point(point: zxingcpp.Point) -> Point:
    return (point.x, point.y)
