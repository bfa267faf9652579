"""GET /epcis/events finds a package however it is spelt, pages, and shows a party only the events that name it."""

import json
from dataclasses import replace

import pytest

from app.shared.actor import Role
from app.shared.audit import entries
from ledger.custody.event import Linked
from ledger.epcis.read import read
from tests.support.trade import problem
from tests.support.world import GTIN, MAKER, WHOLESALER, package, sgln

DL = package(1)
PHARMACY = "0370000000011"


def ask(trade, gln=MAKER, headers=None, **query):
    bearer = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln)
    return trade.client.get("/epcis/events", query_string=query, headers={**bearer, **(headers or {})})


def events(response):
    assert response.status_code == 200, response.text
    found = response.get_json()
    assert found["type"] == "EPCISQueryDocument"
    read(response.data)  # our own reader takes what we write
    return found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


def steps(response):
    return [each["bizStep"] for each in events(response)]


@pytest.fixture
def told(trade):
    assert trade.post_epcis(trade.document(trade.begun(1), trade.begun(2))).status_code == 202
    assert trade.post_epcis(trade.document(trade.shipped(1))).status_code == 202
    return trade


@pytest.mark.parametrize(
    "spelling",
    [
        DL,
        f"https://example.com/some/path/01/{GTIN}/21/1",
        "urn:epc:id:sgtin:0399999.000101.1",
        "urn:epc:id:sgtin:039999900.0101.1",
        "urn:epc:id:sgtin:039999.0900101.1",
        f"urn:epc:id:sgtin:0399999.000777.9|{DL}",
    ],
)
def test_one_package_is_found_by_each_of_its_spellings(told, spelling):
    assert steps(ask(told, MATCH_anyEPC=spelling)) == ["commissioning", "shipping"]


def test_each_event_comes_with_the_time_it_was_recorded(told):
    [first, _second] = events(ask(told, MATCH_anyEPC=DL))
    assert first["recordTime"] == "2026-11-20T12:00:00.000000Z"
    assert first["epcList"] == [DL]


def test_what_was_sent_is_what_comes_back(told):
    sent = told.begun(1, 2, 3)
    told.post_epcis(told.document(sent))
    response = ask(told, MATCH_anyEPC=package(3))
    [back] = read(response.data).events
    assert back.digest == sent.digest


def test_a_party_sees_the_events_that_name_it_and_no_strangers(told):
    assert steps(ask(told, WHOLESALER, MATCH_anyEPC=DL)) == ["shipping"]
    assert steps(ask(told, PHARMACY, MATCH_anyEPC=DL)) == []
    assert steps(ask(told, WHOLESALER)) == ["shipping"]
    assert len(steps(ask(told, MAKER))) == 3
    # Whoever is named as seller or buyer is named too.
    sold = replace(
        told.shipped(2),
        sources=(Linked("owning_party", sgln(PHARMACY)), Linked("possessing_party", sgln(MAKER))),
    )
    told.post_epcis(told.document(sold))
    assert steps(ask(told, PHARMACY)) == ["shipping"]


def test_what_is_not_here_and_what_is_not_yours_answer_alike(told):
    nothing, not_mine = (ask(told, PHARMACY, MATCH_anyEPC=epc) for epc in (package(999), DL))
    for response in (nothing, not_mine):
        assert events(response) == []
    assert nothing.data == not_mine.data


def test_pages_follow_one_another_to_the_end(trade):
    for number in range(7):
        trade.post_epcis(trade.document(trade.begun(number)))
    seen, path = [], "/epcis/events?perPage=3"
    for expected in (3, 3, 1):
        response = trade.client.get(path, headers=trade.bearer)
        page = events(response)
        assert len(page) == expected
        seen += [each["epcList"][0] for each in page]
        link = response.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert path is None
    assert seen == [package(number) for number in range(7)]


@pytest.mark.parametrize(
    "query",
    [
        {"EQ_bizStep": "shipping"},
        {"match_anyepc": DL},
        {"MATCH_anyEPC": "not-an-epc"},
        {"MATCH_anyEPC": "urn:epc:idpat:sgtin:0399999.000101.*"},
        {"MATCH_anyEPC": ""},
        {"MATCH_anyEPC": "|".join([DL] * 101)},
        {"perPage": "0"},
        {"perPage": "many"},
        {"nextPageToken": "-1"},
        {"nextPageToken": "9" * 40},
    ],
)
def test_a_parameter_that_is_not_supported_is_refused_and_never_ignored(sqlite_trade, query):
    found = problem(ask(sqlite_trade, **query), 400, "query.parameter")
    assert found["type"] == "epcisException:QueryParameterException"
    assert found["detail"] or found["next"]


