"""Under ``CI=true`` a test that skips has failed: what CI calls green was all run.

A plugin, so that it also catches a skip that did not come through `tests.support.shared.missing`: a mark, a call, an
import that is not there, in a test, a fixture or a whole module. An expected failure is no skip.
"""

import os
from collections.abc import Generator

import pytest


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    # A skip's longrepr is (path, line, "Skipped: reason").
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{reason} (under CI=true nothing may skip)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test or of its fixtures into its failure."""
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into an error of the collection."""
    report = yield
    _fail(report)
    return report
