"""EPCIS 1.2 XML: documents and bare events to events, and back. The shape is shown in ledger.epcis.xmldocument."""

from ledger.epcis import xmldocument, xmlwriter
from ledger.epcis.document import Document, Form
from ledger.epcis.limits import DEFAULT_LIMITS, Limits
from ledger.epcis.spelling import DIGITAL_LINK, Spelling


def read(body: bytes, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document in `body`. Raises `DocumentError` with every problem found."""
    return xmldocument.read(body, Form.XML12, limits)


def write(document: Document, spelling: Spelling = DIGITAL_LINK, *, indent: bool = False) -> bytes:
    """The document as XML (UTF-8), `indent` for people. Raises ValueError without ``document.created``."""
    return xmlwriter.write(document, Form.XML12, spelling, indent=indent)
