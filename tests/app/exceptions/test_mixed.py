"""One document to several: whose desk a case is at follows from the event that it is about."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.cases import service as cases
from app.cases.rules import Desk
from app.exceptions.anew import hold_all
from app.exceptions.models import exception_case
from app.partners import service as partners
from app.proofs.fsck import fsck
from ledger.custody.event import ErrorDeclaration, Event, Linked
from tests.support.counter import PHARMACY
from tests.support.dock import KEEPER, Dock
from tests.support.world import MAKER, WHOLESALER, package, sgln


def sent(dock: Dock, number: int, to: str, by: str = MAKER) -> Event:
    """A sale of one package, as an event of a document that says nothing of its transaction statement."""
    ends = (("owning_party", by), ("possessing_party", by)), (("owning_party", to), ("possessing_party", to))
    sources, destinations = (tuple(Linked(kind, sgln(gln)) for kind, gln in each) for each in ends)
    return dock.bare(
        biz_step="shipping",
        disposition="in_transit",
        epcs=(package(number),),
        sources=sources,
        destinations=destinations,
    )


def taken_in(dock: Dock, number: int, sender: str) -> Event:
    """A package that the wholesaler receives of `sender`, who shipped no such thing."""
    return dock.bare(
        biz_step="receiving",
        disposition="in_progress",
        epcs=(package(number),),
        sources=(Linked("possessing_party", sgln(sender)),),
        destinations=(Linked("possessing_party", sgln(WHOLESALER)),),
    )


def at_desk(dock: Dock, gln: str, kind: str) -> list[cases.DeskCase]:
    with dock.services.database.reading() as connection:
        found = cases.queue(connection, Desk.EXCEPTIONS, gln)
        return [
            cases.case(connection, Desk.EXCEPTIONS, each.case_id, gln) for each in found if each.kind == kind
        ]


def sound(dock: Dock) -> None:
    report = fsck(dock.services.database, dock.services.node)
    assert report.ok, report.findings


@pytest.mark.parametrize("turned", [False, True])
def test_each_customer_of_one_document_has_a_case_of_its_own(sqlite_dock: Dock, turned: bool) -> None:
    dock = sqlite_dock
    dock.made(1, 2, 3)
    events: Sequence[Event] = [sent(dock, 1, WHOLESALER), sent(dock, 2, PHARMACY), sent(dock, 3, WHOLESALER)]
    receipt = dock.told(*(reversed(events) if turned else events), by=MAKER)
    for gln, work in ((WHOLESALER, 2), (PHARMACY, 1)):
        [case] = at_desk(dock, gln, "no_statement")
        assert (case.partner_gln, case.data["entry"]) == (MAKER, receipt.index)
        with dock.services.database.reading() as connection:
            links = connection.execute(
                exception_case.select().where(exception_case.c.case_id == case.case_id)
            ).all()
        assert len(links) == work
    assert at_desk(dock, MAKER, "no_statement") == []
    sound(dock)


def test_each_of_two_customers_sees_its_own_packages_alone(dock: Dock) -> None:
    """What is held is shipped to two: packages of the one are nothing to the other."""
    dock.made(1, 2, 3)
    held = dock.bare(
        biz_step="holding",
        disposition="damaged",
        epcs=(package(1), package(2), package(3)),
    )
    dock.told(held, by=MAKER)
    events = [sent(dock, 1, PHARMACY), sent(dock, 2, WHOLESALER), sent(dock, 3, WHOLESALER)]
    dock.told(*events, by=MAKER)
    counts = {
        gln: [len(each.items) for each in at_desk(dock, gln, "moved_on_hold")]
        for gln in (WHOLESALER, PHARMACY)
    }
    assert counts == {WHOLESALER: [2], PHARMACY: [1]}
    [his] = at_desk(dock, PHARMACY, "moved_on_hold")
    assert his.subject == package(1)
    # Whoever declares one shipment wrong ends the work of its recipient, and of nobody else.
    dock.told(replace(events[0], declaration=ErrorDeclaration(dock.at(), "did_not_occur")), by=MAKER)
    counts = {gln: len(at_desk(dock, gln, "moved_on_hold")) for gln in (WHOLESALER, PHARMACY)}
    assert counts == {WHOLESALER: 1, PHARMACY: 0}
    sound(dock)


def test_what_came_of_two_senders_in_one_document_is_a_case_with_each(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.told(taken_in(dock, 71, MAKER), taken_in(dock, 72, KEEPER), taken_in(dock, 73, MAKER), by=WHOLESALER)
    found = {each.partner_gln: len(each.items) for each in at_desk(dock, WHOLESALER, "never_commissioned")}
    assert found == {MAKER: 2, KEEPER: 1}
    sound(dock)


def test_a_case_that_an_earlier_version_gave_to_another_customer_is_divided_by_rebuild(
    sqlite_dock: Dock,
) -> None:
    """As that version left it: one case, of the recipient of the first event, with what went to the other in it."""
    dock, database = sqlite_dock, sqlite_dock.services.database
    dock.made(1, 2)
    dock.told(dock.bare(biz_step="holding", disposition="damaged", epcs=(package(1), package(2))), by=MAKER)
    dock.told(sent(dock, 1, WHOLESALER), sent(dock, 2, PHARMACY), by=MAKER)
    [mine], [other] = (at_desk(dock, gln, "moved_on_hold") for gln in (WHOLESALER, PHARMACY))
    with database.writing() as connection:
        number = next(iter(other.items))
        party = partners.by_gln(connection, WHOLESALER).party_id
        ours = update(exception_case).where(exception_case.c.case_id == other.case_id)
        connection.execute(ours.values(case_id=mine.case_id, party_id=party))
        cases.drop_items(connection, other.case_id, [number])
        cases.add_items(connection, mine.case_id, {number: ""})
        cases.close(
            connection, dock.services.clock, other.case_id, "test", "closed", text="It was not there."
        )
    assert not fsck(database, dock.services.node).ok
    with database.writing() as connection:
        hold_all(connection, dock.services.clock)
    [mine], [his] = (at_desk(dock, gln, "moved_on_hold") for gln in (WHOLESALER, PHARMACY))
    assert (mine.subject, list(his.items), his.subject) == (package(1), [number], package(2))
    assert number not in mine.items
    sound(dock)
