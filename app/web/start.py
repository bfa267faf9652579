"""The start page: what to do first, by role."""

from flask import Blueprint, render_template

from app.shared.actor import Role
from app.web.actor import present
from app.web.layout import links

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
    return render_template("start.html", links=links(actor), heading=heading, lead=lead, commands=commands)
