"""HDA's five classes of exceptions (2023), and the scenarios of GS1 US's addendum to the DSCSA guideline R1.2.

What no scenario of the addendum describes has one of ours, without a number.
"""

from dataclasses import dataclass
from enum import StrEnum


class HdaClass(StrEnum):
    """HDA's classes of exceptions, 2023."""

    DATA_ISSUE = "Data Issue"
    PRODUCT_NO_DATA = "Product No Data"
    DATA_NO_PRODUCT = "Data No Product"
    PACKAGING = "Packaging and Labeling"
    UNAVAILABLE = "Unavailable for Distribution"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation: what the receiver does, what the seller puts it right with. `number`: the addendum's, or ''."""

    number: str
    title: str
    hda_class: HdaClass
    receiver: str
    seller: str

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}".strip()


_HOLD_EXTRA = "Hold what is too much, and report it."
_CORRECT = "error declaration and corrected events"
_S = Scenario
SCENARIOS: dict[str, Scenario] = {
    each.number: each
    for each in (
        _S(
            "1-1A",
            "overage, kept",
            HdaClass.PRODUCT_NO_DATA,
            _HOLD_EXTRA,
            "new shipping data, and an invoice",
        ),
        _S(
            "1-1B",
            "overage, returned",
            HdaClass.PRODUCT_NO_DATA,
            "Hold it, and return it.",
            "a return authorization",
        ),
        _S("1-2", "wrong lot for the shipment", HdaClass.DATA_ISSUE, "Hold all of it.", _CORRECT),
        _S(
            "1-3A",
            "concealed overage, kept",
            HdaClass.PRODUCT_NO_DATA,
            _HOLD_EXTRA,
            "new shipping data, and an invoice",
        ),
        _S(
            "1-3B",
            "concealed overage, returned",
            HdaClass.PRODUCT_NO_DATA,
            "Hold it, and return it.",
            "a return authorization",
        ),
        _S("1-4A", "wrong serial number", HdaClass.DATA_ISSUE, "Hold the unit.", "corrected events"),
        _S("1-4B", "wrong sold-to party", HdaClass.DATA_ISSUE, "Hold the shipment.", "corrected events"),
        _S(
            "1-5",
            "product without data",
            HdaClass.PRODUCT_NO_DATA,
            "Hold it. Do not accept ownership.",
            "the missing EPCIS data",
        ),
        _S(
            "2-1A",
            "shortage, shipped later",
            HdaClass.DATA_NO_PRODUCT,
            "Receive only what is there. Ask the seller to void what was not shipped, and to ship it.",
            "void shipping of what is missing, then a new shipment",
        ),
        _S(
            "2-1B",
            "shortage, cancelled",
            HdaClass.DATA_NO_PRODUCT,
            "Receive only what is there. Ask the seller to void what was not shipped.",
            "void shipping of what is missing, and a credit",
        ),
        _S(
            "2-2",
            "concealed shortage",
            HdaClass.DATA_NO_PRODUCT,
            "Ask the seller to void what was not shipped and to correct the packing, or to send it.",
            "void shipping and corrected packing, or the product",
        ),
        _S(
            "2-3",
            "lost shipment",
            HdaClass.DATA_NO_PRODUCT,
            "Report it, and consider theft: then it is suspect.",
            "void shipping of all that is lost",
        ),
        _S(
            "3-1A",
            "damaged, returned",
            HdaClass.UNAVAILABLE,
            "Hold what is damaged, and return it.",
            "a return authorization",
        ),
        _S(
            "3-1B",
            "damaged, destroyed",
            HdaClass.UNAVAILABLE,
            "Hold what is damaged.",
            "leave to destroy it",
        ),
    )
}

DATA = _S("", "data that does not fit", HdaClass.DATA_ISSUE, "Hold it until the data is right.", _CORRECT)
LABEL = _S(
    "",
    "packaging or labelling",
    HdaClass.PACKAGING,
    "Hold it, and take a picture.",
    "instructions, or a return",
)
STOPPED = _S(
    "",
    "not for distribution",
    HdaClass.UNAVAILABLE,
    "Hold it. Do not use or sell it.",
    "a return authorization",
)
SUSPECT = _S(
    "",
    "potential suspect product",
    HdaClass.UNAVAILABLE,
    "Set it apart now, and begin the investigation.",
    "pictures of the labels, and whatever data is missing or wrong",
)
INCOMPLETE = _S(
    "",
    "master data missing",
    HdaClass.DATA_ISSUE,
    "Enter what is missing, or send the document again with it: the buyer gets no transaction information before.",
    "nothing: it is ours",
)
DOUBTED = _S(
    "",
    "signatures in doubt",
    HdaClass.DATA_ISSUE,
    "Look through what this key signed, and declare wrong what is not yours.",
    "nothing: it is ours",
)
OURS = _S(
    "",
    "our own data",
    HdaClass.DATA_ISSUE,
    "Declare your own event wrong, and send it corrected.",
    "nothing: it is ours",
)
WAITING = _S(
    "",
    "told before its time",
    HdaClass.DATA_ISSUE,
    "Adopt it under 'Before their time' where its time was right. Else declare it wrong, and tell it again.",
    "nothing: it is ours",
)
