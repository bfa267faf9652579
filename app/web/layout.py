"""What the frame of every page needs: who is signed in, where they may go, and what exists.

`PLACES` is the one list of places; the navigation and the start page show those whose route is registered and whose
row in the table admits the reader. A feature that comes later appears by itself.
"""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from app.partners import service as partners
from app.shared.actor import Actor, Role
from app.web.access import permitted
from app.web.actor import nobody
from app.wiring import services


@dataclass(frozen=True, slots=True)
class Place:
    """A place people go to: its route, its name, what one does there, and the icon of its card."""

    endpoint: str
    name: str
    purpose: str
    icon: str
    makers: bool = False  # of use to companies alone that make something


MAKERS = frozenset({"maker", "repackager", "unknown"})  # kinds of parties (app.partners.rules)

PLACES = (
    Place("verification.scan_page", "Scan", "Check a pack: type, use a handheld, or drop a picture.", "scan"),
    Place("verification.dispense", "Dispense", "Hand a pack to a patient and close its serial.", "dispense"),
    Place("verification.waiting_page", "Waiting", "Packs set aside until their data comes.", "clock"),
    Place(
        "verifications.maker_page",
        "Verifications",
        "Who asks about your products, and what does not match.",
        "answers",
        makers=True,
    ),
    Place("receiving.list_page", "Receive", "Receive a delivery: expected against seen.", "receive"),
    Place("exceptions.queue_page", "Exceptions", "What does not fit yet, by its clock.", "exceptions"),
    Place("investigations.queue_page", "Quarantine", "Suspect product, set apart until cleared.", "alert"),
    Place("returns.queue_page", "Returns", "Match, verify, and put back or set apart.", "receive"),
    Place("recalls.queue_page", "Recalls", "What is called back, and what affects you.", "recall"),
    Place("overrides.queue_page", "Overrides", "Given out over a verdict: follow each up.", "key"),
    Place(
        "inventory.stock_page", "What we have", "By product, lot and expiry: here and on its way.", "package"
    ),
    Place("shipping.ship_page", "Ship", "What leaves: checked whole, then recorded.", "truck"),
    Place("sales.list_page", "Transactions", "What was sold and bought, to print and to take away.", "paper"),
    Place("history.package_page", "Packages", "One package: where it has been, with proof.", "package"),
    Place("ahead.list_page", "Before their time", "Events of the future: adopt what was right.", "clock"),
    Place("requests.queue_page", "Requests", "What authorities ask for, by its clock.", "inspect"),
    Place("regulator.requests_page", "Requests", "Ask a company for its records.", "exceptions"),
    Place("regulator.wide_search_page", "Records", "Search by lot, company and time.", "package"),
    Place(
        "regulator.search_page", "Inspect", "Find a product, read its timeline, take the evidence.", "inspect"
    ),
)

# The order in which a role needs them; the first is the one big thing on its start page.
FIRST: dict[Role, tuple[str, ...]] = {
    Role.WAREHOUSE: (
        "verification.scan_page",
        "receiving.list_page",
        "inventory.stock_page",
        "shipping.ship_page",
        "exceptions.queue_page",
        "returns.queue_page",
        "sales.list_page",
        "history.package_page",
    ),
    Role.PHARMACIST: (
        "verification.scan_page",
        "verification.dispense",
        "verification.waiting_page",
        "receiving.list_page",
        "inventory.stock_page",
        "recalls.queue_page",
        "exceptions.queue_page",
    ),
    Role.QUALITY: (
        "exceptions.queue_page",
        "investigations.queue_page",
        "recalls.queue_page",
        "overrides.queue_page",
        "history.package_page",
        "verification.scan_page",
    ),
    Role.MANUFACTURER: (
        "history.package_page",
        "verifications.maker_page",
        "recalls.queue_page",
        "exceptions.queue_page",
    ),
    Role.INSPECTOR: (
        "regulator.search_page",
        "regulator.wide_search_page",
        "regulator.requests_page",
        "history.package_page",
    ),
    Role.OPERATOR: (),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A `Place` that exists and is open to the reader."""

    place: Place
    href: str
    here: bool


def links(actor: Actor) -> list[Link]:
    """The places open to `actor`, those their role needs first at the front."""
    order = FIRST.get(actor.role, ())
    rank = {endpoint: position for position, endpoint in enumerate(order)}
    makes = _makes(actor)
    useful = (place for place in PLACES if makes or not place.makers)
    places = sorted(useful, key=lambda place: rank.get(place.endpoint, len(rank)))
    return [
        Link(place, url_for(place.endpoint), request.endpoint == place.endpoint)
        for place in places
        if place.endpoint in current_app.view_functions and permitted(actor, place.endpoint)
    ]


def _makes(actor: Actor) -> bool:
    """Whether the reader's company makes something, so that others ask about it: quality people work at all kinds."""
    if actor.role is not Role.QUALITY or actor.party_gln is None:
        return True
    try:
        with services().database.reading() as connection:
            party = partners.by_gln(connection, actor.party_gln)
    except SQLAlchemyError:
        return True  # the page around a failure is made where there is no database too
    return party is None or party.kind in MAKERS


def init(app: Flask) -> None:
    """Give every template of `app` the reader and the navigation."""

    @app.context_processor
    def _frame() -> dict[str, Any]:
        actor = g.get("actor") or nobody()
        return {"actor": actor, "nav": [] if actor.is_anonymous else links(actor)}
