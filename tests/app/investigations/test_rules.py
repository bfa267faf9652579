"""The state machine of suspect and illegitimate product, row by row, and the dispenser's sample."""

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import Conflict, Invalid, Refused
from app.investigations.rules import (
    TRANSITIONS,
    Given,
    Move,
    State,
    due,
    open_to,
    require,
    sample_size,
    transition,
)
from app.shared.actor import Role

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALL = Given(text="found", maker_consulted="North Pharma", inspected=3, needed=3, has_form=True)


def test_the_way_to_a_terminated_notification_is_the_laws() -> None:
    state, passed = State.SUSPECT, []
    for move in (
        Move.INVESTIGATE,
        Move.DETERMINE,
        Move.NOTIFY,
        Move.DISPOSE,
        Move.REQUEST_TERMINATION,
        Move.TERMINATE,
    ):
        state = require(move, state, Role.QUALITY, ALL).target
        passed.append(state.value)
    assert passed == [
        "investigating",
        "illegitimate",
        "notified",
        "dispositioned",
        "termination_requested",
        "terminated",
    ]
    assert open_to(State.TERMINATED, Role.QUALITY) == open_to(State.CLEARED, Role.QUALITY) == []


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.move.value)
def test_a_step_is_taken_from_its_own_state_alone(row) -> None:
    for state in State:
        if state is not row.source:
            with pytest.raises(Conflict):
                require(row.move, state, Role.QUALITY, ALL)


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.move.value)
def test_each_step_needs_what_it_needs(row) -> None:
    assert require(row.move, row.source, Role.QUALITY, ALL) is row
    if row.needs:
        with pytest.raises(Invalid):
            require(row.move, row.source, Role.QUALITY, Given(needed=3))
    for role in Role:
        if role not in row.roles:
            with pytest.raises(Refused):
                require(row.move, row.source, role, ALL)


def test_a_warehouse_sets_apart_and_does_not_decide() -> None:
    assert [row.move for row in open_to(State.SUSPECT, Role.WAREHOUSE)] == [Move.INVESTIGATE]
    assert open_to(State.INVESTIGATING, Role.WAREHOUSE) == []


def test_24_hours_run_from_the_determination_and_a_suspicion_starts_no_such_clock() -> None:
    assert due(Move.DETERMINE, NOW) == NOW + timedelta(hours=24)
    assert due(Move.INVESTIGATE, NOW) != NOW + timedelta(hours=24)
    assert due(Move.CLEAR, NOW) is None


def test_the_manufacturer_is_consulted_unless_it_decides_itself() -> None:
    alone = Given(text="found")
    with pytest.raises(Invalid):
        require(Move.DETERMINE, State.INVESTIGATING, Role.QUALITY, alone)
    maker = Given(text="found", is_maker=True)
    assert require(Move.DETERMINE, State.INVESTIGATING, Role.MANUFACTURER, maker).target is State.ILLEGITIMATE


def test_an_incomplete_form_notifies_nobody() -> None:
    with pytest.raises(Invalid) as caught:
        require(
            Move.NOTIFY,
            State.ILLEGITIMATE,
            Role.QUALITY,
            Given(has_form=True, problems={"ndc": "NDC is missing."}),
        )
    assert caught.value.detail == "NDC is missing."


@pytest.mark.parametrize(
    ("packages", "sample"), [(0, 0), (1, 1), (2, 2), (3, 3), (29, 3), (30, 3), (31, 4), (100, 10), (101, 11)]
)
def test_a_dispenser_inspects_ten_percent_three_at_least_and_all_of_fewer(packages: int, sample: int) -> None:
    assert sample_size(packages, is_dispenser=True) == sample
    assert sample_size(packages, is_dispenser=False) == packages


def test_hold_and_release_and_destruction_are_events() -> None:
    deeds = {row.move: (row.deed.step, row.deed.disposition) for row in TRANSITIONS if row.deed}
    assert deeds == {
        Move.INVESTIGATE: ("inspecting", "non_sellable_other"),
        Move.CLEAR: ("inspecting", "sellable_accessible"),
        Move.DETERMINE: ("holding", "non_sellable_other"),
        Move.DISPOSE: ("destroying", "destroyed"),
    }
    assert transition(Move.CLEAR).target is State.CLEARED
