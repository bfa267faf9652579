"""What a scan at the dock is answered with, in words, and what follows when the delivery is finished. Tables alone."""

from enum import StrEnum

from app.exceptions.rules import OwnKind
from ledger.custody.verdict import Reason


class Outcome(StrEnum):
    """What a scan was answered with."""

    MATCH = "match"
    AGAIN = "again"  # seen before: nothing changes
    OTHER_DELIVERY = "other_delivery"  # on its way here by another document: received with this one
    CONTENTS = "contents"  # an intact container with something in it that is not OK
    LOT_DIFFERS = "lot_differs"
    EXPIRY_DIFFERS = "expiry_differs"
    EXPIRED = "expired"
    RECALLED = "recalled"
    ON_HOLD = "on_hold"
    UNUSABLE = "unusable"  # for another reason: used up, decommissioned
    DOUBTFUL = "doubtful"
    NOT_ON_DOCUMENT = "not_on_document"
    FOR_ANOTHER = "for_another"
    NO_DATA = "no_data"
    RECEIVED_BEFORE = "received_before"
    UNREAD = "unread"
    DONE = "done"  # of opening and damage


# outcome -> what the screen says, and what to do
SAID: dict[Outcome, tuple[str, str]] = {
    Outcome.MATCH: ("It matches the document", "Scan the next one."),
    Outcome.AGAIN: ("Scanned already", "Scan the next one."),
    Outcome.OTHER_DELIVERY: ("On its way to you by another document", "It is received with this one. Scan the next."),
    Outcome.CONTENTS: ("Something inside is not OK", "Open it and scan what is in it, or set it apart as it is."),
    Outcome.LOT_DIFFERS: ("The lot on the label differs", "Set it apart. An exception opens when you finish."),
    Outcome.EXPIRY_DIFFERS: ("The expiry on the label differs", "Set it apart. An exception opens when you finish."),
    Outcome.EXPIRED: ("Expired", "Set it apart. An exception opens when you finish."),
    Outcome.RECALLED: ("Recalled", "Set it apart. An exception opens when you finish."),
    Outcome.ON_HOLD: ("On hold", "Set it apart. An exception opens when you finish."),
    Outcome.UNUSABLE: ("Genuine, but not to be used", "Set it apart. An exception opens when you finish."),
    Outcome.DOUBTFUL: ("Potential suspect", "Quarantine it. An exception opens when you finish."),
    Outcome.NOT_ON_DOCUMENT: ("Not on this document", "Set it apart. It is not received; an exception opens."),
    Outcome.FOR_ANOTHER: ("Shipped to somebody else", "Set it apart. It is not received; an exception opens."),
    Outcome.NO_DATA: ("No data about it", "Set it apart. It is not received; an exception opens."),
    Outcome.RECEIVED_BEFORE: ("You have received it before", "Put it where the rest of that delivery is."),
    Outcome.UNREAD: ("Could not read it", "Scan it again, turn it, or type it."),
    Outcome.DONE: ("Noted", "Scan the next one."),
}  # fmt: skip

THERE = frozenset(
    {
        *(Outcome.MATCH, Outcome.CONTENTS, Outcome.LOT_DIFFERS, Outcome.EXPIRY_DIFFERS),
        *(Outcome.EXPIRED, Outcome.RECALLED, Outcome.ON_HOLD, Outcome.UNUSABLE, Outcome.DOUBTFUL),
    }
)
OVER = frozenset({Outcome.NOT_ON_DOCUMENT, Outcome.FOR_ANOTHER, Outcome.NO_DATA})

STOPPED_BY: dict[Reason, Outcome] = {
    Reason.EXPIRED: Outcome.EXPIRED,
    Reason.RECALLED: Outcome.RECALLED,
    Reason.HELD: Outcome.ON_HOLD,
}

# Which kind of exception a discrepancy opens; and the disposition under which it is held, where it is (CBV 2.0, 7.2).
# What is inside a container that was set apart says its own causes (app.receiving.inside).
KIND_OF: dict[Outcome, OwnKind] = {
    Outcome.EXPIRED: OwnKind.EXPIRED,
    Outcome.RECALLED: OwnKind.RECALLED,
    Outcome.ON_HOLD: OwnKind.ON_HOLD,
    Outcome.LOT_DIFFERS: OwnKind.LOT_DIFFERS,
    Outcome.EXPIRY_DIFFERS: OwnKind.EXPIRY_DIFFERS,
    Outcome.UNUSABLE: OwnKind.UNUSABLE,
    Outcome.DOUBTFUL: OwnKind.DOUBTFUL,
    Outcome.NOT_ON_DOCUMENT: OwnKind.NOT_ON_DOCUMENT,
    Outcome.FOR_ANOTHER: OwnKind.FOR_ANOTHER,
    Outcome.NO_DATA: OwnKind.NO_DATA,
}
HELD_AS: dict[Outcome, str] = {
    Outcome.LOT_DIFFERS: "non_sellable_other",
    Outcome.EXPIRY_DIFFERS: "non_sellable_other",
    Outcome.DOUBTFUL: "non_sellable_other",
}
DAMAGED_AS = "damaged"
APART_AS = "non_sellable_other"

DAMAGES: dict[str, str] = {
    "crushed": "Crushed or torn",
    "wet": "Wet",
    "leaking": "Leaking or broken inside",
    "open": "Opened or seal broken",
    "temperature": "Temperature out of range",
    "label": "Label damaged",
}
