"""The content of Form FDA 3911 as a PDF of our own layout: each item by its number, its name and what stands in it.

It is no copy of FDA's form: it is what to enter there, and what a quality manager files.
"""

import io
import textwrap
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from app.investigations.form3911 import KINDS, Form3911, problems, shown

_PIECE, _LINES = 400, 12  # characters and lines of one cell
_SENDER = frozenset(("20", "21", "22", "23", "24"))  # items: company and contact
_LINE_LENGTH = 50  # characters of a cell's line, or fewer
_MOST_TOGETHER = 30  # lines that stay on one page, which has room for more
_INK, _MUTED, _LINE, _ALERT = "#14211f", "#4c5a57", "#d3dbd8", "#9b1b1b"


@cache
def _fonts() -> tuple[str, str]:
    """A font that has more letters than Latin-1, from the library's own files; registered once."""
    import reportlab
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in (("Packproof", "Vera.ttf"), ("Packproof-Bold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    return "Packproof", "Packproof-Bold"


def render(form: Form3911, *, case_id: str, made_at: datetime, made_by: str) -> bytes:
    """The form as a PDF of US letter pages. The same form gives the same bytes."""
    # Loaded with the first form: it takes a fifth of a second, and most processes never make one.
    from reportlab.lib.pagesizes import letter
    from reportlab.lib.units import inch
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    plain, bold = _fonts()
    styles = _styles(plain, bold)
    missing = problems(form)
    told = f"Case {case_id}. Made {made_at:%Y-%m-%d %H:%M} UTC by {made_by}."
    flow: list[Any] = [
        Paragraph("Content for Form FDA 3911", styles["title"]),
        Paragraph(f"Drug notification under the DSCSA: {escape(KINDS[form.kind])}", styles["lead"]),
        Paragraph(escape(told), styles["small"]),
        Paragraph(
            "Numbers are those of the 8/15 layout; a later revision numbers the items anew, so go by their names. "
            "Hand the notification in on FDA's platform (CDER NextGen Portal). This page is not FDA's form.",
            styles["small"],
        ),
        Spacer(1, 10),
    ]
    if missing:
        flow.append(
            Paragraph(f"Not complete. {escape(' '.join(dict.fromkeys(missing.values())))}", styles["alert"])
        )
        flow.append(Spacer(1, 8))
    flow.append(_table(form, styles))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out,
        pagesize=letter,
        leftMargin=0.8 * inch,
        rightMargin=0.8 * inch,
        topMargin=0.75 * inch,
        bottomMargin=0.8 * inch,
        title=f"Form FDA 3911, {KINDS[form.kind]}",
        author="Packproof",
        invariant=1,
    )

    def foot(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(plain, 7.5)
        canvas.setFillColor(_MUTED)
        canvas.drawString(0.8 * inch, 0.5 * inch, f"Form FDA 3911, case {case_id}")
        canvas.drawRightString(letter[0] - 0.8 * inch, 0.5 * inch, f"Page {document.page}")
        canvas.restoreState()

    page.build(flow, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _table(form: Form3911, styles: dict[str, Any]) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import inch
    from reportlab.platypus import Paragraph, Table

    rows = []
    sender = []  # rows of who sends it: what one calls or writes to stays on one page
    lines = 0
    for number, label, value in shown(form):
        for index, part in enumerate(_pieces(value)):
            if number in _SENDER:
                sender.append(len(rows))
                lines += sum(1 + len(line) // _LINE_LENGTH for line in part.split("\n"))
            rows.append(
                [
                    Paragraph(number if index == 0 else "", styles["number"]),
                    Paragraph(escape(label) if index == 0 else "(continued)", styles["label"]),
                    Paragraph(escape(part).replace("\n", "<br/>"), styles["value" if value else "blank"]),
                ]
            )
    table = Table(rows, colWidths=[0.35 * inch, 2.3 * inch, 4.08 * inch])
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(_LINE)),
            ("LINEABOVE", (0, 0), (-1, 0), 1, HexColor(_INK)),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            *([("NOSPLIT", (0, sender[0]), (-1, sender[-1]))] if lines <= _MOST_TOGETHER else []),
        ]
    )
    return table


def _pieces(value: str) -> list[str]:
    """The value in cells that fit on a page each: a long list of serials does not."""
    pieces: list[str] = []
    for line in value.split("\n") if value else ["blank"]:
        for part in textwrap.wrap(line, _PIECE, break_on_hyphens=False) or [""]:
            if pieces and len(pieces[-1]) + len(part) < _PIECE and pieces[-1].count("\n") < _LINES:
                pieces[-1] += f"\n{part}"
            else:
                pieces.append(part)
    return pieces


def _styles(plain: str, bold: str) -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, font: str, size: float, colour: str = _INK, **more: Any) -> Any:
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=size * 1.4, textColor=HexColor(colour), **more
        )

    return {
        "title": style("title", bold, 17),
        "lead": style("lead", plain, 10.5),
        "small": style("small", plain, 7.5, _MUTED),
        "alert": style("alert", bold, 8.5, _ALERT),
        "number": style("number", bold, 8.5, _MUTED),
        "label": style("label", plain, 8.5, _MUTED),
        "value": style("value", bold, 8.5, splitLongWords=1),
        "blank": style("blank", plain, 8.5, _MUTED),
    }
