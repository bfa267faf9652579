"""The exceptions desk for programs, and PDG's messages in and out.

    GET  /exceptions.json                      the caller's open cases, by their clock          scope query
    POST /exceptions/{id}/reports              PDG's report about a case, kept as sent          scope exceptions
    POST /exceptions/reports?to=GLN            a report about a shipment of `to`                scope exceptions
    POST /exceptions/responses?to=GLN          a response to a report of `to`                   scope exceptions
    POST /exceptions/{id}/responses            our answer to what was reported under a case     scope exceptions

A message counts once: sent again under its `message_uuid` it is answered as the first time.
"""

from typing import Any

from flask import request
from flask_smorest import Blueprint

from app.cases import service as cases
from app.cases.rules import Desk
from app.errors import AppError, Invalid
from app.exceptions import messages, service
from app.exceptions.rules import KINDS
from app.exceptions.schemas import Addressed, ResponseOut
from app.partners.service import checked_gln
from app.shared.audit import disclose, record
from app.web.access import reach
from app.web.actor import present
from app.web.forms import body
from app.wiring import services
from ledger.errors import LedgerError
from ledger.log.encoding import from_json

blueprint = Blueprint("exception_api", __name__, description="Exceptions, and PDG's reports and responses")

MOST_BYTES = 1_000_000  # of one message


@blueprint.get("/exceptions.json")
def listing() -> dict[str, Any]:
    """The caller's open cases, the most urgent first."""
    node, party = services(), _party()
    service.settle(node.database, node.clock, party)
    with node.database.reading() as connection:
        found = cases.queue(connection, Desk.EXCEPTIONS, party)
    disclose(node.database, node.clock, present(), "exception.list", subject="", whose=party)
    return {
        "cases": [
            {
                "id": each.case_id,
                "kind": each.kind,
                "title": each.title,
                "hda_class": KINDS[each.kind].hda_class.value,
                "scenario": KINDS[each.kind].scenario.name,
                "subject": each.subject,
                "partner": each.partner_gln,
                "owner": each.owner_name,
                "opened_at": each.opened_at.isoformat(),
                "due_at": each.due_at.isoformat() if each.due_at else None,
            }
            for each in found
        ]
    }


@blueprint.post("/exceptions/<string:case_id>/reports")
def report_out(case_id: str) -> tuple[dict[str, Any], int]:
    """PDG's report about a case; `?resolved=true` says that it is resolved."""
    node, actor, party = services(), present(), _party()
    with node.database.writing() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, party)
        resolved = request.args.get("resolved") == "true"
        sent = messages.send_report(connection, node.clock, [found], actor.name, resolved=resolved)
        record(connection, node.clock, actor, "exception.report", subject=case_id, whose=party)
    return sent, 201


@blueprint.post("/exceptions/reports")
@blueprint.arguments(Addressed, location="query")
def report_in(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A report about a shipment of the company `to`."""
    return _take(messages.take_report, asked["to"], "exception.reported")


@blueprint.post("/exceptions/responses")
@blueprint.arguments(Addressed, location="query")
def response_in(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A response to a report of the company `to`."""
    return _take(messages.take_response, asked["to"], "exception.answered")


@blueprint.post("/exceptions/<string:case_id>/responses")
@blueprint.arguments(ResponseOut)
def response_out(asked: dict[str, Any], case_id: str) -> tuple[dict[str, Any], int]:
    """Our response to what was reported under a case, item by item, as PDG's JSON."""
    node, actor, party = services(), present(), _party()
    answers = [messages.Answer(**each) for each in asked["answers"]]
    with node.database.writing() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, party)
        sent = messages.send_response(connection, node.clock, found, answers, asked["notes"], actor.name)
        record(connection, node.clock, actor, "exception.answer", subject=case_id, whose=party)
    return sent, 201


def _take(take: Any, to: str, action: str) -> tuple[dict[str, Any], int]:
    node, actor, party = services(), present(), _party()
    raw = body()
    if len(raw) > MOST_BYTES:
        raise AppError("pdg.too_large", 413, "The message is too large", f"{MOST_BYTES} bytes are the most")
    try:
        value = from_json(raw)
    except (LedgerError, ValueError, RecursionError) as error:
        raise Invalid("pdg.invalid", "This is no JSON", str(error)[:200], "Send PDG's JSON.") from error
    with node.database.writing() as connection:
        case_id = take(connection, node.clock, value, by=party, to=checked_gln(to))
        record(connection, node.clock, actor, action, subject=case_id, whose=to)
    # The case's own id is the recipient's; whoever reports goes by his.
    return {"message_uuid": value["message_uuid"], "exception_case_uuid": value["exception_case_uuid"]}, 202


def _party() -> str:
    party = reach().party_gln
    assert party is not None, "the table gives this route to parties alone"
    return party
