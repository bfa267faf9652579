"""Transaction information and statement as values (FD&C Act 581(26) and (27)).

    TransactionInformation            (A) name  (B) strength, dosage form  (C) NDC  (D) container size  (F) lot
      lines: one for product and lot    and the product identifier of each package; (E) is how many there are
      transaction_date, shipment_date (G), (H) where it was shipped on a later day
      seller, buyer                   (I), (J) with their addresses
    Statement                         the seven affirmations (A)-(G), and how the seller bought it

What is missing is no exception: each `Gap` names one thing, and where it has to be put right.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.partners.places import Address

TRANSACTION_DATE = "http://epcis.gs1us.org/hc/ns#transactionDate"
DROP_SHIPMENT = "http://epcis.gs1us.org/hc/ns#dropShipment"


class Guideline(StrEnum):
    """The release of GS1 US's guideline that a partner reads (domain reference 3.3)."""

    R12 = "R1.2"
    R13 = "R1.3"


class Element(StrEnum):
    """What a gap is in: the letters of 581(26), the product identifier, the contact that a drop shipment needs, and
    what a wholesaler states of how it bought what it sells."""

    NAME = "A"
    STRENGTH_AND_FORM = "B"
    NDC = "C"
    CONTAINER_SIZE = "D"
    COUNT = "E"
    LOT = "F"
    TRANSACTION_DATE = "G"
    SHIPMENT_DATE = "H"
    SELLER = "I"
    BUYER = "J"
    IDENTIFIER = "PI"
    DROP_SHIPMENT = "DS"
    DIRECT_PURCHASE = "DP"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing missing: of which element, and in words what is missing where."""

    element: Element
    message: str


NOWHERE = Address()


@dataclass(frozen=True, slots=True)
class Trader:
    """A party of a transaction. `contact`: telephone or e-mail, which a drop shipment needs of its distributor."""

    gln: str
    name: str = ""
    place: Address = NOWHERE
    contact: str = ""


@dataclass(frozen=True, slots=True)
class ProductText:
    """What a product's master data say."""

    gtin: str
    name: str = ""
    strength: str = ""
    dosage_form: str = ""
    ndc: str = ""
    container_size: str = ""
    manufacturer: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it was shipped. `expiry` YYYY-MM-DD. `epc` canonical; no package where it is a container whose
    contents nobody knows."""

    epc: str
    gtin: str = ""
    serial: str = ""
    lot: str = ""
    expiry: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The packages of one product, lot and expiry, by serial."""

    product: ProductText
    lot: str
    expiry: str
    serials: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.serials)


@dataclass(frozen=True, slots=True)
class TransactionInformation:
    """The transaction information of one shipment. `recipient`: to whom it goes where that is not the buyer: a drop
    shipment to a dispenser, or a warehouse that keeps it for the buyer.

    `date_inferred`: the date of the transaction is the day of the event, since R1.2 has no field for it.
    """

    event_id: str
    seller: Trader
    buyer: Trader
    transaction_date: date | None
    shipment_date: date | None
    shipped_at: datetime
    lines: tuple[Line, ...]
    recipient: Trader | None = None
    drop_shipment: bool = False
    order: str | None = None
    notice: str | None = None
    date_inferred: bool = False

    @property
    def packages(self) -> int:
        """(E), over all lines."""
        return sum(line.count for line in self.lines)


class Direct(StrEnum):
    """How a wholesaler bought what it sells (R1.3's qualifiers)."""

    ENTIRELY_DIRECT = "ENTIRELY_DIRECT"
    PARTIALLY_DIRECT = "PARTIALLY_DIRECT"
    ENTIRELY_INDIRECT = "ENTIRELY_INDIRECT"


@dataclass(frozen=True, slots=True)
class Statement:
    """The transaction statement. `direct` None: the seller is no wholesaler, or nobody can tell.

    `received_direct`: of what was bought indirectly, the one before has stated to have bought it directly (582(c)(1)(A)
    (iv)). `indirect`: the canonical EPCs of the packages that were not bought directly, where only some were.
    """

    affirmed: bool
    legal_notice: str | None = None
    direct: Direct | None = None
    direct_statement: str | None = None
    received_direct: bool | None = None
    indirect: tuple[str, ...] = ()


AFFIRMATIONS: tuple[tuple[str, str], ...] = (
    ("A", "is authorized as required under the Drug Supply Chain Security Act;"),
    ("B", "received the product from a person that is authorized as required under that Act;"),
    (
        "C",
        "received transaction information and a transaction statement from the prior owner of the product;",
    ),
    ("D", "did not knowingly ship a suspect or illegitimate product;"),
    ("E", "had systems and processes in place to comply with verification requirements;"),
    ("F", "did not knowingly provide false transaction information; and"),
    ("G", "did not knowingly alter the transaction history."),
)
"""What the one who transfers ownership states (581(27)), each after 'The seller'."""
LEGAL_NOTICE = "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."
DIRECT_NOTICE = (
    "This wholesale distributor purchased the product directly from its manufacturer, exclusive distributor of the "
    "manufacturer, or repackager that purchased directly from the manufacturer (FDCA Sec. 582(c)(1)(A)(ii))."
)
