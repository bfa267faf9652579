"""Packs that were set aside because they could not be confirmed: judged again by themselves when data has come.

A scan that says CANNOT CONFIRM YET puts the pack on its party's list, with whom to chase and by when. Whoever looks at
the list sees each pack as it stands now: what arrived since is taken into account before anything is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from app.custody.standing import newest
from app.errors import NotFound
from app.shared.clock import Clock
from app.verification.models import set_aside
from app.verification.rules import Chase
from ledger.custody.verdict import Reason, Verdict, Word
from ledger.store.sql.engine import Database

MOST_SHOWN = 200

Judge = Callable[[Connection, bytes, str | None, str], Verdict]
"""(connection, raw scan, symbology, asker's GLN): the verdict as of now."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pack that was set aside, as it stands now. `cleared_at`: since when it is known to be OK."""

    check_id: str
    subject: str
    set_at: datetime
    chase: str
    due_at: datetime
    word: Word
    reason: Reason
    cleared_at: datetime | None


def keep(
    connection: Connection,
    *,
    check_id: str,
    party: str,
    subject: str,
    raw: bytes,
    symbology: str | None,
    verdict: Verdict,
    chase: Chase,
    at: datetime,
) -> None:
    """Put a pack on its party's list, in the caller's transaction; one that is on it stays as it is."""
    if _open(connection, party, subject) is not None:
        return
    connection.execute(
        insert(set_aside).values(
            check_id=check_id,
            party_gln=party,
            subject=subject,
            raw=raw,
            symbology=symbology,
            set_at=at,
            chase=chase.who,
            due_at=chase.by,
            judged_at=at,
            judged_size=newest(connection),
            word=verdict.word.value,
            reason=verdict.reason.value,
        )
    )


def seen_ok(connection: Connection, party: str, subject: str, at: datetime) -> None:
    """A scan of the pack by its party was OK: it has been put back."""
    check_id = _open(connection, party, subject)
    if check_id is not None:
        connection.execute(update(set_aside).where(set_aside.c.check_id == check_id).values(closed_at=at))


_OPEN = select(set_aside.c.check_id).where(
    set_aside.c.party_gln == bindparam("party"),
    set_aside.c.closed_at.is_(None),
    set_aside.c.subject == bindparam("subject"),
)


def _open(connection: Connection, party: str, subject: str) -> str | None:
    return connection.execute(_OPEN, {"party": party, "subject": subject}).scalar()


def listed(
    database: Database, clock: Clock, party: str, judge: Judge, most_judged: int = MOST_SHOWN
) -> list[Waiting]:
    """The packs that `party` has set aside, those that are OK now first, then by who has to be chased soonest.

    At most `most_judged` are judged again, those first that were not for longest: a page that only counts them must
    not wait for all of them.
    """
    now = clock.now()
    with database.snapshot() as connection:
        size = newest(connection)
        query = (
            select(set_aside)
            .where(set_aside.c.party_gln == party, set_aside.c.closed_at.is_(None))
            .order_by(set_aside.c.due_at, set_aside.c.check_id)
            .limit(MOST_SHOWN)
        )
        rows = connection.execute(query).all()
        stale = sorted((row for row in rows if row.judged_size != size), key=lambda row: row.judged_at)
        judged = {
            row.check_id: judge(connection, row.raw, row.symbology, party) for row in stale[:most_judged]
        }
    if judged:
        with database.writing() as connection:
            for check_id, verdict in judged.items():
                _judged(connection, check_id, verdict, size, now)
            rows = connection.execute(query).all()
    found = [
        Waiting(
            row.check_id,
            row.subject,
            row.set_at,
            row.chase,
            row.due_at,
            Word(row.word),
            Reason(row.reason),
            row.cleared_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.cleared_at is None)


def _judged(connection: Connection, check_id: str, verdict: Verdict, size: int, now: datetime) -> None:
    row = connection.execute(select(set_aside.c.cleared_at).where(set_aside.c.check_id == check_id)).one()
    is_ok = verdict.word is Word.OK
    connection.execute(
        update(set_aside)
        .where(set_aside.c.check_id == check_id)
        .values(
            word=verdict.word.value,
            reason=verdict.reason.value,
            judged_at=now,
            judged_size=size,
            cleared_at=(row.cleared_at or now) if is_ok else None,
        )
    )


def put_away(connection: Connection, clock: Clock, check_id: str, party: str) -> str:
    """Take a pack off the list: somebody has put it back, or dealt with it. Its EPC. Raises `NotFound`."""
    mine = (set_aside.c.check_id == check_id, set_aside.c.party_gln == party)
    subject = connection.execute(select(set_aside.c.subject).where(*mine)).scalar()
    if subject is None:
        raise NotFound()
    connection.execute(
        update(set_aside).where(*mine, set_aside.c.closed_at.is_(None)).values(closed_at=clock.now())
    )
    return str(subject)
