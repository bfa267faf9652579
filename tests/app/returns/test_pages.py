"""The page of a return: begun, scanned, booked, closed; each unit says why it is not saleable."""

from app.cases import many
from app.cases.rules import Desk
from app.shared.actor import Role
from app.vrs import signals
from tests.support.counter import AT_ITS_MAKER, PHARMACY, Counter, code, text_of
from tests.support.world import MAKER, package


def test_a_return_from_its_beginning_to_its_end(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    walt = counter.somebody("walt", Role.WAREHOUSE, MAKER)
    case = walt.post("/returns", {"customer": PHARMACY, "rma": "RMA-17"}).location
    assert walt.post("/returns", {"customer": PHARMACY, "rma": "<b>"}).status_code == 400
    for number in (1, AT_ITS_MAKER):
        assert walt.post(f"{case}/scan", {"code": code(number)}, form=case).status_code == 303
    assert walt.post(f"{case}/scan", {"code": "hello"}, form=case).status_code == 400
    said = text_of(walt.get(case))
    assert "2 scanned, 0 saleable" in said
    assert "Our sale of it had no affirmed transaction statement." in said
    assert "We have no record of selling this package to this customer (D10)." in said
    with counter.services.database.reading() as connection:
        [sign] = signals.signals(connection, MAKER)
        assert (sign.kind.value, sign.about, sign.requester) == (
            "unsold_return",
            package(AT_ITS_MAKER),
            PHARMACY,
        )
    assert walt.post(f"{case}/book", form=case).status_code == 303
    again = walt.post(f"{case}/scan", {"code": code(1)}, form=case)
    assert (again.status_code, walt.post(f"{case}/book", form=case).status_code) == (409, 409)
    assert (
        walt.post(f"{case}/close", {"root_cause": "too_much", "text": "Done."}, form=case).status_code == 303
    )
    with counter.services.database.reading() as connection:
        [cause] = many.by_cause(connection, Desk.RETURNS, MAKER)
        assert (cause.kind, cause.root_causes) == ("return", (("too_much", 1),))
    pharmacist = counter.pharmacist()
    assert pharmacist.get("/returns").status_code == 403
