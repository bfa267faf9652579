"""The inspector's pages: find a product, read its timeline, take the evidence. Every look is in the audit trail."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, make_response, render_template, request

from app.cases.pages import back, views
from app.cases.service import DeskCase
from app.errors import AppError, Invalid, NotFound
from app.history.pages import find, view
from app.history.rules import subject_of
from app.history.search import Line
from app.partners import service as partners
from app.regulator.desk import MOST_SHOWN, archive, facts, rows, zipped
from app.regulator.rules import REASONS, STANDINGS, Reason, Search, Standing
from app.regulator.service import NewRequest
from app.shared.audit import Outcome, disclose
from app.web.actor import present
from app.wiring import services
from ledger.evidence.html import page

blueprint = Blueprint("regulator", __name__, template_folder="templates")

# An inspector's account is an authority's.
_STANDINGS = [(each.value, text) for each, text in STANDINGS.items() if each is not Standing.PARTNER]


@blueprint.get("/inspector")
def search_page() -> str:
    """Search by package; what is found, with its timeline. A search that finds nothing is recorded too."""
    typed = request.args.get("q", "").strip()
    found, problem = None, ""
    if typed:
        try:
            found = find(typed)
            problem = (
                ""
                if found
                else "No record of it on this node. That this was asked and not found is recorded."
            )
        except AppError as error:
            problem = f"{error.title}. {error.next_step}"
    shown = view(found)
    if found is not None:
        ids = [each.event_id for each in found.events]
        services().requests.looked({"package": found.subject}, ids, present())
    return render_template("regulator/search.html", typed=typed, problem=problem, **shown)


@blueprint.get("/inspector/evidence")
def evidence() -> Response:
    """The package's evidence, to be checked without this node: the file, or (``as=page``) a page that checks itself."""
    node = services()
    subject = subject_of(request.args.get("epc", ""))
    try:
        made = node.requests.evidence_of(subject, present())
    except NotFound:
        nothing = Outcome.NOTHING
        disclose(node.database, node.clock, present(), "evidence.export", subject=subject, outcome=nothing)
        raise
    disclose(node.database, node.clock, present(), "evidence.export", subject=subject)
    as_page = request.args.get("as") == "page"
    # Always a download: opened from this node, the page would stand under the node's own content policy and name.
    response = make_response(page(made) if as_page else made)
    response.headers["Content-Type"] = "text/html; charset=utf-8" if as_page else "application/json"
    name = f"packproof-evidence.{'html' if as_page else 'json'}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get("/inspector/search")
def wide_search_page() -> str:
    """Search by lot, company and time too; what is found can be taken away whole. Finding nothing is recorded."""
    node = services()
    lines: list[Line] = []
    problem, asked = "", None
    if request.args:  # also where every field is empty: the page then says what is needed
        try:
            asked = Search.parse(request.args)
            lines = node.requests.look(asked, None)
            if lines:
                node.requests.looked(asked.as_json(), [each.event.id for each in lines], present())
        except AppError as error:
            problem = f"{error.title}. {error.detail} {error.next_step}"
    if asked is not None:
        outcome = Outcome.SHOWN if lines else Outcome.NOTHING
        disclose(
            node.database, node.clock, present(), "inspector.search", subject=str(asked), outcome=outcome
        )
    return render_template(
        "regulator/wide.html",
        typed=request.args,
        asked=asked,
        problem=problem,
        rows=rows(lines[:MOST_SHOWN]),
        count=len(lines),
        standings=_STANDINGS,
        reasons=[(each.value, text) for each, text in REASONS.items()],
    )


@blueprint.post("/inspector/take")
def take() -> Response:
    """Take what a search finds: CSV, PDF, EPCIS and, of one package, evidence. The ledger says that it was taken."""
    node = services()
    try:
        standing, reason = Standing(request.form.get("standing", "")), Reason(request.form.get("reason", ""))
        if standing is Standing.PARTNER:
            raise ValueError(standing)
    except ValueError as error:
        raise Invalid("request.standing", "Say for whom and why you take it", "Choose both.") from error
    index, made = node.requests.take(Search.parse(request.form), standing, reason, present())
    response = zipped(made.archive, f"entry-{index}")
    response.headers["Packproof-Entry"] = str(index)
    return response


@blueprint.get("/inspector/requests")
def requests_page() -> str:
    """What this inspector has asked companies for, by their clock."""
    return _requests({}, "")


@blueprint.post("/inspector/requests")
def ask() -> Response | tuple[str, int]:
    """Ask a company for its records: its clock runs from now."""
    node, actor = services(), present()
    fields = {**request.form, "proof": f"signed in on this node as {actor.name}"}
    fields.setdefault("requester", actor.name)
    try:
        company = partners.checked_gln(request.form.get("company", ""))
        case_id = node.requests.open(NewRequest.parse(fields, company, asked_by=actor.id), actor)
    except AppError as error:
        return _requests(request.form, f"{error.title}. {error.detail}"), error.status
    flash("Asked. The clock runs.")
    return back("regulator.request_page", case_id=case_id)


@blueprint.get("/inspector/requests/<case_id>")
def request_page(case_id: str) -> str:
    """One request of this inspector's, with its countdown."""
    node, actor = services(), present()
    found = node.requests.case(case_id, None, asked_by=actor.id)
    with node.database.reading() as connection:
        [shown] = views(connection, [found], node.clock.now(), lambda each: "")
        names = partners.names(connection, [found.party_gln])
    company = f"{names.get(found.party_gln, '')} {found.party_gln}"
    return render_template(
        "regulator/request.html",
        case=shown,
        thread=[],  # what a company's people write to one another is theirs
        facts=[("Asked of", company), *facts(found)],
        handed_out=node.requests.handed_out(case_id),
        rows=[],
        count=0,
        problem="",
        mine=False,
    )


@blueprint.get("/inspector/requests/<case_id>/answer")
def download(case_id: str) -> Response:
    """The company's answer as it went out."""
    services().requests.case(case_id, None, asked_by=present().id)
    return archive(case_id)


@blueprint.post("/inspector/requests/<case_id>/withdraw")
def withdraw(case_id: str) -> Response:
    """Take it back, as long as it is not answered."""
    services().requests.withdraw(case_id, present())
    flash("Withdrawn.")
    return back("regulator.request_page", case_id=case_id)


def _holder(case: DeskCase, company: str) -> str:
    """Who has a request: the company, and who there has taken it."""
    if not case.is_open:
        return company
    return f"{company}, {case.owner_name}" if case.owner_name else f"{company}, nobody there yet"


def _requests(typed: Mapping[str, str], problem: str) -> str:
    node = services()
    found = node.requests.mine(present().id)
    with node.database.reading() as connection:
        shown = views(connection, found, node.clock.now(), lambda case: f"/inspector/requests/{case.case_id}")
        companies = [(each.gln, f"{each.name} ({each.gln})") for each in partners.registered(connection)]
        names = partners.names(connection, {each.party_gln for each in found})
    return render_template(
        "regulator/requests.html",
        cases=[each for each in shown if each.open],
        closed=[each for each in shown if not each.open],
        holders={each.case_id: _holder(each, names.get(each.party_gln, each.party_gln)) for each in found},
        typed=typed,
        problem=problem,
        companies=companies,
        standings=_STANDINGS,
        reasons=[(each.value, text) for each, text in REASONS.items()],
    )
