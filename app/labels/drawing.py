"""A label as a list of marks, measured in modules: one layout, drawn twice.

The module (the symbol's narrowest element) is the unit, so that a symbol's edges fall on whole dots at any resolution
and the SVG's viewBox is the layout itself. `app.labels.raster` draws it in dots, `app.labels.svg` as vectors.
"""

import functools
from dataclasses import dataclass

from PIL import ImageFont

from app.labels.symbols import Symbol

_REFERENCE_SIZE = 100
# The one font has one weight: bold is drawn with a stroke, and tracked so that the swollen letters do not touch.
BOLD_STROKE = 0.028
BOLD_TRACKING = 0.045
_SMALLEST_SHARE = 0.62


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline, `size` its em, `anchor` start, middle or end."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    anchor: str = "start"
    white: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A black rectangle: a bar, a rule."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A symbol at whole modules; `row_height` is 1 for a matrix and the bars' height for a linear code."""

    x: int
    y: int
    symbol: Symbol
    row_height: int = 1

    @property
    def height(self) -> int:
        """Modules from its top to its bottom."""
        return self.symbol.height * self.row_height


@dataclass(frozen=True, slots=True)
class Drawing:
    """The marks of one label of `width` x `height` modules; a module is `module_mm` wide at its nominal size."""

    width: int
    height: int
    module_mm: float
    title: str
    placed: Placed
    marks: tuple[Text | Box, ...]


@functools.lru_cache(maxsize=1024)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """How wide `text` is at `size`, in the same unit, by the font that the raster uses."""
    tracking = BOLD_TRACKING * len(text) if bold else 0.0
    return (_reference_font().getlength(text) / _REFERENCE_SIZE + tracking) * size


def fitted(text: Text, width: float) -> Text:
    """`text`, made smaller until it is at most `width` wide."""
    wide = text_width(text.text, text.size, text.bold)
    if wide <= width:
        return text
    return Text(text.x, text.y, text.size * width / wide, text.text, text.bold, text.anchor, text.white)


def shortened(text: Text, width: float) -> Text:
    """`text` made to fit without becoming too small to read: beyond that it ends in an ellipsis.

    For names and addresses only; what identifies or doses a medicine is never cut.
    """
    small = fitted(text, width)
    least = text.size * _SMALLEST_SHARE
    if small.size >= least:
        return small
    kept = text.text
    while kept and text_width(kept + "…", least, text.bold) > width:
        kept = kept[:-1]
    return Text(text.x, text.y, least, kept.rstrip() + "…", text.bold, text.anchor, text.white)


@functools.cache
def _reference_font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_REFERENCE_SIZE)
