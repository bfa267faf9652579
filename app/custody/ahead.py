"""What was told before its time, and has no effect until somebody adopts it: the finding that capture made says so."""

from sqlalchemy import Connection, delete, select

from app.custody import counting
from app.custody.models import finding
from ledger.custody.findings import FindingCode

_IS_AHEAD = finding.c.code == FindingCode.FUTURE_EVENT.value


def told_ahead(connection: Connection, seqs: list[int] | None = None) -> list[int]:
    """The events, by number, that were told before their time and are not adopted; of `seqs`, where these are given."""
    query = select(finding.c.seq).where(_IS_AHEAD, finding.c.lasting).order_by(finding.c.seq)
    if seqs is not None:
        query = query.where(finding.c.seq.in_(seqs))
    return list(connection.execute(query).scalars())


def let_in(connection: Connection, seq: int) -> bool:
    """Take away what keeps an adopted event out; whether it counts now: something else may keep it out. It is to be
    projected then."""
    connection.execute(delete(finding).where(finding.c.seq == seq, _IS_AHEAD))
    if seq not in counting.may_count(connection, [seq]):
        return False
    counting.mark(connection, [seq], ())
    return True
