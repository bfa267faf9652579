"""What does not fit, and is asked of the record instead of being written beside an event.

It rests on more than what an event names: on when it was told, or on the lots of all that was in a container. Written,
it would have to be written anew for every pallet that a lot is on::

    told_late(event_time, record_time)      a Finding, or None
    of_recalled_lots(world, act)            a Finding for each object shipped with a package of a recalled lot
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ledger.custody.act import Act
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.state import Item, World, lot_key
from ledger.custody.transfer import RETURNED
from ledger.custody.vocabulary import Step

LATE_DAYS = 180
"""After how many days what happened is told very late (D19): longer than any paperwork takes."""


def told_late(event_time: datetime, record_time: datetime) -> Finding | None:
    """The finding of an event (aware times) that was told very late."""
    age = record_time - event_time
    if age <= timedelta(days=LATE_DAYS):
        return None
    return Finding(FindingCode.TOLD_LATE, f"told {age.days} days after it happened")


def recalled_lot(item: str) -> Finding:
    """The finding about an object that was shipped with a package of a recalled lot, or is one."""
    return Finding(
        FindingCode.MOVED_RECALLED_LOT, "shipped after the lot of what is in it was recalled", item
    )


def of_recalled_lots(world: World, act: Act) -> list[Finding]:
    """What `act` ships of lots that were recalled before, by the world as it is then (D15). A return is what should
    happen to them."""
    event = act.event
    if event.biz_step != Step.SHIPPING or event.disposition == RETURNED or event.declaration is not None:
        return []
    return [
        recalled_lot(key)
        for key in sorted(set(event.epcs))
        if any(each.lot and world.item(lot_key(each)).recalled for each in _with_contents(world, key))
    ]


def _with_contents(world: World, key: str) -> Iterable[Item]:
    yield world.item(key)
    for child in world.contents(key):
        yield from _with_contents(world, child)
