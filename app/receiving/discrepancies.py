"""The exception that a discrepancy opens when a delivery is finished."""

from collections.abc import Collection, Mapping
from typing import Any

from app.exceptions.rules import OwnKind
from app.exceptions.service import OwnCase
from app.receiving.kept import Delivery


def case_of(
    delivery: Delivery, found: Mapping[str, Any], numbers: Mapping[str, int], apart: Collection[str]
) -> OwnCase:
    """`found`: as the delivery keeps it. `numbers`: of items by EPC. `apart`: containers that were set apart unopened,
    each of which is what its case is about."""
    epcs = found["epcs"]
    first = epcs[0]
    return OwnCase(
        kind=OwnKind(found["kind"]),
        party_gln=delivery.party_gln,
        partner_gln=delivery.seller_gln,
        subject=first if len(epcs) == 1 or first in apart else delivery.reference or first,
        items=tuple(numbers[epc] for epc in epcs if epc in numbers),
        epcs=tuple(epcs),
        detail=found["detail"],
        data={
            "receiving": delivery.receiving_id,
            "reference": delivery.reference,
            "purchase_order": delivery.purchase_order,
            "lot": found["lot"],
            "expiry": found["expiry"],
            "seqs": delivery.data["seqs"],
            "container": first if first in apart else "",
        },
    )
