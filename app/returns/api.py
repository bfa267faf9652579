"""Returns over REST, for the token's own party: what is alike at all desks (app/cases/api.py), and

POST /api/returns                  begin, or go on with the one under this number        scope desks
POST /api/returns/{id}/scans       judge one unit: matched to our sale, verified         scope desks
POST /api/returns/{id}/book        saleable back to stock, the others set apart          scope desks
POST /api/returns/{id}/close       end it                                                scope desks

Each answers the return as it stands then, with its units and why each is saleable or not.
"""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.returns import service
from app.returns.rules import SAID
from app.returns.schemas import ReturnBody, ReturnEnd, UnitBody
from app.returns.service import Unit
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("return_api", __name__, description="Returns, unit by unit")


def _units(connection: Connection, case: DeskCase) -> dict[str, Any]:
    found = service.units(connection, case.case_id)
    return {
        "saleable": sum(each.saleable for each in found),
        "units": [_unit(each) for each in found],
    }


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "epc": unit.subject,
        "saleable": unit.saleable,
        "reason": unit.reason.value,
        "said": SAID[unit.reason],
        "verified": unit.verified.value,
        "matched": unit.matched_seq is not None,
        "scanned_at": unit.scanned_at.isoformat(),
        "scanned_by": unit.scanned_by,
        "booked_at": unit.booked_at.isoformat() if unit.booked_at else None,
    }


desk = DeskApi(
    Desk.RETURNS, blueprint, "/api/returns", listed=lambda case: {"rma": case.data["rma"]}, own=_units
)
desk.register()


@blueprint.post("/api/returns")
@blueprint.arguments(ReturnBody)
def opened(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Begin a customer's return. 200 with the open one where there is one under this number."""
    case_id, begun = services().returns.begin(present(), asked["customer"], asked["rma"])
    return desk.one(case_id), 201 if begun else 200


@blueprint.post("/api/returns/<case_id>/scans")
@blueprint.arguments(UnitBody)
def scan(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Judge one unit; scanned again before it is booked, it is judged anew."""
    services().returns.scan(present(), case_id, asked["data"], asked["symbology"], damaged=asked["damaged"])
    return desk.one(case_id)


@blueprint.post("/api/returns/<case_id>/book")
def book(case_id: str) -> dict[str, Any]:
    """Accept what is saleable and set the others apart, as one document."""
    entry = services().returns.book(present(), case_id)
    return desk.one(case_id) | {"entry": entry}


@blueprint.post("/api/returns/<case_id>/close")
@blueprint.arguments(ReturnEnd)
def close(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """End the return."""
    services().returns.close(present(), case_id, asked["text"], asked["root_cause"])
    return desk.one(case_id)
