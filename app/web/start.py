"""The start page: what to do first, by role, and how much of it waits."""

from collections.abc import Mapping

from flask import Blueprint, render_template

from app.cases import waiting
from app.cases.rules import Desk
from app.cases.waiting import Waiting
from app.shared.actor import Actor, Role
from app.web.actor import present
from app.web.layout import Link, links
from app.wiring import services

blueprint = Blueprint("start", __name__)

# role -> heading, lead
WELCOME: dict[Role, tuple[str, str]] = {
    Role.WAREHOUSE: (
        "What is on the dock?",
        "Scan what arrives before it is put away: one scan of a pallet's label tells of all that is packed in it.",
    ),
    Role.PHARMACIST: (
        "Which pack is in your hand?",
        "Check it first. When it is OK, dispense it: that closes its serial, and a copy of it will be noticed.",
    ),
    Role.QUALITY: (
        "What does not fit?",
        "Work by the clock: what is due first stands first. Most of it is late or wrong data, not a false pack.",
    ),
    Role.MANUFACTURER: (
        "How are your products doing?",
        "Look up a package you made, and answer what others report about it.",
    ),
    Role.INSPECTOR: (
        "What do you want to see proven?",
        "Find a product, read its timeline, and take evidence that you can check without this node.",
    ),
    Role.OPERATOR: (
        "This node is yours to run",
        "You look after people, tokens and the database. What its users trade is theirs, and is not shown to you.",
    ),
}

# The places that are a desk's queue: how many cases are open there stands beside them.
DESKS: dict[str, Desk] = {
    "exceptions.queue_page": Desk.EXCEPTIONS,
    "investigations.queue_page": Desk.INVESTIGATIONS,
    "returns.queue_page": Desk.RETURNS,
    "recalls.queue_page": Desk.RECALLS,
    "overrides.queue_page": Desk.OVERRIDES,
    "requests.queue_page": Desk.REGULATOR,
}

COMMANDS = (
    ("packproof user add NAME --role ROLE --gln GLN", "Let somebody in. It asks for their first password."),
    ("packproof user list", "Who has an account, and until when."),
    ("packproof user disable NAME", "Close an account; its sessions end at once."),
    ("packproof token GLN", "A bearer token for a partner's system, shown once."),
    ("packproof db current", "Whether the database's schema fits this version."),
)


@blueprint.get("/")
def start_page() -> str:
    actor = present()
    heading, lead = WELCOME[actor.role]
    commands = COMMANDS if actor.role is Role.OPERATOR else ()
    now = services().clock.now()
    tiles = [
        (link, found.said(now) if found else "", found is not None and found.is_overdue(now))
        for link, found in _waiting(actor)
    ]
    return render_template("start.html", tiles=tiles, heading=heading, lead=lead, commands=commands)


def _waiting(actor: Actor) -> list[tuple[Link, Waiting | None]]:
    """The places of a reader, with what is open at their company's desks."""
    places = links(actor)
    desks = [DESKS[link.place.endpoint] for link in places if link.place.endpoint in DESKS]
    open_at: Mapping[Desk, Waiting] = {}
    if actor.party_gln is not None and desks:
        with services().database.reading() as connection:
            open_at = waiting.of_desks(connection, actor.party_gln, desks)
    told = [
        (link, open_at.get(DESKS[link.place.endpoint]) if link.place.endpoint in DESKS else None)
        for link in places
    ]
    # What an authority waits for by a clock is not looked for among a dozen places: it stands behind the first.
    return told[:1] + sorted(told[1:], key=lambda each: each[1] is None or each[1].due_at is None)
