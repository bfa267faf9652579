"""What a scan may be told: which records count for whom, and what a failed reading means. Pure."""

from datetime import date

from ledger.custody.state import Item
from ledger.custody.verdict import Reason
from ledger.gs1.element_string import Scan
from ledger.gs1.errors import Gs1Code

# What a reading error means to the person who scans; every other error is 'unreadable'.
UNREADABLE = {
    Gs1Code.EMPTY: Reason.NOTHING_DECODED,
    Gs1Code.SEPARATOR_MISSING: Reason.SEPARATOR_LOST,
    Gs1Code.NOT_AI_DATA: Reason.NAMES_NO_PACKAGE,
}


def concerns(item: Item | None, outer: Item | None, asker: str | None) -> bool:
    """Whether the party `asker` (GLN) may see this record: it has it, had it last, made it, or gets it. Nobody asking
    for a party (an inspector) sees all."""
    if asker is None:
        return True
    if item is None or outer is None:
        return False
    return asker in (item.maker, item.ended_by, outer.holder, outer.owner, outer.bound_for, outer.sender)


def is_full_label(scan: Scan) -> bool:
    """Whether the label says all four: GTIN, serial, lot and expiry. Whoever has the pack in hand can read them."""
    return None not in (scan.gtin, scan.serial, scan.lot, scan.expiry)


def expiry_on(scan: Scan, today: date) -> date | None:
    """The label's expiry as a date; its century is the one that fits `today`."""
    return scan.expiry.on(today) if scan.expiry else None
