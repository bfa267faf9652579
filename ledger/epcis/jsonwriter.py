"""Events and what stands round them as EPCIS 2.0 JSON. What is written reads back to the same events, digest for
digest.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from ledger.custody.event import Event, Linked, Quantity, format_time
from ledger.epcis import header, masterdata
from ledger.epcis.document import Document
from ledger.epcis.names import CERTIFICATION, DECLARATION_EXTRAS, EPCIS, LINKED_LISTS, STANDARD_PREFIXES
from ledger.epcis.sensors import NUMBERS
from ledger.epcis.spelling import DIGITAL_LINK, Names, Speller, Spelling
from ledger.epcis.trees import Tree

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def write(
    document: Document,
    spelling: Spelling = DIGITAL_LINK,
    *,
    query_name: str | None = None,
    subscription_id: str | None = None,
    record_times: Sequence[datetime] | None = None,
) -> bytes:
    """The document as EPCIS 2.0 JSON (UTF-8): an EPCISDocument, or with `query_name` an EPCISQueryDocument.

    `record_times` (aware) stand one for one beside the events. Raises ValueError where ``document.created`` is
    missing, which both kinds need, and `Gs1Error` where the spelling's table of company prefixes is wrong.
    """
    if document.created is None:
        raise ValueError("a document says when it was made: give Document.created")
    writer = _Writer(spelling, document)
    events = [writer.event(event) for event in document.events]
    for written, moment in zip(events, record_times or (), strict=record_times is not None):
        written["recordTime"] = format_time(moment)
    front = writer.front(document)
    body: dict[str, Any] = {"eventList": events}
    if query_name is not None:
        subscription = {"subscriptionID": subscription_id} if subscription_id else {}
        body = {"queryResults": {**subscription, "queryName": query_name, "resultsBody": body}}
    root = {
        "@context": writer.context(),
        "type": "EPCISDocument" if query_name is None else "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": format_time(document.created),
        **(front if query_name is None else {}),
        "epcisBody": body,
    }
    return orjson.dumps(root)


def write_event(
    event: Event, spelling: Spelling = DIGITAL_LINK, record_time: datetime | None = None
) -> bytes:
    """One event alone, with its own ``@context``, as POST /events takes it and streams carry it."""
    writer = _Writer(spelling, None)
    written = writer.event(event)
    if record_time is not None:
        written["recordTime"] = format_time(record_time)
    return orjson.dumps({"@context": writer.context(), **written})


class _Writer:
    def __init__(self, spelling: Spelling, document: Document | None) -> None:
        self._names = Names(document.namespaces if document else ())
        self._epc = Speller(spelling).epc

    def context(self) -> list[Any]:
        own = {
            prefix: uri for prefix, uri in sorted(self._names.used.items()) if prefix not in STANDARD_PREFIXES
        }
        return [CONTEXT, own] if own else [CONTEXT]

    def event(self, event: Event) -> dict[str, Any]:
        extras = dict(event.extensions)
        found: dict[str, Any] = {
            "type": event.type,
            "eventID": event.event_id,
            "eventTime": format_time(event.event_time),
            "eventTimeZoneOffset": event.time_zone_offset,
            "certificationInfo": self._certification(extras),
            "errorDeclaration": self._declaration(event, extras),
            "parentID": event.parent and self._epc(event.parent),
            "epcList": self._epcs(event.epcs),
            "childEPCs": self._epcs(event.children),
            "inputEPCList": self._epcs(event.inputs),
            "outputEPCList": self._epcs(event.outputs),
            "quantityList": self._quantities(event.quantities),
            "childQuantityList": self._quantities(event.child_quantities),
            "inputQuantityList": self._quantities(event.input_quantities),
            "outputQuantityList": self._quantities(event.output_quantities),
            "transformationID": event.transformation_id,
            "action": event.action,
            "bizStep": event.biz_step,
            "disposition": event.disposition,
            "persistentDisposition": {
                name: list(words)
                for name, words in (("set", event.persistent_set), ("unset", event.persistent_unset))
                if words
            },
            "readPoint": self._place("readPoint", event.read_point, extras),
            "bizLocation": self._place("bizLocation", event.biz_location, extras),
            "bizTransactionList": self._linked("bizTransactionList", event.transactions),
            "sourceList": self._linked("sourceList", event.sources),
            "destinationList": self._linked("destinationList", event.destinations),
            "sensorElementList": [self._sensor(json.loads(text)) for text in event.sensors],
            "ilmd": {self._names.json(name): self._value(text) for name, text in event.ilmd},
        }
        for name, text in extras.items():
            found[self._names.json(name)] = self._value(text)
        return {name: value for name, value in found.items() if value not in (None, [], {})}

    def _epcs(self, texts: Sequence[str]) -> list[str]:
        return [self._epc(text) for text in texts]

    def _quantities(self, items: Sequence[Quantity]) -> list[dict[str, Any]]:
        found = []
        for item in items:
            written: dict[str, Any] = {"epcClass": self._epc(item.epc_class)}
            if item.quantity is not None:
                written["quantity"] = orjson.Fragment(item.quantity)
            if item.uom is not None:
                written["uom"] = item.uom
            found.append(written)
        return found

    def _linked(self, name: str, items: Sequence[Linked]) -> list[dict[str, str]]:
        spell = (lambda text: text) if name == "bizTransactionList" else self._epc
        return [
            {**({"type": item.type} if item.type else {}), LINKED_LISTS[name]: spell(item.id)}
            for item in items
        ]

    def _place(self, name: str, text: str | None, extras: dict[str, str]) -> dict[str, Any] | None:
        if text is None:
            return None
        return {"id": self._epc(text), **self._members(extras.pop(f"{EPCIS}#{name}", None))}

    def _declaration(self, event: Event, extras: dict[str, str]) -> dict[str, Any] | None:
        declared = event.declaration
        if declared is None:
            return None
        found: dict[str, Any] = {"declarationTime": format_time(declared.time)}
        if declared.reason:
            found["reason"] = declared.reason
        if declared.corrective_ids:
            found["correctiveEventIDs"] = list(declared.corrective_ids)
        return {**found, **self._members(extras.pop(DECLARATION_EXTRAS, None))}

    def _certification(self, extras: dict[str, str]) -> Any:
        value = json.loads(extras.get(CERTIFICATION, "null"))
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            return None
        del extras[CERTIFICATION]
        return value

    def _sensor(self, element: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in element.items():
            if name == "sensorMetadata":
                found[name] = self._sensor_part(value)
            elif name == "sensorReport":
                found[name] = [self._sensor_part(part) for part in value]
            else:
                found[self._names.json(name)] = self._tree(value)
        return found

    def _sensor_part(self, members: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in members.items():
            if name in NUMBERS:
                found[name] = orjson.Fragment(value)
            elif name == "booleanValue":
                found[name] = value == "true"
            else:
                found[self._names.json(name)] = self._tree(value)
        return found

    def _members(self, text: str | None) -> dict[str, Any]:
        found = self._value(text) if text is not None else {}
        return found if isinstance(found, dict) else {}

    def _value(self, text: str) -> Any:
        return self._tree(json.loads(text))

    def _tree(self, value: Tree) -> Any:
        if isinstance(value, dict):
            return {self._names.json(name): self._tree(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._tree(item) for item in value]
        return value

    # The front.

    def front(self, document: Document) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, gln in (("sender", document.sender), ("receiver", document.receiver)):
            if gln:
                found[name] = self._epc(f"https://id.gs1.org/414/{gln}")
        if document.instance_id is not None:
            found["instanceIdentifier"] = document.instance_id
        inner = {
            self._names.json(name): self._tree(tree) for name, tree in header.members_of(document, self._epc)
        }
        lists = self._vocabularies(document)
        if lists:
            inner["epcisMasterData"] = {"vocabularyList": lists}
        if inner:
            found["epcisHeader"] = inner
        return found

    def _vocabularies(self, document: Document) -> list[dict[str, Any]]:
        found = []
        for kind, elements in masterdata.vocabularies(document, self._epc):
            listed = [
                {
                    "id": identifier,
                    "attributes": [{"id": name, "attribute": self._tree(tree)} for name, tree in attributes],
                }
                for identifier, attributes in elements
            ]
            found.append({"type": kind, "vocabularyElementList": listed})
        return found
