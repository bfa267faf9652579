"""Cases: what every desk does with its work. A desk adds its own words, states and pages.

All functions work in the caller's transaction, so that a case changes together with what it is about::

    case_id = cases.open_case(connection, clock, NewCase(Desk.RETURNS, "saleable", GLN, "Return of 3 packages"))
    cases.take(connection, clock, case_id, actor)
    cases.move(connection, clock, case_id, who, "verified", text="All three verified by their maker.")
    cases.close(connection, clock, case_id, who, "restocked", root_cause="customer_error")

A case belongs to one party; `party_gln=None` in a question means somebody who may see everybody's.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, true, update

from app.cases.choice import Choice
from app.cases.models import desk_case, desk_case_item, desk_note
from app.cases.places import Place
from app.cases.rules import Desk, NoteKind
from app.errors import Conflict, Invalid, NotFound
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.ids import new_id

SYSTEM = "Packproof"
LONGEST_NOTE = 2_000  # characters
MOST_SHOWN = 200  # cases of one answer
MOST_THREAD = 1_000  # lines of one answer


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a desk opens. `party_gln` must be a known party; an unknown `partner_gln` is left out."""

    desk: Desk
    kind: str
    party_gln: str
    title: str
    subject: str = ""
    partner_gln: str | None = None
    state: str = "open"
    due_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[int, str] = field(default_factory=dict)  # item numbers, each with its state
    case_id: str = ""  # given where something else already has it


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One line of a case's thread."""

    at: datetime
    who: str
    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True)
class DeskCase:
    """One case as its desk sees it. `items`: item numbers with their state, filled by `case` alone."""

    case_id: str
    desk: Desk
    kind: str
    party_gln: str
    partner_gln: str | None
    subject: str
    title: str
    state: str
    owner_id: str | None
    owner_name: str | None
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    root_cause: str | None
    data: Mapping[str, Any]
    thread: tuple[ThreadLine, ...] = ()
    items: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def place(self) -> Place:
        """Where it stands in its queue."""
        return Place(self.due_at if self.is_open else self.closed_at, self.case_id)


def open_case(
    connection: Connection, clock: Clock, new: NewCase, *, who: str = SYSTEM, text: str = ""
) -> str:
    """Open a case and begin its thread. Gives the case's id; raises `NotFound` for an unknown party."""
    party = partners.by_gln(connection, new.party_gln)
    if party is None:
        raise NotFound("No such party", f"GLN {new.party_gln}", "Add the party first.")
    partner = partners.by_gln(connection, new.partner_gln) if new.partner_gln else None
    case_id = new.case_id or new_id("case")
    connection.execute(
        insert(desk_case).values(
            case_id=case_id,
            desk=new.desk.value,
            kind=new.kind,
            party_id=party.party_id,
            partner_id=partner.party_id if partner else None,
            subject=new.subject,
            title=new.title,
            state=new.state,
            opened_at=clock.now(),
            due_at=new.due_at,
            data=_json(new.data),
        )
    )
    add_items(connection, case_id, new.items)
    say(connection, clock, case_id, who, text or f"Opened: {new.title}.", NoteKind.STATE)
    return case_id


def add_items(connection: Connection, case_id: str, items: Mapping[int, str]) -> None:
    """Add items to a case, or give those it has another state."""
    numbers = sorted(items)
    drop_items(connection, case_id, numbers)
    rows = [{"case_id": case_id, "item_id": number, "state": items[number]} for number in numbers]
    if rows:
        connection.execute(insert(desk_case_item), rows)


def drop_items(connection: Connection, case_id: str, items: Collection[int]) -> None:
    """Take items out of a case."""
    for chunk in chunks(sorted(items)):
        connection.execute(
            delete(desk_case_item).where(
                desk_case_item.c.case_id == case_id, desk_case_item.c.item_id.in_(chunk)
            )
        )


def say(
    connection: Connection, clock: Clock, case_id: str, who: str, text: str, kind: NoteKind = NoteKind.NOTE
) -> None:
    """Add a line to a case's thread. Raises `Invalid` for one that is empty or too long."""
    say_in_each(connection, clock, [case_id], who, text, kind)


