"""Professional overrides over REST, for the token's own party: what is alike at all desks (app/cases/api.py), and

POST /api/overrides/checks         ask: what the scan says, and whether that may be gone past    scope desks
POST /api/overrides                both people's decision: dispensed over the verdict            scope desks
POST /api/overrides/{id}/close     the follow-up, by somebody else                               scope desks

A token is nobody: whoever overrides, confirms or follows up gives their own name and password, which open no session.
"""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.overrides import service
from app.overrides.rules import REASONS, may_override
from app.overrides.schemas import FollowUpBody, OverrideBody
from app.overrides.service import Request
from app.verification.schemas import ScanBody
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("override_api", __name__, description="Professional overrides and their follow-up")


def _kept(connection: Connection, case: DeskCase) -> dict[str, Any]:
    kept = service.kept(connection, case.case_id)
    assert kept is not None, "a follow-up is opened with its override"
    return {
        "override": {
            "id": kept.override_id,
            "at": kept.at.isoformat(),
            "epc": kept.subject,
            "verdict": kept.word,
            "verdict_reason": kept.verdict_reason,
            "reason": kept.reason,
            "text": kept.explanation,
            "first": kept.first_name,
            "second": kept.second_name,
            "entry": kept.index,
        }
    }


desk = DeskApi(Desk.OVERRIDES, blueprint, "/api/overrides", own=_kept)
desk.register()


@blueprint.post("/api/overrides/checks")
@blueprint.arguments(ScanBody)
def ask(asked: dict[str, Any]) -> dict[str, Any]:
    """What the scan says, and whether two people may go past it. Nothing is done yet."""
    result = services().verification.check(
        asked["data"], asked["symbology"], present(), asker=reach().party_gln
    )
    verdict = result.verdict
    return {
        "check": result.check_id,
        "epc": result.subject,
        "verdict": verdict.word.value,
        "reason": verdict.reason.value,
        "next": result.next_step,
        "allowed": may_override(verdict, result.blocked_by),
        "reasons": {key.value: text for key, text in REASONS.items()},
    }


@blueprint.post("/api/overrides")
@blueprint.arguments(OverrideBody)
def dispense(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Dispense over the verdict; 201 with the follow-up."""
    overrides = services().overrides
    first = overrides.person(present(), asked["first"]["name"], asked["first"]["password"])
    second = asked["second"]
    request = Request(asked["reason"], asked["text"], second["name"], second["password"])
    done = overrides.dispense(asked["data"], asked["symbology"], first, request)
    return desk.one(done.case_id), 201


@blueprint.post("/api/overrides/<case_id>/close")
@blueprint.arguments(FollowUpBody)
def close(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Close the follow-up: what was found."""
    overrides = services().overrides
    desk.one(case_id)  # before a password is looked at: what is another's is not there
    person = overrides.person(present(), asked["by"]["name"], asked["by"]["password"], roles=service.SECOND)
    overrides.follow_up(person, case_id, asked["root_cause"], asked["text"])
    return desk.one(case_id)
