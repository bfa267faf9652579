"""Recalls over REST, for the token's own party.

GET  /api/recalls                     recalls and notices, open ones first             scope query
POST /api/recalls                     call back; 201                                   scope capture
GET  /api/recalls/{id}                one, with who was told and what they did         scope query
POST /api/recalls/{id}/notify         tell those who were not told yet                 scope capture
POST /api/recalls/{id}/end            take it back                                     scope capture
POST /api/recalls/{id}/acknowledge    of a notice                                      scope capture
POST /api/recalls/{id}/answer         of a notice: what was done                       scope capture
"""

from typing import Any

from flask_smorest import Blueprint

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.recalls import notices, service
from app.recalls.rules import Counts, RecallClass, Scope
from app.recalls.schemas import AnswerRequest, EndRequest, RecallRequest
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint(
    "recall_api", __name__, url_prefix="/api/recalls", description="Recalls and who answered them"
)


@blueprint.get("")
@blueprint.response(200)
def listed() -> dict[str, Any]:
    """The party's own recalls, and those that affect it."""
    node, party = services(), reach().party_gln
    with node.database.reading() as connection:
        found = cases.queue(connection, Desk.RECALLS, party)
        found += cases.queue(connection, Desk.RECALLS, party, closed=True)
    disclose(node.database, node.clock, present(), "recall.list", subject="", whose=party or "")
    return {"recalls": [_told(each) for each in found]}


@blueprint.post("")
@blueprint.arguments(RecallRequest)
@blueprint.response(201)
def opened(asked: dict[str, Any]) -> dict[str, Any]:
    """Call back on behalf of the token's party, which has to be the maker. 404 is recorded as a search for nothing."""
    scope = Scope.parse(asked["gtin"], asked["lots"], asked["serials"])
    klass = RecallClass(asked["recall_class"])
    recalls = services().recalls
    case_id = recalls.open(present(), scope, klass, asked["reason"], asked["instruction"], channel="rest")
    return _one(case_id)


@blueprint.get("/<case_id>")
@blueprint.response(200)
def one(case_id: str) -> dict[str, Any]:
    """One recall or notice."""
    return _one(case_id)


@blueprint.post("/<case_id>/notify")
@blueprint.response(200)
def notify(case_id: str) -> dict[str, Any]:
    """Tell those who have got packages since."""
    return {"told": services().recalls.tell_again(present(), case_id)}


@blueprint.post("/<case_id>/end")
@blueprint.arguments(EndRequest)
@blueprint.response(200)
def end(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Take the recall back."""
    return {"entry": services().recalls.end(present(), case_id, asked["text"])}


@blueprint.post("/<case_id>/acknowledge")
@blueprint.response(200)
def acknowledge(case_id: str) -> dict[str, Any]:
    """Say that the notice arrived."""
    services().recalls.acknowledge(present(), case_id)
    return _one(case_id)


@blueprint.post("/<case_id>/answer")
@blueprint.arguments(AnswerRequest)
@blueprint.response(200)
def answer(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Say what was done with the packages."""
    text = asked.pop("text")
    services().recalls.answer(present(), case_id, Counts(**asked), text)
    return _one(case_id)


def _one(case_id: str) -> dict[str, Any]:
    node = services()
    with node.database.reading() as connection:
        found = cases.case(connection, Desk.RECALLS, case_id, reach().party_gln)
        told = notices.consignees(connection, case_id) if found.kind == service.RECALL else []
    disclose(node.database, node.clock, present(), "recall.view", subject=case_id, whose=found.party_gln)
    effect = notices.effect(told)
    return {
        **_told(found),
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
        "thread": [
            {"at": line.at.isoformat(), "who": line.who, "kind": line.kind.value, "text": line.text}
            for line in found.thread
        ],
    }


def _told(case: DeskCase) -> dict[str, Any]:
    return {
        "id": case.case_id,
        "kind": case.kind,
        "state": case.state,
        "title": case.title,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        **{
            name: case.data[name]
            for name in ("gtin", "product", "lots", "scope", "class", "reason", "instruction")
        },
    }
