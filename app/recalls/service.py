"""Recalls: a lot called back by its maker, and everybody who has a package of it, found at once.

A recall is an event like any other (ObjectEvent, bizStep holding, disposition recalled, the lot as a quantity), so it
stands in the ledger under its maker's name. Packages inside containers are found too, though nobody scanned them.
"""

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.custody import loading
from app.custody import service as custody
from app.errors import Invalid, NotFound
from app.partners import service as partners
from ledger.custody.event import format_time
from ledger.custody.state import Status, is_inferred
from ledger.gs1.epc import Lgtin
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin


@dataclass(frozen=True, slots=True)
class Holding:
    """How many packages of the lot a party has: in hand, seen only by their container's label, or under way to it."""

    gln: str
    name: str
    state: str  # held, under way, dispensed, destroyed or decommissioned
    packages: int
    inferred: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a lot is: by holder, and in all."""

    lot: str
    packages: int
    holdings: tuple[Holding, ...]


def lot_of(gtin: str, lot: str) -> Lgtin:
    """The lot that somebody named. Raises `Invalid`."""
    try:
        return Lgtin(Gtin.parse(gtin), lot)
    except Gs1Error as error:
        raise Invalid(
            "lot.invalid", "That names no lot", str(error), "Give a GTIN and the lot as printed."
        ) from error


def recall_document(lot: Lgtin, at: datetime, place_gln: str) -> bytes:
    """The EPCIS 2.0 document of a recall: what its maker says, ready to be captured or signed."""
    stamp = format_time(at)
    event = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid.uuid4()}",
        "eventTime": stamp,
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "holding",
        "disposition": "recalled",
        "readPoint": {"id": f"https://id.gs1.org/414/{place_gln}"},
        "quantityList": [{"epcClass": lot.canonical}],
    }
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": stamp,
        "epcisBody": {"eventList": [event]},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def whereabouts(connection: Connection, lot: Lgtin) -> Whereabouts:
    """Who has packages of the lot, inferred contents of containers included. Raises `NotFound` for an unknown lot."""
    number = loading.find_ids(connection, [lot.canonical]).get(lot.canonical)
    if number is None:
        raise NotFound(
            "No record of this lot", f"GTIN {lot.gtin.digits}, lot {lot.lot}", "Check both as printed."
        )
    packages = custody.of_lot(connection, number)
    loaded = loading.load_numbers(connection, packages)
    counted: Counter[tuple[str, str]] = Counter()
    inferred: Counter[tuple[str, str]] = Counter()
    for each in packages:
        item = loaded.world.items[loaded.keys[each]]
        outer = loaded.world.outer(item)
        state, gln = "held", outer.holder or ""
        if item.ended:
            state, gln = item.status.value, item.ended_by or gln
        elif outer.in_transit:
            state, gln = "under way", outer.bound_for or gln
        counted[gln, state] += 1
        inferred[gln, state] += item.status is Status.ACTIVE and is_inferred(item, outer)
    names = partners.names(connection, {gln for gln, _ in counted if gln})
    holdings = [
        Holding(gln, names.get(gln, "nobody known"), state, count, inferred[gln, state])
        for (gln, state), count in sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    return Whereabouts(lot.lot, len(packages), tuple(holdings))
