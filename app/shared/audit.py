"""The audit trail: who saw what, whose it was, and who was refused, from the first day.

Append-only: a trigger refuses UPDATE and DELETE. A row that belongs to a change is written in that change's transaction
(`record`); a disclosure, which changes nothing else, opens one of its own (`disclose`) before the answer is sent, so
that nothing is shown that is not written down::

    with database.writing() as connection:
        ...
        record(connection, clock, actor, "recall.open", subject="01...10...", whose="0614141000012")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, Index, Table, Text, func, insert, select

from app.shared.actor import Actor
from app.shared.clock import Clock
from ledger.store.sql.engine import Database
from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

LONGEST_TEXT = 500

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("audit_id", BigId, primary_key=True, autoincrement=True),
    Column("at", UtcMicros, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("actor_party", Text),
    Column("session_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("whose", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Index("ix_audit_trail_at", "at"),
    Index("ix_audit_trail_actor_id_at", "actor_id", "at"),
    Index("ix_audit_trail_subject_at", "subject", "at"),
)


class Outcome(StrEnum):
    """How it ended. `nothing` is a search that found nothing: it proves what was not there."""

    DONE = "done"
    SHOWN = "shown"
    NOTHING = "nothing"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the trail."""

    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_role: str
    actor_party: str | None
    session_id: str | None
    action: str
    subject: str
    whose: str
    outcome: str
    detail: str
    address: str
    request_id: str


def record(
    connection: Connection,
    clock: Clock,
    actor: Actor,
    action: str,
    *,
    outcome: Outcome = Outcome.DONE,
    subject: str = "",
    whose: str = "",
    detail: str = "",
) -> None:
    """Append one row in the caller's transaction.

    `action` is a stable dotted code (``package.view``), `subject` what it was done to, `whose` the GLN of the party
    whose data it is. Text from outside is cut to 500 characters. Never pass a secret.
    """
    record_each(connection, clock, actor, action, [subject], outcome=outcome, whose=whose, detail=detail)


def record_each(
    connection: Connection,
    clock: Clock,
    actor: Actor,
    action: str,
    subjects: Sequence[str],
    *,
    outcome: Outcome = Outcome.DONE,
    whose: str = "",
    detail: str = "",
) -> None:
    """Append a row for each of `subjects`, of what was done to all of them at once."""
    row = {
        "at": clock.now(),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": _bounded(actor.name),
        "actor_role": actor.role.value,
        "actor_party": actor.party_gln,
        "session_id": actor.session_id,
        "action": action,
        "whose": _bounded(whose),
        "outcome": outcome.value,
        "detail": _bounded(detail),
        "address": actor.address,
        "request_id": actor.request_id,
    }
    if subjects:
        connection.execute(insert(audit_trail), [{**row, "subject": _bounded(each)} for each in subjects])


def disclose(
    database: Database,
    clock: Clock,
    actor: Actor,
    action: str,
    *,
    subject: str,
    whose: str = "",
    outcome: Outcome = Outcome.SHOWN,
    detail: str = "",
) -> None:
    """Append one row in a transaction of its own: for showing, refusing and finding nothing."""
    with database.writing() as connection:
        record(connection, clock, actor, action, outcome=outcome, subject=subject, whose=whose, detail=detail)


def entries(
    connection: Connection, *, subject: str | None = None, action: str | None = None, limit: int = 100
) -> Sequence[AuditEntry]:
    """The newest rows first, of one `subject` or `action` where given; at most `limit`."""
    columns = [column for column in audit_trail.c if column.name != "audit_id"]
    query = select(*columns).order_by(audit_trail.c.audit_id.desc()).limit(limit)
    if subject is not None:
        query = query.where(audit_trail.c.subject == subject)
    if action is not None:
        query = query.where(audit_trail.c.action == action)
    return [AuditEntry(*row) for row in connection.execute(query)]


def times(connection: Connection, actor_id: str, action: str, since: datetime, most: int) -> int:
    """How often an account has done this since then; counted up to `most`."""
    done = select(audit_trail.c.audit_id).where(
        audit_trail.c.actor_id == actor_id,
        audit_trail.c.at > since,
        audit_trail.c.action == action,
        audit_trail.c.outcome == Outcome.DONE.value,
    )
    return connection.execute(select(func.count()).select_from(done.limit(most).subquery())).scalar_one()


def _bounded(value: str) -> str:
    # PostgreSQL text takes no NUL.
    cleaned = value.replace("\x00", "�")
    return cleaned if len(cleaned) <= LONGEST_TEXT else cleaned[: LONGEST_TEXT - 1] + "…"
