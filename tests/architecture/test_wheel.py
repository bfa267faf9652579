"""What is installed elsewhere is what is tested here: the wheel holds every file, and its base needs one library."""

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes

import pytest

from tests.support.shared import ROOT

PACKAGES = ("app", "ledger", "scanner", "migrations")
SOURCES = ("setup.cfg", "pyproject.toml", "wsgi.py", "LICENSE", "README.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel and the files it was built from: a copy, since building leaves its traces beside them."""
    place = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, place / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = {
        path.relative_to(place / "src").as_posix() for path in (place / "src").rglob("*") if path.is_file()
    }
    for name in SOURCES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, place / "src")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*build, "--wheel-dir", place, place / "src"], check=True, timeout=120)
    [path] = place.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive, files


def test_every_module_template_and_asset_is_in_the_wheel(wheel):
    # A folder without __init__.py, or a kind of file that setup.cfg does not name, works from a checkout alone.
    archive, files = wheel
    assert (files | {"wsgi.py"}) - set(archive.namelist()) == set()


def test_a_verifier_is_asked_for_cryptography_alone(wheel):
    archive, _ = wheel
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    needed = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
    base = [line for line in needed if "extra ==" not in line]
    assert [line.split(">=")[0] for line in base] == ["cryptography"]
