"""D2 with live scans: a pack that is scanned where it cannot have got to is a sign for its maker."""

from datetime import timedelta

import pytest

from app.partners import service as partners
from app.partners.places import Position
from app.vrs import signals
from app.vrs.rules import SignalKind
from tests.scenarios.plays import MAKER, begin, tell
from tests.scenarios.sentences import PARTIES
from tests.scenarios.story import read_lines
from tests.support.app import OPERATOR, Node

PHARMACY, HOSPITAL = PARTIES["pharmacy"][0], PARTIES["hospital"][0]
LOS_ANGELES, NEWARK = Position.parse("34.0522,-118.2437"), Position.parse("40.7357,-74.1724")
NOWHERE = None
# The node's clock stands at noon of 20 November, day 173: the pack was in New York an hour before.
STORY = "Scenario: a pack in New York\n  day 173 11:00 maker commissions Q1 at New-York"


@pytest.fixture
def told(sqlite_node: Node) -> tuple[Node, str]:
    begin(sqlite_node)
    [scenario] = read_lines("here", STORY)
    tell(sqlite_node, [scenario])
    return sqlite_node, scenario.names.serial("Q1")


def at(node: Node, gln: str, *places: Position | None) -> None:
    """The party has sites there; None: one of which nobody has said where it is."""
    with node.services.database.writing() as connection:
        owner = partners.by_gln(connection, gln)
        for number, place in enumerate(places):
            site = ("0200000000110", "0200000000127", "0200000000134")[number + 2 * (gln == HOSPITAL)]
            partners.set_site(connection, owner, partners.NewSite(site, f"site {number}", position=place))


def signs(node: Node, serial: str, *scanners: str) -> list[str]:
    for gln in scanners:
        node.services.verification.check(
            f"(01)00399999002011(21){serial}".encode(), None, OPERATOR, asker=gln
        )
    with node.services.database.reading() as connection:
        found = signals.signals(connection, MAKER)
    return [each.explanation for each in found if each.kind is SignalKind.IMPOSSIBLE_SCAN]


def test_scanned_in_los_angeles_an_hour_after_it_was_in_new_york(told) -> None:
    node, serial = told
    at(node, PHARMACY, LOS_ANGELES)
    [said] = signs(node, serial, PHARMACY)
    assert said == "scanned 3936 km away 1.0 hours after it was seen before"


def test_who_has_a_site_within_reach_or_one_that_nobody_knows_may_have_been_there(told) -> None:
    node, serial = told
    at(node, PHARMACY, LOS_ANGELES, NEWARK)
    at(node, HOSPITAL, NOWHERE)
    assert signs(node, serial, PHARMACY, HOSPITAL) == []


def test_two_scans_by_two_parties_far_apart_within_the_hour(told) -> None:
    node, serial = told
    node.clock.advance(timedelta(days=2))  # New York is long ago
    at(node, PHARMACY, LOS_ANGELES)
    at(node, HOSPITAL, NEWARK)
    assert signs(node, serial, PHARMACY) == []
    node.clock.advance(timedelta(hours=1))
    [said] = signs(node, serial, HOSPITAL)
    assert "1.0 hours after" in said
