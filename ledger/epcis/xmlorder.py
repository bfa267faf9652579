"""The order of elements in an event: what GS1's schemas demand, writers must keep, and readers only remark on.

EPCIS 1.2 XSD and EPCIS 2.0 XSD, the types ObjectEventType and so on.
"""

from lxml import etree

from ledger.epcis.document import Form

_HEAD_12 = "eventTime recordTime eventTimeZoneOffset baseExtension"
_HEAD_20 = "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo baseExtension"
_WHERE = "action bizStep disposition readPoint bizLocation"
_TAIL_20 = "sourceList destinationList sensorElementList persistentDisposition"

_TRANSFORMED = (
    "inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID " + _WHERE[7:]
)

_ORDER_12 = {
    "ObjectEvent": f"{_HEAD_12} epcList {_WHERE} bizTransactionList extension",
    "AggregationEvent": f"{_HEAD_12} parentID childEPCs {_WHERE} bizTransactionList extension",
    "TransactionEvent": f"{_HEAD_12} bizTransactionList parentID epcList {_WHERE} extension",
    "TransformationEvent": f"{_HEAD_12} {_TRANSFORMED} bizTransactionList sourceList destinationList ilmd extension",
    "AssociationEvent": f"{_HEAD_12} parentID childEPCs childQuantityList {_WHERE} bizTransactionList {_TAIL_20} "
    "extension",
}
_ORDER_20 = {
    "ObjectEvent": f"{_HEAD_20} epcList {_WHERE} bizTransactionList quantityList {_TAIL_20} ilmd extension",
    "AggregationEvent": f"{_HEAD_20} parentID childEPCs {_WHERE} bizTransactionList childQuantityList {_TAIL_20} "
    "extension",
    "TransactionEvent": f"{_HEAD_20} bizTransactionList parentID epcList {_WHERE} quantityList {_TAIL_20} extension",
    "TransformationEvent": f"{_HEAD_20} {_TRANSFORMED} bizTransactionList {_TAIL_20} ilmd extension",
    "AssociationEvent": f"{_HEAD_20} parentID childEPCs childQuantityList {_WHERE} bizTransactionList {_TAIL_20} "
    "extension",
}
ORDER = {
    (form, kind): tuple(names.split())
    for form, order in ((Form.XML12, _ORDER_12), (Form.XML20, _ORDER_20))
    for kind, names in order.items()
}
EXTENSION_12 = {
    "ObjectEvent": ("quantityList", "sourceList", "destinationList", "ilmd"),
    "AggregationEvent": ("childQuantityList", "sourceList", "destinationList"),
    "TransactionEvent": ("quantityList", "sourceList", "destinationList"),
}
"""What the extension element of a 1.2 event holds, in order; in it, one more extension holds what 2.0 added."""
_RANK = {key: {name: rank for rank, name in enumerate(names)} for key, names in ORDER.items()}


def out_of_order(form: Form, kind: str, element: etree._Element, namespace: str) -> bool:
    """Whether the event's children stand out of order; elements of namespaces other than `namespace` (``{...}``)
    come last.
    """
    ranks = _RANK[form, kind]
    last = -1
    for child in element:
        rank = ranks.get(str(child.tag).removeprefix(namespace), 1000)
        if rank < last:
            return True
        last = rank
    return False
