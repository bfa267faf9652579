"""The page 'Before their time': events that wait for a person, and the button that lets one count."""

from flask import Blueprint, Response, flash, render_template, request

from app.adoption.service import ADOPTING, LONGEST_WHY
from app.cases.pages import back
from app.history.rules import said
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("ahead", __name__, template_folder="templates")


@blueprint.route("/ahead", methods=["GET", "POST"])
def list_page() -> Response | str:
    """What the reader's company has told before its time, and the form that adopts one of it."""
    node, party, form = services(), reach().party_gln, request.form
    if request.method == "POST":
        receipt = node.adoption.adopt(present(), party or "", form.get("event_id", ""), form.get("why", ""))
        flash(f"Adopted: entry {receipt.index} of the ledger says so, and it counts from now on.")
        return back("ahead.list_page")
    waiting = node.adoption.listed(party) if party else []
    disclose(node.database, node.clock, present(), "event.ahead", subject="", whose=party or "")
    return render_template(
        "adoption/list.html",
        waiting=[(each, said(each.step)) for each in waiting],
        may_adopt=present().role in ADOPTING,
        longest=LONGEST_WHY,
    )
