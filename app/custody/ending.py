"""At which site a package was dispensed or destroyed: what tells a rescan from a reappearance at another site.

The record keeps who ended a package and when; where stands in the event, and is read when what has ended is scanned.
"""

from sqlalchemy import Connection, select

from app.events.models import event, event_epc
from app.partners import service as partners
from ledger.custody.act import gln_of


def ended_site(connection: Connection, item_id: int, ended_at: int, ended_by: str) -> str | None:
    """The GLN of the site where the party `ended_by` (GLN) ended the item with this number at this position, by
    its own event; None where that names no place, or only the company."""
    by = partners.by_gln(connection, ended_by)
    if by is None:
        return None
    query = (
        select(event.c.read_point, event.c.biz_location)
        .join(event_epc, event_epc.c.seq == event.c.seq)
        .where(event_epc.c.item_id == item_id, event.c.pos == ended_at, event.c.by_id == by.party_id)
        .where(event.c.effective, event.c.declared_at == 0)
        .order_by(event.c.event_id)
    )
    for row in connection.execute(query):
        for place in (row.read_point, row.biz_location):
            gln = gln_of(place)
            if gln is not None and gln != ended_by:
                return gln
    return None
