"""What makes a case at the exceptions desk, how it is called, who does what about it, and by when. Pure data.

A kind of case is one line of `KINDS`, which points into HDA's classes and GS1 US's scenarios (`scenarios`). A finding
code of `ledger.custody.findings` that gets a line makes a case wherever it is found; the other kinds are opened by the
receiving desk, from a scan, or by a partner's report::

    FindingCode.SHORT: Kind("Shortage found on opening", S22, days=3, pdg=Pdg.MISSING_PRODUCT)
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from app.exceptions.scenarios import (
    DATA,
    DOUBTED,
    INCOMPLETE,
    LABEL,
    OURS,
    SCENARIOS,
    STOPPED,
    SUSPECT,
    WAITING,
    HdaClass,
    Scenario,
)
from ledger.custody.findings import FindingCode


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
        return self.scenario is SUSPECT

    @property
    def is_ours(self) -> bool:
        """Whether its own party alone can put it right: no partner is asked."""
        return self.scenario in (OURS, WAITING)

    @property
    def within(self) -> timedelta:
        return timedelta(days=self.days)


def _seller(title: str, scenario: Scenario = DATA, **values: object) -> Kind:
    """A kind that the seller's event shows, and its recipient has to live with."""
    return Kind(title, scenario, to_recipient=True, **values)  # type: ignore[arg-type]


def _told(scenario: Scenario) -> Scenario:
    """The scenario as its seller has it, to whom the receiver reports it."""
    return replace(scenario, receiver=f"Look at what was sent, and answer the partner: {scenario.seller}.")


