"""What the command line says of a capture: what was taken in or tolerated, what has expired, how far a long one is."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TextIO

from sqlalchemy import Connection

from app.capture.prepared import Receipt
from app.custody import service as custody
from app.errors import AppError
from app.history.rules import shown
from ledger.custody.event import LOT
from ledger.custody.life import expiry_of
from ledger.epcis.document import Document

MOST_OBJECTS = 3  # named in one line
Objects = Mapping[tuple[str, str], Sequence[str]]
"""Objects by the code and the message of what was found about them."""
NO_OBJECTS: Objects = {}


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


def told(
    receipt: Receipt, past: tuple[Expired, ...], origin: str, name: str, objects: Objects = NO_OBJECTS
) -> str:
    """The receipt in words; `name` is what the party is called, `objects` what its findings are about."""
    return "\n".join(_lines(receipt, past, origin, name, objects))


def told_long(receipt: Mapping[str, Any], past: tuple[Expired, ...], origin: str, name: str) -> str:
    """The receipt of a long document in words."""
    events, index = _counted(receipt["event_count"], "event"), receipt["index"]
    who = name if receipt["by"] in name else f"{name} ({receipt['by']})"
    lines = [
        f"{events}, already here since entry {index} of {origin}: the same receipt."
        if receipt["known"]
        else f"{events} taken in, as entry {index} of {origin}.",
        f"Signed by {who}." if receipt["signed"] else f"Received from {who}, not signed by it.",
        f"Receipt: leaf {receipt['leaf']}",
        *(f"Tolerated: {note['message']}" for note in receipt["notes"]),
        *(f"Out of date: {_counted(each.packages, 'item')} expired on {each.on}." for each in past),
        *_found(receipt["findings"], NO_OBJECTS),
    ]
    more = receipt["finding_count"] - len(receipt["findings"])
    return "\n".join([*lines, f"And {more} findings more."] if more else lines)


def refused(problem: Mapping[str, Any]) -> AppError:
    """What a job failed on, as the command line tells any failure."""
    return AppError(
        str(problem.get("code", "capture.failed")),
        int(problem.get("status", 400)),
        str(problem.get("title", "The document was refused")),
        str(problem.get("detail", "")),
        str(problem.get("next", "")),
        extra={name: problem[name] for name in ("problems",) if name in problem},
    )


class Applied:
    """How far a long document is, on a stream for people: a line a second at most, and one at the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = 0.0

    def at(self, mark: int, events: int) -> None:
        """`mark` of `events` events are applied; 0 of 0 while it waits or is validated."""
        now = time.monotonic()
        if now - self._last < 1 and mark < events:
            return
        self._last = now
        text = f"{mark:,} of {events:,} events applied" if events else "waiting to be validated"
        self._out.write(f"{text}\n")
        self._out.flush()


def _lines(
    receipt: Receipt, past: tuple[Expired, ...], origin: str, name: str, objects: Objects
) -> Iterator[str]:
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
    yield from _found(receipt.findings, objects)


def _found(findings: Iterable[Mapping[str, Any]], objects: Objects) -> Iterator[str]:
    """A line for each finding; those that read alike, of many objects, are one line with their number and the first."""
    alike = Counter((str(each["severity"]), str(each["code"]), str(each["message"])) for each in findings)
    for (severity, code, message), times in alike.items():
        line = f"Found ({severity}, {code}): {message}"
        about = objects.get((code, message), ())
        more = len(about) - MOST_OBJECTS
        first = ", ".join(about[:MOST_OBJECTS]) + (f" and {more} more" if more > 0 else "")
        number = f" ({times} times)" if times > 1 else ""
        yield f"{line}{number}: {first}" if first else f"{line}{number}"


def objects_of(connection: Connection, receipt: Receipt) -> Objects:
    """Which objects the findings of a receipt are about, as people read them on a label."""
    found = custody.findings_of(connection, [each.seq for each in receipt.events])
    keys = custody.keys_of(connection, {each.item_id for each in found})
    objects: dict[tuple[str, str], dict[str, None]] = {}
    for each in found:
        if each.item_id in keys:
            name = shown(keys[each.item_id])
            objects.setdefault((each.code.value, each.message), {})[name] = None
    return {about: tuple(names) for about, names in objects.items()}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
