"""Setting up: the locks hold what `setup.cfg` asks for, and `prepare.py` fails kindly and mends what it left."""

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from tests.support.shared import ROOT

LOCKS = {"demo": ("server", "scanner"), "dev": ("dev",)}


def pinned(lock):
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    return {
        (name, version, marker.strip())
        for name, version, marker in re.findall(r"^([a-z0-9-]+)==([^ ;]+)(.*?) \\$", text, re.MULTILINE)
    }


def wanted(*extras):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    for extra in extras:
        lines += config["options.extras_require"][extra].splitlines()
    return [Requirement(line) for line in lines if line]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_setup_cfg_asks_for(lock):
    versions = {name: version for name, version, _ in pinned(lock)}
    for requirement in wanted(*LOCKS[lock]):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert requirement.specifier.contains(versions[name]), f"make lock: {requirement}"


def test_the_demo_runs_on_the_versions_that_were_tested():
    tested = {(name, version) for name, version, _ in pinned("dev")}
    assert {(name, version) for name, version, _ in pinned("demo")} <= tested


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_hashes_every_file(lock):
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pinned(lock))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_an_old_python_can_read_prepare_and_so_say_that_it_is_too_old():
    ast.parse((ROOT / "requirements" / "prepare.py").read_text(), feature_version=(3, 6))


@pytest.fixture
def copy(tmp_path):
    """What setting up reads, in a folder of its own; with no index to fetch from, as without a network."""
    place = tmp_path / "a folder"
    shutil.copytree(ROOT / "requirements", place / "requirements")
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, place)
    return place


def prepare(copy):
    return subprocess.run(
        [sys.executable, copy / "requirements" / "prepare.py", "demo"],
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""},
        timeout=120,
        check=False,
    )


def test_it_makes_a_killed_runs_leavings_anew_and_without_a_network_calls_nothing_ready(copy):
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / ".installing").touch()
    (copy / ".venv" / "half-a-package").touch()
    done = prepare(copy)
    assert done.returncode == 1, done.stdout
    assert done.stderr == ""
    assert "making it anew" in done.stdout
    assert "Most often the network is missing" in done.stdout
    assert (copy / ".venv" / "bin" / "python").exists()
    assert not (copy / ".venv" / "half-a-package").exists()
    assert not list((copy / ".venv").glob(".*-ready"))
