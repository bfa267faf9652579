"""Bad input gets a clear error, and nothing is lost or half stored: ledger and events stand as they did before."""

import json
from dataclasses import replace

import pytest

from app.custody.made import lots_of
from app.partners import service as partners
from app.shared.actor import Role
from ledger.custody.event import Quantity
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form
from tests.support.trade import WHEN, problem
from tests.support.world import GTIN, LOT_KEY, MAKER


def changed(trade, change):
    value = json.loads(trade.document(trade.begun(1), trade.begun(2), trade.begun(3)))
    change(value["epcisBody"]["eventList"])
    return json.dumps(value).encode()


def cases(trade):
    good = trade.document(trade.begun(1))
    yield "broken JSON", good[:-5], "application/json", 400, "document.not_json", "ValidationException"
    yield "no JSON at all", b"\xff\x00", "application/json", 400, None, "ValidationException"
    yield "an empty body", b"", "application/json", 400, "document.not_json", "ValidationException"
    yield (
        "a name twice",
        good.replace(b'"type"', b'"action": "ADD", "type"', 2),
        "application/json",
        400,
        "document.duplicate_name",
        "ValidationException",
    )
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    yield "JSON too deep", deep, "application/json", 400, None, "ValidationException"
    yield "no EPCIS", b'{"type": "Invoice"}', "application/json", 400, None, "ValidationException"
    yield (
        "an event without time",
        changed(trade, lambda events: events[1].pop("eventTime")),
        "application/json",
        400,
        "document.missing",
        "ValidationException",
    )
    yield (
        "not-an-epc",
        changed(trade, lambda events: events[1].update(epcList=["not-an-epc"])),
        "application/json",
        400,
        "document.bad_epc",
        "ValidationException",
    )
    yield (
        "a wrong check digit",
        changed(trade, lambda events: events[0].update(epcList=[f"https://id.gs1.org/01/{GTIN[:13]}9/21/A"])),
        "application/json",
        400,
        "document.bad_epc",
        "ValidationException",
    )
    yield (
        "the third event bad",
        changed(trade, lambda events: events[2].update(action="PERHAPS")),
        "application/json",
        400,
        "document.bad_action",
        "ValidationException",
    )
    xml = xml12.write(Document(Form.XML12, (trade.begun(1),), created=WHEN))
    yield "broken XML", xml[:-9], "application/xml", 400, "document.not_xml", "ValidationException"
    doctype = xml.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1)
    yield "a DOCTYPE", doctype, "application/xml", 400, "document.doctype", "ValidationException"
    outside = xml.replace(b"?>", b'?><!DOCTYPE x SYSTEM "file:///etc/passwd">', 1)
    yield "an outside DOCTYPE", outside, "text/xml", 400, "document.doctype", "ValidationException"
    yield (
        "a PDF",
        good,
        "application/pdf",
        415,
        "document.unsupported_media_type",
        "UnsupportedMediaTypeException",
    )
    yield (
        "a form",
        good,
        "application/x-www-form-urlencoded",
        415,
        "document.unsupported_media_type",
        "UnsupportedMediaTypeException",
    )
    many = trade.document(*(trade.begun(number) for number in range(1001)))
    yield (
        "too many events",
        many,
        "application/json",
        413,
        "document.too_many",
        "CaptureLimitExceededException",
    )


NAMES = [
    "broken JSON",
    "no JSON at all",
    "an empty body",
    "a name twice",
    "JSON too deep",
    "no EPCIS",
    "an event without time",
    "not-an-epc",
    "a wrong check digit",
    "the third event bad",
    "broken XML",
    "a DOCTYPE",
    "an outside DOCTYPE",
    "a PDF",
    "a form",
    "too many events",
]


def test_bad_input_is_refused_in_words_and_leaves_nothing(trade):
    seen = []
    trade.node.services.capture.most_document_events = 1000
    before = trade.counts()
    for name, raw, content_type, status, code, kind in cases(trade):
        response = trade.post_epcis(raw, content_type)
        found = problem(response, status, code or response.get_json()["code"])
        assert found["type"] == f"epcisException:{kind}", name
        assert found["code"].startswith("document."), name
        assert found["detail"], name
        assert "Nothing of it was stored" in found["next"], name
        assert trade.counts() == before, name
        assert response.headers["GS1-EPCIS-Version"] == "2.0", name
        seen.append(name)
    assert seen == NAMES
    trade.sweep()
    # The node is none the worse.
    assert trade.post_epcis(trade.document(trade.begun(1))).status_code == 202


def test_every_bad_event_is_named_with_its_place(trade):
    raw = changed(
        trade, lambda events: (events[0].pop("eventTime"), events[2].update(epcList=["not-an-epc"]))
    )
    found = problem(trade.post_epcis(raw), 400, "document.missing")
    assert [(p["code"], p["where"]) for p in found["problems"]] == [
        ("missing", "/epcisBody/eventList/0"),
        ("bad_epc", "/epcisBody/eventList/2/epcList/0"),
    ]


def test_the_same_errors_meet_a_signed_capture(trade):
    good = trade.signed(trade.document(trade.begun(1)))
    before = trade.counts()
    for raw in (b"{", b"not json", good.document.replace(b"Event", b"Evnt")):
        response = trade.post_parts("/ledger/captures", envelope=good.envelope, seed=good.seed, document=raw)
        assert response.status_code == 400
        assert response.get_json()["code"].startswith("document.")
        assert trade.counts() == before


