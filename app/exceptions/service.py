"""The exceptions desk: a case for each discrepancy, with an owner, a clock and a thread.

Most cases stand on findings: those of one kind, in one document, about what was in one container, at one desk and with
one partner are one case. Whose desk that is follows from the event that a finding is about and from nothing else: of a
document with shipments to two customers each finds its own, in whatever order its events come. When custody is
projected again and they are gone, so is the discrepancy: the case closes by itself, and its thread says so.
The others are opened at the dock, from a scan or by a partner's report (`open_own`); those that say that something is
not there or not known close when it is (`settling`). A person may close any of them, with the
root cause, and open it again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from app.cases import many
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.custody import service as custody
from app.custody.projector import Projection
from app.custody.service import FoundAbout
from app.errors import AppError, Invalid
from app.events import acts as events
from app.events.acts import Ends
from app.exceptions.models import exception_case
from app.exceptions.rules import BY_HAND, FINDING_KINDS, KINDS, Kind, OwnKind
from app.exceptions.settling import BY_ITSELF, CLOSED, close_itself, touched
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.audit import record, times
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.custody.findings import INNOCENT
from ledger.store.sql.engine import Database

NO_ITEM = 0  # in a link: the finding is about the event as a whole
OPEN = "open"
MOST_A_DAY = 500  # cases that one account opens by hand within 24 hours
_DAY = timedelta(days=1)

# Made once: asked at every capture.
_OF_EVENTS = select(exception_case).where(exception_case.c.seq.in_(bindparam("seqs", expanding=True)))

_Key = tuple[str, int, int]


class _Group(NamedTuple):
    """What is one case. `partner`: whom its events name as the one who can put the data right; None: nobody."""

    kind: str
    index: int
    container: int | None
    party: int
    partner: int | None


@dataclass(frozen=True, slots=True)
class _Link:
    case_id: str
    standing: bool


def follow(
    connection: Connection, clock: Clock, projection: Projection, findings: Iterable[FoundAbout]
) -> None:
    """Open a case for new findings of a kind that makes one; close those whose findings are gone. `findings`: all that
    there are about the events of the projection; those about others are left out."""
    if not projection.seqs:
        return
    _hold(connection, clock, projection.seqs, (each for each in findings if each.seq in projection.seqs))
    touched(connection, clock, projection)


def hold_to(connection: Connection, clock: Clock, seqs: Collection[int]) -> None:
    """Make the cases of these events those that their findings make."""
    _hold(connection, clock, seqs, custody.findings_of(connection, seqs))


def _hold(
    connection: Connection, clock: Clock, seqs: Collection[int], findings: Iterable[FoundAbout]
) -> None:
    standing = {
        (found.code.value, found.seq, found.item_id or NO_ITEM): found
        for found in findings
        if found.code in FINDING_KINDS
    }
    kept = _links(connection, seqs)
    _turn(connection, clock, kept, standing)
    fresh = {key: found for key, found in standing.items() if key not in kept}
    if fresh:
        _open(connection, clock, fresh)


def _links(connection: Connection, seqs: Iterable[int]) -> dict[_Key, _Link]:
    found: dict[_Key, _Link] = {}
    for chunk in chunks(sorted(seqs)):
        for row in connection.execute(_OF_EVENTS, {"seqs": chunk}):
            found[row.kind, row.seq, row.item_id] = _Link(row.case_id, row.standing)
    return found


def _turn(
    connection: Connection, clock: Clock, kept: Mapping[_Key, _Link], standing: Mapping[_Key, FoundAbout]
) -> None:
    """Write which findings came and went, and close or open the cases that hang on it."""
    turned = {key: link for key, link in kept.items() if link.standing != (key in standing)}
    for kind, seq, item_id in turned:
        query = update(exception_case).where(
            exception_case.c.kind == kind, exception_case.c.seq == seq, exception_case.c.item_id == item_id
        )
        connection.execute(query.values(standing=(kind, seq, item_id) in standing))
    touched = {link.case_id for link in turned.values()}
    still = _still_standing(connection, touched)
    for case_id, case in cases.some(connection, touched).items():
        if case_id not in still and case.is_open:
            close_itself(connection, clock, case_id)
        elif case_id in still and case.closed_by == BY_ITSELF:
            _open_again(connection, clock, case)


def _still_standing(connection: Connection, case_ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(sorted(case_ids)):
        query = select(exception_case.c.case_id).where(
            exception_case.c.case_id.in_(chunk), exception_case.c.standing
        )
        found.update(connection.execute(query.distinct()).scalars())
    return found


def _open_again(connection: Connection, clock: Clock, case: DeskCase) -> None:
    text = "Opened again: the data that had closed it was taken back."
    due = clock.now() + KINDS[case.kind].within
    cases.reopen(connection, clock, case.case_id, cases.SYSTEM, OPEN, text=text, due_at=due)


def _open(connection: Connection, clock: Clock, fresh: Mapping[_Key, FoundAbout]) -> None:
    """Put new findings into cases: those there are of their group, or new ones."""
    ends = events.ends(connection, {seq for _, seq, _ in fresh})
    groups: dict[_Group, dict[_Key, FoundAbout]] = {}
    for key, found in fresh.items():
        groups.setdefault(_group(key[0], ends[key[1]], found.container_id), {})[key] = found
    there = _cases_of(connection, {group.index for group in groups})
    missing = {group: next(iter(groups[group].values())) for group in groups if group not in there}
    partners_of = _partners_of(connection, clock, missing)
    glns = partners.glns(connection, {*partners_of.values(), *(group.party for group in missing)})
    of_partners = _of_partners(connection, missing, partners_of)
    for group, found_here in groups.items():
        partner_id = partners_of.get(group)
        case_id = there.get(group) or of_partners.get((group.kind, group.party, partner_id))
        items = {key[2]: "" for key in found_here if key[2] != NO_ITEM}
        if case_id is None:
            first = missing[group]
            case_id = _open_case(
                connection, clock, group, first, glns[group.party], glns.get(partner_id or 0), items
            )
            if FINDING_KINDS[first.code].of_partner:
                of_partners[group.kind, group.party, partner_id] = case_id
        else:
            cases.add_items(connection, case_id, items)
            case = cases.some(connection, [case_id])[case_id]
            if case.closed_by == BY_ITSELF:
                _open_again(connection, clock, case)
        rows = [
            {"kind": key[0], "seq": key[1], "item_id": key[2], "container_id": found.container_id}
            for key, found in found_here.items()
        ]
        same = {"idx": group.index, "party_id": group.party, "case_id": case_id, "standing": True}
        connection.execute(insert(exception_case), [row | same for row in rows])


def _group(kind_name: str, ends: Ends, container: int | None) -> _Group:
    """The group of a finding of this kind about an event with these ends."""
    kind = KINDS[kind_name]
    party_id = party_of(kind, ends)
    said = ends.by_id if party_id != ends.by_id else ends.sender_id
    partner_id = None if kind.is_ours or said == party_id else said
    return _Group(kind_name, ends.index, container, party_id, partner_id)


def _cases_of(connection: Connection, indexes: Iterable[int]) -> dict[_Group, str]:
    """The cases that findings in these documents have already. Any event of one says what group it is."""
    kind, container, case_id = exception_case.c.kind, exception_case.c.container_id, exception_case.c.case_id
    query = select(kind, container, case_id, func.min(exception_case.c.seq)).group_by(
        kind, exception_case.c.idx, container, exception_case.c.party_id, case_id
    )
    rows: list[Any] = []
    for chunk in chunks(sorted(indexes)):
        rows += connection.execute(query.where(exception_case.c.idx.in_(chunk)))
    ends = events.ends(connection, {seq for *_, seq in rows})
    return {
        _group(kind, ends[seq], container): case_id
        for kind, container, case_id, seq in rows
        if seq in ends and kind in KINDS  # else somebody has changed the row: fsck names it
    }


def _of_partners(
    connection: Connection, groups: Iterable[_Group], partners_of: Mapping[_Group, int]
) -> dict[tuple[str, int, int | None], str]:
    """The open cases of kinds of which a party has one with a partner: what is wrong is the partner, not the document.
    By kind, party and partner."""
    wanted = {
        (each.kind, each.party, partners_of.get(each)) for each in groups if KINDS[each.kind].of_partner
    }
    return many.with_partners(connection, Desk.EXCEPTIONS, wanted)


def _partners_of(
    connection: Connection, clock: Clock, groups: Mapping[_Group, FoundAbout]
) -> dict[_Group, int]:
    """Who can put the data of each of these right: whom its events name, or whom the record says it came from; nobody
    else where it is the party's own. `groups`: each with its first finding."""
    found = {group: group.partner for group in groups if group.partner is not None}
    asked = {
        group: first.item_id
        for group, first in groups.items()
        if group not in found and not KINDS[group.kind].is_ours and first.item_id is not None
    }
    if not asked:
        return found
    ours = partners.glns(connection, {group.party for group in asked})
    loaded = loading.load_numbers(connection, sorted(set(asked.values())))
    senders = {group: _sender(loaded, number, ours[group.party]) for group, number in asked.items()}
    known = partners.ids(connection, clock, {gln: "" for gln in senders.values() if gln is not None})
    return found | {group: known[gln] for group, gln in senders.items() if gln is not None}


