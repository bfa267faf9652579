"""Every code that a reader can give stands in docs/reference/findings.md, in the same order, and no other does."""

import re

from ledger.epcis import NoteCode, ProblemCode
from tests.support.shared import ROOT


def documented(section: str) -> list[str]:
    page = (ROOT / "docs/reference/findings.md").read_text(encoding="utf-8")
    documents = re.split(r"^## ", page.split("\n## Documents\n", 1)[1], flags=re.MULTILINE)[0]
    text = re.split(r"^### ", documents.split(f"\n### {section}\n", 1)[1], flags=re.MULTILINE)[0]
    found = re.findall(r"^#### `(\w+)`\n(\S.*)$", text, flags=re.MULTILINE)
    return [code for code, _ in found]


def test_every_problem_is_documented_in_order_of_precedence():
    assert documented("Problems") == list(ProblemCode)


def test_every_note_is_documented_in_order():
    assert documented("Notes") == list(NoteCode)
