"""The inspector's pages: find a product, read its timeline, take the evidence. Every look is in the audit trail."""

from flask import Blueprint, Response, make_response, render_template, request

from app.errors import AppError, NotFound
from app.history.pages import find, view
from app.history.rules import subject_of
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.evidence.html import page

blueprint = Blueprint("regulator", __name__, template_folder="templates")


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
    return render_template("regulator/search.html", typed=typed, problem=problem, **view(found))


@blueprint.get("/inspector/evidence")
def evidence() -> Response:
    """The package's evidence, to be checked without this node: the file, or (``as=page``) a page that checks itself."""
    node = services()
    subject = subject_of(request.args.get("epc", ""))
    try:
        made = node.evidence.of_package(subject, reader=reach().party_gln)
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
