"""An exception that nobody scanned: opened from what a person saw, and found again by the queue's filter."""

import re
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.errors import Invalid
from app.exceptions import pages, service
from app.exceptions.choosing import Chosen
from app.exceptions.rules import KINDS, SEEN_KINDS
from app.exceptions.scenarios import HdaClass
from app.exceptions.seen import LONGEST_TEXT, MOST_PACKAGES, Seen
from app.shared.actor import Role
from tests.support.app import HTML, OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, PHARMACY, STRANGER, Counter, code, text_of
from tests.support.rest import Rest
from tests.support.world import GTIN, MAKER, package

PATH = "/api/exceptions"
NOBODYS = "9999999999994"  # a GLN that nobody has registered
GOOD = {"kind": "damaged", "text": "The corner is crushed.", "gtin": GTIN}


def test_each_class_of_hdas_can_be_opened_by_hand():
    assert {KINDS[each].hda_class for each in SEEN_KINDS} == set(HdaClass)


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"kind": "short"}, "exception.kind"),  # follows from the record alone
        ({"kind": ""}, "exception.kind"),
        ({"text": "  "}, "note.length"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, "note.length"),
        ({"gtin": ""}, "exception.about"),
        ({"gtin": GTIN[:-1] + "0"}, "exception.about"),
        ({"lot": "L" * 61}, "exception.about"),
        ({"packages": [code(HERE)] * (MOST_PACKAGES + 1)}, "exception.about"),
        ({"packages": ["a box"]}, "epc.invalid"),
        ({"partner": "123"}, "gln.invalid"),
    ],
)
def test_what_does_not_say_what_or_about_what_is_refused(wrong, refused):
    with pytest.raises(Invalid) as found:
        Seen.parse(GOOD | wrong)
    assert found.value.code == refused


@pytest.mark.parametrize(
    "wrong", [{"state": "all"}, {"hda_class": "data issue"}, {"root_cause": "fate"}, {"partner": "12"}]
)
def test_a_filter_takes_no_word_that_is_none(wrong):
    with pytest.raises(Invalid):
        Chosen.parse(wrong)


def test_a_root_cause_chooses_among_what_is_closed():
    assert Chosen.parse({"root_cause": "picking", "state": "open"}).as_query() == {
        "root_cause": "picking",
        "state": "closed",
    }


def test_what_is_opened_over_rest_is_a_case_like_any_other(sqlite_counter: Counter) -> None:
    counter, here = sqlite_counter, Rest(sqlite_counter, PHARMACY)
    seen = {
        "kind": "damaged", "text": "The corner is crushed.", "packages": [code(HERE)], "despatch_advice": "ASN-7",
        "once": "call 12",
    }  # fmt: skip
    case = here.post(PATH, seen, 201)
    # Whom it is with the record says; the label said the lot.
    assert (case["kind"], case["subject"], case["partner"], case["hda_class"], case["lots"]) == (
        "damaged", package(HERE), MAKER, "Unavailable for Distribution", ["LOT42"],
    )  # fmt: skip
    assert case["advices"] == ["ASN-7"]
    assert "The corner is crushed." in case["message"]
    assert case["due_at"] is not None
    # Sent again, because the answer was lost, it opens no second one; another company's word is its own.
    assert here.post(PATH, seen, 201)["id"] == case["id"]
    assert Rest(counter, STRANGER).post(PATH, seen, 201)["id"] != case["id"]
    assert len(counter.trail("exception.open")) == 2
    # It stands in the way of what it names.
    dispensed = counter.pharmacist().post("/dispense", {"code": code(HERE)}, form="/dispense")
    assert "open exception" in text_of(dispensed)

    def listed(query: str) -> list[str]:
        return [each["kind"] for each in here.get(f"{PATH}?{query}")["cases"]]

    assert listed("hda_class=Unavailable%20for%20Distribution") == ["damaged"]
    assert listed(f"hda_class=Unavailable%20for%20Distribution&partner={STRANGER}") == []
    assert "damaged" in listed(f"partner={MAKER}")
    assert listed("mine=true") == []
    here.post(f"{PATH}/{case['id']}/take")
    assert listed("mine=true") == ["damaged"]
    assert listed("root_cause=transport") == []
    here.post(f"{PATH}/{case['id']}/close", {"root_cause": "transport", "text": "The carrier admits it."})
    assert listed("root_cause=transport") == listed("root_cause=transport&state=closed") == ["damaged"]
    assert here.get(f"{PATH}?hda_class=Fate", 422)["code"] == "request.invalid"
    [cause] = [each for each in here.get(f"{PATH}/causes")["causes"] if each["kind"] == "damaged"]
    assert (cause["open"], cause["all"], cause["root_causes"]) == (0, 1, {"transport": 1})
    assert here.post(PATH, {"check": "chk_1", "kind": "damaged"}, 422)["code"] == "request.invalid"
    assert here.post(PATH, {}, 422)["code"] == "request.invalid"


