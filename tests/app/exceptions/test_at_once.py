"""What opens one case opens one, also where it is asked for twice at the same moment: on PostgreSQL, by two threads."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import pytest

from app.cases import many
from app.cases.rules import Desk
from app.exceptions.due import open_incomplete
from app.exceptions.scans import open_from_scan
from app.exceptions.seen import Seen, open_seen
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.store.sql.engine import Database
from tests.support.app import GLN_A, GLN_B, NOON, OPERATOR, Node, make_node
from tests.support.trade import licence
from tests.support.world import GTIN

PATIENCE_S = 60
NOBODYS = "9999999999994"


class Stopping:
    """A clock that stands still from one look at it until it is let go: a transaction that is in its midst."""

    def __init__(self, look: int) -> None:
        self._left, self.looked, self.go = look, threading.Event(), threading.Event()

    def now(self) -> datetime:
        self._left -= 1
        if self._left <= 0:
            self.looked.set()
            assert self.go.wait(PATIENCE_S)
        return NOON


@pytest.fixture
def pg(postgres_database: Database, tmp_path) -> Node:
    node = make_node(postgres_database, data_dir=tmp_path / "var")
    node.services.node.initialise()
    with node.services.database.writing() as connection:
        for gln in (GLN_A, GLN_B):
            partners.register(connection, node.clock, gln, gln, "dispenser", licences=[licence(gln)])
    yield node
    node.services.database.dispose()


def at_once(
    database: Database, do: Callable[[Clock, int], object], clock: Clock, look: int = 1
) -> list[object]:
    """What two threads get that do the same: the second begins when the first stands in the midst of its transaction
    (at that look at its clock), and the first goes on when the second is done, or waits for it."""
    stopping = Stopping(look)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(do, stopping, 1)
        try:
            assert stopping.looked.wait(PATIENCE_S)
            second = threads.submit(do, clock, 2)
            _until_it_waits(database, second)
        finally:
            stopping.go.set()
        return [first.result(PATIENCE_S), second.result(PATIENCE_S)]


def _until_it_waits(database: Database, other: "Future[object]") -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + PATIENCE_S
    while not other.done() and time.monotonic() < deadline:
        with database.reading() as connection:
            if connection.exec_driver_sql(query).scalar_one():
                return
        time.sleep(0.01)


def test_what_is_asked_for_twice_at_once_opens_one_case_and_fails_nobody(pg: Node) -> None:
    database, clock = pg.services.database, pg.clock
    fields = {"kind": "damaged", "text": "The corner is crushed.", "gtin": GTIN}
    seen = Seen.parse(fields | {"once": "call 12"})
    same = at_once(database, lambda at, _: open_seen(database, at, OPERATOR, GLN_A, seen), clock)
    assert same[0] == same[1]

    # Two companies name a partner that nobody knows: each has its own case, and both are with him. The first has looked
    # whether he is known, and is about to write him down.
    new = Seen.parse(fields | {"partner": NOBODYS})
    names = {1: GLN_A, 2: GLN_B}
    each = at_once(database, lambda at, which: open_seen(database, at, OPERATOR, names[which], new), clock, 2)
    assert each[0] != each[1]

    at_once(database, lambda at, _: open_incomplete(database, at, GLN_A, 7, [1], ["no NDC"]), clock)

    checked = pg.services.verification.check(b"nothing", None, OPERATOR, asker=GLN_A)

    def scanned(at: Clock, _which: int) -> str:
        with database.writing() as connection:
            return open_from_scan(connection, at, checked.check_id, GLN_A, OPERATOR)

    both = at_once(database, scanned, clock)
    assert both[0] == both[1]
    with database.reading() as connection:
        found = many.all_of(connection, Desk.EXCEPTIONS, None)
    ids = {case.case_id for case in found}
    assert ids == {same[0], *each, "exc_information_7", both[0]}
    assert len(found) == len(ids)
