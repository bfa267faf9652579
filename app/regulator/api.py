"""Requests of authorities over the wire, for a company's own systems and for authorities' tools.

GET  /regulator/requests                open requests of the caller's company              scope query
POST /regulator/requests                record one that came by other ways                 scope query
GET  /regulator/requests/<id>           one, with what was handed out                      scope query
POST /regulator/requests/<id>/answer    hand out the company's own events                  scope query
GET  /regulator/requests/<id>/answer    the archive as it went out                         scope query
"""

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.regulator.desk import archive
from app.regulator.rules import LONGEST, Reason, Standing
from app.regulator.service import NewRequest
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("request_api", __name__, description="Requests of authorities")


def _text(**kwargs: Any) -> fields.String:
    return fields.String(validate=validate.Length(0, LONGEST), **kwargs)


class RequestBody(Schema):
    """A request as it came to the company."""

    standing = fields.String(required=True, validate=validate.OneOf([each.value for each in Standing]))
    reason = fields.String(required=True, validate=validate.OneOf([each.value for each in Reason]))
    requester = _text(required=True, metadata={"description": "name and office of who asks"})
    proof = _text(required=True, metadata={"description": "how it was made sure who they are"})
    reference = _text(load_default="")
    gtin, serial, lot, gln = (_text(load_default="") for _ in range(4))
    since = _text(load_default="", metadata={"description": "first day, such as 2026-03-01"})
    until = _text(load_default="", metadata={"description": "last day"})


@blueprint.get("/regulator/requests")
def listed() -> dict[str, Any]:
    """Open requests of the caller's company, the most urgent first."""
    with services().database.reading() as connection:
        found = cases.queue(connection, Desk.REGULATOR, reach().party_gln)
    return {"requests": [_shown(each) for each in found]}


@blueprint.post("/regulator/requests")
@blueprint.arguments(RequestBody)
@blueprint.response(201)
def opened(body: dict[str, str]) -> dict[str, Any]:
    """Record a request; its clock runs from now."""
    party = reach().party_gln
    assert party is not None  # every token that has the scope speaks for a party
    node = services()
    case_id = node.requests.open(NewRequest.parse(body, party), present())
    return _shown(node.requests.case(case_id, party))


@blueprint.get("/regulator/requests/<case_id>")
def one(case_id: str) -> dict[str, Any]:
    """One request of the caller's company."""
    node = services()
    return _shown(node.requests.case(case_id, reach().party_gln), node.requests.handed_out(case_id))


@blueprint.post("/regulator/requests/<case_id>/answer")
def answer(case_id: str) -> dict[str, Any]:
    """Hand out the company's own events."""
    node, party = services(), reach().party_gln
    assert party is not None
    node.requests.answer(case_id, party, present())
    return one(case_id)


@blueprint.get("/regulator/requests/<case_id>/answer")
def download(case_id: str) -> Response:
    """The answer as it went out, a zip archive."""
    services().requests.case(case_id, reach().party_gln)
    return archive(case_id)


def _shown(case: DeskCase, handed_out: Any = ()) -> dict[str, Any]:
    return {
        "id": case.case_id,
        "title": case.title,
        "state": case.state,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        **{
            name: case.data.get(name, "")
            for name in ("standing", "reason", "requester", "reference", "search")
        },
        "handed_out": [{"entry": each.index, "at": each.at.isoformat()} for each in handed_out],
    }