def say_in_each(
    connection: Connection, clock: Clock, case_ids: Collection[str], who: str, text: str, kind: NoteKind
) -> None:
    """Add the same line to the threads of several cases. Raises `Invalid` for one that is empty or too long."""
    text = text.strip().replace("\x00", "�")
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise Invalid("note.length", "Write something", f"A note has 1 to {LONGEST_NOTE} characters.")
    line = {"at": clock.now(), "who": who, "kind": kind.value, "text": text}
    if case_ids:
        connection.execute(insert(desk_note), [{"case_id": case_id, **line} for case_id in sorted(case_ids)])


def take(connection: Connection, clock: Clock, case_id: str, actor: Actor) -> None:
    """Make `actor` the owner of an open case."""
    _change(connection, case_id, owner_id=actor.id, owner_name=actor.name)
    say(connection, clock, case_id, actor.name, f"Taken by {actor.name}.", NoteKind.STATE)


def move(
    connection: Connection,
    clock: Clock,
    case_id: str,
    who: str,
    state: str,
    *,
    text: str,
    **values: Any,
) -> None:
    """Give an open case another state. `values`: other columns that change with it (`due_at`, `title`, `data`)."""
    if "data" in values:
        values["data"] = _json(values["data"])
    _change(connection, case_id, state=state, **values)
    say(connection, clock, case_id, who, text, NoteKind.STATE)


def keep(connection: Connection, case_id: str, data: Mapping[str, Any]) -> None:
    """Write what a desk keeps of a case besides, open or not; its thread says nothing of it."""
    connection.execute(update(desk_case).where(desk_case.c.case_id == case_id).values(data=_json(data)))


def close(
    connection: Connection,
    clock: Clock,
    case_id: str,
    who: str,
    state: str,
    *,
    text: str,
    root_cause: str | None = None,
) -> None:
    """End an open case."""
    _change(connection, case_id, state=state, closed_at=clock.now(), closed_by=who, root_cause=root_cause)
    say(connection, clock, case_id, who, text, NoteKind.STATE)


def reopen(
    connection: Connection,
    clock: Clock,
    case_id: str,
    who: str,
    state: str,
    *,
    text: str,
    due_at: datetime | None = None,
) -> None:
    """Open an ended case again."""
    values: dict[str, Any] = {"due_at": due_at} if due_at else {}
    query = update(desk_case).where(desk_case.c.case_id == case_id, desk_case.c.closed_at.is_not(None))
    done = connection.execute(query.values(state=state, closed_at=None, closed_by=None, **values))
    if done.rowcount != 1:
        raise Conflict("case.open", "This case is open already", case_id, "Look at its thread.")
    say(connection, clock, case_id, who, text, NoteKind.STATE)


def queue(
    connection: Connection,
    desk: Desk,
    party_gln: str | None,
    *,
    closed: bool = False,
    saying: tuple[str, str] | None = None,
    choice: Choice | None = None,
    after: Place | None = None,
    limit: int = MOST_SHOWN,
) -> list[DeskCase]:
    """A desk's cases by their clock, the most urgent first; the closed ones, the last first. `saying`: only those whose
    `data` has this text under this name; `choice`: only those; `after`: from there on."""
    query = select(desk_case).where(desk_case.c.desk == desk.value, within(connection, party_gln))
    if choice is not None:
        query = query.where(*choice.where(connection))
    if after is not None:
        query = query.where(after.beyond(closed=closed))
    if saying is not None:
        # Written canonically, so a member is found by its text.
        query = query.where(desk_case.c.data.contains(_json(dict([saying]))[1:-1], autoescape=True))
    if closed:
        query = query.where(desk_case.c.closed_at.is_not(None)).order_by(desk_case.c.closed_at.desc())
    else:
        # Without a deadline is last, on both databases.
        query = query.where(desk_case.c.closed_at.is_(None))
        query = query.order_by(desk_case.c.due_at.is_(None), desk_case.c.due_at)
    query = query.order_by(desk_case.c.case_id).limit(min(limit, MOST_SHOWN))
    return read(connection, connection.execute(query).all())


