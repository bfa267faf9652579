"""Small documents to bend: one event in JSON as a dict, in XML as text."""

import json
from typing import Any

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PACKAGE = "urn:epc:id:sgtin:0399999.000101.A1"
CASE = "urn:epc:id:sscc:0399999.1000000001"
PLACE = "urn:epc:id:sgln:0399999.00001.0"

_REQUIRED: dict[str, dict[str, Any]] = {
    "ObjectEvent": {"action": "OBSERVE", "epcList": [PACKAGE]},
    "AggregationEvent": {"action": "ADD", "parentID": CASE, "childEPCs": [PACKAGE]},
    "TransactionEvent": {
        "action": "ADD",
        "epcList": [PACKAGE],
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:0399999000017:1"}],
    },
    "TransformationEvent": {"inputEPCList": [PACKAGE], "outputEPCList": [CASE]},
    "AssociationEvent": {"action": "ADD", "parentID": CASE, "childEPCs": [PACKAGE]},
}


def event(kind: str = "ObjectEvent", **members: Any) -> dict[str, Any]:
    """An event with what its type demands; a member given as None is left out."""
    found = {
        "type": kind,
        "eventTime": "2026-06-01T10:00:00Z",
        "eventTimeZoneOffset": "-04:00",
        **_REQUIRED[kind],
        **members,
    }
    return {name: value for name, value in found.items() if value is not None}


def json_document(*events: dict[str, Any], context: Any = CONTEXT, **members: Any) -> bytes:
    document = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-06-01T15:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **members,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


XML_EVENT = f"""<ObjectEvent><eventTime>2026-06-01T10:00:00Z</eventTime>
<eventTimeZoneOffset>-04:00</eventTimeZoneOffset><epcList><epc>{PACKAGE}</epc></epcList><action>OBSERVE</action>
</ObjectEvent>"""


def xml_document(events: str = XML_EVENT, header: str = "", prolog: str = "", version: str = "1.2") -> bytes:
    return f"""{prolog}<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:{version[0]}" schemaVersion="{version}"
 xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:ex="http://example.com/ex/"
 creationDate="2026-06-01T15:00:00Z">{header}<EPCISBody><EventList>{events}</EventList></EPCISBody>
</epcis:EPCISDocument>""".encode()