_N = SCENARIOS
# Every finding but a note, which is nobody's work. What holds a package (severity hold) is work of whoever has it in
# hand: of the party that reports it, and of the recipient of what should not have been shipped. Whether it is suspect
# a person says, at the investigations desk, where its case leads.
FINDING_KINDS: dict[FindingCode, Kind] = {
    FindingCode.TWO_CUSTODIANS: Kind("Two parties have the same serial number", SUSPECT, days=1),
    FindingCode.IMPOSSIBLE_TRAVEL: Kind("Seen where it cannot have got to", SUSPECT, days=1),
    FindingCode.AFTER_END: Kind("Seen after it was dispensed or destroyed", SUSPECT, days=1),
    FindingCode.DISPENSED_TWICE: Kind("Dispensed a second time", SUSPECT, days=1),
    FindingCode.COMMISSIONED_TWICE: Kind("A serial number given a second time", SUSPECT, days=1),
    FindingCode.MOVED_ON_HOLD: _seller("Shipped while held or recalled", SUSPECT, days=1),
    FindingCode.MOVED_RECALLED_LOT: _seller("Shipped after its lot was recalled", SUSPECT, days=1),
    FindingCode.MOVED_EXPIRED: _seller("Shipped after its expiry", SUSPECT, days=1),
    FindingCode.MOVED_WITH_STOPPED: _seller(
        "Shipped with something in it that is expired, held or recalled", SUSPECT, days=1
    ),
    FindingCode.UNAUTHORIZED_PARTY: _seller(
        "Traded with no authorized trading partner", SUSPECT, days=1, of_partner=True
    ),
    FindingCode.NOT_HOLDER: _seller("Shipped or handled by somebody who does not hold it", days=2),
    FindingCode.NOT_OWNER: _seller("Sold by somebody who does not own it", days=2),
    FindingCode.NOT_OFFERED: Kind("Ownership accepted that was not offered", _N["1-4B"], days=2),
    FindingCode.WRONG_RECEIVER: Kind("Received, but shipped to somebody else", _N["1-4B"], days=2),
    FindingCode.NEVER_COMMISSIONED: Kind(
        "Its maker's data has not arrived", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    FindingCode.CIRCULAR_RESALE: _seller("Sold back to whom it was before, and no return", days=2),
    FindingCode.OUTSIDE_MARKET: _seller("Sold to whom the product is not for", days=2),
    FindingCode.NOT_ISSUER: Kind("Packed under another company's number", DATA, days=2),
    FindingCode.NOT_MAKER: Kind("Made or recalled by another than its maker", DATA, days=2),
    FindingCode.SHORT: Kind("Shortage found on opening", _N["2-2"], pdg=Pdg.MISSING_PRODUCT),
    FindingCode.OVER: Kind("More found than was packed", _N["1-3A"], pdg=Pdg.MISSING_DATA),
    FindingCode.RECEIVED_WITHOUT_SHIPPING: Kind(
        "Received without shipping data", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    FindingCode.NO_STATEMENT: _seller("Shipped without an affirmed transaction statement", days=2),
    FindingCode.NO_RECIPIENT: Kind("A shipment that does not say to whom", DATA, days=2),
    FindingCode.TWO_PARENTS: Kind("Packed twice without being unpacked", OURS),
    FindingCode.MOVED_ALONE: Kind("Moved alone while still packed", OURS),
    FindingCode.CONTAINMENT_CYCLE: Kind("A container that would be inside itself", OURS),
    FindingCode.MIXED_OWNERS: Kind("Packed with what belongs to somebody else", OURS),
    FindingCode.TWO_RECIPIENTS: _seller("Shipped to two", _N["1-4B"], days=2),
    FindingCode.VOID_AFTER_RECEIPT: Kind("Voided after it was received", DATA, days=2),
    FindingCode.DECLARED_BY_OTHER: Kind("Declared wrong by another than its reporter", DATA, days=2),
}


COMPUTED = frozenset(
    (
        FindingCode.UNAUTHORIZED_PARTY,
        FindingCode.MOVED_RECALLED_LOT,
        FindingCode.MOVED_WITH_STOPPED,
        FindingCode.OUTSIDE_MARKET,
        FindingCode.DECLARED_BY_OTHER,
    )
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
    PACKAGING = "packaging"
    DATA = "data"
    INFORMATION_MISSING = "information_missing"
    INFORMATION_WITHHELD = "information_withheld"
    KEY_SUSPECT = "key_suspect"
    TOLD_AHEAD = "told_ahead"
    REPORTED = "reported"
    REPORTED_OVERAGE = "reported_overage"
    REPORTED_SHORTAGE = "reported_shortage"
    REPORTED_NO_DATA = "reported_no_data"
    REPORTED_SERIAL = "reported_serial"


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
    OwnKind.EXPIRED: Kind("Expired", STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.RECALLED: Kind("Recalled", STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.ON_HOLD: Kind("On hold", STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.UNUSABLE: Kind("Not to be used", STOPPED, days=2, resolution=Resolution.RETURN_PRODUCT),
    OwnKind.SUSPECT_INSIDE: Kind("Potential suspect product inside a container", STOPPED, days=1),
    # Potential suspect product: it stays an exception until a person hands it to the investigations desk.
    OwnKind.DOUBTFUL: Kind("Potential suspect product", STOPPED, days=1),
    OwnKind.LABEL: Kind("The label cannot be read", LABEL),
    OwnKind.PACKAGING: Kind("Packaging or labelling is wrong", LABEL),
    OwnKind.DATA: Kind("Data that does not fit", DATA, days=2),
    OwnKind.INFORMATION_MISSING: Kind("Sold, and its transaction information has gaps", INCOMPLETE, days=1),
    # What was received and has no complete information is product without data: nobody accepts ownership of it.
    OwnKind.INFORMATION_WITHHELD: Kind(
        "Received, and its transaction information is incomplete", _N["1-5"], days=2, pdg=Pdg.MISSING_DATA
    ),
    OwnKind.TOLD_AHEAD: Kind("Told before its time, and not adopted since", WAITING, days=2),
    OwnKind.KEY_SUSPECT: Kind("Signed by a key in doubt", DOUBTED, days=1),
    OwnKind.REPORTED: Kind("Reported by a partner", _told(DATA), days=2),
    OwnKind.REPORTED_OVERAGE: Kind("A partner reports too much", _told(_N["1-1A"]), days=2),
    OwnKind.REPORTED_SHORTAGE: Kind("A partner reports too little", _told(_N["2-1A"]), days=2),
    OwnKind.REPORTED_NO_DATA: Kind("A partner reports product without data", _told(_N["1-5"]), days=2),
    OwnKind.REPORTED_SERIAL: Kind(
        "A partner reports another serial, lot or expiry", _told(_N["1-4A"]), days=2
    ),
}

# What a person may open a case of who scanned nothing, by HDA's classes. The others follow from the record.
SEEN_KINDS: tuple[OwnKind, ...] = (
    OwnKind.DATA,
    OwnKind.LOT_DIFFERS,
    OwnKind.EXPIRY_DIFFERS,
    OwnKind.FOR_ANOTHER,
    OwnKind.NO_DATA,
    OwnKind.NOT_ON_DOCUMENT,
    OwnKind.NOT_RECEIVED,
    OwnKind.LOST,
    OwnKind.PACKAGING,
    OwnKind.LABEL,
    OwnKind.DAMAGED,
    OwnKind.EXPIRED,
    OwnKind.RECALLED,
    OwnKind.ON_HOLD,
    OwnKind.UNUSABLE,
    OwnKind.DOUBTFUL,
)

# What a partner reports, by the list of PDG's report that it stands in; of several the first here.
REPORTED_AS: dict[str, OwnKind] = {
    Pdg.OVERAGE: OwnKind.REPORTED_OVERAGE,
    Pdg.MISSING_DATA: OwnKind.REPORTED_NO_DATA,
    Pdg.MISSING_PRODUCT: OwnKind.REPORTED_SHORTAGE,
    Pdg.UNDERAGE: OwnKind.REPORTED_SHORTAGE,
    Pdg.MISALIGNMENT: OwnKind.REPORTED_SERIAL,
}
ALL_REPORTED = frozenset({OwnKind.REPORTED, *REPORTED_AS.values()})


def reported_as(lists: Collection[str]) -> OwnKind:
    """The kind of case that a partner's report with items in these of PDG's lists opens."""
    return next((kind for name, kind in REPORTED_AS.items() if name in lists), OwnKind.REPORTED)


KINDS: dict[str, Kind] = {
    **{code.value: kind for code, kind in FINDING_KINDS.items()},
    **{own.value: kind for own, kind in OWN_KINDS.items()},
}

# What was behind it, for whoever closes a case; the first two close by themselves.
CORRECTED = "corrected_data"
RESOLVED = "partner_resolved"
ROOT_CAUSES: dict[str, str] = {
    CORRECTED: "Corrected data arrived",
    RESOLVED: "The partner says that it is resolved",
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
BY_HAND = {value: text for value, text in ROOT_CAUSES.items() if value not in (CORRECTED, RESOLVED)}


def kinds_of(hda_class: HdaClass) -> tuple[str, ...]:
    """The kinds of case that are of this class of HDA's."""
    return tuple(name for name, kind in KINDS.items() if kind.hda_class is hda_class)


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
