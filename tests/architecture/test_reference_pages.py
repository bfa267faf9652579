"""Every code that the node can show stands on its reference page, in the enum's order, and no other does.

A page of another enum is one line more in `PAGES`.
"""

import ast
import re
from enum import StrEnum

import pytest

from app import errors
from app.vrs.rules import INNOCENT, SignalKind
from ledger.custody.findings import SEVERITY, FindingCode
from ledger.custody.verdict import TABLE, Reason, Word
from ledger.epcis import NoteCode, ProblemCode
from ledger.signing.chain import ChainCode
from ledger.signing.refs import RefCode
from ledger.signing.signers import SignerCode
from tests.support.pages import REFERENCE, entries, section
from tests.support.shared import ROOT

# The page, the headings down to the section, and the enum that it documents.
PAGES: list[tuple[str, tuple[str, ...], type[StrEnum]]] = [
    ("verdicts.md", (), Reason),
    ("findings.md", ("Detection at verification",), SignalKind),
    ("findings.md", ("Custody",), FindingCode),
    ("findings.md", ("Chains",), ChainCode),
    ("findings.md", ("References",), RefCode),
    ("findings.md", ("Signers",), SignerCode),
    ("findings.md", ("Documents", "Problems"), ProblemCode),
    ("findings.md", ("Documents", "Notes"), NoteCode),
]


@pytest.mark.parametrize(("page", "titles", "codes"), PAGES, ids=lambda part: getattr(part, "__name__", None))
def test_the_headings_of_a_page_are_the_codes_in_their_order(page, titles, codes):
    documented = entries(section(page, *titles))
    assert list(documented) == [str(code) for code in codes]
    assert all(len(text) > 20 for text in documented.values())


@pytest.mark.parametrize("word", list(Word))
def test_each_verdict_has_its_section_with_its_own_reasons(word):
    reasons = [reason for reason, of, *_ in TABLE if of is word]
    assert list(entries(section("verdicts.md", word))) == reasons


def test_the_sections_of_the_verdicts_are_the_six_words_in_order():
    page = section("verdicts.md")
    assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == list(Word)
    assert re.findall(r"^\| ([A-Z][A-Z, ]*[A-Z]) \|", page, flags=re.MULTILINE) == list(Word)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_page_shows_the_next_step_as_the_screen_does(reason):
    text = " ".join(entries(section("verdicts.md"))[reason].split())
    step = next(step for known, _, _, step in TABLE if known is reason)
    assert f'Screen: "{step}"' in text
    assert "When: " in text
    assert "Usual innocent cause: " in text or reason is Reason.OK


@pytest.mark.parametrize("code", list(FindingCode))
def test_a_finding_is_documented_with_its_severity_its_cause_and_what_to_do(code):
    text = " ".join(entries(section("findings.md", "Custody"))[code].split())
    assert f"Severity: {SEVERITY[code]}." in text
    assert "Usual innocent cause: " in text
    assert "What to do: " in text


@pytest.mark.parametrize("kind", list(SignalKind))
def test_a_sign_is_documented_with_its_cause_as_it_is_kept(kind):
    text = " ".join(entries(section("findings.md", "Detection at verification"))[kind].split())
    assert "Rule: D" in text
    assert f"Usual innocent cause: {INNOCENT[kind]}." in text
    assert "What to do: " in text


def test_every_finding_has_a_severity():
    assert list(SEVERITY) == list(FindingCode)


def test_no_page_says_fake():
    for page in REFERENCE.glob("*.md"):
        assert "fake" not in page.read_text(encoding="utf-8").lower(), page.name


def _called(node: ast.Call) -> str:
    """The name of what is called."""
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


def _raised() -> set[str]:
    """The codes of all errors that `app` makes with a code of its own: the first word of each, and of their classes."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "app").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {"AppError", "LabelError"}
    while (
        more := {
            node.name
            for node in nodes
            if isinstance(node, ast.ClassDef) and {getattr(base, "id", "") for base in node.bases} & classes
        }
        - classes
    ):
        classes |= more
    words = {
        node.args[0].value
        for node in nodes
        if isinstance(node, ast.Call) and node.args and _called(node) in classes | {"__init__"}
        and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }  # fmt: skip
    known = {code for code, *_ in errors._KNOWN.values()}
    return {word for word in words if re.fullmatch(r"[a-z][a-z0-9_]*([.-][a-z0-9_-]+)*", word)} | known


def test_every_error_of_the_node_is_on_the_page_of_errors():
    documented, raised = entries(section("errors.md")), _raised()
    assert len(raised) > 150
    assert sorted(raised - documented.keys()) == []
    assert all(len(text) > 20 for text in documented.values())
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py")]
    assert [code for code in documented if not any(f'"{code}"' in text for text in sources)] == []
