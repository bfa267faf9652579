"""Recalls over REST, for the token's own party: what is alike at all desks (app/cases/api.py), and

POST /api/recalls                     call back; 201                                   scope capture
POST /api/recalls/{id}/describe       say how grave it is, why, what to do             scope capture
POST /api/recalls/{id}/notify         tell those who were not told yet                 scope capture
POST /api/recalls/{id}/end            take it back                                     scope capture
POST /api/recalls/{id}/acknowledge    of a notice                                      scope capture
POST /api/recalls/{id}/answer         of a notice: what was done                       scope capture
"""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.recalls import captured, notices, service
from app.recalls.rules import Counts, RecallClass, Scope
from app.recalls.schemas import AnswerRequest, DescribeRequest, EndRequest, RecallRequest
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("recall_api", __name__, description="Recalls and who answered them")

_TOLD = ("gtin", "product", "lots", "scope", "class", "reason", "instruction")


def _reached(connection: Connection, case: DeskCase) -> dict[str, Any]:
    """Who was told of a recall, and what they did; of a notice, nobody."""
    told = notices.consignees(connection, case.case_id) if case.kind == service.RECALL else []
    effect = notices.effect(told)
    return {
        "effect": {
            "told": effect.told,
            "acknowledged_percent": effect.acknowledged_percent,
            "answered_percent": effect.answered_percent,
            "packages": effect.packages,
            "accounted": effect.accounted,
        },
        "consignees": [
            {
                "gln": each.gln,
                "name": each.name,
                "packages": each.packages,
                "notified_at": each.notified_at.isoformat(),
                "acknowledged_at": each.acknowledged_at.isoformat() if each.acknowledged_at else None,
                "answered_at": each.answered_at.isoformat() if each.answered_at else None,
                **notices.shown_counts(each.counts),
            }
            for each in told
        ],
    }


desk = DeskApi(
    Desk.RECALLS,
    blueprint,
    "/api/recalls",
    listed=lambda case: {name: case.data[name] for name in _TOLD},
    own=_reached,
    members="recalls",
    before=lambda _party: captured.tell_waiting(services().database, services().clock),
)
desk.register()


@blueprint.post("/api/recalls")
@blueprint.arguments(RecallRequest)
@blueprint.response(201)
def opened(asked: dict[str, Any]) -> dict[str, Any]:
    """Call back on behalf of the token's party, which has to be the maker. 404 is recorded as a search for nothing."""
    scope = Scope.parse(asked["gtin"], asked["lots"], asked["serials"])
    klass = RecallClass(asked["recall_class"])
    recalls = services().recalls
    case_id = recalls.open(present(), scope, klass, asked["reason"], asked["instruction"], channel="rest")
    return desk.one(case_id)


@blueprint.post("/api/recalls/<case_id>/describe")
@blueprint.arguments(DescribeRequest)
@blueprint.response(200)
def describe(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Say of a recall how grave it is, why, and what to do; everybody who was told is told that."""
    klass = RecallClass(asked["recall_class"])
    services().recalls.describe(present(), case_id, klass, asked["reason"], asked["instruction"])
    return desk.one(case_id)


@blueprint.post("/api/recalls/<case_id>/notify")
@blueprint.response(200)
def notify(case_id: str) -> dict[str, Any]:
    """Tell those who have got packages since."""
    return {"told": services().recalls.tell_again(present(), case_id)}


@blueprint.post("/api/recalls/<case_id>/end")
@blueprint.arguments(EndRequest)
@blueprint.response(200)
def end(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Take the recall back."""
    return {"entry": services().recalls.end(present(), case_id, asked["text"])}


@blueprint.post("/api/recalls/<case_id>/acknowledge")
@blueprint.response(200)
def acknowledge(case_id: str) -> dict[str, Any]:
    """Say that the notice arrived."""
    services().recalls.acknowledge(present(), case_id)
    return desk.one(case_id)


@blueprint.post("/api/recalls/<case_id>/answer")
@blueprint.arguments(AnswerRequest)
@blueprint.response(200)
def answer(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Say what was done with the packages."""
    text = asked.pop("text")
    services().recalls.answer(present(), case_id, Counts(**asked), text)
    return desk.one(case_id)
