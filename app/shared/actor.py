"""Who acts: one frozen value for a person with a session, a bearer of a token, a command line, or nobody.

It is resolved in one place (`app.web.actor`) and handed to every use case, which writes it into the audit trail::

    Actor(kind="person", id="usr_...", name="mia", role=Role.PHARMACIST, party_gln="0614141000012")
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to this node. The table in `app.web.permissions` says what each may do."""

    OPERATOR = "operator"
    WAREHOUSE = "warehouse"
    PHARMACIST = "pharmacist"
    QUALITY = "quality"
    MANUFACTURER = "manufacturer"
    INSPECTOR = "inspector"
    PARTNER_SYSTEM = "partner_system"
    DEVICE = "device"
    ANYONE = "anyone"


# Those of no company: the one runs the node, the other watches all who use it.
PARTYLESS = frozenset({Role.OPERATOR, Role.INSPECTOR})
PEOPLE = frozenset(
    {Role.OPERATOR, Role.WAREHOUSE, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER, Role.INSPECTOR}
)
# What a bearer token may speak as.
BEARERS = frozenset({Role.PARTNER_SYSTEM, Role.DEVICE, Role.INSPECTOR})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `kind` is person, token, key (a signature), command or anonymous.

    `party_gln` is None where they act for no party.

    `address` and `request_id` say from where: they go with the actor so that the audit trail has them everywhere.
    """

    kind: str
    id: str
    name: str
    role: Role
    party_gln: str | None = None
    session_id: str | None = None
    scopes: frozenset[str] = frozenset()
    address: str = ""
    request_id: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"

    @property
    def for_ever(self) -> str:
        """Its id where that is committed to and stays: a system's account is often a person's name, which the audit
        trail alone keeps."""
        return SHELL if self.kind == "command" else self.id


ANONYMOUS = Actor(kind="anonymous", id="", name="", role=Role.ANYONE)


SHELL = "operator"
"""What stands for whoever has a shell on the node's machine where it is written for ever: a role, nobody's name."""


def command_line(name: str) -> Actor:
    """Whoever has a shell on the node's machine: they act as its operator, under the system's account name."""
    return Actor(kind="command", id=f"os:{name}", name=name, role=Role.OPERATOR)
