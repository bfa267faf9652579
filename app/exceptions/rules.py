"""What makes a case at the exceptions desk, how it is called, who does what about it, and by when. Pure data.

HDA's five classes (2023) and the scenarios of GS1 US's addendum to the DSCSA guideline R1.2 are tables here; a kind of
case is one line of `KINDS` that points into them. A finding code of `ledger.custody.findings` that gets a line makes a
case wherever it is found; the other kinds are opened by the receiving desk, from a scan, or by a partner's report::

    FindingCode.SHORT: Kind("Shortage found on opening", S22, days=3, pdg=Pdg.MISSING_PRODUCT)
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ledger.custody.findings import FindingCode


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

_DATA = _S("", "data that does not fit", HdaClass.DATA_ISSUE, "Hold it until the data is right.", _CORRECT)
_LABEL = _S(
    "",
    "packaging or labelling",
    HdaClass.PACKAGING,
    "Hold it, and take a picture.",
    "instructions, or a return",
)
_STOPPED = _S(
    "",
    "not for distribution",
    HdaClass.UNAVAILABLE,
    "Hold it. Do not use or sell it.",
    "a return authorization",
)
_SUSPECT = _S(
    "",
    "potential suspect product",
    HdaClass.UNAVAILABLE,
    "Set it apart now, and begin the investigation.",
    "pictures of the labels, and whatever data is missing or wrong",
)
_INCOMPLETE = _S(
    "",
    "master data missing",
    HdaClass.DATA_ISSUE,
    "Enter what is missing, or send the document again with it: the buyer gets no transaction information before.",
    "nothing: it is ours",
)
_DOUBTED = _S(
    "",
    "signatures in doubt",
    HdaClass.DATA_ISSUE,
    "Look through what this key signed, and declare wrong what is not yours.",
    "nothing: it is ours",
)
_OURS = _S(
    "",
    "our own data",
    HdaClass.DATA_ISSUE,
    "Declare your own event wrong, and send it corrected.",
    "nothing: it is ours",
)


class Pdg(StrEnum):
    """The lists of PDG's exception report."""

    MISSING_DATA = "missing_product_data"
    MISSING_PRODUCT = "missing_product"
    MISALIGNMENT = "data_misalignment"
    OVERAGE = "overages"
    UNDERAGE = "underages"
    OTHER = "other_errors"


class Resolution(StrEnum):
    """What PDG's report asks for."""

    NEW_DATA = "Send new data"
    SEND_PRODUCT = "Send product"
    RETURN_PRODUCT = "Return product"
    SEND_BACK = "Send back product"
    CREDIT = "Credit account"
    DEBIT = "Debit account"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of case. `to_recipient`: it is the work of whom the event goes to, not of whoever reported it.
    `of_partner`: one open case for a partner, whatever documents show it."""

    title: str
    scenario: Scenario
    days: int = 3
    pdg: Pdg = Pdg.OTHER
    resolution: Resolution = Resolution.NEW_DATA
    to_recipient: bool = False
    of_partner: bool = False

    @property
    def hda_class(self) -> HdaClass:
        return self.scenario.hda_class

    @property
    def next_step(self) -> str:
        return self.scenario.receiver

    @property
    def is_suspect(self) -> bool:
        """Whether the package is held, and an investigation is what comes next."""
        return self.scenario is _SUSPECT

    @property
    def is_ours(self) -> bool:
        """Whether its own party alone can put it right: no partner is asked."""
        return self.scenario is _OURS

    @property
    def within(self) -> timedelta:
        return timedelta(days=self.days)


def _seller(title: str, scenario: Scenario = _DATA, **values: object) -> Kind:
    """A kind that the seller's event shows, and its recipient has to live with."""
    return Kind(title, scenario, to_recipient=True, **values)  # type: ignore[arg-type]


