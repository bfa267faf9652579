"""Requests of authorities over the wire, for a company's own systems and for authorities' tools: what is alike at all
desks (app/cases/api.py), and

POST /regulator/requests                record one that came by other ways                 scope desks
POST /regulator/requests/<id>/answer    hand out the company's own events                  scope desks
GET  /regulator/requests/<id>/answer    the archive as it went out                         scope query
"""

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.regulator import disclosures
from app.regulator.desk import archive
from app.regulator.rules import LONGEST, Reason, Standing
from app.regulator.service import NewRequest
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("request_api", __name__, description="Requests of authorities")

_TOLD = ("standing", "reason", "requester", "reference", "search")


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
    since = _text(load_default="", metadata={"description": "first day, included, such as 2026-03-01 (UTC)"})
    until = _text(load_default="", metadata={"description": "last day, included"})


def _handed_out(connection: Connection, case: DeskCase) -> dict[str, Any]:
    found = disclosures.of_request(connection, case.case_id)
    return {"handed_out": [{"entry": each.index, "at": each.at.isoformat()} for each in found]}


desk = DeskApi(
    Desk.REGULATOR,
    blueprint,
    "/regulator/requests",
    listed=lambda case: {name: case.data.get(name, "") for name in _TOLD},
    own=_handed_out,
    members="requests",
)
desk.register()


@blueprint.post("/regulator/requests")
@blueprint.arguments(RequestBody)
@blueprint.response(201)
def opened(body: dict[str, str]) -> dict[str, Any]:
    """Record a request; its clock runs from now."""
    party = reach().party_gln
    assert party is not None  # every token that has the scope speaks for a party
    node = services()
    case_id = node.requests.open(NewRequest.parse(body, party), present())
    return desk.one(case_id)


@blueprint.post("/regulator/requests/<case_id>/answer")
def answer(case_id: str) -> dict[str, Any]:
    """Hand out the company's own events."""
    node, party = services(), reach().party_gln
    assert party is not None
    node.requests.answer(case_id, party, present())
    return desk.one(case_id)


@blueprint.get("/regulator/requests/<case_id>/answer")
def download(case_id: str) -> Response:
    """The answer as it went out, a zip archive."""
    services().requests.case(case_id, reach().party_gln)
    return archive(case_id)
