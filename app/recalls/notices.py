"""Telling a recall to everybody who has packages of it, and keeping what they answer.

Each party told gets a case of its own, which nobody else sees. The recalling party reads the names of those it shipped
to itself; of holders further down it reads how many there are and what they did, not who they are (FD&C Act
582(h)(4); docs/decisions/0051).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.cases import service as cases
from app.cases.rules import Desk, NoteKind
from app.cases.service import DeskCase, NewCase
from app.custody.whereabouts import Population, holdings, shipments
from app.errors import Conflict, NotFound
from app.partners import service as partners
from app.recalls.models import recall_consignee
from app.recalls.rules import Counts, Effect
from app.shared.clock import Clock

NOTICE = "notice"
FURTHER_DOWN = "A holder further down"
_NAMED = 10  # in one line of the thread; the page lists all


@dataclass(frozen=True, slots=True)
class Consignee:
    """A party that was told. `gln` and `name` are None where the recalling party may not read them."""

    gln: str | None
    name: str
    notice_id: str
    packages: int
    notified_at: datetime
    acknowledged_at: datetime | None
    answered_at: datetime | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class Reached:
    """Who has to be told, by the number of the party: how many packages, and which of them were shipped to directly."""

    packages: Mapping[int, int]
    direct: frozenset[int]


def reached(connection: Connection, gln: str, population: Population) -> Reached:
    """Everybody who has packages now, ended them (dispensed is no reason to be spared the news), or was ever shipped
    some, by whomever. Reads only: it may take seconds."""
    maker = partners.by_gln(connection, gln)
    assert maker is not None
    having: Counter[int] = Counter()
    for each in holdings(connection, population):
        if each.party_id is not None:
            having[each.party_id] += each.packages
    shipped: Counter[int] = Counter()
    direct = set()
    for (sender, to), packages in shipments(connection, population).items():
        shipped[to] += packages
        if sender == maker.party_id:
            direct.add(to)
    told = {party: count for party, count in (having | shipped).items() if party != maker.party_id}
    return Reached(told, frozenset(direct))


def known(connection: Connection, case_id: str) -> set[int]:
    """Who was told of a recall, by the number of the party."""
    query = select(recall_consignee.c.party_id).where(recall_consignee.c.case_id == case_id)
    return set(connection.execute(query).scalars())


def tell(connection: Connection, clock: Clock, case: DeskCase, whom: Reached) -> int:
    """Tell those who were not told yet. How many these were."""
    told, direct = known(connection, case.case_id), whom.direct
    fresh = {party: packages for party, packages in whom.packages.items() if party not in told}
    glns = partners.glns(connection, fresh)
    for party, packages in sorted(fresh.items()):
        _tell_one(connection, clock, case, party, glns[party], packages, direct=party in direct)
    if fresh:
        near = [glns[party] for party in sorted(fresh) if party in direct]
        names = partners.names(connection, near)
        called = sorted(names[gln] for gln in near)
        listed = ", ".join(called[:_NAMED]) + (
            f" and {len(near) - _NAMED} more" if len(near) > _NAMED else ""
        )
        further = len(fresh) - len(near)
        parts = [listed] if listed else []
        parts += [f"{further} further down the chain"] if further else []
        cases.say(
            connection, clock, case.case_id, cases.SYSTEM, f"Told {' and '.join(parts)}.", NoteKind.SENT
        )
    return len(fresh)


def _tell_one(
    connection: Connection,
    clock: Clock,
    case: DeskCase,
    party_id: int,
    gln: str,
    packages: int,
    *,
    direct: bool,
) -> None:
    data = {name: case.data[name] for name in ("gtin", "product", "lots", "serials", "scope", "class")}
    data |= {name: case.data[name] for name in ("reason", "instruction")}
    due = case.due_at and clock.now() + (case.due_at - case.opened_at)
    notice_id = cases.open_case(
        connection,
        clock,
        NewCase(
            Desk.RECALLS,
            NOTICE,
            gln,
            f"Recalled: {case.data['product']}, {case.data['scope']}",
            subject=case.subject,
            partner_gln=case.party_gln,
            due_at=due,
            data=data,
            items=dict.fromkeys(case.items, "recalled"),
        ),
        text=f"Its maker recalls it: {case.data['reason']} {case.data['instruction']}",
    )
    connection.execute(
        insert(recall_consignee).values(
            case_id=case.case_id,
            party_id=party_id,
            notice_id=notice_id,
            direct=direct,
            packages=packages,
            notified_at=clock.now(),
            quarantined=0,
            returned=0,
            destroyed=0,
            gone=0,
        )
    )


def acknowledge(connection: Connection, clock: Clock, notice: DeskCase, who: str) -> None:
    """Keep that a notice arrived. Raises `NotFound` for what is no notice, `Conflict` where that was said before."""
    row = _row(connection, notice)
    if row.acknowledged_at is not None:
        raise Conflict("recall.acknowledged", "This was acknowledged before", notice.title)
    cases.move(connection, clock, notice.case_id, who, "acknowledged", text="Acknowledged.")
    _set(connection, row, acknowledged_at=clock.now())
    _say_to_maker(connection, clock, row, "has acknowledged the recall.")


def answer(
    connection: Connection, clock: Clock, notice: DeskCase, who: str, counts: Counts, text: str = ""
) -> None:
    """Keep what was done. A later answer stands for the one before it; both are in the thread."""
    row = _row(connection, notice)
    words = said(counts) + (f" {text.strip()}" if text.strip() else "")
    if not notice.is_open:
        if notice.state == "ended":
            raise Conflict("case.closed", "This recall has ended", notice.title)
        cases.reopen(connection, clock, notice.case_id, who, "acknowledged", text="The answer is corrected.")
    cases.close(connection, clock, notice.case_id, who, "answered", text=words)
    now = clock.now()
    _set(
        connection,
        row,
        acknowledged_at=row.acknowledged_at or now,
        answered_at=now,
        quarantined=counts.quarantined,
        returned=counts.returned,
        destroyed=counts.destroyed,
        gone=counts.gone,
    )
    _say_to_maker(connection, clock, row, f"has answered. {words}")


def describe(
    connection: Connection, clock: Clock, case: DeskCase, texts: Mapping[str, str], due: datetime, said: str
) -> None:
    """Tell everybody what the maker says of its recall besides; whoever has answered keeps its answer."""
    for notice_id, notice in _notices(connection, case):
        data = {**notice.data, **texts}
        if notice.is_open:
            cases.move(
                connection, clock, notice_id, "Its maker", notice.state, text=said, data=data, due_at=due
            )
        else:
            cases.keep(connection, notice_id, data)
            cases.say(connection, clock, notice_id, "Its maker", said, NoteKind.CAME)


def end(connection: Connection, clock: Clock, case: DeskCase, text: str) -> None:
    """Tell everybody that the recall has ended, and close what is open of it."""
    for notice_id, notice in _notices(connection, case):
        if not notice.is_open:
            cases.reopen(connection, clock, notice_id, cases.SYSTEM, notice.state, text="Its maker writes:")
        cases.close(connection, clock, notice_id, "its maker", "ended", text=text)


def consignees(connection: Connection, case_id: str) -> list[Consignee]:
    """Everybody who was told of a recall, as the recalling party may read it; those it shipped to first."""
    query = select(recall_consignee).where(recall_consignee.c.case_id == case_id)
    rows = connection.execute(query).all()
    glns = partners.glns(connection, [row.party_id for row in rows if row.direct])
    names = partners.names(connection, glns.values())
    found = []
    for row in rows:
        gln = glns.get(row.party_id)
        counts = Counts(row.quarantined, row.returned, row.destroyed, row.gone)
        found.append(
            Consignee(
                gln,
                names.get(gln, gln) if gln else FURTHER_DOWN,
                row.notice_id,
                row.packages,
                row.notified_at,
                row.acknowledged_at,
                row.answered_at,
                counts,
            )
        )
    return sorted(found, key=lambda each: (each.gln is None, each.name, each.notice_id))


def effect(told: list[Consignee]) -> Effect:
    """How well the recall reached them."""
    return Effect(
        told=len(told),
        acknowledged=sum(each.acknowledged_at is not None for each in told),
        answered=sum(each.answered_at is not None for each in told),
        packages=sum(each.packages for each in told),
        accounted=sum(each.counts.total for each in told),
    )


def said(counts: Counts) -> str:
    """An answer in words."""
    if not counts.total:
        return "Searched, and found none."
    parts = (
        (counts.quarantined, "quarantined"),
        (counts.returned, "returned"),
        (counts.destroyed, "destroyed"),
        (counts.gone, "dispensed or passed on before"),
    )
    return ", ".join(f"{count} {what}" for count, what in parts if count) + "."


def _notices(connection: Connection, case: DeskCase) -> list[tuple[str, DeskCase]]:
    """The cases of those who were told of a recall, without thread and items, by their ids."""
    query = select(recall_consignee.c.notice_id).where(recall_consignee.c.case_id == case.case_id)
    return sorted(cases.some(connection, connection.execute(query).scalars()).items())


def _row(connection: Connection, notice: DeskCase) -> Row[Any]:
    row = connection.execute(
        select(recall_consignee).where(recall_consignee.c.notice_id == notice.case_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _set(connection: Connection, row: Row[Any], **values: Any) -> None:
    query = update(recall_consignee).where(
        recall_consignee.c.case_id == row.case_id, recall_consignee.c.party_id == row.party_id
    )
    connection.execute(query.values(**values))


def _say_to_maker(connection: Connection, clock: Clock, row: Row[Any], text: str) -> None:
    gln = partners.glns(connection, [row.party_id])[row.party_id]
    name = partners.names(connection, [gln]).get(gln, gln) if row.direct else FURTHER_DOWN
    cases.say(connection, clock, row.case_id, name, f"{name} {text}", NoteKind.CAME)


def shown_counts(counts: Counts) -> Mapping[str, int]:
    """The counts by name."""
    return {name: getattr(counts, name) for name in ("quarantined", "returned", "destroyed", "gone")}
