"""PDG's messages: what we write is what their schemas allow, what they publish we read, and each counts once."""

import copy
import json
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.errors import Invalid
from app.exceptions import messages, pdg
from app.exceptions.pdg import Answer, Report, ReportItem, ReportResponse, Sender
from app.exceptions.reported import lines
from app.exceptions.rules import ALL_REPORTED, KINDS, OwnKind, Pdg, Resolution, reported_as
from app.exceptions.scenarios import HdaClass
from app.shared.actor import Role
from tests.support.counter import PHARMACY, STRANGER, text_of
from tests.support.delivery import ADVICE, ORDER, case_label, cases_of, pack_label
from tests.support.shared import shared_path
from tests.support.world import GTIN, MAKER

SCHEMAS = "data/epcis/dscsagovernance-ExceptionsSchemas"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SENDER = Sender(MAKER, "quality@north.example")
SCOPES = {"exceptions", "query"}


def validator(name):
    schema = json.loads(shared_path(f"{SCHEMAS}/schemas/{name}_schema.json").read_text())
    return jsonschema_rs.validator_for(schema)


def examples():
    return sorted(shared_path(f"{SCHEMAS}/example_generators/examples").glob("*.json"))


def test_every_published_example_is_read_and_written_back_as_it_was():
    for path in examples():
        value = json.loads(path.read_text())
        at = datetime.fromtimestamp(value["timestamp"], UTC)
        if "response" in path.name:
            response = pdg.read_response(value, at)
            written = pdg.write_response(response)
            validator("response").validate(written)
        else:
            report = pdg.read_report(value, at)
            written = pdg.write_report(report)
            validator("report").validate(written)
        value["sender_information"]["vp"] = None  # a credential is for its one recipient
        assert written == value, path.name


def test_all_lists_are_written_as_the_schema_has_them():
    values = {
        Pdg.MISSING_DATA: {"product_gtin": GTIN, "observation_source": "Scan", "product_serial": "1"},
        Pdg.MISSING_PRODUCT: {"file_id": ADVICE, "product_gtin": GTIN, "product_serial": "1"},
        Pdg.MISALIGNMENT: {
            f"{side}_{name}": "x"
            for side in ("received_product", "product_data")
            for name in ("gtin", "lot", "expiry", "serial")
        },
        Pdg.OVERAGE: {"gtin": GTIN, "quantity_ordered": 1, "quantity_received": 2},
        Pdg.UNDERAGE: {"gtin": GTIN, "quantity_ordered": 2, "quantity_received": 1},
    }
    wanted = {"resolution_request": Resolution.NEW_DATA.value}
    items = tuple(ReportItem(str(name), f"i-{name}", found | wanted) for name, found in values.items())
    report = Report("m", "c", NOW, ORDER, SENDER, items, ("one more",), False)
    written = pdg.write_report(report)
    validator("report").validate(written)
    again = pdg.read_report(written, NOW)
    assert {item.list: dict(item.values) for item in again.items} == {
        str(name): found | wanted for name, found in values.items()
    }
    answers = (
        Answer("i", True, "fine"),
        Answer("j", False, alternative=Resolution.CREDIT.value, follow_up="Phone", details="call us"),
    )
    response = ReportResponse("m", "c", NOW, ORDER, SENDER, answers, "that is all")
    validator("response").validate(pdg.write_response(response))
    assert pdg.read_response(pdg.write_response(response), NOW) == response


