"""What every decoder promises: a picture in, the codes it carries out, as bytes.

A decoder never returns display text: separators vanish from it, digits are re-grouped, character sets are guessed.
What counts is the transmitted bytes (FNC1 as GS, 0x1D) and the AIM symbology identifier (ISO/IEC 15424), because only
``]d2``, ``]C1``, ``]e0``, ``]Q3`` and their like say that the bytes are GS1 element strings.

    Decoded(data=b"0100399999001014...", symbology="]d2", format="Data Matrix", position=((10, 10), ...))
"""

from dataclasses import dataclass
from typing import Protocol

from scanner.decode.picture import Picture

Point = tuple[int, int]
Quad = tuple[Point, Point, Point, Point]

# The carriers of GS1 element strings; all others name a trade item at most (dscsa.md, section 2.3).
# ]d8 is GS1 DataMatrix in one of the rectangular sizes of ISO/IEC 21471, which GS1 admits in healthcare.
GS1_CARRIERS = frozenset({"]d2", "]d8", "]C1", "]e0", "]Q3", "]J1"})

# Aztec, PDF417 and the like never carry a medicine's identifiers; not looking for them saves time and misreads.
MATRIX_FORMATS = frozenset({"Data Matrix", "QR Code", "Micro QR Code", "rMQR Code"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """One code found in a picture.

    `data`: transmitted bytes, GS as 0x1D. `symbology`: AIM identifier such as ``]d2``. `format`: the symbology's
    common name. `position`: its corners in pixels, clockwise from its own top left. `frames`: how many different
    frames gave the same bytes; 1 for a still picture. `engine`: who read it, and at which rung when rescued.
    """

    data: bytes
    symbology: str
    format: str
    position: Quad
    frames: int = 1
    engine: str = "zxing"

    @property
    def is_matrix(self) -> bool:
        """True for codes with Reed-Solomon error correction, which do not read as something else."""
        return self.format in MATRIX_FORMATS

    @property
    def carries_ais(self) -> bool:
        """True where the symbology says that the bytes are a GS1 element string."""
        return self.symbology in GS1_CARRIERS

    @property
    def single_read(self) -> bool:
        """True for a linear code that only one frame has shown: a misread can pass its check digit."""
        return not self.is_matrix and self.frames < 2

    def same_code(self, other: "Decoded") -> bool:
        """True where both are readings of equal bytes in one symbology."""
        return self.data == other.data and self.symbology == other.symbology

    def overlaps(self, other: "Decoded") -> bool:
        """True where the boxes around the two readings touch: they look at the same ink."""
        left, top, right, bottom = _box(self.position)
        other_left, other_top, other_right, other_bottom = _box(other.position)
        return left <= other_right and other_left <= right and top <= other_bottom and other_top <= bottom


class Decoder(Protocol):
    """Anything that finds codes in a picture."""

    def decode(self, picture: Picture) -> list[Decoded]:
        """Every code found, in no promised order; an empty list where there is none. Never raises on content."""


def _box(quad: Quad) -> tuple[int, int, int, int]:
    xs = [point[0] for point in quad]
    ys = [point[1] for point in quad]
    return min(xs), min(ys), max(xs), max(ys)
