"""Behaviours 6 and 9 of the domain reference, section 10, at the receiving desk: written to be read beside it."""

from datetime import timedelta

import pytest

from app.custody.rebuild import differences
from app.shared.actor import Role
from tests.support.counter import PHARMACY, text_of
from tests.support.delivery import ADVICE, ORDER, case_label, cases_of, pack_label, sscc
from tests.support.world import MAKER, package


def test_6_receiving_15_of_16_declared_cases_leaves_one_in_transit_with_an_open_data_no_product_exception(
    bay,
):
    bay.ship(cases_of(16))
    wanda = bay.clerk("wanda").begin(case_label(3))
    wanda.scan(*(case_label(number) for number in range(1, 16)))
    assert wanda.count() == "30 of 32, 2 to come"
    assert "15 of 16 cases or pallets" in wanda.page()
    wanda.finish()

    for number in range(1, 16):
        _, outer = bay.item(package(number * 100 + 1))
        assert (outer.holder, outer.owner, outer.in_transit) == (PHARMACY, PHARMACY, False)
    _, outer = bay.item(package(1601))
    assert (outer.key, outer.holder, outer.in_transit, outer.bound_for) == (sscc(16), MAKER, True, PHARMACY)

    [exception] = bay.exceptions()
    assert (exception.kind, exception.subject, exception.partner_gln) == ("not_received", sscc(16), MAKER)
    page = text_of(bay.somebody("quinn", Role.QUALITY).get(f"/exceptions/{exception.case_id}"))
    for words in (
        "Data No Product",
        "2-1A shortage, shipped later",
        ADVICE,
        ORDER,
        "Receive only what is there",
    ):
        assert words in page, words

    [receiving] = bay.received()
    assert sorted(receiving["epcList"]) == sorted(sscc(number) for number in range(1, 16))
    assert {one["type"] for one in receiving["bizTransactionList"]} == {"po", "desadv"}
    with bay.services.database.snapshot() as connection:
        assert list(differences(connection)) == []


def test_6_what_was_missing_closes_its_exception_when_it_comes_after_all_or_is_voided(bay):
    shipped = bay.ship(cases_of(3))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [both] = [{one.subject for one in bay.exceptions()}]
    assert both == {sscc(2), sscc(3)}
    will = bay.clerk("will").begin(case_label(2)).scan(case_label(2))
    assert will.count() == "2 of 4, 2 to come"
    will.finish()
    quinn = bay.somebody("quinn", Role.QUALITY)
    quinn.get("/exceptions")
    # Case 2 came. Case 3 has now been missed twice, and twice there is work about it.
    assert {one.subject for one in bay.exceptions()} == {sscc(3)}
    bay.told(bay.event("void_shipping", hours=9, epcs=(sscc(3),), sources=shipped.sources), by=MAKER)
    quinn.get("/exceptions")
    assert bay.exceptions() == []
    assert "Corrected data arrived" in text_of(quinn.get("/exceptions"))


def test_9_without_an_affirmed_transaction_statement_receiving_moves_custody_and_not_ownership(bay):
    for number, affirmed in ((1, None), (2, False), (3, True)):
        bay.ship({sscc(number): (package(number * 100 + 1),)}, affirmed=affirmed, advice=f"ASN{number}")
    wanda = bay.clerk("wanda")
    for number in (1, 2, 3):
        page = wanda.begin(f"ASN{number}").page()
        assert ("will not be yours until it comes" in page) == (number < 3), (
            "said before anything is accepted"
        )
        wanda.scan(case_label(number)).finish()
    for number in (1, 2):
        _, outer = bay.item(package(number * 100 + 1))
        assert (outer.holder, outer.owner) == (PHARMACY, MAKER)
    _, outer = bay.item(package(301))
    assert (outer.holder, outer.owner) == (PHARMACY, PHARMACY)
    assert [one.kind for one in bay.exceptions()] == ["no_statement", "no_statement"]


def test_an_opened_case_is_counted_and_what_lacks_in_it_stays_under_way(bay):
    bay.ship(cases_of(2, size=3))
    wanda = bay.clerk("wanda").begin(ADVICE)
    wanda.scan(case_label(1), case_label(2))
    assert wanda.count() == "6 of 6, all there"
    assert wanda.act("opened", epc=sscc(2)) == 303
    assert wanda.count() == "3 of 6, 3 to come"
    wanda.scan(pack_label(201), pack_label(203))
    assert wanda.count() == "5 of 6, 1 to come"
    # Only who has looked can say that it is short; who finds it after all scans it.
    assert wanda.act("missing", epc=sscc(2)) == 303
    assert wanda.count() == "5 of 6, 1 short"
    assert wanda.act("missing", epc=sscc(2)) == 400, "it is said already"
    assert wanda.act("missing", epc=package(201)) == 400, "it is there"
    wanda.finish()
    gone, _ = bay.item(package(202))
    assert (gone.missing, gone.in_transit, gone.holder, gone.bound_for) == (True, True, MAKER, PHARMACY)
    _, outer = bay.item(package(201))
    assert (outer.key, outer.holder) == (sscc(2), PHARMACY)
    [exception] = bay.exceptions()
    assert (exception.kind, exception.subject, exception.data["container"]) == (
        "short",
        package(202),
        sscc(2),
    )
    # It comes after all, a week later, with another delivery.
    bay.ship({sscc(9): (package(901),)}, advice="ASN9")
    bay.node.clock.advance(timedelta(days=7))
    will = bay.clerk("will").begin("ASN9").scan(case_label(9), pack_label(202))
    assert "on its way to you by another document" in will.page()
    will.finish()
    there, _ = bay.item(package(202))
    assert (there.holder, there.in_transit, there.missing) == (PHARMACY, False, False)