def came_from(connection: Connection, numbers: Sequence[int], party_gln: str) -> str | None:
    """Who sent the first of these items to this party (GLN); None where it neither has it nor gets it: who sent
    a stranger's goods is none of its business."""
    if not numbers:
        return None
    return _sender(loading.load_numbers(connection, numbers[:1]), numbers[0], party_gln)


def _sender(loaded: loading.Loaded, number: int, party_gln: str) -> str | None:
    outer = loaded.world.outer(loaded.world.item(loaded.keys[number]))
    ours = outer.bound_for if outer.in_transit else outer.holder
    return outer.sender if ours == party_gln and outer.sender != party_gln else None


def party_of(kind: Kind, ends: Ends) -> int:
    """Whose desk a finding of this kind goes to, by number: who reported it, or whom its event goes to."""
    return ends.recipient_id if kind.to_recipient and ends.recipient_id is not None else ends.by_id


def _open_case(
    connection: Connection,
    clock: Clock,
    group: _Group,
    first: FoundAbout,
    party_gln: str,
    partner_gln: str | None,
    items: dict[int, str],
) -> str:
    kind = KINDS[group.kind]
    about = first.container_id or first.item_id or NO_ITEM
    keys = custody.keys_of(connection, [about, *list(items)[:1]])
    # One package names itself; several stand for what they were looked for in; none for the document.
    subject = keys[next(iter(items))] if len(items) == 1 else keys.get(about, f"entry {group.index}")
    new = NewCase(
        desk=Desk.EXCEPTIONS,
        kind=group.kind,
        party_gln=party_gln,
        title=kind.title,
        subject=subject,
        partner_gln=partner_gln,
        due_at=clock.now() + kind.within,
        data={
            "entry": group.index,
            "container": keys.get(first.container_id or 0, ""),
            "finding": first.message,
        },
        items=items,
        case_id=new_id("exc"),
    )
    why = f"Usual innocent cause: {INNOCENT[first.code]}."
    return cases.open_case(connection, clock, new, text=f"Opened: {kind.title}. {kind.next_step} {why}")


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A discrepancy that somebody saw. `items`: numbers; `epcs`: what it is about where the record does not know it;
    `detail`: what the message to the partner says besides; `data`: what the desk keeps of it."""

    kind: OwnKind
    party_gln: str
    partner_gln: str | None
    subject: str
    items: tuple[int, ...] = ()
    epcs: tuple[str, ...] = ()
    detail: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    case_id: str = ""  # given where what it rests on may open only one


def open_own(connection: Connection, clock: Clock, new: OwnCase, who: str, text: str = "") -> str:
    """Open a case that rests on what somebody saw. The case's id."""
    kind = KINDS[new.kind]
    desk_case = NewCase(
        desk=Desk.EXCEPTIONS,
        kind=new.kind.value,
        party_gln=new.party_gln,
        title=kind.title,
        subject=new.subject,
        partner_gln=new.partner_gln,
        due_at=clock.now() + kind.within,
        data={**new.data, "epcs": list(new.epcs), "detail": new.detail},
        items=dict.fromkeys(new.items, ""),
        case_id=new.case_id or new_id("exc"),
    )
    return cases.open_case(
        connection, clock, desk_case, who=who, text=text or f"Opened: {kind.title}. {kind.next_step}"
    )


