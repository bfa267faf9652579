"""zbar through pyzbar: a second opinion on retail codes, where it is installed.

It reads blurred EAN and UPC symbols that zxing-cpp gives up on. It is asked for nothing else: it cannot read Data
Matrix, and pyzbar does not say whether a Code 128 began with FNC1, so a GS1-128 could not be told from plain text.
pyzbar needs the system library libzbar0; without it `available` is false and the scanner works on zxing-cpp alone.
"""

import functools
from types import ModuleType

from scanner.decode.picture import Picture
from scanner.decode.port import Decoded, Point, Quad

_EAN = {"EAN13": ("EAN-13", "]E0", 13), "UPCA": ("EAN-13", "]E0", 13), "EAN8": ("EAN-8", "]E4", 8)}


@functools.cache
def _pyzbar() -> ModuleType | None:
    try:
        from pyzbar import pyzbar
    except ImportError:  # the package, or the shared library it looks for
        return None
    return pyzbar  # type: ignore[no-any-return]


def available() -> bool:
    """True where pyzbar and the shared library it needs can be loaded."""
    return _pyzbar() is not None


class ZbarDecoder:
    """Reads EAN-13, UPC-A (as the EAN-13 it is) and EAN-8; finds nothing where zbar is not installed."""

    def decode(self, picture: Picture) -> list[Decoded]:
        """Every EAN or UPC-A code in `picture`."""
        pyzbar = _pyzbar()
        if pyzbar is None:
            return []
        symbols = [pyzbar.ZBarSymbol.EAN13, pyzbar.ZBarSymbol.UPCA, pyzbar.ZBarSymbol.EAN8]
        found = pyzbar.decode((picture.luma, picture.width, picture.height), symbols=symbols)
        return [
            Decoded(
                data=bytes(code.data).rjust(_EAN[code.type][2], b"0"),
                symbology=_EAN[code.type][1],
                format=_EAN[code.type][0],
                position=_quad([(point.x, point.y) for point in code.polygon]),
                engine="zbar",
            )
            for code in found
            if code.type in _EAN
        ]


def _quad(polygon: list[Point]) -> Quad:
    """The box around zbar's polygon, which has any number of points in any order."""
    xs = [x for x, _ in polygon] or [0]
    ys = [y for _, y in polygon] or [0]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
