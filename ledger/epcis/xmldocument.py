"""An XML document, read once from front to back: events as they end, then what stands round them.

    <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="...">
      <EPCISHeader> <sbdh:StandardBusinessDocumentHeader/> <extension><EPCISMasterData/></extension> <gs1ushc:.../>
      </EPCISHeader> <EPCISBody><EventList> <ObjectEvent/> <extension><TransformationEvent/></extension>
      </EventList></EPCISBody>

An event is taken when its element ends and is emptied at once, so memory holds one event and the header, not the file.
"""

from datetime import datetime

from lxml import etree

from ledger.custody.event import Event
from ledger.epcis import header, masterdata
from ledger.epcis.assemble import Assembler
from ledger.epcis.document import Document, Form, NoteCode
from ledger.epcis.errors import DocumentError, ProblemCode, ValueProblem
from ledger.epcis.limits import Limits
from ledger.epcis.names import EVENT_TYPES, WELL_KNOWN_PREFIXES, split_uri
from ledger.epcis.report import Report
from ledger.epcis.trees import WHITE, Tree, add
from ledger.epcis.values import parse_time
from ledger.epcis.xmlevents import EventReader, XmlTrees, line_of
from ledger.epcis.xmltext import Parser
from ledger.gs1.errors import shown

_NAMESPACES = {Form.XML12: "urn:epcglobal:epcis:xsd:1", Form.XML20: "urn:epcglobal:epcis:xsd:2"}
_QUERY = {Form.XML12: "urn:epcglobal:epcis-query:xsd:1", Form.XML20: "urn:epcglobal:epcis-query:xsd:2"}
_VERSIONS = {Form.XML12: ("1", "1."), Form.XML20: ("2", "2.")}
_STRUCTURE = frozenset(
    "EPCISDocument EPCISQueryDocument EPCISHeader EPCISBody EventList QueryResults resultsBody".split()
)
_LOWER = {name.lower(): name for name in _STRUCTURE}
_SBDH = (
    "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}StandardBusinessDocumentHeader"
)


def read(body: bytes, form: Form, limits: Limits) -> Document:
    """The document in `body`, of this XML form. Raises `DocumentError` with every problem found."""
    return _Reader(form, limits).document(body)


