"""The page of one package: what it is, where it has been, and how far that is proven."""

from typing import Any

from flask import Blueprint, render_template, request

from app.errors import AppError
from app.history.rules import said, shown, subject_of
from app.history.service import Story, Told, story
from app.proofs.sealed import sealed
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.custody.findings import INNOCENT
from ledger.custody.vocabulary import Step

blueprint = Blueprint("history", __name__, template_folder="templates")

_MOST_REPACKED = 20  # shown on the page


@blueprint.get("/package")
def package_page() -> str:
    """Search, and the package found. What does not concern the reader is not there."""
    typed = request.args.get("epc", "")
    found, problem = None, ""
    if typed.strip():
        try:
            found = find(typed)
            problem = "" if found else "There is no record of this package, or none that concerns you."
        except AppError as error:
            problem = f"{error.title}. {error.next_step}"
    return render_template("history/package.html", typed=typed, problem=problem, **view(found))


def find(typed: str) -> Story | None:
    """The story of what was typed, as the present reader may read it; the disclosure is in the audit trail."""
    node = services()
    try:
        subject = subject_of(typed)
    except AppError as error:
        failed, detail = Outcome.FAILED, error.title
        disclose(
            node.database, node.clock, present(), "package.view", subject=typed, outcome=failed, detail=detail
        )
        raise
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
    # After the story was read, so that all of it lies under this checkpoint.
    seal = sealed(services().node)
    return {
        "story": found,
        "subject_shown": shown(found.subject),
        "facts": _facts(found),
        "notes": _notes(found),
        "steps": [_step(told, proven=seal.refusal is None) for told in found.events],
        "signed": sum(told.signed for told in found.events),
        "seal": seal,
    }


def _facts(found: Story) -> list[tuple[str, str]]:
    item, outer, product = found.item, found.outer, found.product
    facts = [("Number", shown(found.subject))]
    if product is not None:
        facts += [
            (name, value)
            for name, value in (
                ("Form", product.dosage_form.lower()),
                ("Contents", product.net_content),
                ("NDC", product.ndc),
            )
            if value
        ]
    if item.lot:
        facts.append(("Lot", item.lot))
    if item.expiry:
        facts.append(("Expires", item.expiry))
    if found.maker_name:
        facts.append(("Made by", found.maker_name))
    if item.ended:
        facts.append(("Now", item.status.value.replace("_", " ")))
    elif outer.in_transit and found.holder_name:
        to = found.bound_for_name or "an unnamed party"
        facts.append(("Now", f"under way from {found.holder_name} to {to}"))
    elif found.holder_name:
        facts.append(("Now with", found.holder_name))
    if found.owner_name:
        facts.append(("Owned by", found.owner_name))
    for title, keys in (("Repackaged from", found.made_of), ("Repackaged into", found.became)):
        if keys:
            more = f" and {len(keys) - _MOST_REPACKED} more" if len(keys) > _MOST_REPACKED else ""
            facts.append((title, ", ".join(map(shown, keys[:_MOST_REPACKED])) + more))
    if found.inside:
        facts.append(("Inside", ", inside ".join(shown(key) for key in found.inside)))
    return facts


def _notes(found: Story) -> list[str]:
    """What stands against the package, one sentence each; what stands over a container around it does too."""
    each = (found.item, *found.around)
    holds = [box.held.replace("_", " ") for box in each if box.held]
    notes = (
        (found.item.disputed, "Potential suspect: two parties that no shipment links have both had it."),
        (any(box.travelled for box in each), "Potential suspect: it was seen too far away too soon."),
        (any(box.recalled for box in each), "Recalled by its maker."),
        (bool(holds), f"On hold: {', '.join(dict.fromkeys(holds))}."),
        (any(box.missing for box in each), "Missing when its container was opened."),
        (
            found.cut > 0,
            f"More is reported of it than is shown here: {found.cut} events are left out, of whoever reported most.",
        ),
    )
    return [text for applies, text in notes if applies]


def _step(told: Told, *, proven: bool) -> dict[str, Any]:
    entry = f"Entry {told.index}" if proven else f"Entry {told.index}, not proven now"
    step: dict[str, Any] = {
        "when": f"{told.at:%Y-%m-%d %H:%M}",
        "iso": told.at.isoformat(),
        "signed": told.signed and proven,
    }
    if told.hidden:
        vouched = (
            "signed by its holder then" if told.signed else "received from its holder then, not signed by it"
        )
        return {**step, "title": "Earlier holder", "proof": f"{entry}, {vouched}"}
    title = said(told.step)
    title = f"Its container was {title}" if told.via else title[:1].upper() + title[1:]
    if told.to_name and told.step == Step.SHIPPING:
        title += f" to {told.to_name}"
    if told.declares_error:
        title = f"Declared wrong: {title[:1].lower()}{title[1:]}"
    vouched = (
        f"signed by {told.by_name}" if told.signed else f"received from {told.by_name}, not signed by it"
    )
    messages = [
        f"{each.message.rstrip('.')} (usual innocent cause: {INNOCENT[each.code]})" for each in told.findings
    ]
    details = [message[:1].upper() + message[1:] for message in (*messages, *told.erased)]
    if told.via:
        details.insert(0, f"It was inside {shown(told.via)} then")
    elsewhere = told.place and told.place != told.by_name
    return {
        **step,
        "title": title + (" (declared wrong later)" if told.declared_wrong else ""),
        "where": f"{told.by_name}, at {told.place}" if elsewhere else told.by_name,
        "detail": ". ".join(details) + "." if details else "",
        "wrong": bool(told.findings),
        # Nobody saw the package itself: its container moved with it inside, by the record.
        "inferred": told.via is not None,
        "proof": f"{entry}, {vouched}",
    }
