"""What the command line says of a capture: what was taken in, what was tolerated, what has expired. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from app.capture.prepared import Receipt
from ledger.custody.event import LOT
from ledger.custody.life import expiry_of
from ledger.epcis.document import Document


@dataclass(frozen=True, slots=True)
class Expired:
    """Packages that a document commissions, and whose date had passed when it came."""

    lot: str
    on: str
    packages: int


def expired(document: Document, today: date) -> tuple[Expired, ...]:
    """What in `document` is out of date by `today` (a day is good to its end), by lot."""
    found: dict[tuple[str, str], int] = {}
    for event in document.events:
        on = expiry_of(event)
        if on is None or on >= today.isoformat():
            continue
        key = (event.ilmd_text(LOT) or "", on)
        found[key] = found.get(key, 0) + len(event.epcs) + len(event.outputs)
    return tuple(Expired(lot, on, count) for (lot, on), count in sorted(found.items()))


def told(receipt: Receipt, past: tuple[Expired, ...], origin: str, name: str) -> str:
    """The receipt in words; `name` is what the party is called."""
    return "\n".join(_lines(receipt, past, origin, name))


def _lines(receipt: Receipt, past: tuple[Expired, ...], origin: str, name: str) -> Iterator[str]:
    events = _counted(len(receipt.events), "event")
    if receipt.known:
        yield f"{events}, already here since entry {receipt.index} of {origin}: the same receipt."
    else:
        yield f"{events} taken in, as entry {receipt.index} of {origin}."
        before = sum(each.known for each in receipt.events)
        if before:
            yield f"{_counted(before, 'event')} of them stood here before; nothing was counted twice."
    who = name if receipt.by in name else f"{name} ({receipt.by})"
    yield f"Signed by {who}." if receipt.signed else f"Received from {who}, not signed by it."
    yield f"Receipt: leaf {receipt.leaf.hex()}"
    for note in receipt.notes:
        yield f"Tolerated: {note['message']}" + (f" ({note['count']} times)" if note["count"] > 1 else "")
    for each in past:
        lot = f" of lot {each.lot}" if each.lot else ""
        yield (
            f"Out of date: {_counted(each.packages, 'item')}{lot} expired on {each.on}. Their history is kept "
            "like any other; whoever scans one is told not to use it."
        )
    for finding in receipt.findings:
        yield f"Found ({finding['severity']}): {finding['message']}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
