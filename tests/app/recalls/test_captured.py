"""A recall that comes without the desk opens its maker's case and tells everybody, once; and ends in the same way."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.cli import main
from app.recalls import captured, notices
from app.recalls.rules import Counts, RecallClass, Scope
from app.recalls.service import lot_of, recall_document
from app.shared.actor import Role
from ledger.custody.event import Linked, Quantity
from tests.support.app import OPERATOR
from tests.support.counter import HERE, PHARMACY, STRANGER, Counter
from tests.support.rest import Rest
from tests.support.trade import WHEN
from tests.support.world import GTIN, MAKER, package, sgln

LOT = lot_of(GTIN, "LOT42")


def queue(counter: Counter, gln: str, *, closed: bool = False) -> list[DeskCase]:
    with counter.services.database.reading() as connection:
        return cases.queue(connection, Desk.RECALLS, gln, closed=closed)


def thread(counter: Counter, case: DeskCase) -> list[str]:
    with counter.services.database.reading() as connection:
        return [line.text for line in cases.case(connection, Desk.RECALLS, case.case_id, None).thread]


def told(counter: Counter, *, ends: bool = False, by: str = MAKER, hours: int = 5) -> None:
    """The maker's document, as another system of its would send it."""
    raw = recall_document(LOT, WHEN + timedelta(hours=hours), by, ends=ends)
    counter.services.capture.receive(raw, "application/json", by=by, channel="file", actor=OPERATOR)


def test_a_captured_recall_is_a_case_and_is_told_and_ends_as_at_the_desk(counter: Counter) -> None:
    told(counter)
    [case] = queue(counter, MAKER)
    assert (case.kind, case.data["lots"], case.data["class"], case.data["waits"]) == (
        "recall", ["LOT42"], "none", "",
    )  # fmt: skip
    assert "Recalled by a document of yours" in thread(counter, case)[0]
    assert "Told Corner Pharmacy." in thread(counter, case)
    [notice] = queue(counter, PHARMACY)
    assert (notice.kind, notice.partner_gln, notice.subject) == ("notice", MAKER, LOT.canonical)
    assert queue(counter, STRANGER) == []
    # Told again, and looked at again: it is the same recall.
    told(counter, hours=6)
    captured.tell_waiting(counter.services.database, counter.node.clock)
    assert [each.case_id for each in (*queue(counter, MAKER), *queue(counter, PHARMACY))] == [
        case.case_id, notice.case_id,
    ]  # fmt: skip
    # What the desk does with its own recalls it does with this one.
    pharmacy = replace(OPERATOR, name="quinn", role=Role.QUALITY, party_gln=PHARMACY)
    counter.services.recalls.answer(pharmacy, notice.case_id, Counts(quarantined=4))
    with counter.services.database.reading() as connection:
        assert notices.effect(notices.consignees(connection, case.case_id)).accounted_percent == 100
    told(counter, ends=True, hours=7)
    assert queue(counter, MAKER) == queue(counter, PHARMACY) == []
    [done] = queue(counter, MAKER, closed=True)
    [theirs] = queue(counter, PHARMACY, closed=True)
    assert (done.state, theirs.state, theirs.closed_by) == ("ended", "ended", "its maker")


