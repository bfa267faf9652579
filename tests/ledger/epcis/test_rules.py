"""What an event must have, may have, and must not have: the same in every form, so asked of JSON alone."""

from typing import Any

import pytest

from ledger.epcis import DocumentError, NoteCode, read
from tests.ledger.epcis.documents import CASE, PACKAGE, PLACE, event, json_document, xml_document

CLASS = "urn:epc:idpat:sgtin:0399999.000101.*"
AT = "/epcisBody/eventList/0"
SENSED = [{"sensorReport": [{"type": "Temperature", "value": 5, "uom": "CEL"}]}]


def problems(*events: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        read(json_document(*events))
    return [(problem.code, problem.where.removeprefix(AT)) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("ObjectEvent", {"eventTime": None}, [("missing", "")]),
        ("ObjectEvent", {"eventTimeZoneOffset": None}, [("missing", "")]),
        ("ObjectEvent", {"action": None}, [("missing", "")]),
        ("ObjectEvent", {"action": "observe"}, [("bad_action", "/action")]),
        ("ObjectEvent", {"epcList": None}, [("empty_event", "")]),
        ("ObjectEvent", {"epcList": []}, [("empty_event", "")]),
        ("ObjectEvent", {"epcList": ["not-an-epc"]}, [("bad_epc", "/epcList/0")]),
        ("ObjectEvent", {"epcList": [PACKAGE, "urn:epc:id:sgtin:1.2.3", 5]}, [("wrong_type", "/epcList")]),
        (
            "ObjectEvent",
            {"epcList": [PACKAGE, "x", "y"]},
            [("bad_epc", "/epcList/1"), ("bad_epc", "/epcList/2")],
        ),
        ("ObjectEvent", {"epcList": PACKAGE}, [("wrong_type", "/epcList")]),
        ("ObjectEvent", {"epcList": None, "sensorElementList": SENSED}, [("empty_event", "")]),
        ("ObjectEvent", {"parentID": CASE}, [("not_allowed", "/parentID")]),
        ("ObjectEvent", {"ilmd": {"cbvmda:lotNumber": "1"}}, [("not_allowed", "/ilmd")]),
        (
            "ObjectEvent",
            {"action": "ADD", "ilmd": {"lotNumber": "1"}},
            [("unknown_member", "/ilmd/lotNumber")],
        ),
        ("ObjectEvent", {"colour": "red"}, [("unknown_member", "/colour")]),
        ("ObjectEvent", {"bizStep": "transforming"}, [("bad_word", "/bizStep")]),
        ("ObjectEvent", {"bizStep": "urn:epcglobal:cbv:bizstep:transforming"}, [("bad_word", "/bizStep")]),
        ("ObjectEvent", {"eventID": "one"}, [("bad_uri", "/eventID")]),
        ("ObjectEvent", {"readPoint": PLACE}, [("wrong_type", "/readPoint")]),
        ("ObjectEvent", {"readPoint": {}}, [("wrong_type", "/readPoint")]),
        ("ObjectEvent", {"readPoint": {"id": "dock 4"}}, [("bad_epc", "/readPoint")]),
        ("ObjectEvent", {"persistentDisposition": {}}, [("missing", "/persistentDisposition")]),
        (
            "ObjectEvent",
            {"quantityList": [{"epcClass": CLASS, "quantity": -1}]},
            [("bad_quantity", "/quantityList/0")],
        ),
        (
            "ObjectEvent",
            {"quantityList": [{"epcClass": CLASS, "quantity": "1"}]},
            [("wrong_type", "/quantityList/0")],
        ),
        (
            "ObjectEvent",
            {"quantityList": [{"epcClass": CLASS, "uom": "kg"}]},
            [("bad_quantity", "/quantityList/0")],
        ),
        ("ObjectEvent", {"quantityList": [{"quantity": 1}]}, [("wrong_type", "/quantityList")]),
        ("ObjectEvent", {"sourceList": [{"source": PLACE}]}, [("missing", "/sourceList/0")]),
        (
            "ObjectEvent",
            {"sourceList": [{"type": "place", "source": PLACE}]},
            [("bad_word", "/sourceList/0")],
        ),
        ("ObjectEvent", {"sensorElementList": [{}]}, [("wrong_type", "/sensorElementList/0")]),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": []}]},
            [("wrong_type", "/sensorElementList/0")],
        ),
        ("ObjectEvent", {"errorDeclaration": {}}, [("missing", "/errorDeclaration")]),
        (
            "ObjectEvent",
            {"errorDeclaration": {"declarationTime": "then"}},
            [("bad_time", "/errorDeclaration/declarationTime")],
        ),
        ("AggregationEvent", {"parentID": None}, [("missing", "")]),
        ("AggregationEvent", {"parentID": None, "action": "DELETE"}, [("missing", "")]),
        ("AggregationEvent", {"childEPCs": []}, [("empty_event", "")]),
        ("AggregationEvent", {"epcList": [PACKAGE]}, [("not_allowed", "/epcList")]),
        ("AssociationEvent", {"parentID": None, "action": "OBSERVE"}, [("missing", "")]),
        ("TransactionEvent", {"bizTransactionList": []}, [("missing", "")]),
        ("TransactionEvent", {"epcList": []}, [("empty_event", "")]),
        ("TransformationEvent", {"outputEPCList": None}, [("empty_event", "")]),
        ("TransformationEvent", {"action": "ADD"}, [("not_allowed", "/action")]),
    ],
)
def test_a_bad_event_is_refused_with_code_and_place(
    kind: str, members: dict[str, Any], expected: list[tuple[str, str]]
):
    assert problems(event(kind, **members)) == expected


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ObjectEvent", {"epcList": None, "quantityList": [{"epcClass": CLASS}]}),
        ("ObjectEvent", {"epcList": None, "sensorElementList": SENSED, "readPoint": {"id": PLACE}}),
        ("ObjectEvent", {"action": "ADD", "ilmd": {"cbvmda:lotNumber": "1"}}),
        ("AggregationEvent", {"parentID": None, "action": "OBSERVE"}),
        ("AggregationEvent", {"childEPCs": None, "action": "DELETE"}),
        ("TransactionEvent", {"epcList": None, "action": "DELETE"}),
        ("TransformationEvent", {"outputEPCList": None, "transformationID": "urn:uuid:1"}),
        ("AssociationEvent", {"childEPCs": None, "childQuantityList": [{"epcClass": CLASS, "quantity": 2}]}),
    ],
)
def test_an_event_may_be_as_sparse_as_epcis_allows(kind: str, members: dict[str, Any]):
    assert len(read(json_document(event(kind, **members))).events) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-06-01T10:00:00", "bad_time"),
        ("2026-06-01", "bad_time"),
        ("2026-02-30T10:00:00Z", "bad_time"),
        ("2026-06-01T24:00:00Z", "bad_time"),
        ("2026-06-01T10:00:60Z", "bad_time"),
        ("2026-06-01T10:00:00+15:00", "bad_time"),
        ("2026-06-01T10:00:00+05:99", "bad_time"),
        ("2026-06-01t10:00:00z", "bad_time"),
        ("2026-06-01T10:00:00.Z", "bad_time"),
        ("0001-01-01T00:00:00+14:00", "bad_time"),
        ("1899-12-31T23:59:59Z", "bad_time"),
        ("9999-12-31T23:59:59-14:00", "bad_time"),
        ("２０26-06-01T10:00:00Z", "bad_time"),
    ],
)
def test_times_are_moments_with_an_offset(text: str, code: str):
    assert problems(event(eventTime=text)) == [(code, "/eventTime")]


