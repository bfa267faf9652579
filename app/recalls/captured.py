"""Recalls that come by other ways than the desk: a document of the maker's, signed or not, or ``packproof recall``.

Custody follows by itself, since a recall is an event like any other. What is a desk's follows here: the maker's case
opens with the capture (`follow`, under the ledger's lock, where nobody is looked for), and everybody who has a package
is told after it (`tell_waiting`, which may take seconds for a large lot): at once by whoever captured, or else when
somebody looks at the desk. Then too the shipments get their cases that it should have stopped and that were told
before it. A document that ends a recall ends its case in the same way.

The desk's own acts name their case in the event (`reference_of`), so that what it knows besides, the class, the reason
and what to do, is told with it: a case that waits for the desk is left to it for `DESKS_OWN`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase, NewCase
from app.custody import loading
from app.custody.asked import shipped_since_recalled
from app.custody.projector import Projection
from app.custody.whereabouts import Population
from app.errors import AppError
from app.events.acts import StoredAct, ends, read, recalling
from app.exceptions.service import hold_to
from app.products import service as products
from app.recalls import notices
from app.recalls.rules import CLASSES, RecallClass, Scope
from app.shared.clock import Clock
from ledger.custody.event import Event, Linked
from ledger.custody.life import ends_recall
from ledger.gs1.epc import Lgtin, Sgtin, parse_epc
from ledger.gs1.gtin import Gtin
from ledger.store.sql.engine import Database

log = structlog.get_logger(__name__)

RECALL = "recall"
RECALLED = "recalled"
DESKS_OWN = timedelta(minutes=10)
# What is still to be told of a case, in its `data`: a recall; one that the desk itself began; the end of one.
WAITS, BEGUN, ENDED, TOLD = "recall", "desk", "end", ""
_REASON = "Recalled by a document of its maker, which gives no reason."
_INSTRUCTION = "Set apart what you have, and ask its maker what to do with it."


def reference_of(gln: str, case_id: str) -> Linked:
    """What an act of the desk's names its case by: a business transaction of no CBV type."""
    return Linked("", f"urn:epcglobal:cbv:bt:{gln}:{case_id}")


def tells_of_recall(event: Event) -> bool:
    """Whether an event calls something back, or takes that back."""
    return event.disposition == RECALLED or ends_recall(event)


def follow(connection: Connection, clock: Clock, projection: Projection, acts: Sequence[StoredAct]) -> None:
    """Open and end the cases of `acts`, which custody knows by now, and of those that were projected again with them.

    Nothing is asked where none of these is of a recall and none came late.
    """
    again = projection.seqs - {stored.seq for stored in acts}
    for stored in (*acts, *(read(connection, recalling(connection, again)) if again else ())):
        if tells_of_recall(stored.act.event):
            recalled, free = _concerned(connection, stored)
            _open(connection, clock, stored, recalled)
            _end(connection, clock, stored, free)


def tell_waiting(database: Database, clock: Clock) -> None:
    """Tell everybody whom a recall, or its end, was not told to yet. Costs one query where nothing waits."""
    with database.reading() as connection:
        found = [
            each
            for word, closed in ((WAITS, False), (BEGUN, False), (ENDED, True))
            for each in cases.queue(connection, Desk.RECALLS, None, saying=("waits", word), closed=closed)
            if word != BEGUN or each.opened_at + DESKS_OWN < clock.now()
        ]
    for each in found:
        with database.snapshot() as connection:
            case = cases.case(connection, Desk.RECALLS, each.case_id, None)
            whom = notices.reached(connection, case.party_gln, population_of(case)) if case.is_open else None
            too_late = shipped_since_recalled(connection, case.data["entry"]) if case.is_open else []
        with database.writing() as connection:
            case = cases.case(connection, Desk.RECALLS, each.case_id, None)
            if not case.data["waits"]:
                continue  # somebody was quicker
            cases.keep(connection, case.case_id, {**case.data, "waits": TOLD})
            hold_to(connection, clock, too_late)
            if case.is_open and whom is not None:
                if not notices.tell(connection, clock, case, whom):
                    cases.say(
                        connection, clock, case.case_id, cases.SYSTEM, "By the record, nobody else has it."
                    )
            elif not case.is_open:
                notices.end(connection, clock, case, case.thread[-1].text)


def tell_soon(database: Database, clock: Clock) -> None:
    """`tell_waiting`, by whoever has just captured: what they captured stands, whatever becomes of this."""
    try:
        tell_waiting(database, clock)
    except (DBAPIError, AppError) as error:
        log.warning("a recall waits to be told", error=type(error).__name__)


def population_of(case: DeskCase) -> Population:
    """The packages that a recall is about, by the numbers its case keeps."""
    if case.data.get("serials"):
        return Population(packages=tuple(sorted(case.items)))
    return Population(lots=tuple(sorted(case.items)))


