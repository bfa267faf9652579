"""A hold that no investigation has set ends by somebody who may decide it, with a reason: as a page and over REST."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql_events

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import loading
from app.errors import Conflict, NotFound, Refused
from app.exceptions import service as exceptions
from app.exceptions.rules import OwnKind
from app.exceptions.service import OwnCase
from app.investigations.service import Suspicion
from app.shared.actor import Actor, Role
from ledger.custody.verdict import Reason
from tests.support.app import OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, PHARMACY, Counter, code, text_of
from tests.support.rest import Rest
from tests.support.world import MAKER, package

WHY = "Only the outer carton was crushed."


def somebody(gln: str = PHARMACY, role: Role = Role.QUALITY) -> Actor:
    return replace(OPERATOR, name="quinn", role=role, party_gln=gln)


def damaged(counter: Counter, *numbers: int) -> str:
    """These packs came damaged: they are on hold, and in one exception, as the receiving desk leaves them."""
    counter.told(counter.event("holding", *numbers, hours=3, disposition="damaged"), by=PHARMACY)
    keys = tuple(package(number) for number in numbers)
    with counter.services.database.writing() as connection:
        items = tuple(loading.find_ids(connection, keys).values())
        new = OwnCase(OwnKind.DAMAGED, PHARMACY, MAKER, keys[0], items=items, epcs=keys)
        return exceptions.open_own(connection, counter.node.clock, new, "wanda")


def reason(counter: Counter, number: int) -> Reason:
    found = counter.services.verification.check(code(number).encode(), None, OPERATOR, asker=PHARMACY)
    return found.verdict.reason


def test_what_was_damaged_is_listed_and_let_go_with_its_reason(counter: Counter) -> None:
    case_id, holds = damaged(counter, HERE, 2), counter.services.holds
    assert reason(counter, HERE) is Reason.HELD
    assert [(each.epc, each.why, each.case_id) for each in holds.listed(PHARMACY)] == [
        (package(HERE), "damaged", case_id),
        (package(2), "damaged", case_id),
    ]
    assert holds.listed(MAKER) == []
    done = holds.release(somebody(), code(HERE), WHY)
    assert (done.epcs, reason(counter, HERE), reason(counter, 2)) == (
        (package(HERE),),
        Reason.OK,
        Reason.HELD,
    )
    assert [each.epc for each in holds.listed(PHARMACY)] == [package(2)]
    with counter.services.database.reading() as connection:
        last = cases.case(connection, Desk.EXCEPTIONS, case_id, PHARMACY).thread[-1]
    assert (last.who, last.text) == ("quinn", f"Released from hold: {WHY} Entry {done.entry}.")
    assert counter.trail("quarantine.release") == [("quinn", package(HERE), "done")]
    # Asked again, because the answer was lost.
    assert holds.release(somebody(), code(HERE), WHY).entry == 0


def test_who_may_not_and_what_may_not(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    damaged(counter, HERE)
    holds, before = counter.services.holds, counter.trade.counts()
    with pytest.raises(Refused):
        holds.release(somebody(role=Role.WAREHOUSE), code(HERE), WHY)
    for actor, number in ((somebody(MAKER), HERE), (somebody(), AT_ITS_MAKER), (somebody(), 999)):
        with pytest.raises(NotFound):
            holds.release(actor, code(number), WHY)
    assert counter.trade.counts() == before
    suspicion = Suspicion.parse(package(3), "stolen", "Cage", "Theft alert.")
    case_id = counter.services.investigations.open(somebody(), suspicion)
    with pytest.raises(Conflict) as caught:
        holds.release(somebody(), f"{code(HERE)}\n{code(3)}", WHY)
    assert (caught.value.code, caught.value.extra) == ("quarantine.investigated", {"cases": [case_id]})
    assert reason(counter, HERE) is Reason.HELD, "all or none"


def test_the_page_and_the_interface(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    case_id = damaged(counter, HERE, 2)
    path = "/investigations/holds"
    wanda = counter.somebody("wanda", Role.WAREHOUSE)
    assert "lets them go" in text_of(wanda.get(path))
    assert 'name="packages"' not in wanda.get(path).text
    mia = counter.pharmacist()
    page = mia.get(path)
    assert f"/exceptions/{case_id}" in page.text
    assert "What is on hold (2)" in text_of(page)
    assert mia.post(path, {"packages": package(HERE), "text": " "}).status_code == 400
    assert mia.post(path, {"packages": package(HERE), "text": WHY}).status_code == 303
    assert "What is on hold (1)" in text_of(mia.get(path))
    assert wanda.post(path, {"packages": package(2), "text": WHY}).status_code == 403

    counter.node.clock.advance(timedelta(minutes=1))
    here, maker = Rest(counter, PHARMACY), Rest(counter, MAKER)
    assert here.get("/api/holds")["holds"] == [
        {"epc": package(2), "why": "damaged", "desk": "exceptions", "case": case_id}
    ]
    assert maker.get("/api/holds") == {"holds": []}
    asked = {"packages": [code(2)], "text": WHY}
    theirs, none = (
        maker.post("/api/holds/release", asked | {"packages": [code(number)]}, 404) for number in (2, 777)
    )
    assert (theirs["code"], theirs["title"]) == (none["code"], none["title"])
    done = here.post("/api/holds/release", asked)
    assert (done["released"], done["entry"] > 0) == ([package(2)], True)
    assert here.post("/api/holds/release", asked) == {"released": [], "entry": None}
    assert here.get("/api/holds") == {"holds": []}


def test_many_are_let_go_by_as_many_statements_as_few(sqlite_counter: Counter) -> None:
    """Each has its own line in the audit trail, and they are written in one go."""
    counter = sqlite_counter

    def inserts(*numbers: int) -> int:
        damaged(counter, *numbers)
        written: list[str] = []

        def listen(*told: object) -> None:
            written.append(str(told[2]))

        sql_events.listen(Engine, "before_cursor_execute", listen)
        try:
            done = counter.services.holds.release(somebody(), "\n".join(map(code, numbers)), WHY)
        finally:
            sql_events.remove(Engine, "before_cursor_execute", listen)
        assert len(done.epcs) == len(numbers)
        return sum("INSERT INTO audit_trail" in text for text in written)

    assert inserts(HERE) == inserts(2, 3) == 1
    assert len(counter.trail("quarantine.release")) == 3
