"""13. 24 h runs from *determination*: a suspicion, however old, starts no clock of the law's."""

from dataclasses import replace
from datetime import timedelta

from app.cases import service as cases
from app.cases.rules import Desk
from app.investigations.rules import Ground, Move
from app.investigations.service import Suspicion
from app.shared.actor import Role
from tests.support.app import OPERATOR
from tests.support.counter import HERE, PHARMACY, Counter, code
from tests.support.world import package

QUALITY = replace(OPERATOR, name="quinn", role=Role.QUALITY, party_gln=PHARMACY)


def test_24_hours_run_from_the_determination_and_not_from_the_suspicion(sqlite_counter: Counter) -> None:
    counter, desk, clock = sqlite_counter, sqlite_counter.services.investigations, sqlite_counter.node.clock
    case_id = desk.open(QUALITY, Suspicion((package(HERE),), Ground.STOLEN, "Cage 3", "A theft alert."))
    clock.advance(timedelta(hours=60))
    desk.move(QUALITY, case_id, Move.INVESTIGATE)
    desk.inspect(QUALITY, case_id, code(HERE).encode(), None)
    clock.advance(timedelta(hours=2))
    desk.move(QUALITY, case_id, Move.DETERMINE, text="It was on the list.", maker_consulted="North Pharma")
    determined = clock.now()
    clock.advance(timedelta(hours=23))
    with counter.services.database.reading() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, PHARMACY)
    assert case.due_at == determined + timedelta(hours=24)
    assert case.data["illegitimate_at"] == determined.isoformat()
