"""Shipping: a command. It is refused with every reason before any event exists, or recorded as a page's act.

    plan = shipping.plan(request, actor)           # what would be shipped, and all that stands against it
    done = shipping.ship(request, actor)           # raises NotShipped with the plan

A sale goes with its transaction information and statement: a person affirms the statement, and what is then captured
is one document with the event, the products, the parties and the statement in it. So what was told stays in the ledger
as it was told. The node signs that it came from this page, by this account (as for dispensing).

Between the check and the record another process may ship the same: whether it is still here is asked again under the
ledger's lock. What is told later of an earlier time makes both events stand, the later with a finding that its party
did not hold it, and its transaction information is withheld.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from sqlalchemy import Connection

from app.capture.inbox import Job
from app.capture.service import Capture
from app.custody import loading, shipped
from app.custody.shipped import Shipped
from app.errors import Conflict
from app.partners import service as partners
from app.partners.service import Party
from app.shared.actor import Actor
from app.shared.audit import Outcome, disclose, record
from app.shared.clock import Clock
from app.shipping import checks, telling
from app.shipping.rules import MOST_OBJECTS, Code, Found, Obstacle, Purpose, collect
from app.shipping.values import Plan, ShippedNow, ShipRequest
from app.transactions import direct, forms
from app.transactions import service as transactions
from app.transactions.rules import assemble
from app.transactions.values import LEGAL_NOTICE, Element, Statement
from ledger.store.sql.engine import Database


class NotShipped(Conflict):
    """The command is refused: `plan` has every reason."""

    def __init__(self, plan: Plan) -> None:
        first = plan.obstacles[0]
        more = len(plan.obstacles) - 1
        super().__init__(
            "ship.refused",
            "This cannot be shipped",
            first.message + (f", and {more} more" if more else ""),
            "Nothing was recorded. Put right what is named, or leave it out, and ship again.",
        )
        self.extra = {"problems": problems(plan.obstacles)}
        self.plan = plan


def problems(obstacles: Iterable[Obstacle]) -> list[dict[str, object]]:
    """Obstacles as data."""
    return [
        {"code": o.code.value, "message": o.message, "count": o.count, "examples": list(o.examples)}
        for o in obstacles
    ]


class Overtaken(Conflict):
    """Between the check and the record something named was shipped, received or closed by somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "ship.overtaken",
            "Somebody else was quicker",
            "Nothing was recorded.",
            "Look at it, and ship again.",
        )


