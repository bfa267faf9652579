"""Sales as they were captured: withheld with gaps, released without, taken back, and as partners' files."""

from dataclasses import replace
from datetime import timedelta

from app.custody import rebuild
from app.custody import service as custody
from app.partners import licences
from app.partners import service as partners
from app.partners.licences import NewLicence
from app.prefixes import service as prefixes
from app.products import service as products
from app.transactions.forms import read_transactions
from ledger.custody.event import ErrorDeclaration
from ledger.epcis.read import read
from tests.support.counter import PHARMACY, STRANGER
from tests.support.dock import AFFIRMED, PALLET_CODE, Dock, code
from tests.support.trade import problem
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package


def ids(receipt):
    return f"{receipt.index}.0"


def codes(receipt):
    return [each["code"] for each in receipt.findings]


def test_a_captured_sale_with_gaps_stands_with_a_finding_and_is_withheld_until_they_close(dock: Dock):
    dock.made(1)
    with dock.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE product SET ndc = ''")
    receipt = dock.sold(package(1), by=MAKER, to=WHOLESALER)
    [found] = receipt.findings
    assert found["code"] == "information_missing"
    assert found["message"] == (
        f"not released to its buyer: NDC missing in product master data of GTIN {GTIN}"
    )
    path = f"/transactions/{ids(receipt)}"
    assert dock.get(path, WHOLESALER).status_code == 404
    assert dock.sales(WHOLESALER) == []
    own = dock.get(path, MAKER).get_json()
    assert (own["state"], own["missing"]) == (
        "withheld",
        [f"NDC missing in product master data of GTIN {GTIN}"],
    )
    problem(dock.get(f"{path}/epcis", MAKER), 409, "transaction.withheld")
    with dock.services.database.writing() as connection:
        products.register(connection, dock.services.clock, GTIN, MAKER, ndc="99999-001-01")
    assert dock.get(path, WHOLESALER).get_json()["state"] == "released"
    assert dock.sales(WHOLESALER) == [ids(receipt)]


