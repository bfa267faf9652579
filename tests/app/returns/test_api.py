"""A return by REST alone: registered, verified unit by unit, accepted or refused, closed."""

from concurrent.futures import ThreadPoolExecutor

from app.shared.actor import Actor, Role
from tests.support.counter import AT_ITS_MAKER, PHARMACY, STRANGER, Counter, code
from tests.support.rest import Rest, scanned
from tests.support.world import MAKER, package

PATH = "/api/returns"


def test_a_return_from_its_registration_to_its_end(sqlite_counter: Counter) -> None:
    maker = Rest(sqlite_counter, MAKER)
    asked = {"customer": PHARMACY, "rma": "RMA-17"}
    case = maker.post(PATH, asked, 201)
    assert (case["rma"], case["partner"], case["units"], case["saleable"]) == ("RMA-17", PHARMACY, [], 0)
    # Asked for again, because the answer was lost: the same return.
    assert maker.post(PATH, asked, 200)["id"] == case["id"]
    assert maker.post(PATH, asked | {"customer": STRANGER}, 201)["id"] != case["id"]
    assert maker.post(PATH, {"customer": MAKER}, 400)["code"] == "return.customer"
    assert maker.post(PATH, asked | {"rma": "<b>"}, 400)["code"] == "return.rma"

    address = f"{PATH}/{case['id']}"
    assert maker.post(f"{address}/book", None, 409)["code"] == "return.nothing"
    assert maker.post(f"{address}/scans", scanned("hello"), 400)["code"] == "return.unit"
    maker.post(f"{address}/scans", scanned(code(1)))
    units = maker.post(f"{address}/scans", scanned(code(AT_ITS_MAKER)) | {"damaged": True})["units"]
    assert [(each["epc"], each["reason"], each["matched"], each["saleable"]) for each in units] == [
        (package(1), "no_statement", True, False),
        (package(AT_ITS_MAKER), "not_sold_to_them", False, False),
    ]
    booked = maker.post(f"{address}/book")
    assert booked["entry"] > 0
    assert all(each["booked_at"] for each in booked["units"])
    assert [each["state"] for each in booked["items"]] == ["no_statement", "not_sold_to_them"]
    assert maker.post(f"{address}/scans", scanned(code(1)), 409)["code"] == "return.booked"
    # What came back unsaleable is not let go by ending its hold.
    going = {"packages": [package(1)], "text": "It looks good."}
    assert maker.post("/api/holds/release", going, 409)["code"] == "quarantine.returned"
    assert maker.get("/api/holds") == {"holds": []}
    assert (
        maker.post(f"{address}/close", {"root_cause": "why", "text": "x"}, 422)["code"] == "request.invalid"
    )
    done = maker.post(f"{address}/close", {"root_cause": "too_much", "text": "Done."})
    assert (done["state"], done["root_cause"], done["closed_by"]) == ("done", "too_much", "test")
    assert maker.post(f"{address}/scans", scanned(code(2)), 409)["code"] == "case.closed"
    assert [each["id"] for each in maker.get(f"{PATH}?state=closed")["cases"]] == [case["id"]]


def test_a_return_asked_for_at_once_is_one(counter: Counter) -> None:
    maker = Actor("token", "tok_1", "system", Role.PARTNER_SYSTEM, party_gln=MAKER)
    begin = counter.services.returns.begin
    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda _: begin(maker, PHARMACY, "RMA-18"), range(8)))
    assert len({case_id for case_id, _ in begun}) == 1
    assert [new for _, new in begun].count(True) == 1
    # In other letters it is another number.
    assert begin(maker, PHARMACY, "rma-18")[1]
