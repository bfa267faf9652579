"""The page 'Ship': scan what leaves, say to whom, see at once all that stands against it, affirm, and ship."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from app.partners.service import Party
from app.shared.audit import Outcome, disclose
from app.shipping.rules import Purpose
from app.shipping.service import NotShipped
from app.shipping.values import Plan, ShipRequest
from app.transactions.rules import shown
from app.transactions.values import AFFIRMATIONS
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("shipping", __name__, template_folder="templates")

LONGEST = {"customer": 13, "deliver_to": 13, "order": 60, "notice": 60, "transaction_date": 10}
MOST_CHARS = 100_000


@blueprint.route("/ship", methods=["GET", "POST"])
def ship_page() -> Response:
    """The form; what would be shipped and what stands against it (`do=check`); or the shipment (`do=ship`)."""
    if request.method == "GET":
        return _page(_asked(), None)
    node, actor, asked = services(), present(), _asked()
    if request.form.get("do") == "ship":
        try:
            done = node.shipping.ship(asked, actor)
        except NotShipped as refused:
            return _page(asked, refused.plan, 409, refused=True)
        return _page(_empty(asked), done.plan, done=done)
    plan = node.shipping.plan(asked, actor)
    disclose(
        node.database,
        node.clock,
        actor,
        "shipment.check",
        subject=", ".join(plan.epcs)[:200],
        whose=reach().party_gln or "",
        outcome=Outcome.SHOWN,
        detail=", ".join(dict.fromkeys(each.code.value for each in plan.obstacles)) or "nothing against it",
    )
    return _page(asked, plan)


def _asked() -> ShipRequest:
    """What the form says; a GET may bring the first code from another page."""
    said = {name: request.values.get(name, "").strip()[:most] for name, most in LONGEST.items()}
    purpose = request.values.get("purpose", "")
    try:
        day = date.fromisoformat(said["transaction_date"])
    except ValueError:
        day = None
    codes = request.values.get("codes", "")[:MOST_CHARS]
    return ShipRequest(
        codes=tuple(line.strip("\r") for line in codes.split("\n") if line.strip()),
        customer=said["customer"],
        purpose=Purpose(purpose) if purpose in Purpose.__members__.values() else Purpose.SALE,
        deliver_to=said["deliver_to"] or None,
        order=said["order"],
        notice=said["notice"],
        transaction_date=day,
        affirmed=request.values.get("affirmed") == "yes",
    )


def _empty(asked: ShipRequest) -> ShipRequest:
    """The next one: to the same customer, nothing scanned, nothing affirmed."""
    return ShipRequest((), asked.customer, asked.purpose, asked.deliver_to)


def _page(asked: ShipRequest, plan: Plan | None, status: int = 200, **more: Any) -> Response:
    node = services()
    own = reach().party_gln or ""
    parties = node.shipping.customers(own)
    page = render_template(
        "shipping/ship.html",
        asked=asked,
        plan=plan,
        customers=_choices(parties, own, node.shipping.own_sites(own)),
        recipients=[("", "to the customer itself"), *_choices(parties, own, [])],
        affirmations=AFFIRMATIONS,
        today=node.clock.now().date().isoformat(),
        shown=shown,
        **{"done": None, "refused": False, **more},
    )
    return make_response(page, status)


def _choices(parties: list[Party], own: str, sites: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kinds = {"3pl": "logistics provider", "maker": "manufacturer"}
    listed = [(p.gln, f"{p.name} ({kinds.get(p.kind, p.kind)})") for p in parties]
    return [*listed, *((gln, f"{name} (your own site)") for gln, name in sites if gln != own)]
