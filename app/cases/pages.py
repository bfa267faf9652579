"""What all desks' pages share: how a case is shown, and the two forms that are the same everywhere.

The templates are in `cases/desk.html`. A desk registers what is shared, and its routes have each a row in the table of
permissions::

    pages.register(blueprint, Desk.RETURNS, "/returns")      # returns.take, returns.add_note
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, request, url_for
from sqlalchemy import Connection

from app.cases import service as cases
from app.cases import work
from app.cases.rules import Desk, NoteKind, clock
from app.cases.service import DeskCase
from app.history.rules import shown
from app.partners import service as partners
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

# It has no route of its own: it is registered for the templates.
blueprint = Blueprint("cases", __name__, template_folder="templates")

MOST_CLOSED = 20  # of a page


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case as a page shows it: every value a text, ready to be written."""

    id: str
    href: str
    title: str
    state_word: str  # '' for the state in which a case begins
    clock: str
    due: str
    opened: str
    open: bool
    overdue: bool
    about: str
    partner: str
    owner: str
    mine: bool
    root_cause: str


def views(
    connection: Connection,
    found: list[DeskCase],
    now: datetime,
    href: Callable[[DeskCase], str],
    causes: Mapping[str, str] | None = None,
) -> list[CaseView]:
    """How these cases are shown to the present reader. `causes`: what root causes are called."""
    names = partners.names(connection, {each.partner_gln for each in found if each.partner_gln})
    me, called = present().id, causes or {}
    return [
        CaseView(
            id=each.case_id,
            href=href(each),
            title=each.title,
            state_word="" if each.state in ("open", "closed") else each.state.replace("_", " "),
            clock=clock(now, each.due_at, each.closed_at, each.closed_by),
            due=f"{each.due_at:%Y-%m-%d %H:%M}" if each.due_at else "",
            opened=f"{each.opened_at:%Y-%m-%d %H:%M}",
            open=each.is_open,
            overdue=each.is_open and each.due_at is not None and each.due_at < now,
            about=_shown(each.subject),
            partner=names.get(each.partner_gln or "", "our own" if _is_own(each) else "not known"),
            owner=each.owner_name or "",
            mine=each.owner_id == me,
            root_cause=called.get(each.root_cause or "", each.root_cause or ""),
        )
        for each in found
    ]


def _is_own(case: DeskCase) -> bool:
    """Whether it began here, with nobody: a recall of one's own."""
    return case.desk is Desk.RECALLS and case.partner_gln is None


def _shown(subject: str) -> str:
    """What a case is about, as people read it; a desk may also name it by a word of its own."""
    return shown(subject) if subject.startswith("https://id.gs1.org/0") else subject


def register(
    blueprint: Blueprint, desk: Desk, path: str, page: str = "case_page", name: str = "case_id"
) -> None:
    """Add to a desk's pages what is the same at every desk: `take` and `add_note`. They lead back to its `page` of the
    case, whose id that calls `name`."""

    @blueprint.post(f"{path}/<case_id>/take")
    def take(case_id: str) -> Response:
        """Make the reader its owner."""
        node = services()
        work.take(node.database, node.clock, present(), desk, case_id, reach().party_gln)
        flash("It is yours now.")
        return back(f"{blueprint.name}.{page}", **{name: case_id})

    @blueprint.post(f"{path}/<case_id>/notes")
    def add_note(case_id: str) -> Response:
        """Add the form's `text` to its thread."""
        note_case(desk, case_id)
        return back(f"{blueprint.name}.{page}", **{name: case_id})


def both_queues(
    connection: Connection,
    desk: Desk,
    href: Callable[[DeskCase], str],
    causes: Mapping[str, str] | None = None,
) -> tuple[list[CaseView], list[CaseView]]:
    """What is open at the reader's desk, and what was closed last."""
    now, party = services().clock.now(), reach().party_gln
    found = cases.queue(connection, desk, party)
    closed = cases.queue(connection, desk, party, closed=True, limit=MOST_CLOSED)
    return views(connection, found, now, href, causes), views(connection, closed, now, href, causes)


def note_case(desk: Desk, case_id: str, kind: NoteKind = NoteKind.NOTE) -> None:
    """Add the form's `text` to a case's thread. Raises `NotFound`, and `Invalid` for nothing or too much."""
    node = services()
    work.note(node.database, node.clock, present(), desk, case_id, reach().party_gln, said(), kind)
    flash("Added.")


def said(name: str = "text") -> str:
    """The text of a form's field: 1 to 2,000 characters. Raises `Invalid`."""
    return work.checked(request.form.get(name, ""))


def back(endpoint: str, **values: str) -> Response:
    """The answer to a form: see this page."""
    return redirect(url_for(endpoint, **values), 303)  # type: ignore[return-value]
