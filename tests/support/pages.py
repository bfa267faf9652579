"""Reading the reference pages: which codes a page documents, in which order, and under which text."""

import re
from pathlib import Path

from tests.support.shared import ROOT

REFERENCE = ROOT / "docs" / "reference"


def section(page: str | Path, *titles: str) -> str:
    """The text below the headings `titles` of a page in docs/reference, one level deeper each, from level 2 on."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    for level, title in enumerate(titles, 2):
        parts = re.split(rf"^{'#' * level} ", text, flags=re.MULTILINE)
        found = [part.partition("\n")[2] for part in parts[1:] if part.partition("\n")[0].strip() == title]
        assert len(found) == 1, f"{page}: {len(found)} sections {title!r}"
        text = found[0]
    return text


def entries(text: str) -> dict[str, str]:
    """What stands under each heading that is a `code`, in the order of the page. A code stands once."""
    found = re.findall(r"^#+ `([^`\n]+)`\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    codes = [code for code, _ in found]
    assert len(set(codes)) == len(codes), (
        f"documented twice: {sorted({c for c in codes if codes.count(c) > 1})}"
    )
    return {code: body.strip() for code, body in found}
