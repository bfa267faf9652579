"""What open work stands in a package's way: whatever is at a desk is not used, sold or shipped meanwhile.

An exception is clerical, and still blocks further transactions of its units until it is settled (domain reference,
section 5); so does an investigation. Everybody who is about to move a package asks here, so that all get one answer::

    for number, found in blocking(connection, numbers, GLN).items():
        found[0].title, found[0].desk          # "Lot on the label differs", Desk.EXCEPTIONS
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.cases.models import desk_case, desk_case_item
from app.cases.rules import Desk
from app.cases.service import within
from app.shared.chunks import chunks
from app.shared.rows import among

DESKS = (Desk.EXCEPTIONS, Desk.INVESTIGATIONS)


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
    connection: Connection, numbers: Iterable[int], party_gln: str | None
) -> dict[int, list[Blocking]]:
    """The open cases of this party (None: of all) that have these items, by item number; exceptions first."""
    found: dict[int, list[Blocking]] = {}
    columns = (desk_case_item.c.item_id, desk_case.c.case_id, desk_case.c.desk, desk_case.c.title)
    for chunk in chunks(sorted(set(numbers))):
        query = (
            select(*columns)
            .join(desk_case, desk_case.c.case_id == desk_case_item.c.case_id)
            .where(among(connection, desk_case_item.c.item_id, chunk))
            .where(desk_case.c.desk.in_([desk.value for desk in DESKS]), desk_case.c.closed_at.is_(None))
            .where(within(connection, party_gln))
            .order_by(desk_case.c.desk, desk_case.c.case_id)
        )
        for number, case_id, desk, title in connection.execute(query):
            found.setdefault(number, []).append(Blocking(case_id, Desk(desk), title))
    return found
