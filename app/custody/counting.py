"""Which events count: `event.effective`, kept as the rules of custody decide it.

What capture itself kept from having an effect (a finding that lasts) never counts. Of what may count, an event that
tells again what another one tells does not; which of them that is follows from the events alone, so it is projected
like everything else, and turns when one of them is taken back (`ledger.custody.order`).
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, or_, select, update

from app.custody.models import finding
from app.events.models import event
from app.shared.chunks import chunks
from ledger.custody.order import TOLD_AGAIN

PROJECTED: ColumnElement[bool] = or_(finding.c.lasting.is_(False), finding.c.code == TOLD_AGAIN.code.value)
"""The findings that follow from the events. Earlier versions wrote the one of equal content as capture's own."""

MAY_COUNT: ColumnElement[bool] = ~exists().where(
    and_(finding.c.seq == event.c.seq, finding.c.lasting, finding.c.code != TOLD_AGAIN.code.value)
)
"""Whether capture found nothing that keeps an event from having an effect."""

_wrong = event.alias("wrong")


def declared_wrong(told: FromClause = event) -> ColumnElement[bool]:
    """Whether its own party has declared this event (of the table, or an alias of it) wrong."""
    return exists().where(
        _wrong.c.by_id == told.c.by_id, _wrong.c.event_id == told.c.event_id, _wrong.c.declared_at != 0
    )


def stands(told: FromClause = event) -> ColumnElement[bool]:
    """Whether an event has an effect, is itself no declaration, and was not declared wrong."""
    return and_(told.c.effective, told.c.declared_at == 0, ~declared_wrong(told))


def may_count(connection: Connection, seqs: Iterable[int]) -> set[int]:
    """Those of the events with these numbers that capture lets have an effect."""
    found: set[int] = set()
    for chunk in chunks(sorted(set(seqs))):
        query = select(event.c.seq).where(event.c.seq.in_(chunk), MAY_COUNT)
        found.update(connection.execute(query).scalars())
    return found


def mark(connection: Connection, seqs: Iterable[int], again: Iterable[int]) -> None:
    """Write of these events, all of which may count, that those in `again` do not and the others do. What is declared
    wrong is none of `again`: it is its declaration that takes it out."""
    repeats = set(again)
    for values, effective in ((set(seqs) - repeats, True), (repeats, False)):
        for chunk in chunks(sorted(values)):
            query = update(event).where(event.c.seq.in_(chunk), event.c.effective.is_(not effective))
            connection.execute(query.values(effective=effective))
