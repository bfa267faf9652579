"""Which cases of a desk somebody asks for: a queue's filter, as conditions of one query.

    Choice(owner_id=actor.id, partner_gln="0399999000017")     what I have taken, with this partner
    Choice(partner_gln=NOBODY)                                 what is with no partner

What is left out does not choose. A desk's page and its interface read the same words into it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection

from app.cases.models import desk_case
from app.partners import service as partners

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """`owner_id`: the account that has taken them; `partner_gln`: whom they are with, or `NOBODY`; `kinds` and
    `root_cause` are words of the desk, the latter of closed cases alone."""

    owner_id: str | None = None
    partner_gln: str | None = None
    kinds: tuple[str, ...] | None = None
    root_cause: str | None = None

    def where(self, connection: Connection) -> Iterator[ColumnElement[bool]]:
        """The conditions of a query of `desk_case`."""
        if self.owner_id is not None:
            yield desk_case.c.owner_id == self.owner_id
        if self.partner_gln == NOBODY:
            yield desk_case.c.partner_id.is_(None)
        elif self.partner_gln is not None:
            party = partners.by_gln(connection, self.partner_gln)
            yield desk_case.c.partner_id == (party.party_id if party else -1)
        if self.kinds is not None:
            yield desk_case.c.kind.in_(self.kinds)
        if self.root_cause is not None:
            yield desk_case.c.root_cause == self.root_cause