def may_open(connection: Connection, clock: Clock, actor: Actor) -> None:
    """Raise AppError ``exception.too_many`` where this account has opened as many cases by hand as one may in a day."""
    since = clock.now() - _DAY
    if times(connection, actor.id, "exception.open", since, MOST_A_DAY) >= MOST_A_DAY:
        raise AppError(
            "exception.too_many",
            429,
            "You have opened too many exceptions",
            f"{MOST_A_DAY} within 24 hours are the most.",
            "Put what belongs together into one, by its container or document; or ask somebody else of your company.",
        )


def end(
    database: Database,
    clock: Clock,
    actor: Actor,
    case_id: str,
    party_gln: str | None,
    root_cause: str,
    text: str,
) -> None:
    """End a case by hand. Raises `NotFound`, `Invalid` for a root cause that is none, `Conflict` where it is closed."""
    if root_cause not in BY_HAND:
        raise Invalid("exception.cause", "Choose a root cause", repr(root_cause), ", ".join(BY_HAND))
    with database.writing() as connection:
        case = cases.case(connection, Desk.EXCEPTIONS, case_id, party_gln)
        cases.close(connection, clock, case_id, actor.name, CLOSED, text=text, root_cause=root_cause)
        record(connection, clock, actor, "exception.close", subject=case_id, whose=case.party_gln)


def begin_again(
    database: Database, clock: Clock, actor: Actor, case_id: str, party_gln: str | None, text: str
) -> None:
    """Open an ended case again, with its kind's time from now on. Raises `NotFound`, `Conflict` where it is open."""
    with database.writing() as connection:
        case = cases.case(connection, Desk.EXCEPTIONS, case_id, party_gln)
        due = clock.now() + KINDS[case.kind].within
        cases.reopen(connection, clock, case_id, actor.name, OPEN, text=text, due_at=due)
        record(connection, clock, actor, "exception.reopen", subject=case_id, whose=case.party_gln)
