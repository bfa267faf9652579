"""What the companies' systems write: EPCIS 2.0 documents, by the kernel's own writer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.simulate.world import Company, Pack
from ledger.custody.event import EXPIRY, LOT, ErrorDeclaration, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write

_OFFSET = "-05:00"
_NOTICE = "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."
_DIRECT_NOTICE = "Seller purchased the product directly from its manufacturer (FDCA Sec. 582(c)(1)(A)(ii))."


def commissioned(
    by: Company, packs: Sequence[Pack], at: datetime, event_id: str, lot: str | None = None
) -> Event:
    """Packs of one lot begin."""
    return replace(
        _seen(by, "commissioning", at, event_id),
        action=Action.ADD,
        disposition="active",
        epcs=tuple(pack.key for pack in packs),
        ilmd=((EXPIRY, compact(packs[0].expiry.isoformat())), (LOT, compact(lot or packs[0].lot))),
    )


def packed(
    by: Company,
    parent: str,
    children: Sequence[str],
    at: datetime,
    event_id: str,
    action: Action = Action.ADD,
) -> Event:
    """Things go into a container, or (DELETE) come out of it."""
    return replace(
        _seen(by, "packing" if action is Action.ADD else "unpacking", at, event_id),
        type=EventType.AGGREGATION,
        action=action,
        disposition="in_progress",
        parent=parent,
        children=tuple(children),
    )


def moved(
    step: str,
    by: Company,
    seller: Company,
    buyer: Company,
    epcs: Sequence[str],
    at: datetime,
    event_id: str,
    reference: str,
    *,
    returned: bool = False,
) -> Event:
    """Shipping or receiving between two companies."""
    kind, whose = ("rma", buyer) if returned else ("desadv", seller)
    usual = "in_transit" if step == "shipping" else "in_progress"
    seen = _seen(by, step, at, event_id)
    return replace(
        seen,
        disposition="returned" if returned else usual,
        epcs=tuple(epcs),
        biz_location=None if step == "shipping" else seen.biz_location,
        transactions=(Linked(kind, f"urn:epcglobal:cbv:bt:{whose.gln}:{reference}"),),
        sources=(Linked("owning_party", seller.place), Linked("location", seller.place)),
        destinations=(Linked("owning_party", buyer.place), Linked("location", buyer.place)),
    )


def dispensed(by: Company, pack: Pack, at: datetime, event_id: str) -> Event:
    """A pack is handed to a patient."""
    return replace(
        _seen(by, "dispensing", at, event_id), action=Action.DELETE, disposition="dispensed", epcs=(pack.key,)
    )


def _seen(by: Company, step: str, at: datetime, event_id: str) -> Event:
    """What every event of a company says: when, where and which step."""
    return Event(
        type=EventType.OBJECT,
        event_time=at,
        time_zone_offset=_OFFSET,
        event_id=event_id,
        action=Action.OBSERVE,
        biz_step=step,
        read_point=by.place,
        biz_location=by.place,
    )


def declared_wrong(event: Event, at: datetime, reason: str, correctives: Sequence[str] = ()) -> Event:
    """The same event again, declared to be wrong (EPCIS 2.0, 7.4.1.4)."""
    return replace(event, declaration=ErrorDeclaration(at, reason, tuple(correctives)))


def document(
    events: Sequence[Event], created: datetime, sender: Company, receiver: Company, *, affirmed: bool | None
) -> bytes:
    """A document with its transaction statement; None: without one. Wholesalers buy from makers, and state so."""
    statement = None if affirmed is None else TransactionStatement(affirmed=affirmed, legal_notice=_NOTICE)
    if statement is not None and sender.kind == "wholesaler":
        statement = replace(
            statement, direct_purchase="ENTIRELY_DIRECT", direct_purchase_statement=_DIRECT_NOTICE
        )
    return write(
        Document(
            Form.JSON20,
            tuple(events),
            created=created,
            sender=sender.gln,
            receiver=receiver.gln,
            statement=statement,
        )
    )