@pytest.mark.parametrize("text", ["Z", "5", "+5:00", "+14:01", "+00:60", "−05:00", "EST"])
def test_offsets_are_hours_and_minutes(text: str):
    assert problems(event(eventTimeZoneOffset=text)) == [("bad_offset", "/eventTimeZoneOffset")]


def test_equal_moments_written_differently_are_one_event():
    spellings = ["2026-06-01T10:00:00Z", "2026-06-01T06:00:00.000-04:00", "2026-06-01T23:45:00+13:45"]
    assert len({read(json_document(event(eventTime=text))).events[0].digest for text in spellings}) == 1
    offsets = [
        read(json_document(event(eventTimeZoneOffset=text))).events[0] for text in ("-00:00", "+00:00")
    ]
    assert offsets[0] == offsets[1]


def test_digits_beyond_the_microsecond_are_cut_off_and_noted():
    (finer,) = (document := read(json_document(event(eventTime="2026-06-01T10:00:00.1234569Z")))).events
    (plain,) = read(json_document(event(eventTime="2026-06-01T10:00:00.123456Z"))).events
    assert finer == plain
    assert NoteCode.FINER_THAN_MICROSECOND in [note.code for note in document.notes]
    zeros = read(json_document(event(eventTime="2026-06-01T10:00:00.123456000Z")))
    assert NoteCode.FINER_THAN_MICROSECOND not in [note.code for note in zeros.notes]


