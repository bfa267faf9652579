"""The command to ship, for programs.

    POST /shipments     packages and containers, to whom, why     scope capture

A sale that was shipped is at ``/transactions/{id}``.
"""

from typing import Any

from flask import url_for
from flask_smorest import Blueprint

from app.shipping.rules import Purpose
from app.shipping.schemas import ShipAnswer, ShipArguments
from app.shipping.values import ShipRequest
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("shipments", __name__, description="The command to ship")


@blueprint.post("/shipments")
@blueprint.arguments(ShipArguments)
@blueprint.response(201, ShipAnswer)
def ship(asked: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ship packages and containers. 409 `ship.refused` with `problems`, each with its count and first examples."""
    wanted = ShipRequest(
        codes=tuple(asked["codes"]),
        customer=asked["customer"],
        purpose=Purpose(asked["purpose"]),
        deliver_to=asked["deliver_to"],
        order=asked["order"],
        notice=asked["notice"],
        transaction_date=asked["transaction_date"],
        affirmed=asked["affirmed"],
    )
    done = services().shipping.ship(wanted, present(), channel="rest")
    answer = {
        "index": done.index,
        "event_id": done.plan.event.id,
        "packages": done.plan.packages,
        "transaction": done.transaction_id,
    }
    place = {}
    if done.transaction_id is not None:
        place["Location"] = url_for("transactions.one", transaction_id=done.transaction_id)
    return answer, 201, place
