"""The start page tells how much waits at the company's desks, and by when an authority has to be answered."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from app.cases import service as cases
from app.cases import waiting
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.cases.waiting import Waiting
from app.partners import service as partners
from app.shared.actor import Role
from tests.support.app import GLN_A, GLN_B, NOON, Node, Visitor

DUE = NOON + timedelta(hours=21, minutes=40)


@pytest.fixture
def waits(node: Node) -> Node:
    with node.services.database.writing() as connection:
        partners.ids(connection, node.clock, {GLN_A: "A company", GLN_B: "Another"})
        for desk, gln, due in (
            (Desk.EXCEPTIONS, GLN_A, None),
            (Desk.EXCEPTIONS, GLN_A, NOON),
            (Desk.EXCEPTIONS, GLN_B, NOON),
            (Desk.REGULATOR, GLN_A, DUE),
        ):
            cases.open_case(connection, node.clock, NewCase(desk, "kind", gln, "Title", due_at=due))
        ended = NewCase(Desk.RETURNS, "kind", GLN_A, "Title")
        case_id = cases.open_case(connection, node.clock, ended)
        cases.close(connection, node.clock, case_id, "mia", "done", text="Done.")
    return node


def test_what_is_open_is_counted_by_desk_for_the_company_alone(waits: Node, monkeypatch) -> None:
    with waits.services.database.reading() as connection:
        found = waiting.of_desks(connection, GLN_A, list(Desk))
        assert found == {Desk.EXCEPTIONS: Waiting(2), Desk.REGULATOR: Waiting(1, DUE)}
        assert waiting.of_desks(connection, "0300011111116", list(Desk)) == {}
        assert waiting.of_desks(connection, GLN_A, []) == {}
        monkeypatch.setattr(waiting, "MOST_COUNTED", 1)
        [many] = waiting.of_desks(connection, GLN_A, [Desk.EXCEPTIONS]).values()
    assert many.said(NOON) == "more than 1 open"


def test_a_request_is_told_with_its_clock_behind_the_first_place_and_on_the_start_page_alone(
    sqlite_node: Node,
) -> None:
    node = sqlite_node
    node.person("quinn", Role.QUALITY, party_gln=GLN_A)
    visitor = node.sign_in("quinn")
    assert "card__open" not in visitor.get("/").text
    with node.services.database.writing() as connection:
        for gln, due in ((GLN_A, node.clock.now() + timedelta(hours=21, minutes=40)), (GLN_B, NOON)):
            partners.ids(connection, node.clock, {gln: "A company"})
            new = NewCase(Desk.REGULATOR, "recall", gln, "Recall", due_at=due)
            cases.open_case(connection, node.clock, new)
    tiles, asked = _looked_at(visitor, "/")
    assert "<strong>Exceptions" in tiles[0] and "<strong>Requests" in tiles[1]
    assert "1 open, due in 21 hours" in tiles[1] and "case--overdue" not in tiles[1]
    assert len(asked) == 1
    assert _looked_at(visitor, "/package")[1] == []
    node.clock.advance(timedelta(hours=22))
    tiles, _ = _looked_at(node.sign_in("quinn"), "/")
    assert "1 open, overdue by less than an hour" in tiles[1] and "case--overdue" in tiles[1]


def _looked_at(visitor: Visitor, page: str) -> tuple[list[str], list[str]]:
    """The cards of a page, and the statements about cases that it took."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "desk_case" in statement:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = visitor.get(page)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found.status_code == 200
    return found.text.split('<li class="card')[1:], asked


def test_a_clock_in_words() -> None:
    assert Waiting(1, NOON).said(NOON - timedelta(hours=21, minutes=5)) == "1 open, due in 21 hours"
    assert Waiting(3, NOON).said(NOON + timedelta(hours=3)) == "3 open, the first overdue by 3 hours"
    assert Waiting(1, NOON).said(NOON + timedelta(minutes=3)) == "1 open, overdue by less than an hour"
    assert Waiting(1_000).said(NOON) == "1,000 open"
