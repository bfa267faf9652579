"""What a desk does is an event like any other: one event of the acting party, captured as a page's act.

The node signs that it came from this page, by this account; only a client that holds a key of the party's could sign it
in the party's name::

    report(node.capture, node.clock, actor, Deed("holding", "damaged", epcs=(key,)))
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.capture.inbox import Job
from app.capture.prepared import Receipt
from app.capture.service import Capture, First
from app.shared.actor import Actor
from app.shared.clock import Clock
from ledger.custody.event import Event, Linked, Quantity
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.gs1.epc import Sgln
from ledger.gs1.gln import Gln


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to which packages (canonical EPCs) and lots, in words of the CBV 2.0."""

    step: str
    disposition: str
    epcs: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    action: Action = Action.OBSERVE
    no_longer: tuple[str, ...] = ()  # persistent dispositions that end
    references: tuple[Linked, ...] = ()
    sources: tuple[Linked, ...] = ()
    destinations: tuple[Linked, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()  # (expanded name, JCS text)
    site: str | None = None  # the GLN of the party's site where it was done, where that was said


def event_of(deed: Deed, at: datetime, party_gln: str) -> Event:
    """The event of `deed`, done by the party at its own place."""
    place = Sgln(Gln(deed.site or party_gln)).canonical
    return Event(
        type=EventType.OBJECT,
        event_time=at,
        time_zone_offset="+00:00",
        event_id=f"urn:uuid:{uuid.uuid4()}",
        action=deed.action,
        biz_step=deed.step,
        disposition=deed.disposition,
        persistent_unset=deed.no_longer,
        epcs=deed.epcs,
        quantities=tuple(Quantity(lot) for lot in deed.lots),
        read_point=place,
        biz_location=place if deed.epcs else None,
        transactions=deed.references,
        sources=deed.sources,
        destinations=deed.destinations,
        extensions=deed.extensions,
    )


def document_of(deeds: tuple[Deed, ...], at: datetime, party_gln: str) -> bytes:
    """The EPCIS 2.0 document of these deeds, ready to be captured or signed."""
    events = tuple(event_of(deed, at, party_gln) for deed in deeds)
    return write(Document(Form.JSON20, events, created=at))


def report(
    capture: Capture,
    clock: Clock,
    actor: Actor,
    *deeds: Deed,
    channel: str = "page",
    first: First | None = None,
) -> Receipt:
    """Record what the actor's party did. Raises `AppError` as `Capture.receive` does, and what `first` raises, which is
    done before it in the same transaction; then nothing of it stands."""
    assert actor.party_gln is not None
    raw = document_of(deeds, clock.now(), actor.party_gln)
    receipt = capture.receive(
        raw, "application/json", by=actor.party_gln, channel=channel, actor=actor, first=first
    )
    assert not isinstance(receipt, Job)  # a few events never wait
    return receipt
