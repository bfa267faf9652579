"""What open work stands in a package's way: whatever is at a desk is not used, sold or shipped meanwhile.

An exception is clerical, and still blocks further transactions of its units until it is settled (domain reference,
section 5); so does an investigation. Everybody who is about to move a package asks here, so that all get one answer::

    for number, found in blocking(connection, numbers, GLN, lots={lot: [package]}, arrived=arrived).items():
        found[0].title, found[0].desk          # "Lot on the label differs", Desk.EXCEPTIONS

A partner's notification of illegitimate product stops what it names: packages, or whole lots where it names these. Who
answers it has dealt with what was on hand; what is *later received* of it is stopped until the notification is
terminated (FD&C Act 582(b)(4)(B)(iii), (c)(4)(B)(iii), (d)(4)(B)(iii)).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, or_, select

from app.cases.models import desk_case, desk_case_item
from app.cases.rules import Desk
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.rows import Among

DESKS = (Desk.EXCEPTIONS, Desk.INVESTIGATIONS)
NOTIFICATION, ANSWERED = "notification", "answered"
_ANSWERED = and_(desk_case.c.kind == NOTIFICATION, desk_case.c.state == ANSWERED)
_STOPPING = (
    select(
        desk_case_item.c.item_id,
        desk_case.c.case_id,
        desk_case.c.desk,
        desk_case.c.title,
        desk_case.c.closed_at,
    )
    .join(desk_case, desk_case.c.case_id == desk_case_item.c.case_id)
    .where(desk_case.c.desk.in_([desk.value for desk in DESKS]))
    .where(or_(desk_case.c.closed_at.is_(None), _ANSWERED))
    .order_by(desk_case.c.desk, desk_case.c.case_id)
)
_ANYBODYS = Among(_STOPPING, desk_case_item.c.item_id)
_ITS_OWN = Among(_STOPPING.where(desk_case.c.party_id == bindparam("party")), desk_case_item.c.item_id)
Arrived = Callable[[Sequence[int]], Mapping[int, datetime]]
"""When each of these items, by number, came to who has it now; those under way are left out."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """An open case about a package, or about a container around it."""

    case_id: str
    desk: Desk
    title: str

    @property
    def what(self) -> str:
        return "an open exception" if self.desk is Desk.EXCEPTIONS else "an open investigation"


def blocking(
    connection: Connection,
    numbers: Iterable[int],
    party_gln: str | None,
    *,
    lots: Mapping[int, Sequence[int]],
    arrived: Arrived,
) -> dict[int, list[Blocking]]:
    """What stops these items at this party (None: at all), by item number; exceptions first. `lots`: which of them are
    of which lot, by its number: an exception about a lot stops no package of it."""
    found: dict[int, list[Blocking]] = {}
    answered: list[tuple[int, datetime, Blocking]] = []
    owner = partners.by_gln(connection, party_gln) if party_gln is not None else None
    for chunk in chunks(sorted({*numbers, *lots})):
        if party_gln is None:
            rows = _ANYBODYS.rows(connection, chunk)
        else:
            rows = _ITS_OWN.rows(connection, chunk, party=owner.party_id if owner else -1)
        for number, case_id, desk, title, closed_at in rows:
            if number in lots and desk != Desk.INVESTIGATIONS:
                continue
            for each in lots.get(number, (number,)):
                case = Blocking(case_id, Desk(desk), title)
                if closed_at is None:
                    found.setdefault(each, []).append(case)
                else:
                    answered.append((each, closed_at, case))
    came = arrived(sorted({number for number, _, _ in answered})) if answered else {}
    for number, answered_at, case in answered:
        if number not in came or came[number] > answered_at:
            found.setdefault(number, []).append(case)
    return found
