"""What a party may know of the transaction information under which it got something.

    for each in purchases(connection, [17, 18]):
        each.seller, each.standing, each.affirmed      # "North Pharma", Standing.INCOMPLETE, True

What is missing of it is the seller's to say (`app.transactions.service`): who may not read the information itself reads
here that it is withheld, and of whom to ask it, never what lacks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection

from app.partners import service as partners
from app.transactions import kept
from app.transactions.service import State, told


class Standing(StrEnum):
    """What a buyer has of the information of a sale."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"  # withheld: something is missing, and its seller reads what
    TAKEN_BACK = "taken_back"
    NONE = "none"  # the shipment is no sale


WORDS = {
    Standing.COMPLETE: "complete",
    Standing.INCOMPLETE: "incomplete: what is missing is the seller's to say",
    Standing.TAKEN_BACK: "taken back by its seller",
    Standing.NONE: "none: by its data this is no sale",
}
_STANDINGS = {
    State.RELEASED: Standing.COMPLETE,
    State.WITHHELD: Standing.INCOMPLETE,
    State.TAKEN_BACK: Standing.TAKEN_BACK,
}


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sale as its buyer may know it. `on`: the date of the transaction, of its shipping where that is not told."""

    seq: int
    transaction_id: str
    seller_gln: str
    seller: str
    on: date
    standing: Standing
    affirmed: bool

    @property
    def is_complete(self) -> bool:
        return self.standing is Standing.COMPLETE


def purchases(connection: Connection, seqs: Iterable[int]) -> list[Purchase]:
    """Those of the events with these numbers that are sales, in the ledger's order, for one who has got them."""
    found = told(connection, kept.by_seqs(connection, sorted(set(seqs))))
    names = partners.names(connection, {each.sale.seller for each in found})
    return [
        Purchase(
            each.sale.seq,
            each.transaction_id,
            each.sale.seller,
            names.get(each.sale.seller, each.sale.seller),
            each.info.transaction_date or each.info.shipped_at.date(),
            _STANDINGS[each.state],
            each.statement is not None and each.statement.affirmed,
        )
        for each in found
    ]


def standing(connection: Connection, seqs: Iterable[int]) -> Standing:
    """The worst of what a delivery's shipments come with."""
    return worst(each.standing for each in purchases(connection, seqs))


def worst(standings: Iterable[Standing]) -> Standing:
    """The worst of these; `NONE` of none."""
    found = set(standings)
    order = (Standing.TAKEN_BACK, Standing.INCOMPLETE, Standing.COMPLETE)
    return next((each for each in order if each in found), Standing.NONE)
