"""2.0 JSON: contexts, names, headers, and the strictness of the text itself."""

import json

import pytest

from ledger.epcis import DocumentError, Limits, NoteCode, json20, read
from tests.ledger.epcis.documents import CONTEXT, PACKAGE, event, json_document


def refused(body: bytes) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        json20.read(body)
    return caught.value.code, caught.value.where


def codes(body: bytes) -> list[str]:
    return [note.code for note in json20.read(body).notes]


def test_a_prefix_of_the_document_or_of_the_event_gives_the_same_name():
    outer = json_document(event(**{"x:a": "1"}), context=[CONTEXT, {"x": "http://example.com/ex/"}])
    inner = json_document(event(**{"@context": {"y": "http://example.com/ex#"}, "y:a": 1}))
    whole = json_document(event(**{"http://example.com/ex/a": "1"}))
    found = [json20.read(body).events[0].extensions for body in (outer, inner, whole)]
    assert found == [(("http://example.com/ex#a", '"1"'),)] * 3


def test_a_prefix_of_one_event_does_not_reach_the_next():
    body = json_document(
        event(**{"@context": {"y": "http://example.com/ex/"}, "y:a": "1"}), event(**{"y:a": "1"})
    )
    first, second = json20.read(body).events
    assert first.extensions[0][0] == "http://example.com/ex#a"
    assert second.extensions[0][0] == "y#a"
    assert NoteCode.UNDECLARED_PREFIX in codes(body)


@pytest.mark.parametrize(
    "context",
    [
        {"cbvmda": "http://evil.example/"},
        {"epcList": "http://evil.example/list"},
        {"http": "http://evil.example/"},
        {"x": "no uri"},
        {"x": 5},
        5,
        [[{}]],
    ],
)
def test_a_context_that_changes_gs1s_terms_or_is_none_is_refused(context: object):
    assert refused(json_document(event(), context=context))[0] == "bad_context"


def test_a_context_of_strangers_is_not_fetched():
    assert NoteCode.CONTEXT_NOT_LOADED in codes(
        json_document(event(), context=[CONTEXT, "https://evil.example/c"])
    )
    assert NoteCode.CONTEXT_ASSUMED in codes(json_document(event(), context=None))


def test_a_vocabulary_value_may_use_a_prefix():
    body = json_document(event(bizStep="x:Weighing"), context=[CONTEXT, {"x": "http://example.com/ex/"}])
    assert json20.read(body).events[0].biz_step == "http://example.com/ex/Weighing"
    assert json20.read(json_document(event(bizStep="cbv:BizStep-packing"))).events[0].biz_step == "packing"


def test_values_inside_extensions_take_the_shape_that_xml_has():
    value = {
        "x:list": ["only"],
        "x:none": None,
        "x:flag": True,
        "x:number": 5.0,
        "x:empty": {},
        "x:text": " a ",
    }
    body = json_document(event(**{"x:v": value}), context=[CONTEXT, {"x": "http://e.com/"}])
    assert json.loads(json20.read(body).events[0].extensions[0][1]) == {
        "http://e.com#list": "only",
        "http://e.com#flag": "true",
        "http://e.com#number": "5.0",
        "http://e.com#empty": "",
        "http://e.com#text": "a",
    }


@pytest.mark.parametrize(
    "value",
    [{"@a": {"b": "c"}}, {"#text": "x", "b": "c"}, {"a b": "c"}, {"1": "c"}, {"x:a/b": "c"}, {"": "c"}],
)
def test_a_value_that_xml_could_not_carry_is_refused(value: object):
    code, _ = refused(json_document(event(**{"x:v": value}), context=[CONTEXT, {"x": "http://e.com/"}]))
    assert code in ("wrong_type", "bad_name")


def test_isa_is_read_as_type():
    old = event()
    old["isA"] = old.pop("type")
    assert NoteCode.ISA_FOR_TYPE in codes(json_document(old))
    assert refused(json_document({**old, "type": "ObjectEvent"}))[0] == "unknown_event_type"


def test_a_bare_event_and_a_query_document_are_read():
    bare = json.dumps({"@context": CONTEXT, **event()}).encode()
    body = {"queryResults": {"queryName": "q", "resultsBody": {"eventList": [event()]}}}
    query = json_document(type="EPCISQueryDocument", epcisBody=body)
    assert json20.read(bare).events == json20.read(query).events == json20.read(json_document(event())).events


def test_the_place_of_a_problem_is_a_json_pointer():
    body = json_document(event(), event(**{"x~y/z": 1}))
    assert refused(body) == ("unknown_member", "/epcisBody/eventList/1/x~0y~1z")


