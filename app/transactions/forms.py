"""Transaction information and statement as partners exchange them: EPCIS documents of GS1 US's R1.2 and R1.3. Pure.

    document(told, statement, guideline, ...)   ->  a `Document` to write as 2.0 JSON or 1.2 XML
    read_transactions(document)                 ->  what a document says, with its gaps

The document tells what a receiver needs and no more: what was shipped (commissioning with lot and expiry, of these
packages alone), how it is packed, the shipping event itself, products, places, and the statement in the header. The
guideline's releases differ in a few fields (domain reference 3.3); where ours are placed in JSON is our convention.
"""

import contextlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote

from app.partners.places import Address
from app.transactions.rules import Sources, assemble, day_of, ndc_of
from app.transactions.values import (
    DROP_SHIPMENT,
    TRANSACTION_DATE,
    Direct,
    Gap,
    Guideline,
    Package,
    ProductText,
    Statement,
    Trader,
    TransactionInformation,
)
from ledger.custody.act import gln_of
from ledger.custody.event import EXPIRY, LOT, Event, Linked, compact
from ledger.custody.state import MAX_DEPTH
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, LocationMaster, ProductMaster, TransactionStatement
from ledger.epcis.spelling import GcpLength
from ledger.gs1.errors import Gs1Error
from ledger.gs1.ndc import Ndc

GUIDELINE_TEXT = "GS1 US Guideline for DSCSA, R1.3"
CONTACT = "https://packproof.example/ns#contact"
_NAMESPACE = uuid.UUID("7d6a4a3e-0c1b-5f0e-9a55-6f0c1d1c7a10")  # of the ids of events that are told again
OURS = (("packproof", "https://packproof.example/ns#"),)


@dataclass(frozen=True, slots=True)
class Begun:
    """Packages (or a case) of one lot as they were commissioned: when, where, and which of them are told of."""

    at: datetime
    offset: str
    place: str | None
    lot: str
    expiry: str
    epcs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """What was put into a container at one time."""

    at: datetime
    parent: str
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """All that a document of one shipment tells."""

    event: Event
    info: TransactionInformation
    begun: tuple[Begun, ...]
    packed: tuple[Packed, ...]
    products: tuple[ProductText, ...]  # of packages, and of cases as far as they are known


def document(
    told: Told, statement: Statement, guideline: Guideline, created: datetime, instance_id: str
) -> Document:
    """The document of one shipment. `created` aware; `instance_id` names the message."""
    info = told.info
    events = (
        *(_begun(each, info, number) for number, each in enumerate(told.begun)),
        *(_packed(each, info, number, told.event) for number, each in enumerate(told.packed)),
        _shipping(told.event, guideline),
    )
    traders = {each.gln: each for each in (info.seller, info.buyer, info.recipient) if each is not None}
    return Document(
        Form.JSON20,
        events,
        created=created,
        sender=info.seller.gln,
        receiver=(info.recipient if info.drop_shipment and info.recipient else info.buyer).gln,
        instance_id=instance_id,
        products=tuple(product_master(each, guideline) for each in told.products),
        locations=tuple(location_master(each) for _, each in sorted(traders.items())),
        statement=transaction_statement(statement, guideline),
        namespaces=OURS,
    )


def transaction_statement(statement: Statement, guideline: Guideline) -> TransactionStatement:
    """The statement as the header has it. R1.2 says of a direct purchase only whether it was one."""
    wholly = None if statement.direct is None else statement.direct is Direct.ENTIRELY_DIRECT
    if guideline is Guideline.R12:
        return TransactionStatement(
            affirmed=statement.affirmed,
            legal_notice=statement.legal_notice,
            direct_purchase=None if wholly is None else str(wholly).lower(),
        )
    return TransactionStatement(
        affirmed=statement.affirmed,
        legal_notice=statement.legal_notice,
        guideline_version=GUIDELINE_TEXT,
        direct_purchase=statement.direct.value if statement.direct else None,
        direct_purchase_statement=statement.direct_statement,
        received_direct_purchase=statement.received_direct,
        indirect_epcs=statement.indirect,
    )


