"""What is asked to be shipped, what would be, and what was."""

from dataclasses import dataclass
from datetime import date

from app.shipping.rules import Obstacle, Purpose
from app.transactions.values import ProductText, Statement, TransactionInformation
from ledger.custody.event import Event


@dataclass(frozen=True, slots=True)
class ShipRequest:
    """What somebody asks to ship. `codes`: labels or EPCs as scanned; `deliver_to`: to whom it goes where that is not
    the customer. `affirmed`: a person affirms the transaction statement."""

    codes: tuple[str, ...]
    customer: str
    purpose: Purpose = Purpose.SALE
    deliver_to: str | None = None
    order: str = ""
    notice: str = ""
    transaction_date: date | None = None
    affirmed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be shipped. `info` and `statement` None for a move: no ownership changes, nothing is told of one."""

    request: ShipRequest
    event: Event
    epcs: tuple[str, ...]
    packages: int
    obstacles: tuple[Obstacle, ...]
    info: TransactionInformation | None = None
    statement: Statement | None = None
    products: tuple[ProductText, ...] = ()


@dataclass(frozen=True, slots=True)
class ShippedNow:
    """What was shipped: the entry that says so, and the transaction's id where it was sold."""

    plan: Plan
    index: int
    transaction_id: str | None
