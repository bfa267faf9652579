"""Of whom a party bought a package: the last sale to it, of the package itself or of what it was in at that time."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.custody.models import contained
from app.events.models import event, event_epc
from app.shared.chunks import chunks
from ledger.custody.state import MAX_DEPTH

_Span = tuple[int, int, int]
"""(number of an item, from position, to below position)."""
_MOST_SPANS = 4 * MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale to a party: the seller's number and the event's."""

    seller_id: int
    seq: int


def sales_to(
    connection: Connection, party_id: int, items: list[int], *, before: int | None = None
) -> dict[int, Sale]:
    """For each of these items the last sale that brought it to the party with the number `party_id`; the last one
    before a position in custody's order, where that is given."""
    spans = _spans(connection, items)
    named = sorted({outer for each in spans.values() for outer, _, _ in each})
    sales = _sales(connection, party_id, named)
    found: dict[int, Sale] = {}
    for number, around in spans.items():
        fitting = [
            sale
            for outer, since, until in around
            for sale in sales.get(outer, ())
            if since <= sale[0] < until and (before is None or sale[0] < before)
        ]
        if fitting:
            _, seller, seq = max(fitting)
            found[number] = Sale(seller, seq)
    return found


def _spans(connection: Connection, items: list[int]) -> dict[int, list[_Span]]:
    """Each item with every container that was ever around it, at any depth, and when."""
    parents: dict[int, list[_Span]] = {}
    todo = set(items)
    for _ in range(MAX_DEPTH):
        new: set[int] = set()
        for chunk in chunks(sorted(todo)):
            columns = (contained.c.child, contained.c.parent, contained.c.f, contained.c.t)
            for child, *span in connection.execute(select(*columns).where(contained.c.child.in_(chunk))):
                parents.setdefault(child, []).append((span[0], span[1], span[2]))
                new.add(span[0])
        todo = new - parents.keys()
        if not todo:
            break
    found: dict[int, list[_Span]] = {}
    for number in items:
        around: list[_Span] = [(number, -(2**63), 2**63 - 1)]
        for outer, since, until in around:  # it grows while it is gone through: containers of containers
            for parent, f, t in parents.get(outer, ()):
                begins, ends = max(since, f), min(until, t)
                if begins < ends and len(around) < _MOST_SPANS:
                    around.append((parent, begins, ends))
        found[number] = around
    return found


def _sales(connection: Connection, party_id: int, items: list[int]) -> dict[int, list[_Span]]:
    """Sales of these items to the party, as (position, number of the seller, number of the event)."""
    found: dict[int, list[_Span]] = {}
    query = (
        select(event_epc.c.item_id, event.c.pos, event.c.seller_id, event.c.by_id, event.c.seq)
        .join(event, event.c.seq == event_epc.c.seq)
        .where(event.c.biz_step == "shipping", event.c.buyer_id == party_id, event.c.effective)
    )
    for chunk in chunks(items):
        for row in connection.execute(query.where(event_epc.c.item_id.in_(chunk))):
            seller = row.seller_id if row.seller_id is not None else row.by_id
            if seller != party_id:
                found.setdefault(row.item_id, []).append((row.pos, seller, row.seq))
    return found
