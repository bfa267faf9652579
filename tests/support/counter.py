"""A pharmacy's counter, with packs that were made, shipped and received through the product's own write seam.

counter.stock()                      # packs 1 to 3 are here, 4 is on its way, 5 is still at its maker
counter.pharmacist().post("/scan", {"code": code(1)})
"""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from app.cases import service as cases
from app.cases.rules import Desk
from app.labels.rules import PackageLabel
from app.labels.service import package_label_png
from app.partners import service as partners
from app.shared.actor import Role
from app.shared.audit import AuditEntry, entries
from ledger.custody.event import Event, Linked
from ledger.custody.vocabulary import Action, EventType
from tests.support.app import OPERATOR, Visitor
from tests.support.trade import WHEN, Trade, licence
from tests.support.world import GTIN, MAKER, PALLET, package, sgln

PHARMACY, STRANGER = "0370000000011", "0614143000010"
HERE, ON_ITS_WAY, AT_ITS_MAKER, MISSING = 1, 4, 5, 9


def code(number: int | str = HERE, *, lot: str = "LOT42", expiry: str = "280531") -> str:
    """A pack's label as people type it."""
    return f"(01){GTIN}(21){number}(17){expiry}(10){lot}"


def label(number: int | str = HERE, **changed: str) -> bytes:
    """A pack's label as a picture."""
    values = {"gtin": GTIN, "serial": str(number), "lot": "LOT42", "expiry": "2028-05-31", **changed}
    return package_label_png(PackageLabel.parse(**values), dpi=203)


def text_of(response: TestResponse) -> str:
    """What a page says, without its tags."""
    body = re.sub(r"<(script|svg|style).*?</\1>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


class Counter:
    """A node on which a pharmacy and a stranger trade beside the maker of `Trade`."""

    def __init__(self, trade: Trade) -> None:
        self.trade, self.node, self.services = trade, trade.node, trade.node.services
        with self.services.database.writing() as connection:
            for gln, name in ((PHARMACY, "Corner Pharmacy"), (STRANGER, "Far Away Pharmacy")):
                partners.register(
                    connection, self.services.clock, gln, name, "dispenser", licences=[licence(gln)]
                )

    # What happened.

    def told(self, *events: Event, by: str) -> int:
        """Record the events as received from `by`, unsigned. The entry's number."""
        raw = self.trade.document(*events)
        receipt = self.services.capture.receive(
            raw, "application/json", by=by, channel="file", actor=OPERATOR
        )
        return receipt.index

    def event(self, step: str, *numbers: int, hours: float, **fields: object) -> Event:
        """An event of the pharmacy's about these packs, so many hours after they were made."""
        made = self.trade.begun(*numbers)
        bare = replace(made, action=Action.OBSERVE, biz_step=step, disposition="in_progress", ilmd=())
        here = {"read_point": sgln(PHARMACY), "biz_location": sgln(PHARMACY)}
        return replace(bare, event_time=WHEN + timedelta(hours=hours), **{**here, **fields})

    def stock(self) -> "Counter":
        """Five packs, commissioned under the maker's signature; the rest unsigned."""
        assert self.trade.post_signed(self.trade.document(self.trade.begun(1, 2, 3, 4, 5))).status_code == 201
        self.shipment = self.trade.shipped(1, 2, 3, 4, to=PHARMACY)
        self.told(self.shipment, by=MAKER)
        sources = (Linked("possessing_party", sgln(MAKER)),)
        destinations = (Linked("possessing_party", sgln(PHARMACY)),)
        received = self.event("receiving", 1, 2, 3, hours=2, sources=sources, destinations=destinations)
        self.told(received, by=PHARMACY)
        return self

    def shortage(self) -> str:
        """A pallet of two packs arrives, and one is missing when it is opened. The id of the case that opens."""
        trade = self.trade
        children = (package(8), package(MISSING))
        packed = replace(
            trade.begun(), type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress",
            epcs=(), ilmd=(), parent=PALLET, children=children, event_time=WHEN + timedelta(minutes=5),
        )  # fmt: skip
        sent = replace(trade.shipped(to=PHARMACY), epcs=(PALLET,))
        self.told(trade.begun(8, MISSING), packed, sent, by=MAKER)
        received = self.event("receiving", hours=2, epcs=(PALLET,), sources=sent.sources, destinations=())
        counted = self.event(
            "inspecting", hours=3, epcs=(), type=EventType.AGGREGATION, disposition="mismatch_quantity",
            parent=PALLET, children=(package(8),),
        )  # fmt: skip
        self.told(received, by=PHARMACY)
        self.told(counted, by=PHARMACY)
        self.somebody("quinn", Role.QUALITY)
        return self.case_of("short")

    def case_of(self, kind: str) -> str:
        """The id of the pharmacy's one open exception of this kind."""
        with self.services.database.reading() as connection:
            listed = cases.queue(connection, Desk.EXCEPTIONS, PHARMACY)
        [found] = [each.case_id for each in listed if each.kind == kind]
        return found

    # Who looks.

    def somebody(self, name: str, role: Role, gln: str = PHARMACY) -> Visitor:
        """Somebody new who has signed in; an inspector belongs to no party."""
        self.node.person(name, role, **({} if role is Role.INSPECTOR else {"party_gln": gln}))
        return self.node.sign_in(name)

    def pharmacist(self) -> Visitor:
        """The pharmacy's pharmacist."""
        return self.somebody("mia", Role.PHARMACIST)

    def stranger(self) -> Visitor:
        """A pharmacist whom none of it concerns."""
        return self.somebody("sly", Role.PHARMACIST, STRANGER)

    def trail(self, action: str) -> list[tuple[str, str, str]]:
        """(who, subject, outcome) of each row of the audit trail with this action, the newest first."""
        with self.services.database.reading() as connection:
            rows: list[AuditEntry] = list(entries(connection, action=action))
        return [(row.actor_name, row.subject, row.outcome) for row in rows]


@pytest.fixture
def counter(trade: Trade) -> Counter:
    """The counter, stocked, on SQLite and PostgreSQL."""
    return Counter(trade).stock()


@pytest.fixture
def sqlite_counter(sqlite_trade: Trade) -> Counter:
    """The same on SQLite alone."""
    return Counter(sqlite_trade).stock()
