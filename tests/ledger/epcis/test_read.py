"""Which form a body is in: told by the content type, else by its first bytes."""

import pytest

from ledger.epcis import DocumentError, Form, read
from tests.ledger.epcis.documents import XML_EVENT, event, json_document, xml_document

BODIES = {
    Form.JSON20: json_document(event()),
    Form.XML12: xml_document(),
    Form.XML20: xml_document(version="2.0"),
}
TYPES = {
    Form.JSON20: ["application/json", "application/ld+json; charset=utf-8", "APPLICATION/JSON"],
    Form.XML12: ["application/xml", "text/xml; charset=utf-8"],
    Form.XML20: ["application/xml", "text/xml"],
}


@pytest.mark.parametrize("form", BODIES)
def test_the_form_is_known_with_and_without_a_content_type(form: Form):
    for content_type in [*TYPES[form], None, "application/octet-stream"]:
        assert read(BODIES[form], content_type).form == form
    assert read(b" \n" + BODIES[form]).form == form


def test_all_forms_tell_the_same_event():
    documents = [read(body) for body in BODIES.values()]
    assert {document.events[0].digest for document in documents} == {
        read(json_document(event(epcList=["urn:epc:id:sgtin:0399999.000101.A1"]))).events[0].digest
    }


@pytest.mark.parametrize(
    "content_type", ["text/html", "application/pdf", "multipart/form-data; boundary=x", "json", "text/plain"]
)
def test_another_content_type_is_refused(content_type: str):
    with pytest.raises(DocumentError) as caught:
        read(BODIES[Form.JSON20], content_type)
    assert caught.value.code == "unsupported_media_type"


def test_a_content_type_that_lies_is_refused():
    with pytest.raises(DocumentError, match="Expecting value"):
        read(BODIES[Form.XML12], "application/json")
    with pytest.raises(DocumentError, match="XML"):
        read(BODIES[Form.JSON20], "application/xml")


def test_a_bare_xml_event_is_read():
    assert read(XML_EVENT.encode()).events == read(xml_document()).events
