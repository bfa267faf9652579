"""What was told before its time, and has no effect until somebody adopts it: the finding that capture made says so.

    waiting(connection, party_id, 500)              what a party's people are shown
    overdue(connection, party_id, before, 500)      what has waited too long, by entry
    adopted_late(connection, seqs)                  those of these events that were adopted very late (D19)

An event of the future counts from when it is adopted. How late that is, is how late it was told: until then nobody was
warned by it of anything (`ledger.custody.asked`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, and_, bindparam, delete, func, select, type_coerce

from app.custody import counting
from app.custody.models import finding
from app.events.adoption import adopting
from app.events.models import document, endorsement, event
from app.shared.chunks import chunks
from ledger.custody.asked import LATE_DAYS
from ledger.custody.findings import Finding, FindingCode
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.tables import ledger_origin

OVERDUE = timedelta(days=2)
"""How long after its time an event may wait before that is work for somebody: everybody goes by a record without it."""

_IS_AHEAD = finding.c.code == FindingCode.FUTURE_EVENT.value
_WAITING = select(finding.c.seq).where(_IS_AHEAD, finding.c.lasting).order_by(finding.c.seq)
_LATE_US = timedelta(days=LATE_DAYS) // timedelta(microseconds=1)
_NOT_WRONG = ~counting.declared_wrong()
_STILL = event.join(finding, and_(finding.c.seq == event.c.seq, _IS_AHEAD, finding.c.lasting))

_AFTER = type_coerce(document.c.received_at, BigInteger) - type_coerce(event.c.event_time, BigInteger)
_TOLD_AGAIN_LATE = (
    select(event.c.seq)
    .join(endorsement, endorsement.c.seq == event.c.seq)
    .join(document, document.c.idx == endorsement.c.idx)
    .where(event.c.seq.in_(bindparam("seqs", expanding=True)), _AFTER > _LATE_US)
    .distinct()
)
_HAPPENED = select(event.c.seq, event.c.event_time)
_RECEIVED = select(document.c.idx, document.c.received_at)


@dataclass(frozen=True, slots=True)
class Overdue:
    """An entry of which `events` were told before their time and wait: who told them, and when the first happens."""

    index: int
    by_id: int
    events: int
    happens_at: datetime


def told_ahead(connection: Connection, seqs: list[int]) -> list[int]:
    """Those of these events, by number, that were told before their time and are not adopted."""
    found: list[int] = []
    for chunk in chunks(sorted(set(seqs))):
        found += connection.execute(_WAITING.where(finding.c.seq.in_(chunk))).scalars()
    return found


def waiting(connection: Connection, party_id: int, most: int) -> list[int]:
    """What a party told before its time and nobody has adopted or declared wrong, by number, the earliest first; at
    most `most`."""
    query = select(event.c.seq).select_from(_STILL).where(_NOT_WRONG, event.c.by_id == party_id)
    return list(connection.execute(query.order_by(event.c.event_time, event.c.seq).limit(most)).scalars())


def overdue(
    connection: Connection, party_id: int | None, before: datetime, most: int, after: int = -1
) -> list[Overdue]:
    """The entries of a party (None: of everybody) above `after` of which something waits that happened at or before
    `before`, in the ledger's order; at most `most`."""
    query = select(event.c.idx, event.c.by_id, func.count(), func.min(event.c.event_time)).select_from(_STILL)
    query = query.where(_NOT_WRONG, event.c.event_time <= before, event.c.idx > after)
    query = query.group_by(event.c.idx, event.c.by_id)
    if party_id is not None:
        query = query.where(event.c.by_id == party_id)
    return [Overdue(*row) for row in connection.execute(query.order_by(event.c.idx).limit(most))]


def still_waiting(connection: Connection, indexes: Collection[int]) -> set[int]:
    """Those of these entries of which anything waits."""
    found: set[int] = set()
    for chunk in chunks(sorted(indexes)):
        query = select(event.c.idx).select_from(_STILL).where(_NOT_WRONG, event.c.idx.in_(chunk)).distinct()
        found.update(connection.execute(query).scalars())
    return found


def adopted_late(connection: Connection, seqs: Sequence[int]) -> dict[int, Finding]:
    """Those of these events, all told before their time, that were adopted very late after it."""
    late: list[int] = []
    for chunk in chunks(seqs):
        late += connection.execute(_TOLD_AGAIN_LATE, {"seqs": chunk}).scalars()
    if not late:
        return {}
    # Which of the later entries adopts it, only the entries say; a node has one ledger.
    reader = SqlReader(connection, connection.execute(select(ledger_origin.c.origin)).scalar_one())
    entries = adopting(connection, reader, late)
    found: dict[int, Finding] = {}
    for chunk in chunks(sorted(entries.items())):
        happened = dict(connection.execute(_HAPPENED.where(event.c.seq.in_([seq for seq, _ in chunk]))).all())
        received = dict(connection.execute(_RECEIVED.where(document.c.idx.in_([i for _, i in chunk]))).all())
        for seq, index in chunk:
            if index not in received:  # somebody has taken the document's row away: fsck names it
                continue
            age = received[index] - happened[seq]
            if age > timedelta(days=LATE_DAYS):
                said = f"told before its time, and adopted {age.days} days after it happened"
                found[seq] = Finding(FindingCode.TOLD_LATE, said)
    return found


def let_in(connection: Connection, seq: int) -> bool:
    """Take away what keeps an adopted event out; whether it counts now: something else may keep it out. It is to be
    projected then."""
    connection.execute(delete(finding).where(finding.c.seq == seq, _IS_AHEAD))
    if seq not in counting.may_count(connection, [seq]):
        return False
    counting.mark(connection, [seq], ())
    return True