def test_of_what_is_anothers_a_case_tells_no_more_than_was_typed(sqlite_counter: Counter) -> None:
    here = Rest(sqlite_counter, STRANGER)
    told = []
    for number in (AT_ITS_MAKER, 4711):
        case = here.post(PATH, {"kind": "no_data", "text": "A pack.", "packages": [package(number)]}, 201)
        changes = {"id", "subject", "thread", "message"}
        told.append({name: value for name, value in case.items() if name not in changes})
        assert (case["items"], case["lots"], case["partner"]) == ([], [], None)
    assert told[0] == told[1]


def test_a_partner_whom_nobody_registered_is_kept_as_unverified(sqlite_counter: Counter) -> None:
    here = Rest(sqlite_counter, PHARMACY)
    case = here.post(PATH, GOOD | {"partner": NOBODYS}, 201)
    assert (case["partner"], case["subject"]) == (NOBODYS, f"GTIN {GTIN}")
    assert [each["id"] for each in here.get(f"{PATH}?partner={NOBODYS}")["cases"]] == [case["id"]]
    assert here.post(PATH, GOOD | {"partner": PHARMACY}, 400)["code"] == "exception.partner"


def test_what_the_record_finds_in_order_stays_open_until_a_person_ends_it(sqlite_counter: Counter) -> None:
    """By the record the pack is here: that it is missing only a person can know, and no data puts it right."""
    here = Rest(sqlite_counter, PHARMACY)
    missing = {"kind": "not_received", "text": "The shelf is empty."}
    held = here.post(PATH, missing | {"packages": [code(HERE)]}, 201)
    coming = here.post(PATH, missing | {"packages": [code(4)]}, 201)
    waiting = {each["id"] for each in here.get(PATH)["cases"]}
    assert {held["id"], coming["id"]} <= waiting
    received = sqlite_counter.event("receiving", 4, hours=3, sources=sqlite_counter.shipment.sources)
    sqlite_counter.told(received, by=PHARMACY)
    waiting = {each["id"] for each in here.get(PATH)["cases"]}
    assert (held["id"] in waiting, coming["id"] in waiting) == (True, False)


def test_the_page_opens_one_and_its_filter_finds_it(sqlite_counter: Counter) -> None:
    quinn = sqlite_counter.somebody("quinn", Role.QUALITY)
    page = quinn.get("/exceptions/new")
    assert '<optgroup label="Packaging and Labeling">' in page.text
    once = re.search(r'name="once" value="([^"]+)"', page.text)[1]
    form = {
        "kind": "packaging",
        "text": "The seal is <torn>.",
        "purchase_order": "PO-9",
        "partner": MAKER,
        "once": once,
    }
    wrong = quinn.post("/exceptions/new", form | {"kind": ""}, form="/exceptions/new", headers=HTML)
    assert wrong.status_code == 400
    assert "The seal is &lt;torn&gt;." in wrong.text, "what was typed is not lost"
    opened = quinn.post("/exceptions/new", form, form="/exceptions/new")
    assert opened.status_code == 303
    assert quinn.post("/exceptions/new", form, form="/exceptions/new").location == opened.location
    case_id = opened.location.rpartition("/")[2]
    with sqlite_counter.services.database.reading() as connection:
        found = cases.case(connection, Desk.EXCEPTIONS, case_id, PHARMACY)
    assert (found.subject, found.partner_gln, found.data["detail"]) == ("PO-9", MAKER, "The seal is <torn>.")
    assert "Purchase order PO-9" in text_of(quinn.get(opened.location))

    def listed(query: str) -> str:
        return text_of(quinn.get(f"/exceptions?{query}"))

    said = listed("hda_class=Packaging+and+Labeling")
    assert "Shown: Packaging and Labeling" in said
    assert "Packaging or labelling is wrong" in said
    assert "Nothing of it is open" in listed("mine=true")
    assert "Packaging or labelling is wrong" in listed(f"partner={MAKER}")
    assert "Nothing of it is open" in listed("partner=none&hda_class=Packaging+and+Labeling")
    quinn.post(f"{opened.location}/take", form=opened.location)
    assert "Packaging or labelling is wrong" in listed("mine=true")
    end = {"text": "New label sent.", "root_cause": "label"}
    assert quinn.post(f"{opened.location}/close", end, form=opened.location).status_code == 303
    assert "Closed (1)" in listed("root_cause=label")
    assert "None of them is closed" in listed("root_cause=transport")
    assert quinn.get("/exceptions?state=ajar").status_code == 400
    causes = text_of(quinn.get("/exceptions/causes"))
    assert "Printing or label fault Packaging or labelling is wrong North Pharma 1" in causes


