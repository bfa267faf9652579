"""A wholesaler that bought directly states so (582(c)(1)(A)(ii)), and one that received such a statement tells so (iv):
what a captured sale does not say of it is a gap."""

from dataclasses import replace

import pytest

from app.partners import service as partners
from ledger.custody.event import ErrorDeclaration
from tests.support.counter import PHARMACY
from tests.support.dock import AFFIRMED, BOUGHT_DIRECTLY, KEEPER, Dock
from tests.support.trade import licence
from tests.support.world import MAKER, PALLET, WHOLESALER, package

SILENT = replace(
    AFFIRMED, legal_notice="We have complied."
)  # another than AFFIRMED, which the dock completes
INDIRECT = replace(AFFIRMED, direct_purchase="ENTIRELY_INDIRECT")
R12 = replace(AFFIRMED, guideline_version=None)


def bought(dock: Dock) -> None:
    dock.made(1, 2)
    dock.sold(package(1), package(2), by=MAKER, to=WHOLESALER)
    dock.received(package(1), package(2), by=WHOLESALER)


@pytest.mark.parametrize("statement", [SILENT, INDIRECT, replace(R12, direct_purchase="false")])
def test_who_bought_directly_and_does_not_state_so_has_a_gap(sqlite_dock: Dock, statement) -> None:
    dock = sqlite_dock
    bought(dock)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY, statement=statement)
    [found] = receipt.findings
    assert found["code"] == "information_missing"
    assert "Dock Street bought it directly by the record, and does not state so" in found["message"]
    assert dock.get(f"/transactions/{receipt.index}.0", PHARMACY).status_code == 404, "it is not released"
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, True), "it is under way all the same"


@pytest.mark.parametrize("statement", [BOUGHT_DIRECTLY, replace(R12, direct_purchase="true")])
def test_who_states_it_has_none(sqlite_dock: Dock, statement) -> None:
    dock = sqlite_dock
    bought(dock)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY, statement=statement)
    assert [each["code"] for each in receipt.findings] == []
    assert dock.get(f"/transactions/{receipt.index}.0", PHARMACY).status_code == 200


def test_of_what_nobody_has_told_a_sale_to_it_nobody_says_that_it_was_bought_directly(
    sqlite_dock: Dock,
) -> None:
    dock = sqlite_dock
    dock.made(1)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY, statement=SILENT)
    assert "information_missing" not in [each["code"] for each in receipt.findings]


def test_what_it_bought_after_it_had_sold_it_is_not_asked_of_the_sale_before(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1)
    at = dock.at()
    dock.sold(package(1), by=MAKER, to=WHOLESALER)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY, statement=SILENT, event_time=at)
    assert "information_missing" not in [each["code"] for each in receipt.findings]


@pytest.mark.parametrize("named", [(package(1),), (PALLET, package(1))], ids=["itself", "with its pallet"])
def test_a_sale_by_who_did_not_have_it_is_no_purchase(sqlite_dock: Dock, named: tuple[str, ...]) -> None:
    """Anybody can report to have sold any package to anybody."""
    dock = sqlite_dock
    dock.made(1)
    dock.packed(PALLET, 1)
    dock.sold(PALLET, by=MAKER, to=WHOLESALER)
    dock.received(PALLET, by=WHOLESALER)
    dock.sold(*named, by=KEEPER, to=WHOLESALER)
    receipt = dock.sold(PALLET, by=WHOLESALER, to=PHARMACY, statement=BOUGHT_DIRECTLY)
    assert dock.get(f"/transactions/{receipt.index}.0", PHARMACY).status_code == 200
    silent = dock.sold(PALLET, by=WHOLESALER, to=KEEPER, statement=SILENT)
    assert "information_missing" in [each["code"] for each in silent.findings]


def test_a_purchase_that_was_declared_wrong_does_not_hide_the_one_before(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    bought(dock)
    mistaken = replace(dock.sale(package(1), by=PHARMACY, to=WHOLESALER), event_id="urn:uuid:07")
    dock.told(mistaken, by=PHARMACY)
    wrong = ErrorDeclaration(dock.services.clock.now(), "did_not_occur", ())
    dock.told(replace(mistaken, declaration=wrong), by=PHARMACY)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY, statement=SILENT)
    assert [each["code"] for each in receipt.findings] == ["information_missing"]


def test_who_received_a_statement_of_direct_purchase_tells_so(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    second = "0200000000011"
    with dock.services.database.writing() as connection:
        clock, place = dock.services.clock, partners.Address("1 Side Street", "Reno", "NV", "89501", "US")
        partners.register(
            connection, clock, second, "Side Street", "wholesaler", place=place, licences=[licence(second)]
        )
    bought(dock)
    dock.sold(package(1), by=WHOLESALER, to=second, statement=BOUGHT_DIRECTLY)
    dock.received(package(1), by=second, sender=WHOLESALER)
    silent = dock.sold(package(1), by=second, to=PHARMACY, statement=INDIRECT)
    [found] = [each for each in silent.findings if each["code"] == "information_missing"]
    assert "received a statement of direct purchase" in found["message"]
