"""What a party has and what is on its way to it, counted by product, lot and expiry: by the database, in one query.

Custody is kept on the outermost object, so most packages have no row that says who has them. The party's outermost
things are found by an index, and from them the containers are followed inward, all at once, with what stands over
them: a pallet's hold or recall counts for each package in it, and so does that it was not found where it should be;
what was destroyed or dispensed with its container is left out::

    outermost: held by the party, or under way to it --parent*--> all that is in it --> packages, by (ns, lot, expiry)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, Text, bindparam, text

from ledger.custody.state import MAX_DEPTH

_TOP = """
WITH RECURSIVE top (item_id, coming) AS (
    SELECT i.item_id, 0 FROM item i
    WHERE i.holder_id = :party AND NOT i.in_transit AND i.parent_id IS NULL AND i.status NOT IN (3, 5)
    UNION ALL
    SELECT i.item_id, 1 FROM item i
    WHERE i.bound_for_id = :party AND i.in_transit AND i.parent_id IS NULL AND i.status NOT IN (3, 5)
)"""
_INSIDE = """,
here (item_id, ns, lot_id, expiry, parent_id, status, coming, held, recalled, missing, depth) AS (
    SELECT i.item_id, i.ns, i.lot_id, i.expiry, i.parent_id, i.status, o.coming,
           CASE WHEN i.held IS NULL THEN 0 ELSE 1 END, CASE WHEN i.recalled THEN 1 ELSE 0 END,
           CASE WHEN i.missing THEN 1 ELSE 0 END, 1
    FROM top o JOIN item i ON i.item_id = o.item_id
    UNION ALL
    SELECT i.item_id, i.ns, i.lot_id, i.expiry, i.parent_id, i.status, h.coming,
           CASE WHEN h.held = 1 OR i.held IS NOT NULL THEN 1 ELSE 0 END,
           CASE WHEN h.recalled = 1 OR i.recalled THEN 1 ELSE 0 END,
           CASE WHEN h.missing = 1 OR i.missing THEN 1 ELSE 0 END, h.depth + 1
    FROM here h JOIN item i ON i.parent_id = h.item_id
    WHERE i.status NOT IN (3, 5) AND h.depth < :depth
)
SELECT h.ns, l.serial AS lot, h.expiry, h.coming, h.missing,
       COUNT(*) AS packages,
       COUNT(DISTINCT h.parent_id) AS containers,
       SUM(CASE WHEN h.parent_id IS NULL THEN 1 ELSE 0 END) AS loose,
       SUM(h.held) AS held,
       SUM(CASE WHEN h.recalled = 1 OR COALESCE(l.recalled, :no) THEN 1 ELSE 0 END) AS recalled,
       SUM(CASE WHEN h.held = 0 AND h.recalled = 0 AND NOT COALESCE(l.recalled, :no) THEN 1 ELSE 0 END) AS usable
FROM here h LEFT JOIN item l ON l.item_id = h.lot_id
WHERE h.ns LIKE '01/%' AND h.status IN (0, 1, 2)
  AND (:ns IS NULL OR h.ns = :ns) AND (:lot IS NULL OR l.serial = :lot)
  AND NOT EXISTS (SELECT 1 FROM contained c WHERE c.parent = h.item_id)
GROUP BY h.ns, l.serial, h.expiry, h.coming, h.missing
ORDER BY h.coming, h.ns, h.expiry, l.serial, h.missing
LIMIT :most
"""

_OF_CONTAINERS = """
SELECT o.coming, COUNT(*) AS containers
FROM top o JOIN item i ON i.item_id = o.item_id
WHERE NOT i.missing AND EXISTS (SELECT 1 FROM item c WHERE c.parent_id = i.item_id)
GROUP BY o.coming
"""
_STOCK, _CONTAINERS = _TOP + _INSIDE, _TOP + _OF_CONTAINERS


@dataclass(frozen=True, slots=True)
class Counted:
    """Packages of one GTIN, lot and expiry in one place. `coming`: under way to the party; `missing`: the container
    where they should be was opened, and they were not in it. `containers`: in how many they lie directly; `loose`: how
    many lie in none. `held` and `recalled` may name the same package; `usable`: neither."""

    gtin: str
    lot: str | None
    expiry: date | None
    coming: bool
    missing: bool
    packages: int
    containers: int
    loose: int
    held: int
    recalled: int
    usable: int


@dataclass(frozen=True, slots=True)
class Outermost:
    """How many containers with something in them, none of them missing, lie by themselves: here, and on their way."""

    here: int
    coming: int


def stock(
    connection: Connection, party_id: int, *, gtin: str | None = None, lot: str | None = None, most: int
) -> Sequence[Counted]:
    """What the party has, and then what is on its way to it, by GTIN-14, expiry and lot; at most `most` groups. A lot's
    recall and its packages' own count alike. Containers are no packages, an emptied case neither."""
    query = text(_STOCK).bindparams(
        bindparam("party", type_=Integer),
        bindparam("ns", type_=Text),
        bindparam("lot", type_=Text),
        bindparam("no", type_=Boolean),
        bindparam("most", type_=BigInteger),
    )
    asked: dict[str, Any] = {
        "party": party_id,
        "depth": MAX_DEPTH,
        "ns": f"01/{gtin}" if gtin else None,
        "lot": lot or None,
        "no": False,
        "most": most,
    }
    return [
        Counted(
            row.ns[3:], row.lot, date.fromordinal(row.expiry) if row.expiry is not None else None,
            bool(row.coming), bool(row.missing), row.packages, row.containers, int(row.loose), int(row.held),
            int(row.recalled), int(row.usable),
        )
        for row in connection.execute(query, asked)
    ]  # fmt: skip


def outermost(connection: Connection, party_id: int) -> Outermost:
    """How many pallets and cases the party has, and how many are on their way to it."""
    found = {row.coming: row.containers for row in connection.execute(text(_CONTAINERS), {"party": party_id})}
    return Outermost(found.get(0, 0), found.get(1, 0))
