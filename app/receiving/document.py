"""The one document that receiving a delivery ends in: what is there, what was counted, what is set apart. Pure.

    receiving   ObjectEvent OBSERVE, the outermost things that are there, by the seller's documents
    receiving   the same for what came with it by another document
    inspecting  AggregationEvent OBSERVE for each container that was opened: what was in it (CBV 2.0, 7.2)
    holding     ObjectEvent OBSERVE for what is set apart, by disposition

Times rise by a microsecond from event to event, so that custody's order is the order of the document.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from app.receiving.rules import Plan
from ledger.custody.event import Event, Linked
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.gs1.epc import Sgln
from ledger.gs1.gln import Gln

CONTENT_TYPE = "application/json"
_TICK = timedelta(microseconds=1)


def receiving_document(
    plan: Plan, shipped: Event | None, others: Iterable[str], gln: str, now: datetime
) -> bytes:
    """The document for `plan`, as 2.0 JSON. `shipped`: the seller's event, whose documents and parties it repeats;
    `others`: what came by another one; `gln`: the receiver's; `now` aware."""
    events = tuple(_events(plan, shipped, frozenset(others), Sgln(Gln(gln)).canonical, now))
    return write(Document(Form.JSON20, events, created=now))


def _events(
    plan: Plan, shipped: Event | None, others: frozenset[str], place: str, now: datetime
) -> Iterator[Event]:
    def event(kind: EventType, step: str, tick: int, **values: object) -> Event:
        return Event(
            type=kind,
            event_time=now + tick * _TICK,
            time_zone_offset="+00:00",
            event_id=f"urn:uuid:{uuid.uuid4()}",
            action=Action.OBSERVE,
            biz_step=step,
            read_point=place,
            biz_location=place,
            **values,  # type: ignore[arg-type]
        )

    received = tuple(epc for epc in plan.received if epc not in others)
    documents: dict[str, tuple[Linked, ...]] = {}
    if shipped is not None:
        documents = {
            "transactions": shipped.transactions,
            "sources": shipped.sources,
            "destinations": shipped.destinations,
        }
    tick = 0
    for epcs, named in ((received, documents), (tuple(sorted(others)), {})):
        if epcs:
            yield event(EventType.OBJECT, "receiving", tick, disposition="in_progress", epcs=epcs, **named)
            tick += 1
    for container, children, complete in plan.counted:
        yield event(
            EventType.AGGREGATION,
            "inspecting",
            tick,
            disposition=None if complete else "mismatch_quantity",
            persistent_set=("completeness_verified",) if complete else (),
            parent=container,
            children=children,
        )
        tick += 1
    for disposition, held in sorted(plan.held.items()):
        yield event(EventType.OBJECT, "holding", tick, disposition=disposition, epcs=tuple(held))
        tick += 1
