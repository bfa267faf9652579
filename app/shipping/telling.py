"""The event that a shipment is recorded as, and the one document that goes into the ledger with it.

A sale's document holds what its transaction information needs beside the event: products, parties, the statement.
"""

import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.custody import loading
from app.partners.service import Party
from app.shipping.rules import Purpose
from app.shipping.values import Plan, ShipRequest
from app.transactions import forms
from app.transactions.values import DROP_SHIPMENT, TRANSACTION_DATE, Guideline, Trader
from ledger.custody.event import Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from ledger.gs1.epc import Sgln
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln


def event(
    connection: Connection,
    request: ShipRequest,
    epcs: tuple[str, ...],
    own: str,
    customer: Party | None,
    recipient: Party | None,
    now: datetime,
) -> Event:
    here = Sgln(Gln(own)).canonical
    sells = request.purpose is Purpose.SALE
    buyer = customer.gln if customer else own
    owner = own if sells else _owner(connection, epcs, own)
    goes_to = _place(request.deliver_to or request.customer) or here
    extensions: dict[str, str] = {}
    if sells:
        extensions[TRANSACTION_DATE] = compact((request.transaction_date or now.date()).isoformat())
        if recipient is not None:
            # A dispenser that gets it straight from us: 582(f). Others keep it for the buyer.
            extensions[DROP_SHIPMENT] = compact("true" if recipient.kind == "dispenser" else "false")
    return Event(
        type=EventType.OBJECT,
        event_time=now,
        time_zone_offset="+00:00",
        event_id=f"urn:uuid:{uuid.uuid4()}",
        action=Action.OBSERVE,
        biz_step="shipping",
        disposition="in_transit",
        epcs=epcs,
        read_point=here,
        transactions=_references(request, own, buyer),
        sources=(Linked("owning_party", Sgln(Gln(owner)).canonical), Linked("possessing_party", here)),
        destinations=(
            Linked("owning_party", Sgln(Gln(buyer if sells else owner)).canonical),
            Linked("possessing_party", goes_to),
        ),
        extensions=tuple(sorted(extensions.items())),
    )


def _owner(connection: Connection, epcs: tuple[str, ...], own: str) -> str:
    """Whose it is: it stays his when it is moved."""
    world = loading.load(connection, epcs).world
    owners = {world.outer(world.item(epc)).owner for epc in epcs} - {None}
    return next(iter(sorted(o for o in owners if o is not None)), own) if len(owners) == 1 else own


def _place(gln: str) -> str | None:
    try:
        return Sgln(Gln.parse(gln)).canonical
    except Gs1Error:
        return None


def _references(request: ShipRequest, own: str, buyer: str) -> tuple[Linked, ...]:
    """Order and despatch advice: the order under its buyer's GLN, the advice under ours (domain reference 2.4)."""
    found = []
    for kind, gln, number in (("desadv", own, request.notice), ("po", buyer, request.order)):
        cleaned = "".join(c for c in number.strip() if c.isascii() and (c.isalnum() or c in "-._/#"))[:60]
        if cleaned:
            found.append(Linked(kind, f"urn:epcglobal:cbv:bt:{gln}:{cleaned.replace('#', '%23')}"))
    return tuple(found)


def document(plan: Plan, now: datetime, own: str) -> bytes:
    info = plan.info
    if info is None or plan.statement is None:
        return write(Document(Form.JSON20, (plan.event,), created=now))
    # Without contacts: they may be a person's, and what tells of a drop shipment takes them from the party's data.
    traders: dict[str, Trader] = {
        each.gln: replace(each, contact="")
        for each in (info.seller, info.buyer, info.recipient)
        if each is not None
    }
    return write(
        Document(
            Form.JSON20,
            (plan.event,),
            created=now,
            sender=own,
            receiver=info.buyer.gln,
            instance_id=f"urn:uuid:{forms.message_id(info, Guideline.R13)}",
            products=tuple(forms.product_master(each, Guideline.R13) for each in plan.products),
            locations=tuple(forms.location_master(each) for _, each in sorted(traders.items())),
            statement=forms.transaction_statement(plan.statement, Guideline.R13),
            namespaces=forms.OURS,
        )
    )
