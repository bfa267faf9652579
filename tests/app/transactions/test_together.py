"""Sales of one document are looked at together: as each alone, and by no more statements for more of them."""

from sqlalchemy import Connection
from sqlalchemy import event as sql_events

from app.custody import shipped
from app.transactions import service as transactions
from ledger.custody.event import position_at
from ledger.custody.vocabulary import Action, EventType
from tests.support.dock import AFFIRMED, Dock
from tests.support.world import MAKER, PALLET, WHOLESALER, package


def test_what_was_in_several_shipments_is_what_was_in_each(dock: Dock) -> None:
    dock.made(1, 2, 3, 4)
    dock.packed(PALLET, 1, 2)
    before = position_at(dock.at(), 0)
    opened = dock.bare(
        type=EventType.AGGREGATION, action=Action.DELETE, biz_step="unpacking", parent=PALLET,
        children=(package(1),), disposition="in_progress",
    )  # fmt: skip
    dock.told(opened, by=MAKER)
    dock.packed(PALLET, 3)
    after = position_at(dock.at(), 0)
    asked = [
        ([PALLET], before),
        ([package(4)], before),
        ([PALLET], after),
        ([], after),
        ([package(9)], after),
    ]
    with dock.services.database.snapshot() as connection:
        alone = [shipped.at_position(connection, epcs, position, 100) for epcs, position in asked]
        assert list(shipped.at_positions(connection, asked, 100)) == alone
        assert [[each.epc for each in one.leaves] for one in alone] == [
            [package(1), package(2)], [package(4)], [package(2), package(3)], [], []
        ]  # fmt: skip
        # More than is read together: one after the other, and none of them is too much.
        assert list(shipped.at_positions(connection, asked, 3)) == alone
        assert [each.complete for each in shipped.at_positions(connection, asked, 2)] == [
            False, True, False, True, True
        ]  # fmt: skip


def test_more_sales_of_a_document_ask_no_more_statements(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(*range(1, 13))
    with dock.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE product SET ndc = ''")
    sales = [dock.sale(package(number), by=MAKER, to=WHOLESALER) for number in range(1, 13)]
    few = dock.told(*sales[:2], by=MAKER, statement=AFFIRMED)
    many = dock.told(*sales[2:], by=MAKER, statement=AFFIRMED)
    with dock.services.database.snapshot() as connection:
        asked, found = zip(*(_counted(connection, receipt.index) for receipt in (few, many)), strict=True)
    assert (found, asked[0]) == ((2, 10), asked[1])


def _counted(connection: Connection, index: int) -> tuple[int, int]:
    """Statements for the gaps of an entry's sales, and how many of these have gaps."""
    statements: list[str] = []

    def listen(*told: object) -> None:
        statements.append(str(told[2]))

    seqs = transactions.of_entry(connection, index)
    sql_events.listen(connection, "before_cursor_execute", listen)
    found = transactions.gaps_of(connection, seqs)
    sql_events.remove(connection, "before_cursor_execute", listen)
    return len(statements), len(found)
