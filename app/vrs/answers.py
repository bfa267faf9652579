"""What a maker answers about one of its packs. Pure: the record, what the maker itself has said, and the label.

In order: a serial that it never gave; what differs on the label; what may not be passed on; all else is verified, with
what is to be known beside it. The recorded lot and expiry are never in an answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.vrs.messages import Answer, Failure, Info


class Mark(StrEnum):
    """What a maker says of a serial or a lot beyond its record (`packproof vrs mark`)."""

    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"
    POLICY = "policy"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True)
class Made:
    """A pack in its maker's record. `ended`: dispensed, destroyed or its serial taken out of use; `disputed`: two
    parties that no shipment links have both reported it."""

    lot: str | None
    expiry: date | None
    ended: bool = False
    recalled: bool = False
    disputed: bool = False


def answer(made: Made | None, lot: str, expiry: date, marks: Collection[Mark], today: date) -> Answer:
    """The maker's answer on a pack whose label says `lot` and `expiry`. `made` None: it never gave this serial."""
    if made is None:
        return Answer(False, Failure.SERIAL)
    if (differs := _differs(made, lot, expiry)) is not None:
        return Answer(False, differs)
    if Mark.ILLEGITIMATE in marks:
        return Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.ILLEGITIMATE)
    if Mark.SUSPECT in marks or made.disputed:
        return Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.SUSPECT)
    if made.ended:
        return Answer(False, Failure.NOT_FOR_REDISTRIBUTION)
    if Mark.POLICY in marks:
        return Answer(False, Failure.POLICY)
    if made.recalled:
        return Answer(True, info=Info.RECALLED)
    if made.expiry is not None and made.expiry < today:
        return Answer(True, info=Info.EXTENDED if Mark.EXTENDED in marks else Info.EXPIRED)
    return Answer(True)


def _differs(made: Made, lot: str, expiry: date) -> Failure | None:
    wrong_lot, wrong_expiry = made.lot != lot, made.expiry != expiry
    if wrong_lot and wrong_expiry:
        return Failure.LOT_EXPIRY
    if wrong_lot:
        return Failure.LOT
    return Failure.EXPIRY if wrong_expiry else None
