"""Cases of what no event says: it follows from what has not come, or from what is known now, and changes by itself.

Nothing is written beside an event of what is found so, and so no capture can open its case. It is looked at when
somebody looks at the queue, and by ``packproof sweep``, which is for whoever looks at it too seldom::

    look(database, clock, "0370000000011")     one party's;  None: everybody's

*Data No Product*: some of a shipment came, and this did not. *A key in doubt*: what it signed has to be looked through.
*Information missing*, *withheld*: a sale, a purchase, whose TI has gaps. *Told before its time*: that has come, and
nobody has adopted it. And what rests on licences, which may be
entered late. Each has one case, called after what it is about, so that nobody's decision to close it is undone by
looking again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, tuple_

from app.cases import many
from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import ahead
from app.custody import service as custody
from app.custody.ahead import Overdue
from app.custody.outstanding import AT_ONCE, outstanding, under_way
from app.events import acts as events
from app.exceptions.models import exception_case
from app.exceptions.rules import COMPUTED, OwnKind
from app.exceptions.service import OwnCase, hold_to, open_own
from app.exceptions.settling import close_itself, open_pages, settle
from app.partners import service as partners
from app.shared.clock import Clock
from app.transactions import purchases
from app.transactions import service as sales
from ledger.custody.findings import FindingCode
from ledger.store.sql.engine import Database

_MOST = 1_000  # links, shipments or cases looked at in one go
_AT_ONCE = 20  # cases whose documents are read together
_SALES = 200  # of these cases, read together
_LONGEST_DETAIL = 1_000
_NOT_THERE = (OwnKind.NOT_RECEIVED.value, OwnKind.LOST.value)


def look(database: Database, clock: Clock, party_gln: str | None) -> None:
    """Open and close what is due of a party's cases, or of everybody's. Reads first: who looks does not wait for
    writers where there is nothing to write."""
    with database.reading() as connection:
        turned = _turned(connection, party_gln)
        fresh = [*_not_arrived(connection, clock, party_gln), *_in_doubt(connection, party_gln)]
        fresh += _waiting(connection, clock, party_gln)
        there = cases.some(connection, [new.case_id for new in fresh])
        fresh = [new for new in fresh if new.case_id not in there]
        complete = [*_complete(connection, party_gln), *_adopted(connection, party_gln)]
    if turned or fresh or complete:
        with database.writing() as connection:
            if turned:
                hold_to(connection, clock, turned)
            for gln in sorted({new.party_gln for new in fresh}):
                partners.hold(connection, gln)  # two who look at once open one case
            there = cases.some(connection, [new.case_id for new in fresh])
            for new in fresh:
                if new.case_id not in there:
                    open_own(connection, clock, new, cases.SYSTEM)
            for case_id in complete:
                close_itself(connection, clock, case_id)
    settle(database, clock, party_gln)


def open_incomplete(
    database: Database, clock: Clock, by: str, index: int, seqs: Iterable[int], gaps: Iterable[str]
) -> None:
    """Open the case of a document whose sales lack something for their transaction information (FD&C Act 581(26))."""
    new = OwnCase(
        kind=OwnKind.INFORMATION_MISSING,
        party_gln=by,
        partner_gln=None,
        subject=f"entry {index}",
        detail=" ".join(gaps)[:_LONGEST_DETAIL],
        data={"entry": index, "seqs": sorted(seqs)},
        case_id=f"exc_information_{index}",
    )
    with database.writing() as connection:
        partners.hold(connection, by)
        if not cases.some(connection, [new.case_id]):
            open_own(connection, clock, new, cases.SYSTEM)


def _turned(connection: Connection, party_gln: str | None) -> list[int]:
    """Events whose case rests on what is known now, and is no longer as it was. Of a party's the first are looked at,
    for whoever looks waits; of everybody's all, or a flood of one would keep all others from being looked at."""
    key = (exception_case.c.kind, exception_case.c.seq, exception_case.c.item_id)
    query = select(*key).where(exception_case.c.kind.in_(sorted(COMPUTED)), exception_case.c.standing)
    query = query.order_by(*key).limit(_MOST)
    if party_gln is not None:
        party = partners.by_gln(connection, party_gln)
        query = query.where(exception_case.c.party_id == (party.party_id if party else None))
    turned: set[int] = set()
    page = connection.execute(query).all()
    while page:
        found = {
            (each.code.value, each.seq) for each in custody.findings_of(connection, {row.seq for row in page})
        }
        turned.update(row.seq for row in page if (row.kind, row.seq) not in found)
        if party_gln is not None or len(page) < _MOST:
            break
        page = connection.execute(query.where(tuple_(*key) > tuple_(*page[-1]))).all()
    return sorted(turned)


