"""The exceptions desk: the queue by its clock, one case with its thread and its message, and the root causes."""

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.cases import many, pages
from app.cases import service as cases
from app.cases.pages import back, note_case, said, views
from app.cases.rules import Desk, NoteKind
from app.cases.service import DeskCase
from app.errors import Invalid
from app.exceptions import facts, messages, service
from app.exceptions.due import look
from app.exceptions.rules import ALL_REPORTED, BY_HAND, KINDS, ROOT_CAUSES, Resolution, message
from app.exceptions.scans import open_from_scan
from app.history.rules import shown
from app.partners import service as partners
from app.shared.audit import disclose, record
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("exceptions", __name__, template_folder="templates")
pages.register(blueprint, Desk.EXCEPTIONS, "/exceptions")

_SHOWN_ITEMS = 50


@blueprint.get("/exceptions")
def queue_page() -> str:
    """Open cases, the most urgent first; the ones that closed below."""
    node = services()
    party = reach().party_gln
    look(node.database, node.clock, party)
    with node.database.reading() as connection:
        found = cases.queue(connection, Desk.EXCEPTIONS, party)
        closed = cases.queue(connection, Desk.EXCEPTIONS, party, closed=True, limit=20)
        counts = many.items_of(connection, [each.case_id for each in (*found, *closed)])
        shown_open = views(connection, found, node.clock.now(), _href, ROOT_CAUSES)
        shown_closed = views(connection, closed, node.clock.now(), _href, ROOT_CAUSES)
        glns = sorted({each.partner_gln for each in found if each.partner_gln})
        names = partners.names(connection, glns)
    return render_template(
        "exceptions/queue.html",
        cases=shown_open,
        closed=shown_closed,
        counts=counts,
        partners=[(gln, names.get(gln, gln)) for gln in glns],
    )


@blueprint.get("/exceptions/<case_id>")
def case_page(case_id: str) -> str:
    """One case: what, which, whose, by when, what was said, and what to write to the partner."""
    node = services()
    with node.database.reading() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, reach().party_gln)
        about = facts.gather(connection, found)
        reported = messages.reported(connection, found) if found.kind in ALL_REPORTED else None
        [view] = views(connection, [found], node.clock.now(), _href, ROOT_CAUSES)
    disclose(node.database, node.clock, present(), "exception.view", subject=case_id, whose=found.party_gln)
    kind = KINDS[found.kind]
    return render_template(
        "exceptions/case.html",
        case=view,
        found=found,
        kind=kind,
        facts=about.facts,
        items=[(shown(item.key), item.key) for item in about.items[:_SHOWN_ITEMS] if item.key],
        more=max(0, len(about.items) - _SHOWN_ITEMS) + about.more,
        message=message(kind, about.facts),
        causes=list(BY_HAND.items()),
        reported=reported,
        resolutions=[each.value for each in Resolution],
    )


@blueprint.get("/exceptions/causes")
def causes_page() -> str:
    """What keeps going wrong, and with whom: cases by root cause, kind and partner."""
    node = services()
    with node.database.reading() as connection:
        found = many.by_cause(connection, Desk.EXCEPTIONS, reach().party_gln)
        names = partners.names(connection, {each.partner_gln for each in found if each.partner_gln})
    rows = [
        (
            ROOT_CAUSES.get(each.root_cause, each.root_cause) or "open: not known yet",
            KINDS[each.kind].title if each.kind in KINDS else each.kind,
            names.get(each.partner_gln or "", "not known"),
            str(each.count),
        )
        for each in found
    ]
    return render_template("exceptions/causes.html", rows=rows)


@blueprint.post("/exceptions")
def open_by_hand() -> Response:
    """Open a case about a scan that was just answered: the form's `check_id`."""
    node, actor = services(), present()
    check_id = request.form.get("check_id", "")[:64]
    if actor.party_gln is None:
        raise Invalid(
            "exception.party", "This account belongs to no company", "", "Sign in with one that does."
        )
    with node.database.writing() as connection:
        case_id = open_from_scan(connection, node.clock, check_id, actor.party_gln, actor.name)
        record(connection, node.clock, actor, "exception.open", subject=case_id, whose=actor.party_gln)
    flash("The exception is open. Add what you know, and send the message.")
    return back("exceptions.case_page", case_id=case_id)


@blueprint.post("/exceptions/<case_id>/messages")
def send_message(case_id: str) -> Response:
    """Keep what was sent to the partner, or came from them, in the thread."""
    came = request.form.get("direction") == "came"
    note_case(Desk.EXCEPTIONS, case_id, NoteKind.CAME if came else NoteKind.SENT)
    return back("exceptions.case_page", case_id=case_id)


@blueprint.post("/exceptions/<case_id>/close")
def close(case_id: str) -> Response:
    """End it by hand, with its root cause."""
    node, text, cause = services(), said(), request.form.get("root_cause", "")
    service.end(node.database, node.clock, present(), case_id, reach().party_gln, cause, text)
    flash("Closed.")
    return back("exceptions.case_page", case_id=case_id)


@blueprint.post("/exceptions/<case_id>/reopen")
def reopen(case_id: str) -> Response:
    """Open it again, with why."""
    node, text = services(), said()
    service.begin_again(node.database, node.clock, present(), case_id, reach().party_gln, text)
    flash("It is open again.")
    return back("exceptions.case_page", case_id=case_id)


def _href(case: DeskCase) -> str:
    return url_for("exceptions.case_page", case_id=case.case_id)