def test_each_discrepancy_opens_one_exception_and_what_does_not_fit_is_held(sqlite_bay):
    bay = sqlite_bay
    bay.ship({package(n): () for n in range(1, 7)})
    bay.tell(MAKER, bay.trade.begun(50, 51), bay.trade.shipped(51, to="0614143000010"))
    wanda = bay.clerk("wanda").begin(ADVICE)
    wanda.scan(pack_label(1), pack_label(2), pack_label(3, lot="LOT43"), pack_label(4, expiry="290531"))
    # One still at its maker, one that went to somebody else, one whose serial its maker says that it never made.
    wanda.scan(pack_label(50), pack_label(51), pack_label(99))
    assert wanda.count() == "4 of 6, 2 to come, 3 too many"
    assert wanda.act("damaged", epc=package(2), reason="wet") == 303
    assert wanda.act("damaged", epc=package(5), reason="wet") == 400, "it was not seen"
    wanda.finish()
    found = {one.kind: one for one in bay.exceptions()}
    assert sorted(found) == sorted(
        [
            "not_received",
            "lot_differs",
            "expiry_differs",
            "damaged",
            "not_on_document",
            "for_another",
            "doubtful",
        ]
    )
    assert all(one.partner_gln == MAKER for one in found.values())
    held = {number: bay.item(package(number))[0].held for number in (1, 2, 3, 4)}
    assert held == {1: None, 2: "damaged", 3: "non_sellable_other", 4: "non_sellable_other"}
    # Nothing is received that was not on its way here.
    for number in (50, 51, 99):
        assert bay.item(package(number))[1].holder != PHARMACY
    assert bay.item(package(5))[1].in_transit


def test_nothing_seen_records_nothing_and_the_whole_shipment_is_lost(sqlite_bay):
    sqlite_bay.ship(cases_of(2))
    wanda = sqlite_bay.clerk("wanda").begin(ADVICE)
    wanda.finish()
    assert sqlite_bay.received() == []
    assert [one.kind for one in sqlite_bay.exceptions()] == ["lost_shipment"]
    assert "nothing was recorded" in wanda.page()


def test_two_clerks_share_a_delivery_each_undoes_his_own_and_a_second_scan_changes_nothing(sqlite_bay):
    sqlite_bay.ship(cases_of(3))
    wanda = sqlite_bay.clerk("wanda").begin(ADVICE)
    will = sqlite_bay.clerk("will", Role.PHARMACIST).begin(case_label(2))
    assert wanda.address == will.address
    wanda.scan(case_label(1))
    will.scan(case_label(2), case_label(1))
    assert "Scanned already" in will.page()
    assert wanda.count() == will.count() == "4 of 6, 2 to come"
    assert will.act("undo") == will.act("undo") == 303
    assert wanda.count() == "2 of 6, 4 to come"
    assert will.act("undo") == 409, "what is left is wanda's"
    will.finish()
    assert wanda.act("scans", code=case_label(3)) == 409, "it is finished"
    assert sqlite_bay.item(package(301))[1].in_transit
    stranger = sqlite_bay.stranger()
    assert stranger.get(wanda.address).status_code == 404
    assert "Nothing is on its way to you" in text_of(stranger.get("/receiving"))


def test_a_delivery_that_is_given_up_is_on_its_way_as_before(sqlite_bay):
    sqlite_bay.ship(cases_of(1))
    wanda = sqlite_bay.clerk("wanda").begin(ADVICE).scan(case_label(1))
    assert wanda.act("give-up") == 303
    assert sqlite_bay.received() == []
    assert sqlite_bay.exceptions() == []
    assert wanda.begin(ADVICE).count() == "0 of 2, 2 to come"


@pytest.mark.parametrize("text", ["ASN-unknown", "(00)003999990000000099", "nonsense ]d2", "#1"])
def test_what_is_not_on_its_way_here_is_not_found(sqlite_bay, text):
    answer = sqlite_bay.somebody("wanda", Role.WAREHOUSE).post("/receiving", {"code": text})
    assert answer.status_code == 404
    assert "Nothing on its way to you has this" in text_of(answer)
