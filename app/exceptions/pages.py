"""The exceptions desk: the queue by its clock and its filter, one case with its thread and its message, and what keeps
going wrong with whom."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.cases import many, pages
from app.cases import service as cases
from app.cases.choice import NOBODY
from app.cases.pages import MOST_CLOSED, back, note_case, said, views
from app.cases.places import Place
from app.cases.rules import Desk, NoteKind
from app.cases.service import DeskCase
from app.errors import AppError, Invalid
from app.exceptions import facts, reported, service
from app.exceptions.choosing import Chosen
from app.exceptions.due import look
from app.exceptions.rules import (
    ALL_REPORTED,
    BY_HAND,
    KINDS,
    ROOT_CAUSES,
    SEEN_KINDS,
    Resolution,
    message,
)
from app.exceptions.scans import open_from_scan
from app.exceptions.scenarios import HdaClass
from app.exceptions.seen import LONGEST_TEXT, LONGEST_WORD, Seen, open_seen
from app.history.rules import shown
from app.partners import service as partners
from app.shared.audit import disclose, record
from app.shared.ids import new_id
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("exceptions", __name__, template_folder="templates")
pages.register(blueprint, Desk.EXCEPTIONS, "/exceptions")

_SHOWN_ITEMS = 50
_PAGE = 100  # cases of one page
_MOST_PARTNERS = 200  # offered in one list


@blueprint.get("/exceptions")
def queue_page() -> str:
    """Open cases, the most urgent first, and the ones that closed below; of a filter, those that it chooses."""
    node = services()
    party = reach().party_gln
    look(node.database, node.clock, party)
    chosen = Chosen.parse(request.args)
    choice = chosen.choice(present().id)
    after = Place.parse(request.args["after"]) if request.args.get("after") else None
    found: list[DeskCase] = []
    closed: list[DeskCase] = []
    with node.database.reading() as connection:
        if chosen.state != "closed":
            found = cases.queue(
                connection, Desk.EXCEPTIONS, party, choice=choice, after=after, limit=_PAGE + 1
            )
        if chosen.state == "closed":
            closed = cases.queue(
                connection, Desk.EXCEPTIONS, party, closed=True, choice=choice, after=after, limit=_PAGE + 1
            )
        elif not chosen.state and after is None:
            closed = cases.queue(
                connection, Desk.EXCEPTIONS, party, closed=True, choice=choice, limit=MOST_CLOSED
            )
        listed = closed if chosen.state == "closed" else found
        following = str(listed[_PAGE - 1].place) if len(listed) > _PAGE else ""
        counts = many.items_of(connection, [each.case_id for each in (*found, *closed)])
        shown_open = views(connection, found[:_PAGE], node.clock.now(), _href, ROOT_CAUSES)
        shown_closed = views(connection, closed[:_PAGE], node.clock.now(), _href, ROOT_CAUSES)
        names = many.partners_at(connection, Desk.EXCEPTIONS, party)
    # The report is of all that is open: it is offered where all of it is shown.
    waiting_with = set() if chosen.as_query() else {each.partner_gln for each in found}
    return render_template(
        "exceptions/queue.html",
        cases=shown_open,
        closed=shown_closed,
        counts=counts,
        chosen=chosen,
        said=_said(chosen, names),
        following=following,
        earlier=after is not None,
        partners=list(names.items()),
        nobody=NOBODY,
        waiting_with=[(gln, name) for gln, name in names.items() if gln in waiting_with],
        classes=[(each.value, each.value) for each in HdaClass],
        causes=list(ROOT_CAUSES.items()),
    )


def _said(chosen: Chosen, names: dict[str, str]) -> str:
    """What is chosen, in words; '' for everything."""
    partner = (
        "with no partner" if chosen.partner == NOBODY else f"with {names.get(chosen.partner, chosen.partner)}"
    )
    words = [
        "taken by me" if chosen.mine else "",
        partner if chosen.partner else "",
        chosen.hda_class,
        ROOT_CAUSES.get(chosen.root_cause, "").lower(),
        chosen.state,
    ]
    return ", ".join(filter(None, words))


@blueprint.get("/exceptions/<case_id>")
def case_page(case_id: str) -> str:
    """One case: what, which, whose, by when, what was said, and what to write to the partner."""
    node = services()
    with node.database.reading() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, reach().party_gln)
        about = facts.gather(connection, found)
        reports = reported.of_case(connection, case_id)
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
        reports=reports,
        asked=next((each for each in reports if each.direction == "in"), None)
        if found.kind in ALL_REPORTED
        else None,
        resolutions=[each.value for each in Resolution],
    )


@blueprint.get("/exceptions/causes")
def causes_page() -> str:
    """What keeps going wrong, and with whom: by kind and partner, and by what was behind it."""
    node, party = services(), reach().party_gln
    with node.database.reading() as connection:
        found = many.by_cause(connection, Desk.EXCEPTIONS, party)
        names = partners.names(connection, {each.partner_gln for each in found if each.partner_gln})
    disclose(node.database, node.clock, present(), "exception.causes", subject="", whose=party or "")

    def told(each: many.Cause) -> tuple[str, str, str]:
        title = KINDS[each.kind].title if each.kind in KINDS else each.kind
        return title, names.get(each.partner_gln or "", "nobody"), each.partner_gln or NOBODY

    behind = [
        (ROOT_CAUSES.get(cause, cause) or "not said", cause, *told(each), count)
        for each in found
        for cause, count in each.root_causes
    ]
    return render_template(
        "exceptions/causes.html",
        rows=[(*told(each), each.open, each.all) for each in found],
        behind=sorted(behind, key=lambda row: (-row[-1], row[0], row[2])),
    )


@blueprint.get("/exceptions/new")
def new_page() -> str:
    """The form that opens a case of what was seen without a scan."""
    return _form(request.args, "")


@blueprint.post("/exceptions/new")
def open_unscanned() -> Response | tuple[str, int]:
    """Open a case of what was seen: kind, partner, product or document, and what it was."""
    node, actor = services(), present()
    if actor.party_gln is None:
        raise _no_company()
    try:
        case_id = open_seen(node.database, node.clock, actor, actor.party_gln, Seen.parse(request.form))
    except AppError as error:
        return _form(request.form, f"{error.title}. {error.detail}"), error.status
    flash("The exception is open. Its message to the partner is filled in.")
    return back("exceptions.case_page", case_id=case_id)


def _form(typed: Mapping[str, str], problem: str) -> str:
    own = present().party_gln
    with services().database.reading() as connection:
        dealt_with = list(many.partners_at(connection, Desk.EXCEPTIONS, own).items())[:_MOST_PARTNERS]
        others = partners.registered(connection, _MOST_PARTNERS + 1)
    listed = dict(dealt_with) | {each.gln: each.name for each in others if each.gln != own}
    known = sorted(list(listed.items())[:_MOST_PARTNERS], key=lambda each: (each[1].lower(), each[0]))
    kinds: dict[str, list[tuple[str, str]]] = {}
    for each in SEEN_KINDS:
        kinds.setdefault(KINDS[each].hda_class.value, []).append((each.value, KINDS[each].title))
    return render_template(
        "exceptions/new.html",
        typed=typed,
        problem=problem,
        kinds=kinds,
        partners=[
            ("", "Whom the record names, or nobody"),
            *((gln, f"{name} ({gln})") for gln, name in known),
        ],
        once=typed.get("once") or new_id("once"),
        longest_text=LONGEST_TEXT,
        longest_word=LONGEST_WORD,
    )


@blueprint.post("/exceptions")
def open_by_hand() -> Response:
    """Open a case about a scan that was just answered: the form's `check_id`."""
    node, actor = services(), present()
    check_id = request.form.get("check_id", "")[:64]
    if actor.party_gln is None:
        raise _no_company()
    with node.database.writing() as connection:
        case_id = open_from_scan(connection, node.clock, check_id, actor.party_gln, actor)
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


def _no_company() -> Invalid:
    return Invalid("exception.party", "This account belongs to no company", "", "Sign in with one that does.")


def _href(case: DeskCase) -> str:
    return url_for("exceptions.case_page", case_id=case.case_id)
