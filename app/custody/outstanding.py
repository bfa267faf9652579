"""What was shipped and has not arrived, asked of the rows as of a moment (ledger.custody.outstanding)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from app.custody import loading
from app.custody.counting import stands
from app.custody.models import FOREVER, contained, item
from app.custody.service import FoundAbout
from app.events.models import event, event_epc
from app.shared.chunks import chunks
from ledger.custody import outstanding as rules
from ledger.custody.vocabulary import Step

AT_ONCE = 10_000
"""Objects under way that are looked at in one go."""

_shipment, _receipt = event.alias("shipment"), event.alias("receipt")
_named, _beside, _received = event_epc.alias("named"), event_epc.alias("beside"), event_epc.alias("received")


_UNDER_WAY = (
    select(item.c.item_id).where(item.c.in_transit, item.c.parent_id.is_(None)).order_by(item.c.item_id)
)


def under_way(connection: Connection, bound_for: int | None = None, after: int = 0) -> list[int]:
    """The next objects, by number above `after`, that are under way and in nothing else; of what is bound for one party
    (its number), where that is given. `AT_ONCE` at most."""
    query = _UNDER_WAY.where(item.c.item_id > after)
    if bound_for is not None:
        query = query.where(item.c.bound_for_id == bound_for)
    return list(connection.execute(query.limit(AT_ONCE)).scalars())


def outstanding(
    connection: Connection, now: datetime, item_ids: Sequence[int], days: int = rules.OVERDUE_DAYS
) -> list[FoundAbout]:
    """What of these items has not arrived as of `now`: about the shipment's event, and the outermost object that is
    still under way."""
    numbers: list[int] = []
    for chunk in chunks(sorted(set(item_ids))):
        numbers += connection.execute(_UNDER_WAY.where(item.c.item_id.in_(chunk))).scalars().all()
    loaded = loading.load_numbers(connection, numbers)
    shipments = _shipments(connection, numbers)
    arrived = _partly_arrived(connection, numbers)
    sent = [
        rules.UnderWay(loaded.world.item(loaded.keys[number]), number in arrived)
        for number in numbers
        if number in shipments
    ]
    return [
        FoundAbout(shipments[number], found.code, found.severity, found.message, number, None)
        for found in rules.outstanding(sent, now, days)
        for number in (loaded.ids[found.item or ""],)
    ]


# The event that an object is under way by: its sender's, at the moment since when it is.
_SHIPPED = item.join(_named, _named.c.item_id == item.c.item_id).join(
    _shipment,
    (_shipment.c.seq == _named.c.seq)
    & (_shipment.c.by_id == item.c.sender_id)
    & (_shipment.c.pos == item.c.custody_since)
    & (_shipment.c.biz_step == Step.SHIPPING.value),
)
_RECEIVED = (
    (_receipt.c.by_id == item.c.bound_for_id)
    & (_receipt.c.pos > item.c.custody_since)
    & (_receipt.c.biz_step == Step.RECEIVING.value)
    & stands(_receipt)
)


def _shipments(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """The events by which these objects are under way."""
    found: dict[int, int] = {}
    query = select(item.c.item_id, _shipment.c.seq).select_from(_SHIPPED).order_by(_shipment.c.seq)
    for chunk in chunks(numbers):
        found |= dict(connection.execute(query.where(item.c.item_id.in_(chunk), stands(_shipment))).all())
    return found


def _partly_arrived(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of these objects of which a part was received: what was named beside them, or taken out of them."""
    beside = (
        _SHIPPED.join(_beside, (_beside.c.seq == _shipment.c.seq) & (_beside.c.item_id != item.c.item_id))
        .join(_received, _received.c.item_id == _beside.c.item_id)
        .join(_receipt, (_receipt.c.seq == _received.c.seq) & _RECEIVED)
    )
    out_of = (
        item.join(
            contained,
            (contained.c.parent == item.c.item_id)
            & (contained.c.t > item.c.custody_since)
            & (contained.c.t != FOREVER),
        )
        .join(_received, _received.c.item_id == contained.c.child)
        .join(_receipt, (_receipt.c.seq == _received.c.seq) & _RECEIVED)
    )
    found: set[int] = set()
    for source in (beside, out_of):
        query = select(item.c.item_id).select_from(source).distinct()
        for chunk in chunks(numbers):
            found.update(connection.execute(query.where(item.c.item_id.in_(chunk))).scalars())
    return found
