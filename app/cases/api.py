"""What all desks' interfaces share: the queue, one case, taking it, writing into its thread.

    GET  {path}[?state=closed&mine=true&limit=50&after=...]    {"cases": [...], "next": "..."}; a desk may take more
    GET  {path}/{id}                                           one, with its thread and items
    POST {path}/{id}/take                                      the caller has it from now on
    POST {path}/{id}/notes        {"text": ...}                a line of the thread

A desk says what its cases show besides, and adds the commands that are its own; each of them answers the case as it
stands then::

    desk = DeskApi(Desk.RETURNS, blueprint, "/api/returns", own=_units)
    desk.register()

    @blueprint.post("/api/returns/<case_id>/book")
    def book(case_id: str) -> dict[str, Any]:
        services().returns.book(present(), case_id)
        return desk.one(case_id)

Another party's case is answered like one that does not exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema
from sqlalchemy import Connection

from app.cases import service as cases
from app.cases import work
from app.cases.choice import Choice
from app.cases.places import Place
from app.cases.rules import Desk
from app.cases.schemas import NoteBody, QueueQuery
from app.cases.service import DeskCase
from app.custody import service as custody
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

MOST_ITEMS = 1_000  # of one answer


def _nothing(*_: Any) -> Mapping[str, Any]:
    return {}


def _chosen(asked: Mapping[str, Any]) -> Choice:
    """Which cases `QueueQuery` asks for, whatever their state."""
    return Choice(owner_id=present().id if asked["mine"] else None)


@dataclass(frozen=True, slots=True)
class DeskApi:
    """One desk's interface. `listed`: what its queue shows of a case besides, from the case alone; `own`: what one case
    shows beside that, from the record; `members`: what its list is called; `before`: done before the queue is read, for
    the party that asks; `query`: what its queue may be asked, and `chosen` which cases that chooses."""

    desk: Desk
    blueprint: Blueprint
    path: str
    listed: Callable[[DeskCase], Mapping[str, Any]] = _nothing
    own: Callable[[Connection, DeskCase], Mapping[str, Any]] = _nothing
    members: str = "cases"
    before: Callable[[str | None], None] = _nothing  # type: ignore[assignment]
    query: type[Schema] = QueueQuery
    chosen: Callable[[Mapping[str, Any]], Choice] = _chosen

    def register(self, *, one: bool = True) -> None:
        """Add the shared routes: `queue`, `one` (unless the desk has one of its own), `take`, `note`."""
        blueprint, path = self.blueprint, self.path

        @blueprint.get(path)
        @blueprint.arguments(self.query, location="query")
        def queue(asked: dict[str, Any]) -> dict[str, Any]:
            """The desk's cases, the most urgent first; the closed ones, the last first."""
            return self.queue(asked)

        if one:

            @blueprint.get(f"{path}/<case_id>", endpoint="one")
            def one_case(case_id: str) -> dict[str, Any]:
                """One case with its thread."""
                return self.one(case_id)

        @blueprint.post(f"{path}/<case_id>/take")
        def take(case_id: str) -> dict[str, Any]:
            """Take a case: the caller is its owner from now on."""
            node = services()
            work.take(node.database, node.clock, present(), self.desk, case_id, reach().party_gln)
            return self.one(case_id)

        @blueprint.post(f"{path}/<case_id>/notes")
        @blueprint.arguments(NoteBody)
        def note(asked: dict[str, str], case_id: str) -> dict[str, Any]:
            """Add a line to the thread."""
            node, text = services(), asked["text"]
            work.note(node.database, node.clock, present(), self.desk, case_id, reach().party_gln, text)
            return self.one(case_id)

    def queue(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A page of the queue, as `query` asks for it. A root cause chooses among what is closed."""
        node, party, actor = services(), reach().party_gln, present()
        self.before(party)
        most, choice = asked["limit"], self.chosen(asked)
        with node.database.reading() as connection:
            found = cases.queue(
                connection,
                self.desk,
                party,
                closed=asked["state"] == "closed" or choice.root_cause is not None,
                choice=choice,
                after=Place.parse(asked["after"]) if asked["after"] else None,
                limit=most + 1,
            )
        disclose(node.database, node.clock, actor, f"{self.desk.word}.list", subject="", whose=party or "")
        page = found[:most]
        answer: dict[str, Any] = {self.members: [told(each) | dict(self.listed(each)) for each in page]}
        return answer | {"next": str(page[-1].place) if len(found) > most else None}

    def one(self, case_id: str) -> dict[str, Any]:
        """One case within the caller's reach, as `shown`; the audit trail has it. Raises `NotFound`."""
        node, answer = services(), self.shown(case_id)
        action = f"{self.desk.word}.view"
        disclose(node.database, node.clock, present(), action, subject=case_id, whose=answer["party"])
        return answer

    def shown(self, case_id: str) -> dict[str, Any]:
        """One case within the caller's reach, with thread, items and what is the desk's own. Raises `NotFound`."""
        with services().database.reading() as connection:
            found = cases.case(connection, self.desk, case_id, reach().party_gln)
            answer = told(found) | dict(self.listed(found)) | whole(connection, found)
            return answer | dict(self.own(connection, found))


def told(case: DeskCase) -> dict[str, Any]:
    """What every desk tells of a case."""
    return {
        "id": case.case_id,
        "desk": case.desk.value,
        "kind": case.kind,
        "state": case.state,
        "title": case.title,
        "subject": case.subject,
        "party": case.party_gln,
        "partner": case.partner_gln,
        "owner": case.owner_name,
        "mine": case.owner_id is not None and case.owner_id == present().id,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "overdue": case.is_open and case.due_at is not None and case.due_at < services().clock.now(),
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "closed_by": case.closed_by,
        "root_cause": case.root_cause,
    }


def whole(connection: Connection, case: DeskCase) -> dict[str, Any]:
    """What one case (read with thread and items) is told with besides. `items` are its first thousand."""
    numbers = sorted(case.items)[:MOST_ITEMS]
    keys = custody.keys_of(connection, numbers)
    return {
        "items": [{"epc": keys[each], "state": case.items[each]} for each in numbers if each in keys],
        "item_count": len(case.items),
        "thread": [
            {"at": line.at.isoformat(), "who": line.who, "kind": line.kind.value, "text": line.text}
            for line in case.thread
        ],
    }