class _Reader:
    def __init__(self, form: Form, limits: Limits) -> None:
        self._form = form
        self._limits = limits
        self._report = Report(limits.problems)
        self._trees = XmlTrees(limits)
        self._events: list[Event] = []
        self._seen = 0

    def document(self, body: bytes) -> Document:
        tags = tuple(sorted("{*}" + name for name in EVENT_TYPES))
        parser = Parser(body, self._limits, tags)
        reader = EventReader(self._form, _NAMESPACES[self._form], self._report, self._limits)
        assembler = Assembler(self._report, self._limits)
        for element in parser:
            self._event(element, reader, assembler)
        root = parser.root
        if _local(root) in EVENT_TYPES and root.getparent() is None and self._seen:
            return Document(self._form, tuple(self._events), notes=self._report.close())
        kind = self._root(root)
        front_element = self._child(root, "EPCISHeader")
        self._body(root, kind)
        self._report.count(len(self._events))
        front, created = self._front(root, front_element)
        return Document(
            self._form,
            tuple(self._events),
            created=created,
            sender=front.sender,
            receiver=front.receiver,
            instance_id=front.instance_id,
            products=front.products,
            locations=front.locations,
            statement=front.statement,
            headers=front.headers,
            namespaces=_prefixes(root),
            notes=self._report.close(),
        )

    # Events.

    def _event(self, element: etree._Element, reader: EventReader, assembler: Assembler) -> None:
        if not self._is_event(element):
            return
        self._seen += 1
        if self._seen > self._limits.events:
            raise DocumentError(
                ProblemCode.TOO_MANY,
                f"more than {self._limits.events} events: divide the document",
                line_of(element),
            )
        raw = reader.raw(element, _local(element))
        event = None if raw is None else assembler.event(raw)
        if event is not None:
            self._events.append(event)
        if element.getparent() is None:
            return
        element.clear()
        parent, before = element.getparent(), element.getprevious()
        while parent is not None and before is not None and self._is_done(before):
            parent.remove(before)
            before = element.getprevious()

    def _is_done(self, element: etree._Element) -> bool:
        return _local(element) in EVENT_TYPES and not len(element) and not element.attrib

    def _is_event(self, element: etree._Element) -> bool:
        """Whether the element stands where events stand, and not inside some extension's value."""
        namespace = _namespace(element)
        if namespace and namespace != _NAMESPACES[self._form]:
            return False
        parent = element.getparent()
        if parent is None:
            return True
        while parent is not None and _local(parent) == "extension":
            parent = parent.getparent()
        return parent is not None and _local(parent).lower() == "eventlist"

    # Structure.

    def _root(self, root: etree._Element) -> str:
        kind = _LOWER.get(_local(root).lower())
        if kind not in ("EPCISDocument", "EPCISQueryDocument"):
            raise DocumentError(
                ProblemCode.NOT_A_DOCUMENT,
                f"the root is EPCISDocument or EPCISQueryDocument, not {shown(_local(root))}",
                line_of(root),
            )
        self._check_case(root, kind)
        expected = _NAMESPACES if kind == "EPCISDocument" else _QUERY
        if _namespace(root) != expected[self._form]:
            raise DocumentError(
                ProblemCode.UNSUPPORTED_VERSION,
                f"the root's namespace has to be {expected[self._form]}, not {shown(_namespace(root))}",
                line_of(root),
            )
        version = str(root.get("schemaVersion", ""))
        first, dotted = _VERSIONS[self._form]
        if not version:
            self._report.problem(ProblemCode.MISSING, "the root needs a schemaVersion", line_of(root))
        elif version != first and not version.startswith(dotted):
            self._report.problem(
                ProblemCode.UNSUPPORTED_VERSION,
                f"the schemaVersion {shown(version)} does not go with the root's namespace",
                line_of(root),
            )
        return kind

    def _check_case(self, element: etree._Element, name: str) -> None:
        if _local(element) != name:
            self._report.note(NoteCode.LENIENT_CASE, f"{_local(element)} is read as {name}", line_of(element))

    def _child(self, parent: etree._Element, name: str) -> etree._Element | None:
        for child in parent:
            if isinstance(child.tag, str) and _local(child).lower() == name.lower():
                self._check_case(child, name)
                return child
        return None

    def _needed(self, parent: etree._Element, name: str) -> etree._Element:
        found = self._child(parent, name)
        if found is None:
            raise DocumentError(ProblemCode.MISSING, f"{name} is missing", line_of(parent))
        return found

    def _body(self, root: etree._Element, kind: str) -> None:
        body = self._needed(root, "EPCISBody")
        if kind == "EPCISQueryDocument":
            body = self._needed(self._needed(body, "QueryResults"), "resultsBody")
        listed = self._child(body, "EventList")
        if listed is None:
            raise DocumentError(ProblemCode.MISSING, "EventList is missing", line_of(body))
        self._leftovers(listed)

    def _leftovers(self, listed: etree._Element) -> None:
        """What stands in the EventList and was no event."""
        for child in listed:
            if not isinstance(child.tag, str):
                continue
            if child.tag == "extension":
                self._leftovers(child)
            elif not (_local(child) in EVENT_TYPES and self._is_event(child)):
                self._report.problem(
                    ProblemCode.UNKNOWN_EVENT_TYPE,
                    f"{shown(str(child.tag))} is no event type: {', '.join(sorted(EVENT_TYPES))}",
                    line_of(child),
                )

    # The front.

    def _front(
        self, root: etree._Element, element: etree._Element | None
    ) -> tuple[header.Front, datetime | None]:
        others: dict[str, Tree] = {}
        entries = masterdata.Entries(self._limits.master_data)
        sbdh: dict[str, tuple[str, str]] = {}
        for child in element if element is not None else ():
            try:
                if child.tag == _SBDH:
                    sbdh = self._sbdh(child)
                elif child.tag == "extension":
                    self._header_extension(child, entries, others)
                elif child.tag == "EPCISMasterData":
                    self._master_data(child, entries)
                else:
                    add(others, self._trees.name(str(child.tag)), self._trees.tree(child))
            except ValueProblem as error:
                self._report.caught(error, line_of(child))
        for child in root:
            if isinstance(child.tag, str) and child.tag[0] == "{":
                self._other(child, others)
        nowhere = (None, "")
        front = header.front(
            self._report,
            sender=sbdh.get("Sender", nowhere),
            receiver=sbdh.get("Receiver", nowhere),
            instance_id=sbdh.get("InstanceIdentifier", nowhere)[0] or None,
            entries=entries,
            others=others,
            where=line_of(element) if element is not None else "",
        )
        return front, self._created(root, sbdh)

    def _other(self, child: etree._Element, others: dict[str, Tree]) -> None:
        if _local(child).lower() in ("epcisbody", "epcisheader"):
            return
        try:
            add(others, self._trees.name(str(child.tag)), self._trees.tree(child))
        except ValueProblem as error:
            self._report.caught(error, line_of(child))

    def _header_extension(
        self, element: etree._Element, entries: masterdata.Entries, others: dict[str, Tree]
    ) -> None:
        for child in element:
            if _local(child) == "EPCISMasterData":
                self._master_data(child, entries)
            elif child.tag == "extension":
                self._header_extension(child, entries, others)
            else:
                add(others, self._trees.name(str(child.tag)), self._trees.tree(child))

    def _sbdh(self, element: etree._Element) -> dict[str, tuple[str, str]]:
        """Sender, Receiver, InstanceIdentifier and CreationDateAndTime with their places, by local name."""
        found: dict[str, tuple[str, str]] = {}
        for child in element:
            name = _local(child)
            if name in ("Sender", "Receiver"):
                identifier = next((inner for inner in child if _local(inner) == "Identifier"), None)
                if identifier is None:
                    continue
                if name in found:
                    self._report.note(
                        NoteCode.SEVERAL_PARTIES, f"of several {name}s the first is taken", line_of(child)
                    )
                    continue
                found[name] = (_text(identifier), line_of(identifier))
            elif name == "DocumentIdentification":
                for inner in child:
                    if _local(inner) in ("InstanceIdentifier", "CreationDateAndTime"):
                        found[_local(inner)] = (_text(inner), line_of(inner))
        return found

    def _created(self, root: etree._Element, sbdh: dict[str, tuple[str, str]]) -> datetime | None:
        """creationDate of the root, else of the SBDH; the SBDH's slips are remarked on in either case."""
        in_sbdh: datetime | None = None
        if "CreationDateAndTime" in sbdh:
            text, where = sbdh["CreationDateAndTime"]
            if "T" not in text:
                self._report.note(
                    NoteCode.CREATION_TIME_WITHOUT_T,
                    f"CreationDateAndTime {shown(text)} is no xsd:dateTime",
                    where,
                )
                day, _, rest = text.partition(" ")
                text = f"{day}T{rest or '00:00:00Z'}"
            try:
                in_sbdh = parse_time(text)[0]
            except ValueProblem as error:
                self._report.note(NoteCode.CREATION_TIME_UNREADABLE, error.message, where)
        text = str(root.get("creationDate", "")).strip(WHITE)
        if not text:
            if in_sbdh is None:
                self._report.note(
                    NoteCode.CREATION_TIME_MISSING,
                    "the document does not say when it was made",
                    line_of(root),
                )
            return in_sbdh
        try:
            return parse_time(text)[0]
        except ValueProblem as error:
            self._report.note(NoteCode.CREATION_TIME_UNREADABLE, error.message, line_of(root))
            return in_sbdh

    def _master_data(self, element: etree._Element, entries: masterdata.Entries) -> None:
        for vocabulary in element.iter("{*}Vocabulary"):
            kind = str(vocabulary.get("type", ""))
            for item in vocabulary.iter("{*}VocabularyElement"):
                found: dict[str, Tree] = {}
                for attribute in item.iter("{*}attribute"):
                    name = str(attribute.get("id", ""))
                    key = split_uri(name) if ":" in name else self._trees.name(name or "_")
                    value = self._trees.tree(attribute)
                    if isinstance(value, dict):
                        value = {inner: part for inner, part in value.items() if inner != "@id"}
                        value = value["#text"] if set(value) == {"#text"} else value or ""
                    add(found, key, value)
                entries.add(kind, str(item.get("id", "")), found, line_of(item))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _namespace(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[0][1:]


def _text(element: etree._Element) -> str:
    return (element.text or "").strip(WHITE)


def _prefixes(root: etree._Element) -> tuple[tuple[str, str], ...]:
    known = {"epcis", "epcisq", "sbdh", "xsi", "xsd", *(WELL_KNOWN_PREFIXES.keys() - {"gs1ushc"})}
    return tuple(
        sorted(
            (str(prefix), str(uri)) for prefix, uri in root.nsmap.items() if prefix and prefix not in known
        )
    )