GOOD = {
    "message_uuid": "m1",
    "exception_case_uuid": "c1",
    "timestamp": 1712368200,
    "po_number": "PO1",
    "sender_information": {"email": "a@b.example", "gln": PHARMACY},
    "exceptions": {
        "overages": [
            {
                "exception_item_uuid": "i1",
                "gtin": GTIN,
                "quantity_ordered": 1,
                "quantity_received": 2,
                "resolution_request": "Debit account",
            }
        ]
    },
    "case_resolved": False,
}
WRONG = {
    "no id": ("message_uuid", None),
    "a long id": ("exception_case_uuid", "x" * 65),
    "a time as text": ("timestamp", "yesterday"),
    "true for a time": ("timestamp", True),
    "no sender": ("sender_information", []),
    "no e-mail": ("sender_information", {"gln": PHARMACY}),
    "a list for exceptions": ("exceptions", [1]),
    "a text for a list": ("exceptions", {"overages": "all"}),
    "too many": ("other_errors", ["x"] * 1001),
    "a long text": ("other_errors", ["x" * 1001]),
    "a word for a truth": ("case_resolved", "no"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_the_schema_does_not_allow_is_refused(name):
    member, value = WRONG[name]
    with pytest.raises(Invalid):
        pdg.read_report({**GOOD, member: value}, NOW)


@pytest.mark.parametrize(
    ("member", "value"),
    [("resolution_request", "Pay me"), ("quantity_ordered", -1), ("quantity_received", True), ("gtin", None)],
)
def test_an_item_that_says_nothing_is_refused(member, value):
    wrong = copy.deepcopy(GOOD)
    wrong["exceptions"]["overages"][0][member] = value
    with pytest.raises(Invalid):
        pdg.read_report(wrong, NOW)
    twice = copy.deepcopy(GOOD)
    twice["exceptions"]["overages"] *= 2
    with pytest.raises(Invalid):
        pdg.read_report(twice, NOW)


class Mail:
    """Two companies' systems, that exchange messages over the interface."""

    def __init__(self, bay):
        self.bay, self.client = bay, bay.node.visitor().client
        self.bearers = {
            gln: bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln, scopes=SCOPES)
            for gln in (PHARMACY, MAKER, STRANGER)
        }

    def post(self, path, by, **kwargs):
        return self.client.post(path, headers=self.bearers[by], **kwargs)

    def thread(self, gln):
        with self.bay.services.database.reading() as connection:
            [one] = [
                each for each in cases.queue(connection, Desk.EXCEPTIONS, gln) if each.kind in ALL_REPORTED
            ]
            return cases.case(connection, Desk.EXCEPTIONS, one.case_id, gln)


def test_a_report_goes_to_the_seller_and_its_answer_comes_back(bay):
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)

    sent = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY)
    assert sent.status_code == 201
    report = sent.get_json()
    validator("report").validate(report)
    # The case that is missing, package by package: PDG's report knows serial numbers alone.
    assert [
        (one["product_gtin"], one["product_serial"]) for one in report["exceptions"]["missing_product"]
    ] == [
        (GTIN, "201"),
        (GTIN, "202"),
    ]
    assert (report["po_number"], report["sender_information"]["gln"]) == (ORDER, PHARMACY)

    came = mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report)
    assert came.status_code == 202, came.text
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report).status_code == 202
    other = {**report, "po_number": "another"}
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=other).status_code == 409
    theirs = mail.thread(MAKER)
    assert [line.kind.value for line in theirs.thread] == ["state", "came"]
    assert f"order {ORDER}: 2 items." in theirs.thread[1].text
    shown = text_of(bay.somebody("mary", Role.QUALITY, MAKER).get(f"/exceptions/{theirs.case_id}"))
    # As a table, item by item; the same stands in the answer's form.
    assert (
        f"Data without product Data No Product Sonnenal 20 mg {GTIN} – 201 the product, by {ADVICE} Send product"
        in shown
    )
    assert f"Data without product: Sonnenal 20 mg {GTIN} serial 202" in shown

    first, second = (one["exception_item_uuid"] for one in report["exceptions"]["missing_product"])
    answers = [
        {"item": first, "accepted": True},
        {"item": second, "accepted": False, "alternative": "Credit account"},
    ]
    strange = mail.post(
        f"/exceptions/{theirs.case_id}/responses", MAKER, json={"answers": [{"item": "x", "accepted": True}]}
    )
    assert strange.status_code == 400
    answered = mail.post(f"/exceptions/{theirs.case_id}/responses", MAKER, json={"answers": answers})
    response = answered.get_json()
    validator("response").validate(response)
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", STRANGER, json=response).status_code in (
        400,
        404,
    )
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", MAKER, json=response).status_code == 202
    quinn = bay.somebody("quinn", Role.QUALITY)
    said = text_of(quinn.get(f"/exceptions/{case.case_id}"))
    assert "from the partner" in said
    assert f"Item {second}: rejected, instead: Credit account" in said
    assert "Send product rejected, instead: Credit account" in said, "beside its item"
    told = mail.client.get(f"/api/exceptions/{case.case_id}", headers=mail.bearers[PHARMACY]).get_json()[
        "reports"
    ]
    assert [(each["serial"], each["answer"]) for each in told[0]["items"]] == [
        ("201", "accepted"),
        ("202", "rejected, instead: Credit account"),
    ]

    resolved = mail.post(f"/exceptions/{case.case_id}/reports?resolved=true", PHARMACY).get_json()
    validator("report").validate(resolved)
    assert resolved["case_resolved"] is True
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=resolved).status_code == 202
    with bay.services.database.reading() as connection:
        closed = cases.case(connection, Desk.EXCEPTIONS, theirs.case_id, MAKER)
    assert closed.closed_by == "Corner Pharmacy"


