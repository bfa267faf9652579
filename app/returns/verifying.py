"""Whether the maker of a returned package verifies its identifier: asked of the record, or of the maker's own node.

``Verifier`` is the seam: anything that answers verified, not verified or unknown for a scanned package.
"""

from dataclasses import dataclass
from typing import Protocol

from app.products import service as products
from app.returns.rules import Verified
from app.shared.actor import Actor
from app.verification.service import Result
from app.vrs.asking import Asking
from app.vrs.messages import Info
from ledger.custody.verdict import Reason
from ledger.gs1.dates import to_yymmdd
from ledger.store.sql.engine import Database

CONTEXT = "dscsaSaleableReturn"
_DIFFERS = frozenset({Reason.LOT_DIFFERS, Reason.EXPIRY_DIFFERS, Reason.NEVER_MADE})
_UNKNOWN = frozenset({Reason.NO_RECORD, Reason.NOT_COMMISSIONED, Reason.IN_PROGRESS, Reason.OFFLINE_TOO_OLD})
# A maker's yes with one of these is no yes for resale (VRS, additionalInfo).
_NOT_SALEABLE = frozenset({Info.RECALLED, Info.EXPIRED, Info.SUSPECT, Info.ILLEGITIMATE})


class Verifier(Protocol):
    """What a return asks about a scanned package."""

    def verify(self, result: Result, actor: Actor) -> Verified: ...


@dataclass(frozen=True, slots=True)
class MakersWord:
    """The maker's record where it is on this node, else its answer over VRS. No answer is unknown, never suspect."""

    database: Database
    asking: Asking

    def verify(self, result: Result, actor: Actor) -> Verified:
        label = result.label
        if None in (label.gtin, label.serial, label.lot, label.expiry):
            return Verified.UNKNOWN
        assert label.gtin and label.serial and label.lot and label.expiry
        with self.database.reading() as connection:
            is_here = label.gtin in products.makers(connection, [label.gtin])
        if is_here:
            return of_record(result)
        assert actor.party_gln is not None
        expiry = to_yymmdd(label.expiry)
        said = self.asking.ask(
            actor.party_gln, label.gtin, label.lot, label.serial, expiry, actor, context=CONTEXT
        )
        if said.answer is None:
            return Verified.UNKNOWN
        fits = said.answer.verified and said.answer.info not in _NOT_SALEABLE
        return Verified.YES if fits else Verified.NO


def of_record(result: Result) -> Verified:
    """What a scan's answer says of the identifier where its maker's own record is here."""
    reasons = {result.verdict.reason, *result.verdict.others}
    if reasons & _DIFFERS:
        return Verified.NO
    return Verified.UNKNOWN if reasons & _UNKNOWN else Verified.YES
