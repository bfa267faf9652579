"""Returns as pages: the queue, a return with its units, each scanned and judged at once."""

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.cases import many, pages
from app.cases import service as cases
from app.cases.pages import back, said, views
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.history.rules import shown
from app.partners import service as partners
from app.returns import service
from app.returns.rules import CAUSES, SAID, Reason
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("returns", __name__, template_folder="templates")
pages.register(blueprint, Desk.RETURNS, "/returns")


@blueprint.route("/returns", methods=["GET", "POST"])
def queue_page() -> Response | str:
    """Open returns, and the form that begins one."""
    node = services()
    party = reach().party_gln
    if request.method == "POST":
        customer = request.form.get("customer") or request.form.get("other_customer", "").strip()
        case_id = node.returns.open(present(), customer, request.form.get("rma", ""))
        return back("returns.case_page", case_id=case_id)
    with node.database.reading() as connection:
        open_views, closed_views = pages.both_queues(connection, Desk.RETURNS, _href, CAUSES)
        known = many.partners_at(connection, Desk.RETURNS, party)
        known |= {each.gln: each.name for each in partners.registered(connection) if each.gln != party}
    customers = [("", "choose"), *sorted(known.items(), key=lambda each: (each[1].lower(), each[0]))]
    return render_template("returns/queue.html", cases=open_views, closed=closed_views, customers=customers)


@blueprint.get("/returns/<case_id>")
def case_page(case_id: str) -> str:
    """One return: its units, and the next scan."""
    node = services()
    with node.database.reading() as connection:
        found = cases.case(connection, Desk.RETURNS, case_id, reach().party_gln)
        units = service.units(connection, case_id)
        [view] = views(connection, [found], node.clock.now(), _href, CAUSES)
    disclose(node.database, node.clock, present(), "return.view", subject=case_id, whose=found.party_gln)
    return render_template(
        "returns/case.html",
        case=view,
        found=found,
        units=[(shown(each.subject), each, SAID[each.reason]) for each in reversed(units)],
        last=units[-1] if units else None,
        saleable=sum(each.saleable for each in units),
        waiting=sum(each.booked_at is None and each.reason is not Reason.SUSPECT for each in units),
        causes=list(CAUSES.items()),
    )


@blueprint.post("/returns/<case_id>/scan")
def scan(case_id: str) -> Response:
    """Judge one unit."""
    raw = request.form.get("code", "").strip("\r\n").encode("utf-8", "surrogatepass")
    damaged = request.form.get("damaged") == "yes"
    unit = services().returns.scan(present(), case_id, raw, None, damaged=damaged)
    flash(SAID[unit.reason], "info" if unit.saleable else "error")
    return back("returns.case_page", case_id=case_id)


@blueprint.post("/returns/<case_id>/book")
def book(case_id: str) -> Response:
    """Record what came back."""
    entry = services().returns.book(present(), case_id)
    flash(f"Booked: entry {entry} of the ledger.")
    return back("returns.case_page", case_id=case_id)


@blueprint.post("/returns/<case_id>/close")
def close(case_id: str) -> Response:
    """End a return."""
    services().returns.close(present(), case_id, said(), request.form.get("root_cause", ""))
    return back("returns.case_page", case_id=case_id)


def _href(case: DeskCase) -> str:
    return url_for("returns.case_page", case_id=case.case_id)
