"""The professional override as pages: the form over a scan's answer, and the follow-ups with how often it is done."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.cases import pages
from app.cases import service as cases
from app.cases.pages import back, said, views
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.errors import AppError
from app.history.rules import shown
from app.overrides import service
from app.overrides.rules import CAUSES, REASONS, Reason, may_override
from app.overrides.service import Request
from app.shared.audit import disclose
from app.verification.pages import shown_of
from app.verification.service import Result
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("overrides", __name__, template_folder="templates")
pages.register(blueprint, Desk.OVERRIDES, "/overrides")


@blueprint.post("/override")
def ask_page() -> Response | str:
    """Over which verdict, and the form for why and with whom; nothing is done yet but the scan."""
    raw = request.form.get("code", "").encode("utf-8", "surrogatepass")
    result = services().verification.check(raw, None, present(), asker=reach().party_gln)
    return _form(result, "")


@blueprint.post("/override/dispense")
def dispense() -> Response | str | tuple[str, int]:
    """Dispense over the verdict, or say why not."""
    node, form = services(), request.form
    raw = form.get("code", "").encode("utf-8", "surrogatepass")
    names = ("reason", "text", "second_name", "second_password")
    asked = Request(*(form.get(name, "") for name in names))
    try:
        done = node.overrides.dispense(raw, None, present(), asked)
    except AppError as error:
        result = node.verification.check(raw, None, present(), asker=reach().party_gln)
        return _form(result, f"{error.title}. {error.detail} {error.next_step}".strip(), form), error.status
    flash(f"Dispensed: entry {done.index} of the ledger, override {done.override_id}. Quality follows it up.")
    return back("verification.dispense")


@blueprint.get("/overrides")
def queue_page() -> str:
    """Follow-ups by their clock, and how often it was done."""
    node = services()
    party = reach().party_gln
    assert party is not None
    with node.database.reading() as connection:
        open_views, closed_views = pages.both_queues(connection, Desk.OVERRIDES, _href, CAUSES)
        rate = node.overrides.rate(connection, party)
    return render_template("overrides/queue.html", cases=open_views, closed=closed_views, rate=rate.said)


@blueprint.get("/overrides/<case_id>")
def case_page(case_id: str) -> str:
    """One override: what was overridden, why, by whom, and what came of it."""
    node = services()
    with node.database.reading() as connection:
        found = cases.case(connection, Desk.OVERRIDES, case_id, reach().party_gln)
        kept = service.kept(connection, case_id)
        [view] = views(connection, [found], node.clock.now(), _href, CAUSES)
    disclose(node.database, node.clock, present(), "override.view", subject=case_id, whose=found.party_gln)
    assert kept is not None
    facts = [
        ("Package", shown(kept.subject)),
        ("The scan said", f"{kept.word}: {kept.verdict_reason.replace('_', ' ')}"),
        ("Why it was overridden", REASONS[Reason(kept.reason)]),
        ("In words", kept.explanation),
        ("By", f"{kept.first_name}, with {kept.second_name}"),
        ("Entry of the ledger", str(kept.index) if kept.index is not None else "none"),
        ("Number", kept.override_id),
    ]
    return render_template(
        "overrides/case.html", case=view, found=found, facts=facts, causes=list(CAUSES.items())
    )


@blueprint.post("/overrides/<case_id>/close")
def close(case_id: str) -> Response:
    """Close the follow-up."""
    services().overrides.follow_up(present(), case_id, request.form.get("root_cause", ""), said())
    return back("overrides.case_page", case_id=case_id)


def _form(result: Result, problem: str, typed: Mapping[str, str] | None = None) -> str:
    values = shown_of(result)
    return render_template(
        "overrides/ask.html",
        problem=problem,
        typed=typed or {},
        allowed=may_override(result.verdict, result.blocked_by),
        reasons=[(key.value, text) for key, text in REASONS.items()],
        code=result.raw.decode("utf-8", "replace"),
        **values,
    )


def _href(case: DeskCase) -> str:
    return url_for("overrides.case_page", case_id=case.case_id)
