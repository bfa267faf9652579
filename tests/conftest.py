"""Fixtures every test may use; each set lives in a module of its own below `tests/support`."""

import importlib.util

pytest_plugins = [
    name
    for name in (
        "tests.support.no_skips",
        "tests.support.postgres",
        "tests.support.app",
        "tests.support.trade",
        "tests.support.counter",
        "tests.support.browser",
        "tests.support.live",
        "tests.support.token",
    )
    if importlib.util.find_spec(name)
]