def test_a_body_too_large_is_refused_before_it_is_read(trade):
    class Endless:
        """A body that says how much of it was read."""

        taken = 0

        def read(self, size=-1):
            Endless.taken += max(size, 0)
            return b" " * size

        def readline(self, size=-1):
            return self.read(size)

    limit = trade.node.services.settings.max_body_bytes
    for path in ("/epcis/capture", "/ledger/captures", "/devices"):
        response = trade.client.post(
            path,
            environ_overrides={"wsgi.input": Endless(), "CONTENT_LENGTH": str(100 * 1024 * 1024)},
            content_type="application/json" if "epcis" in path else "multipart/form-data; boundary=x",
            headers=trade.bearer if "epcis" in path else {},
        )
        problem(response, 413, "request.too_large")
        assert Endless.taken == 0, path
    assert limit < 100 * 1024 * 1024
    assert trade.counts()[1] == 0


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"GS1-Capture-Error-Behaviour": "proceed"}, 501, "ImplementationException"),
        ({"GS1-EPCIS-Version": "3.0"}, 406, "NotAcceptableException"),
        ({"GS1-EPCIS-Min": "2.1"}, 406, "NotAcceptableException"),
        ({"GS1-CBV-Max": "1.2"}, 406, "NotAcceptableException"),
        ({"GS1-EPCIS-Min": "two"}, 406, "NotAcceptableException"),
        ({"Content-Encoding": "gzip"}, 415, "UnsupportedMediaTypeException"),
    ],
)
def test_headers_that_ask_for_what_is_not_there_are_refused(sqlite_trade, headers, status, kind):
    response = sqlite_trade.post_epcis(sqlite_trade.document(sqlite_trade.begun(1)), headers=headers)
    assert response.status_code == status
    assert response.get_json()["type"] == f"epcisException:{kind}"
    assert sqlite_trade.counts()[1] == 0


def test_without_a_token_or_with_one_that_may_not_capture_nothing_is_taken(trade):
    raw = trade.document(trade.begun(1))
    before = trade.counts()
    anonymous = trade.client.post("/epcis/capture", data=raw, content_type="application/json")
    assert problem(anonymous, 401, "access.token")["type"] == "epcisException:SecurityException"
    narrow = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=MAKER, scopes={"query"})
    refused = trade.client.post("/epcis/capture", data=raw, content_type="application/json", headers=narrow)
    assert problem(refused, 403, "access.denied")["type"] == "epcisException:SecurityException"
    assert trade.counts() == before


def test_a_form_with_other_parts_than_it_must_have_is_refused(sqlite_trade):
    problem(sqlite_trade.client.post("/ledger/captures"), 415, "request.type")
    problem(sqlite_trade.post_parts("/ledger/captures", envelope=b"{}"), 400, "request.parts")
    problem(
        sqlite_trade.post_parts("/devices", envelope=b"", document=b"", seed=b"", more=b""),
        400,
        "request.parts",
    )
    problem(
        sqlite_trade.post_parts("/ledger/captures", envelope=b"", seed=b"", document=b""),
        400,
        "envelope.malformed",
    )
    bare = {"envelope": b"", "document": b"", "seed": b""}
    problem(sqlite_trade.post_parts("/devices", **bare), 400, "enrolment.challenge")
    given = sqlite_trade.challenge().encode()
    problem(sqlite_trade.post_parts("/devices", **bare, challenge=given, proof=b""), 400, "key.malformed")


def test_an_event_of_the_future_is_kept_and_has_no_effect(trade):
    event = replace(trade.begun(1), event_time=trade.node.clock.now().replace(year=2027))
    found = trade.post_epcis(trade.document(event)).get_json()["receipt"]
    assert [each["code"] for each in found["findings"]] == ["future_event"]


def test_another_party_than_the_maker_gives_no_serials(trade):
    wholesaler = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln="0860000000017")
    found = trade.post_epcis(trade.document(trade.begun(1)), headers=wholesaler).get_json()["receipt"]
    assert [each["code"] for each in found["findings"]] == ["not_maker"]


def test_another_party_than_the_maker_begins_no_lot_that_it_names_by_its_class(sqlite_trade):
    trade = sqlite_trade
    wholesaler = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln="0860000000017")
    begun = trade.begun(1)
    early = replace(begun, event_time=begun.event_time.replace(year=2020))
    claim = replace(early, epcs=(), ilmd=(), quantities=(Quantity(LOT_KEY),))
    found = trade.post_epcis(trade.document(claim), headers=wholesaler).get_json()["receipt"]
    assert [each["code"] for each in found["findings"]] == ["not_maker", "told_late"]
    assert trade.post_epcis(trade.document(begun)).status_code == 202
    with trade.node.services.database.reading() as connection:
        [lot] = lots_of(connection, GTIN, 10)
        assert partners.glns(connection, [lot.maker_id]) == {lot.maker_id: MAKER}


def test_nobody_writes_the_nodes_secrets_into_its_log(sqlite_trade, capfd):
    sqlite_trade.post_epcis(b"{", headers={"Authorization": "Bearer pp_" + "a" * 52})
    captured = capfd.readouterr()
    assert "a" * 52 not in captured.out + captured.err


def test_an_integer_longer_than_python_reads_is_the_senders_fault(sqlite_trade):
    body = b'{"data": "MDE=", "known_size": ' + b"9" * 5000 + b"}"
    headers = {**sqlite_trade.bearer, "Content-Type": "application/json"}
    answer = sqlite_trade.client.post("/verification/checks", data=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
