"""The cases of all findings, made what they must be: after custody was made anew, and for what an earlier version made
no case of, or one at another party's desk.

An earlier version gave all findings of one kind in a document to the recipient of the first of them. Those that are
about events to others leave his case here, with their packages, and find their own (docs/decisions/0060).
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, and_, delete, select, update

from app.cases import service as cases
from app.custody import service as custody
from app.events import acts as events
from app.exceptions.models import exception_case
from app.exceptions.rules import KINDS
from app.exceptions.service import NO_ITEM, hold_to, party_of
from app.exceptions.settling import close_itself
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.clock import Clock

_PAGE = 1_000


def hold_all(connection: Connection, clock: Clock) -> None:
    """Make the cases of every event that has findings or cases those that its findings make."""
    after = -(2**63)
    while seqs := _with_work(connection, after):
        _bring_home(connection, clock, seqs)
        hold_to(connection, clock, seqs)
        after = seqs[-1]


def _with_work(connection: Connection, after: int) -> list[int]:
    """The next events, by number, that have findings or cases."""
    found = set(custody.with_findings(connection, after, _PAGE))
    query = select(exception_case.c.seq).where(exception_case.c.seq > after).distinct()
    found.update(connection.execute(query.order_by(exception_case.c.seq).limit(_PAGE)).scalars())
    return sorted(found)[:_PAGE]


def _bring_home(connection: Connection, clock: Clock, seqs: Collection[int]) -> None:
    """Take the findings of these events out of cases that are not of whom they are work of."""
    rows = connection.execute(select(exception_case).where(exception_case.c.seq.in_(seqs))).all()
    ends = events.ends(connection, {row.seq for row in rows})
    there = cases.some(connection, {row.case_id for row in rows})
    known = [row for row in rows if row.kind in KINDS and row.seq in ends]
    rights = {row: party_of(KINDS[row.kind], ends[row.seq]) for row in known}
    glns = partners.glns(connection, set(rights.values()))
    strayed: dict[str, set[int]] = defaultdict(set)
    for row, right in rights.items():
        this = and_(
            exception_case.c.kind == row.kind,
            exception_case.c.seq == row.seq,
            exception_case.c.item_id == row.item_id,
        )
        if row.case_id not in there or there[row.case_id].party_gln != glns[right]:
            strayed[row.case_id].add(row.item_id)
            connection.execute(delete(exception_case).where(this))
        elif row.party_id != right:
            connection.execute(update(exception_case).where(this).values(party_id=right))
    for case_id, items in strayed.items():
        _left(connection, clock, case_id, items - {NO_ITEM})


def _left(connection: Connection, clock: Clock, case_id: str, items: Collection[int]) -> None:
    """What a case has lost: packages that no other finding of it is about; and it closes where nothing of it stands."""
    of_case = exception_case.c.case_id == case_id
    still: set[int] = set()
    for chunk in chunks(sorted(items)):
        query = select(exception_case.c.item_id).where(of_case, exception_case.c.item_id.in_(chunk))
        still.update(connection.execute(query).scalars())
    cases.drop_items(connection, case_id, set(items) - still)
    stands = connection.execute(
        select(exception_case.c.seq).where(of_case, exception_case.c.standing).limit(1)
    )
    if stands.first() is None and case_id in cases.some(connection, [case_id]):
        close_itself(connection, clock, case_id)
