"""A drawing as PNG, in whole dots per module, so that a thermal printer's edges are sharp.

203 dpi: package 3 dots (0.375 mm), pallet 4 dots (0.500 mm)
300 dpi: package 5 dots (0.423 mm), pallet 6 dots (0.508 mm)
"""

import functools
import io
import math

from PIL import Image, ImageDraw, ImageFont

from app.labels.drawing import BOLD_STROKE, BOLD_TRACKING, Box, Drawing, Text, text_width
from app.labels.rules import LabelError
from app.labels.symbols import DARK, Symbol

RESOLUTIONS_DPI = (203, 300, 600)
_MM_PER_INCH = 25.4
_OVERSAMPLING = 3
# Runs of one level are all there is to a label: smaller than the default strategy gives, in half the time.
_ZLIB_RLE = 3
_START = {"start": 0.0, "middle": 0.5, "end": 1.0}


def png(drawing: Drawing, dpi: int) -> bytes:
    """The drawing as a greyscale PNG that knows its resolution. Raises LabelError ``label-size``."""
    scale = dots_per_module(drawing, dpi)
    image = Image.new("L", (drawing.width * scale, drawing.height * scale), 255)
    pen = ImageDraw.Draw(image)
    for mark in drawing.marks:
        if isinstance(mark, Box):
            _draw_box(pen, mark, scale)
        else:
            _draw_text(image, mark, scale)
    placed = drawing.placed
    size = (placed.symbol.width * scale, placed.height * scale)
    modules = modules_image(placed.symbol).resize(size, Image.Resampling.NEAREST)
    image.paste(modules, (placed.x * scale, placed.y * scale))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", dpi=(dpi, dpi), compress_type=_ZLIB_RLE)
    return buffer.getvalue()


def dots_per_module(drawing: Drawing, dpi: int) -> int:
    """Whole dots nearest to the nominal module at `dpi`."""
    if dpi not in RESOLUTIONS_DPI:
        raise LabelError("label-size", f"labels are drawn at {RESOLUTIONS_DPI} dpi, not at {dpi}")
    return max(1, round(drawing.module_mm * dpi / _MM_PER_INCH))


def modules_image(symbol: Symbol) -> Image.Image:
    """The symbol at one dot a module, without quiet zone."""
    dots = "".join(symbol.rows).encode("ascii")
    levels = dots.translate(bytes(0 if value == ord(DARK) else 255 for value in range(256)))
    return Image.frombytes("L", (symbol.width, symbol.height), levels)


def _draw_box(pen: ImageDraw.ImageDraw, box: Box, scale: int) -> None:
    left, top = round(box.x * scale), round(box.y * scale)
    # A rule thinner than a dot is still a dot.
    width, height = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=0)


def _draw_text(image: Image.Image, text: Text, scale: int) -> None:
    mask, left, top = _lettering(text.text, round(text.size * scale, 1), text.bold)
    x = text.x * scale - _START[text.anchor] * text_width(text.text, text.size, text.bold) * scale
    image.paste(255 if text.white else 0, (round(x) + left, round(text.y * scale) + top), mask)


@functools.lru_cache(maxsize=512)
def _lettering(text: str, size: float, bold: bool) -> tuple[Image.Image, int, int]:
    """The ink of one line and its offset from the start of its baseline; most lines of a series are the same.

    Drawn larger and reduced: at its own size the font's hinting would move letters by whole dots, and a line would
    be longer than the layout measured.
    """
    font = _font(size * _OVERSAMPLING)
    large = size * _OVERSAMPLING
    pad = math.ceil(size * 0.3)
    width = math.ceil(text_width(text, size, bold)) + 2 * pad
    baseline = math.ceil(size * 1.1) + pad
    mask = Image.new("L", (width * _OVERSAMPLING, math.ceil(size * 1.5 + 2 * pad) * _OVERSAMPLING), 0)
    pen = ImageDraw.Draw(mask)
    start, line = pad * _OVERSAMPLING, baseline * _OVERSAMPLING
    if not bold:
        pen.text((start, line), text, fill=255, font=font, anchor="ls")
    for place, letter in enumerate(text if bold else ""):
        # Where the letter stands in the whole line, kerning included, and its share of the tracking.
        x = font.getlength(text[: place + 1]) - font.getlength(letter) + (place + 0.5) * BOLD_TRACKING * large
        pen.text(
            (start + x, line), letter, fill=255, font=font, anchor="ls", stroke_width=large * BOLD_STROKE
        )
    return mask.reduce(_OVERSAMPLING), -pad, -baseline


@functools.lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # The font inside Pillow: scalable, legible, and nothing to ship or to find.
    return ImageFont.load_default(size)
