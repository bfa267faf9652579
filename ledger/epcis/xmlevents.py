"""An event element's children, sorted by kind: one reader for 1.2 and 2.0 XML.

Version 1.2 hides what came after 1.0 in nested ``extension`` elements, 2.0 has it at the top::

    1.2  <ObjectEvent>... <baseExtension><eventID/></baseExtension> ... <extension><quantityList/><ilmd/>
           <extension><sensorElementList/></extension></extension></ObjectEvent>
    2.0  <ObjectEvent>... <eventID/> ... <quantityList/> <sensorElementList/> <ilmd/></ObjectEvent>

Both are looked through alike, so files that mix them (and many do) are read, and a note says what stood outside its
place.
"""

from lxml import etree

from ledger.epcis.document import Form, NoteCode
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.limits import Limits
from ledger.epcis.names import (
    CERTIFICATION,
    EPC_LISTS,
    EPCIS,
    LINKED_LISTS,
    PLACES,
    QUANTITY_LISTS,
    TEXTS,
    WELL_KNOWN_PREFIXES,
    expanded,
)
from ledger.epcis.raw import RawDeclaration, RawEvent, RawQuantity
from ledger.epcis.report import Report
from ledger.epcis.trees import WHITE, Tree, add, plain
from ledger.epcis.values import require_text
from ledger.epcis.xmlorder import out_of_order
from ledger.gs1.errors import shown

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_WRAPPERS = frozenset(("extension", "baseExtension"))
_KNOWN = (
    TEXTS
    | EPC_LISTS
    | QUANTITY_LISTS
    | LINKED_LISTS.keys()
    | PLACES
    | {"persistentDisposition", "errorDeclaration", "sensorElementList", "ilmd", "certificationInfo"}
)
_LATER = frozenset(
    "quantityList childQuantityList sourceList destinationList ilmd sensorElementList persistentDisposition "
    "eventID errorDeclaration".split()
)
"""What 1.2 has inside extension or baseExtension (a TransformationEvent, itself an extension, has most of it
outside).
"""
_LATER_IN_TRANSFORMATION = frozenset(
    ("sensorElementList", "persistentDisposition", "eventID", "errorDeclaration")
)
_SCHEMES = frozenset(("urn", "http", "https"))


def line_of(element: etree._Element) -> str:
    """Where an element stands, for a person with an editor."""
    names: list[str] = []
    at: etree._Element | None = element
    while at is not None and len(names) < 4:
        names.append(_local(at))
        at = at.getparent()
    return f"line {element.sourceline}, {'/'.join(reversed(names))}"


class XmlTrees:
    """Elements as trees, within the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.members
        self._names: dict[str, str] = {}

    def name(self, tag: str) -> str:
        """The expanded name of a tag or attribute."""
        known = self._names.get(tag)
        if known is None:
            namespace, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
            known = self._names[tag] = expanded(namespace, local)
        return known

    def tree(self, element: etree._Element) -> Tree:
        """The element's value: text, or its attributes and children as members."""
        self._left = self._limits.members
        return self._tree(element, self._limits.depth)

    def _tree(self, element: etree._Element, depth: int) -> Tree:
        self._left -= 1 + len(element) + len(element.attrib)
        if depth <= 0 or self._left < 0:
            code = ProblemCode.TOO_DEEP if depth <= 0 else ProblemCode.TOO_MANY
            raise ValueProblem(code, "a value with too many levels or members", line_of(element))
        found: dict[str, Tree] = {}
        for key, value in element.attrib.items():
            if not str(key).startswith(_XSI):
                found["@" + self.name(str(key))] = self._text(str(value))
        text = element.text or ""
        for child in element:
            if not isinstance(child.tag, str):
                raise ValueProblem(ProblemCode.BAD_TEXT, "an entity is refused", line_of(element))
            text += child.tail or ""
            add(found, self.name(child.tag), self._tree(child, depth - 1))
        text = self._text(text)
        if text:
            if len(element):
                raise ValueProblem(
                    ProblemCode.WRONG_TYPE, f"text and elements mixed: {shown(text)}", line_of(element)
                )
            found["#text"] = text
        return plain(found)

    def _text(self, text: str) -> str:
        return require_text(text, self._limits.text_chars).strip(WHITE)

    def sensor(self, element: etree._Element) -> Tree:
        """A sensorElement: attributes of its parts are members, as JSON writes them."""
        found: dict[str, Tree] = {}
        for child in element:
            if child.tag in ("sensorMetadata", "sensorReport"):
                part: dict[str, Tree] = {}
                for key, value in child.attrib.items():
                    add(part, self.name(str(key)), self._text(str(value)))
                for inner in child:
                    add(part, self.name(str(inner.tag)), self.tree(inner))
                add(found, child.tag, part)
            elif child.tag == "extension":
                for inner in child:
                    add(found, self.name(str(inner.tag)), self.tree(inner))
            else:
                add(found, self.name(str(child.tag)), self.tree(child))
        return found