def test_a_sale_whose_seller_did_not_have_it_is_not_passed_on(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    receipt = dock.sold(package(1), by=WHOLESALER, to=PHARMACY)
    assert "not_holder" in codes(receipt)
    own = dock.get(f"/transactions/{ids(receipt)}", WHOLESALER).get_json()
    assert own["state"] == "withheld"
    assert own["missing"][0].startswith("not_holder: ")
    assert dock.sales(PHARMACY) == []


def test_goods_that_go_back_to_who_sold_them_are_no_sale(dock: Dock):
    dock.made(1)
    dock.sold(package(1), by=MAKER, to=WHOLESALER)
    dock.received(package(1), by=WHOLESALER)
    back = dock.sold(package(1), by=WHOLESALER, to=MAKER, statement=None, disposition="returned")
    assert "information_missing" not in codes(back)
    assert len(dock.sales(WHOLESALER)) == len(dock.sales(MAKER)) == 1
    assert dock.get(f"/transactions/{ids(back)}", WHOLESALER).status_code == 404


def test_a_sale_declared_wrong_is_taken_back(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    receipt = dock.sold(package(1), by=MAKER, to=WHOLESALER)
    found = dock.services.transactions.one(ids(receipt), reader=MAKER)
    said = replace(found.sale.event, declaration=ErrorDeclaration(dock.at(), "did_not_occur"))
    dock.told(said, by=MAKER)
    assert dock.get(f"/transactions/{ids(receipt)}", WHOLESALER).get_json()["state"] == "taken_back"


def test_what_was_in_a_pallet_when_it_left_is_told_after_it_was_opened(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    dock.packed(PALLET, 1, 2)
    path = dock.ship(PALLET_CODE, to=WHOLESALER).headers["Location"]
    before = dock.get(path, WHOLESALER).get_json()
    dock.received(PALLET, by=WHOLESALER)
    opened = dock.bare(type="AggregationEvent", action="DELETE", biz_step="unpacking", parent=PALLET, epcs=())
    dock.told(replace(opened, children=(package(1),)), by=WHOLESALER)
    assert dock.get(path, WHOLESALER).get_json() == before
    assert dock.ship(code(1), to=PHARMACY, by=WHOLESALER).status_code == 201


def test_the_file_reads_back_as_what_was_told_in_urns_where_prefixes_are_known(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    dock.packed(PALLET, 1, 2)
    number = dock.ship(PALLET_CODE, to=WHOLESALER).get_json()["transaction"]
    with dock.services.database.writing() as connection:
        prefixes.add(connection, "0860000", WHOLESALER)
    told = dock.services.transactions.one(number, reader=WHOLESALER)
    for query in ("", "?guideline=R1.2", "?form=xml12", "?form=xml12&guideline=R1.2"):
        answer = dock.get(f"/transactions/{number}/epcis{query}", WHOLESALER)
        assert answer.status_code == 200, answer.text
        assert b"urn:epc:id:sscc:0399999.1000000001" in answer.data
        assert b"urn:epc:id:sgln:0860000.00001.0" in answer.data
        [(info, gaps, statement)] = read_transactions(read(answer.data))
        assert gaps == ()
        assert info == replace(told.info, date_inferred="R1.2" in query)
        assert statement.affirmed


def test_a_wholesaler_states_how_it_bought(sqlite_dock: Dock):
    dock = sqlite_dock
    other = STRANGER
    with dock.services.database.writing() as connection:
        where = partners.Address("1 Back Alley")
        new = [NewLicence("Board", "L-1", dock.services.clock.now() - timedelta(days=9))]
        clock = dock.services.clock
        partners.register(connection, clock, other, "Back Alley", "wholesaler", place=where, licences=new)
    dock.made(1, 2, 3)
    dock.sold(package(1), package(2), by=MAKER, to=WHOLESALER)
    dock.received(package(1), package(2), by=WHOLESALER)
    dock.sold(package(3), by=MAKER, to=other)
    dock.received(package(3), by=other)
    passed = replace(AFFIRMED, direct_purchase="ENTIRELY_DIRECT")
    dock.sold(package(3), by=other, to=WHOLESALER, statement=passed)
    dock.received(package(3), by=WHOLESALER, sender=other)

    def stated(*numbers: int):
        path = dock.ship(*(code(n) for n in numbers), to=PHARMACY, by=WHOLESALER).headers["Location"]
        return dock.get(path, PHARMACY).get_json()["statement"]

    said = stated(1)
    assert (said["direct_purchase"], said["received_direct_purchase_statement"]) == ("ENTIRELY_DIRECT", None)
    assert "purchased the product directly" in said["direct_purchase_statement"]
    said = stated(2, 3)
    assert (said["direct_purchase"], said["indirect"]) == ("PARTIALLY_DIRECT", [package(3)])
    assert said["received_direct_purchase_statement"] is True


def test_who_was_not_authorized_then_is_found_and_who_is_not_any_more_is_not(dock: Dock):
    dock.made(1, 2)
    with dock.services.database.writing() as connection:
        pharmacy = partners.by_gln(connection, PHARMACY)
        [held] = licences.of_parties(connection, [pharmacy.party_id])[pharmacy.party_id]
        licences.end(
            connection, held.licence_id, dock.services.clock.now() + timedelta(days=5), "not renewed"
        )
    assert codes(dock.sold(package(1), by=MAKER, to=PHARMACY)) == []
    dock.node.clock.advance(timedelta(days=9))
    late = dock.sold(package(2), by=MAKER, to=PHARMACY)
    [found] = late.findings
    assert (found["code"], found["severity"]) == ("unauthorized_party", "hold")
    assert "(not renewed)" in found["message"]
    with dock.services.database.snapshot() as connection:
        assert list(rebuild.differences(connection)) == []
        [(one, other)] = licences.checks_of(connection, [late.events[0].seq]).values()
    assert {one.authorized, other.authorized} == {True, False}
    # The renewal that was granted in time is entered: the finding is gone, what was known then is kept.
    with dock.services.database.writing() as connection:
        renewed = NewLicence("Board", "L-2", dock.services.clock.now() - timedelta(days=30))
        licences.add(connection, pharmacy.party_id, "dispenser", renewed)
    with dock.services.database.reading() as connection:
        assert custody.findings_of(connection, [late.events[0].seq]) == []
        again = licences.checks_of(connection, [late.events[0].seq])
        assert {each.authorized for each in again[late.events[0].seq]} == {True, False}
