"""The direction of imports: the contracts in setup.cfg hold, and they are the ones the architecture page names."""

import configparser
import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT

CONTRACTS = {"direction", "scanner", "only-store-knows-sqlalchemy", "evidence-is-small", "log-is-generic"}


def lint_imports(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_contract_is_kept():
    done = lint_imports()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_the_contracts_are_those_of_the_architecture():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    prefix = "importlinter:contract:"
    found = {name.removeprefix(prefix) for name in config.sections() if name.startswith(prefix)}
    assert found >= CONTRACTS
    assert config["importlinter"]["root_packages"].split() == ["app", "ledger", "scanner"]
    assert config["importlinter"].getboolean("include_external_packages")


def test_a_broken_contract_is_found(tmp_path):
    """The checker checks: the kernel does import cryptography, so a contract against that is broken."""
    config = tmp_path / "importlinter.cfg"
    config.write_text(
        "[importlinter]\nroot_package = ledger\ninclude_external_packages = True\n"
        "[importlinter:contract:wrong]\nname = wrong\ntype = forbidden\n"
        "source_modules = ledger\nforbidden_modules = cryptography\n"
    )
    done = lint_imports("--config", str(config))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout


# What evidence may load, watched at run time: a lazy import escapes a contract.
LOADED_ALONE = [
    ("ledger.evidence", "ledger/evidence/__init__.py"),
    ("ledger.__main__", "ledger/__main__.py"),
]


@pytest.mark.parametrize(("module", "path"), LOADED_ALONE)
def test_evidence_loads_cryptography_and_the_standard_library_alone(module, path):
    assert (ROOT / path).exists()
    program = (
        "import sys, importlib, pkgutil\n"
        "before = set(sys.modules)\n"
        f"loaded = importlib.import_module({module!r})\n"
        "for found in pkgutil.iter_modules(getattr(loaded, '__path__', [])):\n"
        f"    importlib.import_module({module!r} + '.' + found.name)\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(tops - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    # The last two are cryptography's own, loaded under names of their own.
    assert set(done.stdout.split()) <= {"ledger", "cryptography", "_cffi_backend", "_openssl"}
