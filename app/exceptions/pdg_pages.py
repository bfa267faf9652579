"""PDG's documents by hand: a report to take away, a message that came by mail to take in, and its answer."""

import json
import re
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, flash, request

from app.cases import service as cases
from app.cases.pages import back
from app.cases.rules import Desk
from app.errors import Invalid
from app.exceptions import messages
from app.exceptions.pdg import Answer
from app.partners.service import checked_gln
from app.shared.audit import record
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.errors import LedgerError
from ledger.log.encoding import from_json

blueprint = Blueprint("pdg", __name__)

_MOST = 500_000  # characters of one message


@blueprint.post("/exceptions/<case_id>/report")
def report(case_id: str) -> Response:
    """PDG's report about one case, as a file."""
    node = services()
    with node.database.writing() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, reach().party_gln)
        sent = messages.send_report(
            connection, node.clock, [found], present().name, resolved=not found.is_open
        )
        record(connection, node.clock, present(), "exception.report", subject=case_id, whose=found.party_gln)
    return _file(sent)


@blueprint.post("/exceptions/report")
def group_report() -> Response:
    """PDG's report about all open cases with one partner, as a file."""
    node, party = services(), reach().party_gln
    partner = checked_gln(request.form.get("partner", ""))
    with node.database.writing() as connection:
        listed = cases.queue(connection, Desk.EXCEPTIONS, party)
        with_them = [each.case_id for each in listed if each.partner_gln == partner]
        found = [cases.case(connection, Desk.EXCEPTIONS, case_id, party) for case_id in with_them]
        sent = messages.send_report(connection, node.clock, found, present().name)
        for each in found:
            record(
                connection, node.clock, present(), "exception.report", subject=each.case_id, whose=party or ""
            )
    return _file(sent)


@blueprint.post("/exceptions/import")
def take_in() -> Response:
    """A report or a response that a partner sent by mail: the form's `message`."""
    node, party = services(), reach().party_gln or ""
    text = request.form.get("message", "")[: _MOST + 1]
    if len(text) > _MOST:
        raise Invalid("pdg.too_large", "The message is too large", f"{_MOST} characters are the most")
    try:
        value: Any = from_json(text.encode("utf-8", "replace"))
    except (LedgerError, ValueError, RecursionError) as error:
        raise Invalid(
            "pdg.invalid", "This is no JSON", str(error)[:200], "Paste PDG's JSON as it came."
        ) from error
    if not isinstance(value, dict) or not isinstance(value.get("sender_information"), dict):
        raise Invalid("pdg.invalid", "This is no message that PDG's schema allows", "at sender_information")
    by = checked_gln(str(value["sender_information"].get("gln") or ""))
    take = messages.take_response if "response_items" in value else messages.take_report
    with node.database.writing() as connection:
        case_id = take(connection, node.clock, value, by=by, to=party)
        record(connection, node.clock, present(), "exception.import", subject=case_id, whose=party)
    flash("Taken in: it stands in the thread.")
    return back("exceptions.case_page", case_id=case_id)


@blueprint.post("/exceptions/<case_id>/response")
def response(case_id: str) -> Response:
    """Our answer to what a partner reported, item by item, as a file."""
    node, form = services(), request.form
    with node.database.writing() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, reach().party_gln)
        asked = messages.reported(connection, found)
        answers = [
            Answer(
                item.uuid,
                form[f"answer-{number}"] == "Accept",
                form.get(f"comments-{number}", "")[:500],
                form.get(f"alternative-{number}", ""),
            )
            for number, item in enumerate(asked.items if asked else ())
            if form.get(f"answer-{number}") in ("Accept", "Reject")
        ]
        sent = messages.send_response(
            connection, node.clock, found, answers, form.get("notes", "")[:500], present().name
        )
        record(connection, node.clock, present(), "exception.answer", subject=case_id, whose=found.party_gln)
    return _file(sent)


def _file(message: dict[str, Any]) -> Response:
    kind = "response" if "response_items" in message else "report"
    name = re.sub(r"[^0-9A-Za-z-]", "", message["message_uuid"])
    return Response(
        json.dumps(message, indent=1),
        HTTPStatus.OK,
        {"Content-Disposition": f'attachment; filename="pdg-{kind}-{name}.json"'},
        mimetype="application/json",
    )
