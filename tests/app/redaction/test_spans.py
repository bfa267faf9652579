"""Placeholders stand for exactly what is erasable, in every form, and the original comes back byte for byte."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.erasable import spans
from app.erasable.spans import MARK, restore
from ledger.custody.erasable import is_erasable
from ledger.custody.event import Event
from ledger.epcis import xml12, xml20
from ledger.epcis.document import Document, Form
from ledger.epcis.errors import DocumentError
from ledger.epcis.jsonwriter import write
from ledger.epcis.read import read
from tests.ledger.epcis.generated import events
from tests.support.shared import shared_path


def check(raw: bytes, *, must: bool) -> int:
    """How many fields were found in `raw`; it must work out where `must`."""
    document = read(raw, None, spans.UNBOUNDED)
    found = spans.find(raw, document)
    if found is None:
        assert not must, raw[:2000]
        return 0
    assert (
        restore(found.raw, [s for group in (*found.fields.values(), *found.header.values()) for s in group])
        == raw
    )
    again = read(found.raw, None, spans.UNBOUNDED)
    for before, after in zip(document.events, again.events, strict=True):
        left = {(f.path, str(f)) for f in after.fields() if is_erasable(f.path)}
        assert all(MARK in text for _, text in left)
        assert {path for path, _ in left} == {f.path for f in before.fields() if is_erasable(f.path)}
    return len(found.fields)


@given(st.lists(events(), min_size=1, max_size=3), st.sampled_from(["json20", "xml12", "xml20"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_documents(some: list[Event], form: str) -> None:
    writer = {"json20": write, "xml12": xml12.write, "xml20": xml20.write}[form]
    raw = writer(Document(Form(form), tuple(some), created=datetime(2026, 1, 1, tzinfo=UTC)))
    try:
        read(raw, None, spans.UNBOUNDED)
    except DocumentError:
        return  # what the writer gives, and no reader takes, is no document that is captured
    check(raw, must=True)


def test_the_corpus() -> None:
    found = 0
    for path in sorted(shared_path("data").rglob("*")):
        if path.suffix not in (".json", ".xml", ".jsonld") or path.stat().st_size > 40_000:
            continue
        raw = path.read_bytes()
        try:
            document = read(raw, None, spans.UNBOUNDED)
        except DocumentError:
            continue
        if spans.may_have_any(raw, document):
            found += check(raw, must=True)
    assert found > 100


@pytest.mark.parametrize(
    "value",
    [
        '"a\\u0022}, b"',
        '{"ex:a": [1, true, {"ex:b": "}"}]}',
        "[[], [1]]",
        '"\u00e9\U0001f600"',
        "-1.50e3",
        '" x "',
    ],
)
def test_json_values_of_every_kind(value: str) -> None:
    head = '\ufeff{"@context": [{"ex": "http://example.com/ns#"}], "type": "EPCISDocument", "schemaVersion": "2.0",\n'
    when = '"eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "OBSERVE"'
    inner = (
        f'"ex:note" : {value} , "ex:none": null, "readPoint": {{"id": "urn:epc:id:sgln:0614141.07346.1234", '
    )
    event = f'{{"type": "ObjectEvent", {when}, "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"], {inner}'
    event += f'"ex:door": {value}}}}}'
    text = head + f'"creationDate": "2026-01-01T00:00:00Z", "ex:\u00fcber": {value}, '
    text += f'"epcisBody": {{"eventList": [{event}]}}}}'
    assert check(text.encode(), must=True) == 2


@pytest.mark.parametrize(
    "inner",
    ['<x:note xmlns:x="http://e.com/ns" who="A>B"/>', '<x:note xmlns:x="http://e.com/ns">/></x:note >',
     '<x:note xmlns:x="http://e.com/ns"><x:a><![CDATA[</x:note>]]></x:a></x:note>', '<note>plain</note>',
     '<x:note xmlns:x="http://e.com/ns">\u00e9</x:note><x:note xmlns:x="http://e.com/ns">b</x:note>'],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_xml_elements_of_every_kind(inner: str, encoding: str) -> None:
    text = f"""<?xml version="1.0" encoding="{encoding}"?><e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"
      schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList><ObjectEvent>
      <eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
      <epcList><epc>urn:epc:id:sgtin:0614141.107346.2018</epc></epcList><action>OBSERVE</action>{inner}
      </ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"""
    assert check(text.encode(encoding), must=True) == 1


def test_a_document_that_has_marks_of_its_own_is_not_taken_apart() -> None:
    raw = write(Document(Form.JSON20, (), created=datetime(2026, 1, 1, tzinfo=UTC)))
    marked = raw.replace(b'"EPCISDocument"', b'"EPCISDocument", "instanceIdentifier": "packproof:erasable:0"')
    assert marked != raw
    assert spans.find(marked, read(marked, None, spans.UNBOUNDED)) is None
