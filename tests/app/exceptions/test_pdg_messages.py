"""PDG's messages: what we write is what their schemas allow, what they publish we read, and is told in words."""

import copy
import json
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from app.errors import Invalid
from app.exceptions import pdg
from app.exceptions.pdg import Answer, Report, ReportItem, ReportResponse, Sender
from app.exceptions.reported import lines
from app.exceptions.rules import KINDS, OwnKind, Pdg, Resolution, reported_as
from app.exceptions.scenarios import HdaClass
from tests.support.counter import PHARMACY
from tests.support.delivery import ADVICE, ORDER
from tests.support.shared import shared_path
from tests.support.world import GTIN, MAKER

SCHEMAS = "data/epcis/dscsagovernance-ExceptionsSchemas"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SENDER = Sender(MAKER, "quality@north.example")


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
