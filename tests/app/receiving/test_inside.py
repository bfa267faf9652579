"""What is wrong inside a container: nobody receives it unseen, and each cause is a case of its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.exceptions.rules import OwnKind
from app.receiving.inside import kind_of
from app.shared.actor import Role
from ledger.custody.verdict import Reason, Verdict, Word
from ledger.custody.vocabulary import Action
from tests.support.app import HTML
from tests.support.counter import text_of
from tests.support.delivery import ADVICE, Bay, Clerk, case_label, cases_of, sscc
from tests.support.trade import WHEN
from tests.support.world import MAKER, package


@pytest.fixture
def wanda(sqlite_bay: Bay) -> Clerk:
    """At a delivery of two cases: in the first one pack is recalled and one is on hold, in the second all is well."""
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bare = replace(bay.trade.begun(), action=Action.OBSERVE, ilmd=())
    later = WHEN + timedelta(hours=5)
    recalled = replace(
        bare, biz_step="holding", disposition="recalled", epcs=(package(101),), event_time=later
    )
    bay.tell(MAKER, recalled)
    held = replace(recalled, event_id="urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", epcs=(package(102),))
    # Its own maker had it on hold when it shipped the case.
    bay.tell(MAKER, replace(held, disposition="non_sellable_other", event_time=WHEN + timedelta(minutes=7)))
    return bay.clerk("wanda").begin(ADVICE)


def test_a_delivery_is_not_finished_with_something_wrong_in_a_closed_container(wanda: Clerk, sqlite_bay: Bay):
    wanda.scan(case_label(1), case_label(2))
    assert "4 of 4, all there" in wanda.page()
    assert "Something inside a container is not OK" in wanda.page()
    refused = wanda.visitor.client.post(
        f"{wanda.address}/finish", data={"csrf_token": wanda.visitor.token(wanda.address)}, headers=HTML
    )
    assert refused.status_code == 409
    for said in ("Something inside is not OK.", "Nothing that was scanned is lost.", "4 of 4, all there"):
        assert said in text_of(refused), "the refusal stands in the page, with all that was scanned"
    assert f'action="{wanda.address}/apart"' in refused.text, "with what to do about it"
    assert sqlite_bay.received() == []
    assert wanda.act("apart", epc=sscc(2)) == 400, "nothing is wrong in it"
    assert "Decide first" in wanda.page()
    assert wanda.act("apart", epc=sscc(1)) == 303
    assert "Decide first" not in wanda.page()
    assert wanda.count() == "4 of 4, 2 set apart"
    wanda.finish()
    kinds = {case.kind: case for case in sqlite_bay.exceptions()}
    assert kinds["recalled"].title.startswith("Recalled")
    assert kinds["on_hold"].title.startswith("On hold")
    assert "unusable" not in kinds
    assert kinds["recalled"].data["epcs"] == [sscc(1), package(101)]
    assert kinds["on_hold"].data["epcs"] == [sscc(1), package(102)]
    assert kinds["recalled"].data["detail"].endswith("1 package of lot LOT42.")
    assert sqlite_bay.item(sscc(1))[0].held is not None
    assert sqlite_bay.item(sscc(2))[0].held is None
    page = text_of(sqlite_bay.somebody("quinn", Role.QUALITY).get(f"/exceptions/{kinds['recalled'].case_id}"))
    assert sscc(1).rpartition("/")[2] in page
    assert "LOT42" in page
    assert wanda.visitor.get(wanda.address).status_code == 200


def test_who_opens_it_instead_has_a_case_for_what_was_scanned(wanda: Clerk, sqlite_bay: Bay):
    wanda.scan(case_label(1), case_label(2))
    assert wanda.act("opened", epc=sscc(1)) == 303
    wanda.scan("(01)00399999001014(21)101(17)280531(10)LOT42")
    assert "Recalled" in wanda.page()
    wanda.finish()
    assert "recalled" in {case.kind for case in sqlite_bay.exceptions()}
    assert "suspect_inside" not in {case.kind for case in sqlite_bay.exceptions()}


@pytest.mark.parametrize(
    ("word", "reason", "kind"),
    [
        (Word.SUSPECT, Reason.TWO_CUSTODIANS, OwnKind.SUSPECT_INSIDE),
        (Word.DO_NOT_USE, Reason.EXPIRED, OwnKind.EXPIRED),
        (Word.DO_NOT_USE, Reason.RECALLED, OwnKind.RECALLED),
        (Word.DO_NOT_USE, Reason.HELD, OwnKind.ON_HOLD),
        (Word.DO_NOT_USE, Reason.DECOMMISSIONED, OwnKind.UNUSABLE),
    ],
)
def test_each_cause_inside_is_a_kind_of_its_own(word: Word, reason: Reason, kind: OwnKind):
    assert kind_of(Verdict(word, reason, (), "")) is kind
