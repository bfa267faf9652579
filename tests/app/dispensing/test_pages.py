"""The dispensing page: only a pharmacist's, only by a form, and it says what was done or why not."""

from app.shared.actor import Role
from tests.support.counter import HERE, ON_ITS_WAY, code


def test_the_page_says_what_was_done_and_where_it_is_recorded(counter):
    size = counter.trade.counts()[0]
    response = counter.pharmacist().post("/dispense", {"code": code(HERE)})
    assert response.status_code == 200
    assert f"Recorded as entry {size} of the ledger" in response.text
    assert "Sonnenal" in response.text


def test_a_refusal_is_a_conflict_and_says_what_to_do(counter):
    response = counter.pharmacist().post("/dispense", {"code": code(HERE, lot="OTHER")})
    assert response.status_code == 409
    assert "Nothing was recorded." in response.text
    assert "the lot on the label differs from the record." in response.text


def test_a_pack_on_its_way_shows_no_ok_beside_the_refusal(counter):
    response = counter.pharmacist().post("/dispense", {"code": code(ON_ITS_WAY)})
    assert response.status_code == 409
    assert "Receive it first; then it can be dispensed." in response.text
    assert "verdict--ok" not in response.text


def test_a_link_dispenses_nothing(counter):
    before = counter.trade.counts()
    assert counter.pharmacist().get("/dispense", query_string={"code": code(HERE)}).status_code == 200
    assert counter.trade.counts() == before


def test_a_form_without_its_token_dispenses_nothing(counter):
    before = counter.trade.counts()
    visitor = counter.pharmacist()
    response = visitor.client.post("/dispense", data={"code": code(HERE)}, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert counter.trade.counts() == before


def test_only_a_pharmacist_dispenses(counter):
    before = counter.trade.counts()
    for role in (Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER, Role.INSPECTOR):
        visitor = counter.somebody(f"the.{role.value}", role)
        response = visitor.post("/dispense", {"code": code(HERE)}, form="/package")
        assert response.status_code == 403, role
    assert counter.trade.counts() == before
