"""Transaction information from an event, what was in it, and master data; with every gap named. Pure.

    info, gaps = assemble(Sources(event, seller, buyer, ...))
    statement_gaps(statement)

The same function serves the command to ship, a shipment that somebody captured, and a document that came in: what the
three know differs, what the law asks for does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.transactions.values import (
    DROP_SHIPMENT,
    TRANSACTION_DATE,
    Element,
    Gap,
    Line,
    Package,
    ProductText,
    Trader,
    TransactionInformation,
)
from ledger.custody.event import Event, Linked
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin
from ledger.gs1.ndc import Ndc, from_ndc11

MOST_NAMED = 3
"""How many packages one gap names; of the others it says how many there are."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of a shipment. `seller` and so on as GLNs; `traders` and `products` by GLN and GTIN.

    `recipient`: who gets it in hand. `infer_date`: the document is of R1.2, which has no field for the date.
    """

    event: Event
    seller: str
    buyer: str
    recipient: str | None = None
    packages: tuple[Package, ...] = ()
    products: Mapping[str, ProductText] = field(default_factory=dict)
    traders: Mapping[str, Trader] = field(default_factory=dict)
    infer_date: bool = False


def assemble(known: Sources) -> tuple[TransactionInformation, tuple[Gap, ...]]:
    """The transaction information, and what is missing from it."""
    event = known.event
    stated = day_of(event.extension_text(TRANSACTION_DATE))
    shipped = local_day(event)
    day = stated or (shipped if known.infer_date else None)
    drops = is_drop_shipment(event, known.buyer, known.recipient)
    lines = tuple(_lines(known))
    info = TransactionInformation(
        event_id=event.id,
        seller=known.traders.get(known.seller, Trader(known.seller)),
        buyer=known.traders.get(known.buyer, Trader(known.buyer)),
        transaction_date=day,
        # By whole days: who ships on a later day than he sold says so. That is never less than the law's 24 hours ask.
        shipment_date=shipped if day is not None and shipped != day else None,
        shipped_at=event.event_time,
        lines=lines,
        recipient=_recipient(known),
        drop_shipment=drops,
        order=_number(event.transactions, "po"),
        notice=_number(event.transactions, "desadv"),
        date_inferred=stated is None and day is not None,
    )
    return info, tuple(_gaps(known, info))


def is_drop_shipment(event: Event, buyer: str, recipient: str | None) -> bool:
    """Whether the event says that it goes straight to another than its buyer (582(f)): in so many words, or by its
    parties. A warehouse that keeps it for the buyer is no drop shipment, where the event says so."""
    said = event.extension_text(DROP_SHIPMENT)
    if said is not None:
        return said.strip().lower() in ("true", "1")
    return recipient is not None and recipient != buyer


def day_of(text: str | None) -> date | None:
    """The day in an xsd:date or xsd:dateTime; None where there is none."""
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None


def local_day(event: Event) -> date:
    """The day of the event where it happened."""
    sign, hours, minutes = (
        event.time_zone_offset[:1],
        event.time_zone_offset[1:3],
        event.time_zone_offset[4:6],
    )
    try:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        return (event.event_time + offset).date()
    except (ValueError, OverflowError):
        return event.event_time.date()


def ndc_of(text: str | None, kind: str | None, gtin: str) -> str:
    """An NDC as its label has it, dashed, from what master data say: R1.2 writes 11 digits (`FDA_NDC_11`).

    Empty where nobody can tell where its segments end.
    """
    text = (text or "").strip()
    try:
        eleven = text.replace("-", "")
        if len(eleven) == 11 and (kind == "FDA_NDC_11" or "-" not in text):
            fitting = [each for each in from_ndc11(text) if each.is_in(Gtin.parse(gtin))]
            return str(fitting[0]) if len(fitting) == 1 else text
        return str(Ndc.parse(text)) if text else ""
    except Gs1Error:
        return text


def _recipient(known: Sources) -> Trader | None:
    if known.recipient is None or known.recipient == known.buyer:
        return None
    return known.traders.get(known.recipient, Trader(known.recipient))


def _number(transactions: Iterable[Linked], kind: str) -> str | None:
    """The number in ``urn:epcglobal:cbv:bt:<GLN>:<number>``, or the whole reference where it is another."""
    for each in sorted(transactions, key=lambda one: (one.type, one.id)):
        if each.type == kind:
            return each.id.rpartition(":")[2] if each.id.startswith("urn:epcglobal:cbv:bt:") else each.id
    return None


def _lines(known: Sources) -> Iterator[Line]:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for each in known.packages:
        if each.gtin:
            grouped.setdefault((each.gtin, each.lot, each.expiry), []).append(each.serial)
    for (gtin, lot, expiry), serials in sorted(grouped.items()):
        product = known.products.get(gtin, ProductText(gtin))
        yield Line(product, lot, expiry, tuple(sorted(serials)))


# What is missing.


def _gaps(known: Sources, info: TransactionInformation) -> Iterator[Gap]:
    for gtin in sorted({line.product.gtin for line in info.lines}):
        yield from _product_gaps(known.products.get(gtin, ProductText(gtin)))
    yield from _package_gaps(known.packages)
    if info.transaction_date is None:
        yield Gap(Element.TRANSACTION_DATE, "date of the transaction missing (gs1ushc:transactionDate)")
    elif info.shipment_date is not None and info.shipment_date < info.transaction_date:
        yield Gap(
            Element.SHIPMENT_DATE,
            f"shipped on {info.shipment_date}, before the transaction of {info.transaction_date}: one is wrong",
        )
    yield from _trader_gaps(Element.SELLER, "seller", info.seller)
    yield from _trader_gaps(Element.BUYER, "buyer", info.buyer)
    if info.drop_shipment:
        if info.recipient is None:
            yield Gap(Element.DROP_SHIPMENT, "the party that the drop shipment goes to is missing")
        else:
            yield from _trader_gaps(
                Element.DROP_SHIPMENT, "party that the drop shipment goes to,", info.recipient
            )
        if not info.buyer.contact:
            who = info.buyer.name or info.buyer.gln
            yield Gap(
                Element.DROP_SHIPMENT,
                f"contact of {who}, which sells it without handling it, missing in its party's data",
            )


def _product_gaps(product: ProductText) -> Iterator[Gap]:
    where = f"in product master data of GTIN {product.gtin}"
    for element, what, value in (
        (Element.NAME, "name", product.name),
        (Element.STRENGTH_AND_FORM, "strength", product.strength),
        (Element.STRENGTH_AND_FORM, "dosage form", product.dosage_form),
        (Element.NDC, "NDC", product.ndc),
        (Element.CONTAINER_SIZE, "container size", product.container_size),
    ):
        if not value.strip():
            yield Gap(element, f"{what} missing {where}")
    if product.ndc.strip() and not _fits(product):
        yield Gap(Element.NDC, f"NDC {product.ndc} {where} is not the one that the GTIN holds")


def _fits(product: ProductText) -> bool:
    """Whether the NDC is the GTIN's, as far as that can be told: a GTIN holds ten digits after 03, or no NDC."""
    try:
        gtin = Gtin.parse(product.gtin)
        if gtin.ndc10_digits is None:
            return True
        ndc = Ndc.parse(product.ndc)
    except Gs1Error:
        return False
    return len(ndc.digits) == 12 or ndc.is_in(gtin) or any(each.is_in(gtin) for each in _shorter(ndc))