@pytest.mark.parametrize(
    ("members", "code", "where"),
    [
        ({"schemaVersion": None}, "missing", ""),
        ({"schemaVersion": "1.2"}, "unsupported_version", "/schemaVersion"),
        ({"creationDate": "yesterday"}, "bad_time", "/creationDate"),
        ({"type": "Catalogue"}, "not_a_document", "/type"),
        ({"epcisBody": None}, "missing", "/epcisBody"),
        ({"epcisBody": {}}, "missing", "/epcisBody/eventList"),
        ({"epcisBody": {"eventList": {}}}, "wrong_type", "/epcisBody/eventList"),
        ({"epcisBody": {"eventList": ["x"]}}, "wrong_type", "/epcisBody/eventList/0"),
        ({"epcisBody": {"eventList": [], "more": 1}}, "unknown_member", "/epcisBody/more"),
        ({"epcisHeader": []}, "wrong_type", "/epcisHeader"),
        ({"epcisHeader": {"more": 1}}, "unknown_member", "/epcisHeader/more"),
        ({"more": 1}, "unknown_member", "/more"),
        ({"sender": 5}, "wrong_type", "/sender"),
    ],
)
def test_a_bad_frame_is_refused(members: dict[str, object], code: str, where: str):
    assert refused(json_document(event(), **members)) == (code, where)


@pytest.mark.parametrize(
    "text",
    [
        "0399999000017",
        "urn:epc:id:sgln:0399999.00001.0",
        "urn:epc:id:pgln:0399999.00001",
        "https://id.gs1.org/414/0399999000017",
    ],
)
def test_sender_and_receiver_are_glns_however_written(text: str):
    document = json20.read(json_document(event(), sender=text, receiver=text))
    assert (document.sender, document.receiver) == ("0399999000017", "0399999000017")


def test_a_party_that_is_no_gln_is_left_out_and_noted():
    document = json20.read(json_document(event(), sender="0399999000018", receiver="ACME"))
    assert (document.sender, document.receiver) == (None, None)
    assert [(n.code, n.count) for n in document.notes if n.code == NoteCode.PARTY_NOT_A_GLN] == [
        ("party_not_a_gln", 2)
    ]


def test_a_statement_counts_as_affirmed_only_where_it_says_so():
    def affirmed(value: object) -> bool:
        header = {"gs1ushc:dscsaTransactionStatement": {"gs1ushc:affirmTransactionStatement": value}}
        statement = json20.read(json_document(event(), epcisHeader=header)).statement
        assert statement is not None
        return statement.affirmed

    assert [affirmed(value) for value in (True, "true", "1")] == [True] * 3
    assert [affirmed(value) for value in (False, "false", "yes", None, {"a": "true"}, ["true", "false"])] == [
        False
    ] * 6
    assert json20.read(json_document(event())).statement is None


def test_unknown_headers_are_kept():
    document = json20.read(json_document(event(), epcisHeader={"gs1ushc:guidelineVersion": "R9"}))
    assert document.headers == (("http://epcis.gs1us.org/hc/ns#guidelineVersion", '"R9"'),)
    assert NoteCode.UNKNOWN_HEADER_KEPT in [note.code for note in document.notes]


def test_master_data_that_is_unusable_is_left_out_and_noted():
    listed = [
        {"id": PACKAGE, "attributes": []},
        {
            "id": "urn:epc:idpat:sgtin:0399999.000101.*",
            "attributes": [{"id": "cbvmda:regulatedProductName", "attribute": "A"}],
        },
        {
            "id": "https://id.gs1.org/01/00399999001014",
            "attributes": [{"id": "cbvmda:regulatedProductName", "attribute": "B"}],
        },
    ]
    lists = [{"type": "urn:epcglobal:epcis:vtype:EPCClass", "vocabularyElementList": listed}]
    document = json20.read(json_document(event(), epcisHeader={"epcisMasterData": {"vocabularyList": lists}}))
    assert [(product.gtin, product.name) for product in document.products] == [("00399999001014", "A")]
    found = {note.code for note in document.notes}
    assert {NoteCode.MASTER_DATA_UNUSABLE, NoteCode.MASTER_DATA_CONFLICT} <= found


def test_limits_are_held():
    body = json_document(event(), event(epcList=[PACKAGE, PACKAGE]))
    for limits, code in (
        (Limits(body_bytes=len(body) - 1), "too_large"),
        (Limits(events=1), "too_many"),
        (Limits(epcs_per_event=1), "too_many"),
    ):
        with pytest.raises(DocumentError) as caught:
            json20.read(body, limits)
        assert caught.value.code == code
    assert len(json20.read(body, Limits(body_bytes=len(body), events=2, epcs_per_event=2)).events) == 2


def test_a_byte_order_mark_is_no_part_of_the_document():
    assert read(b"\xef\xbb\xbf" + json_document(event())).events == read(json_document(event())).events
