"""What does not fit, and is asked of the record instead of being written beside an event.

It rests on more than what an event names: on when it was told, or on the lots of all that was in a container. Written,
it would have to be written anew for every pallet that a lot is on::

    told_late(event_time, record_time)      a Finding, or None
    of_recalled_lots(world, act)            a Finding for each object shipped with a package of a recalled lot
    of_stopped_contents(world, act)         one for each shipped with something expired, held or recalled in it
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
    """What `act` ships of lots that were recalled before, by the world as it is then (D15)."""
    return [
        recalled_lot(key)
        for key in _sent(act)
        if any(each.lot and world.item(lot_key(each)).recalled for each in _with_contents(world, key))
    ]


def stopped_contents(item: str) -> Finding:
    """The finding about a container that was shipped with something in it that should not have been."""
    return Finding(
        FindingCode.MOVED_WITH_STOPPED,
        "shipped with something in it that had expired, or was held or recalled",
        item,
    )


def of_stopped_contents(world: World, act: Act) -> list[Finding]:
    """What `act` ships with something in it, at any depth, that has expired or is held or recalled by serial, by the
    world as it is then (D15). What is so itself, the rules say of it when it is shipped."""
    day = act.event.event_time.date().isoformat()
    return [
        stopped_contents(key)
        for key in _sent(act)
        if any(
            each.held or each.recalled or (each.expiry is not None and each.expiry < day)
            for each in _with_contents(world, key)
            if each.key != key
        )
    ]


def _sent(act: Act) -> list[str]:
    """What an act sends away that is no return: which is what should happen to goods that are stopped."""
    event = act.event
    if event.biz_step != Step.SHIPPING or event.disposition == RETURNED or event.declaration is not None:
        return []
    return sorted(set(event.epcs))


def _with_contents(world: World, key: str) -> Iterable[Item]:
    yield world.item(key)
    for child in world.contents(key):
        yield from _with_contents(world, child)
