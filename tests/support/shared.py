"""Where the public corpora lie: beside the project, read in place, never copied into it.

The folder is `../shared` next to the checkout, or what `PACKPROOF_SHARED` names. A test that needs it skips with
its reason where it is absent; under ``CI=true`` the skip is a failure, so that nothing silently goes unproven.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def missing(reason: str) -> None:
    """Skip the running test for `reason`; under ``CI=true`` fail it instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (under CI=true nothing may skip)", pytrace=False)
    pytest.skip(reason)


def shared_path(relative: str) -> Path:
    """The path of `relative` below the shared folder, e.g. ``data/gs1``."""
    base = Path(os.environ.get("PACKPROOF_SHARED", ROOT.parent / "shared"))
    path = base / relative
    if not path.exists():
        missing(f"the shared corpus {relative} is not beside the project")
    return path
