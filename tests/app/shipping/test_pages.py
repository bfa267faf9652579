"""The pages Ship and Transactions: what stands in the way at once, what goes with it, and what is taken away."""

import re

import pytest

from app.shared.actor import Role
from ledger.epcis.read import read
from tests.support.counter import PHARMACY, text_of
from tests.support.dock import KEEPER, PALLET_CODE, Dock, code
from tests.support.world import MAKER, PALLET, WHOLESALER


@pytest.fixture
def warehouse(sqlite_dock: Dock):
    sqlite_dock.node.person("wanda", Role.WAREHOUSE, party_gln=MAKER)
    return sqlite_dock.node.sign_in("wanda")


def bare(answer) -> str:
    """What a page says, without the number of the request."""
    return re.sub(r"req_[a-z0-9]+", "", text_of(answer))


def sold(dock: Dock, **more: object) -> str:
    dock.made(1, 2)
    dock.packed(PALLET, 1, 2)
    answer = dock.ship(PALLET_CODE, to=WHOLESALER, **more)
    return answer.get_json()["transaction"]


def test_checking_records_nothing_and_shipping_does(sqlite_dock: Dock, warehouse):
    dock = sqlite_dock
    dock.made(1)
    form = {"codes": code(1), "customer": WHOLESALER, "order": "PO-7", "affirmed": "yes", "purpose": "sale"}
    before = dock.trade.counts()
    checked = warehouse.post("/ship", {**form, "do": "check"})
    assert checked.status_code == 200
    assert "Nothing stands against it. It is not shipped yet." in text_of(checked)
    assert "20 Dock Street, Louisville, KY 40202, US" in text_of(checked)
    assert dock.trade.counts() == before
    done = warehouse.post("/ship", {**form, "do": "ship"})
    assert "Shipped: 1 package" in text_of(done)
    assert code(1) not in done.text, "the next shipment begins empty"
    [sale] = dock.sales(MAKER)
    assert f'href="/ti/{sale}"' in done.text


def test_what_stands_in_the_way_is_told_and_the_form_keeps_what_was_entered(sqlite_dock: Dock, warehouse):
    sqlite_dock.made(1)
    asked = {"codes": f"{code(1)}\r\n<b>x</b>\r\n{code(9)}", "customer": "", "do": "ship"}
    refused = warehouse.post("/ship", asked)
    assert refused.status_code == 409
    said = text_of(refused)
    assert "Not shipped: 5 things in the way" in said
    assert "Cannot read '<b>x</b>'" in said
    assert "Nobody is named to whom it goes: choose the customer" in said
    assert "<b>x</b>" not in refused.text
    assert code(9) in refused.text


def test_a_move_on_the_page_has_no_information(sqlite_dock: Dock, warehouse):
    sqlite_dock.made(1)
    asked = {"codes": code(1), "customer": KEEPER, "purpose": "move", "do": "ship"}
    assert "ownership stays: no transaction information goes with it" in text_of(
        warehouse.post("/ship", asked)
    )


def test_seller_and_buyer_read_print_and_take_it_and_nobody_else(sqlite_dock: Dock, warehouse):
    dock = sqlite_dock
    number = sold(dock)
    dock.node.person("bea", Role.QUALITY, party_gln=WHOLESALER)
    dock.node.person("sly", Role.PHARMACIST, party_gln=PHARMACY)
    bea, sly = dock.node.sign_in("bea"), dock.node.sign_in("sly")
    assert "Sold to Dock Street" in text_of(warehouse.get("/ti"))
    assert "Bought from North Pharma" in text_of(bea.get("/ti"))
    page = text_of(bea.get(f"/ti/{number}"))
    assert "Serial numbers (2) 1, 2" in page
    assert "establishment registration L-0399999000017 of Board" in page
    for form in ("form=json20&guideline=R1.3", "form=xml12&guideline=R1.2"):
        file = bea.get(f"/ti/{number}/file?{form}")
        assert "attachment" in file.headers["Content-Disposition"]
        assert len(read(file.data).events) == 3
    none = bare(sly.get("/ti/9999.0"))
    for path in (f"/ti/{number}", f"/ti/{number}/file"):
        answer = sly.get(path)
        assert (answer.status_code, bare(answer)) == (404, none)
    assert "Nothing was sold or bought" in text_of(sly.get("/ti"))
    assert dock.get(f"/transactions/{number}", PHARMACY).status_code == 404


def test_a_form_or_a_transaction_that_there_is_not_is_told(sqlite_dock: Dock, warehouse):
    number = sold(sqlite_dock)
    for query in ("form=xml20", "form=pdf", "guideline=R9"):
        assert warehouse.get(f"/ti/{number}/file?{query}").status_code == 400, query
    for other in ("x", "1", "1.2.3", "01.0", "-1.0", "9" * 30 + ".0", "1.0'"):
        assert warehouse.get(f"/ti/{other}").status_code == 404, other
        assert sqlite_dock.get(f"/transactions/{other}", MAKER).status_code == 404, other
