"""The living supply chain: the same seed plays the same, and a world without fraud or error has no word but OK."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import cli
from app.simulate.measure import Measure, Scan, Truth
from app.simulate.service import simulate
from app.simulate.world import Rates, World

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
NOTHING = Rates(late=0, wrong=0, misread=0, returned=0, copied=0, invented=0, refilled=0)
SMALL = {"makers": 1, "wholesalers": 1, "pharmacies": 3}


def _scan(truth: Truth, word: str, box: int) -> Scan:
    return Scan(truth, word, "some_reason", START, box)


def test_a_box_is_flagged_by_its_first_scan_and_an_innocent_is_never_called_suspect() -> None:
    measure = Measure()
    for box in range(19):
        measure.add(_scan(Truth.COPY, "SUSPECT", box))
    measure.add(_scan(Truth.COPY, "OK", 19))
    measure.add(_scan(Truth.COPY, "SUSPECT", 19))  # too late: it was sold
    measure.add(_scan(Truth.GENUINE, "OK", 20))
    assert [goal.holds for goal in measure.goals()] == [True, True, True, True]
    measure.add(_scan(Truth.INVENTED, "OK", 21))
    measure.add(_scan(Truth.PAPERWORK, "SUSPECT", 22))
    measure.accused["two_custodians"] += 1
    assert [goal.holds for goal in measure.goals()] == [False, True, False, False]
    assert "MISSED  innocent packs called suspect: 1" in measure.text()
    assert measure.as_json()["matrix"]["copy"] == {"SUSPECT": 20, "OK": 1}


def test_nothing_that_did_not_happen_is_counted_as_reached() -> None:
    assert [goal.reached for goal in Measure().goals()] == [None, None, 0, 0]


def test_a_world_follows_from_its_seed() -> None:
    one, same, other = (World.make(Rates(), seed) for seed in (7, 7, 8))
    lots = [
        [pack.key for case in each.lot(each.makers[0], START, 2) for pack in case.packs]
        for each in (one, same, other)
    ]
    assert lots[0] == lots[1] != lots[2]
    assert len(set(lots[0])) == 16


@pytest.mark.parametrize("wrong", [{"makers": 0}, {"pharmacies": 51}])
def test_a_world_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        World.make(Rates(), 1, **wrong)


def test_without_error_and_fraud_every_scan_is_ok(tmp_path: Path) -> None:
    days = Counter[int]()
    measure = simulate(tmp_path, NOTHING, 3, 14, START, progress=lambda day: days.update([day]), **SMALL)
    assert {scan.word for scan in measure.scans} == {"OK"}
    assert len(measure.scans) > 20
    assert measure.holds
    assert list(days) == list(range(1, 15))


def test_the_command_says_what_it_does_not_understand(capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (["--days", "3"], "12 to 400"),
        (["--rate", "luck=1"], "luck"),
        (["--rate", "late=2"], "share"),
    ):
        assert cli.main(["simulate", "--json", *words]) == 1
        assert told in json.dumps(json.loads(capsys.readouterr().err))
