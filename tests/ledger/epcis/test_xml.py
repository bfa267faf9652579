"""XML: the slips that real senders make are tolerated with a note, and everything else is refused with its line."""

import pytest

from ledger.epcis import Document, DocumentError, Limits, NoteCode, read, xml12, xml20
from tests.ledger.epcis.documents import PACKAGE, PLACE, XML_EVENT, xml_document

QUANTITY = (
    "<quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:0399999.000101.*</epcClass><quantity>5.0</quantity>"
    "</quantityElement></quantityList>"
)
NESTED = f"<extension>{QUANTITY}</extension>"


def with_tail(tail: str) -> str:
    return XML_EVENT.replace("</ObjectEvent>", f"{tail}</ObjectEvent>")


def codes(document: Document) -> list[str]:
    return [note.code for note in document.notes if note.code != NoteCode.NO_EVENT_ID]


def refused(body: bytes) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        read(body, "application/xml")
    return caught.value.code, caught.value.where


@pytest.mark.parametrize(
    ("slip", "right", "note"),
    [
        (xml_document(with_tail(QUANTITY)), xml_document(with_tail(NESTED)), NoteCode.OUTSIDE_EXTENSION),
        (xml_document(with_tail(f"<extension>{NESTED}</extension>")), xml_document(with_tail(NESTED)), None),
        (xml_document().replace(b"EPCISBody", b"epcisbody"), xml_document(), NoteCode.LENIENT_CASE),
        (xml_document().replace(b"EventList", b"eventList"), xml_document(), NoteCode.LENIENT_CASE),
        (xml_document().replace(b"action>", b"epcis:action>"), xml_document(), NoteCode.QUALIFIED_NAME),
        (xml_document(XML_EVENT.replace("<eventTime>", "<!-- c --><eventTime> \n ")), xml_document(), None),
        (xml_document(prolog="<?xml version='1.0'?>\n<!-- hello --><?pi x?>"), xml_document(), None),
    ],
)  # fmt: skip
def test_a_slip_is_tolerated_and_said(slip: bytes, right: bytes, note: NoteCode | None):
    document = read(slip)
    assert document.events == read(right).events
    assert set(codes(document)) == ({note} if note else set())


def test_the_order_of_elements_does_not_matter_but_is_noted():
    action = "<action>OBSERVE</action>"
    jumbled = XML_EVENT.replace(action, "").replace("<eventTime>", f"{action}<eventTime>")
    document = read(xml_document(jumbled))
    assert document.events == read(xml_document()).events
    assert codes(document) == [NoteCode.ELEMENT_ORDER]


def test_12_and_20_say_the_same_in_their_own_places():
    tail = f"<bizLocation><id>{PLACE}</id></bizLocation>"
    old = with_tail(f"{tail}<extension>{QUANTITY}</extension><ex:colour unit='a'>red</ex:colour>")
    new = with_tail(f"{tail}{QUANTITY}<ex:colour unit='a'>red</ex:colour>")
    one, other = read(xml_document(old)), read(xml_document(new, version="2.0"))
    assert (one.form, other.form) == ("xml12", "xml20")
    assert one.events == other.events
    assert not codes(one)
    assert not codes(other)
    assert one.events[0].extensions == (("http://example.com/ex#colour", '{"#text":"red","@unit":"a"}'),)


def test_event_id_and_error_declaration_come_from_the_base_extension():
    head = (
        "<baseExtension><eventID>urn:uuid:1</eventID><errorDeclaration><declarationTime>2026-06-02T00:00:00Z"
    )
    head += "</declarationTime><reason>urn:epcglobal:cbv:er:incorrect_data</reason><correctiveEventIDs>"
    head += "<correctiveEventID>urn:uuid:2</correctiveEventID></correctiveEventIDs></errorDeclaration></baseExtension>"
    (event,) = read(xml_document(XML_EVENT.replace("<epcList>", f"{head}<epcList>"))).events
    assert event.event_id == "urn:uuid:1"
    assert event.declaration is not None
    assert (event.declaration.reason, event.declaration.corrective_ids) == ("incorrect_data", ("urn:uuid:2",))


UNDATED = [
    NoteCode.CREATION_TIME_MISSING,
    NoteCode.CREATION_TIME_WITHOUT_T,
    NoteCode.CREATION_TIME_UNREADABLE,
]


