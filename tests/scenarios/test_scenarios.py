"""Every scenario of this folder, played by the rules alone and through a node on both databases, in any order."""

import os
from collections import Counter
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.scenarios.plays import begin, by_node, by_rules, tell
from tests.scenarios.sentences import Told, Unclear
from tests.scenarios.story import Scenario, read_lines, scenarios
from tests.scenarios.tables import tables
from tests.scenarios.then import differences
from tests.support.app import Node

ALL = scenarios()
# All scenarios together, each in an order of its own; `make soak` tries more orders.
_EXAMPLES = 20 if os.environ.get("PACKPROOF_TEST_SOAK") else 1


def test_there_are_a_hundred_at_least_and_no_two_are_called_alike() -> None:
    titles = Counter(each.title for each in ALL)
    assert [title for title, times in titles.items() if times > 1] == []
    assert len(titles) >= 100


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: each.where)
def test_by_the_rules(scenario: Scenario) -> None:
    assert differences(scenario, by_rules(scenario)) == []


@pytest.fixture
def played(node: Node) -> Node:
    """A node to which everything was told in the order of the files."""
    begin(node)
    tell(node, ALL)
    return node


def test_through_a_node_and_in_any_order_of_arrival_to_the_same_tables(played: Node) -> None:
    outcomes = by_node(played, ALL)
    assert [line for each in ALL for line in differences(each, outcomes[each.where])] == []
    in_order = tables(played, ALL)
    drawn = count(1)

    @settings(
        derandomize=not os.environ.get("PACKPROOF_TEST_SOAK"),
        database=None,
        max_examples=_EXAMPLES,
        phases=[Phase.generate],  # an order cannot be made smaller: every try is told to the same node
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def shuffled(random: Random) -> None:
        again = scenarios(1 + 1000 * next(drawn))
        tell(played, again, lambda each: _any_order(each, random))
        found = tables(played, again)
        for each in again:
            missing = in_order[each.where] - found[each.where]
            surplus = found[each.where] - in_order[each.where]
            assert (missing, surplus) == (Counter(), Counter()), each.where

    shuffled()


def _any_order(scenario: Scenario, random: Random) -> list[list[Told]]:
    """Its documents in any order, and in each its events in any order."""
    documents = random.sample(scenario.documents, len(scenario.documents))
    return [random.sample(each, len(each)) for each in documents]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("maker commissions P1", "begins with a scenario"),
        ("Scenario: a\n  maker paints P1", "no sentence"),
        ("Scenario: a\n  butcher commissions P1", "no party"),
        ("Scenario: a\n  maker commissions X1", "no thing"),
        ("Scenario: a\n  maker declares sale wrong", "nothing was called"),
        ("Scenario: a\n  maker commissions P1, in the same document", "no document comes before"),
        (
            "Scenario: a\n  maker commissions P1\n  pharmacy stores P1, in the same document",
            "a document is of one party",
        ),
        ("Scenario: a\n  maker commissions P1\n  then found: nothing\n  maker destroys P1", "stands before"),
    ],
)
def test_a_line_that_says_nothing_is_refused_with_its_place(lines: str, why: str) -> None:
    with pytest.raises(Unclear, match=rf"here:\d+: .*{why}"):
        read_lines("here", lines)


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("P1 looks good", "no expectation"),
        ("P1 is blue", "no state"),
        ("P1 is loose", "always said"),
    ],
)
def test_an_expectation_that_says_nothing_is_refused(then: str, why: str) -> None:
    [scenario] = read_lines("here", f"Scenario: a\n  maker commissions P1\n  then {then}")
    with pytest.raises(Unclear, match=why):
        differences(scenario, by_rules(scenario))


@pytest.mark.parametrize(
    ("then", "so"),
    [
        ("P1 is held by wholesaler", "held by maker"),
        ("P1 is owned by pharmacy", "owned by maker"),
        ("P1 is on its way to pharmacy", "not under way"),
        ("P1 is inside C1", "inside None"),
        ("maker scanning P1 sees SUSPECT: never_made", "the scan says OK: ok"),
        ("found: short on P1", "nothing"),
        ("the desk of pharmacy has: short on P1", "nothing"),
        ("P1 was made of P2", "of []"),
        ("on day 2 outstanding: shipped_not_received on P1", "nothing"),
    ],
)
def test_what_is_not_so_is_said(then: str, so: str) -> None:
    text = f"Scenario: a\n  maker commissions P1 P2\n  maker packs P2 into C1\n  then {then}\n  then found: nothing"
    [scenario] = read_lines("here", text)
    wrong = differences(scenario, by_rules(scenario))
    assert len(wrong) == 1
    assert wrong[0].endswith(f"{so}.")
