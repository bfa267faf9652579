"""Our reader and GS1's JSON Schema judge alike, but where it is written down here.

The reader does without a schema validator; that it is as strict is shown on the corpora, and on full events of every
type from which each member in turn is taken away, or given values of every other kind.
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from ledger.epcis import DocumentError, read
from tests.ledger.epcis.documents import CASE, PACKAGE, PLACE, event, json_document
from tests.ledger.epcis.test_corpus import corpus
from tests.support.shared import shared_path

CLASS = "urn:epc:idpat:sgtin:0399999.000101.*"
FULL: dict[str, Any] = {
    "eventID": "urn:uuid:1",
    "certificationInfo": "https://example.com/c",
    "errorDeclaration": {
        "declarationTime": "2026-06-02T00:00:00Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:uuid:2"],
    },
    "bizStep": "packing",
    "disposition": "in_progress",
    "readPoint": {"id": PLACE},
    "bizLocation": {"id": PLACE},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0399999000017:1"}],
    "sourceList": [{"type": "location", "source": PLACE}],
    "destinationList": [{"type": "location", "destination": PLACE}],
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-06-01T10:00:00Z", "deviceID": "urn:epc:id:giai:4000001.111"},
            "sensorReport": [
                {"type": "Temperature", "value": 5.5, "uom": "CEL", "component": "x", "booleanValue": True}
            ],
        }
    ],
}  # fmt: skip
QUANTITIES = [{"epcClass": CLASS, "quantity": 5, "uom": "KGM"}]
PERSISTENT = {"set": ["recalled"], "unset": ["active"]}
TRANSFORMED = {
    "inputQuantityList": QUANTITIES,
    "outputQuantityList": QUANTITIES,
    "transformationID": "urn:x-y:1",
}
EVENTS = {
    "ObjectEvent": event("ObjectEvent", **FULL, quantityList=QUANTITIES, persistentDisposition=PERSISTENT),
    "commissioning": event("ObjectEvent", **FULL, action="ADD", ilmd={"cbvmda:lotNumber": "1"}),
    "AggregationEvent": event("AggregationEvent", **FULL, childQuantityList=QUANTITIES),
    "TransactionEvent": event("TransactionEvent", **FULL, quantityList=QUANTITIES, parentID=CASE),
    "TransformationEvent": event("TransformationEvent", **FULL, **TRANSFORMED, ilmd={"cbvmda:lotNumber": "1"}),
    "AssociationEvent": event("AssociationEvent", **FULL, childQuantityList=QUANTITIES),
    "deleting": event("AggregationEvent", **FULL, action="DELETE"),
}  # fmt: skip
DROPPED = "<dropped>"
NEW_VALUES: list[Any] = [
    DROPPED,
    None,
    5,
    -1,
    True,
    "",
    "x",
    "urn:x-y:1",
    [],
    ["urn:x-y:1"],
    [PACKAGE, PACKAGE],
    {},
    {"id": PLACE},
    {"colour": "red"},
]

TWICE = [PACKAGE, PACKAGE]

# Where one is stricter than the other: member, new value, and why that is right.
OURS_ALONE = [
    ("quantity", -1, "nothing is there in a quantity below zero"),
    ("parentID", DROPPED, "EPCIS 2.0, 7.4.3: parentID may be left out for OBSERVE alone"),
    ("type", "urn:x-y:1", "events of foreign types have no meaning here"),
]
SCHEMA_ALONE = [
    ("certificationInfo", "", "certificates decide nothing; real documents give plain text"),
    ("certificationInfo", "x", "as above"),
    ("epcList", TWICE, "lists are sets: what stands there twice counts once, and is noted"),
    ("inputEPCList", TWICE, "as above"),
    ("outputEPCList", TWICE, "as above"),
    ("persistentDisposition", TWICE, "as above"),
    ("sensorElementList", {}, "a report without type is noted: no rule looks at it"),
    ("sensorElementList", DROPPED, "as above"),
    ("sensorElementList", "", "a word that GS1 lacks for what is measured is noted"),
    ("sensorElementList", "x", "as above"),
]
# Files of the corpora on which the two disagree.
FILES = {
    "gs1/JSON/AssociationEvent/AssociationEvent-h.jsonld": "a name twice: parsers hide it from the schema",
    "SensorData_with_combined_events.json": "a word that GS1 lacks for what is measured",
    "TransactionEvent_with_userExtensions.json": "as above",
}


def validator() -> Any:
    schema = json.loads(shared_path("data/epcis/gs1/EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
    uri = re.compile(r"[A-Za-z_][A-Za-z0-9+.\-]*:")
    return jsonschema_rs.validator_for(
        schema, validate_formats=True, formats={"uri": lambda text: bool(uri.match(text))}
    )


def accepted(body: bytes) -> bool:
    try:
        read(body, "application/json")
    except DocumentError:
        return False
    return True


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    found = copy.deepcopy(value)
    at = found
    for step in path[:-1]:
        at = at[step]
    if new is DROPPED:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return found


@pytest.mark.parametrize("kind", EVENTS)
def test_a_full_event_bent_in_every_way_is_judged_alike(kind: str):
    schema = validator()
    whole = EVENTS[kind]
    assert accepted(json_document(whole))
    assert schema.is_valid(json.loads(json_document(whole)))
    judged = 0
    for path in paths(whole):
        for new in NEW_VALUES:
            body = json_document(changed(whole, path, new))
            ours, theirs = accepted(body), schema.is_valid(json.loads(body))
            if ours != theirs:
                known = SCHEMA_ALONE if ours else OURS_ALONE
                member = path[0] if ours else path[-1]
                assert any((member, new) == (name, value) for name, value, _ in known), (path, new)
            judged += 1
    assert judged > 400


def test_the_public_documents_are_judged_alike():
    schema = validator()
    different = []
    for name, path in corpus().items():
        if path.suffix != ".xml":
            body = path.read_bytes()
            if accepted(body) != schema.is_valid(json.loads(body)):
                different.append(name)
    assert all(any(name.endswith(known) for known in FILES) for name in different)
    assert len(different) == 5
