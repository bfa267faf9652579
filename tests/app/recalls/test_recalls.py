"""A recall from its opening to its end: found at once, told, answered, ended; and who may read what of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody.whereabouts import InHand, in_hand
from app.errors import Conflict, NotFound, Refused
from app.recalls import notices
from app.recalls.captured import population_of
from app.recalls.rules import Counts, RecallClass, Scope
from app.recalls.service import lot_of, whereabouts
from app.shared.actor import Actor, Role
from app.shared.audit import entries
from ledger.custody.verdict import Reason, Word
from ledger.custody.vocabulary import Action
from tests.support.app import OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, PHARMACY, STRANGER, Counter, code
from tests.support.world import GTIN, MAKER, package


def somebody(gln: str, role: Role = Role.QUALITY) -> Actor:
    return replace(OPERATOR, name=f"quinn of {gln[-3:]}", role=role, party_gln=gln)


def opened(counter: Counter, scope: Scope) -> str:
    maker = somebody(MAKER, Role.MANUFACTURER)
    recalls = counter.services.recalls
    return recalls.open(maker, scope, RecallClass.II, "Vials may leak.", "Set it apart and return it.")


def told(counter: Counter, case_id: str) -> list[notices.Consignee]:
    with counter.services.database.reading() as connection:
        return notices.consignees(connection, case_id)


def verdict(counter: Counter, number: int, asker: str = PHARMACY) -> tuple[Word, Reason]:
    found = counter.services.verification.check(code(number).encode(), None, OPERATOR, asker=asker)
    return found.verdict.word, found.verdict.reason


def test_a_recall_from_its_opening_to_its_end(counter: Counter) -> None:
    recalls, database = counter.services.recalls, counter.services.database
    case_id = opened(counter, Scope.parse(GTIN, ["LOT42"]))
    assert verdict(counter, HERE) == (Word.DO_NOT_USE, Reason.RECALLED)
    [consignee] = told(counter, case_id)
    # Three in hand and one under way: all four were shipped there.
    assert (consignee.gln, consignee.packages, consignee.acknowledged_at) == (PHARMACY, 4, None)
    with database.reading() as connection:
        [notice] = cases.queue(connection, Desk.RECALLS, PHARMACY)
        assert (notice.kind, notice.partner_gln, notice.data["reason"]) == (
            "notice",
            MAKER,
            "Vials may leak.",
        )
        assert cases.queue(connection, Desk.RECALLS, STRANGER) == []
        with pytest.raises(NotFound):
            cases.case(connection, Desk.RECALLS, case_id, PHARMACY)
    pharmacy = somebody(PHARMACY)
    recalls.acknowledge(pharmacy, notice.case_id)
    with pytest.raises(Conflict):
        recalls.acknowledge(pharmacy, notice.case_id)
    recalls.answer(pharmacy, notice.case_id, Counts(quarantined=2), "One is being looked for.")
    recalls.answer(pharmacy, notice.case_id, Counts(quarantined=3, gone=1))
    effect = notices.effect(told(counter, case_id))
    assert (effect.acknowledged_percent, effect.answered_percent, effect.accounted_percent) == (100, 100, 100)
    maker = somebody(MAKER, Role.MANUFACTURER)
    assert recalls.tell_again(maker, case_id) == 0
    counter.node.clock.advance(timedelta(days=2))
    recalls.end(maker, case_id, "No leak was found.")
    assert verdict(counter, HERE) == (Word.OK, Reason.OK)
    with database.reading() as connection:
        assert cases.queue(connection, Desk.RECALLS, None) == []
        ended = cases.case(connection, Desk.RECALLS, notice.case_id, PHARMACY)
        assert (ended.state, ended.closed_by) == ("ended", "its maker")
        assert "3 quarantined, 1 dispensed or passed on before." in [line.text for line in ended.thread]
        thread = [line.text for line in cases.case(connection, Desk.RECALLS, case_id, MAKER).thread]
    assert any("Corner Pharmacy has answered. 3 quarantined" in text for text in thread)
    with pytest.raises(Conflict):
        recalls.answer(pharmacy, notice.case_id, Counts(quarantined=1))
    with pytest.raises(Conflict):
        recalls.end(maker, case_id, "Again.")


def test_ending_one_of_two_recalls_leaves_the_other(counter: Counter) -> None:
    first = opened(counter, Scope.parse(GTIN, ["LOT42"]))
    counter.node.clock.advance(timedelta(minutes=1))
    second = opened(counter, Scope.parse(GTIN, ["LOT42"]))
    maker = somebody(MAKER, Role.MANUFACTURER)
    counter.node.clock.advance(timedelta(minutes=1))
    assert counter.services.recalls.end(maker, first, "No leak was found.") == 0
    assert verdict(counter, HERE) == (Word.DO_NOT_USE, Reason.RECALLED)
    with counter.services.database.reading() as connection:
        assert cases.case(connection, Desk.RECALLS, second, MAKER).is_open
        thread = cases.case(connection, Desk.RECALLS, first, MAKER).thread
    assert any("another open recall" in line.text for line in thread)
    counter.node.clock.advance(timedelta(minutes=1))
    assert counter.services.recalls.end(maker, second, "Nor a crack.") > 0
    assert verdict(counter, HERE) == (Word.OK, Reason.OK)


def test_where_a_lot_is_and_what_a_holder_has_to_pull(counter: Counter) -> None:
    with counter.services.database.reading() as connection:
        found = whereabouts(connection, lot_of(GTIN, "LOT42"))
        assert [(each.gln, each.state, each.packages, each.inferred) for each in found.holdings] == [
            (PHARMACY, "held", 3, 0),
            (PHARMACY, "under way", 1, 0),
            (MAKER, "held", 1, 0),
        ]
    case_id = opened(counter, Scope.parse(GTIN))
    with counter.services.database.reading() as connection:
        case = cases.case(connection, Desk.RECALLS, case_id, MAKER)
        assert case.data["scope"] == "all lots"
        maker_id = next(each.party_id for each in found.holdings if each.gln == MAKER)
        assert maker_id is not None
        assert in_hand(connection, population_of(case), maker_id) == [InHand(package(AT_ITS_MAKER), 1)]


def test_some_packages_by_serial_and_no_others(counter: Counter) -> None:
    case_id = opened(counter, Scope.parse(GTIN, serials=["1", "5"]))
    assert verdict(counter, 1)[1] is Reason.RECALLED
    assert verdict(counter, 2)[1] is Reason.OK
    [consignee] = told(counter, case_id)
    assert (consignee.gln, consignee.packages) == (PHARMACY, 1)
    counter.node.clock.advance(timedelta(days=2))
    counter.services.recalls.end(somebody(MAKER, Role.MANUFACTURER), case_id, "A mistake of ours.")
    assert verdict(counter, 1)[1] is Reason.OK


def test_a_holder_further_down_is_told_and_not_named(counter: Counter) -> None:
    """The pharmacy ships one on: its maker reads that there is such a holder, and not who."""
    sources = counter.shipment.sources
    onward = counter.event("shipping", 2, hours=3, biz_location=None, disposition="in_transit",
                           sources=(replace(sources[0], id=f"https://id.gs1.org/414/{PHARMACY}"),),
                           destinations=(replace(sources[0], id=f"https://id.gs1.org/414/{STRANGER}"),))  # fmt: skip
    counter.told(onward, by=PHARMACY)
    case_id = opened(counter, Scope.parse(GTIN, ["LOT42"]))
    near, far = told(counter, case_id)
    assert (near.name, far.name, far.gln, far.packages) == ("Corner Pharmacy", notices.FURTHER_DOWN, None, 1)
    counter.services.recalls.answer(somebody(STRANGER), far.notice_id, Counts())
    with counter.services.database.reading() as connection:
        thread = [line.text for line in cases.case(connection, Desk.RECALLS, case_id, MAKER).thread]
        negative = entries(connection, action="recall.answer")[0]
    assert not any("Far Away" in text for text in thread)
    assert any("A holder further down has answered. Searched, and found none." in text for text in thread)
    assert (negative.outcome, negative.whose) == ("nothing", STRANGER)


def test_who_has_dispensed_or_passed_on_all_of_it_is_told_too(counter: Counter) -> None:
    """Two hops: the pharmacy ships two on; who got them dispenses one and ships the other on. All three are told."""
    sources, other = counter.shipment.sources, "0614141000012"

    def moved(step: str, number: int, hours: int, by: str, to: str) -> None:
        ends = {
            "sources": (replace(sources[0], id=f"https://id.gs1.org/414/{by}"),),
            "destinations": (replace(sources[0], id=f"https://id.gs1.org/414/{to}"),),
        }
        where = {"biz_location": None} if step == "shipping" else {}
        event = counter.event(step, number, hours=hours, disposition="in_progress", **ends, **where)
        counter.told(event, by=by if step == "shipping" else to)

    for number in (1, 2):
        moved("shipping", number, 3, PHARMACY, STRANGER)
        moved("receiving", number, 4, PHARMACY, STRANGER)
    gone = counter.event("dispensing", 1, hours=5, action=Action.DELETE, disposition="dispensed")
    counter.told(gone, by=STRANGER)
    moved("shipping", 2, 6, STRANGER, other)
    moved("receiving", 2, 7, STRANGER, other)
    case_id = opened(counter, Scope.parse(GTIN, serials=["1", "2"]))
    with counter.services.database.reading() as connection:
        having = {PHARMACY, STRANGER, other}
        told_to = {gln for gln in having if cases.queue(connection, Desk.RECALLS, gln)}
    assert told_to == having
    assert len(told(counter, case_id)) == 3


def test_only_its_maker_recalls_and_what_is_not_there_is_recorded_as_looked_for(counter: Counter) -> None:
    before = counter.trade.counts()
    with pytest.raises(Refused):
        counter.services.recalls.open(
            somebody(PHARMACY), Scope.parse(GTIN, ["LOT42"]), RecallClass.I, "Leaks.", "Return it."
        )
    with pytest.raises(NotFound):
        opened(counter, Scope.parse(GTIN, ["NO-SUCH"]))
    assert counter.trade.counts() == before
    with counter.services.database.reading() as connection:
        [row] = entries(connection, action="recall.search")
    assert (row.outcome, row.detail) == ("nothing", f"GTIN {GTIN}, lot NO-SUCH")
