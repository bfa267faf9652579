"""EPCIS 2.0 XML: documents and bare events to events, and back. The shape is shown in ledger.epcis.xmldocument."""

from ledger.epcis import xmldocument
from ledger.epcis.document import Document, Form
from ledger.epcis.limits import DEFAULT_LIMITS, Limits


def read(body: bytes, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document in `body`. Raises `DocumentError` with every problem found."""
    return xmldocument.read(body, Form.XML20, limits)
