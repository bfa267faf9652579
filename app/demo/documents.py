"""What the companies' own systems write: EPCIS documents as partners send them, made by the kernel's writers."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.demo.world import LOTS, MAKER, OLD_LOT, PER_CASE, PER_LOT, Company, World
from ledger.custody.event import EXPIRY, LOT, ErrorDeclaration, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write as write_json
from ledger.epcis.spelling import Spelling
from ledger.gs1.epc import Sgtin

NOTICE = "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."
DIRECT_NOTICE = "Seller purchased the product directly from its manufacturer (FDCA Sec. 582(c)(1)(A)(ii))."
TRANSACTION_DATE = "http://epcis.gs1us.org/hc/ns#transactionDate"
OFFSET = "-05:00"
BREATH = timedelta(milliseconds=10)  # between two steps of one hand


def commissioning(world: World) -> bytes:
    """The maker's serialization line: three lots of packages, their cases, and the pallet, as 2.0 JSON."""
    old = [world.package(OLD_LOT, number).canonical for number in (0, 1)]
    events = [_begun(world, OLD_LOT, old, world.ago(days=760))]
    for number, lot in enumerate(LOTS):
        at = world.ago(days=40) + timedelta(hours=number)
        events.append(_begun(world, lot, [p.canonical for p in world.packages(lot)], at))
        events.append(_begun(world, lot, [c.canonical for c in world.cases(lot)], at + timedelta(minutes=20)))
    events.append(
        Event(
            type=EventType.OBJECT,
            event_time=world.ago(days=6, hours=4),
            time_zone_offset=OFFSET,
            event_id=_id("pallet", world),
            action=Action.ADD,
            biz_step="commissioning",
            disposition="active",
            epcs=(world.pallet.canonical,),
            read_point=MAKER.place,
            biz_location=MAKER.place,
        )
    )
    return write_json(Document(Form.JSON20, tuple(events), created=world.ago(days=6, hours=4)))


def _begun(world: World, lot: str, epcs: Sequence[str], at: datetime) -> Event:
    return Event(
        type=EventType.OBJECT,
        event_time=at,
        time_zone_offset=OFFSET,
        event_id=_id(f"begin-{lot}-{len(epcs)}", world),
        action=Action.ADD,
        biz_step="commissioning",
        disposition="active",
        epcs=tuple(epcs),
        read_point=MAKER.place,
        biz_location=MAKER.place,
        ilmd=((EXPIRY, compact(world.expiry(lot).isoformat())), (LOT, compact(lot))),
    )


