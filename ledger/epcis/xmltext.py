"""XML bytes to a parser that cannot be turned against us.

No DTD is ever read: a document type declaration is refused before the parser sees it, in whatever encoding it is
written, and with it go external entities, entity bombs and default attributes. Nothing is fetched, nothing is
expanded, libxml2's own limits on depth and size stay on. Accepted encodings: UTF-8, UTF-16 with a byte order mark,
US-ASCII, ISO 8859-1, Windows-1252.
"""

import re
from collections.abc import Iterator
from io import BytesIO

from lxml import etree

from ledger.epcis.errors import DocumentError, ProblemCode
from ledger.epcis.limits import Limits
from ledger.gs1.errors import shown

_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "windows-1252",
}
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_LINE = re.compile(r"line (\d+), column (\d+)")


def prepare(body: bytes, limits: Limits) -> tuple[bytes, str]:
    """The document in an encoding that contains ASCII, and that encoding. Raises `DocumentError` where it has a
    DOCTYPE.
    """
    if len(body) > limits.body_bytes:
        raise DocumentError(
            ProblemCode.TOO_LARGE,
            f"{len(body)} bytes; at most {limits.body_bytes} are read: divide the document",
        )
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            body = body.decode("utf-16").encode("utf-8")
        except UnicodeError:
            raise DocumentError(
                ProblemCode.ENCODING, "the byte order mark says UTF-16, and the bytes are not"
            ) from None
        declared = "utf-8"
        body = _DECLARATION.sub(b"", body, count=1) if body.startswith(b"<?xml") else body
    else:
        if body[:3] == b"\xef\xbb\xbf":
            body = body[3:]
        declared = _declared(body)
    if b"\x00" in body:
        raise DocumentError(
            ProblemCode.ENCODING,
            "zero bytes: save the document as UTF-8, or as UTF-16 with a byte order mark",
        )
    _refuse_doctype(body)
    return body, declared


def _declared(body: bytes) -> str:
    declaration = _DECLARATION.match(body)
    match = _ENCODING.search(declaration[0]) if declaration else None
    if match is None:
        return "utf-8"
    name = match[1].decode("ascii")
    if name.lower() not in _ENCODINGS:
        raise DocumentError(
            ProblemCode.ENCODING, f"the encoding {shown(name)} is not read: save the document as UTF-8"
        )
    return _ENCODINGS[name.lower()]


def _refuse_doctype(body: bytes) -> None:
    """Walk the prolog up to the root element."""
    at = 0
    while True:
        while body[at : at + 1] in (b" ", b"\t", b"\r", b"\n"):
            at += 1
        if body.startswith(b"<?", at):
            end, length = body.find(b"?>", at), 2
        elif body.startswith(b"<!--", at):
            end, length = body.find(b"-->", at + 4), 3
        elif body.startswith(b"<!", at):
            raise DocumentError(
                ProblemCode.DOCTYPE,
                "a document type declaration (DOCTYPE) is refused: EPCIS needs none, and entities hide in it; "
                "remove it",
                f"line {body.count(10, 0, at) + 1}",
            )
        elif body.startswith(b"<", at):
            return
        else:
            raise DocumentError(ProblemCode.NOT_XML, "this is no XML: it does not begin with an element")
        if end < 0:
            raise DocumentError(ProblemCode.NOT_XML, "the XML ends before its first element")
        at = end + length


class Parser:
    """Elements of the given names as they end, and the root when all is read."""

    def __init__(self, body: bytes, limits: Limits, tags: tuple[str, ...]) -> None:
        prepared, encoding = prepare(body, limits)
        self._parser = etree.iterparse(
            BytesIO(prepared),
            events=("end",),
            tag=tags,
            encoding=encoding,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def __iter__(self) -> Iterator[etree._Element]:
        try:
            for _, element in self._parser:
                yield element
        except etree.XMLSyntaxError as problem:
            raise self._refused(str(problem.msg)) from None
        if len(self._parser.error_log.filter_from_errors()):  # a prefix that nothing declares
            raise self._refused("")

    def _refused(self, message: str) -> DocumentError:
        errors = self._parser.error_log.filter_from_errors()
        first = errors[0] if len(errors) else None
        message = shown(first.message if first is not None else message, 200)
        where = f"line {first.line}, column {first.column}" if first is not None else ""
        if "depth" in message:
            return DocumentError(ProblemCode.TOO_DEEP, "elements nested too deep", where)
        return DocumentError(ProblemCode.NOT_XML, f"not well-formed XML: {message}", where)

    @property
    def root(self) -> etree._Element:
        """The root element, once iterated over."""
        root = self._parser.root
        if root is None:  # pragma: no cover - a document without root has raised before
            raise DocumentError(ProblemCode.NOT_XML, "the XML has no element")
        return root