def about(connection: Connection, scope: Scope) -> dict[str, Any]:
    """What a recall's case keeps of its scope."""
    product = products.by_gtins(connection, [scope.gtin.digits]).get(scope.gtin.digits)
    return {
        "gtin": scope.gtin.digits,
        "product": product.title if product else f"GTIN {scope.gtin.digits}",
        "lots": list(scope.lots),
        "serials": len(scope.serials),
        "scope": scope.said,
    }


def title_of(data: dict[str, Any]) -> str:
    """How a recall's case is called."""
    return f"Recall of {data['product']}, {data['scope']}"


def _open(connection: Connection, clock: Clock, stored: StoredAct, numbers: dict[str, int]) -> None:
    """A case for what this act has recalled and no open recall of its maker's is about."""
    gln, event = stored.act.by, stored.act.event
    known = cases.about(connection, Desk.RECALLS, numbers.values(), gln)
    fresh = {
        key: number
        for key, number in numbers.items()
        if not any(each.kind == RECALL for each in known.get(number, ()))
    }
    if not fresh:
        return
    entry = ends(connection, [stored.seq])[stored.seq].index
    own = _own_case(event, gln)
    begun = bool(own) and not cases.some(connection, [own])
    for scope in _scopes(fresh):
        data = about(connection, scope)
        texts = {"class": RecallClass.NONE.value, "reason": _REASON, "instruction": _INSTRUCTION}
        keys = scope.keys()
        new = NewCase(
            Desk.RECALLS,
            RECALL,
            gln,
            title_of(data),
            subject=keys[0] if len(keys) == 1 and scope.lots else f"GTIN {scope.gtin.digits}",
            due_at=clock.now() + CLASSES[RecallClass.NONE][1],
            data={**data, **texts, "entry": entry, "waits": BEGUN if begun else WAITS},
            items=dict.fromkeys((fresh[key] for key in keys), RECALLED),
            case_id=own if begun else "",
        )
        text = f"Recalled by a document of yours, which says neither how grave it is nor why: entry {entry}."
        cases.open_case(connection, clock, new, text="Called back at this desk." if begun else text)
        begun = False  # the desk calls one thing back at a time


def _end(connection: Connection, clock: Clock, stored: StoredAct, numbers: dict[str, int]) -> None:
    """End the maker's cases of which nothing is recalled any more, but the one that its desk is ending itself."""
    gln = stored.act.by
    found = cases.about(connection, Desk.RECALLS, numbers.values(), gln)
    recalls = {each.case_id for listed in found.values() for each in listed if each.kind == RECALL}
    recalls -= {_own_case(stored.act.event, gln)}
    if not recalls:
        return
    entry = ends(connection, [stored.seq])[stored.seq].index
    for case_id in sorted(recalls):
        case = cases.case(connection, Desk.RECALLS, case_id, gln)
        loaded = loading.load_numbers(connection, case.items)
        if any(loaded.world.item(loaded.keys[number]).recalled for number in case.items):
            continue
        cases.keep(connection, case_id, {**case.data, "waits": ENDED})
        text = f"Ended by a document of its maker: entry {entry}."
        cases.close(connection, clock, case_id, cases.SYSTEM, "ended", text=text)


def _own_case(event: Event, gln: str) -> str:
    """The case that an act of the desk names; '' for what came by another way."""
    stem = reference_of(gln, "").id
    named = (each.id.removeprefix(stem) for each in event.transactions if each.id.startswith(stem))
    return next((each for each in named if re.fullmatch(r"case_[a-z2-7]{26}", each)), "")


def _concerned(connection: Connection, stored: StoredAct) -> tuple[dict[str, int], dict[str, int]]:
    """The lots and packages that the act names and that are its author's own make, by key, with their numbers: those
    that are recalled now, and those that are not."""
    event = stored.act.event
    named = {*event.lots(), *(key for key in event.all_epcs() if "/21/" in key)}
    loaded = loading.load(connection, named)
    found: tuple[dict[str, int], dict[str, int]] = {}, {}
    for key in sorted(named & loaded.ids.keys()):
        item = loaded.world.item(key)
        if item.maker == stored.act.by:
            found[0 if item.recalled else 1][key] = loaded.ids[key]
    return found


def _scopes(keys: Iterable[str]) -> list[Scope]:
    """What these lots and packages are, product by product: lots and packages apart."""
    lots: dict[Gtin, list[str]] = {}
    serials: dict[Gtin, list[str]] = {}
    for epc in map(parse_epc, sorted(keys)):
        if isinstance(epc, Lgtin):
            lots.setdefault(epc.gtin, []).append(epc.lot)
        elif isinstance(epc, Sgtin):
            serials.setdefault(epc.gtin, []).append(epc.serial)
    by_lot = [Scope(gtin, lots=tuple(found)) for gtin, found in lots.items()]
    return by_lot + [Scope(gtin, serials=tuple(found)) for gtin, found in serials.items()]
