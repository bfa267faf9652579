"""What has not arrived: computed as of a moment, because it is no event that says so but that none has come.

A shipment of which some was received and some not is short at once (*Data No Product*, in HDA's words); one of which
nothing was received is late after some days (domain reference, D8)::

    outstanding([UnderWay(item, rest_arrived=True)], now)     [Finding(DATA_NO_PRODUCT, ...)]

It takes itself back: what is received, voided or declared wrong is not under way any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.custody.event import time_of
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.state import Item

OVERDUE_DAYS = 10
"""After how many days what was shipped should have been received."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An outermost object that was shipped and not received. `rest_arrived`: its receiver has reported something that
    was shipped with it, or in it."""

    item: Item
    rest_arrived: bool


def outstanding(under_way: Iterable[UnderWay], now: datetime, days: int = OVERDUE_DAYS) -> list[Finding]:
    """What has not arrived as of `now` (aware), each with what it was shipped under."""
    found = []
    for each in under_way:
        age = now - time_of(each.item.custody_since)
        if each.rest_arrived:
            message = "what was shipped with it was received, and this was not"
            found.append(Finding(FindingCode.DATA_NO_PRODUCT, message, each.item.key))
        elif age > timedelta(days=days):
            message = f"shipped {age.days} days ago, and nobody has received it"
            found.append(Finding(FindingCode.SHIPPED_NOT_RECEIVED, message, each.item.key))
    return found
