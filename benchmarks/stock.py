"""A trade of so many packages, on a node, as partners' documents bring it: what the benchmarks of questions ask about.

Nothing is written past the product: every row is what capture makes of a document, so that an audit of the node finds
nothing. It is quick because the documents are long: 10,000 packages or 1,000 cases in each::

    makes       lots of 100,000 packages, serials without any order, 1,000 an event
    packs       100 in a case
    ships       the cases, evenly to 50 pharmacies; every other shipment has been received
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

from app.partners import service as partners
from app.products import service as products
from app.shared.actor import command_line
from app.wiring import Services
from ledger.custody.event import EXPIRY, LOT, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from ledger.gs1.check_digit import check_digit

MAKER = "0399999000017"
GTIN = "00399999001014"
EXPIRES = "2031-05-31"
A_CASE = 100
AN_EVENT = 1_000
A_RUN = 10_000
A_DOCUMENT = 1_000
PHARMACIES = 50
BEGUN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
_ODD = 2_654_435_761  # multiplies to a permutation of the numbers below 2 ** 40


@dataclass(frozen=True, slots=True)
class Stock:
    """How much there is. `a_lot`: packages in each lot but perhaps the last."""

    packages: int
    a_lot: int

    def serial(self, number: int) -> str:
        """The serial of package `number`: eight characters in no order."""
        value, text = (number * _ODD + 12_345) % 2**40, ""
        for _ in range(8):
            value, digit = divmod(value, 33)
            text += _ALPHABET[digit]
        return text

    def lot(self, number: int) -> str:
        """The lot of package `number`."""
        return f"LOT{number // self.a_lot}"

    def pharmacy(self, number: int) -> str:
        """The GLN of the pharmacy that package `number` was shipped to."""
        return pharmacy(number // A_CASE % PHARMACIES)

    def is_received(self, number: int) -> bool:
        """Whether it has been received there."""
        return number // A_CASE % PHARMACIES % 2 == 0


def pharmacy(number: int) -> str:
    """The GLN of one of the pharmacies."""
    digits = f"0370000{number:05}"
    return digits + check_digit(digits)


def epc(serial: str) -> str:
    """The canonical EPC of a package."""
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def case(number: int) -> str:
    """The canonical EPC of a case."""
    digits = f"00399999{number:09}"
    return f"https://id.gs1.org/00/{digits}{check_digit(digits)}"


def fill(node: Services, stock: Stock) -> float:
    """Make, pack, ship and receive all of it; the seconds it took."""
    with node.database.writing() as connection:
        partners.register(connection, node.clock, MAKER, "Maker", "maker")
        products.register(connection, node.clock, GTIN, MAKER, name="Sonnenal", strength="20 mg")
        for number in range(PHARMACIES):
            partners.register(connection, node.clock, pharmacy(number), f"Pharmacy {number}", "dispenser")
    begun, done = perf_counter(), 0
    total = 2 * stock.packages
    for events, by, worth in _documents(stock):
        statement = TransactionStatement(affirmed=True)
        raw = write(Document(Form.JSON20, tuple(events), created=BEGUN, statement=statement))
        receipt = node.capture.receive(
            raw, "application/json", by=by, channel="file", actor=command_line("benchmark")
        )
        if receipt.known:
            raise SystemExit("a document of the stock was taken for another")
        done += worth
        sys.stderr.write(f"\rfilling: {done:,} of {total:,}, {perf_counter() - begun:.0f} s ")
    sys.stderr.write("\n")
    return perf_counter() - begun


def _documents(stock: Stock) -> Iterator[tuple[Sequence[Event], str, int]]:
    """(events, whose they are, how many packages they are about), in the order of what happened."""
    numbers = iter(range(1, 2**60))
    for first in range(0, stock.packages, A_RUN):
        last = min(first + A_RUN, stock.packages)
        groups: dict[tuple[int, str], list[str]] = {}
        for number in range(first, last):
            groups.setdefault((number // AN_EVENT, stock.lot(number)), []).append(epc(stock.serial(number)))
        yield [_made(next(numbers), lot, keys) for (_, lot), keys in groups.items()], MAKER, last - first
    cases = -(-stock.packages // A_CASE)
    for first in range(0, cases, A_DOCUMENT):
        chosen = range(first, min(first + A_DOCUMENT, cases))
        yield [_packed(next(numbers), stock, number) for number in chosen], MAKER, A_CASE * len(chosen)
    for place in range(PHARMACIES):
        keys = [case(number) for number in range(place, cases, PHARMACIES)]
        if keys:
            yield [_shipped(next(numbers), keys, place)], MAKER, 0
            if place % 2 == 0:
                yield [_received(next(numbers), keys, place)], pharmacy(place), 0


def _event(number: int, step: str, gln: str, after: timedelta, **fields: object) -> Event:
    place = f"https://id.gs1.org/414/{gln}"
    values: dict[str, object] = {
        "type": EventType.OBJECT,
        "action": Action.OBSERVE,
        "disposition": "in_progress",
        "read_point": place,
        "biz_location": place,
        **fields,
    }
    return Event(
        event_time=BEGUN + after + timedelta(seconds=number),
        time_zone_offset="+00:00",
        event_id=f"urn:uuid:{UUID(int=number)}",
        biz_step=step,
        **values,  # type: ignore[arg-type]
    )


def _made(number: int, lot: str, keys: Sequence[str]) -> Event:
    ilmd = ((EXPIRY, compact(EXPIRES)), (LOT, compact(lot)))
    return _event(
        number, "commissioning", MAKER, timedelta(), action=Action.ADD, disposition="active", epcs=tuple(keys),
        ilmd=ilmd,
    )  # fmt: skip


def _packed(number: int, stock: Stock, which: int) -> Event:
    inside = range(which * A_CASE, min((which + 1) * A_CASE, stock.packages))
    children = tuple(epc(stock.serial(each)) for each in inside)
    return _event(
        number, "packing", MAKER, timedelta(days=1), type=EventType.AGGREGATION, action=Action.ADD,
        parent=case(which), children=children,
    )  # fmt: skip


def _parties(gln: str) -> tuple[Linked, ...]:
    where = f"https://id.gs1.org/417/{gln}"
    return (Linked("owning_party", where), Linked("possessing_party", where))


def _shipped(number: int, keys: Sequence[str], place: int) -> Event:
    return _event(
        number, "shipping", MAKER, timedelta(days=2), disposition="in_transit", epcs=tuple(keys), biz_location=None,
        sources=_parties(MAKER), destinations=_parties(pharmacy(place)),
    )  # fmt: skip


def _received(number: int, keys: Sequence[str], place: int) -> Event:
    return _event(
        number, "receiving", pharmacy(place), timedelta(days=3), epcs=tuple(keys), sources=_parties(MAKER),
        destinations=_parties(pharmacy(place)),
    )  # fmt: skip
