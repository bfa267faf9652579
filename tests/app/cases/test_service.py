"""What every desk can do with a case: queue by clock, owner, thread, another's is as if it were not there."""

from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk, NoteKind, clock
from app.cases.service import NewCase
from app.errors import Conflict, Invalid, NotFound
from app.partners import service as partners
from app.shared.actor import Actor, Role
from tests.support.app import GLN_A, GLN_B, NOON, Node

MIA = Actor(kind="person", id="usr_mia", name="mia", role=Role.QUALITY, party_gln=GLN_A)


@pytest.fixture
def ready(node: Node) -> Node:
    with node.services.database.writing() as connection:
        partners.ids(connection, node.clock, {GLN_A: "A company", GLN_B: "Another"})
    return node


def _open(node: Node, title: str, **values: object) -> str:
    with node.services.database.writing() as connection:
        new = NewCase(Desk.RETURNS, "saleable", GLN_A, title, **values)
        return cases.open_case(connection, node.clock, new)


def test_a_case_from_its_opening_to_its_end(ready: Node) -> None:
    database, clock_ = ready.services.database, ready.clock
    case_id = _open(ready, "Return of 3", partner_gln=GLN_B, items={7: "", 5: "seen"}, data={"rma": "R1"})
    with database.writing() as connection:
        cases.take(connection, clock_, case_id, MIA)
        cases.say(connection, clock_, case_id, "mia", "Asked the customer.", NoteKind.SENT)
        cases.add_items(connection, case_id, {7: "seen", 9: ""})
        cases.move(connection, clock_, case_id, "mia", "verified", text="Verified.", data={"rma": "R2"})
        cases.close(connection, clock_, case_id, "mia", "restocked", text="Restocked.", root_cause="error")
    with database.reading() as connection:
        found = cases.case(connection, Desk.RETURNS, case_id, GLN_A)
        assert (found.state, found.owner_name, found.closed_by) == ("restocked", "mia", "mia")
        assert (found.partner_gln, found.data, found.items) == (
            GLN_B,
            {"rma": "R2"},
            {5: "seen", 7: "seen", 9: ""},
        )
        assert [line.kind for line in found.thread] == ["state", "state", "sent", "state", "state"]
        assert cases.root_causes(connection, Desk.RETURNS, GLN_A) == [("saleable", "error", 1)]
        assert cases.queue(connection, Desk.RETURNS, GLN_A) == []
        assert len(cases.queue(connection, Desk.RETURNS, GLN_A, closed=True)) == 1


def test_the_queue_is_by_the_clock_and_its_partys_own(ready: Node) -> None:
    late = _open(ready, "late", due_at=NOON + timedelta(days=3))
    never = _open(ready, "never")
    soon = _open(ready, "soon", due_at=NOON + timedelta(hours=3), items={5: ""})
    with ready.services.database.reading() as connection:
        assert [each.case_id for each in cases.queue(connection, Desk.RETURNS, GLN_A)] == [soon, late, never]
        assert len(cases.queue(connection, Desk.RETURNS, None)) == 3
        assert (
            cases.queue(connection, Desk.RETURNS, GLN_B) == cases.queue(connection, Desk.RECALLS, GLN_A) == []
        )
        for desk, party in ((Desk.RETURNS, GLN_B), (Desk.RECALLS, GLN_A)):
            with pytest.raises(NotFound):
                cases.case(connection, desk, soon, party)
        assert [each.case_id for each in cases.about(connection, Desk.RETURNS, [5, 6], GLN_A)[5]] == [soon]
        assert cases.about(connection, Desk.RETURNS, [5, 6], GLN_B) == {}


def test_what_is_ended_changes_only_after_it_is_opened_again(ready: Node) -> None:
    case_id = _open(ready, "one")
    with ready.services.database.writing() as connection:
        with pytest.raises(Conflict):
            cases.reopen(connection, ready.clock, case_id, "mia", "open", text="again")
        cases.close(connection, ready.clock, case_id, "mia", "done", text="Done.")
        with pytest.raises(Conflict):
            cases.move(connection, ready.clock, case_id, "mia", "open", text="no")
        cases.reopen(connection, ready.clock, case_id, "mia", "open", text="again")
        with pytest.raises(Invalid):
            cases.say(connection, ready.clock, case_id, "mia", "  ")
        assert cases.case(connection, Desk.RETURNS, case_id, GLN_A).is_open


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (timedelta(days=2, hours=23), "2 days 23 hours left"),
        (timedelta(minutes=5), "less than an hour left"),
        (-timedelta(hours=25), "Overdue by 1 day 1 hour"),
    ],
)
def test_how_a_clock_is_told(due: timedelta, told: str) -> None:
    assert clock(NOON, NOON + due, None, None) == told
    assert clock(NOON, None, None, None) == "No deadline"
    assert clock(NOON, NOON, NOON, "mia") == "Closed 2026-11-20 12:00 UTC by mia"
