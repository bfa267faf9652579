"""What shipments carried that they should not have: asked of the rows, and never written beside an event.

    of_stopped_contents(connection, shipments)    something inside had expired, or was held or recalled (D15)
    outside_market(connection, shipments)         sold to whom, or to where, the product is not for (D13)

Both rest on what was inside of what was shipped, at any depth, and may change with what is told later: with an earlier
expiry, the end of a hold, a market list that is put right.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select

from app.custody.asked import Found, packed_at_shipping
from app.custody.counting import stands
from app.custody.items import ItemName
from app.custody.models import FOREVER, finding, item
from app.events.models import event, event_epc
from app.events.roles import OBJECT
from app.partners import service as partners
from app.products import service as products
from app.shared.chunks import chunks
from ledger.custody import asked as rules
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.life import RELEASES, ends_recall
from ledger.custody.rules import DOING
from ledger.custody.stored import unpack
from ledger.custody.vocabulary import Action, Step

_packed = packed_at_shipping()
_package, _outer = item.alias("package"), item.alias("outer")
_STOPPED = (
    select(
        _packed.c.seq, _packed.c.pos, _packed.c.outer, _outer.c.ns, _outer.c.serial, event.c.event_time,
        _package.c.item_id, _package.c.expiry, _package.c.held, _package.c.recalled, _package.c.maker_id,
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
_NOT_ITS_HOLDERS = (FindingCode.NOT_HOLDER.value, FindingCode.NOT_MAKER.value)
# What an event of such a step names is not only seen.
_DONE = sorted(step.value for step in DOING)
_SAID = (
    select(
        event_epc.c.item_id, event.c.seq, event.c.pos, event.c.by_id, event.c.biz_step, event.c.disposition
    )
    .join(event, event.c.seq == event_epc.c.seq)
    .where(
        event_epc.c.item_id.in_(bindparam("numbers", expanding=True)),
        event_epc.c.role == OBJECT,
        stands(),
        or_(
            event.c.biz_step == Step.HOLDING.value,
            # Seen, and nothing else: what may end a hold, or a recall.
            and_(
                event.c.action == Action.OBSERVE.value,
                or_(event.c.biz_step.is_(None), event.c.biz_step.not_in(_DONE)),
            ),
        ),
        # What another than its holder says of it sets nothing apart, and releases nothing; nor recalls another than
        # its maker.
        ~select(finding.c.seq)
        .where(
            finding.c.seq == event.c.seq,
            finding.c.item_id == event_epc.c.item_id,
            finding.c.code.in_(_NOT_ITS_HOLDERS),
        )
        .exists(),
    )
    .order_by(event.c.pos)
)
_BODIES = select(event.c.seq, event.c.body).where(event.c.seq.in_(bindparam("seqs", expanding=True)))
_Stop = tuple[bool, int]  # whether it is a recall, and who said so
_AT_ONCE = 50  # bodies read together: one may name thousands of packages
_LATEST = select(func.max(event.c.event_time)).where(event.c.seq.in_(bindparam("seqs", expanding=True)))
_IS_SALE = and_(
    event.c.buyer_id.is_not(None), event.c.buyer_id != func.coalesce(event.c.seller_id, event.c.by_id)
)
_PRODUCTS = (
    select(_package.c.ns)
    .join(_packed, _packed.c.item_id == _package.c.item_id)
    .join(event, event.c.seq == _packed.c.seq)
    .where(_IS_SALE)
    .distinct()
)
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
    .join(event, event.c.seq == _packed.c.seq)
    .where(_package.c.ns.in_(bindparam("products", expanding=True)), _IS_SALE)
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
    set_apart = _set_apart(
        connection, {row.item_id: row.maker_id for row in rows if row.held or row.recalled}
    )
    found: dict[tuple[int, int], Found] = {}
    for row in rows:
        expired = row.expiry is not None and row.expiry < row.event_time.date().toordinal()
        if expired or any(since < row.pos < until for since, until in set_apart.get(row.item_id, ())):
            said = rules.stopped_contents(ItemName(row.ns, row.serial).key)
            found[row.seq, row.outer] = (row.seq, said, row.outer)
    return list(found.values())


def _set_apart(connection: Connection, makers: Mapping[int, int | None]) -> dict[int, list[tuple[int, int]]]:
    """When each of these (with the number of its maker) was on hold or recalled, as (from, to) in custody's order. A
    hold and a recall end apart: who releases one says nothing of the other (ledger.custody.life)."""
    told = (connection.execute(_SAID, {"numbers": chunk}).all() for chunk in chunks(sorted(makers)))
    rows = [row for rows in told for row in rows]
    recalled = {row.item_id for row in rows if _recalls(row, makers)}
    may_end = {
        row.seq
        for row in rows
        if row.by_id == makers[row.item_id]
        and not _sets_apart(row)
        and (row.item_id in recalled or row.disposition in RELEASES)
    }
    ending = _ends_recall(connection, may_end)
    found: dict[int, list[tuple[int, int]]] = {number: [] for number in makers}
    since: dict[int, dict[_Stop, int]] = {number: {} for number in makers}
    for row in rows:
        stops = since[row.item_id]
        if _sets_apart(row):
            stops.setdefault((_recalls(row, makers), row.by_id), row.pos)
            continue
        takes_back = row.seq in ending and row.by_id == makers[row.item_id]
        for stop in [each for each in stops if _is_ended(each, row, takes_back)]:
            found[row.item_id].append((stops.pop(stop), row.pos))
    for number, stops in since.items():
        found[number] += [(begun, FOREVER) for begun in stops.values()]
    return found


def _is_ended(stop: _Stop, row: Row[Any], takes_back: bool) -> bool:
    """Whether this event ends it. Its maker takes a recall back wherever the package is: that lets go no hold of
    somebody else's."""
    is_recall, by_id = stop
    if is_recall:
        return takes_back
    return row.disposition in RELEASES and (not takes_back or row.by_id == by_id)


def _sets_apart(row: Row[Any]) -> bool:
    return row.biz_step == Step.HOLDING.value


def _recalls(row: Row[Any], makers: Mapping[int, int | None]) -> bool:
    """Whether it is its maker who calls it back; another one who has it in hand sets it apart by that."""
    return _sets_apart(row) and row.disposition == "recalled" and row.by_id == makers[row.item_id]


def _ends_recall(connection: Connection, seqs: Iterable[int]) -> set[int]:
    """Those of these events that take a recall back, which only their bodies say."""
    found: set[int] = set()
    listed = sorted(seqs)
    for start in range(0, len(listed), _AT_ONCE):
        rows = connection.execute(_BODIES, {"seqs": listed[start : start + _AT_ONCE]})
        found.update(row.seq for row in rows if ends_recall(unpack(bytes(row.body))))
    return found


def outside_market(connection: Connection, shipments: Sequence[int]) -> list[Found]:
    """What these shipments (`asked.sent`) sell to a company that the product is not for, or to a country. As the lists
    are now: who puts one right puts the sale right."""
    if not shipments or not products.any_limited(connection):
        return []
    sold = connection.execute(_PRODUCTS, {"seqs": shipments}).scalars()
    limited = products.markets(connection, {ns[3:] for ns in sold if ns.startswith("01/")})
    named = [f"01/{gtin}" for gtin, market in sorted(limited.items()) if market.is_limited]
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
