"""Form FDA 3911 as a page, a PDF and data; and a whole case as data."""

from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, render_template, request

from app.cases.pages import back
from app.custody import service as custody
from app.errors import Invalid
from app.history.rules import shown
from app.investigations import form3911, forms, partners_told, service
from app.investigations.form3911 import (
    CLASSIFICATIONS,
    DESCRIPTIONS,
    DRUG_USES,
    KINDS,
    OTHER_REPORTS,
    Form3911,
    FormKind,
)
from app.investigations.pdf import render
from app.investigations.service import INVESTIGATION
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("form3911", __name__, template_folder="templates")

_LONG = ("event_description", "termination_reason", "company_address")
_LISTS = ("serials", "lots", "expiries")
_CHOICES = {
    "classification": CLASSIFICATIONS,
    "drug_use": DRUG_USES,
    "drug_description": DESCRIPTIONS,
}


@blueprint.route("/investigations/<case_id>/form", methods=["GET", "POST"])
def form_page(case_id: str) -> Response | str:
    """Fill in the form; what is missing is said, and an incomplete one is kept too."""
    node, actor = services(), present()
    asked = request.values.get("kind", "")
    if asked not in set(FormKind):
        raise Invalid("form3911.kind", "Say which form", "", "Initial, follow-up or termination.")
    if request.method == "POST":
        values: dict[str, Any] = dict(request.form)
        values["other_reports"] = request.form.getlist("other_reports")
        made = Form3911.parse(values)
        with node.database.writing() as connection:
            found = service.case_of(connection, case_id, reach().party_gln)
            _require_investigation(found.kind)
            forms.keep(connection, node.clock, actor, found, made)
        missing = form3911.problems(made)
        flash(
            f"Kept, and not complete: {len(missing)} items are missing."
            if missing
            else "Kept: it is complete.",
            "error" if missing else "info",
        )
        return back("investigations.case_page", case_id=case_id)
    with node.database.reading() as connection:
        found = service.case_of(connection, case_id, reach().party_gln)
        _require_investigation(found.kind)
        begun = forms.begun(connection, found, FormKind(asked), actor)
    return render_template(
        "investigations/form.html",
        found=found,
        form=begun,
        kind_said=KINDS[begun.kind],
        items=[item for item in form3911.ITEMS if item[0] not in ("kind", "other_reports")],
        long=_LONG,
        lists=_LISTS,
        choices=_CHOICES,
        other_reports=OTHER_REPORTS,
        problems=form3911.problems(begun),
    )


@blueprint.get("/investigations/forms/<form_id>.pdf")
def pdf(form_id: str) -> Response:
    """A form as it was made, as a PDF of our own layout."""
    kept = _kept(form_id)
    raw = render(kept.form, case_id=kept.case_id, made_at=kept.made_at, made_by=kept.made_by)
    response = make_response(raw)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="form-fda-3911-{kept.form.kind}.pdf"'
    return response


@blueprint.get("/investigations/forms/<form_id>.json")
def data(form_id: str) -> Response:
    """A form as data: members by the items' names."""
    response = make_response(_kept(form_id).form.as_json())
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="form-fda-3911.json"'
    return response


@blueprint.get("/investigations/<case_id>/export")
def export(case_id: str) -> Response:
    """The whole case as data: what it is about, its thread, its forms, whom it was told to."""
    node = services()
    with node.database.reading() as connection:
        found = service.case_of(connection, case_id, reach().party_gln)
        keys = custody.keys_of(connection, found.items)
        told = partners_told.told(connection, case_id)
        made = forms.of_case(connection, case_id)
    disclose(
        node.database, node.clock, present(), "investigation.export", subject=case_id, whose=found.party_gln
    )
    response = jsonify(
        {
            "case": case_id,
            "title": found.title,
            "state": found.state,
            "party": found.party_gln,
            "opened_at": found.opened_at.isoformat(),
            "closed_at": found.closed_at.isoformat() if found.closed_at else None,
            "data": dict(found.data),
            "packages": [
                {"epc": keys[number], "label": shown(keys[number]), "inspected": found.items[number]}
                for number in sorted(keys)
            ],
            "thread": [
                {"at": line.at.isoformat(), "who": line.who, "kind": line.kind.value, "text": line.text}
                for line in found.thread
            ],
            "forms": [
                {"id": each.form_id, "kind": each.form.kind.value, "made_at": each.made_at.isoformat()}
                for each in made
            ],
            "partners_told": [
                {"gln": each.gln, "name": each.name, "at": each.told_at.isoformat()} for each in told
            ],
        }
    )
    response.headers["Content-Disposition"] = 'attachment; filename="investigation.json"'
    return response


def _kept(form_id: str) -> forms.Kept:
    node = services()
    with node.database.reading() as connection:
        kept = forms.one(connection, form_id, reach().party_gln)
    disclose(
        node.database, node.clock, present(), "investigation.form_view", subject=form_id,
        whose=reach().party_gln or "",
    )  # fmt: skip
    return kept


def _require_investigation(kind: str) -> None:
    if kind != INVESTIGATION:
        raise Invalid(
            "form3911.case", "A partner's notification has no form", "", "Open an investigation of your own."
        )
