"""CI's promise that nothing skips, held against every way a test has of skipping."""

import os

import pytest

from tests.support import programs

WAYS = {
    "mark": "@pytest.mark.skip(reason='too slow')\ndef test_one(): pass",
    "call": "def test_one(): pytest.skip('too slow')",
    "condition": "@pytest.mark.skipif(True, reason='too slow')\ndef test_one(): pass",
    "fixture": "@pytest.fixture\ndef it(): pytest.skip('too slow')\ndef test_one(it): pass",
    "module": "pytest.skip('too slow', allow_module_level=True)",
    "import": "pytest.importorskip('no_such_module', reason='too slow')\ndef test_one(): pass",
}


def run(tmp_path, text, **environment):
    path = tmp_path / "test_sample.py"
    path.write_text("import pytest\n" + text + "\n")
    alone = {"CI": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return programs.run(
        *("-m", "pytest", "-q", "-p", "tests.support.no_skips", "-p", "no:cacheprovider"),
        *("--rootdir", tmp_path, "-c", os.devnull, path),
        env={**os.environ, **alone, **environment},
    )


@pytest.mark.parametrize("way", WAYS)
def test_under_ci_a_skip_fails_and_says_why(tmp_path, way):
    done = run(tmp_path, WAYS[way], CI="true")
    assert done.returncode not in (0, 5), done.stdout
    assert "too slow (under CI=true nothing may skip)" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_elsewhere_a_test_may_skip(tmp_path):
    done = run(tmp_path, WAYS["call"])
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("1 skipped")


def test_an_expected_failure_is_no_skip(tmp_path):
    done = run(tmp_path, "@pytest.mark.xfail\ndef test_one(): assert 0", CI="true")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("1 xfailed")


def test_the_projects_own_tests_run_under_this_rule(request):
    assert request.config.pluginmanager.has_plugin("tests.support.no_skips")