def case(connection: Connection, desk: Desk, case_id: str, party_gln: str | None) -> DeskCase:
    """One case with its thread and items. Raises `NotFound`, also where it is another party's or desk's."""
    query = select(desk_case).where(
        desk_case.c.case_id == case_id, desk_case.c.desk == desk.value, within(connection, party_gln)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    items = connection.execute(
        select(desk_case_item.c.item_id, desk_case_item.c.state).where(desk_case_item.c.case_id == case_id)
    )
    [found] = read(connection, [row])
    return replace(
        found, thread=_thread(connection, case_id), items={row.item_id: row.state for row in items}
    )


def _thread(connection: Connection, case_id: str) -> tuple[ThreadLine, ...]:
    """Its thread; of a long one how it began and the newest lines, and between them a line that says what is left
    out."""
    of_case = desk_note.c.case_id == case_id
    query = select(desk_note.c.at, desk_note.c.who, desk_note.c.kind, desk_note.c.text).where(of_case)
    newest = connection.execute(query.order_by(desk_note.c.note_id.desc()).limit(MOST_THREAD + 1)).all()
    lines = [ThreadLine(at, who, NoteKind(kind), text) for at, who, kind, text in reversed(newest)]
    if len(lines) <= MOST_THREAD:
        return tuple(lines)
    lines = lines[-(MOST_THREAD - 2) :]
    at, who, kind, text = connection.execute(query.order_by(desk_note.c.note_id).limit(1)).one()
    count = connection.execute(select(func.count()).select_from(desk_note).where(of_case)).scalar_one()
    said = f"{count - len(lines) - 1} lines of this thread are left out here."
    left_out = ThreadLine(lines[0].at, SYSTEM, NoteKind.STATE, said)
    return (ThreadLine(at, who, NoteKind(kind), text), left_out, *lines)


def about(
    connection: Connection, desk: Desk, numbers: Iterable[int], party_gln: str | None
) -> dict[int, list[DeskCase]]:
    """The open cases of a desk that have these items, by item number."""
    found: dict[int, list[DeskCase]] = {}
    for chunk in chunks(sorted(set(numbers))):
        query = (
            select(desk_case_item.c.item_id.label("about_item"), desk_case)
            .join(desk_case, desk_case.c.case_id == desk_case_item.c.case_id)
            .where(desk_case_item.c.item_id.in_(chunk), desk_case.c.desk == desk.value)
            .where(desk_case.c.closed_at.is_(None), within(connection, party_gln))
            .order_by(desk_case.c.case_id)
        )
        rows = connection.execute(query).all()
        for row, each in zip(rows, read(connection, rows), strict=True):
            found.setdefault(row.about_item, []).append(each)
    return found


def some(connection: Connection, case_ids: Iterable[str]) -> dict[str, DeskCase]:
    """The cases with these ids, whoever's, without thread and items: for a desk's own work in the background."""
    found: dict[str, DeskCase] = {}
    for chunk in chunks(sorted(set(case_ids))):
        rows = connection.execute(select(desk_case).where(desk_case.c.case_id.in_(chunk))).all()
        found |= {each.case_id: each for each in read(connection, rows)}
    return found


def _change(connection: Connection, case_id: str, **values: Any) -> None:
    query = update(desk_case).where(desk_case.c.case_id == case_id, desk_case.c.closed_at.is_(None))
    if connection.execute(query.values(**values)).rowcount != 1:
        raise Conflict(
            "case.closed", "This case is closed", case_id, "Open it again first, or open a new one."
        )


def within(connection: Connection, party_gln: str | None) -> ColumnElement[bool]:
    """That a case is this party's; of everybody's, where none is given."""
    if party_gln is None:
        return true()
    owner = partners.by_gln(connection, party_gln)
    return desk_case.c.party_id == (owner.party_id if owner else -1)


def read(connection: Connection, rows: Sequence[Row[Any]]) -> list[DeskCase]:
    """Rows of `desk_case` as values, without thread and items."""
    glns = partners.glns(connection, (number for row in rows for number in (row.party_id, row.partner_id)))
    return [
        DeskCase(
            case_id=row.case_id,
            desk=Desk(row.desk),
            kind=row.kind,
            party_gln=glns[row.party_id],
            partner_gln=glns.get(row.partner_id),
            subject=row.subject,
            title=row.title,
            state=row.state,
            owner_id=row.owner_id,
            owner_name=row.owner_name,
            opened_at=row.opened_at,
            due_at=row.due_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
            root_cause=row.root_cause,
            data=json.loads(row.data),
        )
        for row in rows
    ]


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"), sort_keys=True)
