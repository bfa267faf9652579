"""Quarantine and investigations over REST, for the token's party: what is alike at all desks (app/cases/api.py), and

POST /api/investigations                     set packages apart as suspect                    scope desks
POST /api/investigations/{id}/inspections    verify one package of the sample                 scope desks
POST /api/investigations/{id}/moves          the next step of the state machine               scope desks
POST /api/investigations/{id}/risk           its manufacturer finds a high risk               scope desks
POST /api/investigations/{id}/close          answer a partner's notification                  scope desks
POST /api/investigations/{id}/forms          make a Form FDA 3911                             scope desks
GET  /api/investigations/{id}/forms/{form}   one as it was made                               scope query
GET  /api/holds                              what is on hold without an investigation         scope query
POST /api/holds/release                      let it go, and why                               scope desks

Each answers the case as it stands then; `moves` names the steps that may follow and what each needs.
"""

import json
from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from app.cases.api import DeskApi
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.errors import Invalid, NotFound
from app.investigations import forms, partners_told, service
from app.investigations.form3911 import Form3911, FormKind, problems
from app.investigations.rules import Move, State, open_to, transition
from app.investigations.schemas import (
    FormBody,
    MoveBody,
    NotificationEnd,
    ReleaseBody,
    RiskBody,
    SuspicionBody,
)
from app.investigations.service import INVESTIGATION, Suspicion
from app.shared.audit import disclose
from app.verification.schemas import ScanBody
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("investigation_api", __name__, description="Quarantine and investigations")

_TOLD = ("ground", "product", "gtin", "bin", "text", "message", "illegitimate_at", "incident_number")


def _facts(connection: Connection, case: DeskCase) -> dict[str, Any]:
    """What an investigation, or a partner's notification, is about and how far it is."""
    sample = services().investigations.sample(connection, case)
    is_own = case.kind == INVESTIGATION
    steps = open_to(State(case.state), present().role) if is_own else []
    return {
        **{name: case.data.get(name, "") for name in _TOLD},
        "high_risk": bool(case.data.get("high_risk")),
        "sample": {
            "packages": sample.packages,
            "needed": sample.needed,
            "inspected": sample.inspected,
        },
        "moves": [{"move": row.move.value, "name": row.name, "needs": list(row.needs)} for row in steps],
        "forms": [
            {
                "id": each.form_id,
                "kind": each.form.kind.value,
                "made_at": each.made_at.isoformat(),
                "made_by": each.made_by,
                "problems": dict(problems(each.form)),
            }
            for each in forms.of_case(connection, case.case_id)
        ],
        "partners_told": [
            {
                "gln": each.gln,
                "name": each.name,
                "at": each.told_at.isoformat(),
                "ended_at": each.ended_at.isoformat() if each.ended_at else None,
            }
            for each in partners_told.told(connection, case.case_id)
        ],
    }


desk = DeskApi(Desk.INVESTIGATIONS, blueprint, "/api/investigations", own=_facts)
desk.register()


@blueprint.post("/api/investigations")
@blueprint.arguments(SuspicionBody)
def opened(asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Set packages apart as suspect; on hold in the ledger as far as they are the party's to hold."""
    typed = "\n".join(asked["packages"])
    suspicion = Suspicion.parse(typed, asked["ground"], asked["bin"], asked["text"], asked["check"])
    return desk.one(services().investigations.open(present(), suspicion)), 201


@blueprint.post("/api/investigations/<case_id>/inspections")
@blueprint.arguments(ScanBody)
def inspect(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Verify one package of the sample by its label."""
    services().investigations.inspect(present(), case_id, asked["data"], asked["symbology"])
    return desk.one(case_id)


@blueprint.post("/api/investigations/<case_id>/moves")
@blueprint.arguments(MoveBody)
def move(asked: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Go on to the next state. Where it is in that state already, nothing is done again."""
    step = Move(asked["move"])
    found = desk.one(case_id)
    if found["kind"] != INVESTIGATION or found["state"] != transition(step).target:
        services().investigations.move(
            present(),
            case_id,
            step,
            text=asked["text"],
            maker_consulted=asked["maker_consulted"],
            retain="\n".join(asked["retain"]),
            whole_lots=asked["whole_lots"],
        )
    return desk.one(case_id)


@blueprint.post("/api/investigations/<case_id>/risk")
@blueprint.arguments(RiskBody)
def risk(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """A manufacturer finds a high risk: its 24 hours run."""
    services().investigations.high_risk(present(), case_id, asked["text"])
    return desk.one(case_id)


@blueprint.post("/api/investigations/<case_id>/close")
@blueprint.arguments(NotificationEnd)
def close(asked: dict[str, str], case_id: str) -> dict[str, Any]:
    """Answer a partner's notification."""
    services().investigations.answer(present(), case_id, asked["root_cause"], asked["text"])
    return desk.one(case_id)


@blueprint.post("/api/investigations/<case_id>/forms")
@blueprint.arguments(FormBody)
def make_form(asked: dict[str, Any], case_id: str) -> tuple[dict[str, Any], int]:
    """Make a form: what is given over what the record fills in. An incomplete one is kept too, and says what lacks."""
    node, actor = services(), present()
    with node.database.writing() as connection:
        found = service.case_of(connection, case_id, reach().party_gln)
        if found.kind != INVESTIGATION:
            raise Invalid(
                "form3911.case", "A partner's notification has no form", "", "Open one of your own."
            )
        begun = forms.begun(connection, found, FormKind(asked["kind"]), actor)
        made = Form3911.parse({**json.loads(begun.as_json()), **asked})
        form_id = forms.keep(connection, node.clock, actor, found, made)
    return _form(form_id, made), 201


@blueprint.get("/api/investigations/<case_id>/forms/<form_id>")
def one_form(case_id: str, form_id: str) -> dict[str, Any]:
    """A form as it was made."""
    node, party = services(), reach().party_gln
    with node.database.reading() as connection:
        kept = forms.one(connection, form_id, party)
    if kept.case_id != case_id:
        raise NotFound()
    disclose(
        node.database, node.clock, present(), "investigation.form_view", subject=form_id, whose=party or ""
    )
    return _form(form_id, kept.form)


@blueprint.get("/api/holds")
def holds() -> dict[str, Any]:
    """What the party's desks have set on hold, with it now and in no investigation."""
    node, party = services(), reach().party_gln
    assert party is not None, "the table gives this route to parties alone"
    found = node.holds.listed(party)
    disclose(node.database, node.clock, present(), "quarantine.list", subject="", whose=party)
    return {
        "holds": [
            {"epc": each.epc, "why": each.why, "desk": each.desk.value, "case": each.case_id}
            for each in found
        ]
    }


@blueprint.post("/api/holds/release")
@blueprint.arguments(ReleaseBody)
def release(asked: dict[str, Any]) -> dict[str, Any]:
    """Let packages go; those that are on hold no more are passed over."""
    done = services().holds.release(present(), "\n".join(asked["packages"]), asked["text"])
    return {"released": list(done.epcs), "entry": done.entry or None}


def _form(form_id: str, form: Form3911) -> dict[str, Any]:
    return {"id": form_id, "problems": dict(problems(form)), "content": json.loads(form.as_json())}
