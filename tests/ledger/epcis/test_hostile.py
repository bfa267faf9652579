"""Documents that attack: each is refused with its code, in 50 ms and 50 MB, and only `DocumentError` ever escapes."""

import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.epcis import Document, DocumentError, Limits, json20, read, xml12, xml20
from tests.ledger.epcis.documents import XML_EVENT, event, json_document, xml_document
from tests.support.speed import within

MOST_SECONDS = 0.05
MOST_BYTES = 50_000_000
DEEP = 100_000

XXE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>"""
LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
)
PARAMETER = """<!DOCTYPE x [<!ENTITY % d SYSTEM "http://127.0.0.1:9/x.dtd"> %d;]>"""
ATTRIBUTES = " ".join(f"a{n}='x'" for n in range(20_001))
WRAPPERS = "<extension>" * 90 + "</extension>" * 90
UNICODE_16 = f"<?xml version='1.0' encoding='UTF-16'?>{XXE[21:]}{xml_document().decode()}"


def with_text(text: str) -> str:
    return XML_EVENT.replace("</ObjectEvent>", f"<ex:a>{text}</ex:a></ObjectEvent>")


def raw_json(inner: str) -> bytes:
    return json_document(event(**{"x:a": "@@"})).replace(b'"@@"', inner.encode("utf-8", "surrogatepass"))


def nested_members(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


XML = {
    "external entity": (xml_document(with_text("&e;"), prolog=XXE), "doctype"),
    "entity bomb": (xml_document(with_text("&a11;"), prolog=LAUGHS + "]>"), "doctype"),
    "parameter entity": (xml_document(prolog=PARAMETER), "doctype"),
    "doctype alone": (xml_document(prolog="<!DOCTYPE project>"), "doctype"),
    "doctype behind comments": (xml_document(prolog="<!-- <a> --><?x <b?> \n" * 1000 + XXE[21:]), "doctype"),
    "doctype in UTF-16 LE": (b"\xff\xfe" + UNICODE_16.encode("utf-16-le"), "doctype"),
    "doctype in UTF-16 BE": (b"\xfe\xff" + UNICODE_16.encode("utf-16-be"), "doctype"),
    "doctype in UTF-16 without mark": (UNICODE_16.encode("utf-16-be"), "encoding"),
    "doctype in UTF-7": (XXE.encode().replace(b"?>", b" encoding='utf-7'?>"), "encoding"),
    "EBCDIC": (UNICODE_16.encode("cp500"), "not_xml"),
    "unknown entity": (xml_document(with_text("&nbsp;")), "not_xml"),
    "deep elements": (xml_document(with_text("<b>" * DEEP + "</b>" * DEEP)), "too_deep"),
    "deep elements within libxml2's limit": (xml_document(with_text("<b>" * 80 + "</b>" * 80)), "too_deep"),
    "deep extensions": (xml_document(with_text("").replace("<ex:a></ex:a>", WRAPPERS)), "too_deep"),
    "zero character": (xml_document(with_text("a\x00b")), "encoding"),
    "zero character reference": (xml_document(with_text("&#0;")), "not_xml"),
    "surrogate reference": (xml_document(with_text("&#xD800;")), "not_xml"),
    "prolog without end": (b"<?xml " + b"a" * 1_000_000, "not_xml"),
    "comment without end": (b"<!--" * 100_000, "not_xml"),
    "many attributes": (xml_document(with_text(f"<b {ATTRIBUTES}/>")), "too_many"),
    "undeclared prefix": (xml_document(with_text("<nobody:b/>")), "not_xml"),
    "long text": (xml_document(with_text("x" * 20_000)), "too_many"),
}  # fmt: skip
JSON = {
    "deep objects": (raw_json(nested_members(DEEP)), "too_deep"),
    "deep arrays": (raw_json("[" * DEEP + "]" * DEEP), "too_deep"),
    "deep and unclosed": (raw_json("[" * DEEP), "too_deep"),
    "deep within the parser's limit": (raw_json(nested_members(200)), "too_deep"),
    "name twice at the top": (json_document(event())[:-1] + b', "type": "EPCISDocument"}', "duplicate_name"),
    "name twice deep inside": (raw_json('{"a": [{"b": {"c": 1, "d": 2, "c": 1}}]}'), "duplicate_name"),
    "name twice by an escape": (raw_json('{"a": 1, "\\u0061": 2}'), "duplicate_name"),
    "name twice inside what it hides": (raw_json('{"a": {"b": 1, "b": 2}, "a": 3}'), "duplicate_name"),
    "1e999": (raw_json("1e999"), "bad_number"),
    "-1e999": (raw_json("[-1e999]"), "bad_number"),
    "NaN": (raw_json("NaN"), "bad_number"),
    "Infinity": (raw_json("-Infinity"), "bad_number"),
    "huge integer": (raw_json("9" * 1_000_000), "bad_number"),
    "long fraction": (raw_json("0." + "1" * 100_000), "bad_number"),
    "high surrogate": (raw_json('"\\ud800"'), "bad_text"),
    "low surrogate": (raw_json('"\\uDFFF x"'), "bad_text"),
    "surrogate in a name": (raw_json('{"\\ud83d": 1}'), "bad_text"),
    "surrogate where nobody looks": (json_document(event())[:-1] + b', "id": "\\ud800"}', "bad_text"),
    "raw surrogate": (raw_json('"\ud800"'), "encoding"),
    "zero character": (raw_json('"\\u0000"'), "bad_text"),
    "raw zero character": (raw_json('"\x00"'), "not_json"),
    "escape character": (raw_json('"\\u001b[31m"'), "bad_text"),
    "noncharacter": (raw_json('"\\uFFFE"'), "bad_text"),
    "overlong UTF-8": (raw_json('"@@"').replace(b"@@", b"\xc0\xaf"), "encoding"),
    "UTF-16": (json_document(event()).decode().encode("utf-16"), "encoding"),
    "comment": (raw_json("1 /* x */"), "not_json"),
    "trailing comma": (raw_json("[1,]"), "not_json"),
    "two documents": (json_document(event()) * 2, "not_json"),
    "many members": (raw_json(json.dumps({f"a{n}": 1 for n in range(20_001)})), "too_many"),
    "long text": (raw_json('"' + "x" * 20_000 + '"'), "too_many"),
    "not an object": (b"[]", "not_a_document"),
    "empty": (b"", "not_json"),
}  # fmt: skip
CASES = [*((name, "application/xml", *case) for name, case in XML.items())]
CASES += [(name, "application/json", *case) for name, case in JSON.items()]


@pytest.mark.parametrize(
    ("name", "kind", "body", "code"), CASES, ids=[f"{case[1][12:]}: {case[0]}" for case in CASES]
)
def test_an_attack_is_refused_quickly_and_in_little_memory(name: str, kind: str, body: bytes, code: str):
    def refuse() -> None:
        with pytest.raises(DocumentError) as caught:
            read(body, kind)
        assert caught.value.code == code, caught.value.message

    within(MOST_SECONDS, refuse)
    tracemalloc.start()
    with pytest.raises(DocumentError):
        read(body, kind)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES


def test_the_duplicate_is_pointed_at():
    with pytest.raises(DocumentError) as caught:
        read(JSON["name twice deep inside"][0])
    assert caught.value.where == "/epcisBody/eventList/0/x:a/a/0/b"


def test_a_pair_of_surrogates_is_a_character():
    (found,) = read(raw_json('"\\ud83d\\ude00 \\\\ud800"')).events
    assert json.loads(found.extensions[0][1]) == "😀 \\ud800"


def test_no_message_repeats_a_document():
    long = "A" * 9_000
    for body in (
        json_document(event(bizStep=long, eventTime=long, eventID=long + " ", epcList=[long])),
        xml_document(with_text("<b>" + long + "</c>")),
    ):
        with pytest.raises(DocumentError) as caught:
            read(body)
        assert all(len(problem.message) < 500 for problem in caught.value.problems)


QUICK = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SMALL = Limits(body_bytes=200_000)
NAMES = st.sampled_from(
    "id type set @context ex:a #text @a quantity epcClass sensorReport value eventTime".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["ADD", "2026-06-01T10:00:00Z", "urn:x-y:1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    "eventTime eventTimeZoneOffset eventID action bizStep disposition parentID epcList childEPCs quantityList "
    "readPoint bizLocation bizTransactionList sourceList destinationList persistentDisposition errorDeclaration "
    "sensorElementList ilmd certificationInfo transformationID recordTime type isA @context ex:a".split()
)


def survives(reader, body: bytes) -> None:
    try:
        document = reader.read(body, SMALL)
    except DocumentError as error:
        assert error.problems
        assert str(error)
    else:
        assert isinstance(document, Document)
        for found in document.events:
            assert found.digest


@QUICK
@given(MEMBERS, VALUES)
def test_any_value_in_any_member_is_read_or_refused(name: str, value: object):
    survives(json20, json_document({**event("ObjectEvent"), name: value}))


@QUICK
@given(
    st.sampled_from(
        ["@context", "epcisHeader", "epcisBody", "sender", "schemaVersion", "creationDate", "id", "ex:a"]
    ),
    VALUES,
)
def test_any_value_in_the_frame_is_read_or_refused(name: str, value: object):
    survives(json20, json_document(event(), **({"context": value} if name == "@context" else {name: value})))


@QUICK
@given(
    st.sampled_from([json20, xml12, xml20]), st.binary(max_size=60), st.integers(0, 900), st.integers(0, 30)
)
def test_any_bytes_anywhere_are_read_or_refused(reader, noise: bytes, at: int, cut: int):
    whole = (
        json_document(event(action="ADD", ilmd={"cbvmda:lotNumber": "1"}))
        if reader is json20
        else xml_document(version="1.2" if reader is xml12 else "2.0")
    )
    survives(reader, whole[:at] + noise + whole[at + cut :])


TAGS = st.sampled_from(
    "ObjectEvent extension epcList epc ilmd readPoint id sensorElementList sensorElement sensorReport ex:a action "
    "errorDeclaration quantityList quantityElement quantity persistentDisposition set Vocabulary".split()
)
MARKS = st.sampled_from(["", " type='x'", " ex:b='1'", " id='urn:x-y:1'"])


def element(tag: str, items: list[str], mark: str) -> str:
    return f"<{tag}{mark}>{''.join(items)}</{tag}>"


TREES = st.recursive(
    st.text(st.characters(exclude_characters="<&", codec="utf-8"), max_size=6),
    lambda inner: st.builds(element, TAGS, st.lists(inner, max_size=3), MARKS),
    max_leaves=10,
)


@QUICK
@given(st.sampled_from([xml12, xml20]), TREES, st.sampled_from(["event", "list", "header"]))
def test_any_elements_anywhere_are_read_or_refused(reader, tree: str, where: str):
    version = "1.2" if reader is xml12 else "2.0"
    header = f"<EPCISHeader>{tree}</EPCISHeader>" if where == "header" else ""
    inside = XML_EVENT.replace("</ObjectEvent>", f"{tree}</ObjectEvent>") if where == "event" else tree
    survives(reader, xml_document(inside if where != "header" else XML_EVENT, header=header, version=version))
