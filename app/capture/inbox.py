"""Long documents that wait: the queue, who works on which, how far each is.

::

    waiting ──► applying ──► done          one at a time, in the order in which they came
        └──────► failed                    refused whole: no entry, no event

A row lies outside the ledger until its document's entry stands. Whoever works on one holds a **lease**, renewed by a
heartbeat; a process that was killed stops renewing, and another one goes on. What makes a slice exact is not the lease
but the mark, which only moves from where the slice began.

All functions take the connection of a transaction of the committer, or of a reader.
"""

import json
import secrets
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, update

from app.errors import AppError
from app.events.models import inbox, inbox_event, inbox_name
from app.events.pending import APPLYING

WAITING, DONE, FAILED = "waiting", "done", "failed"
OPEN = (WAITING, APPLYING)
LEASE = timedelta(seconds=30)
MOST_WAITING = 16  # unfinished documents of one party
JOB_BYTES = 16
MOST_TOLD = 5
# What came is not kept here once the document has it, or it was refused: a later erasure would not reach it. The seed
# goes too, with which a value that was erased could be guessed and the guess tested.
FORGOTTEN = {"raw": b"", "intake": "{}", "envelope": None, "seed": None}


@dataclass(frozen=True, slots=True)
class Job:
    """A long document's way in. `index`: its entry, or the one that had the same content first (`known`)."""

    job_no: int
    job_id: str
    by_id: int
    sha256: bytes
    signer: bytes | None
    channel: str
    content_type: str | None
    created_at: datetime
    finished_at: datetime | None
    state: str
    problem: Mapping[str, Any] | None
    index: int | None
    doc_id: int | None
    known: bool
    events: int | None
    mark: int
    lease_by: str | None
    lease_until: datetime | None

    @property
    def running(self) -> bool:
        """Whether it still waits or is being applied."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is put into the inbox: the document as it came, and what was noted or signed with it."""

    by_id: int
    sha256: bytes
    signer: bytes | None
    channel: str
    intake: Mapping[str, str]
    envelope: bytes | None
    seed: bytes | None
    content_type: str | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """The document of a job that waits."""

    raw: bytes
    intake: dict[str, str]
    envelope: bytes | None
    seed: bytes | None


class TooManyWaiting(AppError):
    """A party has as many long documents waiting as it may."""

    def __init__(self) -> None:
        super().__init__(
            "capture.too_many_waiting",
            429,
            "Too many long documents of this party wait to be taken in",
            f"{MOST_WAITING} are the most",
            "Nothing of it was stored. Send it again when one of them is done.",
            headers={"Retry-After": "60"},
        )


_COLUMNS = [column for column in inbox.c if column.name not in ("raw", "intake", "envelope", "seed")]


def _job(row: Row[Any]) -> Job:
    values = dict(row._mapping)
    values["index"] = values.pop("idx")
    values["problem"] = json.loads(values["problem"]) if values["problem"] else None
    for name in ("sha256", "signer"):
        values[name] = bytes(values[name]) if values[name] is not None else None
    return Job(**values)


def put(connection: Connection, new: NewJob, now: datetime) -> Job:
    """Queue a document. The same bytes by the same key, or by none, give the same job, unless that has failed.

    Under the ledger's lock. Raises `TooManyWaiting`.
    """
    same = connection.execute(
        select(*_COLUMNS)
        .where(
            inbox.c.by_id == new.by_id,
            inbox.c.sha256 == new.sha256,
            inbox.c.signer.is_(None) if new.signer is None else inbox.c.signer == new.signer,
            inbox.c.state != FAILED,
        )
        .order_by(inbox.c.job_no)
        .limit(1)
    ).one_or_none()
    if same is not None:
        return _job(same)
    waiting = select(func.count()).where(inbox.c.by_id == new.by_id, inbox.c.state.in_(OPEN))
    if connection.execute(waiting).scalar_one() >= MOST_WAITING:
        raise TooManyWaiting()
    job_id = secrets.token_hex(JOB_BYTES)
    connection.execute(
        insert(inbox).values(
            job_id=job_id,
            by_id=new.by_id,
            sha256=new.sha256,
            signer=new.signer,
            channel=new.channel,
            intake=json.dumps(dict(new.intake), sort_keys=True),
            envelope=new.envelope,
            seed=new.seed,
            content_type=new.content_type,
            raw=zlib.compress(new.raw, 1),
            created_at=now,
            state=WAITING,
            known=False,
            mark=0,
        )
    )
    found = by_id(connection, job_id)
    assert found is not None
    return found


