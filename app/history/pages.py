"""The page of one package: what it is, where it has been, and how far that is proven."""

from typing import Any

from flask import Blueprint, render_template, request

from app.errors import AppError
from app.history.rules import said, shown, subject_of
from app.history.service import Story, Told, story
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("history", __name__, template_folder="templates")


@blueprint.get("/package")
def package_page() -> str:
    """Search, and the package found. What does not concern the reader is not there."""
    typed = request.args.get("epc", "")
    found, problem = None, ""
    if typed:
        try:
            found = find(typed)
            problem = "" if found else "There is no record of this package, or none that concerns you."
        except AppError as error:
            problem = f"{error.title}. {error.next_step}"
    return render_template("history/package.html", typed=typed, problem=problem, **view(found))


def find(typed: str) -> Story | None:
    """The story of what was typed, as the present reader may read it; the disclosure is in the audit trail."""
    node = services()
    subject = subject_of(typed)
    with node.database.snapshot() as connection:
        found = story(connection, subject, reader=reach().party_gln)
    outcome = Outcome.SHOWN if found else Outcome.NOTHING
    whose = (found.outer.holder or "") if found else ""
    disclose(
        node.database, node.clock, present(), "package.view", subject=subject, whose=whose, outcome=outcome
    )
    return found


def view(found: Story | None) -> dict[str, Any]:
    """What the template needs of a story."""
    if found is None:
        return {"story": None}
    return {
        "story": found,
        "subject_shown": shown(found.subject),
        "facts": _facts(found),
        "steps": [_step(told) for told in found.events],
        "signed": sum(told.signed for told in found.events),
    }


def _facts(found: Story) -> list[tuple[str, str]]:
    item, outer = found.item, found.outer
    facts = [("Number", shown(found.subject))]
    if item.lot:
        facts.append(("Lot", item.lot))
    if item.expiry:
        facts.append(("Expires", item.expiry))
    if found.maker_name:
        facts.append(("Made by", found.maker_name))
    if item.ended:
        facts.append(("Now", item.status.value.replace("_", " ")))
    elif outer.in_transit and found.holder_name:
        facts.append(
            ("Now", f"under way from {found.holder_name} to {found.bound_for_name or 'an unnamed party'}")
        )
    elif found.holder_name:
        facts.append(("Now with", found.holder_name))
    if found.owner_name:
        facts.append(("Owned by", found.owner_name))
    if found.inside:
        facts.append(("Inside", ", inside ".join(shown(key) for key in found.inside)))
    for holds, text in (
        (item.recalled, "recalled"),
        (item.held, f"on hold ({item.held})"),
        (item.missing, "missing when its container was opened"),
        (item.disputed, "two parties claim it"),
    ):
        if holds:
            facts.append(("Note", text))
    return facts


def _step(told: Told) -> dict[str, Any]:
    title = said(told.step)
    title = f"Its container was {title}" if told.via else title.capitalize()
    if told.to_name:
        title += f" to {told.to_name}"
    if told.declares_error:
        title = f"Declared wrong: {title.lower()}"
    if told.hidden:
        return {
            "when": f"{told.at:%Y-%m-%d %H:%M}",
            "iso": told.at.isoformat(),
            "title": "Earlier holder, proven",
            "proof": f"Entry {told.index} of the ledger",
        }
    vouched = (
        f"signed by {told.by_name}" if told.signed else f"received from {told.by_name}, not signed by it"
    )
    details = [finding.message for finding in told.findings]
    if told.via:
        details.insert(0, f"Inside {shown(told.via)} at the time")
    return {
        "when": f"{told.at:%Y-%m-%d %H:%M}",
        "iso": told.at.isoformat(),
        "title": title + (" (declared wrong later)" if told.declared_wrong else ""),
        "where": f"{told.by_name}, at {told.place}"
        if told.place and told.place != told.by_name
        else told.by_name,
        "detail": ". ".join(details),
        "wrong": bool(told.findings),
        "inferred": False,
        "proof": f"Entry {told.index}, {vouched}",
    }
