"""What is written reads back to the same events, digest for digest, in each form and each spelling of EPCs."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st
from lxml import etree

from ledger.custody.event import Event
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import Document, Form, json20, read, xml12, xml20
from ledger.epcis.document import LocationMaster, ProductMaster, TransactionStatement
from ledger.epcis.spelling import DIGITAL_LINK, Spelling
from tests.ledger.epcis.generated import events
from tests.support.shared import shared_path

CREATED = datetime(2026, 6, 1, 15, tzinfo=UTC)
WRITERS = {"json20": json20.write, "xml12": xml12.write, "xml20": xml20.write}
SPELLINGS = {"links": DIGITAL_LINK, "urns": Spelling(lambda canonical: 7)}
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(st.lists(events(), min_size=1, max_size=2).map(tuple))
def test_events_survive_being_written_and_read(found: tuple[Event, ...]):
    digests = [event.digest for event in found]
    for form, spelling in itertools.product(WRITERS, SPELLINGS):
        body = WRITERS[form](Document(Form(form), found, created=CREATED), SPELLINGS[spelling])
        back = read(body)
        note(f"{form}, written as {spelling}")
        assert back.form == form
        assert back.events == found
        assert [event.digest for event in back.events] == digests


@QUICK
@given(events())
def test_a_bare_event_survives_being_written_and_read(event: Event):
    (back,) = json20.read(json20.write_event(event)).events
    assert back == event


@pytest.mark.parametrize(
    ("form", "schema"),
    [("xml12", "XSL/1.2/XSD/EPCglobal-epcis-1_2.xsd"), ("xml20", "XSD/EPCglobal-epcis-2_0.xsd")],
)
def test_written_xml_is_valid_against_the_schema(form: str, schema: str):
    xsd = etree.XMLSchema(etree.parse(shared_path("data/epcis/gs1") / schema))

    @QUICK
    @given(events())
    @example(Event(EventType.OBJECT, CREATED, "+00:00", action=Action.ADD, epcs=("https://example.com/1",)))
    def holds(event: Event) -> None:
        body = WRITERS[form](full_front(event), SPELLINGS["urns"])
        xsd.assertValid(etree.fromstring(body))

    holds()


def full_front(event: Event) -> Document:
    return Document(
        Form.XML12,
        (event,),
        created=CREATED,
        sender="0300011111116",
        receiver="0399999999991",
        instance_id="42",
        products=(
            ProductMaster(
                "00300010123455",
                "0001-0123-45",
                "US_FDA_NDC",
                "Epcistra",
                "GS1 Pharma",
                "PILL",
                "100mg",
                "500",
            ),
            ProductMaster(
                "10300010123452", name="Epcistra", other=(("urn:epcglobal:cbv:mda#note", '"two words"'),)
            ),
        ),
        locations=(
            LocationMaster(
                "https://id.gs1.org/414/0300011111116",
                "GS1 Pharma",
                "1 Biopharm Ct",
                "Suite A",
                "Thousand Oaks",
                "CA",
                "91320",
                "US",
            ),
            LocationMaster("https://id.gs1.org/417/0399999999991", name="Wholesaler"),
        ),
        statement=TransactionStatement(
            affirmed=True,
            legal_notice="Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G).",
            guideline_version="GS1 US DSCSA R1.3",
            direct_purchase="PARTIALLY_DIRECT",
            direct_purchase_statement="Bought from the manufacturer",
            received_direct_purchase=False,
            indirect_epcs=(
                "https://id.gs1.org/01/00300010123455/21/11",
                "https://id.gs1.org/01/00300010123455/21/12",
            ),
            other=(("http://epcis.gs1us.org/hc/ns#more", '"x"'),),
        ),
        headers=(("http://example.com/e1#tag", '{"@unit":"a","inner":["1","2"]}'),),
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("form", WRITERS)
def test_what_stands_round_the_events_survives_too(form: str, spelling: str):
    event = Event(EventType.OBJECT, CREATED, "+00:00", action=Action.ADD, epcs=("https://example.com/1",))
    before = full_front(event)
    back = read(WRITERS[form](before, SPELLINGS[spelling]))
    for field in "events created sender receiver instance_id products locations statement headers".split():
        assert getattr(back, field) == getattr(before, field), field


def test_the_r12_statement_keeps_its_plain_direct_purchase():
    statement = TransactionStatement(affirmed=False, direct_purchase="true")
    for write in WRITERS.values():
        assert (
            read(write(Document(Form.XML12, (), created=CREATED, statement=statement))).statement == statement
        )


def test_a_query_document_carries_record_times_which_are_no_part_of_the_event():
    event = Event(EventType.OBJECT, CREATED, "+00:00", action=Action.ADD, epcs=("https://example.com/1",))
    document = Document(Form.JSON20, (event,), created=CREATED)
    body = json20.write(document, query_name="SimpleEventQuery", record_times=[CREATED])
    written = json.loads(body)["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]
    assert written["recordTime"] == "2026-06-01T15:00:00.000000Z"
    assert read(body).events == (event,)
    with pytest.raises(ValueError, match="shorter"):
        json20.write(document, record_times=[])


def test_a_document_without_its_time_cannot_be_written():
    for write in WRITERS.values():
        with pytest.raises(ValueError, match=r"Document\.created"):
            write(Document(Form.XML12, ()))


def test_indented_xml_is_the_same_document():
    event = Event(
        EventType.OBJECT,
        CREATED,
        "+00:00",
        action=Action.ADD,
        epcs=("https://example.com/1",),
        ilmd=(("urn:example:e2#a", '{"part1":["1","2"]}'),),
    )
    document = Document(Form.XML12, (event,), created=CREATED)
    assert xml12.write(document, indent=True).count(b"\n") > 10
    assert read(xml12.write(document, indent=True)).events == read(xml12.write(document)).events


def test_namespaces_are_written_as_they_were_read():
    body = b"""{"@context": [{"own": "http://example.com/own#"}], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "2026-06-01T15:00:00Z", "epcisBody": {"eventList": [{"type": "ObjectEvent", "action": "ADD",
        "eventTime": "2026-06-01T15:00:00Z", "eventTimeZoneOffset": "+00:00", "epcList": ["https://example.com/1"],
        "own:colour": "red"}]}}"""
    document = read(body)
    assert json.loads(json20.write(document))["@context"][1] == {"own": "http://example.com/own#"}
    assert b'xmlns:own="http://example.com/own#"' in xml12.write(document)
