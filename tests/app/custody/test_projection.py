"""What is true now is what the events give, in whatever order they came (I9), on both databases.

The story of a short case is sent one event a document, in many orders. After each arrival the projection must equal a
rebuild, and in the end every order must lead to one and the same state, with no exception left open.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import loading, projector, rebuild
from app.exceptions import service as exceptions
from app.partners import service as partners
from app.shared.actor import command_line
from ledger.custody.event import EXPIRY, LOT, ErrorDeclaration, Event, Linked, compact
from ledger.custody.state import Item, World
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from ledger.gs1.check_digit import check_digit
from tests.support.app import Node
from tests.support.world import MAKER, PALLET, WHOLESALER, package, sgln

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PACKS = [package(number) for number in range(4)]
SHORT = PACKS[3]
PHARMACY = "037000000001" + check_digit("037000000001")
CASE = "https://id.gs1.org/00/00399999000000010" + check_digit("00399999000000010")


def _event(number: int, name: str, by: str, **fields: object) -> tuple[str, Event]:
    made = Event(
        type=EventType.OBJECT,
        event_time=START + timedelta(hours=number),
        time_zone_offset="+00:00",
        event_id=f"urn:uuid:{name}",
        read_point=sgln(by),
        disposition="in_progress",
    )
    return by, replace(made, **fields)  # type: ignore[arg-type]


def _packed(number: int, name: str, parent: str, children: list[str], **fields: object) -> tuple[str, Event]:
    return _event(
        number,
        name,
        MAKER,
        type=EventType.AGGREGATION,
        action=Action.ADD,
        biz_step="packing",
        parent=parent,
        children=tuple(children),
        **fields,
    )


def _story() -> list[tuple[str, Event]]:
    """Made, packed, shipped, received, counted, corrected, sold on, dispensed: (who says so, event)."""
    ilmd = ((EXPIRY, compact("2028-05-31")), (LOT, compact("L1")))
    wrong = ErrorDeclaration(START + timedelta(hours=20), "incorrect_data")
    to_wholesaler = (Linked("owning_party", sgln(WHOLESALER)),)
    return [
        _event(0, "made", MAKER, action=Action.ADD, biz_step="commissioning", epcs=tuple(PACKS), ilmd=ilmd),
        _packed(1, "packed", CASE, PACKS),
        _packed(2, "loaded", PALLET, [CASE]),
        _event(
            3,
            "shipped",
            MAKER,
            action=Action.OBSERVE,
            biz_step="shipping",
            epcs=(PALLET,),
            sources=(Linked("owning_party", sgln(MAKER)),),
            destinations=to_wholesaler,
        ),
        _event(4, "received", WHOLESALER, action=Action.OBSERVE, biz_step="receiving", epcs=(PALLET,)),
        _event(
            5,
            "counted",
            WHOLESALER,
            type=EventType.AGGREGATION,
            action=Action.OBSERVE,
            biz_step="inspecting",
            disposition="mismatch_quantity",
            parent=CASE,
            children=tuple(PACKS[:3]),
        ),
        _packed(1, "packed", CASE, PACKS, declaration=wrong),
        _packed(1, "packed-rightly", CASE, PACKS[:3]),
        _event(6, "void", MAKER, action=Action.OBSERVE, biz_step="void_shipping", epcs=(SHORT,)),
        _event(
            7,
            "opened",
            WHOLESALER,
            type=EventType.AGGREGATION,
            action=Action.DELETE,
            biz_step="unpacking",
            parent=CASE,
            children=(PACKS[0],),
        ),
        _event(
            8,
            "sold-on",
            WHOLESALER,
            action=Action.OBSERVE,
            biz_step="shipping",
            epcs=(PACKS[0],),
            sources=(Linked("owning_party", sgln(WHOLESALER)),),
            destinations=(Linked("owning_party", sgln(PHARMACY)),),
        ),
        _event(9, "arrived", PHARMACY, action=Action.OBSERVE, biz_step="receiving", epcs=(PACKS[0],)),
        _event(10, "dispensed", PHARMACY, action=Action.DELETE, biz_step="dispensing", epcs=(PACKS[0],)),
    ]


@pytest.fixture
def ready(node: Node) -> Iterator[Node]:
    services = node.services
    services.node.initialise()
    with services.database.writing() as connection:
        for gln, kind in ((MAKER, "maker"), (WHOLESALER, "wholesaler"), (PHARMACY, "dispenser")):
            partners.register(connection, services.clock, gln, f"the {kind}", kind)
    yield node


def _send(node: Node, by: str, events: list[Event]) -> None:
    document = Document(
        Form.JSON20,
        tuple(events),
        created=START,
        statement=TransactionStatement(affirmed=True, legal_notice="so"),
    )
    node.services.capture.receive(
        write(document), "application/json", by=by, channel="file", actor=command_line("test")
    )


def _world(node: Node) -> World:
    with node.services.database.snapshot() as connection:
        return loading.load(connection, [*PACKS, CASE, PALLET]).world


def _rebuilt_alike(node: Node) -> None:
    with node.services.database.snapshot() as connection:
        assert list(rebuild.differences(connection)) == []


def _settled(node: Node) -> dict[str, Item]:
    """What the whole story comes to, with what the story itself says about it checked."""
    world = _world(node)
    assert world.outer(world.item(PACKS[1])).holder == WHOLESALER
    assert world.item(SHORT).holder == MAKER
    assert not world.item(SHORT).missing
    assert world.item(PACKS[0]).ended_by == PHARMACY
    with node.services.database.reading() as connection:
        assert _shortages(connection) == []
    return world.items


def _shortages(connection: Connection, *, closed: bool = False) -> list[cases.DeskCase]:
    found = cases.queue(connection, Desk.EXCEPTIONS, WHOLESALER, closed=closed)
    return [each for each in found if each.kind == "short"]


def test_in_order_the_shortage_opens_an_exception_and_the_correction_closes_it(ready: Node) -> None:
    story = _story()
    for by, event in story[:6]:
        _send(ready, by, [event])
    with ready.services.database.reading() as connection:
        [case] = _shortages(connection)
    assert (case.subject, case.data["container"], case.partner_gln) == (SHORT, CASE, MAKER)
    assert _world(ready).item(SHORT).in_transit
    for by, event in story[6:]:
        _send(ready, by, [event])
        _rebuilt_alike(ready)
    _settled(ready)
    with ready.services.database.reading() as connection:
        [closed] = _shortages(connection, closed=True)
    assert closed.closed_by == exceptions.BY_ITSELF


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_of_arrival_it_comes_to_the_same(ready: Node, seed: int) -> None:
    story = _story()
    random.Random(seed).shuffle(story)
    for by, event in story:
        _send(ready, by, [event])
    _rebuilt_alike(ready)
    shuffled = _settled(ready)
    with ready.services.database.writing() as connection:
        rebuild.rebuild(connection, ready.services.clock)
    assert _settled(ready) == shuffled


def test_rebuild_repairs_what_somebody_changed(ready: Node) -> None:
    for by, event in _story():
        _send(ready, by, [event])
    with ready.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE item SET holder_id = NULL")
        connection.exec_driver_sql("DELETE FROM contained")
    with ready.services.database.snapshot() as connection:
        assert {found.table for found in rebuild.differences(connection)} >= {"item", "contained"}
    with ready.services.database.writing() as connection:
        rebuild.rebuild(connection, ready.services.clock)
    _rebuilt_alike(ready)
    _settled(ready)


def test_what_was_declared_wrong_before_it_came_has_no_effect(ready: Node) -> None:
    story = _story()
    packed, declaration = story[1], story[6]
    for by, event in (story[0], declaration, packed):
        _send(ready, by, [event])
    assert _world(ready).item(PACKS[0]).parent is None
    _rebuilt_alike(ready)


def test_the_lot_of_a_container_stays_what_it_was_called(ready: Node) -> None:
    by, made = _story()[0]
    _send(ready, by, [replace(made, epcs=(CASE,), ilmd=((LOT, compact("L/10/1")),))])
    _send(ready, by, [_packed(2, "loaded", PALLET, [CASE])[1]])
    assert _world(ready).item(CASE).lot == "L/10/1"
    _rebuilt_alike(ready)


def test_a_late_event_that_touches_too_much_is_refused_with_what_to_do(
    ready: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = _story()
    for by, event in (story[0], *story[2:5]):
        _send(ready, by, [event])
    monkeypatch.setattr(projector, "MOST_AGAIN", 3)
    by, packed = story[1]
    with pytest.raises(projector.TooMuchAgain) as refused:
        _send(ready, by, [packed])
    assert refused.value.status == 422
    assert refused.value.next_step
    _rebuilt_alike(ready)
