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
    UNAUTHORIZED_PARTY = "unauthorized_party"
    CIRCULAR_RESALE = "circular_resale"
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
    FindingCode.UNAUTHORIZED_PARTY: Severity.HOLD,
    FindingCode.CIRCULAR_RESALE: Severity.EXCEPTION,
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
