"""EPCIS documents to events and back, pure: so that a client can sign what it sends, and anyone recompute what was
signed.

document = read(body, "application/xml")      1.2 XML, 2.0 XML or 2.0 JSON
document.events                               equal values whatever the form
"""

from ledger.epcis.document import Document, Form, Note, NoteCode
from ledger.epcis.errors import DocumentError, Problem, ProblemCode
from ledger.epcis.limits import DEFAULT_LIMITS, Limits
from ledger.epcis.read import read

__all__ = [
    "DEFAULT_LIMITS",
    "Document",
    "DocumentError",
    "Form",
    "Limits",
    "Note",
    "NoteCode",
    "Problem",
    "ProblemCode",
    "read",
]
