"""The document value: what a file says, in whatever form it said it.

    Document(form="xml12", events=(Event(...), ...), sender="0300011111116", receiver="0399999999991",
             products=(ProductMaster(gtin="00300010123455", ndc="0001-0123-45", name="Epcistra", ...),),
             statement=TransactionStatement(affirmed=True, legal_notice="Seller has complied ...",
             guideline_version="..."), notes=(Note("no_event_id", "8 events have no eventID ...",
             "/epcisBody/eventList/0", 8),))

The events carry custody; all else is what GS1 US's guideline (R1.2, R1.3) puts round them. `notes` say what the reader
tolerated, so that nothing is repaired in silence.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger.custody.event import Event


class Form(StrEnum):
    """The forms in which GS1 exchanges events."""

    JSON20 = "json20"
    XML12 = "xml12"
    XML20 = "xml20"


class NoteCode(StrEnum):
    """What a reader tolerated, or found worth saying. docs/reference/findings.md, Documents, has each."""

    NO_EVENT_ID = "no_event_id"
    FINER_THAN_MICROSECOND = "finer_than_microsecond"
    REPEATED_ELEMENT = "repeated_element"
    DEPRECATED_WORD = "deprecated_word"
    CORRECTIVES_OF_NO_EVENT = "correctives_of_no_event"
    SENSOR_UNCLEAR = "sensor_unclear"
    ISA_FOR_TYPE = "isa_for_type"
    CONTEXT_ASSUMED = "context_assumed"
    CONTEXT_NOT_LOADED = "context_not_loaded"
    UNDECLARED_PREFIX = "undeclared_prefix"
    CREATION_TIME_MISSING = "creation_time_missing"
    CREATION_TIME_WITHOUT_T = "creation_time_without_t"
    CREATION_TIME_UNREADABLE = "creation_time_unreadable"
    LENIENT_CASE = "lenient_case"
    QUALIFIED_NAME = "qualified_name"
    OUTSIDE_EXTENSION = "outside_extension"
    ELEMENT_ORDER = "element_order"
    UNQUALIFIED_NAME = "unqualified_name"
    PARTY_NOT_A_GLN = "party_not_a_gln"
    SEVERAL_PARTIES = "several_parties"
    GUIDELINE_UNKNOWN = "guideline_unknown"
    STATEMENT_UNREADABLE = "statement_unreadable"
    MASTER_DATA_UNUSABLE = "master_data_unusable"
    MASTER_DATA_CONFLICT = "master_data_conflict"
    UNKNOWN_HEADER_KEPT = "unknown_header_kept"
    NO_EVENT = "no_event"


@dataclass(frozen=True, slots=True)
class Note:
    """Something tolerated: the first place where it was seen, and how often it was."""

    code: NoteCode
    message: str
    where: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ProductMaster:
    """Master data of one GTIN (CBV 2.0, section 9; GS1 US guideline). Texts as written; `other` by expanded name."""

    gtin: str
    ndc: str | None = None
    ndc_type: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    dosage_form: str | None = None
    strength: str | None = None
    net_content: str | None = None
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LocationMaster:
    """Master data of one place or party: `id` is canonical SGLN or PGLN text."""

    id: str
    name: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionStatement:
    """The DSCSA transaction statement of a document's header (21 U.S.C. 360eee(27); gs1ushc R1.2 and R1.3).

    `affirmed` is True only where the document says so in so many words. `direct_purchase` is ``true`` or ``false``
    (R1.2) or a qualifier such as ``ENTIRELY_DIRECT`` (R1.3). `other` holds what else stood in the statement, as JCS
    by expanded name.
    """

    affirmed: bool
    legal_notice: str | None = None
    guideline_version: str | None = None
    direct_purchase: str | None = None
    direct_purchase_statement: str | None = None
    received_direct_purchase: bool | None = None
    indirect_epcs: tuple[str, ...] = ()
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One EPCIS document, read whole. `sender` and `receiver` are GLNs; `headers` is what else the header said, as JCS
    by expanded name; `namespaces` are its prefixes as declared, so that a writer can use them again.
    """

    form: Form
    events: tuple[Event, ...]
    created: datetime | None = None
    sender: str | None = None
    receiver: str | None = None
    instance_id: str | None = None
    products: tuple[ProductMaster, ...] = ()
    locations: tuple[LocationMaster, ...] = ()
    statement: TransactionStatement | None = None
    headers: tuple[tuple[str, str], ...] = ()
    namespaces: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()
