"""A pharmacy's dock, to which a maker ships cases, with everybody's data: for the receiving desk.

bay.ship(cases(16))                        # 16 cases of 2 packages each, on their way under ASN777
wanda = bay.clerk("wanda")
wanda.scan(case_label(1)); wanda.says(); wanda.finish()
"""

import json
import re
import zlib
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import loading
from app.partners import service as partners
from app.partners.places import Address
from app.products import service as products
from app.shared.actor import Role
from ledger.custody.event import Event, Linked
from ledger.custody.state import Item
from ledger.custody.vocabulary import EventType
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form, TransactionStatement
from tests.support.app import HTML, OPERATOR, Visitor
from tests.support.counter import PHARMACY, Counter, text_of
from tests.support.trade import WHEN, Trade
from tests.support.world import GTIN, MAKER, package

ADVICE, ORDER = "ASN777", "PO12345"


def cases_of(count: int, size: int = 2) -> dict[str, tuple[str, ...]]:
    """So many cases, each with `size` packages: case 1 has the packages 101, 102."""
    return {
        sscc(number): tuple(package(number * 100 + inside) for inside in range(1, size + 1))
        for number in range(1, count + 1)
    }


def sscc(number: int) -> str:
    """The canonical EPC of a case, its check digit right: it is scanned."""
    digits = f"003999990{number:08d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return f"https://id.gs1.org/00/{digits}{-total % 10}"


def case_label(number: int) -> str:
    return f"(00){sscc(number).rpartition('/')[2]}"


def pack_label(number: int, *, lot: str = "LOT42", expiry: str = "280531") -> str:
    return f"(01){GTIN}(21){number}(17){expiry}(10){lot}"


@dataclass
class Clerk:
    """Somebody at the dock, with the delivery they are at."""

    visitor: Visitor
    address: str = ""
    token: str = ""

    def begin(self, text: str) -> "Clerk":
        """Find the delivery by a label or a number, and begin."""
        answer = self.visitor.post("/receiving", {"code": text})
        assert answer.status_code == 303, text_of(answer)
        self.address = answer.location
        return self

    def act(self, what: str, **data: str) -> int:
        """Send one of the page's forms. Its token is good for all of them."""
        self.token = self.token or self.visitor.token(self.address)
        data = {"csrf_token": self.token, **data}
        return self.visitor.client.post(f"{self.address}/{what}", data=data, headers=HTML).status_code

    def scan(self, *labels: str) -> "Clerk":
        for label in labels:
            assert self.act("scans", code=label) == 303
        return self

    def page(self) -> str:
        return text_of(self.visitor.get(self.address))

    def count(self) -> str:
        """``15 of 16, 1 to come``."""
        found = re.search(r'id="count"><strong>([^<]+)</strong>', self.visitor.get(self.address).text)
        assert found
        return found[1]

    def finish(self) -> None:
        assert self.act("finish") == 303


class Bay(Counter):
    """What was shipped to the pharmacy, and what is true of it."""

    def complete(self) -> "Bay":
        """Enter what transaction information needs of the product and of both parties."""
        with self.services.database.writing() as connection:
            for gln, street in ((MAKER, "1 Plant Road"), (PHARMACY, "7 Main Street")):
                partners.describe(connection, gln, Address(street, "Trenton", "NJ", "08601", "US"), None)
            products.register(
                connection, self.services.clock, GTIN, MAKER, name="Sonnenal", strength="20 mg",
                dosage_form="tablet", ndc="99999-001-01", net_content="30 tablets",
            )  # fmt: skip
        return self

    def ship(
        self, packed: dict[str, tuple[str, ...]], *, affirmed: bool | None = True, advice: str = ADVICE
    ) -> Event:
        """The maker makes, packs and ships these cases, with or without an affirmed transaction statement. What has
        nothing in it is a package."""
        inside = tuple(each for box, inside in packed.items() for each in inside or (box,))
        made = replace(self.trade.begun(), epcs=inside)
        packing = [
            replace(
                self.trade.begun(), type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress",
                epcs=(), ilmd=(), parent=box, children=inside, event_time=WHEN + timedelta(minutes=5),
            )
            for box, inside in packed.items()
            if inside
        ]  # fmt: skip
        documents = (
            Linked("po", f"urn:epcglobal:cbv:bt:{PHARMACY}:{ORDER}"),
            Linked("desadv", f"urn:epcglobal:cbv:bt:{MAKER}:{advice}"),
        )
        date = (("http://epcis.gs1us.org/hc/ns#transactionDate", '"2026-06-01"'),)
        shipped = replace(
            self.trade.shipped(to=PHARMACY), epcs=tuple(packed), transactions=documents, extensions=date
        )
        self.tell(MAKER, made, *packing, shipped, affirmed=affirmed)
        return shipped

    def tell(self, by: str, *events: Event, affirmed: bool | None = None) -> None:
        """Record what `by` says."""
        statement = None if affirmed is None else TransactionStatement(affirmed)
        raw = jsonwriter.write(Document(Form.JSON20, events, created=WHEN, statement=statement))
        self.services.capture.receive(raw, "application/json", by=by, channel="file", actor=OPERATOR)

    def clerk(self, name: str, role: Role = Role.WAREHOUSE) -> Clerk:
        return Clerk(self.somebody(name, role))

    def item(self, key: str) -> tuple[Item, Item]:
        """A thing, and the outermost one around it."""
        with self.services.database.reading() as connection:
            world = loading.load(connection, [key]).world
        return world.item(key), world.outer(world.item(key))

    def exceptions(self) -> list[DeskCase]:
        with self.services.database.reading() as connection:
            return cases.queue(connection, Desk.EXCEPTIONS, PHARMACY)

    def received(self) -> list[dict[str, object]]:
        """The receiving events of the pharmacy's documents, as they were captured over the page."""
        found = []
        with self.services.database.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT raw FROM document WHERE channel = 'page' ORDER BY idx"
            ).all()
        for (raw,) in rows:
            found += json.loads(zlib.decompress(bytes(raw)))["epcisBody"]["eventList"]
        return found


@pytest.fixture
def bay(trade: Trade) -> Bay:
    """On SQLite and PostgreSQL."""
    return Bay(trade).complete()


@pytest.fixture
def sqlite_bay(sqlite_trade: Trade) -> Bay:
    """On SQLite alone."""
    return Bay(sqlite_trade).complete()
