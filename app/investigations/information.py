"""What an investigation validates first: the transaction information of the suspect packages, and their makers' word.

"Conduct an investigation ... to determine whether the product is an illegitimate product, which shall include
validating any applicable transaction history and transaction information" (FD&C Act 582(c)(4)(A)(i), (d)(4)(A)(ii)(I);
the history has ended), and verifying the product identifier of each package (of a dispenser's sample)::

    found = information(connection, case)
    found.bought[0].purchase.seller, found.bought[0].packages     # "North Pharma", 3
    found.unsold                                                  # packages that no sale to this party brought
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app.cases.service import DeskCase
from app.custody import bought
from app.custody.items import item_name
from app.investigations.partners_told import OF_LOT
from app.partners import service as partners
from app.transactions.purchases import Purchase, purchases
from app.vrs import requests

MOST_PACKAGES = 5_000  # as many as a case has
MOST_PURCHASES = 20


@dataclass(frozen=True, slots=True)
class Bought:
    """A sale that brought suspect packages, and how many of them."""

    purchase: Purchase
    packages: int


@dataclass(frozen=True, slots=True)
class Information:
    """By which sales its party got the packages of a case. `more`: sales that are not listed."""

    bought: tuple[Bought, ...]
    unsold: int
    more: int = 0


def information(connection: Connection, case: DeskCase) -> Information:
    """The purchases that brought the packages of `case` (read with its items)."""
    numbers = sorted(number for number, state in case.items.items() if state != OF_LOT)[:MOST_PACKAGES]
    party = partners.by_gln(connection, case.party_gln)
    sales = bought.sales_to(connection, party.party_id, numbers) if party else {}
    counted = Counter(sale.seq for sale in sales.values())
    seqs = sorted(counted, reverse=True)
    found = tuple(
        Bought(each, counted[each.seq]) for each in reversed(purchases(connection, seqs[:MOST_PURCHASES]))
    )
    return Information(found, len(numbers) - len(sales), max(0, len(seqs) - MOST_PURCHASES))


def makers_word(connection: Connection, asker: str, epcs: Iterable[str]) -> Mapping[str, str]:
    """What the makers of these packages (canonical EPCs) answered last when this party asked them over VRS: by EPC."""
    named = {
        (name.gtin, name.serial): epc
        for epc, name in ((epc, item_name(epc)) for epc in epcs)
        if name.gtin and name.ns.startswith("01/")
    }
    return {
        named[pair]: f"{_said(each)}, {each.at:%Y-%m-%d %H:%M} UTC"
        for pair, each in requests.asked_by(connection, asker, named).items()
    }


def _said(request: requests.Last) -> str:
    words = request.outcome.replace("_", " ")
    return f"{words} ({request.info})" if request.info else words