def by_id(connection: Connection, job_id: str) -> Job | None:
    """The job with this public id."""
    row = connection.execute(select(*_COLUMNS).where(inbox.c.job_id == job_id)).one_or_none()
    return _job(row) if row else None


def content(connection: Connection, job: Job) -> Content:
    """What waits."""
    query = select(inbox.c.raw, inbox.c.intake, inbox.c.envelope, inbox.c.seed)
    row = connection.execute(query.where(inbox.c.job_no == job.job_no)).one()
    return Content(
        zlib.decompress(bytes(row.raw)),
        json.loads(row.intake),
        bytes(row.envelope) if row.envelope is not None else None,
        bytes(row.seed) if row.seed is not None else None,
    )


def first(connection: Connection) -> Job | None:
    """The job whose turn it is: what is being applied before all that waits, the oldest first."""
    order = case((inbox.c.state == APPLYING, 0), else_=1)
    query = select(*_COLUMNS).where(inbox.c.state.in_(OPEN)).order_by(order, inbox.c.job_no).limit(1)
    row = connection.execute(query).one_or_none()
    return _job(row) if row else None


def is_free(job: Job, worker: str, now: datetime) -> bool:
    """Whether `worker` may take the job: nobody holds it, or whoever did has not been heard of."""
    return job.lease_by in (None, worker) or job.lease_until is None or job.lease_until <= now


def claim(connection: Connection, worker: str, now: datetime) -> Job | None:
    """Take the lease of the job whose turn it is; None where there is none, or another holds it. Under the lock."""
    job = first(connection)
    if job is None or not is_free(job, worker, now):
        return None
    connection.execute(
        update(inbox).where(inbox.c.job_no == job.job_no).values(lease_by=worker, lease_until=now + LEASE)
    )
    return by_id(connection, job.job_id)


def renew(connection: Connection, job: Job, worker: str, now: datetime) -> None:
    """Say that `worker` is alive."""
    connection.execute(
        update(inbox)
        .where(inbox.c.job_no == job.job_no, inbox.c.lease_by == worker, inbox.c.state.in_(OPEN))
        .values(lease_until=now + LEASE)
    )


def release(connection: Connection, job: Job, worker: str) -> None:
    """Give the lease back, so that whoever looks next may go on."""
    connection.execute(
        update(inbox)
        .where(inbox.c.job_no == job.job_no, inbox.c.lease_by == worker)
        .values(lease_by=None, lease_until=None)
    )


def fail(connection: Connection, job: Job, worker: str, problem: Mapping[str, Any], now: datetime) -> bool:
    """Refuse what waits, whole; whether it still waited."""
    done = connection.execute(
        update(inbox)
        .where(inbox.c.job_no == job.job_no, inbox.c.state == WAITING, inbox.c.lease_by == worker)
        .values(
            state=FAILED,
            problem=json.dumps(dict(problem)),
            finished_at=now,
            lease_by=None,
            lease_until=None,
            **FORGOTTEN,
        )
    )
    return done.rowcount == 1


def problem_of(error: AppError) -> dict[str, Any]:
    """What a job failed on, as a problem document has it: where and of what kind, and nothing that stood there.

    It is kept, and the document is not: what it quotes would outlive every erasure. docs/reference/errors.md has the
    codes.
    """
    found = [{"code": p["code"], "where": p["where"]} for p in error.extra.get("problems", ())]
    quotes = error.code.startswith("document.")
    return {
        "code": error.code,
        "status": error.status,
        "title": error.title,
        "detail": _told(found) if quotes else error.detail,
        "next": error.next_step,
        **({"problems": found} if found else {}),
        **{name: error.extra[name] for name in ("parked",) if name in error.extra},
    }


def _told(problems: Sequence[Mapping[str, str]]) -> str:
    """Places and codes in words; docs/reference/errors.md has each code."""
    some = [f"{each['where'] or 'the document'}: {each['code']}" for each in problems[:MOST_TOLD]]
    return "; ".join(some) + (f"; and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else "")


def leftovers(connection: Connection) -> list[int]:
    """The numbers of finished jobs that still have rows of names or events."""
    found: set[int] = set()
    for table in (inbox_event, inbox_name):
        query = select(table.c.job_no).join(inbox, inbox.c.job_no == table.c.job_no)
        found.update(connection.execute(query.where(inbox.c.state.in_((DONE, FAILED))).distinct()).scalars())
    return sorted(found)
