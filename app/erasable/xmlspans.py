"""Where in an XML document's bytes stand elements that may be erasable.

expat tells where each element begins and ends in the bytes as they came. A placeholder is an element of the same name
and namespace, whatever prefix it had, so that the reader gives the field the name it had::

    <ex:contact xmlns:ex="http://example.com/ns" kind="x">Ann Lee</ex:contact>
    <contact xmlns="http://example.com/ns">packproof:erasable:0</contact>
"""

from dataclasses import dataclass
from functools import partial
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from app.erasable.candidates import Candidate
from ledger.epcis.names import (
    EPC_LISTS,
    EVENT_TYPES,
    LINKED_LISTS,
    MDA,
    PLACES,
    QUANTITY_LISTS,
    TEXTS,
    USHC,
)

_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "iso-8859-1"}
_EPCIS = "urn:epcglobal:epcis"
_WRAPPERS = frozenset(("extension", "baseExtension"))
_STRUCTURE = frozenset(
    "EPCISHeader EPCISBody EventList QueryResults resultsBody EPCISMasterData VocabularyList Vocabulary "
    "VocabularyElementList VocabularyElement".lower().split()
)
_KNOWN = (
    TEXTS
    | EPC_LISTS
    | QUANTITY_LISTS
    | LINKED_LISTS.keys()
    | frozenset("persistentDisposition sensorElementList certificationInfo".split())
)
_DECLARATION = frozenset(("declarationTime", "reason", "correctiveEventIDs"))
_CONTACT = "ContactInformation"


class NoSpans(Exception):
    """This document's encoding is one in which no spans are looked for."""


def find(raw: bytes) -> list[Candidate]:
    """The elements in `raw`, which the reader has accepted, that may be erasable; ascending. Raises `NoSpans`."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NoSpans("UTF-16")
    walk = _Walk(raw)
    walk.run()
    return sorted(walk.found, key=lambda each: each.start)


@dataclass(slots=True)
class _Level:
    """An element that is open. `inside`: what its children are looked at as; "" if they are passed over."""

    inside: str
    start: int
    name: str = ""  # set where the element is a candidate
    namespace: str = ""
    attributes: str = ""
    bare: bool = True  # nothing has come since its start tag


class _Walk:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._encoding = "utf-8"
        self._open: list[_Level] = []
        self.found: list[Candidate] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.XmlDeclHandler = self._declared
        self._parser.buffer_text = False

    def run(self) -> None:
        try:
            self._parser.Parse(self._raw, True)
        except expat.ExpatError as error:
            raise NoSpans(str(error)) from error

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        name = (encoding or "utf-8").lower()
        if name not in _ENCODINGS:
            raise NoSpans(name)
        self._encoding = _ENCODINGS[name]

    def _text(self, _data: str) -> None:
        if self._open:
            self._open[-1].bare = False

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(" ")
        start = self._parser.CurrentByteIndex
        if not self._open:
            event = name in EVENT_TYPES
            self._open.append(_Level("event" if event else "root", start))
            return
        parent = self._open[-1]
        parent.bare = False
        level = _Level("", start)
        if parent.inside and self._look(parent.inside, level, namespace, name, attributes):
            level.inside, level.name, level.namespace = "", name, namespace
            if name == "attribute":
                level.attributes = f" id={quoteattr(attributes.get('id', ''))}"
        self._open.append(level)

    def _look(
        self, inside: str, level: _Level, namespace: str, name: str, attributes: dict[str, str]
    ) -> bool:
        """Whether the element is a candidate; where it is not, what its children are looked at as."""
        ours = not namespace or namespace.startswith(_EPCIS)
        if inside in ("root", "header", "master"):
            return self._look_outside(inside, level, namespace, name, attributes)
        if inside == "list":
            level.inside = "event" if name in EVENT_TYPES else "list" if name == "extension" else ""
            return False
        if ours and name in _WRAPPERS:
            level.inside = inside
            return False
        if inside == "event":
            if not ours:
                return True
            level.inside = {"errorDeclaration": "declaration", "ilmd": "ilmd"}.get(
                name, "place" if name in PLACES else ""
            )
            return not level.inside and name not in _KNOWN
        if inside == "ilmd":
            return not namespace.startswith(MDA)
        known = _DECLARATION if inside == "declaration" else frozenset(("id",))
        return not (ours and name in known)

    def _look_outside(
        self, inside: str, level: _Level, namespace: str, name: str, attributes: dict[str, str]
    ) -> bool:
        word = name.lower()
        if "StandardBusinessDocumentHeader" in namespace:
            level.inside = (
                "header" if word in ("standardbusinessdocumentheader", "sender", "receiver") else ""
            )
            return name == _CONTACT
        if word in _STRUCTURE or name in _WRAPPERS:
            level.inside = {"eventlist": "list", "epcismasterdata": "master"}.get(
                word, "header" if word == "epcisheader" else inside
            )
            return False
        if inside == "master":
            return name == "attribute" and "mda" not in attributes.get("id", "")
        return not namespace.startswith(USHC) and (inside == "header" or bool(namespace))

    def _end(self, _tag: str) -> None:
        level = self._open.pop()
        if self._open:
            self._open[-1].bare = False
        if not level.name:
            return
        at = self._parser.CurrentByteIndex
        empty = level.bare and self._raw[at - 2 : at] == b"/>" and at > level.start
        end = at if empty else self._raw.index(b">", at) + 1
        self.found.append(Candidate(level.start, end, level.name, partial(self._written, level)))

    def _written(self, level: _Level, placeholder: str) -> bytes:
        name = level.name
        head = f"<{name} xmlns={quoteattr(level.namespace)}{level.attributes}>"
        return f"{head}{escape(placeholder)}</{name}>".encode(self._encoding)