def test_anothers_recall_is_none_and_packages_are_called_back_by_serial(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    told(counter, by=STRANGER)
    assert queue(counter, STRANGER) == queue(counter, MAKER) == []
    recalled = counter.event("holding", HERE, 2, hours=5, disposition="recalled")
    counter.told(recalled, by=MAKER)
    [case] = queue(counter, MAKER)
    assert (case.data["serials"], case.data["scope"], case.data["lots"]) == (2, "2 packages by serial", [])
    with counter.services.database.reading() as connection:
        [consignee] = notices.consignees(connection, case.case_id)
    assert (consignee.gln, consignee.packages) == (PHARMACY, 2)
    # The lot besides: what the case by serial does not have.
    told(counter, hours=6)
    assert sorted(each.data["scope"] for each in queue(counter, MAKER)) == [
        "2 packages by serial",
        "lot LOT42",
    ]


def test_a_recall_that_came_before_what_it_is_about_is_a_case_when_that_comes(
    sqlite_counter: Counter,
) -> None:
    counter, late = sqlite_counter, lot_of(GTIN, "LATE7")
    raw = recall_document(late, WHEN + timedelta(hours=5), MAKER)
    counter.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    assert queue(counter, MAKER) == []
    begun = counter.trade.begun(70)
    ilmd = tuple((name, value.replace("LOT42", "LATE7")) for name, value in begun.ilmd)
    counter.told(replace(begun, ilmd=ilmd), by=MAKER)
    [case] = queue(counter, MAKER)
    assert case.data["lots"] == ["LATE7"]
    # Nobody captured a recall just now; the server's round tells it.
    assert counter.services.recall_sweep.round() == 0
    assert "By the record, nobody else has it." in thread(counter, case)
    assert queue(counter, MAKER)[0].data["waits"] == ""


def test_the_desk_fills_in_its_own_case_and_one_cut_short_is_told_later(
    sqlite_counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, recalls = sqlite_counter, sqlite_counter.services.recalls
    maker = replace(OPERATOR, name="max", role=Role.MANUFACTURER, party_gln=MAKER)
    given = (Scope.parse(GTIN, ["LOT42"]), RecallClass.I, "Vials may leak.", "Return it.")

    def ends(*_: Any) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(recalls, "_begin", ends)
        with pytest.raises(KeyboardInterrupt):
            recalls.open(maker, *given)
    # It is recorded, and the case is there: nobody is told in the desk's place before its time.
    [case] = queue(counter, MAKER)
    captured.tell_waiting(counter.services.database, counter.node.clock)
    assert (case.data["waits"], queue(counter, PHARMACY)) == ("desk", [])
    counter.node.clock.advance(timedelta(minutes=11))
    captured.tell_waiting(counter.services.database, counter.node.clock)
    assert [each.data["class"] for each in queue(counter, PHARMACY)] == ["none"]


def test_the_command_line_tells_too(
    sqlite_counter: Counter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counter = sqlite_counter
    url = counter.services.database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", url)
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(counter.services.settings.data_dir))
    monkeypatch.setenv("PACKPROOF_LEDGER_ORIGIN", counter.services.settings.ledger_origin)
    assert main(["recall", GTIN, "LOT42"]) == 0
    assert "is recalled" in capsys.readouterr().out
    assert [each.kind for each in queue(counter, PHARMACY)] == ["notice"]
    assert [each.kind for each in queue(counter, MAKER)] == ["recall"]


def test_whoever_is_named_in_an_event_cannot_take_anothers_case(sqlite_counter: Counter) -> None:
    """A reference to a case that there is, or to no case's id, is nothing but a reference."""
    counter = sqlite_counter
    told(counter)
    [case] = queue(counter, MAKER)
    for case_id in (case.case_id, "case_no", "../x"):
        recalled = replace(
            counter.event("holding", hours=6, disposition="recalled", epcs=(package(5),)),
            quantities=(Quantity(lot_of(GTIN, "LOT42").canonical),),
            transactions=(Linked("", f"urn:epcglobal:cbv:bt:{MAKER}:{case_id}"),),
            event_id=f"urn:uuid:00000000-0000-4000-8000-{len(case_id):012}",
        )
        counter.told(recalled, by=MAKER)
    assert len(queue(counter, MAKER)) == 2  # the lot, and the one package by serial


def test_whoever_gets_recalled_packages_later_is_told_by_the_servers_round(counter: Counter) -> None:
    told(counter)
    sweep = counter.services.recall_sweep
    assert sweep.round() == 0, "all are told"
    passed = {"biz_location": None, "disposition": "in_transit"}
    ends = {
        name: (Linked("possessing_party", sgln(gln)),)
        for name, gln in (("sources", PHARMACY), ("destinations", STRANGER))
    }
    counter.told(counter.event("shipping", 2, hours=6, **passed, **ends), by=PHARMACY)
    assert queue(counter, STRANGER) == []
    assert (sweep.round(), sweep.round()) == (1, 0)
    [notice] = queue(counter, STRANGER)
    assert (notice.kind, notice.partner_gln) == ("notice", MAKER)
    told(counter, ends=True, hours=7)
    assert (sweep.round(), queue(counter, STRANGER)) == (0, [])


def test_its_maker_says_later_what_the_document_does_not(sqlite_counter: Counter) -> None:
    """Over the page and over REST: whoever was told is told this too, once, with the class's time."""
    counter = sqlite_counter
    told(counter)
    [case] = queue(counter, MAKER)
    address = f"/recalls/{case.case_id}"
    max_ = counter.somebody("max", Role.MANUFACTURER, MAKER)
    said = {"class": "I", "reason": "Vials may leak.", "instruction": "Return it."}
    assert "Say how grave it is" in max_.get(address).text
    assert max_.post(f"{address}/describe", said | {"reason": " "}, form=address).status_code == 400
    assert max_.post(f"{address}/describe", said, form=address).status_code == 303
    [notice] = queue(counter, PHARMACY)
    assert (notice.data["class"], notice.data["reason"]) == ("I", "Vials may leak.")
    assert notice.due_at == counter.node.clock.now() + timedelta(days=1)
    assert (
        thread(counter, notice)[-1] == "Class I: may cause serious harm or death. Vials may leak. Return it."
    )
    maker, pharmacy = Rest(counter, MAKER), Rest(counter, PHARMACY)
    before = len(thread(counter, case))
    assert maker.post(f"/api{address}/describe", said)["class"] == "I"
    assert len(thread(counter, case)) == before
    pharmacy.post(f"/api/recalls/{notice.case_id}/answer", {"quarantined": 4})
    maker.post(f"/api{address}/describe", said | {"class": "II"})
    [answered] = queue(counter, PHARMACY, closed=True)
    assert (answered.state, answered.data["class"]) == ("answered", "II")
    for path in (case.case_id, notice.case_id):  # not another's, and no notice
        assert pharmacy.post(f"/api/recalls/{path}/describe", said, 404)["code"] == "not_found"