def test_two_partners_that_choose_one_id_are_both_heard_and_each_once(bay):
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    squat = {
        **report,
        "exception_case_uuid": "squat",
        "sender_information": {"gln": STRANGER, "email": "a@b.c"},
    }
    assert mail.post(f"/exceptions/reports?to={MAKER}", STRANGER, json=squat).status_code == 202
    for _ in range(2):
        assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report).status_code == 202
    other = {**report, "po_number": "another"}
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=other).status_code == 409
    with bay.services.database.reading() as connection:
        queue = cases.queue(connection, Desk.EXCEPTIONS, MAKER)
    assert sorted(each.partner_gln for each in queue if each.kind in ALL_REPORTED) == sorted(
        [PHARMACY, STRANGER]
    )


def test_reports_of_one_partner_are_bounded_however_urgent_the_rest_of_the_desk_is(sqlite_bay, monkeypatch):
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    assert (
        mail.post(f"/exceptions/reports?to={PHARMACY}", STRANGER, json=of(STRANGER, report, 0)).status_code
        == 202
    )
    monkeypatch.setattr(messages, "MOST_OPEN", 2)
    monkeypatch.setattr(cases, "MOST_SHOWN", 2)
    answers = []
    for number in range(1, 4):
        flood = of(MAKER, report, number)
        answers.append(mail.post(f"/exceptions/reports?to={PHARMACY}", MAKER, json=flood).status_code)
    assert answers == [202, 202, 409]


def of(sender, report, number):
    """`report` under other ids, from another party."""
    return {
        **report,
        "message_uuid": f"m{number}",
        "exception_case_uuid": f"c{number}",
        "sender_information": {"gln": sender, "email": "a@b.example"},
    }


def test_a_seller_that_answers_a_report_does_not_close_the_buyers_case_by_it(sqlite_bay):
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    head = {**report, "sender_information": {**report["sender_information"], "gln": MAKER}}
    response = {**head, "message_uuid": "answer", "response_items": [], "additional_notes": "On its way."}
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", MAKER, json=response).status_code == 202
    resolved = {**head, "message_uuid": "resolved", "exceptions": {}, "case_resolved": True}
    answer = mail.post(f"/exceptions/reports?to={PHARMACY}", MAKER, json=resolved)
    assert answer.status_code == 404, answer.text
    [still] = bay.exceptions()
    assert still.is_open


def test_by_hand_a_message_is_taken_in_answered_and_a_group_reported(sqlite_bay):
    bay = sqlite_bay
    bay.ship(cases_of(3))
    wanda = bay.clerk("wanda").begin(ADVICE).scan(case_label(1))
    wanda.act("opened", epc=next(iter(cases_of(1))))
    wanda.scan(pack_label(101, lot="LOT43"), pack_label(102)).finish()
    quinn = bay.somebody("quinn", Role.QUALITY)
    group = quinn.post("/exceptions/report", {"partner": MAKER}, form="/exceptions")
    assert group.headers["Content-Disposition"].startswith('attachment; filename="pdg-report-')
    report = group.get_json()
    validator("report").validate(report)
    assert {name: len(found) for name, found in report["exceptions"].items()} == {
        "missing_product": 4,
        "data_misalignment": 1,
    }
    [differs] = report["exceptions"]["data_misalignment"]
    assert (differs["received_product_lot"], differs["product_data_lot"]) == ("LOT43", "LOT42")

    mary = bay.somebody("mary", Role.QUALITY, MAKER)
    opened = mary.post("/exceptions/import", {"message": group.text}, form="/exceptions")
    assert opened.status_code == 303, text_of(opened)
    page = mary.get(opened.location)
    assert "Answer their report" in page.text
    answer = mary.post(
        f"{opened.location}/response",
        {"answer-0": "Accept", "comments-0": "Our fault."},
        form=opened.location,
    )
    validator("response").validate(answer.get_json())
    back = quinn.post("/exceptions/import", {"message": answer.text}, form="/exceptions")
    assert "accepted (Our fault.)" in text_of(quinn.get(back.location))
    for nonsense in ("", "{", "[]", '{"sender_information": {"gln": "1"}}'):
        assert quinn.post("/exceptions/import", {"message": nonsense}, form="/exceptions").status_code == 400


