"""Events and what stands round them as EPCIS XML, 1.2 or 2.0, in the order that the schemas demand.

Partners' systems validate against the XSD, so the order of elements is theirs; words are URNs, as 1.2 knows nothing
else. What is written reads back to the same events, digest for digest.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lxml import etree

from ledger.custody.event import Event, Linked, Quantity, format_time
from ledger.epcis.document import Document, Form
from ledger.epcis.names import CERTIFICATION, DECLARATION_EXTRAS, EPCIS, LINKED_LISTS, namespace_of
from ledger.epcis.spelling import DIGITAL_LINK, Names, Speller, Spelling, cbv_urn, xml_namespace
from ledger.epcis.trees import Tree
from ledger.epcis.xmlheader import write_header, write_members
from ledger.epcis.xmlorder import EXTENSION_12, ORDER

NAMESPACES = {Form.XML12: "urn:epcglobal:epcis:xsd:1", Form.XML20: "urn:epcglobal:epcis:xsd:2"}
VERSIONS = {Form.XML12: "1.2", Form.XML20: "2.0"}
_RESERVED = ("epcis", "sbdh", "xsi", "xml", "xmlns")
_IN_SECOND_EXTENSION = ("sensorElementList", "persistentDisposition")

_NEEDED_12 = {"ObjectEvent": "epcList", "TransactionEvent": "epcList", "AggregationEvent": "childEPCs"}
"""What a 1.2 event has even when it is empty."""

Element = etree._Element


def write(
    document: Document, form: Form, spelling: Spelling = DIGITAL_LINK, *, indent: bool = False
) -> bytes:
    """The document as XML (UTF-8), with an SBDH where it has sender and receiver; `indent` for people who read it.

    Raises ValueError where ``document.created`` is missing, and `Gs1Error` where the spelling's table of prefixes is
    wrong.
    """
    if document.created is None:
        raise ValueError("a document says when it was made: give Document.created")
    names = Names(document.namespaces, _RESERVED)
    _declare(document, names)
    nsmap = {
        "epcis": NAMESPACES[form],
        "sbdh": "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader",
    }
    nsmap.update((prefix, xml_namespace(uri)) for prefix, uri in sorted(names.used.items()))
    root = etree.Element(
        f"{{{NAMESPACES[form]}}}EPCISDocument",
        {"schemaVersion": VERSIONS[form], "creationDate": format_time(document.created)},
        nsmap=nsmap,
    )
    writer = EventWriter(form, spelling, names)
    write_header(root, document, writer.epc, writer.tree, form)
    listed = etree.SubElement(etree.SubElement(root, "EPCISBody"), "EventList")
    for event in document.events:
        writer.event(listed, event)
    if form is Form.XML20:
        write_members(root, document, writer.epc, writer.tree)
    if indent:
        etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _declare(document: Document, names: Names) -> None:
    """Have a prefix for every namespace in use, so that the root declares them all."""
    for event in document.events:
        for name, text in (*event.ilmd, *event.extensions):
            names.prefix(namespace_of(name)[0])
            _declare_inner(text, names)
        for text in event.sensors:
            _declare_inner(text, names)
    for name, text in document.headers:
        names.prefix(namespace_of(name)[0])
        _declare_inner(text, names)
    others = [product.other for product in document.products] + [place.other for place in document.locations]
    for _, text in (pair for pairs in others for pair in pairs):
        _declare_inner(text, names)
    if document.statement is not None:
        names.xml("http://epcis.gs1us.org/hc/ns#dscsaTransactionStatement")
        for name, text in document.statement.other:
            names.xml(name)
            _declare_inner(text, names)


def _declare_inner(text: str, names: Names) -> None:
    if text[0] == '"':
        return
    waiting: list[Any] = [json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for name, item in value.items():
                namespace = namespace_of(name.removeprefix("@"))[0]
                if namespace and name != "#text":
                    names.prefix(namespace)
                waiting.append(item)
        elif isinstance(value, list):
            waiting.extend(value)


class EventWriter:
    """Event elements of one document."""

    def __init__(self, form: Form, spelling: Spelling, names: Names) -> None:
        self._form = form
        self._names = names
        self.epc = Speller(spelling).epc

    def event(self, listed: Element, event: Event) -> None:
        """Append the event to the EventList."""
        parent = listed
        if self._form is Form.XML12 and event.type in ("TransformationEvent", "AssociationEvent"):
            parent = etree.SubElement(parent, "extension")
            if event.type == "AssociationEvent":
                parent = etree.SubElement(parent, "extension")
        element = etree.SubElement(parent, event.type)
        extras = dict(event.extensions)
        makers = self._makers(event, extras)
        wrapped = EXTENSION_12.get(event.type, ()) if self._form is Form.XML12 else ()
        second = _IN_SECOND_EXTENSION if self._form is Form.XML12 and event.type != "AssociationEvent" else ()
        for name in ORDER[self._form, event.type]:
            if name == "baseExtension" and self._form is Form.XML12:
                self._fill(element, name, makers, ("eventID", "errorDeclaration"), ("certificationInfo",))
            elif name == "extension":
                self._fill(element, name, makers, wrapped, second, second_inside=bool(wrapped))
            elif name in makers:
                makers[name](element)
        for name in sorted(extras):
            self.tree(element, self._names.xml(name), json.loads(extras[name]))

    def _fill(
        self,
        element: Element,
        wrapper: str,
        makers: dict[str, Callable[[Element], None]],
        first: Sequence[str],
        second: Sequence[str],
        second_inside: bool = True,
    ) -> None:
        """A wrapper with `first`, and within it (or alone) an extension with `second`; nothing where there is
        neither.
        """
        inner = [name for name in second if name in makers]
        outer = [name for name in first if name in makers]
        if not inner and not outer:
            return
        place = etree.SubElement(element, wrapper)
        for name in outer:
            makers[name](place)
        if inner:
            place = etree.SubElement(place, "extension") if second_inside else place
            for name in inner:
                makers[name](place)

    def _makers(self, event: Event, extras: dict[str, str]) -> dict[str, Callable[[Element], None]]:
        """What writes each standard element that the event has."""
        found: dict[str, Callable[[Element], None]] = {}

        def text(name: str, value: str | None) -> None:
            if value:
                found[name] = lambda parent: _texts(parent, name, (value,))

        def children(name: str, child: str, values: Iterable[str]) -> None:
            listed = list(values)
            if listed:
                found[name] = lambda parent: _texts(etree.SubElement(parent, name), child, listed)

        text("eventTime", format_time(event.event_time))
        text("eventTimeZoneOffset", event.time_zone_offset)
        text("eventID", event.event_id)
        text("action", event.action)
        text("bizStep", event.biz_step and cbv_urn("bizStep", event.biz_step))
        text("disposition", event.disposition and cbv_urn("disposition", event.disposition))
        text("parentID", event.parent and self.epc(event.parent))
        text("transformationID", event.transformation_id)
        children("epcList", "epc", map(self.epc, event.epcs))
        children("childEPCs", "epc", map(self.epc, event.children))
        children("inputEPCList", "epc", map(self.epc, event.inputs))
        children("outputEPCList", "epc", map(self.epc, event.outputs))
        needed = _NEEDED_12.get(event.type) if self._form is Form.XML12 else None
        if needed:
            found.setdefault(needed, lambda parent: _texts(etree.SubElement(parent, needed), "epc", ()))
        for name, items in (
            ("quantityList", event.quantities),
            ("childQuantityList", event.child_quantities),
            ("inputQuantityList", event.input_quantities),
            ("outputQuantityList", event.output_quantities),
        ):
            if items:
                found[name] = self._quantities(name, items)
        for name, links, vocabulary in (
            ("bizTransactionList", event.transactions, "transaction"),
            ("sourceList", event.sources, "party"),
            ("destinationList", event.destinations, "party"),
        ):
            if links:
                found[name] = self._linked(name, links, vocabulary)
        self._structured(event, extras, found)
        return found

    def _structured(
        self, event: Event, extras: dict[str, str], found: dict[str, Callable[[Element], None]]
    ) -> None:
        for name, place in (("readPoint", event.read_point), ("bizLocation", event.biz_location)):
            if place is not None:
                inner = extras.pop(f"{EPCIS}#{name}", None)
                found[name] = self._place(name, self.epc(place), inner)
        if event.persistent_set or event.persistent_unset:
            found["persistentDisposition"] = lambda parent: self._persistent(parent, event)
        if event.declaration is not None:
            declared = extras.pop(DECLARATION_EXTRAS, None)
            found["errorDeclaration"] = lambda parent: self._declaration(parent, event, declared)
        if CERTIFICATION in extras:
            value = json.loads(extras[CERTIFICATION])
            texts = [value] if isinstance(value, str) else value
            if isinstance(texts, list) and all(isinstance(item, str) for item in texts):
                first = texts[:1] if self._form is Form.XML20 else texts  # the 2.0 schema has room for one
                extras[CERTIFICATION] = json.dumps(texts[len(first) :])
                found["certificationInfo"] = lambda parent: _texts(parent, "certificationInfo", first)
        if event.sensors:
            found["sensorElementList"] = lambda parent: self._sensors(parent, event.sensors)
        if event.ilmd:
            found["ilmd"] = lambda parent: self._ilmd(parent, event)

    def _quantities(self, name: str, items: Sequence[Quantity]) -> Callable[[Element], None]:
        def make(parent: Element) -> None:
            listed = etree.SubElement(parent, name)
            for item in items:
                element = etree.SubElement(listed, "quantityElement")
                _text(element, "epcClass", self.epc(item.epc_class))
                if item.quantity is not None:
                    _text(element, "quantity", item.quantity)
                elif item.uom is not None:
                    empty = etree.SubElement(element, "quantity")
                    empty.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
                if item.uom is not None:
                    _text(element, "uom", item.uom)

        return make

    def _linked(self, name: str, items: Sequence[Linked], vocabulary: str) -> Callable[[Element], None]:
        def make(parent: Element) -> None:
            listed = etree.SubElement(parent, name)
            for item in items:
                target = item.id if name == "bizTransactionList" else self.epc(item.id)
                element = _text(listed, LINKED_LISTS[name], target)
                if item.type:
                    element.set("type", cbv_urn(vocabulary, item.type))

        return make

    def _place(self, name: str, identifier: str, extras: str | None) -> Callable[[Element], None]:
        def make(parent: Element) -> None:
            element = etree.SubElement(parent, name)
            _text(element, "id", identifier)
            self._members(element, extras)

        return make

    def _persistent(self, parent: Element, event: Event) -> None:
        element = etree.SubElement(parent, "persistentDisposition")
        for name, words in (("unset", event.persistent_unset), ("set", event.persistent_set)):
            _texts(element, name, [cbv_urn("disposition", word) for word in words])

    def _declaration(self, parent: Element, event: Event, extras: str | None) -> None:
        declared = event.declaration
        if declared is None:
            return
        element = etree.SubElement(parent, "errorDeclaration")
        _text(element, "declarationTime", format_time(declared.time))
        if declared.reason:
            _text(element, "reason", cbv_urn("reason", declared.reason))
        if declared.corrective_ids:
            listed = etree.SubElement(element, "correctiveEventIDs")
            _texts(listed, "correctiveEventID", declared.corrective_ids)
        self._members(element, extras)

    def _members(self, element: Element, text: str | None) -> None:
        members = json.loads(text) if text is not None else {}
        for name, value in members.items() if isinstance(members, dict) else ():
            self.tree(element, self._names.xml(name), value)

    def _sensors(self, parent: Element, sensors: Sequence[str]) -> None:
        listed = etree.SubElement(parent, "sensorElementList")
        for text in sensors:
            element = etree.SubElement(listed, "sensorElement")
            members: dict[str, Any] = json.loads(text)
            if "sensorMetadata" in members:
                self._sensor_part(element, "sensorMetadata", members.pop("sensorMetadata"))
            for report in members.pop("sensorReport", ()):
                self._sensor_part(element, "sensorReport", report)
            for name, value in members.items():
                self.tree(element, self._names.xml(name), value)

    def _sensor_part(self, parent: Element, name: str, members: dict[str, Tree]) -> None:
        element = etree.SubElement(parent, name)
        for key, value in members.items():
            if isinstance(value, str):
                word = f"gs1:{value}" if key in ("type", "exception") and ":" not in value else value
                word = f"cbv:Comp-{value}" if key == "component" and ":" not in value else word
                element.set(self._names.xml(key), word)
            else:
                self.tree(element, self._names.xml(key), value)

    def _ilmd(self, parent: Element, event: Event) -> None:
        element = etree.SubElement(parent, "ilmd")
        for name, text in event.ilmd:
            self.tree(element, self._names.xml(name), json.loads(text))

    def tree(self, parent: Element, tag: str, value: Tree) -> None:
        """A value as an element named `tag` (an expanded name or Clark notation), or as several if it is a list."""
        tag = tag if tag[0] == "{" else self._names.xml(tag)
        for item in value if isinstance(value, list) else [value]:
            element = etree.SubElement(parent, tag)
            if isinstance(item, str):
                element.text = item
                continue
            for name, inner in item.items() if isinstance(item, dict) else ():
                if name == "#text" and isinstance(inner, str):
                    element.text = inner
                elif name.startswith("@") and isinstance(inner, str):
                    element.set(self._names.xml(name[1:]), inner)
                else:
                    self.tree(element, name, inner)


def _text(parent: Element, name: str, value: str) -> Element:
    element: Element = etree.SubElement(parent, name)
    element.text = value
    return element


def _texts(parent: Element, name: str, values: Iterable[str]) -> None:
    for value in values:
        etree.SubElement(parent, name).text = value
