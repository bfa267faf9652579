"""A loading dock: a maker, a wholesaler, a pharmacy and a logistics provider with everything that a sale needs.

dock.made(1, 2, 3)                     # the maker commissions packs
dock.packed(PALLET, 1, 2)              # and packs some of them
dock.ship(code(1), to=WHOLESALER)      # the command, as the maker's system gives it; the HTTP answer
dock.received(PALLET, by=WHOLESALER)   # and so on
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from app.partners import service as partners
from app.partners.places import Address
from app.products import service as products
from app.shared.actor import Role
from app.transactions.values import DIRECT_NOTICE
from ledger.custody.event import Event, Linked
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from tests.support.app import OPERATOR
from tests.support.counter import PHARMACY, code
from tests.support.trade import WHEN, Trade, licence
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package, sgln

KEEPER = "0810000000012"
PLACES = {
    MAKER: Address("1 Plant Road", "Trenton", "NJ", "08601", "US"),
    WHOLESALER: Address("20 Dock Street", "Louisville", "KY", "40202", "US"),
    PHARMACY: Address("7 Main Street", "Lexington", "KY", "40507", "US"),
    KEEPER: Address("3 Depot Way", "Memphis", "TN", "38118", "US"),
}
PALLET_CODE = "(00)103999990000000014"
AFFIRMED = TransactionStatement(True, "Seller has complied.", "GS1 US DSCSA R1.3")
BOUGHT_DIRECTLY = replace(
    AFFIRMED, direct_purchase="ENTIRELY_DIRECT", direct_purchase_statement=DIRECT_NOTICE
)
"""What a wholesaler states of what it bought of its maker."""


class Dock:
    """The node of `Trade`, completed. Packs are made at `WHEN`; what happens to them happens now, and each
    takes a minute."""

    def __init__(self, trade: Trade) -> None:
        self.trade, self.node, self.services = trade, trade.node, trade.node.services
        with self.services.database.writing() as connection:
            for gln, name, kind in (
                (PHARMACY, "Corner Pharmacy", "dispenser"),
                (KEEPER, "Depot Logistics", "3pl"),
            ):
                partners.register(connection, self.services.clock, gln, name, kind, licences=[licence(gln)])
            for gln, place in PLACES.items():
                partners.describe(connection, gln, place, "+1 555 0100" if gln == WHOLESALER else None)
            products.register(
                connection,
                self.services.clock,
                GTIN,
                MAKER,
                name="Sonnenal",
                strength="20 mg",
                dosage_form="tablet",
                ndc="99999-001-01",
                net_content="30 tablets",
            )

    # What happened.

    def at(self) -> datetime:
        """A minute after what was told before, which is now."""
        self.node.clock.advance(timedelta(minutes=1))
        return self.node.clock.now()

    def told(self, *events: Event, by: str, statement: TransactionStatement | None = None) -> object:
        """Record the events as received from `by`; the receipt."""
        raw = write(Document(Form.JSON20, events, created=WHEN, statement=statement))
        return self.services.capture.receive(raw, "application/json", by=by, channel="file", actor=OPERATOR)

    def made(self, *numbers: int, lot: str = "LOT42") -> None:
        self.told(self.trade.begun(*numbers, lot=lot), by=MAKER)

    def bare(self, **fields: object) -> Event:
        """An event of nothing in particular, a minute after the last one."""
        empty = replace(self.trade.begun(), action=Action.OBSERVE, ilmd=(), biz_location=None)
        return replace(empty, event_time=self.at(), **fields)

    def packed(self, into: str, *numbers: int, by: str = MAKER) -> None:
        children = tuple(package(number) for number in numbers)
        packing = {"type": EventType.AGGREGATION, "action": Action.ADD, "biz_step": "packing"}
        self.told(self.bare(parent=into, children=children, disposition="in_progress", **packing), by=by)

    def received(self, *epcs: str, by: str, sender: str = MAKER) -> object:
        """`by` receives what `sender` shipped to it."""
        ends = {
            "sources": (Linked("possessing_party", sgln(sender)),),
            "destinations": (Linked("possessing_party", sgln(by)),),
        }
        return self.told(self.bare(biz_step="receiving", disposition="in_progress", epcs=epcs, **ends), by=by)

    def sold(
        self,
        *epcs: str,
        by: str,
        to: str,
        statement: TransactionStatement | None = AFFIRMED,
        recipient: str = "",
        **fields: object,
    ) -> object:
        """`by`'s own system reports a sale to `to`; the receipt."""
        if by == WHOLESALER and statement is AFFIRMED:
            statement = BOUGHT_DIRECTLY
        sale = self.sale(*epcs, by=by, to=to, recipient=recipient)
        return self.told(replace(sale, **fields), by=by, statement=statement)

    def sale(self, *epcs: str, by: str, to: str, recipient: str = "") -> Event:
        """A sale by `by` to `to`, a minute after the last event."""
        date = (("http://epcis.gs1us.org/hc/ns#transactionDate", '"2026-06-01"'),)
        return self.bare(
            biz_step="shipping",
            disposition="in_transit",
            epcs=epcs,
            sources=(Linked("owning_party", sgln(by)), Linked("possessing_party", sgln(by))),
            destinations=(
                Linked("owning_party", sgln(to)),
                Linked("possessing_party", sgln(recipient or to)),
            ),
            extensions=date,
        )

    # What programs ask.

    def bearer(self, gln: str) -> dict[str, str]:
        return self.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln)

    def ship(self, *codes: str, to: str, by: str = MAKER, **more: object) -> TestResponse:
        """POST /shipments: a sale with an order and an affirmed statement, unless said otherwise."""
        asked = {"codes": list(codes), "customer": to, "order": "PO-1", "affirmed": True, **more}
        return self.trade.client.post("/shipments", json=asked, headers=self.bearer(by))

    def get(self, path: str, by: str) -> TestResponse:
        return self.trade.client.get(path, headers=self.bearer(by))

    def sales(self, by: str) -> list[str]:
        """The ids of the sales that a party reads."""
        return [each["id"] for each in self.get("/transactions", by).get_json()["transactions"]]

    def owner(self, number: int) -> tuple[str, str, bool]:
        """(holder, owner, under way) of a pack."""
        from app.custody import loading

        with self.services.database.reading() as connection:
            world = loading.load(connection, [package(number)]).world
        outer = world.outer(world.item(package(number)))
        return outer.holder, outer.owner, outer.in_transit


def codes_of(problem: dict[str, object]) -> set[str]:
    """The codes in a refusal."""
    found = problem["problems"]
    assert isinstance(found, Iterable)
    return {each["code"] for each in found}


@pytest.fixture
def dock(trade: Trade) -> Dock:
    """On SQLite and PostgreSQL."""
    return Dock(trade)


@pytest.fixture
def sqlite_dock(sqlite_trade: Trade) -> Dock:
    """On SQLite alone."""
    return Dock(sqlite_trade)


__all__ = ["KEEPER", "PALLET", "PALLET_CODE", "Dock", "code", "codes_of"]
