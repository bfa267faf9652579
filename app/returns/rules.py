"""When a returned package may be sold again: matched to our own sale to this very customer, and verified. Pure.

FD&C Act 582(g)(1)(F) and (c)(4)(D): a return is accepted for resale only if it can be associated with its transaction
information and statement, and its product identifier was verified. Nonsaleable returns need neither.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ledger.custody.state import Item

RETURN_WITHIN = timedelta(days=3)
"""How long a return stays open before it is overdue; ours, not the law's."""


CAUSES = {
    "ordered_wrong": "Ordered or shipped wrong",
    "too_much": "Too much in stock",
    "quality": "A complaint about quality",
    "recall": "A recall",
    "expiring": "Expired or about to",
    "other": "Another",
}
"""Why packages came back."""


class Verified(StrEnum):
    """What the maker says of a package's identifier. `UNKNOWN`: nobody could be asked, or no answer came."""

    YES = "verified"
    NO = "not_verified"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a returned package is not saleable; in order of precedence. `NONE`: it is."""

    SUSPECT = "suspect"
    NOT_SOLD_TO_THEM = "not_sold_to_them"
    RETURNED = "returned"
    NOT_WITH_THEM = "not_with_them"
    NO_STATEMENT = "no_statement"
    NOT_VERIFIED = "not_verified"
    RECALLED = "recalled"
    EXPIRED = "expired"
    HELD = "held"
    ENDED = "ended"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    NONE = "none"


SAID: dict[Reason, str] = {
    Reason.SUSPECT: "Potential suspect, a scan of it says why: set it apart and open an investigation.",
    Reason.NOT_SOLD_TO_THEM: "We have no record of selling this package to this customer (D10).",
    Reason.RETURNED: "It came back already, and was not sold to them since: one of the two is a copy.",
    Reason.NOT_WITH_THEM: "We sold it to this customer, and by the record they do not have it now: it is here, or with "
    "somebody else (D10). Set it apart and open an investigation.",
    Reason.NO_STATEMENT: "Our sale of it had no affirmed transaction statement.",
    Reason.NOT_VERIFIED: "Its maker does not verify this identifier.",
    Reason.RECALLED: "It is recalled.",
    Reason.EXPIRED: "It is past its expiry date.",
    Reason.HELD: "It is on hold.",
    Reason.ENDED: "It was dispensed, destroyed or taken out of use.",
    Reason.DAMAGED: "It came damaged or opened.",
    Reason.UNKNOWN: "Nobody could verify it yet: hold it and scan it again. That makes it no suspect.",
    Reason.NONE: "Matched to our sale to this customer, and verified: saleable.",
}

# How a nonsaleable package is set apart: dispositions of the CBV 2.0, 7.2.
DISPOSITION: dict[Reason, str] = {
    Reason.RECALLED: "recalled",
    Reason.EXPIRED: "expired",
    Reason.DAMAGED: "damaged",
    Reason.NO_STATEMENT: "no_pedigree_match",
    Reason.NOT_SOLD_TO_THEM: "no_pedigree_match",
    Reason.NOT_WITH_THEM: "no_pedigree_match",
}
OTHERWISE = "non_sellable_other"

UNSOLD = frozenset({Reason.NOT_SOLD_TO_THEM, Reason.RETURNED, Reason.NOT_WITH_THEM})
"""What no sale of ours to this customer explains: rule D10."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a returned package. `sold`: our own transaction to this customer carried it; `statement`: with
    an affirmed transaction statement; `returned`: a return of what that transaction carried is booked already;
    `with_them`: by the record this customer has it since (`is_theirs`)."""

    sold: bool
    statement: bool
    verified: Verified
    returned: bool = False
    with_them: bool = True
    suspect: bool = False
    recalled: bool = False
    expired: bool = False
    held: bool = False
    ended: bool = False
    damaged: bool = False


def is_theirs(outer: Item, us: str, them: Collection[str]) -> bool:
    """Whether a package that we (`us`) sold is by the record with `them`, the buyer and to whom it was delivered: it is
    there, on its way between us, or has come from there. `outer` is the outermost object around it."""
    if outer.in_transit:
        others = {outer.sender, outer.bound_for} - {us, None}
        return others <= set(them)
    return outer.holder in them or (outer.holder == us and outer.sender in them)


def judge(facts: Facts) -> Reason:
    """Why it is not saleable, `Reason.NONE` where it is. The first that applies."""
    tests = (
        (Reason.SUSPECT, facts.suspect),
        (Reason.NOT_SOLD_TO_THEM, not facts.sold),
        (Reason.RETURNED, facts.returned),
        (Reason.NOT_WITH_THEM, not facts.with_them),
        (Reason.NO_STATEMENT, not facts.statement),
        (Reason.NOT_VERIFIED, facts.verified is Verified.NO),
        (Reason.RECALLED, facts.recalled),
        (Reason.EXPIRED, facts.expired),
        (Reason.HELD, facts.held),
        (Reason.ENDED, facts.ended),
        (Reason.DAMAGED, facts.damaged),
        (Reason.UNKNOWN, facts.verified is not Verified.YES),
    )
    return next((reason for reason, holds in tests if holds), Reason.NONE)


def disposition(reason: Reason) -> str:
    """How a package that is not saleable for this reason is set apart."""
    return DISPOSITION.get(reason, OTHERWISE)
