"""A company's desk for authorities' requests: the queue by its clock, a request with what would be handed out, and the
answer. The inspector's own pages are in `pages`."""

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.cases import pages
from app.cases import service as cases
from app.cases.pages import back, views
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.errors import AppError
from app.history.search import Line
from app.partners import service as partners
from app.regulator.rules import REASONS, STANDINGS, Reason, Search, Standing
from app.regulator.service import NewRequest
from app.regulator.tables import correction, in_words
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("requests", __name__, template_folder="templates")
pages.register(blueprint, Desk.REGULATOR, "/requests")

MOST_SHOWN = 100  # events of a preview; the answer has all


@blueprint.get("/requests")
def queue_page() -> str:
    """Open requests, the most urgent first, and a form for one that came by other ways."""
    return _queue_page({}, "")


@blueprint.post("/requests")
def open_by_hand() -> Response | tuple[str, int]:
    """Record a request that came by letter, mail or telephone: the clock runs from now."""
    party = reach().party_gln
    assert party is not None
    try:
        case_id = services().requests.open(NewRequest.parse(request.form, party), present())
    except AppError as error:
        return _queue_page(request.form, f"{error.title}. {error.detail}"), error.status
    flash("Recorded. The clock runs.")
    return back("requests.case_page", case_id=case_id)


@blueprint.get("/requests/<case_id>")
def case_page(case_id: str) -> str:
    """One request: who asks for what and why, what this company would hand out, the thread."""
    node, party = services(), reach().party_gln
    found = node.requests.case(case_id, party)
    lines, problem = _preview(found, party)
    disclose(node.database, node.clock, present(), "request.view", subject=case_id, whose=found.party_gln)
    with node.database.reading() as connection:
        [shown] = views(connection, [found], node.clock.now(), lambda each: "")
    return render_template(
        "regulator/request.html",
        case=shown,
        thread=found.thread,
        facts=facts(found),
        handed_out=node.requests.handed_out(case_id),
        rows=rows(lines[:MOST_SHOWN]),
        count=len(lines),
        problem=problem,
        mine=True,
    )


@blueprint.post("/requests/<case_id>/answer")
def answer(case_id: str) -> Response:
    """Hand out this company's own events; the ledger says so from then on."""
    party = reach().party_gln
    assert party is not None
    made = services().requests.answer(case_id, party, present())
    flash(f"Answered. Entry {made.index} of the ledger says what was handed out.")
    return back("requests.case_page", case_id=case_id)


@blueprint.get("/requests/<case_id>/answer")
def download(case_id: str) -> Response:
    """The answer as it went out."""
    services().requests.case(case_id, reach().party_gln)
    return archive(case_id)


def archive(case_id: str) -> Response:
    """An answer's archive as a download, recorded. Whoever may have it was asked before."""
    node = services()
    data = node.requests.archive(case_id)
    disclose(node.database, node.clock, present(), "request.download", subject=case_id)
    return zipped(data, case_id)


def zipped(data: bytes, name: str) -> Response:
    """A zip archive as a download."""
    response = make_response(data)
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="packproof-{name}.zip"'
    return response


def facts(found: DeskCase) -> list[tuple[str, str]]:
    """Who asks for what, why, and how it was made sure."""
    data = found.data
    return [
        ("Asked by", str(data["requester"])),
        ("Standing", STANDINGS[Standing(data["standing"])]),
        ("Reason", REASONS[Reason(data["reason"])]),
        ("Their reference", str(data["reference"] or "none given")),
        ("How we know them", str(data.get("proof") or "an inspector's account on this node")),
        ("Asked for", found.subject),
        ("Came", f"{found.opened_at:%Y-%m-%d %H:%M} UTC"),
    ]


def rows(lines: list[Line]) -> list[tuple[str, ...]]:
    """A few columns of events, for people to look through."""
    glns = {gln for each in lines for gln in (each.by, each.sender, each.recipient) if gln}
    with services().database.reading() as connection:
        names = partners.names(connection, glns)
    return [
        (
            f"{each.event.event_time:%Y-%m-%d %H:%M}",
            (each.event.biz_step or "seen").replace("_", " "),
            names.get(each.by, each.by),
            " to ".join(names.get(gln, gln) for gln in (each.sender, each.recipient) if gln),
            str(len(each.event.all_epcs()) or len(each.event.lots())),
            ", ".join(filter(None, (correction(each), *map(in_words, each.findings)))),
        )
        for each in lines
    ]


def _preview(found: DeskCase, party: str | None) -> tuple[list[Line], str]:
    if not found.is_open:
        return [], ""
    try:
        return services().requests.look(Search.parse(found.data["search"]), party), ""
    except AppError as error:
        return [], f"{error.title}. {error.next_step}"


def _queue_page(typed: Any, problem: str) -> str:
    node, party = services(), reach().party_gln
    with node.database.reading() as connection:
        found = cases.queue(connection, Desk.REGULATOR, party)
        closed = cases.queue(connection, Desk.REGULATOR, party, closed=True, limit=pages.MOST_CLOSED)
        open_views, closed_views = (
            views(
                connection,
                each,
                node.clock.now(),
                lambda case: url_for("requests.case_page", case_id=case.case_id),
            )
            for each in (found, closed)
        )
    return render_template(
        "regulator/queue.html",
        cases=open_views,
        closed=closed_views,
        askers={each.case_id: str(each.data["requester"]) for each in (*found, *closed)},
        typed=typed,
        problem=problem,
        standings=[(each.value, text) for each, text in STANDINGS.items()],
        reasons=[(each.value, text) for each, text in REASONS.items()],
    )
