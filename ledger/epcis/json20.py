"""EPCIS 2.0 JSON (EPCIS 2.0, section 10): documents and bare events to events, and back.

    {"@context": [...], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-06-01T15:00:00Z",
     "epcisHeader": {"epcisMasterData": {...}, "gs1ushc:dscsaTransactionStatement": {...}},
     "epcisBody": {"eventList": [{"type": "ObjectEvent", "eventTime": ..., "epcList": [...]}]}}

Read are EPCISDocument, EPCISQueryDocument and one event alone (POST /events). Every member is understood, kept as an
extension because its name has a namespace, or refused: nothing is dropped. ``recordTime`` is the recording node's
word and is not part of an event.
"""

from datetime import datetime
from typing import Any

from ledger.custody.event import Event
from ledger.epcis import header, jsontext, masterdata
from ledger.epcis.assemble import Assembler
from ledger.epcis.document import Document, Form, NoteCode
from ledger.epcis.errors import DocumentError, ProblemCode, ValueProblem
from ledger.epcis.jsoncontext import Context
from ledger.epcis.jsonevents import EventReader, JsonTrees
from ledger.epcis.jsontext import token
from ledger.epcis.jsonwriter import write, write_event
from ledger.epcis.limits import DEFAULT_LIMITS, Limits
from ledger.epcis.names import EVENT_TYPES, STANDARD_PREFIXES
from ledger.epcis.report import Report
from ledger.epcis.trees import Tree
from ledger.epcis.values import parse_time
from ledger.gs1.errors import shown

__all__ = ["read", "write", "write_event"]

_DOCUMENT = frozenset(
    "@context id type isA schemaVersion creationDate instanceIdentifier sender receiver epcisHeader epcisBody".split()
)


