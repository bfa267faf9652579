"""The exceptions desk for programs: what is alike at all desks (app/cases/api.py), its own commands, PDG's messages.

    GET  /exceptions.json                      the queue of /api/exceptions, by its first name  scope query
    GET  /api/exceptions/causes                what keeps going wrong, and with whom            scope query
    POST /api/exceptions                       open a case about a scan, or what was seen       scope desks
    POST /api/exceptions/{id}/messages         what was sent to the partner, or came            scope desks
    POST /api/exceptions/{id}/close, /reopen   end it with its root cause; open it again        scope desks
    POST /exceptions/{id}/reports              PDG's report about a case, kept as sent          scope exceptions
    POST /exceptions/reports?to=GLN            a report about a shipment of `to`                scope exceptions
    POST /exceptions/responses?to=GLN          a response to a report of `to`                   scope exceptions
    POST /exceptions/{id}/responses            our answer to what was reported under a case     scope exceptions

A message counts once: sent again under its `message_uuid` it is answered as the first time.
"""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases import many, work
from app.cases import service as cases
from app.cases.api import DeskApi
from app.cases.rules import Desk, NoteKind
from app.cases.schemas import NoteBody
from app.cases.service import DeskCase
from app.errors import AppError, Invalid
from app.exceptions import messages, reported, service
from app.exceptions.choosing import Chosen
from app.exceptions.due import look
from app.exceptions.facts import gather
from app.exceptions.rules import KINDS, message
from app.exceptions.scans import open_from_scan
from app.exceptions.schemas import (
    Addressed,
    ExceptionEnd,
    ExceptionQuery,
    MessageBody,
    Opening,
    ResponseOut,
)
from app.exceptions.seen import Seen, open_seen
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


def _listed(case: DeskCase) -> dict[str, Any]:
    kind = KINDS[case.kind]
    return {"hda_class": kind.hda_class.value, "scenario": kind.scenario.name}


def _about(connection: Connection, case: DeskCase) -> dict[str, Any]:
    """What a case is about by the record, and what is to be done."""
    facts, kind = gather(connection, case).facts, KINDS[case.kind]
    return {
        "next": kind.next_step if case.is_open else "",
        "put_right_with": kind.scenario.seller,
        "purchase_orders": list(facts.purchase_orders),
        "advices": list(facts.advices),
        "lots": list(facts.lots),
        "containers": list(facts.containers),
        "detail": facts.detail,
        "message": message(kind, facts),
        "reports": [each.as_json() for each in reported.of_case(connection, case.case_id)],
    }


def _settle(party: str | None) -> None:
    look(services().database, services().clock, party)


desk = DeskApi(
    Desk.EXCEPTIONS,
    blueprint,
    "/api/exceptions",
    listed=_listed,
    own=_about,
    before=_settle,
    query=ExceptionQuery,
    chosen=lambda asked: Chosen.parse(asked).choice(present().id),
)
desk.register()


@blueprint.get("/exceptions.json")
@blueprint.arguments(ExceptionQuery, location="query")
def listing(asked: dict[str, Any]) -> dict[str, Any]:
    """The same queue under its first address."""
    return desk.queue(asked)


@blueprint.get("/api/exceptions/causes")
def causes() -> dict[str, Any]:
    """What keeps going wrong, and with whom: those first of which the most cases are open."""
    node, party = services(), reach().party_gln
    with node.database.reading() as connection:
        found = many.by_cause(connection, Desk.EXCEPTIONS, party)
    disclose(node.database, node.clock, present(), "exception.causes", subject="", whose=party or "")
    return {"causes": [_cause(each) for each in found]}


def _cause(each: many.Cause) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "title": KINDS[each.kind].title,
        "hda_class": KINDS[each.kind].hda_class.value,
        "partner": each.partner_gln,
        "open": each.open,
        "all": each.all,
        "root_causes": dict(each.root_causes),
    }


@blueprint.post("/api/exceptions")
@blueprint.arguments(Opening)
def opened(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Open a case about a scan of the caller's own (the one there is where it has one), or about what was seen."""
    node, actor, party = services(), present(), _party()
    if not asked["check"]:
        return desk.one(open_seen(node.database, node.clock, actor, party, Seen.parse(asked))), 201
    with node.database.writing() as connection:
        case_id = open_from_scan(connection, node.clock, asked["check"], party, actor)
        record(connection, node.clock, actor, "exception.open", subject=case_id, whose=party)
    return desk.one(case_id), 201


@blueprint.post("/api/exceptions/<case_id>/messages")
@blueprint.arguments(MessageBody)
def send_message(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """Keep what was sent to the partner, or came from them, in the thread."""
    node, kind = services(), NoteKind(asked["direction"])
    work.note(node.database, node.clock, present(), Desk.EXCEPTIONS, case_id, _party(), asked["text"], kind)
    return desk.one(case_id)


@blueprint.post("/api/exceptions/<case_id>/close")
@blueprint.arguments(ExceptionEnd)
def close(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """End a case by hand, with its root cause."""
    service.end(
        services().database,
        services().clock,
        present(),
        case_id,
        _party(),
        asked["root_cause"],
        asked["text"],
    )
    return desk.one(case_id)


@blueprint.post("/api/exceptions/<case_id>/reopen")
@blueprint.arguments(NoteBody)
def reopen(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """Open it again, with why."""
    service.begin_again(services().database, services().clock, present(), case_id, _party(), asked["text"])
    return desk.one(case_id)


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