def test_what_is_not_of_this_desk_is_refused(sqlite_bay):
    mail = Mail(sqlite_bay)
    to = f"/exceptions/reports?to={MAKER}"
    assert mail.post(to, PHARMACY, data=b"{", content_type="application/json").status_code == 400
    assert mail.post(to, STRANGER, json=GOOD).status_code == 400, "another sender than it names"
    assert mail.post("/exceptions/reports?to=0860000000017", PHARMACY, json=GOOD).status_code in (202, 404)
    assert mail.post("/exceptions/reports?to=0666000000019", PHARMACY, json=GOOD).status_code in (400, 404)
    assert mail.post(to, PHARMACY, data=b" " * 1_000_001, content_type="application/json").status_code == 413
    assert (
        mail.post(
            f"/exceptions/responses?to={MAKER}", PHARMACY, json={**GOOD, "response_items": []}
        ).status_code
        == 404
    )
    assert mail.post(to, PHARMACY, json={**GOOD, "case_resolved": True}).status_code == 404
    bare = sqlite_bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY)
    assert mail.client.post(to, headers=bare, json=GOOD).status_code == 403
    listed = mail.client.get("/exceptions.json", headers=bare)
    assert listed.get_json() == {"cases": [], "next": None}


@pytest.mark.parametrize(
    ("name", "kind", "hda_class"),
    [
        ("1_1A_overage_keep_product", OwnKind.REPORTED_OVERAGE, HdaClass.PRODUCT_NO_DATA),
        ("1_1B_overage_return_product", OwnKind.REPORTED_OVERAGE, HdaClass.PRODUCT_NO_DATA),
        ("1_4A_incorrect_serial", OwnKind.REPORTED_SERIAL, HdaClass.DATA_ISSUE),
    ],
)
def test_a_published_report_opens_the_case_of_its_scenario(name, kind, hda_class):
    [path] = [each for each in examples() if each.name == f"hda_{name}_report.json"]
    report = pdg.read_report(json.loads(path.read_text()), NOW)
    assert reported_as({item.list for item in report.items}) is kind
    assert KINDS[kind].hda_class is hda_class
    assert "answer the partner" in KINDS[kind].next_step


def test_what_is_short_and_what_fits_no_list_have_their_kinds_too():
    assert reported_as({Pdg.UNDERAGE}) is reported_as({Pdg.MISSING_PRODUCT}) is OwnKind.REPORTED_SHORTAGE
    assert reported_as({"gln_errors"}) is reported_as(()) is OwnKind.REPORTED


@pytest.mark.parametrize(
    ("listed", "values", "told"),
    [
        (Pdg.MISSING_DATA, {"product_gtin": GTIN, "observation_source": "Packing Slip", "product_serial": "7"},
         ("Product without data", "Product No Data", "", "7", "its data; seen by: packing slip")),
        (Pdg.MISALIGNMENT, {"received_product_gtin": GTIN, "received_product_lot": "L2", "product_data_gtin": GTIN,
                            "product_data_lot": "L1"},
         ("Label and data differ", "Data Issue", "L2", "", "lot L1")),
        (Pdg.UNDERAGE, {"gtin": GTIN, "quantity_ordered": 2, "quantity_received": 1},
         ("Too little", "Data No Product", "", "", "2 ordered, 1 received")),
        ("gtin_errors", {"invalid_gtin": GTIN, "proposed_gtin": "1"},
         ("The product's number (GTIN) is wrong", "Data Issue", "", "", f"1 for {GTIN}")),
        ("gln_errors", {"invalid_gln": MAKER},
         ("The company's number (GLN) is wrong", "Data Issue", "", "", f"another than {MAKER}")),
    ],
)  # fmt: skip
def test_an_item_of_each_list_is_told_in_words(listed, values, told):
    item = ReportItem(str(listed), "i1", values | {"resolution_request": "Send new data"})
    [line] = lines([item], {GTIN: "Sonnenal"}, {"i1": Answer("i1", True)})
    assert (line.what, line.hda_class, line.lot, line.serial, line.expected) == told
    assert (line.asked, line.answer) == ("Send new data", "accepted")
    assert line.gtin == ("" if listed == "gln_errors" else GTIN)
