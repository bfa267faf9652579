"""Style and types are tests like any other: `make test` is red where ruff or mypy is."""

import subprocess
import sys

import pytest

from tests.support.shared import ROOT

# Told in full where it fails: whoever sees the red test sees what to change.
CHECKS = {
    "ruff check": ["ruff", "check", "--no-cache", "--output-format=concise", "."],
    "ruff format": ["ruff", "format", "--no-cache", "--check", "."],
    "mypy": ["mypy", "--no-error-summary"],
}


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("check", CHECKS)
def test_the_whole_tree_passes(check):
    done = run(*CHECKS[check])
    assert done.returncode == 0, f"{check} says:\n{done.stdout}{done.stderr}"


def test_mypy_is_strict_on_the_kernel_and_the_scanner(tmp_path):
    """The configuration in setup.cfg is found and is the strict one: an untyped function is refused."""
    loose = tmp_path / "loose.py"
    loose.write_text("def untyped(value):\n    return value\n")
    done = run("mypy", str(loose))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no-untyped-def" in done.stdout


def test_ruff_reads_the_rules_of_this_project(tmp_path):
    settings = run("ruff", "check", "--show-settings", "ledger/__init__.py")
    assert settings.returncode == 0, settings.stderr
    assert "linter.line_length = 110" in settings.stdout
    assert "hardcoded-password-string" in settings.stdout
