"""How much waits at a company's desks, for its start page: one query, whose cost does not grow with what lies there.

    of_desks(connection, "0399999000017", [Desk.EXCEPTIONS, Desk.REGULATOR])
    {Desk.REGULATOR: Waiting(count=1, due_at=...)}

A desk where nothing is open is not in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, literal, select, union_all

from app.cases.models import desk_case
from app.cases.rules import Desk, span
from app.partners import service as partners

MOST_COUNTED = 1_000  # open cases of one desk
# Whose clock is told beside the number: the law's, of whom somebody outside waits for an answer. Few are open at once.
CLOCKED = frozenset({Desk.REGULATOR})


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases of one desk: how many, up to one beyond `MOST_COUNTED`, and the nearest clock if told."""

    count: int
    due_at: datetime | None = None

    def said(self, now: datetime) -> str:
        """'3 open', '1 open, due in 21 hours', '2 open, the first overdue by 3 hours'."""
        count = f"{self.count:,} open" if self.count <= MOST_COUNTED else f"more than {MOST_COUNTED:,} open"
        if self.due_at is None:
            return count
        first = "the first " if self.count > 1 else ""
        left = self.due_at - now
        clock = f"overdue by {span(-left)}" if self.is_overdue(now) else f"due in {span(left)}"
        return f"{count}, {first}{clock}"

    def is_overdue(self, now: datetime) -> bool:
        """Whether the nearest clock has run out."""
        return self.due_at is not None and self.due_at - now < timedelta(0)


def of_desks(connection: Connection, party_gln: str, desks: Iterable[Desk]) -> dict[Desk, Waiting]:
    """What is open at these desks of a company; one that is not known has nothing open."""
    party = partners.by_gln(connection, party_gln)
    asked = list(desks)
    if party is None or not asked:
        return {}
    parts = []
    for desk in asked:
        some = (
            select(desk_case.c.due_at)
            .where(desk_case.c.party_id == party.party_id, desk_case.c.desk == desk.value)
            .where(desk_case.c.closed_at.is_(None))
        )
        if desk in CLOCKED:
            some = some.order_by(desk_case.c.due_at.is_(None), desk_case.c.due_at)
        few = some.limit(MOST_COUNTED + 1).subquery()
        parts.append(select(literal(desk.value), func.count(), func.min(few.c.due_at)).select_from(few))
    return {
        Desk(desk): Waiting(count, due_at if Desk(desk) in CLOCKED else None)
        for desk, count, due_at in connection.execute(union_all(*parts))
        if count
    }
