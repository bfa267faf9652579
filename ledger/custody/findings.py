"""What the rules have to say about an event: data, never an exception.

A report is never refused for a business reason. It is recorded, and where it does not fit, a finding says
why, about which object, and what usually explains it. Every code has its heading in
docs/reference/findings.md, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much work a finding makes (domain reference, section 8)."""

    HOLD = "hold"  # hold the package and open a suspect review
    EXCEPTION = "exception"  # somebody has to put the data right
    NOTE = "note"


class FindingCode(StrEnum):
    """Closed set, in order of weight. The domain reference's rule numbers are in the reference page."""

    TWO_CUSTODIANS = "two_custodians"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    AFTER_END = "after_end"
    DISPENSED_TWICE = "dispensed_twice"
    COMMISSIONED_TWICE = "commissioned_twice"
    NOT_HOLDER = "not_holder"
    NOT_OWNER = "not_owner"
    NOT_OFFERED = "not_offered"
    WRONG_RECEIVER = "wrong_receiver"
    NEVER_COMMISSIONED = "never_commissioned"
    MOVED_ON_HOLD = "moved_on_hold"
    MOVED_RECALLED_LOT = "moved_recalled_lot"
    MOVED_EXPIRED = "moved_expired"
    MOVED_WITH_STOPPED = "moved_with_stopped"
    UNAUTHORIZED_PARTY = "unauthorized_party"
    CIRCULAR_RESALE = "circular_resale"
    OUTSIDE_MARKET = "outside_market"
    NOT_MAKER = "not_maker"
    NOT_ISSUER = "not_issuer"
    SHORT = "short"
    OVER = "over"
    DATA_NO_PRODUCT = "data_no_product"
    RECEIVED_WITHOUT_SHIPPING = "received_without_shipping"
    NO_STATEMENT = "no_statement"
    INFORMATION_MISSING = "information_missing"
    NO_RECIPIENT = "no_recipient"
    TWO_PARENTS = "two_parents"
    MOVED_ALONE = "moved_alone"
    NOT_INSIDE = "not_inside"
    CONTAINMENT_CYCLE = "containment_cycle"
    MIXED_OWNERS = "mixed_owners"
    TWO_RECIPIENTS = "two_recipients"
    SHIPPED_TWICE = "shipped_twice"
    VOID_AFTER_RECEIPT = "void_after_receipt"
    DECLARED_BY_OTHER = "declared_by_other"
    KEY_SUSPECT = "key_suspect"
    RETURN_NOT_TOLD = "return_not_told"
    SHIPPED_NOT_RECEIVED = "shipped_not_received"
    FUTURE_EVENT = "future_event"
    TOLD_LATE = "told_late"
    OTHER_ID_SAME_CONTENT = "other_id_same_content"


SEVERITY: dict[FindingCode, Severity] = {
    FindingCode.TWO_CUSTODIANS: Severity.HOLD,
    FindingCode.IMPOSSIBLE_TRAVEL: Severity.HOLD,
    FindingCode.AFTER_END: Severity.HOLD,
    FindingCode.DISPENSED_TWICE: Severity.HOLD,
    FindingCode.COMMISSIONED_TWICE: Severity.HOLD,
    FindingCode.NOT_HOLDER: Severity.EXCEPTION,
    FindingCode.NOT_OWNER: Severity.EXCEPTION,
    FindingCode.NOT_OFFERED: Severity.EXCEPTION,
    FindingCode.WRONG_RECEIVER: Severity.EXCEPTION,
    FindingCode.NEVER_COMMISSIONED: Severity.EXCEPTION,
    FindingCode.MOVED_ON_HOLD: Severity.HOLD,
    FindingCode.MOVED_RECALLED_LOT: Severity.HOLD,
    FindingCode.MOVED_EXPIRED: Severity.HOLD,
    FindingCode.MOVED_WITH_STOPPED: Severity.HOLD,
    FindingCode.UNAUTHORIZED_PARTY: Severity.HOLD,
    FindingCode.CIRCULAR_RESALE: Severity.EXCEPTION,
    FindingCode.OUTSIDE_MARKET: Severity.EXCEPTION,
    FindingCode.NOT_MAKER: Severity.EXCEPTION,
    FindingCode.NOT_ISSUER: Severity.EXCEPTION,
    FindingCode.SHORT: Severity.EXCEPTION,
    FindingCode.OVER: Severity.EXCEPTION,
    FindingCode.DATA_NO_PRODUCT: Severity.EXCEPTION,
    FindingCode.RECEIVED_WITHOUT_SHIPPING: Severity.EXCEPTION,
    FindingCode.NO_STATEMENT: Severity.EXCEPTION,
    FindingCode.INFORMATION_MISSING: Severity.EXCEPTION,
    FindingCode.NO_RECIPIENT: Severity.EXCEPTION,
    FindingCode.TWO_PARENTS: Severity.EXCEPTION,
    FindingCode.MOVED_ALONE: Severity.EXCEPTION,
    FindingCode.NOT_INSIDE: Severity.NOTE,
    FindingCode.CONTAINMENT_CYCLE: Severity.EXCEPTION,
    FindingCode.MIXED_OWNERS: Severity.EXCEPTION,
    FindingCode.TWO_RECIPIENTS: Severity.EXCEPTION,
    FindingCode.SHIPPED_TWICE: Severity.NOTE,
    FindingCode.VOID_AFTER_RECEIPT: Severity.EXCEPTION,
    FindingCode.DECLARED_BY_OTHER: Severity.EXCEPTION,
    FindingCode.KEY_SUSPECT: Severity.EXCEPTION,
    FindingCode.RETURN_NOT_TOLD: Severity.NOTE,
    FindingCode.SHIPPED_NOT_RECEIVED: Severity.NOTE,
    FindingCode.FUTURE_EVENT: Severity.NOTE,
    FindingCode.TOLD_LATE: Severity.NOTE,
    FindingCode.OTHER_ID_SAME_CONTENT: Severity.NOTE,
}


