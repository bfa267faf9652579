"""Where things stand on a label: the compositions, in modules.

Package: what the carton's side panel of a US medicine shows - NDC, name, strength, then the symbol with GTIN, SN, EXP
and LOT beside it and the element string in parentheses below. Expiry as YYYY-MM-DD (FDA's DSCSA labelling guidance).
Logistic unit: the GS1 Logistic Label - from and to, contents, then the SSCC as the lowest and largest thing, on 4 x 6
inch stock.
"""

import math

from app.labels.drawing import Box, Drawing, Placed, Text, fitted, shortened, text_width
from app.labels.rules import LogisticLabel, PackageLabel, human_readable
from app.labels.symbols import Symbol

# Symbol sizes within GS1's ranges (General Specifications, section 5.12.3): Data Matrix for regulated healthcare
# 0.255 to 0.990 mm, GS1-128 on logistic units 0.495 to 0.940 mm, QR with Digital Link 0.396 to 0.990 mm. Each is a
# whole number of dots at 203 and at 300 dpi, or close to it.
PACKAGE_MODULE_MM = 0.423
LOGISTIC_MODULE_MM = 0.508
LINK_MODULE_MM = 0.508

_PACKAGE_WIDTH = 150
_FACTS_HEIGHT = 28
_LOGISTIC_WIDTH = 200
_LOGISTIC_HEIGHT = 300
_BAR_HEIGHT = 70  # 35 mm; GS1 asks for 31.75 at least


