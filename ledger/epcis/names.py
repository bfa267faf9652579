"""Names: what stands in which event, and how namespaced names are written the same in JSON and in XML.

The expanded name (docs/formats/event.md) is the namespace without its last ``:``, ``/`` or ``#``, then ``#``, then
the local name; 1.2 XML says ``urn:epcglobal:cbv:mda`` where the JSON context says ``urn:epcglobal:cbv:mda:``, and
both give::

    urn:epcglobal:cbv:mda#lotNumber

A standard member that has no field of its own (certificationInfo, extensions inside readPoint) is named in EPCIS's own
namespace, ``https://ref.gs1.org/epcis#certificationInfo``.
"""

import re

from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.gs1.errors import shown

EPCIS = "https://ref.gs1.org/epcis"
MDA = "urn:epcglobal:cbv:mda"
USHC = "http://epcis.gs1us.org/hc/ns"

STANDARD_PREFIXES = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "vtype": "urn:epcglobal:epcis:vtype:",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""Prefixes of GS1's JSON-LD context 2.0."""
WELL_KNOWN_PREFIXES = {**STANDARD_PREFIXES, "gs1ushc": USHC + "#"}

EVENT_TYPES = frozenset(
    ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
)
EPC_LISTS = frozenset(("epcList", "childEPCs", "inputEPCList", "outputEPCList"))
QUANTITY_LISTS = frozenset(("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"))
LINKED_LISTS = {
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}
PLACES = frozenset(("readPoint", "bizLocation"))
TEXTS = frozenset(
    (
        "eventTime recordTime eventTimeZoneOffset eventID action bizStep disposition parentID transformationID"
    ).split()
)
CERTIFICATION = f"{EPCIS}#certificationInfo"
DECLARATION_EXTRAS = f"{EPCIS}#errorDeclaration"

_COMMON = frozenset(
    (
        "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo bizStep "
        "disposition readPoint "
        "bizLocation bizTransactionList sourceList destinationList sensorElementList persistentDisposition"
    ).split()
)
ALLOWED = {
    "ObjectEvent": _COMMON | {"action", "epcList", "quantityList", "ilmd"},
    "AggregationEvent": _COMMON | {"action", "parentID", "childEPCs", "childQuantityList"},
    "TransactionEvent": _COMMON | {"action", "parentID", "epcList", "quantityList"},
    "TransformationEvent": _COMMON
    | {
        "inputEPCList",
        "outputEPCList",
        "inputQuantityList",
        "outputQuantityList",
        "transformationID",
        "ilmd",
    },
    "AssociationEvent": _COMMON | {"action", "parentID", "childEPCs", "childQuantityList"},
}
"""The standard members of each event type (EPCIS 2.0, 7.4)."""

_LOCAL = re.compile(r"[^\W\d][\w.\-]*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")


def is_uri(text: str) -> bool:
    """Whether `text` has a scheme and no character that no URI holds."""
    return _URI.fullmatch(text) is not None


def expanded(namespace: str, local: str) -> str:
    """The expanded name. Raises `ValueProblem` ``bad_name`` for a local name that XML could not carry."""
    if _LOCAL.fullmatch(local) is None:
        raise ValueProblem(
            ProblemCode.BAD_NAME,
            f"{shown(local)} is no name: letters, digits, '_', '-' and '.', not beginning with a digit",
        )
    if not namespace:
        return local
    return f"{namespace[:-1] if namespace[-1] in ':/#' else namespace}#{local}"


def split_uri(uri: str) -> str:
    """The expanded name behind a whole URI: its last ``#``, ``/`` or ``:`` divides namespace and local name."""
    cut = max(uri.rfind("#"), uri.rfind("/"), uri.rfind(":")) + 1
    return expanded(uri[:cut], uri[cut:])


def namespace_of(name: str) -> tuple[str, str]:
    """Namespace (without its last separator; empty if none) and local name of an expanded name."""
    namespace, _, local = name.rpartition("#")
    return namespace, local
