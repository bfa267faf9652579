"""Receiving for devices: the same delivery that people receive on the page, scan by scan. What is alike at all desks
(app/cases/api.py) with the scope `receive`, and

    POST /receivings                      {"text": "(00)..."}: begin, or join            scope receive
    GET  /receivings/{id}                 how far it is
    POST /receivings/{id}/scans           {"data": base64, "symbology": "]d2"}
    POST /receivings/{id}/opened          {"epc": ...}: a container is counted from now on
    POST /receivings/{id}/apart           {"epc": ...}: a container with something wrong in it is set apart unopened
    POST /receivings/{id}/damaged         {"epc": ..., "reason": "wet"}
    POST /receivings/{id}/undo            the caller's last act
    POST /receivings/{id}/finish          one document of what is there, one exception a discrepancy
    POST /receivings/{id}/give-up         stop: nothing is recorded

Each answers the delivery as it stands then.
"""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.errors import NotFound
from app.receiving.schemas import Begin, Damaged, Opened, shown
from app.shared.audit import disclose
from app.verification.schemas import ScanBody
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("receivings", __name__, description="Receiving a delivery against its document")


def _delivery(connection: Connection, case: DeskCase) -> dict[str, Any]:
    return shown(services().receiving.standing(connection, case.case_id, case.party_gln))


desk = DeskApi(Desk.RECEIVING, blueprint, "/receivings", own=_delivery, members="receivings")
desk.register(one=False)


@blueprint.post("/receivings")
@blueprint.arguments(Begin)
def begin(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Begin with a delivery, or join those who have. 404 where nothing of it is on its way to the caller."""
    node, actor = services(), present()
    assert actor.party_gln is not None, "the table gives this route to parties alone"
    found = node.receiving.find(asked["text"], actor.party_gln)
    return _shown(node.receiving.open(found, actor)), 200 if found.receiving_id else 201


@blueprint.get("/receivings/<string:receiving_id>")
def one(receiving_id: str) -> dict[str, Any]:
    """A delivery as it stands."""
    node = services()
    found = _shown(receiving_id)
    disclose(
        node.database,
        node.clock,
        present(),
        "receiving.view",
        subject=receiving_id,
        whose=reach().party_gln or "",
    )
    return found


@blueprint.post("/receivings/<string:receiving_id>/scans")
@blueprint.arguments(ScanBody)
def scan(asked: dict[str, Any], receiving_id: str) -> dict[str, Any]:
    """Count what a scanner read."""
    services().receiving.scan(receiving_id, asked["data"], asked["symbology"], present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/opened")
@blueprint.arguments(Opened)
def opened(asked: dict[str, Any], receiving_id: str) -> dict[str, Any]:
    """A container was opened: what is in it is counted one by one."""
    services().receiving.opened(receiving_id, asked["epc"], present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/apart")
@blueprint.arguments(Opened)
def apart(asked: dict[str, Any], receiving_id: str) -> dict[str, Any]:
    """A container with something in it that is not OK is set apart as it is."""
    services().receiving.apart(receiving_id, asked["epc"], present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/damaged")
@blueprint.arguments(Damaged)
def damaged(asked: dict[str, Any], receiving_id: str) -> dict[str, Any]:
    """Something that was seen is damaged."""
    services().receiving.damaged(receiving_id, asked["epc"], asked["reason"], present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/missing")
@blueprint.arguments(Opened)
def missing(asked: dict[str, Any], receiving_id: str) -> dict[str, Any]:
    """It is not there; or of an opened container what was not seen is not."""
    services().receiving.missing(receiving_id, asked["epc"], present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/undo")
def undo(receiving_id: str) -> dict[str, Any]:
    """Take back the caller's last act."""
    services().receiving.undo(receiving_id, present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/finish")
def finish(receiving_id: str) -> dict[str, Any]:
    """Record what is there."""
    services().receiving.finish(receiving_id, present())
    return _shown(receiving_id)


@blueprint.post("/receivings/<string:receiving_id>/give-up")
def give_up(receiving_id: str) -> dict[str, Any]:
    """Stop receiving: nothing is recorded, and it is on its way as before."""
    services().receiving.give_up(receiving_id, present())
    return _shown(receiving_id)


def _shown(receiving_id: str) -> dict[str, Any]:
    """A delivery as it stands; one that was begun before deliveries had cases, without its case."""
    try:
        return desk.shown(receiving_id)
    except NotFound:
        return shown(services().receiving.state(receiving_id, reach().party_gln))
