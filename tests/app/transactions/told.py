"""A shipment whose transaction information is complete, for tests to take something away from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.partners.places import Address
from app.transactions.rules import Sources
from app.transactions.values import (
    DIRECT_NOTICE,
    DROP_SHIPMENT,
    LEGAL_NOTICE,
    TRANSACTION_DATE,
    Direct,
    Package,
    ProductText,
    Statement,
    Trader,
)
from ledger.custody.event import Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from tests.support.counter import PHARMACY
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package, sgln

SHIPPED = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)
PRODUCT = ProductText(
    GTIN, "Examplinib", "50 mg", "TABLET", "99999-001-01", "30 tablets", "Example Pharma Inc."
)
TRADERS = {
    MAKER: Trader(MAKER, "Example Pharma Inc.", Address("1 Plant Rd", "Anytown", "NJ", "08000", "US")),
    WHOLESALER: Trader(
        WHOLESALER,
        "Dock Street",
        Address("20 Dock Street", "Louisville", "KY", "40202", "US"),
        "+1 502 555 0100",
    ),
    PHARMACY: Trader(PHARMACY, "Corner", Address("7 Main Street", "Lexington", "KY", "40507", "US")),
}
STATEMENT = Statement(True, LEGAL_NOTICE)
BOUGHT_PARTLY = Statement(
    True, LEGAL_NOTICE, Direct.PARTIALLY_DIRECT, DIRECT_NOTICE, True, indirect=(package("B2"),)
)


def shipping(to: str = WHOLESALER, at: str = "", sold_to: str = "", **fields: object) -> Event:
    """The maker ships a pallet: sold to whom it goes to, unless said otherwise."""
    made = Event(
        type=EventType.OBJECT,
        event_time=SHIPPED,
        time_zone_offset="-04:00",
        event_id="urn:uuid:33333333-3333-4333-8333-333333333333",
        action=Action.OBSERVE,
        biz_step="shipping",
        disposition="in_transit",
        epcs=(PALLET,),
        read_point=sgln(MAKER),
        transactions=(
            Linked("desadv", f"urn:epcglobal:cbv:bt:{MAKER}:ASN777"),
            Linked("po", f"urn:epcglobal:cbv:bt:{WHOLESALER}:PO12345"),
        ),
        sources=(Linked("owning_party", sgln(MAKER)), Linked("possessing_party", sgln(MAKER))),
        destinations=(
            Linked("owning_party", sgln(sold_to or to)),
            Linked("possessing_party", sgln(to)),
        ),
        extensions=((TRANSACTION_DATE, compact(at or "2026-06-01")),),
    )
    return replace(made, **fields)


def drop_shipment() -> Event:
    """Sold to the wholesaler, sent straight to the pharmacy."""
    said = ((DROP_SHIPMENT, compact("true")), (TRANSACTION_DATE, compact("2026-06-01")))
    return shipping(PHARMACY, sold_to=WHOLESALER, extensions=said)


def packs(*serials: str, lot: str = "LOT42", expiry: str = "2028-05-31") -> tuple[Package, ...]:
    return tuple(Package(package(each), GTIN, each, lot, expiry) for each in serials)


def sources(event: Event | None = None, **changed: object) -> Sources:
    """What is known of the shipment; everything, unless something is changed."""
    event = event or shipping()
    known = Sources(
        event=event,
        seller=MAKER,
        buyer=WHOLESALER,
        recipient=WHOLESALER,
        packages=packs("A1", "B2"),
        products={GTIN: PRODUCT},
        traders=TRADERS,
    )
    return replace(known, **changed)


DAY = timedelta(days=1)