def shipment(world: World, buyer: Company) -> bytes:
    """The maker's packing and shipping as EPCIS 1.2 XML, with header, master data and transaction statement."""
    events = [
        _packed(world, case, world.in_case(lot, number), world.ago(days=7) + timedelta(minutes=3 * at))
        for at, (lot, number, case) in enumerate(
            (lot, number, world.case(lot, number)) for lot in LOTS for number in range(PER_LOT // PER_CASE)
        )
    ]
    cases = [case.canonical for lot in LOTS for case in world.cases(lot)]
    events.append(
        _aggregated(MAKER, world.pallet.canonical, cases, world.ago(days=6, hours=3), _id("load", world))
    )
    events.append(
        shipped(
            world, MAKER, buyer, [world.pallet.canonical], world.ago(days=6), "PO-5521", "ASN-90017", "ship"
        )
    )
    return xml12.write(
        _document(world, events, MAKER, buyer, world.ago(days=6), "shipment"),
        Spelling(world.gcp_length),
        indent=True,
    )


def _packed(world: World, case: Sgtin, packages: Sequence[Sgtin], at: datetime) -> Event:
    return _aggregated(
        MAKER, case.canonical, [p.canonical for p in packages], at, _id(f"pack-{case.serial}", world)
    )


def _aggregated(
    by: Company,
    parent: str,
    children: Sequence[str],
    at: datetime,
    event_id: str,
    action: Action = Action.ADD,
    declaration: ErrorDeclaration | None = None,
) -> Event:
    packing = action is Action.ADD
    return Event(
        type=EventType.AGGREGATION,
        event_time=at,
        time_zone_offset=OFFSET,
        event_id=event_id,
        action=action,
        biz_step="packing" if packing else "unpacking",
        disposition="in_progress",
        parent=parent,
        children=tuple(children),
        read_point=by.place,
        biz_location=by.place,
        declaration=declaration,
    )


def shipped(
    world: World,
    seller: Company,
    buyer: Company,
    epcs: Sequence[str],
    at: datetime,
    order: str,
    notice: str,
    name: str,
) -> Event:
    """A sale's shipping event: custody and title go from seller to buyer."""
    return Event(
        type=EventType.OBJECT,
        event_time=at,
        time_zone_offset=OFFSET,
        event_id=_id(name, world),
        action=Action.OBSERVE,
        biz_step="shipping",
        disposition="in_transit",
        epcs=tuple(epcs),
        read_point=seller.place,
        transactions=(
            Linked("po", f"urn:epcglobal:cbv:bt:{buyer.gln}:{order}"),
            Linked("desadv", f"urn:epcglobal:cbv:bt:{seller.gln}:{notice}"),
        ),
        sources=(Linked("owning_party", seller.place), Linked("location", seller.place)),
        destinations=(Linked("owning_party", buyer.place), Linked("location", buyer.place)),
        extensions=((TRANSACTION_DATE, compact(at.date().isoformat())),),
    )


def correction(world: World, lot: str, number: int, missing: Sgtin, buyer: Company) -> bytes:
    """The maker puts it right: the packing was wrong, this is what was packed, and that one was never shipped."""
    case = world.case(lot, number)
    index = LOTS.index(lot) * (PER_LOT // PER_CASE) + number
    at = world.ago(days=7) + timedelta(minutes=3 * index)
    was = [p.canonical for p in world.in_case(lot, number)]
    corrected = _id(f"repack-{case.serial}", world)
    declared = ErrorDeclaration(world.ago(hours=20), "incorrect_data", (corrected,))
    events = [
        _aggregated(MAKER, case.canonical, was, at, _id(f"pack-{case.serial}", world), declaration=declared),
        _aggregated(MAKER, case.canonical, [k for k in was if k != missing.canonical], at, corrected),
        Event(
            type=EventType.OBJECT,
            event_time=world.ago(hours=20),
            time_zone_offset=OFFSET,
            event_id=_id("void", world),
            action=Action.OBSERVE,
            biz_step="void_shipping",
            disposition="in_progress",
            epcs=(missing.canonical,),
            read_point=MAKER.place,
            transactions=(Linked("desadv", f"urn:epcglobal:cbv:bt:{MAKER.gln}:ASN-90017"),),
        ),
    ]
    document = _document(world, events, MAKER, buyer, world.ago(hours=20), "correction")
    return xml12.write(document, Spelling(world.gcp_length), indent=True)


def onward(
    world: World,
    at: datetime,
    seller: Company,
    case: Sgtin,
    shipments: Sequence[tuple[Company, Sequence[Sgtin]]],
) -> bytes:
    """The wholesaler's own system, 2.0 JSON: a case taken from the pallet and opened, packages sold on."""
    sold = [package.canonical for _, packages in shipments for package in packages]
    events = [
        _aggregated(seller, world.pallet.canonical, [case.canonical], at, _id("take", world), Action.DELETE),
        _aggregated(seller, case.canonical, sold, at + BREATH, _id("open", world), Action.DELETE),
    ]
    for number, (buyer, packages) in enumerate(shipments):
        events.append(
            shipped(
                world,
                seller,
                buyer,
                [p.canonical for p in packages],
                at + 2 * BREATH,
                f"PO-{700 + number}",
                f"ASN-{4400 + number}",
                f"onward-{buyer.key}",
            )
        )
    return write_json(_document(world, events, seller, shipments[0][0], at, "onward"))


def second_delivery(
    world: World, at: datetime, seller: Company, buyer: Company, cases: Sequence[Sgtin]
) -> bytes:
    """Two more cases on a small pallet, on their way to the pharmacy: 2.0 JSON."""
    keys = [case.canonical for case in cases]
    small = world.small_pallet.canonical
    events = [
        _aggregated(seller, world.pallet.canonical, keys, at, _id("take-2", world), Action.DELETE),
        _aggregated(seller, small, keys, at + BREATH, _id("load-2", world)),
        shipped(world, seller, buyer, [small], at + 2 * BREATH, "PO-733", "ASN-4431", "ship-2"),
    ]
    return write_json(_document(world, events, seller, buyer, at, "second"))


def _document(
    world: World, events: Sequence[Event], seller: Company, buyer: Company, created: datetime, name: str
) -> Document:
    return Document(
        Form.JSON20,
        tuple(events),
        created=created,
        sender=seller.gln,
        receiver=buyer.gln,
        instance_id=_id(name, world),
        products=world.product(),
        locations=(seller.master(), buyer.master()),
        statement=_statement(seller),
    )


def _statement(seller: Company) -> TransactionStatement:
    """What the seller states; a wholesaler also that it bought directly (582(c)(1)(A)(ii)), as it does in the story."""
    directly = seller.kind == "wholesaler"
    return TransactionStatement(
        affirmed=True,
        legal_notice=NOTICE,
        guideline_version="GS1 US DSCSA R1.3",
        direct_purchase="ENTIRELY_DIRECT" if directly else None,
        direct_purchase_statement=DIRECT_NOTICE if directly else None,
    )


def _id(name: str, world: World) -> str:
    """An event id that is the same each time the story is told at the same moment."""

    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'packproof-demo/{world.now.isoformat()}/{name}')}"