def test_a_parameter_twice_is_refused(sqlite_trade):
    response = sqlite_trade.client.get(
        f"/epcis/events?MATCH_anyEPC={DL}&MATCH_anyEPC={DL}", headers=sqlite_trade.bearer
    )
    problem(response, 400, "query.parameter")


def test_epcs_leave_as_urns_where_they_came_as_urns(trade):
    value = json.loads(trade.document(trade.begun(1)))
    [written] = value["epcisBody"]["eventList"]
    written["epcList"] = ["urn:epc:id:sgtin:0399999.000101.1"]
    for name in ("readPoint", "bizLocation"):
        written[name] = {"id": "urn:epc:id:sgln:0399999.00001.0"}
    trade.post_epcis(json.dumps(value).encode())
    urn = {"GS1-EPC-Format": "Always_EPC_URN"}
    response = ask(trade, headers=urn, MATCH_anyEPC=DL)
    assert events(response)[0]["epcList"] == ["urn:epc:id:sgtin:0399999.000101.1"]
    assert response.headers["GS1-EPC-Format"] == "Always_EPC_URN"
    assert events(ask(trade, MATCH_anyEPC=DL))[0]["epcList"] == [DL]
    trade.post_epcis(trade.document(trade.begun(2)))
    refused = problem(ask(trade, headers=urn, MATCH_anyEPC=package(2)), 406, "epcis.not_acceptable")
    assert refused["type"] == "epcisException:NotAcceptableException"
    problem(ask(trade, headers={"GS1-EPC-Format": "Never_Translates"}), 406, "epcis.not_acceptable")
    problem(ask(trade, headers={"Accept": "application/xml"}), 406, "epcis.not_acceptable")


def test_each_look_is_in_the_audit_trail(told):
    ask(told, WHOLESALER, MATCH_anyEPC=DL)
    ask(told, PHARMACY, MATCH_anyEPC=DL)
    with told.node.services.database.reading() as connection:
        trail = entries(connection, action="epcis.events")
    assert [(each.whose, each.outcome, each.subject) for each in trail] == [
        (PHARMACY, "nothing", DL),
        (WHOLESALER, "shown", DL),
    ]


def test_a_capture_job_is_its_own_partys_alone(told):
    response = told.post_epcis(told.document(told.begun(9)))
    job = told.client.get(response.location, headers=told.bearer)
    assert job.status_code == 200
    found = job.get_json()
    assert response.location == f"/epcis/capture/{found['captureID']}"
    assert found == {
        "captureID": response.get_json()["receipt"]["leaf"],
        "createdAt": "2026-11-20T12:00:00.000Z",
        "finishedAt": "2026-11-20T12:00:00.000Z",
        "running": False,
        "success": True,
        "captureErrorBehaviour": "rollback",
        "errors": [],
    }
    stranger = told.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    theirs = told.client.get(response.location, headers=stranger)
    none = told.client.get("/epcis/capture/" + "0" * 64, headers=stranger)
    junk = told.client.get("/epcis/capture/junk", headers=stranger)
    for answer in (theirs, none, junk):
        assert problem(answer, 404, "not_found")["type"] == "epcisException:NoSuchResourceException"


def test_discovery_says_what_is_taken(sqlite_trade):
    limits = sqlite_trade.node.services.settings
    response = sqlite_trade.client.options("/epcis/capture", headers=sqlite_trade.bearer)
    assert response.status_code == 204
    assert response.headers["Allow"] == "OPTIONS, POST"
    assert response.headers["GS1-EPCIS-Capture-Limit"] == str(limits.max_document_events)
    assert response.headers["GS1-EPCIS-Capture-File-Size-Limit"] == str(limits.max_body_bytes)
    assert (response.headers["GS1-EPCIS-Min"], response.headers["GS1-EPCIS-Max"]) == ("2.0", "2.0")
    assert sqlite_trade.client.options("/epcis/events", headers=sqlite_trade.bearer).status_code == 204