def _shorter(ndc: Ndc) -> tuple[Ndc, ...]:
    return from_ndc11(str(ndc)) if len(ndc.digits) == 11 else ()


def _package_gaps(packages: tuple[Package, ...]) -> Iterator[Gap]:
    if not packages:
        yield Gap(Element.COUNT, "nothing is in this shipment")
    unknown = [each.epc for each in packages if not each.gtin]
    if unknown:
        yield Gap(
            Element.IDENTIFIER,
            f"what is in {_named(unknown)} is not on record: its packages cannot be listed",
        )
    for element, what, missing in (
        (Element.LOT, "lot", [each.epc for each in packages if each.gtin and not each.lot]),
        (Element.IDENTIFIER, "expiry", [each.epc for each in packages if each.gtin and not each.expiry]),
        (
            Element.IDENTIFIER,
            "serial number",
            [each.epc for each in packages if each.gtin and not each.serial],
        ),
    ):
        if missing:
            yield Gap(element, f"{what} missing in the record of {_named(missing)}")


def _named(epcs: list[str]) -> str:
    first = ", ".join(shown(each) for each in sorted(epcs)[:MOST_NAMED])
    more = len(epcs) - MOST_NAMED
    return f"{first} and {more} more" if more > 0 else first


def shown(epc: str) -> str:
    """A canonical EPC as people write it: (01)GTIN(21)serial, (00)SSCC."""
    base = "https://id.gs1.org/"
    if not epc.startswith(base):
        return epc
    parts = epc.removeprefix(base).split("/")
    return "".join(f"({ai}){value}" for ai, value in zip(parts[::2], parts[1::2], strict=False))


def _trader_gaps(element: Element, what: str, trader: Trader) -> Iterator[Gap]:
    if not trader.name.strip():
        yield Gap(element, f"name of the {what} {trader.gln} missing in its party's data")
    if not trader.place.line:
        yield Gap(element, f"address of the {what} {trader.name or trader.gln} missing in its party's data")


def expires(package: Package, now: datetime) -> bool:
    """Whether the package is past its expiry at `now`."""
    day = day_of(package.expiry)
    return day is not None and day < now.date()
