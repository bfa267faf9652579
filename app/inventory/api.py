"""What a company has, for its own systems.

GET /api/inventory[?gtin=...&lot=...&show=recalled&limit=100&after=...]                        scope query

    {"at": "...", "totals": {"here": 123, ...}, "lines": [{"gtin": "...", "lot": "LOT42", "here": 120, ...}], "next": 9}
"""

from typing import Any

from flask_smorest import Blueprint

from app.inventory.rules import Asked
from app.inventory.schemas import StockQuery, shown
from app.inventory.service import Stock, stock
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("inventory_api", __name__, description="What a company has, by product, lot and expiry")


@blueprint.get("/api/inventory")
@blueprint.arguments(StockQuery, location="query")
def listing(asked: dict[str, Any]) -> dict[str, Any]:
    """What the caller's party has and what is on its way to it, counted by product, lot and expiry."""
    found = looked(Asked.parse(asked["gtin"], asked["lot"], asked["show"]))
    return shown(found, asked["after"], asked["limit"])


def looked(asked: Asked, how: str = "") -> Stock:
    """What the reader's party has; the audit trail says who looked. For the page of people too."""
    node, gln = services(), reach().party_gln or ""
    found = stock(node.database, node.clock, gln, asked)
    disclose(
        node.database,
        node.clock,
        present(),
        "inventory.view",
        subject=str(asked),
        whose=gln,
        outcome=Outcome.SHOWN if found.lines else Outcome.NOTHING,
        detail=how,
    )
    return found