def _not_arrived(connection: Connection, clock: Clock, party_gln: str | None) -> list[OwnCase]:
    """Of shipments that came in part, what is still under way: one case for a shipment, unless the dock has it.

    Those that had one are passed over, and of everybody's all that is under way is looked at: what never arrives would
    keep the rest from being found. Of a party's the first are, for whoever looks waits.
    """
    party = partners.by_gln(connection, party_gln) if party_gln else None
    if party_gln is not None and party is None:
        return []
    shipments: dict[int, list[int]] = defaultdict(list)
    page = under_way(connection, party.party_id if party else None)
    while page:
        for each in outstanding(connection, clock.now(), page):
            if each.code is FindingCode.DATA_NO_PRODUCT and each.item_id is not None:
                shipments[each.seq].append(each.item_id)
        page = under_way(connection, after=page[-1]) if party is None and len(page) == AT_ONCE else []
    there = cases.some(connection, [_of_shipment(seq) for seq in shipments])
    fresh = [seq for seq in sorted(shipments) if _of_shipment(seq) not in there]
    shipments = {seq: shipments[seq] for seq in fresh[:_MOST]}
    numbers = [number for items in shipments.values() for number in items]
    known = many.waiting(connection, Desk.EXCEPTIONS, _NOT_THERE, (), numbers, _MOST)
    at_the_dock = {
        n for some in many.item_numbers(connection, [c.case_id for c in known]).values() for n in some
    }
    parties = _parties(connection, shipments)
    keys = custody.keys_of(connection, numbers)
    return [
        OwnCase(
            kind=OwnKind.NOT_RECEIVED,
            party_gln=parties[seq][1],
            partner_gln=parties[seq][0],
            subject=keys[missing[0]],
            items=tuple(missing),
            detail="What was shipped with it was received, and this was not.",
            case_id=_of_shipment(seq),
        )
        for seq, items in shipments.items()
        if (missing := [number for number in items if number not in at_the_dock]) and seq in parties
    ]


def _of_shipment(seq: int) -> str:
    return f"exc_shipment_{seq}"


def _parties(connection: Connection, seqs: Mapping[int, object]) -> dict[int, tuple[str | None, str]]:
    """Who sent these shipments, and to whom; those to nobody are left out."""
    ends = events.ends(connection, seqs)
    glns = partners.glns(connection, {n for each in ends.values() for n in (each.by_id, each.recipient_id)})
    return {
        seq: (glns.get(each.by_id), glns[each.recipient_id])
        for seq, each in ends.items()
        if each.recipient_id is not None
    }


def _in_doubt(connection: Connection, party_gln: str | None) -> list[OwnCase]:
    """Keys that were revoked and are in doubt since before, by which something was signed since then."""
    return [
        OwnCase(
            kind=OwnKind.KEY_SUSPECT,
            party_gln=each.party_gln,
            partner_gln=None,
            subject=each.label,
            detail=f"{each.events} events are signed by {each.label}, which is in doubt since entry {each.since}.",
            case_id=f"exc_key_{each.thumbprint.hex()[:32]}",
        )
        for each in custody.keys_in_doubt(connection)
        if party_gln in (None, each.party_gln)
    ]


