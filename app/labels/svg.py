"""A drawing as SVG of our own: one path for the symbol, <text> for people, the viewBox in modules.

    <path d="M8 35h2v1h-2z..." shape-rendering="crispEdges"/>    one subpath a run of dark modules

`symbol_in` reads that path back into modules: what is checked is the text that leaves, not what it was made from.
"""

import re
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from app.labels.drawing import Box, Drawing, Placed, Text, text_width
from app.labels.symbols import DARK, LIGHT

_FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_PATH = re.compile(r'<path id="symbol" d="([^"]*)"')
_RUN = re.compile(r"M([0-9]+) ([0-9]+)h([0-9]+)v([0-9]+)h-([0-9]+)z")


def svg(drawing: Drawing) -> str:
    """The drawing as a self-contained SVG document, sized in millimetres."""
    width_mm, height_mm = drawing.width * drawing.module_mm, drawing.height * drawing.module_mm
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width_mm)}mm" height="{_n(height_mm)}mm" '
        f'viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-label={quoteattr(drawing.title)}>',
        f"<title>{escape(drawing.title)}</title>",
        f'<rect width="{drawing.width}" height="{drawing.height}" fill="#fff"/>',
        f'<g fill="#000" font-family="{_FONTS}">',
        *(_mark(mark) for mark in drawing.marks),
        f'<path id="symbol" d="{_path(drawing.placed)}" shape-rendering="crispEdges"/>',
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def symbol_in(document: str) -> tuple[str, ...]:
    """The rows of modules that the path of `document` draws; a linear symbol gives one row. Empty if there is none."""
    match = _PATH.search(document)
    runs = [tuple(map(int, run.groups())) for run in _RUN.finditer(match[1])] if match else []
    if not runs:
        return ()
    left, top = min(run[0] for run in runs), min(run[1] for run in runs)
    right = max(run[0] + run[2] for run in runs)
    linear = len({run[1] for run in runs}) == 1
    bottom = top + 1 if linear else max(run[1] + run[3] for run in runs)
    rows = [[LIGHT] * (right - left) for _ in range(bottom - top)]
    for x, y, length, _, _ in runs:
        rows[y - top][x - left : x - left + length] = DARK * length
    return tuple("".join(row) for row in rows)


def _path(placed: Placed) -> str:
    parts = []
    for place, row in enumerate(placed.symbol.rows):
        x = placed.x
        for module, run in groupby(row):
            length = len(list(run))
            if module == DARK:
                parts.append(
                    f"M{x} {placed.y + place * placed.row_height}h{length}v{placed.row_height}h-{length}z"
                )
            x += length
    return "".join(parts)


def _mark(mark: Text | Box) -> str:
    if isinstance(mark, Box):
        return (
            f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" height="{_n(mark.height)}" '
            'shape-rendering="crispEdges"/>'
        )
    attributes = [f'x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}"']
    # Whatever font the reader has, the line keeps its measured length and so its place on the label.
    attributes.append(
        f'textLength="{_n(text_width(mark.text, mark.size, mark.bold))}" lengthAdjust="spacingAndGlyphs"'
    )
    if mark.bold:
        attributes.append('font-weight="700"')
    if mark.anchor != "start":
        attributes.append(f'text-anchor="{mark.anchor}"')
    if mark.white:
        attributes.append('fill="#fff"')
    return f"<text {' '.join(attributes)}>{escape(mark.text)}</text>"


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