_N = SCENARIOS
# Every finding but a note, which is nobody's work. What holds a package (severity hold) is work of whoever has it in
# hand: of the party that reports it, and of the recipient of what should not have been shipped. Whether it is suspect
# a person says, at the investigations desk, where its case leads.
FINDING_KINDS: dict[FindingCode, Kind] = {
    FindingCode.TWO_CUSTODIANS: Kind("Two parties have the same serial number", _SUSPECT, days=1),
    FindingCode.IMPOSSIBLE_TRAVEL: Kind("Seen where it cannot have got to", _SUSPECT, days=1),
    FindingCode.AFTER_END: Kind("Seen after it was dispensed or destroyed", _SUSPECT, days=1),
    FindingCode.DISPENSED_TWICE: Kind("Dispensed a second time", _SUSPECT, days=1),
    FindingCode.COMMISSIONED_TWICE: Kind("A serial number given a second time", _SUSPECT, days=1),
    FindingCode.MOVED_ON_HOLD: _seller("Shipped while held or recalled", _SUSPECT, days=1),
    FindingCode.MOVED_RECALLED_LOT: _seller("Shipped after its lot was recalled", _SUSPECT, days=1),
    FindingCode.MOVED_EXPIRED: _seller("Shipped after its expiry", _SUSPECT, days=1),
    FindingCode.UNAUTHORIZED_PARTY: _seller(
        "Traded with no authorized trading partner", _SUSPECT, days=1, of_partner=True
    ),
    FindingCode.NOT_HOLDER: _seller("Shipped or handled by somebody who does not hold it", days=2),
    FindingCode.NOT_OWNER: _seller("Sold by somebody who does not own it", days=2),
    FindingCode.NOT_OFFERED: Kind("Ownership accepted that was not offered", _N["1-4B"], days=2),
    FindingCode.WRONG_RECEIVER: Kind("Received, but shipped to somebody else", _N["1-4B"], days=2),
    FindingCode.NEVER_COMMISSIONED: Kind(
        "Its maker's data has not arrived", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    FindingCode.CIRCULAR_RESALE: _seller("Sold back to whom it was before, and no return", days=2),
    FindingCode.NOT_ISSUER: Kind("Packed under another company's number", _DATA, days=2),
    FindingCode.NOT_MAKER: Kind("Made or recalled by another than its maker", _DATA, days=2),
    FindingCode.SHORT: Kind("Shortage found on opening", _N["2-2"], pdg=Pdg.MISSING_PRODUCT),
    FindingCode.OVER: Kind("More found than was packed", _N["1-3A"], pdg=Pdg.MISSING_DATA),
    FindingCode.RECEIVED_WITHOUT_SHIPPING: Kind(
        "Received without shipping data", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    FindingCode.NO_STATEMENT: _seller("Shipped without an affirmed transaction statement", days=2),
    FindingCode.NO_RECIPIENT: Kind("A shipment that does not say to whom", _DATA, days=2),
    FindingCode.TWO_PARENTS: Kind("Packed twice without being unpacked", _OURS),
    FindingCode.MOVED_ALONE: Kind("Moved alone while still packed", _OURS),
    FindingCode.CONTAINMENT_CYCLE: Kind("A container that would be inside itself", _OURS),
    FindingCode.MIXED_OWNERS: Kind("Packed with what belongs to somebody else", _OURS),
    FindingCode.VOID_AFTER_RECEIPT: Kind("Voided after it was received", _DATA, days=2),
    FindingCode.DECLARED_BY_OTHER: Kind("Declared wrong by another than its reporter", _DATA, days=2),
}


COMPUTED = frozenset(
    (FindingCode.UNAUTHORIZED_PARTY, FindingCode.MOVED_RECALLED_LOT, FindingCode.DECLARED_BY_OTHER)
)
"""Of these, what is never written beside an event but follows from what is known now: a licence that is entered late
puts it right, and no capture says so."""


class OwnKind(StrEnum):
    """Kinds that rest on no finding: opened at the dock, from a scan, or by a partner."""

    NOT_RECEIVED = "not_received"
    LOST = "lost_shipment"
    NO_DATA = "no_data"
    NOT_ON_DOCUMENT = "not_on_document"
    FOR_ANOTHER = "for_another"
    LOT_DIFFERS = "lot_differs"
    EXPIRY_DIFFERS = "expiry_differs"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    RECALLED = "recalled"
    ON_HOLD = "on_hold"
    UNUSABLE = "unusable"
    SUSPECT_INSIDE = "suspect_inside"
    DOUBTFUL = "doubtful"
    LABEL = "label"
    INFORMATION_MISSING = "information_missing"
    INFORMATION_WITHHELD = "information_withheld"
    KEY_SUSPECT = "key_suspect"
    REPORTED = "reported"


OWN_KINDS: dict[OwnKind, Kind] = {
    OwnKind.NOT_RECEIVED: Kind(
        "On the document, not in the delivery",
        _N["2-1A"],
        pdg=Pdg.MISSING_PRODUCT,
        resolution=Resolution.SEND_PRODUCT,
    ),
    OwnKind.LOST: Kind("Nothing of the shipment arrived", _N["2-3"], days=1, pdg=Pdg.MISSING_PRODUCT),
    OwnKind.NO_DATA: Kind("In the delivery, without data", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA),
    OwnKind.NOT_ON_DOCUMENT: Kind(
        "In the delivery, not on its document", _N["1-1A"], days=2, pdg=Pdg.MISSING_DATA
    ),
    OwnKind.FOR_ANOTHER: Kind(
        "In the delivery, shipped to somebody else", _N["1-4B"], days=2, resolution=Resolution.SEND_BACK
    ),
    OwnKind.LOT_DIFFERS: Kind("Lot on the label differs", _N["1-2"], days=2, pdg=Pdg.MISALIGNMENT),
    OwnKind.EXPIRY_DIFFERS: Kind("Expiry on the label differs", _N["1-2"], days=2, pdg=Pdg.MISALIGNMENT),
    OwnKind.DAMAGED: Kind("Damaged", _N["3-1A"], resolution=Resolution.RETURN_PRODUCT),
    # Each cause by itself: a recall has its own instructions, what is expired goes back, a hold may end.
    OwnKind.EXPIRED: Kind("Expired", _STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.RECALLED: Kind("Recalled", _STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.ON_HOLD: Kind("On hold", _STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.UNUSABLE: Kind("Not to be used", _STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.SUSPECT_INSIDE: Kind("Potential suspect product inside a container", _STOPPED, days=1),
    # Potential suspect product: it stays an exception until a person hands it to the investigations desk.
    OwnKind.DOUBTFUL: Kind("Potential suspect product", _STOPPED, days=1),
    OwnKind.LABEL: Kind("The label cannot be read", _LABEL),
    OwnKind.INFORMATION_MISSING: Kind("Sold, and its transaction information has gaps", _INCOMPLETE, days=1),
    # What was received and has no complete information is product without data: nobody accepts ownership of it.
    OwnKind.INFORMATION_WITHHELD: Kind(
        "Received, and its transaction information is incomplete", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    OwnKind.KEY_SUSPECT: Kind("Signed by a key in doubt", _DOUBTED, days=1),
    OwnKind.REPORTED: Kind("Reported by a partner", _DATA, days=2),
}

KINDS: dict[str, Kind] = {
    **{code.value: kind for code, kind in FINDING_KINDS.items()},
    **{own.value: kind for own, kind in OWN_KINDS.items()},
}

# What was behind it, for whoever closes a case; the first closes by itself.
CORRECTED = "corrected_data"
ROOT_CAUSES: dict[str, str] = {
    CORRECTED: "Corrected data arrived",
    "data_late": "The partner's data came late",
    "data_wrong": "The partner's data was wrong",
    "picking": "Picked or packed wrongly by the partner",
    "shipped_elsewhere": "Sent to the wrong place",
    "transport": "Lost or damaged on the way",
    "label": "Printing or label fault",
    "master_data": "Master data was wrong or missing",
    "our_scan": "Our own mistake at the dock or at the bench",
    "our_system": "A fault of our own system",
    "other": "Something else: see the thread",
}
BY_HAND = {value: text for value, text in ROOT_CAUSES.items() if value != CORRECTED}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a case is about, in the words a partner needs. `serials`: how many; `packages`: some, as on their labels."""

    partner: str = ""
    ours: str = ""
    purchase_orders: tuple[str, ...] = ()
    advices: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    serials: int = 0
    detail: str = ""


MOST_LISTED = 20


def message(kind: Kind, facts: Facts) -> str:
    """The message to the partner that a person edits and sends."""
    count = f"{facts.serials} serial number{'' if facts.serials == 1 else 's'}" if facts.serials else ""
    lines = [
        ("Purchase order", ", ".join(facts.purchase_orders)),
        ("Despatch advice", ", ".join(facts.advices)),
        ("Product (GTIN)", ", ".join(facts.gtins)),
        ("Lot", ", ".join(facts.lots)),
        ("Container", ", ".join(facts.containers[:MOST_LISTED])),
        ("Concerned", count),
    ]
    listed = list(facts.packages[:MOST_LISTED])
    if facts.serials > len(listed) > 0:
        listed.append(f"and {facts.serials - len(listed)} more")
    body = [
        f"To {facts.partner or 'the seller'}: {kind.title.lower()} ({kind.hda_class.value}).",
        "",
        *(f"{name}: {value}" for name, value in lines if value),
        *listed,
        *([facts.detail] if facts.detail else []),
        "",
        f"What we have done: {kind.next_step}",
        f"Please put it right with: {kind.scenario.seller}.",
        "",
        facts.ours,
    ]
    return "\n".join(body).strip()