def _waiting(connection: Connection, clock: Clock, party_gln: str | None) -> list[OwnCase]:
    """What was told before its time, which is over, and waits for a person: one case for a document. Those that have
    one are passed over, or what one party leaves waiting would keep all others' from being found."""
    party = partners.by_gln(connection, party_gln) if party_gln else None
    if party_gln is not None and party is None:
        return []
    number = party.party_id if party else None
    found: list[Overdue] = []
    after, page = -1, _MOST
    while page == _MOST and len(found) < _MOST:
        some = ahead.overdue(connection, number, clock.now() - ahead.OVERDUE, _MOST, after)
        there = cases.some(connection, [_of_ahead(each.index) for each in some])
        found += [each for each in some if _of_ahead(each.index) not in there]
        after, page = max((each.index for each in some), default=after), len(some)
    glns = partners.glns(connection, {each.by_id for each in found})
    return [
        OwnCase(
            kind=OwnKind.TOLD_AHEAD,
            party_gln=glns[each.by_id],
            partner_gln=None,
            subject=f"entry {each.index}",
            detail=f"Events that wait: {each.events}, the first of {each.happens_at:%Y-%m-%d %H:%M} UTC. They were "
            "told before their time, and have no effect until somebody adopts them.",
            data={"entry": each.index},
            case_id=_of_ahead(each.index),
        )
        for each in found
    ]


def _of_ahead(index: int) -> str:
    """The case of what waits of this entry."""
    return f"exc_ahead_{index}"


def _adopted(connection: Connection, party_gln: str | None) -> list[str]:
    """Cases of documents of which nothing waits any more: it was adopted, or declared wrong."""
    found: list[str] = []
    for page in open_pages(connection, party_gln, (OwnKind.TOLD_AHEAD.value,)):
        still = ahead.still_waiting(connection, {each.data["entry"] for each in page})
        found += [each.case_id for each in page if each.data["entry"] not in still]
    return found


def _complete(connection: Connection, party_gln: str | None) -> list[str]:
    """Cases of sales, and of what was bought, whose transaction information has no gap any more."""
    kinds = (OwnKind.INFORMATION_MISSING.value, OwnKind.INFORMATION_WITHHELD.value)
    found: list[str] = []
    for page in open_pages(connection, party_gln, kinds):
        for start in range(0, len(page), _AT_ONCE):
            found += _complete_of(connection, page[start : start + _AT_ONCE])
    return found


def _complete_of(connection: Connection, some: Sequence[DeskCase]) -> list[str]:
    """Those of these cases, by few queries."""
    sold = [each for each in some if each.kind == OwnKind.INFORMATION_MISSING]
    bought = [each for each in some if each.kind == OwnKind.INFORMATION_WITHHELD]
    found = _without_gaps(connection, {each.case_id: list(each.data.get("seqs", ())) for each in sold})
    standing = {
        each.seq: each.standing
        for each in purchases.purchases(connection, (seq for each in bought for seq in each.data["seqs"]))
    }
    for case in bought:
        stands = purchases.worst(standing[seq] for seq in case.data["seqs"] if seq in standing)
        if stands is purchases.Standing.COMPLETE:
            found.append(case.case_id)
    return found


def _without_gaps(connection: Connection, left: dict[str, list[int]]) -> list[str]:
    """Those of these cases none of whose sales lacks anything. A case may keep thousands of sales and is looked at
    whenever somebody opens the desk: a piece of each is read at a time, and one with a gap no further."""
    found: list[str] = []
    while left:
        most = max(1, _SALES // len(left))
        gaps = sales.gaps_of(connection, (seq for seqs in left.values() for seq in seqs[:most]))
        whole = {case_id: seqs for case_id, seqs in left.items() if gaps.keys().isdisjoint(seqs[:most])}
        found += [case_id for case_id, seqs in whole.items() if len(seqs) <= most]
        left = {case_id: seqs[most:] for case_id, seqs in whole.items() if len(seqs) > most}
    return found
