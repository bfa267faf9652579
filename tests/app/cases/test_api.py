"""What is alike at all desks over REST: queue, case, owner, thread; another party's is as if it were not there."""

from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.places import Place
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.errors import Invalid
from app.partners import service as partners
from app.shared.actor import Role
from tests.support.app import GLN_A, GLN_B, NOON, PASSWORD, Node
from tests.support.counter import HERE, ON_ITS_WAY, PHARMACY, STRANGER, Counter, code
from tests.support.rest import Rest, scanned
from tests.support.world import GTIN, MAKER, package

# The address of each desk, what its list is called, and the state in which the pharmacy's case of it begins.
DESKS = [
    ("/api/exceptions", "cases", "open"),
    ("/api/investigations", "cases", "suspect"),
    ("/api/returns", "cases", "open"),
    ("/api/overrides", "cases", "open"),
    ("/api/recalls", "recalls", "open"),
    ("/regulator/requests", "requests", "open"),
    ("/receivings", "receivings", "open"),
]
ALIKE = {
    *("id", "desk", "kind", "state", "title", "subject", "party", "partner", "owner", "mine", "opened_at", "due_at"),
    *("overdue", "closed_at", "closed_by", "root_cause"),
}  # fmt: skip


def open_all(counter: Counter, here: Rest) -> None:
    """A case of the pharmacy's at every desk."""
    counter.shortage()  # and Quinn of its quality
    counter.node.person("mia", Role.PHARMACIST, party_gln=PHARMACY)
    people = {name: {"name": name, "password": PASSWORD} for name in ("mia", "quinn")}
    asked = {"reason": "urgent_care", "text": "Waits.", "first": people["mia"], "second": people["quinn"]}
    here.post("/api/overrides", scanned(code(HERE, lot="OTHER")) | asked, 201)
    suspect = {"packages": [package(2)], "ground": "stolen", "bin": "Cage", "text": "Theft alert."}
    here.post("/api/investigations", suspect, 201)
    here.post("/api/returns", {"customer": STRANGER, "rma": "R1"}, 201)
    here.post("/receivings", {"text": code(ON_ITS_WAY)}, 201)
    request = {
        "requester": "R. Doe",
        "proof": "called back",
        "standing": "fda",
        "reason": "recall",
        "gtin": GTIN,
    }
    here.post("/regulator/requests", request | {"lot": "LOT42"}, 201)
    recall = {"gtin": GTIN, "serials": ["3"], "class": "II", "reason": "Leaks.", "instruction": "Return it."}
    Rest(counter, MAKER).post("/api/recalls", recall, 201)


def test_every_desk_has_its_queue_its_case_its_owner_and_its_thread(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    here, stranger = Rest(counter, PHARMACY), Rest(counter, STRANGER)
    reader = Rest(counter, PHARMACY, {"query"})
    open_all(counter, here)
    for path, members, state in DESKS:
        listed = here.get(path)[members]
        assert listed, path
        first = listed[0]
        assert first.keys() >= ALIKE, path
        assert (first["party"], first["state"], first["overdue"], first["closed_at"]) == (
            PHARMACY, state, False, None,
        ), path  # fmt: skip
        assert first["due_at"] is not None, path
        address = f"{path}/{first['id']}"
        one = here.get(address)
        assert one.items() >= {name: first[name] for name in ALIKE}.items(), path
        assert one["thread"][0]["kind"] == "state", path

        # Taken and noted, each once however often it is asked for.
        for _ in range(2):
            assert here.post(f"{address}/take")["mine"], path
            noted = here.post(f"{address}/notes", {"text": "Called them."})
        assert [line["text"] for line in noted["thread"]].count("Called them.") == 1, path
        assert sum(line["text"] == "Taken by test." for line in noted["thread"]) == 1, path
        assert [each["id"] for each in here.get(f"{path}?mine=true")[members]] == [first["id"]], path
        assert first["id"] not in [each["id"] for each in here.get(f"{path}?state=closed")[members]], path

        # Who has another scope may not; who is another party cannot tell it from what does not exist.
        if path != "/receivings":
            assert reader.get(address)["owner"] == "test"
            assert reader.post(f"{address}/take", None, 403)["code"] == "access.denied", path
        assert stranger.get(path)[members] == [], path
        for method, what, body in (
            ("get", "", None),
            ("post", "/take", None),
            ("post", "/notes", {"text": "Hello."}),
        ):
            answers = [
                getattr(stranger.client, method)(f"{base}{what}", headers=stranger.bearer, json=body)
                for base in (address, f"{path}/{'x' * len(first['id'])}")
            ]
            theirs, none = ({**each.json, "request_id": ""} for each in answers)
            assert answers[0].status_code == 404, (path, what)
            assert theirs == none, (path, what)
            assert len(answers[0].data) == len(answers[1].data), (path, what)
        assert here.get(address)["thread"] == noted["thread"], path
        assert here.post(f"{address}/notes", {"text": " "}, 400)["code"] == "note.length", path
        assert here.post(f"{address}/notes", {"text": "x" * 2001}, 422)["code"] == "request.invalid", path


def test_a_queue_is_read_page_by_page(node: Node) -> None:
    """Cases of one clock, of none and of different ones: each is told once, in the queue's order."""
    dues = [NOON + timedelta(hours=hours) for hours in (3, 1, 1, 1, 2)] + [None, None]
    with node.services.database.writing() as connection:
        partners.ids(connection, node.clock, {GLN_A: "A company", GLN_B: "Another"})
        ids = [
            cases.open_case(
                connection,
                node.clock,
                NewCase(Desk.RETURNS, "return", GLN_A, "R", due_at=due, data={"rma": "R"}),
            )
            for due in dues
        ]
        cases.open_case(
            connection, node.clock, NewCase(Desk.RETURNS, "return", GLN_B, "R", data={"rma": "R"})
        )
    client, bearer = node.visitor().client, node.bearer(Role.PARTNER_SYSTEM)

    def pages(state: str) -> list[str]:
        found: list[str] = []
        after = ""
        while after is not None:
            answer = client.get(f"/api/returns?state={state}&limit=2&after={after}", headers=bearer).json
            assert len(answer["cases"]) <= 2
            found += [each["id"] for each in answer["cases"]]
            after = answer["next"]
        return found

    order = sorted(zip(dues, ids, strict=True), key=lambda each: (each[0] is None, each[0] or NOON, each[1]))
    assert pages("open") == [case_id for _, case_id in order]
    with node.services.database.writing() as connection:
        for number, case_id in enumerate(ids):
            if number % 3 == 0:
                node.clock.advance(timedelta(minutes=1))
            cases.close(connection, node.clock, case_id, "mia", "done", text="Done.")
    assert pages("open") == []
    groups = [sorted(ids[6:]), sorted(ids[3:6]), sorted(ids[:3])]
    assert pages("closed") == [case_id for group in groups for case_id in group]
    for wrong in ("limit=0", "limit=101", "state=all"):
        assert client.get(f"/api/returns?{wrong}", headers=bearer).status_code == 422, wrong
    refused = client.get("/api/returns?after=no", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (400, "query.parameter")


@pytest.mark.parametrize("text", ["none.case_a", "1764000000000000.rcv_b", "-5.c"])
def test_a_place_in_a_queue_is_written_as_it_is_read(text: str) -> None:
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", ".", "none", "none.", "1.5.x", "999999999999999999.x", "none.a b", "１.a"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Place.parse(text)
