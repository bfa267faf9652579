"""What shipments carried that they should not have: asked of the rows, and never written beside an event.

    of_stopped_contents(connection, shipments)    something inside had expired, or was held or recalled (D15)
    outside_market(connection, shipments)         sold to whom, or to where, the product is not for (D13)

Both rest on what was inside of what was shipped, at any depth, and may change with what is told later: with an earlier
expiry, the end of a hold, a market list that is put right.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from app.custody.asked import Found, packed_at_shipping
from app.custody.items import ItemName
from app.custody.models import finding, item
from app.events.models import event, event_epc
from app.events.roles import OBJECT
from app.partners import service as partners
from app.products import service as products
from app.shared.chunks import chunks
from ledger.custody import asked as rules
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.life import RELEASES

_packed = packed_at_shipping()
_package, _outer, _wrong = item.alias("package"), item.alias("outer"), event.alias("wrong")
_STOPPED = (
    select(
        _packed.c.seq, _packed.c.pos, _packed.c.outer, _outer.c.ns, _outer.c.serial, event.c.event_time,
        _package.c.item_id, _package.c.expiry, _package.c.held, _package.c.recalled,
    )
    .join(_package, _package.c.item_id == _packed.c.item_id)
    .join(_outer, _outer.c.item_id == _packed.c.outer)
    .join(event, event.c.seq == _packed.c.seq)
    .where(
        _packed.c.depth > 0,
        or_(_package.c.held.is_not(None), _package.c.recalled, _package.c.expiry < bindparam("day")),
    )
    .order_by(_packed.c.seq, _packed.c.outer)
)  # fmt: skip
_SAID = (
    select(event_epc.c.item_id, event.c.pos, event.c.disposition)
    .join(event, event.c.seq == event_epc.c.seq)
    .where(
        event_epc.c.item_id.in_(bindparam("numbers", expanding=True)),
        event_epc.c.role == OBJECT,
        event.c.effective,
        event.c.declared_at == 0,
        or_(event.c.biz_step == "holding", event.c.disposition.in_(("recalled", *RELEASES))),
        ~select(_wrong.c.seq)
        .where(
            _wrong.c.by_id == event.c.by_id, _wrong.c.event_id == event.c.event_id, _wrong.c.declared_at != 0
        )
        .exists(),
        # What another than its holder says of it sets nothing apart, and releases nothing.
        ~select(finding.c.seq)
        .where(
            finding.c.seq == event.c.seq,
            finding.c.item_id == event_epc.c.item_id,
            finding.c.code == FindingCode.NOT_HOLDER.value,
        )
        .exists(),
    )
    .order_by(event.c.pos)
)
_LATEST = select(func.max(event.c.event_time)).where(event.c.seq.in_(bindparam("seqs", expanding=True)))
_SOLD = (
    select(
        _packed.c.seq,
        _packed.c.outer,
        _outer.c.ns,
        _outer.c.serial,
        event.c.buyer_id,
        _package.c.ns.label("of"),
    )
    .join(_package, _package.c.item_id == _packed.c.item_id)
    .join(_outer, _outer.c.item_id == _packed.c.outer)
    .join(event, and_(event.c.seq == _packed.c.seq, event.c.buyer_id.is_not(None)))
    .where(_package.c.ns.in_(bindparam("products", expanding=True)))
    .where(event.c.buyer_id != func.coalesce(event.c.seller_id, event.c.by_id))
    .distinct()
    .order_by(_packed.c.seq, _packed.c.outer)
)


def of_stopped_contents(connection: Connection, shipments: Sequence[int]) -> list[Found]:
    """Containers that these shipments (`asked.sent`) carry with something in them that had expired by then, or was held
    or recalled by serial, and is still."""
    if not shipments:
        return []
    latest = connection.execute(_LATEST, {"seqs": shipments}).scalar_one()
    rows = connection.execute(_STOPPED, {"seqs": shipments, "day": latest.date().toordinal()}).all()
    set_apart = _set_apart(connection, {row.item_id for row in rows if row.held or row.recalled})
    found: dict[tuple[int, int], Found] = {}
    for row in rows:
        expired = row.expiry is not None and row.expiry < row.event_time.date().toordinal()
        if expired or any(since < row.pos < until for since, until in set_apart.get(row.item_id, ())):
            said = rules.stopped_contents(ItemName(row.ns, row.serial).key)
            found[row.seq, row.outer] = (row.seq, said, row.outer)
    return list(found.values())


def _set_apart(connection: Connection, numbers: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """When each of these was on hold or recalled, as (from, to) in custody's order."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    told = (connection.execute(_SAID, {"numbers": chunk}) for chunk in chunks(sorted(numbers)))
    for row in (row for rows in told for row in rows):
        spans = found[row.item_id]
        if row.disposition in RELEASES:
            found[row.item_id] = [(since, min(until, row.pos)) for since, until in spans]
        else:
            spans.append((row.pos, 2**63 - 1))
    return found


def outside_market(connection: Connection, shipments: Sequence[int]) -> list[Found]:
    """What these shipments (`asked.sent`) sell to a company that the product is not for, or to a country. As the lists
    are now: who puts one right puts the sale right."""
    limited = products.limited_markets(connection) if shipments else {}
    if not limited:
        return []
    named = [f"01/{gtin}" for gtin in sorted(limited)]
    told = (connection.execute(_SOLD, {"seqs": shipments, "products": chunk}) for chunk in chunks(named))
    rows = [row for some in told for row in some]
    buyers = {each.party_id: each for each in partners.by_numbers(connection, {row.buyer_id for row in rows})}
    found: dict[tuple[int, int], Found] = {}
    for row in rows:
        gtin, buyer = row.of[3:], buyers[row.buyer_id]
        if said := limited[gtin].against(gtin, buyer.gln, buyer.name, buyer.country):
            key = ItemName(row.ns, row.serial).key
            found.setdefault(
                (row.seq, row.outer),
                (row.seq, Finding(FindingCode.OUTSIDE_MARKET, "; ".join(said), key), row.outer),
            )
    return list(found.values())
