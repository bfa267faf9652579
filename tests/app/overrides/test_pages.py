"""The override's page: offered where it is possible, done with a colleague's password, and never shown again."""

from app.shared.actor import Role
from tests.support.app import PASSWORD
from tests.support.counter import HERE, PHARMACY, Counter, code, text_of


def test_an_override_from_the_refusal_to_its_follow_up(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    counter.node.person("quinn", Role.QUALITY, party_gln=PHARMACY)
    mia, other_lot = counter.pharmacist(), code(HERE, lot="OTHER")
    refused = mia.post("/dispense", {"code": other_lot})
    assert "override with a second person" in refused.text
    assert "override with a second person" not in mia.post("/dispense", {"code": code("NEVER")}).text
    asked = mia.post("/override", {"code": other_lot}, form="/dispense")
    assert "The second person signs in here" in asked.text
    given = {"code": other_lot, "reason": "urgent_care", "text": "Patient waits.", "second_name": "quinn"}
    wrong = mia.post("/override/dispense", {**given, "second_password": "not it"}, form="/dispense")
    assert (wrong.status_code, "not it" in wrong.text) == (401, False)
    done = mia.post("/override/dispense", {**given, "second_password": PASSWORD}, form="/dispense")
    assert done.status_code == 303
    assert "1 of 1 dispensed (100.0 %)" in text_of(mia.get("/overrides"))
    impossible = mia.post("/override", {"code": code("NEVER")}, form="/dispense")
    assert "This verdict cannot be overridden." in impossible.text
    rae = counter.somebody("rae", Role.QUALITY)
    case = rae.get("/overrides").text.split('href="/overrides/')[1].split('"')[0]
    page = text_of(rae.get(f"/overrides/{case}"))
    assert "mia, with quinn" in page
    closing = {"root_cause": "label", "text": "Misprinted."}
    assert mia.post(f"/overrides/{case}/close", closing, form=f"/overrides/{case}").status_code == 403
    assert rae.post(f"/overrides/{case}/close", closing, form=f"/overrides/{case}").status_code == 303
