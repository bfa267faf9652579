"""What the pages say is there: the files they link to, the commands, addresses and folders that they name."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from app import create_app
from app.cli import _parser as packproof_parser
from app.config import Settings
from ledger.__main__ import _parser as verify_parser
from scanner.cli import build_parser as scan_parser
from tests.support.shared import ROOT

PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements/*.md")})
GUIDES = [ROOT / "README.md", ROOT / "docs" / "operating" / "node.md"]
PARSERS = {
    "packproof": packproof_parser,
    "packproof-scan": scan_parser,
    "packproof-verify": verify_parser,
    "python -m ledger": verify_parser,
}
# Named on the pages as not built yet. Whoever builds one takes it from here, and mends what the pages say.
NOT_YET: set[str] = set()


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def headings(text: str) -> set[str]:
    """The anchors that a Markdown page has, as GitHub and others make them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def blocks(page: Path) -> list[str]:
    """The command lines in a page's shell blocks, continued lines joined, comments and settings left out."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        found += block.replace("\\\n", " ").splitlines()
    return [line for line in found if line.strip() and not line.startswith(("#", "export "))]


def inline(page: Path) -> list[str]:
    """What stands between single back-quotes."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]


def program(line: str) -> tuple[str, list[str]] | None:
    """The one of `PARSERS` that a command line calls, and its words; None where it calls something else."""
    line = line.removeprefix(".venv/bin/")
    for name in sorted(PARSERS, key=len, reverse=True):
        if line == name or line.startswith(name + " "):
            return name, shlex.split(line[len(name) :], comments=True)
    return None


def actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The sub-commands of a parser, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def unknown_word(name: str, words: list[str]) -> str | None:
    """The first word that should be a sub-command and is none."""
    parser = PARSERS[name]()
    for word in words:
        known = actions(parser)
        # A word in capitals stands for something; an option ends what names the command.
        if not known or word.startswith("-") or not re.fullmatch(r"[a-z][a-z-]*", word):
            return None
        if word not in known:
            return word
        parser = known[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)} links to {link}"
        assert target.is_relative_to(ROOT), f"{named(page)} links out of the tree: {link}"
        if anchor:
            assert anchor in headings(target.read_text(encoding="utf-8")), f"{named(page)} links to {link}"


@pytest.mark.parametrize("page", [*GUIDES, ROOT / "ARCHITECTURE.md", ROOT / "SECURITY.md"], ids=named)
def test_every_page_that_is_named_is_there(page):
    for code in inline(page):
        if re.fullmatch(r"[\w./-]+\.(md|py|cfg|toml|svg)", code) and "/" in code:
            assert (ROOT / code).exists() or (page.parent / code).exists(), f"{named(page)} names {code}"


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_every_command_in_a_block_is_one_that_its_program_takes(page):
    called = [found for line in blocks(page) if (found := program(line)) is not None]
    assert called
    for name, words in called:
        # As the verifier's own main does.
        given = ["verify", *words] if name == "packproof-verify" else words
        try:
            arguments = PARSERS[name]().parse_args(given)
        except SystemExit as error:
            pytest.fail(f"{named(page)}: {name} {shlex.join(words)} ended with {error.code}")
        assert arguments is not None


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_in_the_text_exists(page):
    for code in inline(page):
        if code in NOT_YET or (found := program(code)) is None or found[0] == "packproof-verify":
            continue
        name, words = found
        assert unknown_word(name, words) is None, f"{named(page)}: {code}"


def test_what_is_said_not_to_exist_does_not():
    for line in sorted(NOT_YET):
        found = program(line)
        assert found is not None
        assert unknown_word(*found) is not None, f"{line} exists: the pages say that it does not"
        assert any(line in inline(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    lines = [*blocks(page), *inline(page)]
    for line in lines:
        if match := re.match(r"make ([a-z-]+)\b", line):
            assert match[1] in targets, f"{named(page)}: {line}"


@pytest.mark.parametrize("page", [*GUIDES, ROOT / "docs" / "README.md"], ids=named)
def test_every_address_is_one_that_the_node_answers(page):
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(r"http://127\.0\.0\.1:8000(/[\w/-]+)", text))
    paths |= {match[1] for code in inline(page) if (match := re.fullmatch(r"(?:[A-Z]+ )?(/[\w/.-]+)", code))}
    assert paths
    known = {str(rule) for rule in create_app(Settings()).url_map.iter_rules()}
    assert paths <= known


@pytest.mark.parametrize("package", ["app", "ledger", "scanner"])
def test_the_architecture_draws_every_folder_of_a_package_and_no_other(package):
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    [layout] = re.findall(r"^## Layout\n+```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    [part] = re.findall(rf"^{package}/ .*\n((?:  .*\n)+)", layout, flags=re.MULTILINE)
    drawn = set(re.findall(r"(?:^| ) ([a-z0-9_]+)/(?= )", part, flags=re.MULTILINE))
    there = {path.name for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()}
    assert drawn == there


def test_every_decision_is_in_the_index_and_has_its_three_parts():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert f"({page.name})" in index
        assert text.startswith(f"# {page.name[:4]} ")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]
