"""An investigation by REST alone: from the suspicion to a terminated notification, and the partner who was told."""

from datetime import timedelta

from tests.support.counter import AT_ITS_MAKER, HERE, ON_ITS_WAY, PHARMACY, Counter, code
from tests.support.rest import Rest, scanned
from tests.support.world import MAKER, package

PATH = "/api/investigations"
FORM = {
    "ingredients": "Synthetic", "strength": "50 mg", "dosage_form": "tablet", "ndc": "9999-0101-1",
    "product_name": "Synthamol", "company_address": "1 Main Street", "contact_email": "a@b.example",
    "contact_phone": "1", "event_description": "Its content is not ours.",
}  # fmt: skip


def later(counter: Counter) -> None:
    """Events of one moment have no order among them that means anything."""
    counter.node.clock.advance(timedelta(minutes=1))


def test_what_is_cleared_after_its_sample_is_free_again(sqlite_counter: Counter) -> None:
    counter, here = sqlite_counter, Rest(sqlite_counter, PHARMACY)
    asked = {"packages": [code(HERE)], "ground": "counterfeit", "bin": "Cage 3", "text": "Blurred print."}
    assert here.post(PATH, asked | {"ground": "odd"}, 422)["code"] == "request.invalid"
    case = here.post(PATH, asked, 201)
    address = f"{PATH}/{case['id']}"
    assert (case["bin"], case["sample"]) == ("Cage 3", {"packages": 1, "needed": 1, "inspected": 0})
    assert case["items"] == [{"epc": package(HERE), "state": ""}]
    again = here.post(PATH, asked, 409)
    assert (again["code"], again["cases"]) == ("investigation.open", [case["id"]])
    later(counter)
    assert here.post(f"{address}/inspections", scanned(code(HERE)), 409)["code"] == "investigation.state"
    for _ in range(2):  # the answer was lost: the same again changes nothing
        begun = here.post(f"{address}/moves", {"move": "investigate"})
    assert [each["move"] for each in begun["moves"]] == ["clear", "determine"]
    assert sum("Begin the investigation" in line["text"] for line in begun["thread"]) == 1
    refused = here.post(f"{address}/moves", {"move": "clear", "text": "Fine."}, 400)
    assert (refused["code"], refused["detail"]) == (
        "investigation.needs",
        "0 of 1 packages were inspected.",
    )
    assert here.post(f"{address}/inspections", scanned(code(2)), 400)["code"] == "investigation.other"
    assert here.post(f"{address}/inspections", scanned(code(HERE)))["items"][0]["state"] == "verified"
    later(counter)
    done = here.post(f"{address}/moves", {"move": "clear", "text": "Nothing is wrong."})
    assert (done["state"], done["closed_by"], done["moves"]) == ("cleared", "test", [])
    assert here.post(f"{address}/moves", {"move": "determine"}, 409)["code"] == "investigation.state"


def test_from_the_determination_to_the_termination(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    maker, pharmacy = Rest(counter, MAKER), Rest(counter, PHARMACY)
    asked = {"packages": [package(AT_ITS_MAKER)], "ground": "fraudulent", "bin": "Vault", "text": "Odd."}
    case = maker.post(PATH, asked, 201)
    address = f"{PATH}/{case['id']}"
    assert maker.post(f"{address}/risk", {"text": "Others are about."})["high_risk"]
    for move in ("investigate", "determine"):
        later(counter)
        case = maker.post(f"{address}/moves", {"move": move, "text": "Its content is not ours."})
    # 24 hours run from the determination, not from the suspicion.
    assert case["due_at"] == (counter.node.clock.now() + timedelta(hours=24)).isoformat()
    assert maker.post(f"{address}/moves", {"move": "notify"}, 400)["code"] == "investigation.needs"
    lacking = maker.post(f"{address}/forms", {"kind": "initial"}, 201)
    assert "contact_email" in lacking["problems"]
    form = maker.post(f"{address}/forms", {"kind": "initial"} | FORM, 201)
    assert (form["problems"], form["content"]["serials"]) == ({}, [str(AT_ITS_MAKER)])
    assert maker.get(f"{address}/forms/{form['id']}") == form
    told = maker.post(f"{address}/moves", {"move": "notify"})["partners_told"]
    assert [each["gln"] for each in told] == [PHARMACY]

    # The partner who was told: its own case, of which the other's forms are no part.
    [notice] = pharmacy.get(PATH)["cases"]
    theirs = f"{PATH}/{notice['id']}"
    assert (notice["kind"], notice["partner"]) == ("notification", MAKER)
    assert "is illegitimate" in pharmacy.get(theirs)["message"]
    assert pharmacy.get(f"{address}/forms/{form['id']}", 404)["code"] == "not_found"
    assert pharmacy.get(f"{theirs}/forms/{form['id']}", 404)["code"] == "not_found"
    assert pharmacy.post(f"{theirs}/forms", {"kind": "initial"}, 400)["code"] == "form3911.case"
    answer = {"root_cause": "nothing_here", "text": "We looked, and have none."}
    assert maker.post(f"{address}/close", answer, 400)["code"] == "investigation.close"
    assert pharmacy.post(f"{theirs}/close", answer)["state"] == "answered"
    assert pharmacy.post(f"{theirs}/close", answer, 409)["code"] == "case.closed"

    later(counter)
    maker.post(f"{address}/moves", {"move": "dispose", "text": "By our contractor."})
    ending = {"kind": "termination", "incident_number": "FDA-77", "termination_reason": "All is destroyed."}
    assert maker.post(f"{address}/forms", ending, 201)["problems"] == {}
    maker.post(f"{address}/moves", {"move": "request_termination"})
    done = maker.post(f"{address}/moves", {"move": "terminate", "text": "FDA agrees."})
    assert (done["state"], done["incident_number"], len(done["forms"])) == ("terminated", "FDA-77", 3)
    assert done["partners_told"][0]["ended_at"] is not None
    assert ON_ITS_WAY not in done["items"]
