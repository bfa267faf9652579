"""Where the packages of lots are, and whom a party shipped them to: counted by the database.

Nobody has scanned most of them: they are inside cases inside pallets. A lot of 100,000 packages lies in a few thousand
containers, so the containers are followed outward once each, and packages are joined to the outermost of theirs::

    packages of the lot --parent--> distinct containers --parent*--> outermost: holder, under way, destroyed
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, TextClause, bindparam, text

from app.custody import service as custody
from app.events.roles import OBJECT, PARENT
from app.partners import service as partners
from ledger.custody.state import MAX_DEPTH

MOST_LISTED = 500

_STATES = {2: "partially_dispensed", 3: "dispensed", 4: "decommissioned", 5: "destroyed"}


@dataclass(frozen=True, slots=True)
class Holding:
    """How many packages of the recall a party has: in hand, seen by their container's label alone, or under way."""

    gln: str
    name: str
    state: str  # held, under way, dispensed, destroyed or decommissioned
    packages: int
    inferred: int
    party_id: int | None = None


@dataclass(frozen=True, slots=True)
class InHand:
    """A package on its own, or a container with how many packages of the recall are directly in it."""

    epc: str
    packages: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A package, or an outermost container with how many packages of the recall in it, on its way to a party."""

    epc: str
    packages: int
    sender: str  # the name of whoever shipped it


@dataclass(frozen=True, slots=True)
class Population:
    """Which packages: all of these lots, and these packages, by the numbers of their items."""

    lots: tuple[int, ...] = ()
    packages: tuple[int, ...] = ()

    def bound(self, sql: str, **values: Any) -> tuple[TextClause, dict[str, Any]]:
        """`sql` with ``{population}`` on the alias `p` in place, and its parameters."""
        parts = [
            f"{column} IN :{name}"
            for column, name, numbers in (
                ("p.lot_id", "lots", self.lots),
                ("p.item_id", "packages", self.packages),
            )
            if numbers
        ]
        query = text(sql.replace("{population}", f"({' OR '.join(parts) or '1 = 0'})"))
        parameters = {"depth": MAX_DEPTH, **values}
        for name, numbers in (("lots", self.lots), ("packages", self.packages)):
            if numbers:
                query = query.bindparams(bindparam(name, expanding=True, type_=BigInteger))
                parameters[name] = list(numbers)
        return query, parameters


# Each container with packages of the recall, and what is around it, outward. `gone`: the nearest of them that was
# dispensed or destroyed with what is in it (ledger.custody.state.CONSUMED).
_OUTERMOST = """
WITH RECURSIVE box (item_id) AS (
    SELECT DISTINCT p.parent_id FROM item p WHERE {population} AND p.parent_id IS NOT NULL
),
up (box, at_id, parent_id, gone, depth) AS (
    SELECT i.item_id, i.item_id, i.parent_id, CASE WHEN i.status IN (3, 5) THEN i.item_id END, 1
    FROM box b JOIN item i ON i.item_id = b.item_id
    UNION ALL
    SELECT u.box, i.item_id, i.parent_id,
           COALESCE(u.gone, CASE WHEN i.status IN (3, 5) THEN i.item_id END), u.depth + 1
    FROM up u JOIN item i ON i.item_id = u.parent_id WHERE u.depth < :depth
),
outermost (box, at_id, gone) AS (
    SELECT box, at_id, gone FROM up WHERE parent_id IS NULL OR depth = :depth
)
"""

# One row for each way a package can be somewhere.
_WHERE = """
SELECT CASE WHEN p.status IN (3, 4, 5) THEN p.status WHEN g.item_id IS NOT NULL THEN g.status ELSE 0 END AS ended,
       CASE WHEN p.status IN (3, 4, 5) THEN p.ended_by_id WHEN g.item_id IS NOT NULL THEN g.ended_by_id END AS ended_by,
       CASE WHEN p.parent_id IS NULL THEN p.in_transit ELSE t.in_transit END AS in_transit,
       CASE WHEN p.parent_id IS NULL THEN p.holder_id ELSE t.holder_id END AS holder,
       CASE WHEN p.parent_id IS NULL THEN p.bound_for_id ELSE t.bound_for_id END AS bound_for,
       CASE WHEN p.status = 1 AND p.parent_id IS NOT NULL AND p.custody_since < t.custody_since
            THEN 1 ELSE 0 END AS inferred,
       COUNT(*) AS packages
