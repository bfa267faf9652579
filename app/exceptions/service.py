"""The exceptions desk: a case for each discrepancy, with an owner, a clock and a thread.

A case stands on a finding. When custody is projected again and the finding is gone, so is the discrepancy: the case
closes by itself, and its thread says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, true, update

from app.custody import service as custody
from app.custody.projector import Projection
from app.custody.service import FoundAbout
from app.errors import NotFound
from app.events import acts as events
from app.exceptions.models import exception_case, exception_note
from app.exceptions.rules import KINDS
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.custody.findings import FindingCode

BY_ITSELF = "corrected data"


@dataclass(frozen=True, slots=True)
class CaseNote:
    """One line of a case's thread."""

    at: datetime
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One discrepancy, as its desk sees it. `item` and `container` are canonical EPCs."""

    case_id: str
    kind: FindingCode
    item: str
    container: str | None
    party_gln: str
    partner_gln: str | None
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    thread: tuple[CaseNote, ...] = ()


def follow(connection: Connection, clock: Clock, projection: Projection) -> None:
    """Open a case for every new finding of a kind that makes one; close those whose finding is gone."""
    if not projection.seqs:
        return
    standing = _findings(connection, projection)
    cases = _cases(connection, projection)
    now = clock.now()
    for key, row in standing.items():
        if key not in cases:
            _open(connection, now, key, row)
        elif cases[key].closed_at is not None:
            _reopen(connection, now, cases[key].case_id)
    for key, case in cases.items():
        if key not in standing and case.closed_at is None:
            _close(connection, now, case.case_id)


_Key = tuple[str, int, int]


def _findings(connection: Connection, projection: Projection) -> dict[_Key, FoundAbout]:
    return {
        (found.code.value, found.seq, found.item_id): found
        for found in custody.findings_of(connection, projection.seqs)
        if found.code in KINDS and found.item_id is not None
    }


def _cases(connection: Connection, projection: Projection) -> dict[_Key, Row[Any]]:
    found: dict[_Key, Row[Any]] = {}
    for chunk in chunks(sorted(projection.seqs)):
        for row in connection.execute(select(exception_case).where(exception_case.c.seq.in_(chunk))):
            found[row.kind, row.seq, row.item_id] = row
    return found


def _open(connection: Connection, now: datetime, key: _Key, found: FoundAbout) -> None:
    kind = KINDS[found.code]
    case_id = new_id("exc")
    connection.execute(
        insert(exception_case).values(
            case_id=case_id,
            kind=found.code.value,
            seq=found.seq,
            item_id=key[2],
            container_id=found.container_id,
            party_id=events.reporter(connection, found.seq),
            partner_id=custody.senders_of(connection, [key[2]]).get(key[2]),
            opened_at=now,
            due_at=now + kind.within,
        )
    )
    _say(connection, now, case_id, "Packproof", f"Opened: {kind.title}. {kind.next_step}")


def _reopen(connection: Connection, now: datetime, case_id: str) -> None:
    connection.execute(
        update(exception_case)
        .where(exception_case.c.case_id == case_id)
        .values(closed_at=None, closed_by=None)
    )
    _say(connection, now, case_id, "Packproof", "Opened again: the data that had closed it was taken back.")


def _close(connection: Connection, now: datetime, case_id: str) -> None:
    connection.execute(
        update(exception_case)
        .where(exception_case.c.case_id == case_id)
        .values(closed_at=now, closed_by=BY_ITSELF)
    )
    _say(
        connection,
        now,
        case_id,
        "Packproof",
        "Closed by itself: corrected data arrived, and nothing is amiss now.",
    )


def _say(connection: Connection, now: datetime, case_id: str, who: str, text: str) -> None:
    connection.execute(insert(exception_note).values(case_id=case_id, at=now, who=who, text=text))


def queue(
    connection: Connection, party_gln: str | None, *, closed: bool = False, limit: int = 200
) -> list[Case]:
    """A party's cases by their clock, the most urgent first; everybody's where `party_gln` is None."""
    ended = exception_case.c.closed_at.is_not(None) if closed else exception_case.c.closed_at.is_(None)
    query = select(exception_case).where(ended, _within(connection, party_gln))
    query = query.order_by(exception_case.c.due_at, exception_case.c.case_id).limit(limit)
    return _read(connection, connection.execute(query).all())


def case(connection: Connection, case_id: str, party_gln: str | None) -> Case:
    """One case with its thread. Raises `NotFound`, also where it is another party's."""
    query = select(exception_case).where(exception_case.c.case_id == case_id, _within(connection, party_gln))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    notes = connection.execute(
        select(exception_note.c.at, exception_note.c.who, exception_note.c.text)
        .where(exception_note.c.case_id == case_id)
        .order_by(exception_note.c.note_id)
    )
    [found] = _read(connection, [row])
    return replace(found, thread=tuple(CaseNote(*note) for note in notes))


def add_note(connection: Connection, clock: Clock, case_id: str, who: str, text: str) -> None:
    """Add to a case's thread."""
    _say(connection, clock.now(), case_id, who, text)


def _within(connection: Connection, party_gln: str | None) -> ColumnElement[bool]:
    if party_gln is None:
        return true()
    owner = partners.by_gln(connection, party_gln)
    return exception_case.c.party_id == (owner.party_id if owner else -1)


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Case]:
    keys = custody.keys_of(connection, (number for row in rows for number in (row.item_id, row.container_id)))
    glns = partners.glns(connection, (number for row in rows for number in (row.party_id, row.partner_id)))
    return [
        Case(
            case_id=row.case_id,
            kind=FindingCode(row.kind),
            item=keys[row.item_id],
            container=keys.get(row.container_id),
            party_gln=glns[row.party_id],
            partner_gln=glns.get(row.partner_id),
            opened_at=row.opened_at,
            due_at=row.due_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
        )
        for row in rows
    ]
