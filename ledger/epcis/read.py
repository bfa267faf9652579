"""Whatever a partner sends: which form it is, and its document.

The content type decides between JSON and XML; without one the first byte does. Between 1.2 and 2.0 XML the root's
namespace decides, as senders' content types do not tell them apart.
"""

import re

from ledger.epcis import json20, xml12, xml20
from ledger.epcis.document import Document
from ledger.epcis.errors import DocumentError, ProblemCode
from ledger.epcis.limits import DEFAULT_LIMITS, Limits
from ledger.gs1.errors import shown

JSON_TYPES = frozenset(("application/json", "application/ld+json"))
XML_TYPES = frozenset(("application/xml", "text/xml"))
_HEAD_BYTES = 65_536
_VERSION_1 = re.compile(r"urn:epcglobal:epcis(?:-query)?:xsd:1[\"']")


def read(body: bytes, content_type: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document in `body`, its form known by `content_type` (a header's value; parameters are ignored) or by its
    first byte.

    Raises `DocumentError`; ``unsupported_media_type`` for a content type that is neither JSON nor XML.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind in JSON_TYPES:
        return json20.read(body, limits)
    if kind in XML_TYPES:
        return _read_xml(body, limits)
    if kind and kind != "application/octet-stream":
        raise DocumentError(
            ProblemCode.UNSUPPORTED_MEDIA_TYPE,
            f"the content type {shown(kind)} is not read: send application/json or application/xml",
        )
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or start == b"<":
        return _read_xml(body, limits)
    return json20.read(body, limits)


def _read_xml(body: bytes, limits: Limits) -> Document:
    wide = body[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = body[:_HEAD_BYTES].decode("utf-16" if wide else "latin-1", "replace")
    return xml12.read(body, limits) if _VERSION_1.search(head) else xml20.read(body, limits)
