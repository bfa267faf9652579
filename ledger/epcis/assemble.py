"""From a document's members to an event: the rules that hold in every form, in one place.

A reader of JSON or XML sorts what it finds into a `RawEvent`, texts as written; here they become an `Event`, and
what is wrong becomes problems. Rules: EPCIS 2.0, section 7.4, in the strictness of GS1's JSON Schema and XSD.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from ledger.custody.event import ErrorDeclaration, Event, Linked, Quantity, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import sensors
from ledger.epcis.document import NoteCode
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.limits import Limits
from ledger.epcis.names import (
    ALLOWED,
    CERTIFICATION,
    DECLARATION_EXTRAS,
    LINKED_LISTS,
)
from ledger.epcis.raw import RawEvent
from ledger.epcis.report import Report
from ledger.epcis.trees import Tree, elements, joined
from ledger.epcis.values import (
    EpcReader,
    parse_offset,
    parse_quantity,
    parse_time,
    parse_uom,
    parse_uri,
    parse_word,
)
from ledger.gs1.errors import shown

T = TypeVar("T")
_DERIVED = "an event has no eventID; its id is derived from its content"


class _Shared:
    """What the events of one document have in common, so that it is read once."""

    def __init__(self) -> None:
        self.epcs = EpcReader()
        self.times: dict[str, tuple[datetime, bool]] = {}
        self.words: dict[tuple[str, str], str] = {}


class Assembler:
    """Makes the events of one document."""

    def __init__(self, report: Report, limits: Limits) -> None:
        self._report = report
        self._limits = limits
        self._shared = _Shared()

    def event(self, raw: RawEvent) -> Event | None:
        """The event, or None where problems were recorded."""
        return _Assembly(raw, self._report, self._limits, self._shared).event()


class _Assembly:
    """One event on its way."""

    def __init__(self, raw: RawEvent, report: Report, limits: Limits, shared: _Shared) -> None:
        self._raw = raw
        self._report = report
        self._limits = limits
        self._shared = shared
        self._epcs = shared.epcs
        self._bad = False

    def event(self) -> Event | None:
        raw = self._raw
        self._check_members()
        self._check_counts()
        if self._bad:
            return None
        action = self._action()
        time = self._required("eventTime", self._time)
        offset = self._required("eventTimeZoneOffset", parse_offset)
        event_id = self._optional("eventID", lambda text: parse_uri(text, "event id"))
        self._check_rules(action)
        lists = {name: self._epc_list(name) for name in raw.epcs}
        amounts = {name: self._quantity_list(name) for name in raw.quantities}
        links = {name: self._linked_list(name) for name in raw.linked}
        persistent = {name: self._words("disposition", name, words) for name, words in raw.persistent.items()}
        declaration = self._declaration()
        biz_step, disposition = self._word("bizStep"), self._word("disposition")
        read_point = self._optional("readPoint", self._epcs.place)
        biz_location = self._optional("bizLocation", self._epcs.place)
        parent = self._optional("parentID", self._epcs.canonical)
        transformation = self._optional("transformationID", lambda text: parse_uri(text, "transformation id"))
        found = self._sensors()
        if self._bad or time is None or offset is None:
            return None
        if event_id is None:
            self._report.note(NoteCode.NO_EVENT_ID, _DERIVED, lambda: raw.locate(""))
        return Event(
            type=EventType(raw.type),
            event_time=time,
            time_zone_offset=offset,
            event_id=event_id,
            action=action,
            biz_step=biz_step,
            disposition=disposition,
            read_point=read_point,
            biz_location=biz_location,
            parent=parent,
            transformation_id=transformation,
            persistent_set=persistent.get("set", ()),
            persistent_unset=persistent.get("unset", ()),
            epcs=lists.get("epcList", ()),
            children=lists.get("childEPCs", ()),
            inputs=lists.get("inputEPCList", ()),
            outputs=lists.get("outputEPCList", ()),
            quantities=amounts.get("quantityList", ()),
            child_quantities=amounts.get("childQuantityList", ()),
            input_quantities=amounts.get("inputQuantityList", ()),
            output_quantities=amounts.get("outputQuantityList", ()),
            transactions=links.get("bizTransactionList", ()),
            sources=links.get("sourceList", ()),
            destinations=links.get("destinationList", ()),
            declaration=declaration,
            sensors=found,
            ilmd=_pairs(raw.ilmd or {}),
            extensions=_pairs(_certified(raw.extensions)),
        )

    # What must be there, and what must not.

    def _check_members(self) -> None:
        raw = self._raw
        for name in sorted(raw.names - ALLOWED[raw.type]) if not raw.names <= ALLOWED[raw.type] else ():
            self._problem(ProblemCode.NOT_ALLOWED, f"{name} does not belong in {_a(raw.type)}", name)

    def _check_counts(self) -> None:
        raw = self._raw
        count = len(raw.sensors) + (len(raw.declaration.correctives) if raw.declaration else 0)
        for lists in (raw.epcs, raw.quantities, raw.linked, raw.persistent):
            count += sum(map(len, lists.values()))
        if count > self._limits.epcs_per_event:
            self._problem(
                ProblemCode.TOO_MANY,
                f"an event with {count} list elements; at most {self._limits.epcs_per_event} are read: divide it",
                "",
            )

    def _check_rules(self, action: Action | None) -> None:
        """Which lists an event of this type and action must have."""
        raw = self._raw
        has = {name for name, items in [*raw.epcs.items(), *raw.quantities.items()] if items}
        if raw.type == "ObjectEvent":
            sensed = bool(raw.sensors) and "readPoint" in raw.texts
            self._check_some(bool(has) or sensed, "epcList or quantityList (or sensors at a readPoint)")
            if raw.ilmd is not None and action is not Action.ADD:
                self._problem(
                    ProblemCode.NOT_ALLOWED, "ilmd stands in an ObjectEvent of action ADD only", "ilmd"
                )
        elif raw.type in ("AggregationEvent", "AssociationEvent"):
            whole = action is Action.DELETE
            self._check_some(
                bool(has) or whole, "childEPCs or childQuantityList (or action DELETE: all children)"
            )
            if "parentID" not in raw.texts and (
                raw.type == "AssociationEvent" or action is not Action.OBSERVE
            ):
                self._problem(
                    ProblemCode.MISSING, f"{_a(raw.type)} of action {action or '?'} needs a parentID", ""
                )
        elif raw.type == "TransactionEvent":
            self._check_some(
                bool(has) or action is Action.DELETE or "parentID" in raw.texts, "epcList or quantityList"
            )
            if not raw.linked.get("bizTransactionList"):
                self._problem(ProblemCode.MISSING, "a TransactionEvent needs a bizTransactionList", "")
        else:
            given = any(name.startswith("input") for name in has)
            made = any(name.startswith("output") for name in has)
            linked = "transformationID" in raw.texts and (given or made)
            self._check_some(
                (given and made) or linked, "inputs and outputs (or one of them and transformationID)"
            )

    def _check_some(self, there: bool, what: str) -> None:
        if not there:
            self._problem(
                ProblemCode.EMPTY_EVENT,
                f"{_a(self._raw.type)} says nothing without {what}: give at least one",
                "",
            )

    # Values.

    def _action(self) -> Action | None:
        text = self._raw.texts.get("action")
        if self._raw.type == "TransformationEvent":
            return None
        if text is None:
            self._problem(
                ProblemCode.MISSING, f"{_a(self._raw.type)} needs an action: ADD, OBSERVE or DELETE", ""
            )
            return None
        try:
            return Action(text)
        except ValueError:
            self._problem(
                ProblemCode.BAD_ACTION, f"the action is ADD, OBSERVE or DELETE, not {shown(text)}", "action"
            )
            return None

    def _time(self, text: str, where: str = "eventTime") -> datetime:
        known = self._shared.times.get(text)
        if known is None:
            known = self._shared.times[text] = parse_time(text)
        moment, cut = known
        if cut:
            self._report.note(
                NoteCode.FINER_THAN_MICROSECOND,
                f"digits of {text} beyond the microsecond are cut off",
                self._raw.locate(where),
            )
        return moment

    def _required(self, name: str, parse: Callable[[str], T]) -> T | None:
        if name not in self._raw.texts:
            self._problem(ProblemCode.MISSING, f"{_a(self._raw.type)} needs {name}", "")
            return None
        return self._optional(name, parse)

    def _optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self._raw.texts.get(name)
        return None if text is None else self._value(parse, text, name)

    def _value(self, parse: Callable[[str], T], text: str, where: str) -> T | None:
        try:
            return parse(text)
        except ValueProblem as error:
            self._bad = True
            self._report.caught(error, self._raw.locate(where))
            return None

    def _word(self, name: str) -> str | None:
        text = self._raw.texts.get(name)
        return None if text is None else self._one_word(name, text, name)

    def _one_word(self, vocabulary: str, text: str, where: str) -> str | None:
        known = self._shared.words.get((vocabulary, text))
        if known is not None:
            return known
        pair = self._value(lambda value: parse_word(vocabulary, self._raw.word(value)), text, where)
        if pair is None:
            return None
        word, replaced = pair
        if replaced:
            self._report.note(
                NoteCode.DEPRECATED_WORD, f"{text} is read as its successor {word}", self._raw.locate(where)
            )
        elif ":" not in text or text.startswith("urn:epcglobal:cbv:"):
            self._shared.words[vocabulary, text] = word  # means the same in every event
        return word

    def _words(self, vocabulary: str, name: str, texts: Sequence[str]) -> tuple[str, ...]:
        where = f"persistentDisposition/{name}"
        words = [self._one_word(vocabulary, text, f"{where}/{i}") for i, text in enumerate(texts)]
        return self._once([word for word in words if word is not None], where)

    def _epc_list(self, name: str) -> tuple[str, ...]:
        texts = self._raw.epcs[name]
        canonical = self._epcs.canonical
        try:
            found = self._epcs.canonical_list(texts)
        except ValueProblem:
            for number, text in enumerate(texts):
                self._value(canonical, text, f"{name}/{number}")
            return ()
        return self._once(found, name)

    def _once(self, values: list[T], name: str) -> tuple[T, ...]:
        once = tuple(dict.fromkeys(values))
        if len(once) < len(values):
            self._report.note(
                NoteCode.REPEATED_ELEMENT,
                f"{len(values) - len(once)} elements of {name} stand there more than once, and count once",
                self._raw.locate(name),
            )
        return once

    def _quantity_list(self, name: str) -> tuple[Quantity, ...]:
        found: list[Quantity] = []
        for number, item in enumerate(self._raw.quantities[name]):
            where = f"{name}/{number}"
            epc_class = self._value(self._epcs.canonical, item.epc_class, where)
            amount = None if item.quantity is None else self._value(parse_quantity, item.quantity, where)
            uom = None if item.uom is None else self._value(parse_uom, item.uom, where)
            found.append(Quantity(epc_class or "", amount, uom))
        return self._once(found, name)

    def _linked_list(self, name: str) -> tuple[Linked, ...]:
        found: list[Linked] = []
        transactions = name == "bizTransactionList"
        vocabulary = "transaction" if transactions else "party"
        for number, (kind, text) in enumerate(self._raw.linked[name]):
            where = f"{name}/{number}"
            if kind is None and not transactions:
                self._problem(ProblemCode.MISSING, f"a {LINKED_LISTS[name]} needs a type", where)
            word = "" if kind is None else self._one_word(vocabulary, kind, where)
            if transactions:
                target = self._value(lambda value: parse_uri(value, "business transaction"), text, where)
            else:
                target = self._value(self._epcs.place, text, where)
            found.append(Linked(word or "", target or ""))
        return self._once(found, name)

    def _declaration(self) -> ErrorDeclaration | None:
        raw = self._raw.declaration
        if raw is None:
            return None
        if raw.time is None:
            self._problem(
                ProblemCode.MISSING, "an errorDeclaration needs a declarationTime", "errorDeclaration"
            )
            return None
        where = "errorDeclaration/declarationTime"
        time = self._value(lambda text: self._time(text, where), raw.time, where)
        where = "errorDeclaration/reason"
        reason = None if raw.reason is None else self._one_word("reason", raw.reason, where)
        correctives = [
            self._value(lambda text: parse_uri(text, "corrective event id"), text, "errorDeclaration")
            for text in raw.correctives
        ]
        if reason == "did_not_occur" and correctives:
            self._report.note(
                NoteCode.CORRECTIVES_OF_NO_EVENT,
                "an event that did not occur has no corrective events (EPCIS 2.0, 7.4.1.4); they are kept as given",
                self._raw.locate("errorDeclaration"),
            )
        if raw.extras:
            self._raw.extensions[DECLARATION_EXTRAS] = raw.extras
        if time is None:
            return None
        ids = self._once([text for text in correctives if text is not None], "errorDeclaration")
        return ErrorDeclaration(time, reason, ids)

    def _sensors(self) -> tuple[str, ...]:
        found: list[str] = []
        for number, element in enumerate(self._raw.sensors):
            try:
                tree, unclear = sensors.normal(element, self._raw.word)
                found.append(compact(tree))
                for message in unclear:
                    where = self._raw.locate(f"sensorElementList/{number}")
                    self._report.note(NoteCode.SENSOR_UNCLEAR, message, where)
            except ValueProblem as error:
                self._bad = True
                self._report.caught(error, self._raw.locate(f"sensorElementList/{number}"))
        return self._once(found, "sensorElementList")

    def _problem(self, code: ProblemCode, message: str, where: str) -> None:
        self._bad = True
        self._report.problem(code, message, self._raw.locate(where))


def _certified(members: dict[str, Tree]) -> dict[str, Tree]:
    """The extensions, with certificationInfo as the set that it is."""
    texts = [text for text in elements(members.get(CERTIFICATION)) if isinstance(text, str)]
    if texts and len(texts) == len(elements(members[CERTIFICATION])):
        merged = joined(sorted(set(texts)))
        return {**members, CERTIFICATION: "" if merged is None else merged}
    return members


def _pairs(members: dict[str, Tree]) -> tuple[tuple[str, str], ...]:
    return tuple((name, compact(members[name])) for name in sorted(members))


def _a(type_name: str) -> str:
    return f"an {type_name}" if type_name[0] in "AO" else f"a {type_name}"