def package(label: PackageLabel, symbol: Symbol) -> Drawing:
    """The package label: 2.5 inches wide, as high as its symbol needs."""
    margin, width = 7.0, _PACKAGE_WIDTH
    right = width - margin
    inner = width - 2 * margin
    marks: list[Text | Box] = []
    y = margin
    if label.ndc or label.prescription_only:
        y += 3.5
        marks += _pair(
            f"NDC {label.ndc}" if label.ndc else "", "Rx only" if label.prescription_only else "", y, inner
        )
        y += 2
    if label.product_name:
        y += 8
        marks.append(shortened(Text(margin, y, 9.6, label.product_name, bold=True), inner))
        y += 2
    facts = " ".join(part for part in (label.strength, label.form) if part)
    if facts or label.quantity:
        y += 6
        quantity = fitted(Text(right, y, 6.2, label.quantity, anchor="end"), inner * 0.4)
        room = inner - text_width(quantity.text, quantity.size) - 4
        marks += [fitted(Text(margin, y, 6.2, facts), room), quantity]
        y += 1
    if marks:
        y += 3
        marks.append(Box(margin, y, inner, 0.6))
    top = math.ceil(y + 4)
    block = max(symbol.height, _FACTS_HEIGHT)
    placed = Placed(7, top + (block - symbol.height) // 2, symbol)
    marks += _package_facts(label, placed.x + symbol.width + 9, top, block, right)
    y = top + block + 6.5
    for part in (label.elements[:2], label.elements[2:]):
        marks.append(fitted(Text(margin, y, 4.7, human_readable(part)), inner))
        y += 6
    if label.maker:
        marks.append(Box(margin, y - 2.6, inner, 0.3))
        y += 3
        marks.append(shortened(Text(margin, y, 4.6, label.maker), inner))
        y += 4
    title = f"GS1 DataMatrix {human_readable(label.elements)}"
    return Drawing(width, math.ceil(y + 1), PACKAGE_MODULE_MM, title, placed, _inked(marks))


def _package_facts(
    label: PackageLabel, left: float, top: float, block: float, right: float
) -> list[Text | Box]:
    """GTIN, SN, EXP, LOT beside the symbol, spread over the height of `block`."""
    rows = (
        ("GTIN", label.gtin.digits),
        ("SN", label.serial),
        ("EXP", label.expiry.isoformat()),
        ("LOT", label.lot),
    )
    pitch = block / len(rows)
    size = min(pitch, 7.6)
    marks: list[Text | Box] = []
    for place, (key, value) in enumerate(rows):
        baseline = top + pitch * place + pitch * 0.5 + size * 0.36
        marks.append(Text(left, baseline, 5.2, key, bold=True))
        marks.append(fitted(Text(left + 17, baseline, size, value), right - left - 17))
    return marks


def logistic(label: LogisticLabel, symbol: Symbol) -> Drawing:
    """The pallet's or case's label: 4 x 6 inches."""
    margin, width, height = 10.0, _LOGISTIC_WIDTH, _LOGISTIC_HEIGHT
    inner = width - 2 * margin
    half = width / 2
    marks: list[Text | Box] = []
    top = 10.0
    for left, key, lines in ((margin, "SHIP FROM", label.ship_from), (half + 6, "SHIP TO", label.ship_to)):
        marks.append(Text(left, top + 4, 5, key if lines else "", bold=True))
        for place, line in enumerate(lines):
            size = 8.0 if place == 0 else 6.6
            text = Text(left, top + 15 + place * 9.5, size, line, bold=place == 0)
            marks.append(shortened(text, half - margin - 8))
    if label.ship_from or label.ship_to:
        marks += [Box(half - 0.4, top - 4, 0.8, 52), Box(margin, 60, inner, 0.8)]
    marks += [
        Box(margin, 66, inner, 17),
        shortened(Text(margin + 5, 78.4, 11, label.unit, bold=True, white=True), inner * 0.4),
        shortened(Text(width - margin - 5, 77.8, 8.5, label.contents, anchor="end", white=True), inner * 0.5),
    ]
    if label.product_name:
        marks.append(shortened(Text(margin, 98, 11, label.product_name, bold=True), inner))
    facts = (
        ("CONTENT (GTIN)", label.gtin.digits if label.gtin is not None else ""),
        ("BATCH/LOT", label.lot),
        ("EXPIRY", label.expiry.isoformat() if label.expiry is not None else ""),
        ("REFERENCE", label.reference),
    )
    for place, (key, value) in enumerate(fact for fact in facts if fact[1]):
        left = margin if place % 2 == 0 else half + 6
        y = 110 + (place // 2) * 23
        marks.append(Text(left, y, 5, key, bold=True))
        line = Text(left, y + 10.5, 10, value)
        marks.append((shortened if key == "REFERENCE" else fitted)(line, half - margin - 8))
    marks.append(Box(margin, 158, inner, 0.8))
    marks += [
        Text(margin, 170, 6, "SSCC", bold=True),
        fitted(Text(margin, 184, 14.5, label.sscc.digits, bold=True), inner),
    ]
    placed = Placed((width - symbol.width) // 2, 200, symbol, _BAR_HEIGHT)
    below = placed.y + _BAR_HEIGHT + 12
    marks.append(Text(half, below, 9.5, human_readable(label.elements), anchor="middle"))
    title = f"GS1-128 {human_readable(label.elements)}"
    return Drawing(width, height, LOGISTIC_MODULE_MM, title, placed, _inked(marks))


def link(label: PackageLabel, address: str, symbol: Symbol) -> Drawing:
    """The Digital Link QR with what it names below it: square and small, for a leaflet or a screen."""
    side = symbol.width + 2 * (symbol.quiet + 2)
    width = max(side, 58)
    placed = Placed((width - symbol.width) // 2, symbol.quiet + 2, symbol)
    inner = width - 8.0
    middle = width / 2
    y = placed.y + placed.height + symbol.quiet + 3.5
    marks: list[Text | Box] = []
    lines = (
        (label.product_name, 4.6, True),
        (" ".join(part for part in (label.strength, label.form) if part), 3.8, False),
        (f"GTIN {label.gtin.digits}", 3.6, False),
        (f"SN {label.serial}", 3.6, False),
    )
    for text, size, bold in lines:
        if text:
            line = Text(middle, y, size, text, bold=bold, anchor="middle")
            marks.append(shortened(line, inner) if bold else fitted(line, inner))
            y += size + 1.4
    return Drawing(width, math.ceil(y), LINK_MODULE_MM, address, placed, _inked(marks))


def _pair(left: str, right: str, y: float, inner: float) -> list[Text | Box]:
    """Two small texts on one line, at the left and at the right margin."""
    margin = (_PACKAGE_WIDTH - inner) / 2
    return [
        fitted(Text(margin, y, 5.2, left), inner * 0.7),
        Text(margin + inner, y, 5.2, right, bold=True, anchor="end"),
    ]


def _inked(marks: list[Text | Box]) -> tuple[Text | Box, ...]:
    return tuple(mark for mark in marks if not isinstance(mark, Text) or mark.text)
