"""What was declared wrong counts for nothing that is asked of the record, beside what custody is projected to."""

from dataclasses import replace
from datetime import timedelta

from app.custody import service as custody
from app.custody import shipped
from ledger.custody.event import ErrorDeclaration, Event, Quantity
from ledger.custody.findings import FindingCode
from tests.support.dock import Dock
from tests.support.trade import WHEN
from tests.support.world import LOT_KEY, MAKER, WHOLESALER, package


def declared(dock: Dock, event: Event) -> Event:
    return replace(event, declaration=ErrorDeclaration(dock.services.clock.now(), "incorrect_data", ()))


def test_a_package_began_as_its_maker_said_at_last(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    mistaken = replace(dock.trade.begun(1), event_id="urn:uuid:01")
    dock.told(mistaken, by=MAKER)
    dock.told(declared(dock, mistaken), by=MAKER)
    right = WHEN + timedelta(hours=1)
    dock.told(replace(mistaken, event_id="urn:uuid:02", event_time=right), by=MAKER)
    with dock.services.database.snapshot() as connection:
        found = {each.item_id: each for each in shipped.named(connection, [package(1)]).values()}
        assert [each.at for each in shipped.beginnings(connection, found).values()] == [right]


def test_a_recall_that_was_none_stopped_no_shipment(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1)
    recall = dock.bare(
        biz_step="holding",
        disposition="recalled",
        epcs=(),
        quantities=(Quantity(LOT_KEY),),
        event_id="urn:uuid:03",
    )
    dock.told(recall, by=MAKER)
    [sale] = dock.sold(package(1), by=MAKER, to=WHOLESALER).events

    def found() -> bool:
        with dock.services.database.snapshot() as connection:
            codes = [each.code for each in custody.findings_of(connection, [sale.seq])]
        return FindingCode.MOVED_RECALLED_LOT in codes

    assert found()
    dock.told(declared(dock, recall), by=MAKER)
    assert not found()
    again = replace(recall, event_id="urn:uuid:04", event_time=dock.at())
    dock.told(again, by=MAKER)
    assert not found(), "it was recalled after it was shipped"


def test_a_recall_that_came_again_stopped_nothing_of_the_time_between(dock: Dock) -> None:
    dock.made(1, 2, 3)
    of_the_lot = {"epcs": (), "quantities": (Quantity(LOT_KEY),)}

    def recalled() -> None:
        dock.told(dock.bare(biz_step="holding", disposition="recalled", **of_the_lot), by=MAKER)

    def sold(serial: int) -> int:
        return dock.sold(package(serial), by=MAKER, to=WHOLESALER).events[0].seq

    recalled()
    during = sold(1)
    released = {"biz_step": "inspecting", "disposition": "sellable_accessible"}
    dock.told(dock.bare(persistent_unset=("recalled",), **released, **of_the_lot), by=MAKER)
    between = sold(2)
    recalled()
    after = sold(3)
    with dock.services.database.snapshot() as connection:
        found = custody.findings_of(connection, [during, between, after])
    assert [each.seq for each in found if each.code is FindingCode.MOVED_RECALLED_LOT] == [during, after]
