"""What stands against a shipment, looked up: labels, custody at any depth, desks, parties, their licences, markets.

Each gives what it found as (code, message, canonical EPC), or puts it into the list that it is handed, and goes on: a
refusal names everything at once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from app.cases.blocking import blocking
from app.custody import loading, shipped
from app.custody.arrivals import arrived
from app.custody.shipped import Shipped
from app.events import pending
from app.partners import licences
from app.partners import service as partners
from app.partners.rules import Standing
from app.partners.service import Party
from app.products import service as products
from app.shipping.rules import MOST_CODES, MOST_OBJECTS, Code, Found, Purpose, against_contents, concerns
from app.shipping.values import ShipRequest
from app.transactions import forms
from ledger.custody.event import time_of
from ledger.custody.state import Item, lot_key
from ledger.gs1.epc import Sgtin, Sscc, parse_any
from ledger.gs1.errors import Gs1Error

NO_CUSTOMER = "nobody is named to whom it goes: choose the customer"


def read(codes: tuple[str, ...], found: list[Found]) -> Iterable[str]:
    """The canonical EPCs of packages and containers in what was scanned; what cannot be used goes to `found`."""
    given = [code for code in codes if code.strip()]
    if not given:
        found.append((Code.NOTHING, "nothing was scanned", ""))
    if len(given) > MOST_CODES:
        found.append((Code.TOO_MANY, f"{len(given)} codes; {MOST_CODES} are the most in one shipment", ""))
        return []
    seen: dict[str, None] = {}
    for code in given:
        try:
            epc = parse_any(code)
        except Gs1Error as error:
            found.append((Code.UNREADABLE, f"cannot read {clean(code)!r}: {error.message}", ""))
            continue
        if not isinstance(epc, Sgtin | Sscc):
            found.append((Code.NAMES_NO_PACKAGE, f"{clean(code)!r} names no package and no container", ""))
        elif epc.canonical in seen:
            found.append((Code.TWICE, "scanned twice", epc.canonical))
        else:
            seen[epc.canonical] = None
    return seen


def clean(code: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in code.strip()[:60])


def moment(connection: Connection, epcs: Iterable[str], now: datetime) -> datetime:
    """When it is shipped: now, or just after the last that happened to these, where another clock was ahead of ours.

    Within one microsecond shipping comes before receiving: what was received this instant could not be shipped.
    """
    world = loading.load(connection, epcs).world
    last = max((item.last for item in world.items.values()), default=0)
    return max(now, time_of(last) + timedelta(microseconds=1)) if last else now


def custody(
    connection: Connection, epcs: tuple[str, ...], own: str, now: datetime, sells: bool
) -> tuple[list[Found], list[str]]:
    """What the record has against these and all that is in them; and those of them that concern this party: of the
    others nothing more is looked at, or their number and contents would show."""
    near = loading.load(connection, epcs).world
    ours = [epc for epc in epcs if concerns(near, epc, own)]
    world = shipped.world_inside(connection, ours, MOST_OBJECTS).world
    waiting = pending.named(connection, world.items)
    found = against_contents(world, epcs, own, now, sells=sells, pending=waiting)
    return list(found), ours


def open_cases(connection: Connection, contents: Shipped, own: str) -> Iterable[Found]:
    """What is at a desk is not shipped on (domain reference, section 5)."""
    by_lot: dict[str, list[int]] = {}
    for number, each in contents.items.items():
        if each.lot:
            by_lot.setdefault(lot_key(Item(each.epc, lot=each.lot)), []).append(number)
    lots = {number: by_lot[key] for key, number in loading.find_ids(connection, by_lot).items()}
    stopped = blocking(connection, contents.items, own, lots=lots, arrived=partial(arrived, connection))
    for number, found in stopped.items():
        for what in dict.fromkeys(each.what for each in found):
            yield Code.OPEN_CASE, f"in {what} of yours", contents.items[number].epc


def parties(
    connection: Connection, request: ShipRequest, own: str, found: list[Found]
) -> tuple[Party, Party | None, Party | None]:
    """Seller, customer, and to whom it goes where that is another; whom nobody knows goes to `found`."""
    seller = partners.by_gln(connection, own)
    assert seller is not None
    owners = partners.owners_of(connection, [gln for gln in (request.customer, request.deliver_to) if gln])
    customer = partners.by_gln(connection, owners.get(request.customer, ""))
    if customer is None or not customer.verified:
        message = f"{clean(request.customer)} is no registered customer" if request.customer else NO_CUSTOMER
        found.append((Code.CUSTOMER, message, ""))
        customer = None
    elif customer.gln == own and request.purpose is Purpose.SALE:
        found.append((Code.CUSTOMER, "nobody sells to himself: ship it as a move", ""))
    elif request.purpose is Purpose.MOVE and customer.gln != own and customer.kind != "3pl":
        message = (
            f"{customer.name} is neither a site of yours nor a logistics provider: only a sale goes there"
        )
        found.append((Code.CUSTOMER, message, ""))
    recipient = None
    if request.deliver_to and request.deliver_to != request.customer:
        recipient = partners.by_gln(connection, owners.get(request.deliver_to, ""))
        if recipient is None or not recipient.verified:
            found.append((Code.CUSTOMER, f"{clean(request.deliver_to)} is no registered party", ""))
            recipient = None
        elif customer is not None and recipient.gln == customer.gln:
            recipient = None
    return seller, customer, recipient


def authorized(
    connection: Connection, now: datetime, seller: Party, customer: Party | None, recipient: Party | None
) -> list[Found]:
    """Who of them is no authorized trading partner now (582(b)-(e): trading partners may be only such)."""
    asked = [
        (Code.SELLER_NOT_AUTHORIZED, seller),
        (Code.CUSTOMER_NOT_AUTHORIZED, customer),
        (Code.RECIPIENT_NOT_AUTHORIZED, recipient),
    ]
    known: dict[tuple[int, datetime], Standing] = licences.standings(
        connection, [(each.party_id, now) for _, each in asked if each is not None]
    )
    return [
        (code, f"{each.name} is no authorized trading partner: {known[each.party_id, now].why}", "")
        for code, each in asked
        if each is not None and not known[each.party_id, now].authorized
    ]


def market(connection: Connection, contents: Shipped, customer: Party) -> Iterable[Found]:
    """What is not for this customer, or not for its country."""
    by_gtin: dict[str, str] = {}
    for each in contents.leaves:
        gtin, _ = forms.gtin_and_serial(each.epc)
        if gtin is not None:
            by_gtin.setdefault(gtin, each.epc)
    for gtin, market in products.markets(connection, by_gtin).items():
        for said in market.against(gtin, customer.gln, customer.name, customer.country):
            yield Code.OUTSIDE_MARKET, said, ""