def _id(info: TransactionInformation, what: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{info.event_id}/{what}')}"


def _begun(each: Begun, info: TransactionInformation, number: int) -> Event:
    ilmd = ((EXPIRY, each.expiry), (LOT, each.lot))
    return Event(
        type=EventType.OBJECT,
        event_time=each.at,
        time_zone_offset=each.offset,
        event_id=_id(info, f"begun/{number}"),
        action=Action.ADD,
        biz_step="commissioning",
        disposition="active",
        epcs=each.epcs,
        read_point=each.place,
        biz_location=each.place,
        ilmd=tuple((name, compact(value)) for name, value in ilmd if value),
    )


def _packed(each: Packed, info: TransactionInformation, number: int, shipping: Event) -> Event:
    return Event(
        type=EventType.AGGREGATION,
        event_time=each.at,
        time_zone_offset=shipping.time_zone_offset,
        event_id=_id(info, f"packed/{number}"),
        action=Action.ADD,
        biz_step="packing",
        disposition="in_progress",
        parent=each.parent,
        children=each.children,
        read_point=shipping.read_point,
        biz_location=shipping.read_point,
    )


def _shipping(event: Event, guideline: Guideline) -> Event:
    """The event as it was recorded. R1.2 has no field for the transaction's date, nor for a drop shipment."""
    if guideline is Guideline.R13:
        return event
    left = tuple(pair for pair in event.extensions if pair[0] not in (TRANSACTION_DATE, DROP_SHIPMENT))
    return replace(event, extensions=left)


def product_master(product: ProductText, guideline: Guideline) -> ProductMaster:
    """A product as a document's master data have it: R1.2 writes the NDC with 11 digits."""
    ndc, kind = product.ndc, "US_FDA_NDC"
    if guideline is Guideline.R12:
        with contextlib.suppress(Gs1Error):
            ndc, kind = Ndc.parse(product.ndc).ndc11.replace("-", ""), "FDA_NDC_11"
    return ProductMaster(
        gtin=product.gtin,
        ndc=ndc or None,
        ndc_type=kind if ndc else None,
        name=product.name or None,
        manufacturer=product.manufacturer or None,
        dosage_form=product.dosage_form or None,
        strength=product.strength or None,
        net_content=product.container_size or None,
    )


def location_master(trader: Trader) -> LocationMaster:
    """A party as a document's master data have it."""
    place = trader.place
    return LocationMaster(
        id=f"https://id.gs1.org/414/{trader.gln}",
        name=trader.name or None,
        street1=place.address or None,
        city=place.city or None,
        state=place.state or None,
        postal_code=place.postal_code or None,
        country=place.country or None,
        other=((CONTACT, compact(trader.contact)),) if trader.contact else (),
    )


# And back.


def is_transaction(event: Event) -> bool:
    """Whether the event tells of a change of ownership: it was shipped from an owner to another."""
    if event.biz_step != "shipping" or event.declaration is not None:
        return False
    seller, buyer = _party(event.sources, "owning_party"), _party(event.destinations, "owning_party")
    return buyer is not None and buyer != seller


def read_transactions(
    document: Document,
) -> list[tuple[TransactionInformation, tuple[Gap, ...], Statement | None]]:
    """Each transaction that a document tells of, with what is missing, and the document's statement.

    From the document alone: what its events, ILMD and master data say.
    """
    statement = statement_of(document.statement)
    r12 = document.statement is not None and document.statement.guideline_version is None
    found = []
    for event in document.events:
        if not is_transaction(event):
            continue
        buyer = _party(event.destinations, "owning_party") or ""
        info, gaps = assemble(
            Sources(
                event=event,
                seller=_party(event.sources, "owning_party") or document.sender or "",
                buyer=buyer,
                recipient=_party(event.destinations, "possessing_party") or buyer,
                packages=packages_in(event.epcs, document.events, event),
                products=products_of(document.products),
                traders=traders_of(document.locations),
                infer_date=r12,
            )
        )
        found.append((info, gaps, statement))
    return found


def statement_of(header: TransactionStatement | None) -> Statement | None:
    """The statement in a document's header."""
    if header is None:
        return None
    text = header.direct_purchase
    direct: Direct | None = None
    if text in Direct.__members__.values():
        direct = Direct(text)
    elif text is not None and text.lower() in ("true", "1"):
        direct = Direct.ENTIRELY_DIRECT
    elif text is not None and text.lower() in ("false", "0"):
        direct = Direct.ENTIRELY_INDIRECT
    return Statement(
        affirmed=header.affirmed,
        legal_notice=header.legal_notice,
        direct=direct,
        direct_statement=header.direct_purchase_statement,
        received_direct=header.received_direct_purchase,
        indirect=header.indirect_epcs,
    )


def products_of(listed: Iterable[ProductMaster]) -> dict[str, ProductText]:
    """Products by GTIN, from a document's master data."""
    return {
        each.gtin: ProductText(
            each.gtin,
            each.name or "",
            each.strength or "",
            each.dosage_form or "",
            ndc_of(each.ndc, each.ndc_type, each.gtin),
            each.net_content or "",
            each.manufacturer or "",
        )
        for each in listed
    }


def traders_of(listed: Iterable[LocationMaster]) -> dict[str, Trader]:
    """Parties by GLN, from a document's master data."""
    found: dict[str, Trader] = {}
    for each in listed:
        gln = gln_of(each.id)
        if gln is None:
            continue
        street = ", ".join(part for part in (each.street1, each.street2) if part)
        place = Address(street, each.city or "", each.state or "", each.postal_code or "", each.country or "")
        contact = json.loads(dict(each.other).get(CONTACT, '""'))
        told = contact if isinstance(contact, str) else ""
        found.setdefault(gln, Trader(gln, each.name or "", place, told))
    return found


def packages_in(epcs: Iterable[str], events: Iterable[Event], shipping: Event) -> tuple[Package, ...]:
    """The packages in what was shipped, as the document's own events tell: packing before shipping, ILMD of each."""
    inside: dict[str, set[str]] = {}
    ilmd: dict[str, tuple[str, str]] = {}
    before = sorted((each for each in events if each.position <= shipping.position), key=lambda e: e.position)
    for event in before:
        if event.declaration is not None:
            continue
        if event.type is EventType.AGGREGATION and event.parent:
            held = inside.setdefault(event.parent, set())
            if event.action is Action.ADD:
                held |= set(event.children)
            elif event.action is Action.DELETE:
                held -= set(event.children) if event.children else set(held)
        elif event.type is EventType.OBJECT and event.action is Action.ADD:
            lot, expiry = event.ilmd_text(LOT) or "", day_of(event.ilmd_text(EXPIRY))
            ilmd |= {epc: (lot, expiry.isoformat() if expiry else "") for epc in event.epcs}
    leaves: dict[str, None] = {}
    level = list(epcs)
    for _ in range(MAX_DEPTH + 1):
        leaves |= dict.fromkeys(epc for epc in level if not inside.get(epc))
        level = [child for epc in level for child in sorted(inside.get(epc, ()))]
        if not level:
            break
    return tuple(package(epc, *ilmd.get(epc, ("", ""))) for epc in leaves)


def package(epc: str, lot: str, expiry: str) -> Package:
    """A package by its canonical EPC; a container, and a case by its indicator, is none."""
    gtin, serial = gtin_and_serial(epc)
    if gtin is None or gtin[0] != "0":
        return Package(epc)
    return Package(epc, gtin, serial, lot, expiry)


def gtin_and_serial(epc: str) -> tuple[str | None, str]:
    """GTIN-14 and serial number in a canonical EPC; None where it is no serialized product."""
    base = "https://id.gs1.org/01/"
    gtin, middle, serial = epc.removeprefix(base).partition("/21/")
    return (gtin, unquote(serial)) if epc.startswith(base) and middle else (None, "")


def _party(linked: Iterable[Linked], kind: str) -> str | None:
    return next((gln for each in linked if each.type == kind and (gln := gln_of(each.id))), None)


def message_id(info: TransactionInformation, guideline: Guideline) -> uuid.UUID:
    """The number of the message that tells of a shipment: the same each time it is asked for."""
    return uuid.uuid5(_NAMESPACE, f"{info.event_id}/{guideline.value}")


def prefix_length(known: Iterable[str], products: Iterable[ProductText]) -> GcpLength:
    """How long the company prefix in a canonical EPC is, as far as it can be told; else None.

    By the prefixes that are entered (6 to 12 digits each), and for drugs by their NDC: ``03`` and the labeler's digits.
    """
    prefixes = {*known}
    for each in products:
        with contextlib.suppress(Gs1Error):
            ndc = Ndc.parse(each.ndc)
            if len(ndc.digits) == 10 and each.gtin[1:3] == "03":
                prefixes.add(f"03{ndc.labeler}")

    def length(canonical: str) -> int | None:
        parts = canonical.removeprefix("https://id.gs1.org/").split("/")
        if len(parts) < 2:
            return None
        # A GTIN has its indicator and an SSCC its extension digit before the prefix, a GLN has nothing.
        digits = parts[1][1:] if parts[0] in ("01", "00") else parts[1]
        fitting = [len(each) for each in prefixes if digits.startswith(each)]
        return max(fitting) if fitting else None

    return length
