"""When a professional may go past a verdict: over a clerical fault, never past what may hurt. Pure.

Urgent care is not hard-locked over a clerical fault, so a scan that *could not be confirmed* or whose *details differ*
may be overridden: with a reason from this list and in words, by two people, and followed up. What is suspect, recalled,
expired, held, destroyed or unreadable is not.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from app.cases.blocking import Blocking
from app.cases.rules import Desk
from app.errors import Conflict, Invalid
from ledger.custody.verdict import TABLE, Verdict, Word

FOLLOW_UP_WITHIN = timedelta(days=3)
RATE_OVER = timedelta(days=30)
LONGEST_TEXT = 1_000
ALLOWED = frozenset({Word.CANNOT_CONFIRM, Word.DETAILS_DIFFER})


class Reason(StrEnum):
    """Why a professional went past a verdict."""

    URGENT_CARE = "urgent_care"
    SELLER_CONFIRMED = "seller_confirmed"
    MAKER_CONFIRMED = "maker_confirmed"
    LABEL_FAULT = "label_fault"
    OTHER = "other"


REASONS: dict[Reason, str] = {
    Reason.URGENT_CARE: "Urgent care, and no other pack is at hand",
    Reason.SELLER_CONFIRMED: "The seller has confirmed the delivery, its data is late",
    Reason.MAKER_CONFIRMED: "The maker has confirmed the serial",
    Reason.LABEL_FAULT: "The label is misprinted or damaged, the pack was identified otherwise",
    Reason.OTHER: "Another reason, in words",
}

CAUSES: dict[str, str] = {
    "data_late": "Data was late",
    "data_wrong": "Data was wrong",
    "label": "Label or scanner",
    "process": "Our own process",
    "not_justified": "The override was not justified",
    "suspect": "It was suspect after all",
}
"""What a follow-up may find."""

_WORDS = {reason: word for reason, word, _, _ in TABLE}


def may_override(verdict: Verdict, blocked_by: Sequence[Blocking] = ()) -> bool:
    """Whether this verdict, and everything that stands below it, is one that may be gone past; and every open case of
    these an exception, which is clerical. What is OK and blocked by none needs no override."""
    if any(each.desk is not Desk.EXCEPTIONS for each in blocked_by):
        return False
    if verdict.word is Word.OK:
        return bool(blocked_by)
    words = {verdict.word, *(_WORDS[reason] for reason in verdict.others)}
    return words <= ALLOWED


def require(verdict: Verdict, blocked_by: Sequence[Blocking] = (), *, is_package: bool) -> None:
    """Raise `Conflict` where this scan may not be overridden."""
    if not is_package:
        raise Conflict("override.package", "This is no single pack", "", "Scan the one pack you hand out.")
    if verdict.word is Word.OK and not blocked_by:
        raise Conflict("override.ok", "There is nothing to override", "It is OK.", "Dispense it.")
    if not may_override(verdict, blocked_by):
        raise Conflict(
            "override.refused",
            f"{verdict.word.value}: this cannot be overridden",
            "Only what could not be confirmed or whose details differ can.",
            verdict.next_step,
        )


def parse(reason: str, text: str) -> tuple[Reason, str]:
    """The reason and its words as typed. Raises `Invalid`."""
    if reason not in set(Reason):
        raise Invalid("override.reason", "Say why", "", "Choose one of the reasons.")
    words = " ".join(text.split())
    if not 1 <= len(words) <= LONGEST_TEXT:
        raise Invalid("override.text", "Say it in words too", f"1 to {LONGEST_TEXT} characters.")
    return Reason(reason), words


def rate(overrides: int, dispensed: int) -> str:
    """How often it was done, in words: '2 of 140 dispensed (1.4 %)'."""
    percent = 100 * overrides / dispensed if dispensed else 0.0
    return f"{overrides} of {dispensed} dispensed ({percent:.1f} %)"
