"""Cases that close by themselves though they rest on no finding: what was missing came or was voided, what was unknown
is known.

They were opened at the dock or from a scan. They are looked at where the data arrives (`touched`, with the projection
that brought it), when custody was made anew, and when somebody looks at the queue (`settle`). Many are looked at with a
few queries: first all their items are read, then each is judged.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest

from sqlalchemy import Connection

from app.cases import many
from app.cases import service as cases
from app.cases.choice import Choice
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import loading
from app.custody.projector import Projection
from app.errors import Conflict
from app.events import acts as events
from app.exceptions.rules import CORRECTED, OwnKind
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.custody.state import Item
from ledger.store.sql.engine import Database

BY_ITSELF = "corrected data"
CLOSED = "closed"
_NOT_THERE = (OwnKind.NOT_RECEIVED, OwnKind.LOST)
_SETTLES = tuple(kind.value for kind in (*_NOT_THERE, OwnKind.NO_DATA))
_TOUCHED = many.query_of(events.PARTIES_OF)
_MOST_LOOKED_AT = 200  # cases looked at in one go
_MOST_ITEMS = 5_000  # of them; what is beyond is looked at another time


def close_itself(connection: Connection, clock: Clock, case_id: str) -> None:
    """End a case whose discrepancy is gone, unless somebody has ended it a moment ago: no capture fails on that."""
    text = "Closed by itself: corrected data arrived, and nothing is amiss now."
    with suppress(Conflict):
        cases.close(connection, clock, case_id, BY_ITSELF, CLOSED, text=text, root_cause=CORRECTED)


def touched(connection: Connection, clock: Clock, projection: Projection) -> None:
    """Close what a projection has put right: cases of the items that it changed, and of those whose goods moved."""
    some = zip_longest(chunks(sorted(projection.seqs)), chunks(sorted(projection.item_ids)), fillvalue=())
    told = ({"seqs": seqs, "items": items} for seqs, items in some)
    found = many.waiting_by(connection, _TOUCHED, Desk.EXCEPTIONS, _SETTLES, told, _MOST_LOOKED_AT)
    for case_id in _right(connection, found):
        close_itself(connection, clock, case_id)


def settle(database: Database, clock: Clock, party_gln: str | None) -> None:
    """Close what has come right of a party's open cases, or of everybody's. Reads first: who looks at a queue does not
    wait for writers."""
    with database.reading() as connection:
        pages = open_pages(connection, party_gln, _SETTLES)
        right = [case_id for page in pages for case_id in _right(connection, page)]
    if not right:
        return
    with database.writing() as connection:
        for case_id in right:
            close_itself(connection, clock, case_id)


def open_pages(
    connection: Connection, party_gln: str | None, kinds: Collection[str]
) -> Iterable[Sequence[DeskCase]]:
    """The open cases of these kinds, of everybody; of one party the most urgent ones."""
    after, choice = None, Choice(kinds=tuple(kinds))
    while page := cases.queue(
        connection, Desk.EXCEPTIONS, party_gln, choice=choice, after=after, limit=_MOST_LOOKED_AT
    ):
        yield page
        after = page[-1].place
        if party_gln is not None:
            return


def is_right(connection: Connection, case: DeskCase) -> bool:
    """Whether a case (read with its items) of a kind that closes by itself would close now."""
    return case.kind in _SETTLES and bool(_right(connection, [case]))


def _right(connection: Connection, found: Sequence[DeskCase]) -> list[str]:
    """Those of these cases that have come right."""
    if not found:
        return []
    items = many.item_numbers(connection, [each.case_id for each in found])
    chosen: list[DeskCase] = []
    room = _MOST_ITEMS
    for case in found:
        room -= len(items.get(case.case_id, ())) + len(_epcs(case))
        if room >= 0:
            chosen.append(replace(case, items=dict.fromkeys(items.get(case.case_id, ()), "")))
    epcs = [epc for case in chosen if case.kind == OwnKind.NO_DATA for epc in _epcs(case)]
    known = loading.load(connection, epcs)
    there = loading.load_numbers(connection, [number for case in chosen for number in case.items])

    def named(case: DeskCase) -> list[Item]:
        return [known.world.outer(known.world.item(epc)) for epc in _epcs(case)]

    def kept(case: DeskCase) -> list[Item]:
        return [there.world.outer(there.world.item(there.keys[number])) for number in case.items]

    return [case.case_id for case in chosen if _is_settled(case, named, kept)]


def _is_settled(
    case: DeskCase, named: Callable[[DeskCase], list[Item]], kept: Callable[[DeskCase], list[Item]]
) -> bool:
    """Whether nothing of it is under way to its party any more; or, of what was unknown, everything is its own now.
    Never where a person opened it against what the record said already."""
    if case.data.get("by_person"):
        return False
    ours = case.party_gln
    if case.kind == OwnKind.NO_DATA:
        outers = named(case)
        return bool(outers) and all(ours in (outer.bound_for, outer.holder) for outer in outers)
    outers = kept(case)
    return bool(outers) and not any(outer.in_transit and outer.bound_for == ours for outer in outers)


def _epcs(case: DeskCase) -> list[str]:
    return [str(each) for each in case.data.get("epcs", [])]
