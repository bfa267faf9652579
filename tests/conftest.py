"""Fixtures every test may use; each set lives in a module of its own below `tests/support`."""

import gc
import importlib.util
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# Tests start many programs. Where the environment says that no bytecode be kept, each would compile all modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The same examples in every run, and no limit of time for one: what is red was made red by a change. More of them, and
# others each time, by PACKPROOF_TEST_SOAK=1.
settings.register_profile(
    "packproof",
    derandomize=not os.environ.get("PACKPROOF_TEST_SOAK"),
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("packproof")

if importlib.util.find_spec("flask"):
    from tests.support import compiled

    compiled.share()

pytest_plugins = [
    name
    for name in (
        "tests.support.no_skips",
        "tests.support.memory",
        "tests.support.programs",
        "tests.support.postgres",
        "tests.support.app",
        "tests.support.trade",
        "tests.support.counter",
        "tests.support.dock",
        "tests.support.delivery",
        "tests.support.browser",
        "tests.support.live",
        "tests.support.token",
    )
    if importlib.util.find_spec(name)
]

# Workers share whole files (`make test`): those that take long begin first, so that none is left to one worker at the
# end while the other has nothing to do.
FIRST = (
    *(
        "tests/e2e",
        "tests/faults",
        "tests/scenarios",
        "tests/acceptance",
        "tests/architecture",
        "tests/app/capture",
        "tests/scanner",
    ),
    *(
        "tests/app/proofs",
        "tests/contracts",
        "tests/app/redaction",
        "tests/ledger/store",
        "tests/ledger/evidence",
    ),
    *("tests/migrations", "tests/fuzz", "tests/interop", "tests/app"),
)


def _turn(item: pytest.Item) -> int:
    return next((n for n, folder in enumerate(FIRST) if item.nodeid.startswith(f"{folder}/")), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; tests of a folder in their order."""
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: looking through it at every collection of garbage is for nothing."""
    gc.collect()
    gc.freeze()
