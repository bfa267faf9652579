"""A sale as data for programs, by the names of the law's elements; and what pages say of it. Pure."""

from typing import Any

from app.transactions.service import State, Transaction
from app.transactions.values import AFFIRMATIONS, Statement, Trader


def shown(found: Transaction, reader: str | None, *, packages: bool = True) -> dict[str, Any]:
    """The sale as JSON. `missing` is there for its seller alone: to others nothing that misses something is shown."""
    info, sale = found.info, found.sale
    answer: dict[str, Any] = {
        "id": found.transaction_id,
        "state": found.state.value,
        "direction": direction(found, reader),
        "recorded_at": sale.recorded_at.isoformat(),
        "event_id": info.event_id,
        "transaction_date": _day(info.transaction_date),
        "shipment_date": _day(info.shipment_date),
        "shipped_at": info.shipped_at.isoformat(),
        "seller": trader(info.seller),
        "buyer": trader(info.buyer),
        "recipient": trader(info.recipient) if info.recipient else None,
        "drop_shipment": info.drop_shipment,
        "order": info.order,
        "dispatch_advice": info.notice,
        "number_of_containers": info.packages,
        "statement": statement(found.statement),
    }
    if reader is None or reader == sale.seller:
        answer["missing"] = list(found.missing)
    if packages:
        answer["products"] = [
            {
                "gtin": line.product.gtin,
                "name": line.product.name,
                "strength": line.product.strength,
                "dosage_form": line.product.dosage_form,
                "ndc": line.product.ndc,
                "container_size": line.product.container_size,
                "count": line.count,
                "lot": line.lot,
                "expiry": line.expiry,
                "serials": list(line.serials),
            }
            for line in info.lines
        ]
    return answer


def direction(found: Transaction, reader: str | None) -> str:
    """`out` for the seller, `in` for the others."""
    return "out" if reader == found.sale.seller else "in"


def trader(each: Trader) -> dict[str, str]:
    """A party with its address in one line."""
    return {"gln": each.gln, "name": each.name, "address": each.place.line, "contact": each.contact}


def statement(each: Statement | None) -> dict[str, Any] | None:
    """The transaction statement, with what it affirms."""
    if each is None:
        return None
    return {
        "affirmed": each.affirmed,
        "affirms": [letter for letter, _ in AFFIRMATIONS] if each.affirmed else [],
        "legal_notice": each.legal_notice,
        "direct_purchase": each.direct.value if each.direct else None,
        "direct_purchase_statement": each.direct_statement,
        "received_direct_purchase_statement": each.received_direct,
        "indirect": list(each.indirect),
    }


WORDS = {
    State.RELEASED: "Released",
    State.WITHHELD: "Withheld",
    State.TAKEN_BACK: "Taken back",
}


def _day(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