class EventReader:
    """XML events of one document as `RawEvent`s."""

    def __init__(self, form: Form, namespace: str, report: Report, limits: Limits) -> None:
        self._form = form
        self._namespace = "{" + namespace + "}"
        self._report = report
        self._limits = limits
        self._trees = XmlTrees(limits)

    def raw(self, element: etree._Element, kind: str) -> RawEvent | None:
        """The event's members by kind, or None where problems were recorded."""
        raw = RawEvent(kind, lambda path: _locate(element, path), lambda text: _word(element, text))
        good = self._children(element, raw, 0)
        if out_of_order(self._form, kind, element, self._namespace):
            self._report.note(
                NoteCode.ELEMENT_ORDER,
                "the elements of an event are not in the schema's order",
                line_of(element),
            )
        return raw if good else None

    def _children(self, element: etree._Element, raw: RawEvent, depth: int) -> bool:
        good = True
        for child in element:
            try:
                good = self._child(child, raw, depth) and good
            except ValueProblem as error:
                self._report.caught(error, line_of(child))
                good = False
        return good

    def _child(self, child: etree._Element, raw: RawEvent, depth: int) -> bool:
        tag = child.tag
        if not isinstance(tag, str):
            raise ValueProblem(ProblemCode.BAD_TEXT, "an entity is refused")
        if tag.startswith(self._namespace):
            tag = tag[len(self._namespace) :]
            self._report.note(
                NoteCode.QUALIFIED_NAME,
                f"{tag} has EPCIS's namespace, which only the root has",
                line_of(child),
            )
        if tag in _WRAPPERS:
            if depth > 3:
                raise ValueProblem(ProblemCode.TOO_DEEP, "extension within extension, too deep")
            return self._children(child, raw, depth + 1)
        if tag in _KNOWN:
            if depth == 0 and self._form is Form.XML12:
                later = _LATER_IN_TRANSFORMATION if raw.type == "TransformationEvent" else _LATER
                if tag in later and raw.type != "AssociationEvent":
                    self._report.note(
                        NoteCode.OUTSIDE_EXTENSION,
                        f"{tag} stands outside its extension element",
                        line_of(child),
                    )
            self._member(raw, tag, child)
        elif tag[0] == "{":
            add(raw.extensions, self._trees.name(tag), self._trees.tree(child))
        else:
            self._report.note(
                NoteCode.UNQUALIFIED_NAME,
                f"the unknown element {shown(tag)} is kept as an extension",
                line_of(child),
            )
            add(raw.extensions, f"{EPCIS}#{self._trees.name(tag)}", self._trees.tree(child))
        return True

    def _member(self, raw: RawEvent, tag: str, child: etree._Element) -> None:
        if tag in raw.names and tag != "certificationInfo":
            raise ValueProblem(ProblemCode.DUPLICATE_NAME, f"{tag} stands twice in one event")
        raw.names.add(tag)
        if tag in TEXTS:
            text = self._leaf(child)
            if tag != "recordTime":
                raw.texts[tag] = text
        elif tag in EPC_LISTS:
            raw.epcs[tag] = self._leaves(child, "epc")
        elif tag in QUANTITY_LISTS:
            raw.quantities[tag] = [self._quantity(item) for item in self._items(child, "quantityElement")]
        elif tag in LINKED_LISTS:
            items = self._items(child, LINKED_LISTS[tag])
            raw.linked[tag] = [(self._attribute(item, "type"), self._leaf(item)) for item in items]
        elif tag in PLACES:
            self._place(raw, tag, child)
        elif tag == "persistentDisposition":
            self._persistent(raw, child)
        elif tag == "errorDeclaration":
            raw.declaration = self._declaration(child)
        elif tag == "sensorElementList":
            raw.sensors = [self._trees.sensor(item) for item in self._items(child, "sensorElement")]
        elif tag == "ilmd":
            raw.ilmd = self._ilmd(child)
        else:
            add(raw.extensions, CERTIFICATION, require_text(self._leaf(child), self._limits.text_chars))

    def _persistent(self, raw: RawEvent, element: etree._Element) -> None:
        for item in element:
            if item.tag not in ("set", "unset"):
                raise ValueProblem(
                    ProblemCode.UNKNOWN_MEMBER, f"{shown(str(item.tag))} is neither set nor unset"
                )
            raw.persistent.setdefault(item.tag, []).append(self._leaf(item))
        if not raw.persistent:
            raise ValueProblem(ProblemCode.MISSING, "persistentDisposition has set, unset or both")

    def _leaf(self, element: etree._Element) -> str:
        """The text of an element that has nothing else."""
        if len(element):
            raise ValueProblem(ProblemCode.WRONG_TYPE, f"{_local(element)} holds a text, not elements")
        text = (element.text or "").strip(WHITE)
        if len(text) > self._limits.text_chars:
            raise ValueProblem(ProblemCode.TOO_MANY, f"{_local(element)} has {len(text)} characters")
        return text

    def _items(self, element: etree._Element, name: str) -> list[etree._Element]:
        items = list(element)
        for item in items:
            if item.tag != name and item.tag != self._namespace + name:
                raise ValueProblem(
                    ProblemCode.UNKNOWN_MEMBER,
                    f"{_local(element)} holds {name} elements, not {shown(str(item.tag))}",
                    line_of(item),
                )
        return items

    def _leaves(self, element: etree._Element, name: str) -> list[str]:
        found: list[str] = []
        for item in element:
            text = item.text
            if item.tag != name or text is None or len(item):
                self._items(element, name)
                text = self._leaf(item)
            found.append(text.strip())
        return found

    def _attribute(self, element: etree._Element, name: str) -> str | None:
        value = element.get(name)
        return None if value is None else str(value).strip(WHITE)

    def _quantity(self, element: etree._Element) -> RawQuantity:
        texts: dict[str, str] = {}
        for child in element:
            name = _local(child)
            if name not in ("epcClass", "quantity", "uom"):
                raise ValueProblem(
                    ProblemCode.UNKNOWN_MEMBER, f"{shown(name)} does not belong in a quantityElement"
                )
            if name == "quantity" and child.get(_XSI + "nil") in ("true", "1"):
                continue
            texts[name] = self._leaf(child)
        return RawQuantity(texts.get("epcClass", ""), texts.get("quantity"), texts.get("uom"))

    def _place(self, raw: RawEvent, tag: str, element: etree._Element) -> None:
        extras: dict[str, Tree] = {}
        for child in element:
            if _local(child) == "id" and tag not in raw.texts:
                raw.texts[tag] = self._leaf(child)
            elif child.tag == "extension":
                for inner in child:
                    add(extras, self._trees.name(str(inner.tag)), self._trees.tree(inner))
            else:
                add(extras, self._trees.name(str(child.tag)), self._trees.tree(child))
        if tag not in raw.texts:
            raise ValueProblem(ProblemCode.MISSING, f"{tag} has an id")
        if extras:
            raw.extensions[f"{EPCIS}#{tag}"] = extras

    def _declaration(self, element: etree._Element) -> RawDeclaration:
        declared = RawDeclaration()
        for child in element:
            name = _local(child)
            if name == "declarationTime":
                declared.time = self._leaf(child)
            elif name == "reason":
                declared.reason = self._leaf(child)
            elif name == "correctiveEventIDs":
                declared.correctives = self._leaves(child, "correctiveEventID")
            elif child.tag == "extension":
                for inner in child:
                    add(declared.extras, self._trees.name(str(inner.tag)), self._trees.tree(inner))
            else:
                add(declared.extras, self._trees.name(str(child.tag)), self._trees.tree(child))
        return declared

    def _ilmd(self, element: etree._Element) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for child in element:
            inner = list(child) if child.tag == "extension" else [child]
            for item in inner:
                if not isinstance(item.tag, str):
                    raise ValueProblem(ProblemCode.BAD_TEXT, "an entity is refused")
                name = self._trees.name(item.tag)
                if "#" not in name:
                    self._report.note(
                        NoteCode.UNQUALIFIED_NAME, f"{shown(name)} in ilmd has no namespace", line_of(item)
                    )
                    name = f"{EPCIS}#{name}"
                add(found, name, self._trees.tree(item))
        return found


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _word(element: etree._Element, text: str) -> str:
    prefix, colon, rest = text.partition(":")
    if not colon or prefix in _SCHEMES or rest.startswith("//"):
        return text
    namespace = element.nsmap.get(prefix) or WELL_KNOWN_PREFIXES.get(prefix)
    return text if namespace is None else str(namespace) + rest


def _locate(element: etree._Element, path: str) -> str:
    at = element
    for step in path.split("/") if path else ():
        if step.isdigit():
            if int(step) >= len(at):
                break
            at = at[int(step)]
        else:
            found = next((inner for inner in at.iter() if _local(inner) == step), None)
            if found is None:
                break
            at = found
    return line_of(at)
