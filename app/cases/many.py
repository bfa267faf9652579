"""Questions about many cases at once: for whoever counts them, and for a desk's own work in the background.

No query a case: rows, items and parties come in batches.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from sqlalchemy import CompoundSelect, Connection, bindparam, func, select, union
from sqlalchemy import case as sql_case

from app.cases.models import desk_case, desk_case_item
from app.cases.rules import Desk
from app.cases.service import MOST_SHOWN, DeskCase, read, within
from app.partners import service as partners
from app.shared.chunks import chunks

_MOST_CAUSES = 5_000  # rows of one count


def all_of(connection: Connection, desk: Desk, party_gln: str | None) -> list[DeskCase]:
    """Every case that a desk ever had, with its items: for whoever counts them."""
    where = (desk_case.c.desk == desk.value, within(connection, party_gln))
    found = read(
        connection, connection.execute(select(desk_case).where(*where).order_by(desk_case.c.case_id)).all()
    )
    items: dict[str, dict[int, str]] = {}
    for chunk in chunks([each.case_id for each in found]):
        columns = (desk_case_item.c.case_id, desk_case_item.c.item_id, desk_case_item.c.state)
        for case_id, number, state in connection.execute(
            select(*columns).where(desk_case_item.c.case_id.in_(chunk))
        ):
            items.setdefault(case_id, {})[number] = state
    return [replace(each, items=items.get(each.case_id, {})) for each in found]


# Made once: they are asked at every capture, and to make one takes longer than to run it.
_WAITING = (
    desk_case.c.desk == bindparam("desk"),
    desk_case.c.closed_at.is_(None),
    desk_case.c.kind.in_(bindparam("kinds", expanding=True)),
)
_OWN = select(desk_case.c.case_id).where(*_WAITING)
_OF_PARTIES = _OWN.where(desk_case.c.party_id.in_(bindparam("parties", expanding=True)))
_OF_ITEMS = (
    select(desk_case.c.case_id)
    .join(desk_case_item, desk_case_item.c.case_id == desk_case.c.case_id)
    .where(desk_case_item.c.item_id.in_(bindparam("items", expanding=True)), *_WAITING)
)


def waiting(
    connection: Connection,
    desk: Desk,
    kinds: Sequence[str],
    parties: Iterable[int],
    items: Iterable[int],
    limit: int,
) -> list[DeskCase]:
    """The open cases of these kinds that are work of these parties or about these items (numbers), without their items:
    for a desk's own work in the background, whoever's they are."""
    named = {"desk": desk.value, "kinds": kinds}
    found: set[str] = set()
    for chunk in chunks(sorted(set(parties))):
        found.update(connection.execute(_OF_PARTIES, {**named, "parties": chunk}).scalars())
    for chunk in chunks(sorted(set(items))):
        found.update(connection.execute(_OF_ITEMS, {**named, "items": chunk}).scalars())
    return _first(connection, found, limit)


def with_partners(
    connection: Connection, desk: Desk, wanted: Collection[tuple[str, int, int | None]]
) -> dict[tuple[str, int, int | None], str]:
    """For each of these kinds, parties and partners (numbers; None: nobody) the first open case there is of it."""
    if not wanted:
        return {}
    kinds, parties, others = (
        sorted(set(some)) for some in zip(*((k, p, o or 0) for k, p, o in wanted), strict=True)
    )
    found: dict[tuple[str, int, int | None], str] = {}
    columns = (desk_case.c.kind, desk_case.c.party_id, desk_case.c.partner_id, desk_case.c.case_id)
    query = select(*columns).where(
        desk_case.c.desk == desk.value, desk_case.c.closed_at.is_(None), desk_case.c.kind.in_(kinds)
    )
    for some, with_whom in product(chunks(parties), chunks(others)):
        rows = connection.execute(
            query.where(
                desk_case.c.party_id.in_(some), func.coalesce(desk_case.c.partner_id, 0).in_(with_whom)
            ).order_by(desk_case.c.case_id)
        )
        for kind, party_id, partner_id, case_id in rows:
            found.setdefault((kind, party_id, partner_id), case_id)
    return {key: case_id for key, case_id in found.items() if key in wanted}


def query_of(parties: CompoundSelect[tuple[int]]) -> CompoundSelect[tuple[str]]:
    """What `waiting_by` asks: the cases of those parties that the query `parties` gives, or about the items `items`."""
    return union(_OWN.where(desk_case.c.party_id.in_(parties)), _OF_ITEMS)


def waiting_by(
    connection: Connection,
    query: CompoundSelect[tuple[str]],
    desk: Desk,
    kinds: Sequence[str],
    told: Iterable[Mapping[str, Any]],
    limit: int,
) -> list[DeskCase]:
    """The same by a `query_of` parties, which each of `told` gives its values and `items`. Mostly one query."""
    found: set[str] = set()
    for values in told:
        named = {"desk": desk.value, "kinds": kinds, **values}
        found.update(connection.execute(query, named).scalars())
    return _first(connection, found, limit)


def _first(connection: Connection, case_ids: set[str], limit: int) -> list[DeskCase]:
    if not case_ids:
        return []
    query = select(desk_case).where(desk_case.c.case_id.in_(sorted(case_ids)[:limit]))
    return read(connection, connection.execute(query.order_by(desk_case.c.case_id)).all())


def item_numbers(connection: Connection, case_ids: Iterable[str]) -> dict[str, list[int]]:
    """The numbers of the items of each of these cases that has any."""
    found: dict[str, list[int]] = {}
    columns = (desk_case_item.c.case_id, desk_case_item.c.item_id)
    for chunk in chunks(sorted(set(case_ids))):
        query = select(*columns).where(desk_case_item.c.case_id.in_(chunk)).order_by(*columns)
        for case_id, number in connection.execute(query):
            found.setdefault(case_id, []).append(number)
    return found


def states_of(
    connection: Connection, desk: Desk, numbers: Iterable[int], party_gln: str | None
) -> dict[int, str]:
    """In which state these items are in the last case of a desk that has them, open or not: by item number."""
    found: dict[int, str] = {}
    for chunk in chunks(sorted(set(numbers))):
        query = (
            select(desk_case_item.c.item_id, desk_case_item.c.state)
            .join(desk_case, desk_case.c.case_id == desk_case_item.c.case_id)
            .where(desk_case_item.c.item_id.in_(chunk), desk_case.c.desk == desk.value)
            .where(within(connection, party_gln))
            .order_by(desk_case.c.opened_at, desk_case.c.case_id)
        )
        found |= dict(connection.execute(query).all())
    return found


def items_of(connection: Connection, case_ids: Iterable[str]) -> dict[str, int]:
    """How many items each of these cases has, of those that have any."""
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(case_ids))):
        query = select(desk_case_item.c.case_id, func.count()).where(desk_case_item.c.case_id.in_(chunk))
        found |= dict(connection.execute(query.group_by(desk_case_item.c.case_id)).all())
    return found


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of case with one partner: how many are open, how many there are in all, and what was behind the closed
    ones, as (root cause, how many), the most frequent first."""

    kind: str
    partner_gln: str | None
    open: int
    all: int
    root_causes: tuple[tuple[str, int], ...] = ()


