"""Of whom a party bought a package: the last sale to it, of the package itself or of what it was in at that time."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.custody.counting import stands
from app.custody.models import finding
from app.custody.spans import spans
from app.events.models import event, event_epc
from app.shared.chunks import chunks
from ledger.custody.findings import FindingCode

_Sale = tuple[int, int, int]
"""(position, number of the seller, number of the event)."""
_NOT_ITS_OWN = (FindingCode.NOT_HOLDER.value, FindingCode.NOT_ISSUER.value)


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale to a party: the seller's number and the event's."""

    seller_id: int
    seq: int


def sales_to(
    connection: Connection, party_id: int, items: list[int], *, before: int | None = None
) -> dict[int, Sale]:
    """For each of these items the last sale that brought it to the party with the number `party_id`; the last one
    before a position in custody's order, where that is given. What somebody reports to have sold who did not have it
    brought nothing: anybody can report that of any package."""
    around = spans(connection, items)
    named = sorted({outer for each in around.values() for outer, _, _ in each})
    sales = _sales(connection, party_id, named)
    by_strangers = strangers(connection, {sale[2] for each in sales.values() for sale in each})
    found: dict[int, Sale] = {}
    for number, those in around.items():
        fitting = [
            sale
            for outer, since, until in those
            for sale in sales.get(outer, ())
            if since <= sale[0] < until and (before is None or sale[0] < before)
        ]
        if by_strangers:  # found of the outermost that was named
            fitting = [
                sale
                for sale in fitting
                if not any(
                    since <= sale[0] < until and (sale[2], n) in by_strangers for n, since, until in those
                )
            ]
        if fitting:
            _, seller, seq = max(fitting)
            found[number] = Sale(seller, seq)
    return found


def _sales(connection: Connection, party_id: int, items: list[int]) -> dict[int, list[_Sale]]:
    """Sales of these items to the party, of those that stand: one that was declared wrong brought nothing."""
    found: dict[int, list[_Sale]] = {}
    query = (
        select(event_epc.c.item_id, event.c.pos, event.c.seller_id, event.c.by_id, event.c.seq)
        .join(event, event.c.seq == event_epc.c.seq)
        .where(event.c.biz_step == "shipping", event.c.buyer_id == party_id, stands())
    )
    for chunk in chunks(items):
        for row in connection.execute(query.where(event_epc.c.item_id.in_(chunk))):
            seller = row.seller_id if row.seller_id is not None else row.by_id
            if seller != party_id:
                found.setdefault(row.item_id, []).append((row.pos, seller, row.seq))
    return found


def strangers(connection: Connection, seqs: Iterable[int]) -> set[tuple[int, int]]:
    """Of which item (number) an event (number) among these was told by somebody who did not have it. Of several that
    it names, one inside the other, it is the outermost."""
    found: set[tuple[int, int]] = set()
    query = select(finding.c.seq, finding.c.item_id).where(finding.c.code.in_(_NOT_ITS_OWN))
    for chunk in chunks(sorted(set(seqs))):
        found.update(
            (row.seq, row.item_id) for row in connection.execute(query.where(finding.c.seq.in_(chunk)))
        )
    return found