def read(body: bytes, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document in `body`. Raises `DocumentError` with every problem found."""
    value = jsontext.parse(body, limits)
    if not isinstance(value, dict):
        raise DocumentError(
            ProblemCode.NOT_A_DOCUMENT, "a JSON object was expected: an EPCISDocument or an event"
        )
    return _Reader(value, limits).document()


class _Reader:
    def __init__(self, root: dict[str, Any], limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._report = Report(limits.problems)
        self._context = Context()

    def document(self) -> Document:
        root = self._root
        kind = root.get("type", root.get("isA"))
        self._read_context()
        if kind in EVENT_TYPES:
            events = self._events([root], "", bare=True)
            return Document(Form.JSON20, tuple(events), notes=self._report.close())
        if kind not in ("EPCISDocument", "EPCISQueryDocument"):
            raise DocumentError(
                ProblemCode.NOT_A_DOCUMENT,
                f"type is EPCISDocument, EPCISQueryDocument or an event's type, not {shown(str(kind))}",
                "/type",
            )
        self._check_version()
        found, where, vocabularies = self._body(kind == "EPCISQueryDocument")
        events = self._events(found, where)
        self._report.count(len(events))
        front = self._header(vocabularies)
        created = self._created()
        namespaces = tuple(
            sorted(
                (name, uri) for name, uri in self._context.prefixes.items() if name not in STANDARD_PREFIXES
            )
        )
        return Document(
            Form.JSON20,
            tuple(events),
            created=created,
            sender=front.sender,
            receiver=front.receiver,
            instance_id=front.instance_id,
            products=front.products,
            locations=front.locations,
            statement=front.statement,
            headers=front.headers,
            namespaces=namespaces,
            notes=self._report.close(),
        )

    def _read_context(self) -> None:
        if "@context" not in self._root:
            self._report.note(
                NoteCode.CONTEXT_ASSUMED, "there is no @context; GS1's standard context is assumed", ""
            )
            return
        try:
            self._context = self._context.with_local(self._root["@context"], self._report, "/@context")
        except ValueProblem as error:
            self._report.caught(error, "/@context")

    def _check_version(self) -> None:
        if "isA" in self._root:
            self._report.note(NoteCode.ISA_FOR_TYPE, "isA is read as type", "/isA")
            if "type" in self._root:
                self._report.problem(
                    ProblemCode.UNKNOWN_MEMBER, "type and isA say the same thing: drop isA", "/isA"
                )
        version = self._root.get("schemaVersion")
        if version is None:
            self._report.problem(ProblemCode.MISSING, "a document needs a schemaVersion: 2.0", "")
        elif type(version) is not str or not (version == "2" or version.startswith("2.")):
            self._report.problem(
                ProblemCode.UNSUPPORTED_VERSION,
                f"EPCIS in JSON exists from version 2.0, not {shown(str(version))}",
                "/schemaVersion",
            )

    def _created(self) -> datetime | None:
        text = self._root.get("creationDate")
        if text is None:
            self._report.note(
                NoteCode.CREATION_TIME_MISSING, "the document does not say when it was made", ""
            )
            return None
        try:
            return parse_time(text if isinstance(text, str) else str(text))[0]
        except ValueProblem as error:
            self._report.caught(error, "/creationDate")
            return None

    def _member(
        self, parent: dict[str, Any], name: str, kind: type, where: str, known: frozenset[str]
    ) -> Any:
        """The member `name` (a dict or a list) of `parent`; whatever else stands beside it is noted or refused."""
        for key in parent:
            if key not in known and not key.startswith("@"):
                self._other(key, f"{where}{token(key)}")
        value = parent.get(name)
        if not isinstance(value, kind):
            code = ProblemCode.MISSING if name not in parent else ProblemCode.WRONG_TYPE
            expected = "a list" if kind is list else "an object"
            raise DocumentError(code, f"{name} is needed, and is {expected}", where + token(name))
        return value

    def _other(self, key: str, where: str) -> None:
        try:
            known = self._context.name(key, self._report, where)
        except ValueProblem as error:
            self._report.caught(error, where)
            return
        if known is None:
            self._report.problem(ProblemCode.UNKNOWN_MEMBER, f"{shown(key)} does not belong here", where)

    def _body(self, query: bool) -> tuple[list[Any], str, list[Any]]:
        """The list of events, its pointer, and vocabularies that a query document carries beside it."""
        body = self._root.get("epcisBody")
        if not isinstance(body, dict):
            raise DocumentError(ProblemCode.MISSING, "epcisBody is needed, and is an object", "/epcisBody")
        where = "/epcisBody"
        vocabularies: list[Any] = []
        if query:
            body = self._member(body, "queryResults", dict, where, frozenset(("queryResults",)))
            where += "/queryResults"
            known = frozenset(("queryName", "subscriptionID", "resultsBody"))
            body = self._member(body, "resultsBody", dict, where, known)
            where += "/resultsBody"
            if isinstance(body.get("vocabularyList"), list):
                vocabularies = body["vocabularyList"]
        elif "event" in body and "eventList" not in body and isinstance(body["event"], dict):
            return [body["event"]], where + "/event", []
        found = self._member(body, "eventList", list, where, frozenset(("eventList", "vocabularyList")))
        return found, where + "/eventList", vocabularies

    def _events(self, items: list[Any], where: str, bare: bool = False) -> list[Event]:
        if len(items) > self._limits.events:
            raise DocumentError(
                ProblemCode.TOO_MANY,
                f"{len(items)} events; at most {self._limits.events} are read: divide the document",
                where,
            )
        reader = EventReader(self._context, self._report, self._limits)
        assembler = Assembler(self._report, self._limits)
        events: list[Event] = []
        for number, item in enumerate(items):
            raw = reader.raw(item, "" if bare else f"{where}/{number}", bare)
            event = None if raw is None else assembler.event(raw)
            items[number] = None  # a long document is in memory once: as values, or as events
            if event is not None:
                events.append(event)
        return events

    def _header(self, vocabularies: list[Any]) -> header.Front:
        """Everything but the events."""
        trees = JsonTrees(self._context, self._report, self._limits)
        others: dict[str, Tree] = {}
        entries = masterdata.Entries(self._limits.master_data)
        for number, item in enumerate(vocabularies):
            self._vocabulary(
                item, trees, entries, f"/epcisBody/queryResults/resultsBody/vocabularyList/{number}"
            )
        front = self._root.get("epcisHeader", {})
        if not isinstance(front, dict):
            self._report.problem(ProblemCode.WRONG_TYPE, "epcisHeader is an object", "/epcisHeader")
            front = {}
        master = front.get("epcisMasterData", {})
        listed = master.get("vocabularyList", []) if isinstance(master, dict) else None
        if not isinstance(listed, list):
            self._report.problem(
                ProblemCode.WRONG_TYPE, "epcisMasterData has a vocabularyList", "/epcisHeader/epcisMasterData"
            )
            listed = []
        for number, item in enumerate(listed):
            self._vocabulary(item, trees, entries, f"/epcisHeader/epcisMasterData/vocabularyList/{number}")
        self._collect(front, frozenset(("epcisMasterData",)), "/epcisHeader", trees, others)
        self._collect(self._root, _DOCUMENT, "", trees, others)
        texts = {}
        for name in ("sender", "receiver", "instanceIdentifier"):
            text = self._root.get(name)
            if text is not None and type(text) is not str:
                self._report.problem(ProblemCode.WRONG_TYPE, f"{name} is a text", token(name))
            texts[name] = text if type(text) is str else None
        return header.front(
            self._report,
            sender=(texts["sender"], "/sender"),
            receiver=(texts["receiver"], "/receiver"),
            instance_id=texts["instanceIdentifier"],
            entries=entries,
            others=others,
            where="/epcisHeader",
        )

    def _collect(
        self,
        parent: dict[str, Any],
        known: frozenset[str],
        where: str,
        trees: JsonTrees,
        into: dict[str, Tree],
    ) -> None:
        for key, value in parent.items():
            if key in known or key == "@context":
                continue
            place = where + token(key)
            try:
                trees.collect(key, value, into, place)
            except ValueProblem as error:
                self._report.caught(error, place)

    def _vocabulary(self, item: Any, trees: JsonTrees, entries: masterdata.Entries, where: str) -> None:
        try:
            for kind, identifier, attributes, place in trees.vocabulary(item, where):
                entries.add(kind, identifier, attributes, place)
        except ValueProblem as error:
            self._report.caught(error, where)