FROM item p
LEFT JOIN outermost o ON o.box = p.parent_id
LEFT JOIN item t ON t.item_id = o.at_id
LEFT JOIN item g ON g.item_id = o.gone
WHERE {population}
GROUP BY 1, 2, 3, 4, 5, 6
"""

# What a party has in hand: packages on their own, and containers with how many are directly in them.
_IN_HAND = """
SELECT CASE WHEN p.parent_id IS NULL THEN p.item_id ELSE p.parent_id END AS item_id, COUNT(*) AS packages
FROM item p
LEFT JOIN outermost o ON o.box = p.parent_id
LEFT JOIN item t ON t.item_id = o.at_id
WHERE {population} AND p.status IN (0, 1, 2) AND o.gone IS NULL
  AND CASE WHEN p.parent_id IS NULL THEN p.holder_id ELSE t.holder_id END = :party
  AND NOT CASE WHEN p.parent_id IS NULL THEN p.in_transit ELSE t.in_transit END
GROUP BY 1
ORDER BY 1
LIMIT :most
"""

# What is on its way to a party: packages on their own, and outermost containers with how many are in them.
_UNDER_WAY = """
SELECT CASE WHEN p.parent_id IS NULL THEN p.item_id ELSE t.item_id END AS item_id,
       CASE WHEN p.parent_id IS NULL THEN p.sender_id ELSE t.sender_id END AS sender, COUNT(*) AS packages
FROM item p
LEFT JOIN outermost o ON o.box = p.parent_id
LEFT JOIN item t ON t.item_id = o.at_id
WHERE {population} AND p.status IN (0, 1, 2) AND o.gone IS NULL
  AND CASE WHEN p.parent_id IS NULL THEN p.bound_for_id ELSE t.bound_for_id END = :party
  AND CASE WHEN p.parent_id IS NULL THEN p.in_transit ELSE t.in_transit END
