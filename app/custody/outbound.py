"""Who shipped a package to whom, whatever it was in at the time: what a return is matched with."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, bindparam, select, text

from app.events.models import event
from app.events.roles import OBJECT, PARENT
from app.shared.chunks import chunks

# The package, and around it every container with the time it was in there; and who shipped any of these then.
_OUTBOUND = """
WITH RECURSIVE around (item_id, f, t) AS (
    SELECT CAST(:item_id AS BIGINT), CAST(-9223372036854775807 AS BIGINT), CAST(9223372036854775807 AS BIGINT)
    UNION
    SELECT c.parent, {later}(a.f, c.f), {earlier}(a.t, c.t)
    FROM around a JOIN contained c ON c.child = a.item_id
    WHERE c.f < a.t AND c.t > a.f
)
SELECT e.seq, e.pos, e.recipient_id, e.buyer_id, e.seller_id, e.statement
FROM around a
JOIN event_epc x ON x.item_id = a.item_id AND x.role IN (:object, :parent)
JOIN event e ON e.seq = x.seq AND e.pos >= a.f AND e.pos < a.t
WHERE e.by_id = :by AND e.biz_step = 'shipping' AND e.effective AND e.declared_at = 0
  AND (e.disposition IS NULL OR e.disposition <> 'returned')
  AND NOT EXISTS (
      SELECT 1 FROM event w WHERE w.by_id = e.by_id AND w.event_id = e.event_id AND w.declared_at <> 0
  )
ORDER BY e.pos DESC, e.event_id DESC
LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One shipment of a package by a party. `buyer_id` None, or the seller itself: no transaction. `statement`: whether
    its transaction statement was affirmed."""

    seq: int
    recipient_id: int | None
    buyer_id: int | None
    seller_id: int | None
    statement: bool


def outbound(connection: Connection, item_id: int, by_id: int) -> list[Outbound]:
    """The shipments by the party with this number of the package with that, the newest first; 100 at most."""
    scalar = {"later": "max", "earlier": "min"}
    if connection.dialect.name == "postgresql":
        scalar = {"later": "greatest", "earlier": "least"}
    query = text(_OUTBOUND.format(**scalar)).bindparams(bindparam("item_id", type_=BigInteger))
    values = {"item_id": item_id, "by": by_id, "object": OBJECT, "parent": PARENT}
    rows = connection.execute(query, values)
    return [Outbound(r.seq, r.recipient_id, r.buyer_id, r.seller_id, bool(r.statement)) for r in rows]


def recipients(connection: Connection, seqs: Iterable[int]) -> dict[int, int | None]:
    """To which party each of these events sent its goods, by number."""
    found: dict[int, int | None] = {}
    for chunk in chunks(sorted(set(seqs))):
        query = select(event.c.seq, event.c.recipient_id).where(event.c.seq.in_(chunk))
        found |= dict(connection.execute(query).all())
    return found
