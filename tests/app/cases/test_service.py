"""What every desk can do with a case: queue by clock, owner, thread, another's is as if it were not there."""

from datetime import timedelta

import pytest

from app.cases import many
from app.cases import service as cases
from app.cases.choice import NOBODY, Choice
from app.cases.many import Cause
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
        assert many.by_cause(connection, Desk.RETURNS, GLN_A) == [
            Cause("saleable", GLN_B, 0, 1, (("error", 1),))
        ]
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


def test_a_queue_is_chosen_by_owner_partner_kind_and_root_cause(ready: Node) -> None:
    ours = _open(ready, "ours", partner_gln=GLN_B)
    _open(ready, "nobody's")
    ended = _open(ready, "ended", partner_gln=GLN_B)
    with ready.services.database.writing() as connection:
        cases.take(connection, ready.clock, ours, MIA)
        cases.close(connection, ready.clock, ended, "mia", "done", text="Done.", root_cause="error")

    def chosen(choice: Choice, *, closed: bool = False) -> list[str]:
        found = cases.queue(connection, Desk.RETURNS, GLN_A, closed=closed, choice=choice)
        return [each.title for each in found]

    with ready.services.database.reading() as connection:
        assert chosen(Choice(owner_id=MIA.id)) == ["ours"]
        assert chosen(Choice(owner_id="usr_other")) == []
        assert chosen(Choice(partner_gln=GLN_B)) == chosen(Choice(partner_gln=GLN_B, kinds=("saleable",)))
        assert chosen(Choice(partner_gln=GLN_B)) == ["ours"]
        assert chosen(Choice(partner_gln=NOBODY)) == ["nobody's"]
        assert chosen(Choice(partner_gln="9999999999994")) == chosen(Choice(kinds=())) == []
        assert chosen(Choice(root_cause="error"), closed=True) == ["ended"]
        assert chosen(Choice(root_cause="other"), closed=True) == []
        # Where the most is open first, then what is most frequent; a partner of none is one of them.
        assert [
            (each.partner_gln, each.open, each.all) for each in many.by_cause(connection, Desk.RETURNS, GLN_A)
        ] == [
            (GLN_B, 1, 2),
            (None, 1, 1),
        ]
        assert many.by_cause(connection, Desk.RETURNS, GLN_B) == []
        assert many.partners_at(connection, Desk.RETURNS, GLN_A) == {GLN_B: "Another"}
    with ready.services.database.writing() as connection:
        cases.reopen(connection, ready.clock, ended, "mia", "open", text="again")
        assert [(each.open, each.root_causes) for each in many.by_cause(connection, Desk.RETURNS, GLN_A)] == [
            (2, ()),
            (1, ()),
        ]


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


def test_of_a_long_thread_its_beginning_and_its_newest_lines_are_told(ready: Node, monkeypatch) -> None:
    monkeypatch.setattr(cases, "MOST_THREAD", 6)
    case_id = _open(ready, "Return of 3")

    def texts(more: int) -> list[str]:
        with ready.services.database.writing() as connection:
            for number in range(more):
                cases.say(connection, ready.clock, case_id, "mia", f"Line {number}.")
        with ready.services.database.reading() as connection:
            return [each.text for each in cases.case(connection, Desk.RETURNS, case_id, GLN_A).thread]

    begun = "Opened: Return of 3."
    assert texts(5) == [begun, *(f"Line {number}." for number in range(5))], "what fits is told whole"
    left_out = "2 lines of this thread are left out here."
    assert texts(1) == [begun, left_out, "Line 2.", "Line 3.", "Line 4.", "Line 0."]
