"""Every scenario of this folder, played by the rules alone and through a node on both databases."""

from collections import Counter

import pytest

from tests.scenarios.plays import begin, by_node, by_rules, tell
from tests.scenarios.story import Scenario, scenarios
from tests.scenarios.then import differences
from tests.support.app import Node

ALL = scenarios()


def test_there_are_a_hundred_at_least_and_no_two_are_called_alike() -> None:
    titles = Counter(each.title for each in ALL)
    assert [title for title, count in titles.items() if count > 1] == []
    assert len(titles) >= 100


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: each.where)
def test_by_the_rules(scenario: Scenario) -> None:
    assert differences(scenario, by_rules(scenario)) == []


def test_through_a_node(node: Node) -> None:
    begin(node)
    tell(node, ALL)
    played = by_node(node, ALL)
    assert [line for each in ALL for line in differences(each, played[each.where])] == []
