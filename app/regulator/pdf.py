"""An answer on paper: what was asked, by whom and why, and what happened, in order, corrections shown.

One page after another of a table; long cells break, nothing is cut off. The digest of the manifest, which ties paper
to files and ledger, stands in the manifest itself and not here: the paper is one of the files.
"""

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from app.history.rules import said, shown
from app.history.search import Line
from app.regulator import sales
from app.regulator.tables import correction, in_words
from app.transactions.service import Transaction

MOST_EPCS = 12  # of one event; the table beside it has all


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a paper: facts by name, then a table whose columns have these widths in mm, or what is said where it
    has no rows."""

    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[str]
    widths_mm: Sequence[int]
    rows: Sequence[Sequence[str]]
    empty: str


def of_events(found: Sequence[Line], names: Mapping[str, str], asked: Collection[str] = ()) -> Part:
    """What happened, event by event; of what each names, those of `asked` (canonical EPCs) first."""
    return Part(
        "",
        (),
        ("When (UTC)", "What", "Which", "By", "From / to", "Papers and notes", "Entry"),
        (25, 32, 62, 36, 44, 46, 14),
        [_row(each, names, asked) for each in found],
        "No event was found. That this was asked is recorded.",
    )


def of_sales(found: Sequence[Transaction]) -> list[Part]:
    """Transaction information and statement, sale by sale."""
    widths = (44, 38, 26, 26, 34, 20, 71)
    nothing = "None of its packages that were asked for is known."
    told = [sales.paper(each) for each in found]
    return [Part(title, facts, sales.PAPER_COLUMNS, widths, rows, nothing) for title, facts, rows in told]


def render(title: str, facts: Sequence[tuple[str, str]], parts: Sequence[Part], now: datetime) -> bytes:
    """A paper: what was asked, then its parts."""
    # Takes a third of a second to load, and only those who make a paper need it.
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import landscape, letter
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

    sheet = getSampleStyleSheet()
    # Breaks between words, so that a number stays whole; within one alone that is wider than its column.
    small = ParagraphStyle(
        "small", parent=sheet["BodyText"], fontSize=7.5, leading=9.5, spaceBefore=0, splitLongWords=1
    )
    plain = ParagraphStyle("plain", parent=sheet["BodyText"], fontSize=9, leading=12)

    def cell(text: str) -> Any:
        return Paragraph(escape(_printable(text)).replace("\n", "<br/>"), small)

    def table(part: Part) -> Any:
        rows = [[cell(text) for text in line] for line in (part.columns, *part.rows)]
        made = LongTable(rows, colWidths=[width * mm for width in part.widths_mm], repeatRows=1)
        made.setStyle(style)
        return made

    def told(pairs: Sequence[tuple[str, str]]) -> list[Any]:
        return [
            Paragraph(f"<b>{escape(name)}:</b> {escape(_printable(text))}", plain) for name, text in pairs
        ]

    style = TableStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e8eef0")),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#a9b8bd")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    story: list[Any] = [Paragraph(escape(_printable(title)), sheet["Title"]), *told(facts)]
    for part in parts:
        story.append(Spacer(1, 4 * mm))
        if part.title:
            story.append(Paragraph(escape(_printable(part.title)), sheet["Heading3"]))
        story += told(part.facts)
        if part.facts:
            story.append(Spacer(1, 2 * mm))
        story.append(table(part) if part.rows else Paragraph(escape(part.empty), plain))
    out = io.BytesIO()

    def footer(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 7.5)
        canvas.drawString(15 * mm, 9 * mm, f"Packproof, made {now:%Y-%m-%d %H:%M} UTC")
        canvas.drawRightString(landscape(letter)[0] - 15 * mm, 9 * mm, f"Page {document.page}")

    template = SimpleDocTemplate(
        out, pagesize=landscape(letter), leftMargin=10 * mm, rightMargin=10 * mm, topMargin=14 * mm,
        bottomMargin=16 * mm, title=_printable(title), author="Packproof", invariant=1,
    )  # fmt: skip
    template.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _row(each: Line, names: Mapping[str, str], asked: Collection[str]) -> tuple[str, ...]:
    event = each.event
    epcs = sorted(event.all_epcs() or event.lots(), key=lambda epc: epc not in asked)
    which = "\n".join(shown(epc) for epc in epcs[:MOST_EPCS])
    if len(epcs) > MOST_EPCS:
        which += f"\nand {len(epcs) - MOST_EPCS} more: see the table"
    parties = " to ".join(_named(gln, names) for gln in (each.sender, each.recipient) if gln)
    notes = [linked.id.rsplit(":", 2)[-1] + f" ({linked.type})" for linked in event.transactions]
    notes += [correction(each)] if correction(each) else []
    notes += [in_words(code) for code in each.findings]
    what = said(event.biz_step) + (f" ({event.disposition.replace('_', ' ')})" if event.disposition else "")
    signed = "signed" if each.signed else "not signed by it"
    return (
        f"{event.event_time:%Y-%m-%d %H:%M:%S}",
        what,
        which,
        f"{_named(each.by, names)}, {signed}",
        parties,
        "\n".join(notes),
        str(each.index),
    )


def _named(gln: str, names: Mapping[str, str]) -> str:
    return f"{names.get(gln) or 'not known'} {gln}"


def _printable(text: str) -> str:
    """What the font has: the standard PDF fonts know Latin-1."""
    kept = (char if char == "\n" or char.isprintable() else " " for char in text)
    return "".join(kept).encode("latin-1", "replace").decode("latin-1")
