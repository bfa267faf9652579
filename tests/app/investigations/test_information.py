"""The transaction information of suspect packages: seller, date, whether it is complete; and what their makers say."""

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.investigations.information import information
from app.shared.actor import Role
from app.transactions.purchases import Standing
from app.vrs import requests
from app.vrs.messages import Question
from app.vrs.requests import Kept
from ledger.epcis.document import TransactionStatement
from tests.support.counter import PHARMACY, text_of
from tests.support.dock import Dock
from tests.support.world import GTIN, MAKER, package


@pytest.fixture
def suspects(sqlite_dock: Dock) -> Dock:
    """A pharmacy with a pack of a complete sale, one of a sale whose statement is not affirmed, and one of none."""
    dock = sqlite_dock
    dock.made(1, 2, 3)
    dock.sold(package(1), by=MAKER, to=PHARMACY)
    dock.sold(package(2), by=MAKER, to=PHARMACY, statement=TransactionStatement(False))
    for number in (1, 2):
        dock.received(package(number), by=PHARMACY)
    return dock


def test_the_case_shows_the_information_of_each_purchase_and_what_has_none(suspects: Dock) -> None:
    dock = suspects
    dock.node.person("quinn", Role.QUALITY, party_gln=PHARMACY)
    quinn = dock.node.sign_in("quinn")
    listed = "\n".join(package(number) for number in (1, 2, 3))
    given = {"packages": listed, "ground": "counterfeit", "bin": "Cage 3", "text": "Blurred print."}
    case = quinn.post("/investigations/new", given, form="/investigations/new").location
    page = text_of(quinn.get(case))
    assert "North Pharma 2026-06-01 1 complete affirmed" in page
    assert "1 incomplete: what is missing is the seller's to say not affirmed" in page
    assert "No transaction information of 1 of them" in page
    assert 'href="/ti/' in quinn.get(case).text
    assert page.count("not asked") == 3
    with dock.services.database.reading() as connection:
        own = cases.case(connection, Desk.INVESTIGATIONS, case.rpartition("/")[2], PHARMACY)
        found = information(connection, own)
    assert [(each.purchase.standing, each.packages) for each in found.bought] == [
        (Standing.INCOMPLETE, 1),
        (Standing.COMPLETE, 1),
    ]


def test_the_last_answer_of_a_maker_elsewhere_stands_beside_the_package(suspects: Dock) -> None:
    dock = suspects
    with dock.services.database.writing() as connection:
        for outcome in ("timeout", "verified"):
            question = Question(GTIN, "LOT42", "1", "280531", "x", PHARMACY, "c", False, "")
            at = dock.at()
            requests.keep(connection, Kept(at, "out", question, "", "a", 200, outcome, "Recalled", 5))
        # Of another company's question nothing is told.
        other = Question(GTIN, "LOT42", "2", "280531", "x", MAKER, "c", False, "")
        requests.keep(connection, Kept(at, "out", other, "", "a", 200, "verified", "", 5))
    dock.node.person("quinn", Role.QUALITY, party_gln=PHARMACY)
    quinn = dock.node.sign_in("quinn")
    given = {"packages": f"{package(1)}\n{package(2)}", "ground": "stolen", "bin": "Cage 3", "text": "Seen."}
    case = quinn.post("/investigations/new", given, form="/investigations/new").location
    page = text_of(quinn.get(case))
    assert f"verified (Recalled), {at:%Y-%m-%d %H:%M} UTC" in page
    assert page.count("not asked") == 1


def test_clearing_keeps_when_fda_was_told_where_a_high_risk_was_notified(suspects: Dock) -> None:
    dock = suspects
    dock.made(7)
    dock.node.person("mona", Role.MANUFACTURER, party_gln=MAKER)
    mona = dock.node.sign_in("mona")
    given = {"packages": package(7), "ground": "stolen", "bin": "Cage 3", "text": "Seen."}
    case = mona.post("/investigations/new", given, form="/investigations/new").location
    dock.at()
    mona.post(f"{case}/move", {"move": "investigate"}, form=case)
    assert "FDA was notified that it is cleared" not in mona.get(case).text
    mona.post(f"{case}/risk", {"text": "Seen abroad."}, form=case)
    assert "FDA was notified that it is cleared" in mona.get(case).text
    label = f"(01){GTIN}(21)7(17)280531(10)LOT42"
    mona.post(f"{case}/inspect", {"code": label}, form=case)
    dock.at()
    clear = {"move": "clear", "text": "It was never gone."}
    assert mona.post(f"{case}/move", {**clear, "fda_notified": "soon"}, form=case).status_code == 400
    assert mona.post(f"{case}/move", {**clear, "fda_notified": "2026-11-20"}, form=case).status_code == 303
    assert "FDA was notified of it on 2026-11-20." in text_of(mona.get(case))
