"""An exception by REST alone: found in the queue, opened about a scan, written about, closed, opened again."""

from tests.support.counter import HERE, PHARMACY, Counter, code
from tests.support.rest import Rest, scanned
from tests.support.world import MAKER, package

PATH = "/api/exceptions"


def test_an_exception_from_the_queue_to_its_end(sqlite_counter: Counter) -> None:
    here = Rest(sqlite_counter, PHARMACY)
    short = sqlite_counter.shortage()
    listed = {each["id"]: each for each in here.get(PATH)["cases"]}
    assert (listed[short]["kind"], listed[short]["partner"], listed[short]["hda_class"]) == (
        "short", MAKER, "Data No Product",
    )  # fmt: skip
    # The queue's first address answers the same.
    assert here.get("/exceptions.json") == here.get(PATH)
    address = f"{PATH}/{short}"
    case = here.get(address)
    assert (case["lots"], case["next"][:14], "North Pharma" in case["message"]) == (
        ["LOT42"], "Ask the seller", True,
    )  # fmt: skip
    here.post(f"{address}/messages", {"text": case["message"]})
    said = here.post(f"{address}/messages", {"text": "We void it.", "direction": "came"})
    assert [line["kind"] for line in said["thread"]] == ["state", "sent", "came"]
    assert (
        here.post(f"{address}/close", {"root_cause": "fate", "text": "x"}, 422)["code"] == "request.invalid"
    )
    assert here.post(f"{address}/reopen", {"text": "Why?"}, 409)["code"] == "case.open"
    done = here.post(f"{address}/close", {"root_cause": "picking", "text": "They picked one too few."})
    assert (done["state"], done["root_cause"], done["next"]) == ("closed", "picking", "")
    assert here.post(f"{address}/close", {"root_cause": "picking", "text": "x"}, 409)["code"] == "case.closed"
    assert here.post(f"{address}/reopen", {"text": "It came."})["closed_at"] is None


def test_one_scan_opens_one_case(sqlite_counter: Counter) -> None:
    here = Rest(sqlite_counter, PHARMACY, {"query", "desks", "verify"})
    check = here.post("/verification/checks", scanned(code(HERE, lot="OTHER")))["id"]
    case = here.post(PATH, {"check": check}, 201)
    assert (case["kind"], case["subject"]) == ("lot_differs", package(HERE))
    assert here.post(PATH, {"check": check}, 201)["id"] == case["id"]
    assert Rest(sqlite_counter, MAKER).post(PATH, {"check": check}, 404)["code"] == "not_found"
