"""The exceptions desk: the queue by its clock, and one case with its thread."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from app.errors import Invalid
from app.exceptions import service
from app.exceptions.rules import KINDS
from app.exceptions.service import Case
from app.history.rules import shown
from app.partners import service as partners
from app.shared.audit import disclose, record
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("exceptions", __name__, template_folder="templates")

LONGEST_NOTE = 2000


@blueprint.get("/exceptions")
def queue_page() -> str:
    """Open cases, the most urgent first; the ones that closed below."""
    node = services()
    party = reach().party_gln
    with node.database.reading() as connection:
        cases = service.queue(connection, party)
        closed = service.queue(connection, party, closed=True, limit=20)
        names = partners.names(connection, {c.partner_gln for c in (*cases, *closed) if c.partner_gln})
    now = node.clock.now()
    return render_template(
        "exceptions/queue.html",
        cases=[_row(each, names, now) for each in cases],
        closed=[_row(each, names, now) for each in closed],
    )


@blueprint.get("/exceptions/<case_id>")
def case_page(case_id: str) -> str:
    """One case: what, which, whose, by when, and what was said."""
    node = services()
    with node.database.reading() as connection:
        found = service.case(connection, case_id, reach().party_gln)
        whose = found.party_gln
        names = partners.names(connection, {found.partner_gln} if found.partner_gln else set())
    disclose(node.database, node.clock, present(), "exception.view", subject=case_id, whose=whose)
    return render_template(
        "exceptions/case.html",
        case=_row(found, names, node.clock.now()),
        thread=found.thread,
        kind=KINDS[found.kind],
    )


@blueprint.post("/exceptions/<case_id>/notes")
def add_note(case_id: str) -> Response:
    """Add a line to the thread."""
    node = services()
    text = request.form.get("text", "").strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise Invalid("note.length", "Write something", f"A note has 1 to {LONGEST_NOTE} characters.")
    with node.database.writing() as connection:
        found = service.case(connection, case_id, reach().party_gln)
        service.add_note(connection, node.clock, case_id, present().name, text)
        whose = found.party_gln
        record(connection, node.clock, present(), "exception.note", subject=case_id, whose=whose)
    flash("Added.")
    return redirect(url_for("exceptions.case_page", case_id=case_id), 303)  # type: ignore[return-value]


def _row(case: Case, names: dict[str, str], now: datetime) -> dict[str, Any]:
    left = case.due_at - now
    hours = int(left.total_seconds() // 3600)
    if case.closed_at:
        clock = f"Closed {case.closed_at:%Y-%m-%d %H:%M} UTC by {case.closed_by}"
    elif hours >= 0:
        clock = f"{_span(hours)} left"
    else:
        clock = f"Overdue by {_span(-hours)}"
    return {
        "id": case.case_id,
        "title": KINDS[case.kind].title,
        "hda": KINDS[case.kind].hda_class,
        "item": shown(case.item),
        "epc": case.item,
        "container": shown(case.container) if case.container else "",
        "partner": names.get(case.partner_gln or "", "not known"),
        "opened": f"{case.opened_at:%Y-%m-%d %H:%M}",
        "due": f"{case.due_at:%Y-%m-%d %H:%M}",
        "clock": clock,
        "open": case.closed_at is None,
        "overdue": case.closed_at is None and hours < 0,
    }


def _span(hours: int) -> str:
    """A span of whole hours as people say it: '2 days 23 hours'."""
    parts = [(hours // 24, "day"), (hours % 24, "hour")]
    said = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count]
    return " ".join(said) or "less than an hour"