def test_one_account_opens_so_many_in_a_day_and_no_more(sqlite_counter: Counter, monkeypatch) -> None:
    monkeypatch.setattr(service, "MOST_A_DAY", 3)
    counter = sqlite_counter
    here = Rest(counter, PHARMACY)
    for number in range(3):
        here.post(PATH, GOOD | {"once": f"call {number}"}, 201)
    refused = here.post(PATH, GOOD, 429)
    assert (refused["code"], refused["detail"]) == (
        "exception.too_many",
        "3 within 24 hours are the most.",
    )
    check = counter.services.verification.check(b"nothing", None, OPERATOR, asker=PHARMACY).check_id
    assert here.post(PATH, {"check": check}, 429)["code"] == "exception.too_many"
    here.post(PATH, GOOD | {"once": "call 2"}, 201)  # what stands is answered
    Rest(counter, PHARMACY).post(PATH, GOOD, 201)  # and somebody else may
    counter.node.clock.advance(timedelta(days=1))
    here.post(PATH, GOOD, 201)


def test_the_form_offers_so_many_companies_and_takes_the_number_of_any_other(
    sqlite_counter: Counter, monkeypatch
) -> None:
    quinn = sqlite_counter.somebody("quinn", Role.QUALITY)
    monkeypatch.setattr(pages, "_MOST_PARTNERS", 2)
    Rest(sqlite_counter, PHARMACY).post(PATH, GOOD | {"partner": NOBODYS}, 201)
    page = quinn.get("/exceptions/new").text
    offered = re.findall(r'<option value="([0-9]{13})"', page)
    assert (len(offered), NOBODYS in offered) == (2, True), "those it has dealt with come first"
    assert 'name="other_partner"' in page
    form = {"kind": "packaging", "text": "Torn.", "purchase_order": "PO-9", "other_partner": MAKER}
    opened = quinn.post("/exceptions/new", form)
    assert opened.status_code == 303
    with sqlite_counter.services.database.reading() as connection:
        found = cases.queue(connection, Desk.EXCEPTIONS, PHARMACY)
    assert [each.partner_gln for each in found if each.kind == "packaging"] == [MAKER]


def test_whom_somebody_elses_data_names_is_offered_to_nobody_and_may_be_typed(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    Rest(counter, MAKER).post(PATH, GOOD | {"partner": NOBODYS}, 201)
    for gln, offered in ((PHARMACY, False), (MAKER, True)):
        quinn = counter.somebody(f"quinn.{gln}", Role.QUALITY, gln)
        assert (NOBODYS in quinn.get("/exceptions/new").text) is offered
        walt = counter.somebody(f"walt.{gln}", Role.WAREHOUSE, gln)
        page = walt.get("/returns").text
        assert NOBODYS not in page
        assert (STRANGER in page, f'value="{gln}"' in page) == (True, False)
        begun = walt.post("/returns", {"customer": "", "other_customer": f" {NOBODYS}"})
        assert begun.status_code == 303
        assert NOBODYS in walt.get("/returns").text, "with whom it has had a return"
