"""Verdicts and reasons in words, shapes and colours: nothing is told by colour alone.

The sentences of the next step come from the kernel's table; here are the few words that a reason has beside it.
"""

from dataclasses import dataclass

from ledger.custody.verdict import Reason, Word


@dataclass(frozen=True, slots=True)
class Face:
    """How a verdict looks: a shape, the same in ASCII, and a colour (rich's name) for whoever sees colours."""

    shape: str
    ascii: str
    colour: str


FACES: dict[Word, Face] = {
    Word.OK: Face("✔", "OK", "green"),
    Word.CANNOT_CONFIRM: Face("◷", "..", "blue"),
    Word.DETAILS_DIFFER: Face("≠", "/=", "yellow"),
    Word.DO_NOT_USE: Face("■", "##", "magenta"),
    Word.SUSPECT: Face("▲", "!!", "red"),
    Word.COULD_NOT_READ: Face("○", "??", "white"),
}

REASONS: dict[Reason, str] = {
    Reason.NOTHING_DECODED: "no code was found",
    Reason.SEPARATOR_LOST: "a separator was lost in reading",
    Reason.NAMES_NO_PACKAGE: "the code names no package",
    Reason.UNREADABLE: "the code says nothing that can be used",
    Reason.TWO_CUSTODIANS: "seen at two parties that no shipment links",
    Reason.IMPOSSIBLE_TRAVEL: "seen too far away too recently",
    Reason.SEEN_AFTER_END: "dispensed or destroyed before",
    Reason.NEVER_MADE: "its maker never made this serial",
    Reason.RECALLED: "recalled",
    Reason.EXPIRED: "expired",
    Reason.HELD: "on hold",
    Reason.DECOMMISSIONED: "its serial number was taken out of use",
    Reason.ENDED_HERE: "dispensed or destroyed here within 24 hours",
    Reason.LOT_DIFFERS: "the lot differs from the record",
    Reason.EXPIRY_DIFFERS: "the expiry differs from the record",
    Reason.SHIPPED_ELSEWHERE: "shipped to somebody else",
    Reason.NOT_OURS: "by the record, somebody else has it",
    Reason.NOT_FOUND_IN_CONTAINER: "it was missing when its case was opened",
    Reason.NO_RECORD: "there is no record of it",
    Reason.MAKER_NOT_VOUCHED: "nobody vouches that who made it makes this product",
    Reason.NOT_COMMISSIONED: "its maker's data has not arrived",
    Reason.IN_PROGRESS: "its document is still being taken in",
    Reason.OFFLINE_TOO_OLD: "what is known here is too old",
    Reason.OK: "nothing speaks against it",
}


def reason_words(reason: str) -> str:
    """A reason in a few words; one that a newer node knows stays as it is named."""
    try:
        return REASONS[Reason(reason)]
    except ValueError:
        return reason.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """``1 package``, ``2 packages``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
