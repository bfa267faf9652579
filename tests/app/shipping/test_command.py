"""The command to ship: refused with every reason before any event exists, or recorded with its information."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.capture.service import Capture
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.custody import loading
from app.partners import licences
from app.partners import service as partners
from app.products import service as products
from app.shared.audit import entries
from ledger.custody.event import Quantity
from ledger.custody.vocabulary import Action
from tests.support.counter import PHARMACY
from tests.support.dock import KEEPER, PALLET_CODE, Dock, code, codes_of
from tests.support.trade import problem
from tests.support.world import GTIN, LOT_KEY, MAKER, PALLET, WHOLESALER, package


def refusal(answer):
    found = problem(answer, 409, "ship.refused")
    return {each["code"]: each for each in found["problems"]}


def test_a_sale_is_recorded_with_its_information_and_released_to_both(dock: Dock):
    dock.made(1, 2, 3)
    dock.packed(PALLET, 1, 2)
    before = dock.trade.counts()
    answer = dock.ship(PALLET_CODE, code(3), to=WHOLESALER, notice="ASN-9")
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["packages"] == 3
    after = dock.trade.counts()
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]
    assert dock.owner(1) == (MAKER, MAKER, True)
    path = answer.headers["Location"]
    sold, bought = (dock.get(path, by).get_json() for by in (MAKER, WHOLESALER))
    assert (sold["direction"], bought["direction"]) == ("out", "in")
    assert sold["state"] == "released"
    assert sold["missing"] == []
    assert "missing" not in bought
    [product] = bought["products"]
    assert product["serials"] == ["1", "2", "3"]
    assert (bought["order"], bought["dispatch_advice"]) == ("PO-1", "ASN-9")
    assert bought["seller"]["address"] == "1 Plant Road, Trenton, NJ 08601, US"
    assert bought["statement"]["affirms"] == list("ABCDEFG")
    dock.received(PALLET, package(3), by=WHOLESALER)
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, False)
    dock.trade.sweep()


def test_what_was_told_stays_as_it_was_told(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    path = dock.ship(code(1), to=WHOLESALER).headers["Location"]
    first = dock.get(path, WHOLESALER).get_json()
    with dock.services.database.writing() as connection:
        products.register(connection, dock.services.clock, GTIN, MAKER, strength="40 mg")
        partners.describe(connection, MAKER, partners.Address("Elsewhere"), None)
    assert dock.get(path, WHOLESALER).get_json() == first


def test_every_reason_is_told_at_once_and_nothing_is_recorded(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2, 3, 4, 5)
    dock.packed(PALLET, 2, 3)
    hold = {"biz_step": "holding", "disposition": "non_sellable_other"}
    dock.told(dock.bare(epcs=(package(4),), **hold), by=MAKER)
    dock.sold(package(5), by=MAKER, to=WHOLESALER)
    before = dock.trade.counts()
    asked = [code(1), code(2), code(4), code(5), code(9), "nonsense", f"(01){GTIN}"]
    found = refusal(dock.ship(*asked, to="0614141000029", order="", affirmed=False))
    assert set(found) == {
        "unreadable",
        "names_no_package",
        "customer",
        "no_order",
        "not_held",
        "in_transit",
        "still_packed",
        "held",
        "not_affirmed",
    }
    assert found["held"]["examples"] == [f"(01){GTIN}(21)4"]
    assert "take it out, or ship that" in found["still_packed"]["message"]
    assert found["in_transit"]["count"] == 1
    assert dock.trade.counts() == before


def test_contents_at_any_depth_are_looked_at_and_counted(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(*range(1, 8))
    inner = "https://id.gs1.org/00/003999990000000109"
    dock.packed(inner, 1, 2, 3, 4, 5, 6, 7)
    packing = replace(dock.bare(), type="AggregationEvent", action=Action.ADD, biz_step="packing", epcs=())
    dock.told(replace(packing, parent=PALLET, children=(inner,)), by=MAKER)
    held = tuple(package(number) for number in (2, 3, 4, 5, 6))
    recalled = dock.bare(biz_step="holding", disposition="recalled", epcs=held)
    dock.told(recalled, by=MAKER)
    found = refusal(dock.ship(PALLET_CODE, to=WHOLESALER))
    assert set(found) == {"recalled"}
    assert found["recalled"]["count"] == 5
    assert found["recalled"]["examples"] == [f"(01){GTIN}(21){number}" for number in (2, 3, 4)]


def test_a_recall_of_the_lot_and_an_expiry_stop_it(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    lot = replace(dock.bare(biz_step="holding", disposition="recalled"), epcs=())
    dock.told(replace(lot, quantities=(Quantity(LOT_KEY),)), by=MAKER)
    assert set(refusal(dock.ship(code(1), to=WHOLESALER))) == {"recalled"}
    dock.made(2, lot="LOT43")
    dock.node.clock.advance(timedelta(days=3650))
    assert set(refusal(dock.ship(code(2), to=WHOLESALER))) == {"expired"}


def test_what_is_not_ours_cannot_be_told_from_what_there_is_not(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    strangers, none = (
        refusal(dock.ship(code(number), to=WHOLESALER, by=PHARMACY))["not_held"] for number in (1, 99)
    )
    assert strangers["message"] == none["message"]


def test_partners_must_be_authorized_now(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    with dock.services.database.writing() as connection:
        pharmacy, maker = (partners.by_gln(connection, gln) for gln in (PHARMACY, MAKER))
        for party in (pharmacy, maker):
            [held] = licences.of_parties(connection, [party.party_id])[party.party_id]
            licences.end(
                connection, held.licence_id, dock.services.clock.now() - timedelta(days=1), "revoked"
            )
    found = refusal(dock.ship(code(1), to=PHARMACY))
    assert set(found) == {"customer_not_authorized", "seller_not_authorized"}
    assert found["customer_not_authorized"]["message"] == (
        f"Corner Pharmacy is no authorized trading partner: its state licence L-{PHARMACY} of Board was ended on "
        "2026-11-19 (revoked)"
    )


def test_an_open_case_keeps_it_here(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    with dock.services.database.writing() as connection:
        number = loading.find_ids(connection, [package(1)])[package(1)]
        new = NewCase(Desk.INVESTIGATIONS, "suspect", MAKER, "Odd label", items={number: ""})
        cases.open_case(connection, dock.services.clock, new)
    assert set(refusal(dock.ship(code(1), to=WHOLESALER))) == {"open_case"}


def test_a_product_for_another_market_is_not_sold(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    with dock.services.database.writing() as connection:
        products.allow(connection, GTIN, ["CA"], [WHOLESALER])
    answer = problem(dock.ship(code(1), to=PHARMACY), 409, "ship.refused")
    assert [each["code"] for each in answer["problems"]] == ["outside_market", "outside_market"]
    with dock.services.database.writing() as connection:
        products.allow(connection, GTIN, ["CA", "US"], [])
    assert dock.ship(code(1), to=PHARMACY).status_code == 201


def test_the_same_twice_is_refused_the_second_time(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    assert dock.ship(code(1), to=WHOLESALER).status_code == 201
    assert "in_transit" in codes_of(dock.ship(code(1), to=WHOLESALER).get_json())
    assert codes_of(dock.ship(code(1), f"{code(1)} ", to=WHOLESALER).get_json()) >= {"twice"}


def test_who_is_beaten_between_check_and_record_is_refused(
    sqlite_dock: Dock, monkeypatch: pytest.MonkeyPatch
):
    dock = sqlite_dock
    dock.made(1)
    real = Capture.receive

    def beaten(self, *args, **kwargs):
        monkeypatch.undo()
        dock.sold(package(1), by=MAKER, to=PHARMACY)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Capture, "receive", beaten)
    assert "in_transit" in codes_of(dock.ship(code(1), to=WHOLESALER).get_json())
    assert (dock.sales(WHOLESALER), len(dock.sales(PHARMACY))) == ([], 1)


def test_whose_sale_comes_after_one_that_is_told_later_keeps_his_information_to_himself(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    later = dock.services.clock.now() - timedelta(minutes=5)
    assert dock.ship(code(1), to=WHOLESALER).status_code == 201
    dock.sold(package(1), by=MAKER, to=PHARMACY, event_time=later)
    found = dock.get("/transactions", MAKER).get_json()["transactions"]
    assert {each["buyer"]["gln"]: each["state"] for each in found} == {
        PHARMACY: "released",
        WHOLESALER: "withheld",
    }
    assert dock.sales(WHOLESALER) == []


def test_a_move_has_no_information_and_goes_to_own_sites_and_logistics_alone(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    bare = {"order": "", "affirmed": False, "purpose": "move"}
    assert codes_of(dock.ship(code(1), to=WHOLESALER, **bare).get_json()) == {"customer"}
    done = dock.ship(code(1), to=KEEPER, **bare)
    assert (done.status_code, done.get_json()["transaction"]) == (201, None)
    dock.received(package(1), by=KEEPER)
    assert dock.owner(1) == (KEEPER, MAKER, False)
    # Who keeps it for its owner may send it back, and not sell it.
    assert codes_of(dock.ship(code(1), to=PHARMACY, by=KEEPER).get_json()) == {"not_owned"}
    assert dock.sales(MAKER) == dock.sales(KEEPER) == []


def test_the_trail_has_what_was_shipped_and_what_was_refused(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.ship(code(9), to=WHOLESALER)
    dock.ship(code(1), to=WHOLESALER)
    with dock.services.database.reading() as connection:
        done, refused = entries(connection, action="shipment.ship")
    assert (refused.outcome, refused.detail) == ("refused", "not_held")
    assert done.outcome == "done"
    assert done.detail == f"sale of 1 packages to {WHOLESALER}; the transaction statement was affirmed"


def test_what_is_no_request_is_no_command(sqlite_dock: Dock):
    for change in (
        {"codes": []},
        {"codes": ["x"] * 501},
        {"customer": "1"},
        {"purpose": "gift"},
        {"affirmed": "yes"},
        {"x": 1},
    ):
        asked = {"codes": ["x"], "customer": WHOLESALER, **change}
        answer = sqlite_dock.trade.client.post("/shipments", json=asked, headers=sqlite_dock.bearer(MAKER))
        problem(answer, 422, "request.invalid")
