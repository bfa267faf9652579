"""What a table of bars says follows from its figures."""

import json

import pytest

from benchmarks.bars import Bar, told
from benchmarks.ledger import PAGE, commitment, with_run


@pytest.mark.parametrize(("measured", "met"), [(59.0, False), (60.0, True), (200.0, True)])
def test_a_ratio_is_ours_beside_the_yardstick(measured, met):
    bar = Bar("an append", "SQLite", measured, "entries/s", "a bare commit", 100.0, least=0.6)
    assert (bar.ratio, bar.met, bar.asked) == (measured / 100, met, ">= 0.6")
    assert ("**MISSED**" in bar.as_row()) is not met


@pytest.mark.parametrize(("measured", "met"), [(0.19, True), (0.2, True), (0.21, False)])
def test_a_time_is_compared_as_it_is(measured, met):
    bar = Bar("a proof", "SQLite", measured, "ms", most=0.2)
    assert (bar.ratio, bar.met, bar.asked) == (None, met, "<= 0.2 ms")


def test_the_table_is_markdown_and_json_says_the_same():
    bars = [
        Bar("a", "SQLite", 1234.5, "entries/s", "b", 1000.0, least=0.5),
        Bar("c", "none", 0.5, "ms", most=1),
    ]
    table = told(bars, {"cores": "2"}, False)
    assert "| a | SQLite | 1,234 entries/s | 1,000 (b) | 1.23 | >= 0.5 | met |" in table
    read = json.loads(told(bars, {"cores": "2"}, True))
    assert read["machine"] == {"cores": "2"}
    assert [(bar["ratio"], bar["met"]) for bar in read["bars"]] == [(1.234, True), (None, True)]


def test_the_commitment_that_is_measured_is_of_ten_thousand_leaves():
    bar = commitment(rounds=1)
    assert bar.measured > 0
    assert "10,000" in bar.bar


def test_a_run_takes_the_place_of_the_last_one_on_the_page_and_of_nothing_else():
    page = PAGE.read_text()
    written = with_run(page, "Remark.", "| row |")
    assert with_run(written, "Remark.", "| row |") == written
    assert "## Last run\nRemark.\n\n| row |\n\nCounted elsewhere" in written
    assert written.partition("## Last run")[0] == page.partition("## Last run")[0]
    assert written.rpartition("Counted elsewhere")[2] == page.rpartition("Counted elsewhere")[2]
    with pytest.raises(SystemExit):
        with_run("# Another page\n", "Remark.", "| row |")
