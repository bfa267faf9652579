"""What holds a package opens a case that leads to an investigation; what no event says opens one when looked at."""

import html
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.exceptions.due import look
from app.partners import licences
from app.partners import service as partners
from app.partners.licences import NewLicence
from app.people.rules import Role
from app.vrs import volume
from tests.scenarios import plays
from tests.scenarios.plays import begin, tell
from tests.scenarios.sentences import PARTIES
from tests.scenarios.story import read_lines
from tests.support.app import Node
from tests.support.world import START, package, ship

LATE = "0366666000014"
STORY = """
Scenario: a copy turns up at a hospital
  maker commissions P1 P2 P3 expiring 2026-06-02
  maker sells P1 P2 to pharmacy
  pharmacy receives P1 from maker
  day 2 08:00 pharmacy dispenses P1
  day 2 09:00 hospital inspects P1
  day 5 08:00 maker sells P3 to hospital
"""


@pytest.fixture
def told(sqlite_node: Node) -> tuple[Node, dict[str, str]]:
    """A node that was told the story, and what its things are called."""
    begin(sqlite_node)
    [scenario] = read_lines("here", STORY)
    tell(sqlite_node, [scenario])
    return sqlite_node, scenario.names.keys


def queue(node: Node, who: str) -> dict[str, cases.DeskCase]:
    gln = PARTIES[who][0]
    look(node.services.database, node.services.clock, gln)
    with node.services.database.reading() as connection:
        found = cases.queue(connection, Desk.EXCEPTIONS, gln)
        return {each.kind: cases.case(connection, Desk.EXCEPTIONS, each.case_id, gln) for each in found}


def test_who_has_in_hand_what_should_be_held_gets_a_case_that_leads_to_an_investigation(told) -> None:
    node, keys = told
    found = queue(node, "hospital")
    assert {"after_end", "moved_expired"} <= found.keys()
    case = found["after_end"]
    assert case.due_at == case.opened_at + timedelta(days=1)
    node.person("quinn", Role.QUALITY, party_gln=PARTIES["hospital"][0])
    quinn = node.sign_in("quinn")
    page = quinn.get(f"/exceptions/{case.case_id}").text
    link = html.unescape(page.partition('href="/investigations/new?')[2].partition('"')[0])
    assert link, "no way to the investigation"
    form = quinn.get(f"/investigations/new?{link}")
    assert keys["P1"] in html.unescape(form.text)


def test_part_of_a_shipment_that_did_not_come_is_one_case_of_data_without_product(told) -> None:
    node, keys = told
    found = queue(node, "pharmacy")
    case = found["not_received"]
    assert case.subject == keys["P2"]
    assert case.partner_gln == PARTIES["maker"][0]
    assert queue(node, "pharmacy")["not_received"].case_id == case.case_id, "looked at twice, and one case"


def test_a_sale_whose_information_has_gaps_is_its_sellers_work_until_they_are_filled(told) -> None:
    node, _ = told
    found = queue(node, "maker")
    assert "information_missing" in found
    assert "not released to its buyer" in found["information_missing"].data["detail"]


def test_a_licence_that_is_entered_late_closes_the_one_case_it_lacked(sqlite_node: Node) -> None:
    """Two shipments show it, and one partner is what is wrong."""
    begin(sqlite_node)
    services, pharmacy = sqlite_node.services, PARTIES["pharmacy"][0]
    with services.database.writing() as connection:
        late = partners.register(connection, sqlite_node.clock, LATE, "Late Pharma", "wholesaler")
    for at, name in ((10, "A"), (20, "B")):
        sale = ship(package(name), by=LATE, to=pharmacy, at=at).event
        plays.send(sqlite_node, LATE, True, [sale])
    case = queue(sqlite_node, "pharmacy")["unauthorized_party"]
    with services.database.writing() as connection:
        listed = cases.queue(connection, Desk.EXCEPTIONS, pharmacy)
        assert [each.kind for each in listed].count("unauthorized_party") == 1
        valid = NewLicence("State board", LATE, START - timedelta(days=1000))
        licences.add(connection, late.party_id, "wholesaler", valid)
    assert "unauthorized_party" not in queue(sqlite_node, "pharmacy")
    with services.database.reading() as connection:
        assert cases.some(connection, [case.case_id])[case.case_id].closed_by == "corrected data"


def test_a_sweep_looks_for_everybody(told) -> None:
    node, _ = told
    assert "not_received" not in {each.kind for each in everybodys(node)}
    look(node.services.database, node.clock, None)
    assert "not_received" in {each.kind for each in everybodys(node)}
    with node.services.database.writing() as connection:
        assert volume.note_all(connection, node.clock) == 0


def everybodys(node: Node) -> list[cases.DeskCase]:
    with node.services.database.reading() as connection:
        return cases.queue(connection, Desk.EXCEPTIONS, None)
