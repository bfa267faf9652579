"""What is kept is gathered from where it stands; holds are set, kept in the trail, and lifted."""

import json
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.cli import main
from app.custody import loading
from app.errors import AppError
from app.retention.rules import About, Fate, RecordType, keep_until
from app.shared.audit import entries
from ledger.custody.vocabulary import EventType
from tests.support.app import OPERATOR
from tests.support.dock import Dock, code
from tests.support.world import GTIN, LOT_KEY, MAKER, PALLET, WHOLESALER, package


def lines(dock, at=None, party=None):
    found, _ = dock.services.retention.report(at or dock.services.clock.now(), party)
    return {line.type: line for line in found}


def case(dock, **dates):
    with dock.services.database.writing() as connection:
        number = loading.find_ids(connection, [package(1)])[package(1)]
        new = NewCase(
            Desk.INVESTIGATIONS, "suspect", MAKER, "Odd label", package(1), items={number: ""}, data=dates
        )
        cases.open_case(connection, dock.services.clock, new)


def test_each_type_runs_from_its_own_day(dock: Dock):
    dock.made(1, 2, 3)
    dock.packed(PALLET, 1, 2)
    dock.ship(code(3), to=WHOLESALER, transaction_date="2026-10-01")
    new = package("NEW1")
    dock.told(dock.bare(type=EventType.TRANSFORMATION, action=None, biz_step="repackaging", epcs=(),
                        inputs=(package(1),), outputs=(new,), disposition=None), by=MAKER)  # fmt: skip
    now = dock.services.clock.now()
    case(dock)
    case(dock, cleared_at=(now - timedelta(days=10)).isoformat())
    case(dock, illegitimate_at=(now - timedelta(days=20)).isoformat())
    dates = {"illegitimate_at": now - timedelta(days=20), "dispositioned_at": now - timedelta(days=5)}
    case(dock, **{name: day.isoformat() for name, day in dates.items()})
    found = lines(dock)
    assert {kind: line.total for kind, line in found.items()} == {
        RecordType.TRANSACTION: 1,
        RecordType.IDENTIFIERS: 1,
        RecordType.SUSPECT: 2,
        RecordType.ILLEGITIMATE: 2,
        RecordType.REPACKAGING: 1,
    }
    sold = found[RecordType.TRANSACTION]
    assert sold.oldest.date().isoformat() == "2026-10-01"
    assert (
        found[RecordType.SUSPECT].counts[Fate.OPEN] == found[RecordType.ILLEGITIMATE].counts[Fate.OPEN] == 1
    )
    assert found[RecordType.SUSPECT].oldest == now - timedelta(days=10)
    assert found[RecordType.ILLEGITIMATE].oldest == now - timedelta(days=5), "not of the determination"
    assert lines(dock, party=WHOLESALER)[RecordType.SUSPECT].total == 0
    later = lines(dock, keep_until(sold.oldest))
    assert later[RecordType.TRANSACTION].counts[Fate.FREE] == 1
    assert later[RecordType.REPACKAGING].counts[Fate.KEPT] == 1


def test_a_hold_stops_it_until_it_is_lifted_and_the_trail_has_both(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.ship(code(1), to=WHOLESALER)
    retention = dock.services.retention
    made = retention.hold(OPERATOR, About.LOT, f"(01){GTIN}(10)LOT42", "Civil action 26-cv-1")
    assert made.about == LOT_KEY
    later = dock.services.clock.now() + timedelta(days=3000)
    assert lines(dock, later)[RecordType.TRANSACTION].counts[Fate.HELD] == 1
    retention.lift(OPERATOR, made.hold_id, "settled")
    assert lines(dock, later)[RecordType.TRANSACTION].counts[Fate.FREE] == 1
    assert retention.holds() == []
    assert [each.hold_id for each in retention.holds(lifted=True)] == [made.hold_id]
    with dock.services.database.reading() as connection:
        trail = [
            (e.action, e.subject)
            for action in ("hold.set", "hold.lift")
            for e in entries(connection, action=action)
        ]
    assert trail == [("hold.set", made.hold_id), ("hold.lift", made.hold_id)]
    with pytest.raises(AppError, match="lifted already"):
        retention.lift(OPERATOR, made.hold_id, "again")


def test_a_hold_about_nothing_is_told(sqlite_dock: Dock):
    for kind, about, reason, says in (
        (About.LOT, f"(01){GTIN}(21)1", "x", "is no lot"),
        (About.PACKAGE, f"(01){GTIN}(10)A", "x", "is no package"),
        (About.GTIN, "12", "x", "names nothing"),
        (About.PARTY, "12", "x", "is no GLN"),
        (About.EVERYTHING, "", " ", "needs its reason"),
    ):
        with pytest.raises(AppError, match=says):
            sqlite_dock.services.retention.hold(OPERATOR, kind, about, reason)


def test_the_command_line_reports_holds_and_lifts(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", f"sqlite:///{tmp_path / 'packproof.db'}")
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(tmp_path))

    def run(*words):
        assert main([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    run("init")
    held = run("retention", "hold", "everything", "--reason", "Litigation")
    found = run("retention", "report", "--at", "2040-01-01")
    assert [each["type"] for each in found["types"]] == [each.value for each in RecordType]
    assert found["holds"][0]["hold"] == held["hold"]
    assert "Nothing is deleted by itself" in found["note"]
    assert run("retention", "lift", held["hold"], "--why", "settled") == {"hold": held["hold"]}
    assert run("retention", "holds") == []
    assert main(["retention", "report"]) == 0
    assert "kept six years from the end of the investigation" in capsys.readouterr().out
