"""An override by REST alone: asked, decided by two people with their own passwords, followed up by a third."""

from sqlalchemy import select

from app.people.models import web_session
from app.shared.actor import Role
from tests.support.app import PASSWORD
from tests.support.counter import HERE, PHARMACY, STRANGER, Counter, code
from tests.support.rest import Rest, scanned

PATH = "/api/overrides"


def person(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"name": name, "password": password}


def test_an_override_from_the_question_to_its_follow_up(sqlite_counter: Counter) -> None:
    counter, here = sqlite_counter, Rest(sqlite_counter, PHARMACY)
    for name, role, gln in (
        ("mia", Role.PHARMACIST, PHARMACY),
        ("quinn", Role.QUALITY, PHARMACY),
        ("rae", Role.QUALITY, PHARMACY),
        ("walt", Role.WAREHOUSE, PHARMACY),
        ("sly", Role.PHARMACIST, STRANGER),
    ):
        counter.node.person(name, role, party_gln=gln)
    other = scanned(code(HERE, lot="OTHER"))
    question = here.post(f"{PATH}/checks", other)
    assert (question["allowed"], question["verdict"], question["reason"]) == (
        True, "DETAILS DIFFER", "lot_differs",
    )  # fmt: skip
    assert not here.post(f"{PATH}/checks", scanned(code(HERE)))["allowed"]
    assert not here.post(f"{PATH}/checks", scanned(code("NEVER")))["allowed"]

    before = counter.trade.counts()
    asked = {
        "reason": "urgent_care",
        "text": "Patient waits.",
        "first": person("mia"),
        "second": person("quinn"),
    }
    wrong = [
        ({"first": person("quinn")}, 403, "override.person"),  # only a pharmacist dispenses
        ({"first": person("sly")}, 403, "override.person"),
        ({"second": person("mia")}, 403, "override.same_person"),
        ({"second": person("walt")}, 403, "override.second"),
        ({"second": person("sly")}, 403, "override.second"),
        ({"second": person("quinn", "not it")}, 401, "people.sign_in"),
        ({"reason": "because"}, 422, "request.invalid"),
    ]
    for change, status, said in wrong:
        assert here.post(PATH, other | asked | change, status)["code"] == said, change
    assert here.post(PATH, scanned(code(HERE)) | asked, 409)["code"] == "override.ok"
    assert counter.trade.counts() == before
    assert here.get(PATH)["cases"] == []

    case = here.post(PATH, other | asked, 201)
    kept = case["override"]
    assert (kept["first"], kept["second"], kept["verdict"]) == ("mia", "quinn", "DETAILS DIFFER")
    assert kept["entry"] is not None
    end = {"root_cause": "label", "text": "It was misprinted."}
    address = f"{PATH}/{case['id']}/close"
    assert here.post(address, end | {"by": person("mia")}, 403)["code"] == "override.own"
    assert here.post(address, end | {"by": person("walt")}, 403)["code"] == "override.person"
    assert Rest(counter, STRANGER).post(address, end | {"by": person("sly")}, 404)["code"] == "not_found"
    done = here.post(address, end | {"by": person("rae")})
    assert (done["closed_by"], done["root_cause"]) == ("rae", "label")
    with counter.services.database.reading() as connection:
        assert None not in connection.execute(select(web_session.c.ended_at)).scalars().all()