GROUP BY 1, 2
ORDER BY 1
LIMIT :most
"""

# All containers that packages of the recall were ever in; the shipments that name one of these or a package (where
# `by` is not null: its shipments alone); from there inward again, container by container, to what was in it when it
# left; and at last the packages, each looked up once and not carried through the recursion: there are many.
_SHIPPED = """
WITH RECURSIVE package (item_id) AS (
    SELECT p.item_id FROM item p WHERE {population}
),
box (item_id) AS (
    SELECT DISTINCT c.parent FROM package k JOIN contained c ON c.child = k.item_id
    UNION
    SELECT c.parent FROM box b JOIN contained c ON c.child = b.item_id
),
named (item_id, seq) AS (
    SELECT x.item_id, x.seq FROM package k JOIN event_epc x ON x.item_id = k.item_id WHERE x.role = :object
    UNION ALL
    SELECT x.item_id, x.seq FROM box b JOIN event_epc x ON x.item_id = b.item_id WHERE x.role IN (:object, :parent)
),
shipment (seq, pos, sender, party) AS (
    SELECT e.seq, e.pos, e.by_id, e.recipient_id FROM (SELECT DISTINCT seq FROM named) n JOIN event e ON e.seq = n.seq
    WHERE (:by IS NULL OR e.by_id = :by) AND e.biz_step = 'shipping' AND e.effective AND e.declared_at = 0
      AND e.recipient_id <> e.by_id
      AND NOT EXISTS (
          SELECT 1 FROM event w WHERE w.by_id = e.by_id AND w.event_id = e.event_id AND w.declared_at <> 0
      )
),
nested (child, parent, f, t) AS (
    SELECT c.child, c.parent, c.f, c.t FROM box b JOIN contained c ON c.child = b.item_id
),
loaded (item_id, pos, sender, party) AS (
    SELECT x.item_id, s.pos, s.sender, s.party FROM shipment s JOIN event_epc x ON x.seq = s.seq
    WHERE x.role IN (:object, :parent)
    UNION
    SELECT c.child, l.pos, l.sender, l.party
    FROM loaded l JOIN nested c ON c.parent = l.item_id AND c.f <= l.pos AND c.t > l.pos
),
carried (item_id, sender, party) AS (
    SELECT k.item_id, l.sender, l.party FROM loaded l JOIN package k ON k.item_id = l.item_id
    UNION ALL
    SELECT k.item_id, l.sender, l.party FROM package k JOIN contained c ON c.child = k.item_id
    JOIN loaded l ON l.item_id = c.parent AND c.f <= l.pos AND c.t > l.pos
)
SELECT sender, party, COUNT(DISTINCT item_id) AS packages FROM carried GROUP BY sender, party
"""


def holdings(connection: Connection, population: Population) -> list[Holding]:
    """Who has packages of the recall, inferred contents of containers included; the most first."""
    query, parameters = population.bound(_OUTERMOST + _WHERE)
    rows = connection.execute(query, parameters).all()
    counted: dict[tuple[int | None, str], list[int]] = {}
    for row in rows:
        if row.ended:
            key = (row.ended_by if row.ended_by is not None else row.holder, _STATES[row.ended])
        elif row.in_transit:
            key = (row.bound_for if row.bound_for is not None else row.holder, "under way")
        else:
            key = (row.holder, "held")
        count = counted.setdefault(key, [0, 0])
        count[0] += row.packages
        count[1] += row.packages if row.inferred and not row.ended else 0
    glns = partners.glns(connection, {number for number, _ in counted})
    names = partners.names(connection, set(glns.values()))
    found = [
        Holding(
            gln := glns.get(number or 0, ""),
            names.get(gln, "nobody known"),
            state,
            packages,
            inferred,
            number,
        )
        for (number, state), (packages, inferred) in counted.items()
    ]
    return sorted(found, key=lambda each: (-each.packages, each.gln, each.state))


def in_hand(
    connection: Connection, population: Population, party_id: int, *, most: int = MOST_LISTED
) -> list[InHand]:
    """What the party has in hand of the recall: where to look, at most `most` places."""
    query, parameters = population.bound(_OUTERMOST + _IN_HAND, party=party_id, most=most)
    rows = connection.execute(query, parameters).all()
    keys = custody.keys_of(connection, [row.item_id for row in rows])
    return [InHand(keys[row.item_id], row.packages) for row in rows]


def under_way(
    connection: Connection, population: Population, party_id: int, *, most: int = MOST_LISTED
) -> list[UnderWay]:
    """What of the recall is on its way to the party, and from whom: at most `most` things to look out for."""
    query, parameters = population.bound(_OUTERMOST + _UNDER_WAY, party=party_id, most=most)
    rows = connection.execute(query, parameters).all()
    keys = custody.keys_of(connection, [row.item_id for row in rows])
    glns = partners.glns(connection, {row.sender for row in rows if row.sender is not None})
    names = partners.names(connection, set(glns.values()))
    return [
        UnderWay(keys[row.item_id], row.packages, names.get(glns.get(row.sender, ""), "nobody known"))
        for row in rows
    ]


def shipped_to(connection: Connection, population: Population, party_id: int) -> dict[int, int]:
    """To whom the party itself has shipped packages of the recall, ever, and how many: by the number of the recipient.

    A shipment that its party declared wrong does not count; one that was voided does, since telling one too many about
    a recall does no harm.
    """
    return {to: packages for (_, to), packages in shipments(connection, population, party_id).items()}


def shipments(
    connection: Connection, population: Population, party_id: int | None = None
) -> dict[tuple[int, int], int]:
    """How many packages of the recall each party has ever shipped to each other, by the numbers of both.

    By everybody, or by the party with this number; which of them count is said at `shipped_to`.
    """
    query, parameters = population.bound(_SHIPPED, by=party_id, object=OBJECT, parent=PARENT)
    query = query.bindparams(bindparam("by", type_=BigInteger))
    return {(row.sender, row.party): row.packages for row in connection.execute(query, parameters)}
