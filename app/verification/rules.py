"""What a scan may be told: which records count for whom, what a failed reading means, what another's maker adds, and
whom to chase for data that has not come. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.cases.blocking import Blocking
from app.vrs.messages import Answer, Failure, Info
from ledger.custody.state import Item
from ledger.custody.verdict import MakerSays, Reason, Verdict, Word
from ledger.gs1.element_string import Scan
from ledger.gs1.errors import Gs1Code

# What a reading error means to the person who scans; every other error is 'unreadable'.
UNREADABLE = {
    Gs1Code.EMPTY: Reason.NOTHING_DECODED,
    Gs1Code.SEPARATOR_MISSING: Reason.SEPARATOR_LOST,
    Gs1Code.NOT_AI_DATA: Reason.NAMES_NO_PACKAGE,
}

SELLER_WITHIN = timedelta(days=3)
"""How long a seller gets to send what is missing, as at the exceptions desk."""
MAKER_WITHIN = timedelta(hours=24)
"""How long a maker has for a verification request (FD&C Act 582(b)(4)(C))."""
MOMENT = timedelta(minutes=15)


def concerns(item: Item | None, outer: Item | None, asker: str | None) -> bool:
    """Whether the party `asker` (GLN) may see this record: it has it, had it last, made it, or gets it. Nobody asking
    for a party (an inspector) sees all."""
    if asker is None:
        return True
    if item is None or outer is None:
        return False
    return asker in (item.maker, item.ended_by, outer.holder, outer.owner, outer.bound_for, outer.sender)


def is_full_label(scan: Scan) -> bool:
    """Whether the label says all four: GTIN, serial, lot and expiry. Whoever has the pack in hand can read them."""
    return None not in (scan.gtin, scan.serial, scan.lot, scan.expiry)


def expiry_on(scan: Scan, today: date) -> date | None:
    """The label's expiry as a date; its century is the one that fits `today`."""
    return scan.expiry.on(today) if scan.expiry else None


_BY_FAILURE = {
    Failure.LOT: frozenset({MakerSays.LOT_DIFFERS}),
    Failure.EXPIRY: frozenset({MakerSays.EXPIRY_DIFFERS}),
    Failure.LOT_EXPIRY: frozenset({MakerSays.LOT_DIFFERS, MakerSays.EXPIRY_DIFFERS}),
    Failure.NOT_FOR_REDISTRIBUTION: frozenset({MakerSays.NOT_FOR_USE}),
}
_BY_INFO = {
    Info.RECALLED: frozenset({MakerSays.RECALLED}),
    Info.EXPIRED: frozenset({MakerSays.EXPIRED}),
    Info.SUSPECT: frozenset({MakerSays.NOT_FOR_USE}),
    Info.ILLEGITIMATE: frozenset({MakerSays.NOT_FOR_USE}),
}


def denies(answer: Answer | None) -> bool:
    """Whether a maker's answer says that it never made the serial. No answer says nothing."""
    return answer is not None and answer.failure is Failure.SERIAL


def says(answer: Answer | None) -> frozenset[MakerSays]:
    """What a maker's answer means for the verdict. Its policy, or no reason, mean nothing: it stays unconfirmed."""
    if answer is None:
        return frozenset()
    beside = _BY_INFO.get(answer.info, frozenset()) if answer.info else frozenset()
    if answer.failure is not None:
        return _BY_FAILURE.get(answer.failure, frozenset()) | beside
    return beside or frozenset({MakerSays.CONFIRMS})


# A container of which only some packages are not OK: the step of the worst would send the others to its bin.
OPEN_IT = (
    "Do not use it as a whole. Open it, scan the packages one by one, and set apart those that are not OK."
)


def next_step(verdict: Verdict, near: str, blocked_by: Sequence[Blocking]) -> str:
    """What to do next. `near`: in what alone the serial differs from a known one; `blocked_by`: open cases about it."""
    if verdict.reason is Reason.NO_RECORD and near:
        return f"Scan it again: the serial differs only in {near} from one that is known. If it stays so, set it aside."
    if verdict.word is Word.OK and blocked_by:
        first = blocked_by[0]
        return f"Set it aside: it is part of {first.what}, '{first.title}'. Settle that first."
    return verdict.next_step


@dataclass(frozen=True, slots=True)
class Chase:
    """Who can bring what is missing, and by when they should have."""

    who: str
    by: datetime


def chase(reason: Reason, sender: str | None, maker: str | None, now: datetime) -> Chase | None:
    """Whom to chase for a pack that cannot be confirmed; None where nobody has to be.

    `sender` is what whoever sent it last is called, `maker` the maker: to whoever asks, or None.
    """
    if reason is Reason.IN_PROGRESS:
        return Chase("nobody: it is being taken in", now + MOMENT)
    if reason is Reason.MAKER_NOT_VOUCHED:
        return Chase("the node's operator, and the seller of this delivery", now + SELLER_WITHIN)
    if reason is Reason.NOT_COMMISSIONED:
        return Chase(sender or maker or "the seller of this delivery", now + SELLER_WITHIN)
    if reason is Reason.NO_RECORD:
        beside = f", and its maker {maker}" if maker else ""
        return Chase(f"the seller of this delivery{beside}", now + (MAKER_WITHIN if maker else SELLER_WITHIN))
    return None