@pytest.mark.parametrize(
    ("written", "created", "notes"),
    [
        ("2026-06-01T08:00:00Z", "2026-06-01T08:00:00+00:00", []),
        ("2026-06-01 08:00:00Z", "2026-06-01T08:00:00+00:00", [NoteCode.CREATION_TIME_WITHOUT_T]),
        ("2026-06-01", "2026-06-01T00:00:00+00:00", [NoteCode.CREATION_TIME_WITHOUT_T]),
        ("soon", None, UNDATED),
    ],
)
def test_the_headers_time_is_read_as_written(written: str, created: str | None, notes: list[str]):
    header = f"""<EPCISHeader><sbdh:StandardBusinessDocumentHeader>
    <sbdh:Sender><sbdh:Identifier
    Authority="GLN">0399999000017 </sbdh:Identifier></sbdh:Sender>
    <sbdh:Sender><sbdh:Identifier>0399999999991</sbdh:Identifier></sbdh:Sender>
    <sbdh:DocumentIdentification><sbdh:CreationDateAndTime>{written}</sbdh:CreationDateAndTime>
    </sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader></EPCISHeader>"""
    body = xml_document(header=header).replace(b' creationDate="2026-06-01T15:00:00Z"', b"")
    document = read(body)
    assert (document.created and document.created.isoformat()) == created
    assert document.sender == "0399999000017"
    assert codes(document) == [*notes, NoteCode.SEVERAL_PARTIES]


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "not_xml", ""),
        (b"hello", "not_xml", ""),
        (b"<a>", "not_xml", "line 1"),
        (xml_document()[:-5], "not_xml", "line 6"),
        (b"<html/>", "not_a_document", "line 1"),
        (xml_document().replace(b"xsd:1", b"xsd:7"), "unsupported_version", "line 3"),
        (xml_document().replace(b'schemaVersion="1.2"', b'schemaVersion="2.0"'), "unsupported_version", "line 3"),
        (xml_document().replace(b'schemaVersion="1.2"', b""), "missing", "line 3"),
        (xml_document().replace(b"EPCISBody", b"Body"), "missing", "line 3"),
        (xml_document("<QuantityEvent/>"), "unknown_event_type", "line 3"),
        (xml_document("<ex:ObjectEvent/>"), "unknown_event_type", "line 3"),
        (xml_document(with_tail("<action>ADD</action>")), "duplicate_name", "line 5"),
        (xml_document(XML_EVENT.replace(PACKAGE, "x")), "bad_epc", "line 4"),
        (xml_document(XML_EVENT.replace(f"<epc>{PACKAGE}</epc>", f"<id>{PACKAGE}</id>")), "unknown_member", "line 4"),
        (xml_document(XML_EVENT.replace("OBSERVE", "<b>OBSERVE</b>")), "wrong_type", "line 4"),
        (xml_document(with_tail("<ex:a>text<ex:b/></ex:a>")), "wrong_type", "line 5"),
        (xml_document(with_tail("<ex:a>&nbsp;</ex:a>")), "not_xml", "line 5"),
        (xml_document(with_tail("<ex:a b='&nbsp;'/>")), "not_xml", "line 5"),
        (xml_document(prolog="<?xml version='1.0' encoding='UTF-7'?>"), "encoding", ""),
        (xml_document().decode().encode("utf-16-le"), "encoding", ""),
        (xml_document().decode().encode("utf-32"), "encoding", ""),
        (xml_document(with_tail("<ex:a>\xff</ex:a>")).replace("\xff".encode(), b"\xff"), "not_xml", "line 5"),
    ],
)  # fmt: skip
def test_bad_xml_is_refused_with_its_line(body: bytes, code: str, place: str):
    found, where = refused(body)
    assert found == code
    assert where.startswith(place)
    assert bool(where) == bool(place)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_encoding_does_not_change_the_event(encoding: str):
    declared = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    body = xml_document(
        with_tail("<ex:a>Größe</ex:a>"), prolog=f"<?xml version='1.0' encoding='{declared}'?>"
    )
    document = read(body.decode().encode(encoding))
    assert document.events[0].extensions == (("http://example.com/ex#a", '"Größe"'),)


def test_an_extension_that_holds_an_event_is_an_extension():
    inner = "<ex:copy><ObjectEvent><eventTime>never</eventTime></ObjectEvent></ex:copy>"
    (event,) = read(xml_document(with_tail(inner))).events
    assert event.extensions == (("http://example.com/ex#copy", '{"ObjectEvent":{"eventTime":"never"}}'),)


def test_an_unknown_element_without_namespace_is_kept_and_noted():
    document = read(xml_document(with_tail("<extension><future>1</future></extension>")))
    assert document.events[0].extensions == (("https://ref.gs1.org/epcis#future", '"1"'),)
    assert codes(document) == [NoteCode.UNQUALIFIED_NAME]


def test_problems_of_all_events_are_told_with_their_lines():
    bad = XML_EVENT.replace("OBSERVE", "GO")
    with pytest.raises(DocumentError) as caught:
        read(xml_document(bad + "\n" + XML_EVENT + "\n" + bad))
    lines = [problem.where.split(",")[0] for problem in caught.value.problems]
    assert lines == ["line 4", "line 10"]


def test_a_reader_of_one_version_refuses_the_other():
    for reader, body in ((xml12, xml_document(version="2.0")), (xml20, xml_document())):
        with pytest.raises(DocumentError, match="namespace"):
            reader.read(body)


def test_limits_are_held():
    body = xml_document(XML_EVENT * 2)
    for limits, code in (
        (Limits(body_bytes=10), "too_large"),
        (Limits(events=1), "too_many"),
        (Limits(epcs_per_event=0), "too_many"),
    ):
        with pytest.raises(DocumentError) as caught:
            xml12.read(body, limits)
        assert caught.value.code == code
