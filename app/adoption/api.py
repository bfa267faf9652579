"""Events of the future over REST, for the token's party:

GET  /events/ahead    what it has told before its time, and nobody has adopted    scope query
POST /events/ahead    adopt one, once its time has come                           scope capture
"""

from typing import Any

from flask_smorest import Blueprint

from app.adoption.schemas import AdoptBody
from app.shared.audit import disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("ahead_api", __name__, description="Events that were told before their time")


@blueprint.get("/events/ahead")
def listing() -> dict[str, Any]:
    """What waits to be adopted, the earliest first."""
    node, party = services(), reach().party_gln
    found = node.adoption.listed(party) if party else []
    disclose(node.database, node.clock, present(), "event.ahead", subject="", whose=party or "")
    return {
        "events": [
            {
                "event_id": each.event_id,
                "entry": each.index,
                "step": each.step,
                "named": list(each.named),
                "more": each.more,
                "event_time": each.happens_at.isoformat(),
                "recorded_at": each.recorded_at.isoformat(),
                "may_be_adopted": each.may,
                "overdue": each.overdue,
            }
            for each in found
        ]
    }


@blueprint.post("/events/ahead")
@blueprint.arguments(AdoptBody)
def adopt(asked: dict[str, str]) -> tuple[dict[str, Any], int]:
    """Let an event of the party's count; 201 with the receipt of the entry that says so."""
    receipt = services().adoption.adopt(present(), reach().party_gln or "", asked["event_id"], asked["why"])
    return receipt.as_json(), 201
