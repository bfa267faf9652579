"""A label as it comes out of a wet, torn carton: for showing what COULD NOT READ looks like.

Two things that happen to real labels are done to a real one: a strip is torn off, with its ragged edge and the carton
beneath, and what is left of the symbol is smeared by a wet thumb. The error correction of an ECC 200 symbol restores
about a quarter of it and needs its solid left and lower edge; the strip takes more than that. The text beside the
symbol stays legible, so that a person can still type it in.

    damaged = damage(package_label_png(label))       # no decoder of ours reads it, second look included
"""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

from scanner.decode import Decoded, Picture, decode_picture

_CARTON = (184, 150, 108)
_TORN_PAPER = (236, 231, 222)


def damage(png: bytes, *, seed: int = 1) -> bytes:
    """The label's picture with its symbol torn and smeared beyond reading; the same `seed` tears the same way.

    Raises ValueError where the picture holds no readable symbol, or stays readable however much is torn off.
    """
    with Image.open(io.BytesIO(png)) as opened:
        label = opened.convert("RGB")
        dpi = opened.info.get("dpi", (300, 300))
    codes = decode_picture(Picture.of_image(label))
    if not codes:
        raise ValueError("the picture holds no code that could be damaged")
    for share in (0.42, 0.55, 0.7, 0.85):
        torn = _torn(_smeared(label, codes[0]), codes[0], share, random.Random(seed))  # noqa: S311
        if not decode_picture(Picture.of_image(torn)):
            buffer = io.BytesIO()
            torn.save(buffer, "PNG", dpi=dpi)
            return buffer.getvalue()
    raise ValueError("the label stays readable however much is torn off")


def _smeared(label: Image.Image, code: Decoded) -> Image.Image:
    """The symbol's ink drawn sideways, fading as it goes."""
    left, top, right, bottom = _box(code)
    reach = min(24, max(4, (right - left) // 7))
    area = (max(0, left - 4), max(0, top - 4), min(label.width, right + reach), min(label.height, bottom + 6))
    ink = label.crop(area)
    smear = ink
    for step in range(1, reach, 2):
        moved = Image.new("RGB", ink.size, (255, 255, 255))
        moved.paste(ink, (step, step // 5))
        smear = Image.blend(smear, moved, 1.0 / (step + 2))
    smear = smear.filter(ImageFilter.GaussianBlur(reach / 6))
    worn = label.copy()
    worn.paste(smear, area[:2])
    return worn


def _torn(label: Image.Image, code: Decoded, share: float, chance: random.Random) -> Image.Image:
    """A strip torn off from the lower left, taking `share` of the symbol's width at its foot."""
    left, top, right, bottom = _box(code)
    width, height = right - left, bottom - top
    foot, head = left + share * width * 1.25, left + share * width * 0.55
    start, end = max(0.0, top - height * 0.18), min(float(label.height), bottom + height * 0.06)
    edge: list[tuple[float, float]] = []
    steps = 26
    for step in range(steps + 1):
        along = step / steps
        ragged = chance.uniform(-0.035, 0.035) * width + math.sin(along * 9) * 0.02 * width
        edge.append((head + (foot - head) * along + ragged, start + (end - start) * along))
    torn = label.copy()
    pen = ImageDraw.Draw(torn)
    fibre = max(3.0, width * 0.05)
    pen.polygon(
        [(0, start), *((x + fibre * chance.uniform(0.5, 1.2), y) for x, y in edge), (0, end)],
        fill=_TORN_PAPER,
    )
    pen.polygon([(0, start + fibre), *edge[2:-2], (0, end - fibre)], fill=_CARTON)
    # Corrugation shows through the liner.
    for x in range(0, int(min(x for x, _ in edge) - fibre), max(6, width // 16)):
        pen.line(
            (x, start + fibre * 2, x, end - fibre * 2), fill=tuple(level - 14 for level in _CARTON), width=2
        )
    pen.polygon(
        [*edge, *((x + fibre * chance.uniform(0.6, 1.3), y) for x, y in reversed(edge))], fill=_TORN_PAPER
    )
    return torn


def _box(code: Decoded) -> tuple[int, int, int, int]:
    xs, ys = [x for x, _ in code.position], [y for _, y in code.position]
    return min(xs), min(ys), max(xs), max(ys)