def by_cause(connection: Connection, desk: Desk, party_gln: str | None) -> list[Cause]:
    """All cases of a desk by kind and partner: those first of which the most are open, then the most frequent."""
    columns = (desk_case.c.kind, desk_case.c.partner_id)
    where = (desk_case.c.desk == desk.value, within(connection, party_gln))
    is_open, count = func.sum(sql_case((desk_case.c.closed_at.is_(None), 1), else_=0)), func.count()
    query = select(*columns, is_open, count).where(*where).group_by(*columns)
    rows = connection.execute(query.order_by(is_open.desc(), count.desc(), *columns).limit(MOST_SHOWN)).all()
    # One that was opened again keeps the cause of which it was closed: it counts as open, and has none.
    found: dict[tuple[str, int | None], list[tuple[str, int]]] = {}
    query = select(*columns, desk_case.c.root_cause, count).where(*where, desk_case.c.closed_at.is_not(None))
    query = query.group_by(*columns, desk_case.c.root_cause)
    for kind, partner, cause, number in connection.execute(
        query.order_by(count.desc(), desk_case.c.root_cause).limit(_MOST_CAUSES)
    ):
        found.setdefault((kind, partner), []).append((cause or "", number))
    glns = partners.glns(connection, {row[1] for row in rows})
    return [
        Cause(kind, glns.get(partner), int(waiting), number, tuple(found.get((kind, partner), ())))
        for kind, partner, waiting, number in rows
    ]


def partners_at(connection: Connection, desk: Desk, party_gln: str | None) -> dict[str, str]:
    """With whom a desk ever had a case: GLN to name, by name."""
    query = select(desk_case.c.partner_id).where(
        desk_case.c.desk == desk.value, within(connection, party_gln)
    )
    known = partners.by_numbers(
        connection, connection.execute(query.where(desk_case.c.partner_id.is_not(None)).distinct()).scalars()
    )
    return {each.gln: each.name for each in sorted(known, key=lambda each: (each.name.lower(), each.gln))}
