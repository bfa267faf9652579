"""The exceptions desk: a case for each discrepancy, with an owner, a clock and a thread.

Most cases stand on findings: those of one kind, in one document, about what was in one container are one case. When
custody is projected again and they are gone, so is the discrepancy: the case closes by itself, and its thread says so.
The others are opened at the dock, from a scan or by a partner's report (`open_own`); those that say that something is
not there or not known close when it is (`settling`). A person may close any of them, with the
root cause, and open it again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, insert, select, update

from app.cases import many
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.custody import service as custody
from app.custody.projector import Projection
from app.custody.service import FoundAbout
from app.errors import Invalid
from app.events import acts as events
from app.events.acts import Ends
from app.exceptions.models import exception_case
from app.exceptions.rules import BY_HAND, FINDING_KINDS, KINDS, Kind, OwnKind
from app.exceptions.settling import BY_ITSELF, CLOSED, close_itself, touched
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.ids import new_id
from ledger.custody.findings import INNOCENT
from ledger.store.sql.engine import Database

NO_ITEM = 0  # in a link: the finding is about the event as a whole
OPEN = "open"

_PAGE = 1_000

# Made once: asked at every capture.
_OF_EVENTS = select(exception_case).where(exception_case.c.seq.in_(bindparam("seqs", expanding=True)))

_Key = tuple[str, int, int]
_Group = tuple[str, int, int | None]


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


def hold_all(connection: Connection, clock: Clock) -> None:
    """The same for every event that has findings or cases: after custody was made anew, and for what an earlier version
    made no case of."""
    after = -(2**63)
    while seqs := _with_work(connection, after):
        hold_to(connection, clock, seqs)
        after = seqs[-1]


def _with_work(connection: Connection, after: int) -> list[int]:
    """The next events, by number, that have findings or cases."""
    found = set(custody.with_findings(connection, after, _PAGE))
    query = select(exception_case.c.seq).where(exception_case.c.seq > after).distinct()
    found.update(connection.execute(query.order_by(exception_case.c.seq).limit(_PAGE)).scalars())
    return sorted(found)[:_PAGE]


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
    """Put new findings into cases: those there are of their kind, document and container, or new ones."""
    ends = events.ends(connection, {seq for _, seq, _ in fresh})
    groups: dict[_Group, dict[_Key, FoundAbout]] = {}
    for key, found in fresh.items():
        groups.setdefault((key[0], ends[key[1]].index, found.container_id), {})[key] = found
    there = _cases_of(connection, {index for _, index, _ in groups})
    for group, found_here in groups.items():
        first = next(iter(found_here.values()))
        kind = FINDING_KINDS[first.code]
        party_id, partner_id = _whose(connection, kind, first, ends[first.seq])
        case_id = there.get(group)
        if case_id is None and kind.of_partner:
            case_id = _with_partner(connection, first, party_id, partner_id)
        items = {key[2]: "" for key in found_here if key[2] != NO_ITEM}
        if case_id is None:
            case_id = _open_case(connection, clock, group, first, kind, party_id, partner_id, items)
        else:
            cases.add_items(connection, case_id, items)
            case = cases.some(connection, [case_id])[case_id]
            if case.closed_by == BY_ITSELF:
                _open_again(connection, clock, case)
        rows = [
            {"kind": key[0], "seq": key[1], "item_id": key[2], "container_id": found.container_id}
            for key, found in found_here.items()
        ]
        same = {"idx": group[1], "party_id": party_id, "case_id": case_id, "standing": True}
        connection.execute(insert(exception_case), [row | same for row in rows])


def _with_partner(
    connection: Connection, found: FoundAbout, party_id: int, partner_id: int | None
) -> str | None:
    """The open case of this kind that a party has with a partner: what is wrong is the partner, not the document."""
    glns = partners.glns(connection, [partner_id])
    waiting = many.waiting(connection, Desk.EXCEPTIONS, [found.code.value], [party_id], (), _PAGE)
    same = [each for each in waiting if each.partner_gln == glns.get(partner_id or 0)]
    return same[0].case_id if same else None


def _cases_of(connection: Connection, indexes: Iterable[int]) -> dict[_Group, str]:
    """The cases that findings in these documents have already."""
    found: dict[_Group, str] = {}
    columns = (exception_case.c.kind, exception_case.c.idx, exception_case.c.container_id)
    query = select(*columns, exception_case.c.case_id).distinct()
    for chunk in chunks(sorted(indexes)):
        for kind, index, container, case_id in connection.execute(
            query.where(exception_case.c.idx.in_(chunk))
        ):
            found[kind, index, container] = case_id
    return found


def _whose(connection: Connection, kind: Kind, found: FoundAbout, ends: Ends) -> tuple[int, int | None]:
    """Whose work it is, and who can put the data right: nobody else where it is the party's own."""
    party_id = party_of(kind, ends)
    if kind.is_ours:
        return party_id, None
    if party_id != ends.by_id:
        return party_id, ends.by_id
    partner_id = ends.sender_id
    if partner_id in (None, party_id) and found.item_id is not None:
        ours = partners.glns(connection, [party_id])[party_id]
        sender = came_from(connection, [found.item_id], ours)
        known = partners.by_gln(connection, sender) if sender else None
        partner_id = known.party_id if known else None
    return party_id, partner_id if partner_id != party_id else None


def came_from(connection: Connection, numbers: Sequence[int], party_gln: str) -> str | None:
    """Who sent the first of these items to this party (GLN); None where it neither has it nor gets it: who sent
    a stranger's goods is none of its business."""
    if not numbers:
        return None
    loaded = loading.load_numbers(connection, numbers[:1])
    outer = loaded.world.outer(loaded.world.item(loaded.keys[numbers[0]]))
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
    kind: Kind,
    party_id: int,
    partner_id: int | None,
    items: dict[int, str],
) -> str:
    about = first.container_id or first.item_id or NO_ITEM
    keys = custody.keys_of(connection, [about, *list(items)[:1]])
    # One package names itself; several stand for what they were looked for in; none for the document.
    subject = keys[next(iter(items))] if len(items) == 1 else keys.get(about, f"entry {group[1]}")
    glns = partners.glns(connection, [party_id, partner_id])
    new = NewCase(
        desk=Desk.EXCEPTIONS,
        kind=first.code.value,
        party_gln=glns[party_id],
        title=kind.title,
        subject=subject,
        partner_gln=glns.get(partner_id or 0),
        due_at=clock.now() + kind.within,
        data={
            "entry": group[1],
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