INNOCENT: dict[FindingCode, str] = {
    FindingCode.TWO_CUSTODIANS: (
        "the shipping file between them has not arrived, or one of them mistyped a serial"
    ),
    FindingCode.IMPOSSIBLE_TRAVEL: (
        "a wrong clock or time-zone offset, or head office named as the read point"
    ),
    FindingCode.AFTER_END: "a late file, or a clock",
    FindingCode.DISPENSED_TWICE: "a double scan at the counter",
    FindingCode.COMMISSIONED_TWICE: "the same data sent again with new event ids, or an SSCC used again",
    FindingCode.NOT_HOLDER: "the receipt of the previous hop was never reported",
    FindingCode.NOT_OWNER: (
        "the owning party left out of the source list, or the owner's system does not report what his logistics "
        "provider ships"
    ),
    FindingCode.NOT_OFFERED: "the seller's statement has not arrived",
    FindingCode.WRONG_RECEIVER: (
        "a drop shipment, a logistics provider, or the location number of another site"
    ),
    FindingCode.NEVER_COMMISSIONED: "the maker's data is late, or its clock is wrong",
    FindingCode.MOVED_ON_HOLD: "the release was not recorded, or came minutes later",
    FindingCode.MOVED_RECALLED_LOT: "the recall and the truck left on the same day",
    FindingCode.MOVED_EXPIRED: "an expiry with the wrong year in the maker's file",
    FindingCode.MOVED_WITH_STOPPED: (
        "somebody scanned the pallet's label alone, and the release or the new expiry was not recorded"
    ),
    FindingCode.UNAUTHORIZED_PARTY: "renewal lag, a renewed licence that nobody has entered here yet",
    FindingCode.CIRCULAR_RESALE: "a return whose sender did not write the disposition returned",
    FindingCode.OUTSIDE_MARKET: (
        "a market list that was not brought up to date, or the customer's country entered wrongly"
    ),
    FindingCode.NOT_MAKER: "a wholesaler passing a recall on",
    FindingCode.NOT_ISSUER: (
        "the issuer's data comes after the goods, or a logistics provider uses its client's numbers"
    ),
    FindingCode.SHORT: "the maker's packing list was wrong",
    FindingCode.OVER: "two neighbouring cases mixed up on the line",
    FindingCode.DATA_NO_PRODUCT: "a case that comes with the next truck",
    FindingCode.RECEIVED_WITHOUT_SHIPPING: "the shipper's data comes after the goods",
    FindingCode.NO_STATEMENT: "a header that the sender's software did not fill in",
    FindingCode.INFORMATION_MISSING: "a product or a partner whose master data nobody has entered",
    FindingCode.NO_RECIPIENT: "a destination without a location number",
    FindingCode.TWO_PARENTS: "the unpacking was not reported",
    FindingCode.MOVED_ALONE: "the unpacking was not reported",
    FindingCode.NOT_INSIDE: "it was unpacked before, or its packing was never reported",
    FindingCode.CONTAINMENT_CYCLE: "parent and child exchanged in a file",
    FindingCode.MIXED_OWNERS: "a logistics provider loading for two clients",
    FindingCode.TWO_RECIPIENTS: (
        "a shipment that was redirected and not voided; a file with the wrong destination that was corrected by another"
    ),
    FindingCode.SHIPPED_TWICE: "a file sent again with new event ids",
    FindingCode.VOID_AFTER_RECEIPT: "the receiver scanned the pallet's label for all that should be on it",
    FindingCode.DECLARED_BY_OTHER: "a service provider declaring for its client under its own name",
    FindingCode.KEY_SUSPECT: (
        "the party names an early entry to be safe, and the bench was at work until the theft was noticed"
    ),
    FindingCode.RETURN_NOT_TOLD: "the customer's software reports no returns",
    FindingCode.SHIPPED_NOT_RECEIVED: "a receipt that was not reported; a long way",
    FindingCode.FUTURE_EVENT: "a time-zone offset",
    FindingCode.TOLD_LATE: (
        "stock that was made and moved before its company joined, told all at once; a year mistyped"
    ),
    FindingCode.OTHER_ID_SAME_CONTENT: "a file sent again by software that makes new ids",
}
"""What is usually behind it: nearly all alarms are false, and who is shown one is told so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `item` is the canonical EPC it is about, `container` the one it was looked
    for in."""

    code: FindingCode
    message: str
    item: str | None = None
    container: str | None = None

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.code]
