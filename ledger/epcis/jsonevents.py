"""Members of a JSON event, sorted by kind; and the values inside ILMD, extensions and headers as trees."""

from collections.abc import Iterator
from typing import Any

from ledger.epcis import sensors
from ledger.epcis.document import NoteCode
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.jsoncontext import Context
from ledger.epcis.jsontext import Number, token
from ledger.epcis.limits import Limits
from ledger.epcis.names import (
    ALLOWED,
    CERTIFICATION,
    EPC_LISTS,
    EPCIS,
    EVENT_TYPES,
    LINKED_LISTS,
    PLACES,
    QUANTITY_LISTS,
    TEXTS,
)
from ledger.epcis.raw import RawDeclaration, RawEvent, RawQuantity
from ledger.epcis.report import Report
from ledger.epcis.trees import WHITE, Tree, add, joined, plain
from ledger.epcis.values import require_text
from ledger.gs1.errors import shown

_ABSENT = Number()


def _text(value: Any, limits: Limits, what: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise ValueProblem(ProblemCode.WRONG_TYPE, f"{what} is a text, not {_kind(value)}")
    if len(value) > limits.text_chars:
        raise ValueProblem(ProblemCode.TOO_MANY, f"{what} has {len(value)} characters")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueProblem(ProblemCode.WRONG_TYPE, f"{what} is an object, not {_kind(value)}")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueProblem(ProblemCode.WRONG_TYPE, f"{what} is a list, not {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", Number: "a number", bool: "true or false", str: "a text"}
    return kinds.get(type(value), "null")


class JsonTrees:
    """JSON values as trees, names expanded in one context, within the limits."""

    def __init__(self, context: Context, report: Report, limits: Limits) -> None:
        self._context = context
        self._report = report
        self._limits = limits
        self._left = limits.members

    def collect(self, key: str, value: Any, into: dict[str, Tree], where: str) -> None:
        """Put the member `key` of an event or header under its expanded name. ``unknown_member`` if it has none."""
        name = self._context.name(key, self._report, where)
        if name is None:
            raise ValueProblem(
                ProblemCode.UNKNOWN_MEMBER,
                f"{shown(key)} is no member known here; extensions have a prefix that @context declares",
                where,
            )
        add(into, name, self.tree(value, where))

    def members(self, value: Any, where: str) -> dict[str, Tree]:
        """The members of an ILMD, all with a namespace."""
        self._left = self._limits.members
        found: dict[str, Tree] = {}
        for key, item in _object(value, "ilmd").items():
            if key != "@context":
                self.collect(key, item, found, where + token(key))
        return found

    def tree(self, value: Any, where: str) -> Tree | None:
        """Any value in normal form; None where nothing is left of it."""
        self._left = self._limits.members
        return self._tree(value, self._limits.depth, where)

    def _tree(self, value: Any, depth: int, where: str) -> Tree | None:
        self._left -= 1 + (len(value) if isinstance(value, dict | list) else 0)
        if depth <= 0 or self._left < 0:
            code = ProblemCode.TOO_DEEP if depth <= 0 else ProblemCode.TOO_MANY
            raise ValueProblem(code, "a value with too many levels or members", where)
        if isinstance(value, str):
            return require_text(str(value), self._limits.text_chars).strip(WHITE)
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            return None
        if isinstance(value, list):
            return joined(self._tree(item, depth - 1, f"{where}/{n}") for n, item in enumerate(value))
        found: dict[str, Tree] = {}
        for key, item in value.items():
            add(found, self._inner(key, where), self._tree(item, depth - 1, where + token(key)))
        return plain(_as_in_xml(found, where))

    def _inner(self, key: str, where: str) -> str:
        if key == "#text":
            return key
        mark, bare = ("@", key[1:]) if key.startswith("@") else ("", key)
        name = self._context.name(bare, self._report, where)
        if name is None:
            require_text(bare, self._limits.text_chars)
            from_bare = bare.replace("-", "_").replace(".", "_")
            if not from_bare.isidentifier():
                raise ValueProblem(
                    ProblemCode.BAD_NAME, f"{shown(key)} is no name that XML could carry", where
                )
            name = bare
        return mark + name

    def vocabulary(self, value: Any, where: str) -> Iterator[tuple[str, str, dict[str, Tree], str]]:
        """The elements of one vocabulary: its type, their id, their attributes by expanded name, and where they
        stand.
        """
        kind = self._context.word(_text(_object(value, "a vocabulary").get("type"), self._limits, "type"))
        listed = _list(value.get("vocabularyElementList", []), "vocabularyElementList")
        for number, item in enumerate(listed):
            place = f"{where}/vocabularyElementList/{number}"
            element = _object(item, "a vocabulary element")
            identifier = _text(element.get("id"), self._limits, "id")
            found: dict[str, Tree] = {}
            for attribute in _list(element.get("attributes", []), "attributes"):
                key = _text(_object(attribute, "an attribute").get("id"), self._limits, "id")
                name = self._context.name(key, self._report, place)
                add(found, name or key, self.tree(attribute.get("attribute"), place))
            yield kind, identifier, found, place


class EventReader:
    """JSON events of one document as `RawEvent`s."""

    def __init__(self, context: Context, report: Report, limits: Limits) -> None:
        self._outer = context
        self._report = report
        self._limits = limits
        self._context = context
        self._trees = JsonTrees(context, report, limits)

    def raw(self, value: Any, where: str, bare: bool = False) -> RawEvent | None:
        """The event's members by kind, or None where problems were recorded."""
        if not isinstance(value, dict):
            self._report.problem(ProblemCode.WRONG_TYPE, f"an event is an object, not {_kind(value)}", where)
            return None
        good = self._local_context(value, where, bare)
        kind = value.get("type", value.get("isA"))
        if "isA" in value:
            self._report.note(NoteCode.ISA_FOR_TYPE, "isA is read as type", where + "/isA")
        if not isinstance(kind, str) or kind not in EVENT_TYPES or ("isA" in value and "type" in value):
            self._report.problem(
                ProblemCode.UNKNOWN_EVENT_TYPE,
                f"the type of an event is one of {', '.join(sorted(EVENT_TYPES))}, not {shown(str(kind))}",
                where + "/type",
            )
            return None
        raw = RawEvent(kind, lambda path: f"{where}/{path}" if path else where, self._context.word)
        for key, item in value.items():
            if key in ("type", "isA", "@context"):
                continue
            try:
                self._member(raw, key, item, f"{where}/{key}" if key in ALLOWED[kind] else where + token(key))
            except ValueProblem as error:
                self._report.caught(error, where + token(key))
                good = False
        return raw if good else None

    def _local_context(self, value: dict[str, Any], where: str, bare: bool) -> bool:
        context = self._outer
        good = True
        if "@context" in value and not bare:
            try:
                context = context.with_local(value["@context"], self._report, where + "/@context")
            except ValueProblem as error:
                self._report.caught(error, where + "/@context")
                good = False
        if context is not self._context:
            self._context = context
            self._trees = JsonTrees(context, self._report, self._limits)
        return good

    def _member(self, raw: RawEvent, key: str, value: Any, where: str) -> None:
        limits = self._limits
        if key in TEXTS:
            raw.names.add(key)
            text = _text(value, limits, key)
            if key != "recordTime":
                raw.texts[key] = text
            return
        if key in EPC_LISTS:
            raw.epcs[key] = self._texts(value, key)
        elif key in QUANTITY_LISTS:
            raw.quantities[key] = [self._quantity(item, f"{where}/{n}") for n, item in _each(value, key)]
        elif key in LINKED_LISTS:
            raw.linked[key] = [
                self._linked(item, LINKED_LISTS[key], f"{where}/{n}") for n, item in _each(value, key)
            ]
        elif key in PLACES:
            self._place(raw, key, value, where)
        elif key == "persistentDisposition":
            raw.persistent = self._persistent(value)
        elif key == "errorDeclaration":
            raw.declaration = self._declaration(value, where)
        elif key == "sensorElementList":
            raw.sensors = [self._sensor(item, f"{where}/{n}") for n, item in _each(value, key)]
        elif key == "ilmd":
            raw.ilmd = self._trees.members(value, where)
        elif key == "certificationInfo":
            self._certification(raw, value)
        else:
            self._trees.collect(key, value, raw.extensions, where)
            return
        raw.names.add(key)

    def _texts(self, value: Any, key: str) -> list[str]:
        texts = _list(value, key)
        if set(map(type, texts)) - {str}:
            number = next(n for n, text in enumerate(texts) if type(text) is not str)
            raise ValueProblem(
                ProblemCode.WRONG_TYPE, f"element {number} of {key} is a text, not {_kind(texts[number])}"
            )
        return texts

    def _quantity(self, value: Any, where: str) -> RawQuantity:
        item = _object(value, "a quantity element")
        _only(item, frozenset(("epcClass", "quantity", "uom")), where)
        amount = item.get("quantity", _ABSENT)
        if not isinstance(amount, Number):
            raise ValueProblem(ProblemCode.WRONG_TYPE, f"quantity is a number, not {_kind(amount)}", where)
        return RawQuantity(
            _text(item.get("epcClass"), self._limits, "epcClass"),
            None if amount is _ABSENT else str(amount),
            _text(item["uom"], self._limits, "uom") if "uom" in item else None,
        )

    def _linked(self, value: Any, name: str, where: str) -> tuple[str | None, str]:
        item = _object(value, f"an element of {name}s")
        _only(item, frozenset(("type", name)), where)
        kind = _text(item["type"], self._limits, "type") if "type" in item else None
        return kind, _text(item.get(name), self._limits, name)

    def _sensor(self, value: Any, where: str) -> Tree:
        element = _object(value, "a sensorElement")
        parts = [element["sensorMetadata"]] if "sensorMetadata" in element else []
        for part in [*parts, *_list(element.get("sensorReport", []), "sensorReport")]:
            for name, item in _object(part, "a part of a sensorElement").items():
                kind = Number if name in sensors.NUMBERS else bool if name == "booleanValue" else str
                if name in sensors.REPORT | sensors.METADATA and type(item) is not kind:
                    raise ValueProblem(ProblemCode.WRONG_TYPE, f"{name} is not {_kind(item)}", where)
        return self._trees.tree(element, where) or ""

    def _place(self, raw: RawEvent, key: str, value: Any, where: str) -> None:
        place = _object(value, key)
        raw.texts[key] = _text(place.get("id"), self._limits, f"id of {key}")
        extras: dict[str, Tree] = {}
        for inner, item in place.items():
            if inner != "id":
                self._trees.collect(inner, item, extras, where + token(inner))
        if extras:
            raw.extensions[f"{EPCIS}#{key}"] = extras

    def _persistent(self, value: Any) -> dict[str, list[str]]:
        found = _object(value, "persistentDisposition")
        _only(found, frozenset(("set", "unset")), "")
        lists = {name: self._texts(found[name], name) for name in found}
        if not lists or not all(lists.values()):
            raise ValueProblem(
                ProblemCode.MISSING, "persistentDisposition has a list set, unset or both, not empty"
            )
        return lists

    def _declaration(self, value: Any, where: str) -> RawDeclaration:
        declared = RawDeclaration()
        for key, item in _object(value, "errorDeclaration").items():
            if key == "declarationTime":
                declared.time = _text(item, self._limits, key)
            elif key == "reason":
                declared.reason = _text(item, self._limits, key)
            elif key == "correctiveEventIDs":
                declared.correctives = self._texts(item, key)
            else:
                self._trees.collect(key, item, declared.extras, where + token(key))
        return declared

    def _certification(self, raw: RawEvent, value: Any) -> None:
        texts = self._texts(value if isinstance(value, list) else [value], "certificationInfo")
        for text in texts:
            add(raw.extensions, CERTIFICATION, require_text(text, self._limits.text_chars))


def _as_in_xml(found: dict[str, Tree], where: str) -> dict[str, Tree]:
    """The members of an object, if an XML element could have them: attributes are texts, and so is what stands
    beside them.
    """
    if found.get("#text") == "":
        del found["#text"]
    for name, value in found.items():
        if name[0] in "@#" and not isinstance(value, str):
            raise ValueProblem(
                ProblemCode.WRONG_TYPE, f"{shown(name)} is one text, as an attribute is", where
            )
    if "#text" in found and any(name[0] not in "@#" for name in found):
        raise ValueProblem(ProblemCode.WRONG_TYPE, "#text and members mixed", where)
    return found


def _each(value: Any, key: str) -> list[tuple[int, Any]]:
    return list(enumerate(_list(value, key)))


def _only(found: dict[str, Any], known: frozenset[str], where: str) -> None:
    for name in found:
        if name not in known:
            raise ValueProblem(
                ProblemCode.UNKNOWN_MEMBER,
                f"{shown(name)} does not belong beside {', '.join(sorted(known))}",
                where,
            )