@dataclass
class Shipping:
    """Ships for a party. One a process."""

    database: Database
    clock: Clock
    capture: Capture

    def __post_init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    def customers(self, party_gln: str) -> list[Party]:
        """Whom this party can ship to: every registered party but itself."""
        with self.database.reading() as connection:
            return [p for p in partners.registered(connection) if p.gln != party_gln]

    def own_sites(self, party_gln: str) -> list[tuple[str, str]]:
        """The sites of this party, as (GLN, name)."""
        with self.database.reading() as connection:
            return partners.sites_of(connection, party_gln)

    def plan(self, request: ShipRequest, actor: Actor) -> Plan:
        """What would be shipped, and everything that stands against it. Nothing is recorded."""
        assert actor.party_gln is not None
        with self.database.snapshot() as connection:
            return self._plan(connection, request, actor.party_gln, self.clock.now())

    def ship(self, request: ShipRequest, actor: Actor, *, channel: str = "page") -> ShippedNow:
        """Ship it, for the actor's party. Raises `NotShipped`; `AppError` where the node takes nothing in."""
        assert actor.party_gln is not None
        with self._one_at_a_time:
            plan = self.plan(request, actor)
            if plan.obstacles:
                self._refuse(plan, actor)
            try:
                receipt = self.capture.receive(
                    telling.document(plan, self.clock.now(), actor.party_gln),
                    "application/json",
                    by=actor.party_gln,
                    channel=channel,
                    actor=actor,
                    first=partial(_still_here, plan, actor.party_gln),
                )
            except Overtaken:
                plan = self.plan(request, actor)
                if not plan.obstacles:
                    raise
                self._refuse(plan, actor)
        assert not isinstance(receipt, Job), "one event never waits"
        sold = plan.info is not None
        affirmed = "; the transaction statement was affirmed" if sold else ""
        with self.database.writing() as connection:
            record(
                connection,
                self.clock,
                actor,
                "shipment.ship",
                subject=f"{receipt.index}.0",
                whose=actor.party_gln,
                detail=f"{request.purpose.value} of {plan.packages} packages to {request.customer}{affirmed}",
            )
        return ShippedNow(plan, receipt.index, f"{receipt.index}.0" if sold else None)

    def _refuse(self, plan: Plan, actor: Actor) -> NoReturn:
        disclose(
            self.database,
            self.clock,
            actor,
            "shipment.ship",
            subject=", ".join(plan.epcs)[:200],
            whose=actor.party_gln or "",
            outcome=Outcome.REFUSED,
            detail=", ".join(dict.fromkeys(each.code.value for each in plan.obstacles)),
        )
        raise NotShipped(plan)

    # What would be shipped.

    def _plan(self, connection: Connection, request: ShipRequest, own: str, now: datetime) -> Plan:
        found: list[Found] = []
        epcs = tuple(checks.read(request.codes, found))
        sells = request.purpose is Purpose.SALE
        against, ours = checks.custody(connection, epcs, own, now, sells)
        found += against
        contents = shipped.now_inside(connection, ours, now, MOST_OBJECTS)
        if not contents.complete:
            found.append((Code.TOO_MANY, f"more than {MOST_OBJECTS} objects: ship in parts", ""))
        found += checks.open_cases(connection, contents, own)
        seller, customer, recipient = checks.parties(connection, request, own, found)
        found += checks.authorized(connection, now, seller, customer, recipient)
        at = checks.moment(connection, ours, now)
        event = telling.event(connection, request, tuple(ours), own, customer, recipient, at)
        packages = len([each for each in contents.leaves if forms.gtin_and_serial(each.epc)[0]])
        plan = Plan(request, event, epcs, packages, ())
        if sells:
            plan = self._sale(connection, plan, contents, seller, customer, recipient, found)
        return replace(plan, obstacles=tuple(collect(found)))

    def _sale(
        self,
        connection: Connection,
        plan: Plan,
        contents: Shipped,
        seller: Party,
        customer: Party | None,
        recipient: Party | None,
        found: list[Found],
    ) -> Plan:
        """The plan with its transaction information and statement; what is missing goes to `found`."""
        request = plan.request
        if not request.order.strip():
            found.append((Code.NO_ORDER, "the number of the customer's order is missing", ""))
        if not request.affirmed:
            found.append((Code.NOT_AFFIRMED, "the transaction statement is not affirmed", ""))
        statement = Statement(request.affirmed, LEGAL_NOTICE)
        if seller.kind == "wholesaler":
            statement = direct.stated(connection, seller, contents, statement)
        buyer = customer.gln if customer else request.customer
        record = transactions.Record(connection)
        known = transactions.sources(
            record, plan.event, seller.gln, buyer, recipient.gln if recipient else buyer, contents
        )
        info, gaps = assemble(known)
        if contents.items:
            # Of what is not here nothing is known: that it is not here is reason enough.
            told = [gap for gap in gaps if customer is not None or gap.element is not Element.BUYER]
            found += [(Code.INFORMATION, gap.message, "") for gap in told]
        if customer is not None:
            found += checks.market(connection, contents, customer)
        listed = {line.product.gtin: line.product for line in info.lines}
        return replace(
            plan, info=info, statement=statement, products=tuple(p for _, p in sorted(listed.items()))
        )


def _still_here(plan: Plan, own: str, connection: Connection) -> None:
    """Hold what is named against the present, under the ledger's lock; not what is in it: that may be much, and
    everybody waits. Raises `Overtaken`."""
    world = loading.load(connection, plan.epcs).world
    for epc in plan.epcs:
        item = world.item(epc)
        outer = world.outer(item)
        if outer.holder != own or outer.in_transit or item.ended:
            raise Overtaken()
