"""The kills over all runs stand in the repository, and the page says what the file says."""

import json

from tests.faults import conftest
from tests.faults.conftest import KEPT, PAGE, ROW, count_kills, row


def test_the_page_shows_the_tracked_sum_and_it_meets_the_bar() -> None:
    counts = json.loads(KEPT.read_text())
    assert ROW.findall(PAGE.read_text()) == [row(counts)]
    assert counts["kills"] >= 500
    assert counts["acknowledged"] >= counts["kills"]


def test_what_tests_count_waits_for_a_soak_and_is_kept_once(tmp_path, monkeypatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n{row({'runs': 1, 'kills': 2, 'acknowledged': 3})}\nbelow\n")
    for name, path in (("SOAK", tmp_path / "var" / "a"), ("KEPT", tmp_path / "b"), ("PAGE", page)):
        monkeypatch.setattr(conftest, name, path)
    assert count_kills(10, 70) == {"runs": 1, "kills": 10, "acknowledged": 70}
    assert not (tmp_path / "b").exists(), "make test changes no tracked file"
    assert count_kills(250, 1500, keep=True)["kills"] == 260
    assert count_kills(10, 60) == {"runs": 3, "kills": 270, "acknowledged": 1630}
    assert json.loads((tmp_path / "b").read_text()) == {"runs": 2, "kills": 260, "acknowledged": 1570}
    assert count_kills(250, 1000, keep=True) == {"runs": 4, "kills": 520, "acknowledged": 2630}
    assert page.read_text() == f"above\n{row(json.loads((tmp_path / 'b').read_text()))}\nbelow\n"