def test_everything_wrong_is_said_at_once_and_nothing_is_used():
    bad = event(eventTime="2026-13-01T10:00:00Z", eventTimeZoneOffset="5", bizStep="none", action="GO")
    assert [code for code, _ in problems(event(), bad)] == [
        "bad_action",
        "bad_time",
        "bad_offset",
        "bad_word",
    ]


def test_the_reader_gives_up_after_twenty_problems():
    assert len(problems(event(epcList=[f"bad {n}" for n in range(1000)]))) == 20


def test_two_spellings_of_one_package_in_a_list_count_once():
    twice = [PACKAGE, "https://id.gs1.org/01/00399999001014/21/A1", "urn:epc:id:sgtin:039999900.0101.A1"]
    document = read(json_document(event(epcList=twice)))
    assert document.events[0].epcs == ("https://id.gs1.org/01/00399999001014/21/A1",)
    assert NoteCode.REPEATED_ELEMENT in [note.code for note in document.notes]


def test_an_obsolete_disposition_is_read_as_its_successor():
    document = read(json_document(event(disposition="urn:epcglobal:cbv:disp:non_sellable_expired")))
    assert document.events[0].disposition == "expired"
    assert NoteCode.DEPRECATED_WORD in [note.code for note in document.notes]


def test_correctives_of_an_event_that_did_not_occur_are_kept_and_noted():
    declared = {
        "declarationTime": "2026-06-02T00:00:00Z",
        "reason": "did_not_occur",
        "correctiveEventIDs": ["urn:x-y:1"],
    }
    document = read(json_document(event(errorDeclaration=declared)))
    assert document.events[0].declaration.corrective_ids == ("urn:x-y:1",)
    assert NoteCode.CORRECTIVES_OF_NO_EVENT in [note.code for note in document.notes]


def test_a_declaration_without_id_shares_the_id_of_what_it_declares():
    declared = {"declarationTime": "2026-06-02T00:00:00Z", "reason": "incorrect_data"}
    before, after = read(json_document(event(), event(errorDeclaration=declared))).events
    assert before.id == after.id
    assert before.digest != after.digest


@pytest.mark.parametrize("body", [json_document(), xml_document(""), xml_document("", version="2.0")])
def test_a_document_without_an_event_is_read_and_says_so(body: bytes):
    document = read(body)
    assert document.events == ()
    assert [(note.code, note.message, note.count) for note in document.notes] == [
        (NoteCode.NO_EVENT, "no event in it", 1)
    ]


def test_where_a_text_stops_being_json_is_told_once():
    with pytest.raises(DocumentError) as refused:
        read(b'{"type": "EPCISDocument')
    assert refused.value.message == "Unterminated string starting (at line 1, column 10)"
