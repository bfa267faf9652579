"""Many at once: indexes without gaps, a receipt for each, and nobody fails for a neighbour's fault."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.capture.prepared import OtherContent
from app.errors import AppError, CaptureStopped
from app.shared.actor import command_line
from tests.support.world import MAKER

WRITERS, EACH = 8, 12
ACTOR = command_line("tester")


def receive(trade, raw):
    return trade.node.services.capture.receive(raw, "application/json", by=MAKER, channel="rest", actor=ACTOR)


def test_what_is_held_against_the_present_is_not_asked_again_of_what_stands(sqlite_trade):
    """A commit of which nobody could tell is tried again; a command that took place is no conflict with itself."""
    asked = []
    raw = sqlite_trade.document(sqlite_trade.begun(1))
    receipts = [
        sqlite_trade.node.services.capture.receive(
            raw, "application/json", by=MAKER, channel="rest", actor=ACTOR, first=asked.append
        )
        for _ in range(2)
    ]
    assert (len(asked), [each.known for each in receipts]) == (1, [False, True])


def test_eight_writers_leave_no_gap_and_every_receipt_is_its_own(trade):
    before = trade.counts()[0]
    raws = [[trade.document(trade.begun(w * 1000 + n)) for n in range(EACH)] for w in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(lambda own: [receive(trade, raw) for raw in own], raws))
    receipts = [receipt for own in answers for receipt in own]
    assert sorted(r.index for r in receipts) == list(range(before, before + WRITERS * EACH))
    assert len({r.leaf for r in receipts}) == WRITERS * EACH
    for own in answers:
        assert [r.index for r in own] == sorted(r.index for r in own), "each writer's own in its order"
    with trade.node.services.node.ledger.reading() as reader:
        assert all(reader.leaf(r.index) == r.leaf for r in receipts)
    assert trade.counts()[2] == WRITERS * EACH
    trade.sweep()


def test_the_same_document_from_eight_at_once_is_one_entry(trade):
    raw = trade.document(trade.begun(1), trade.begun(2))
    before = trade.counts()
    with ThreadPoolExecutor(WRITERS) as pool:
        receipts = list(pool.map(lambda _: receive(trade, raw), range(WRITERS)))
    assert len({(r.index, r.leaf) for r in receipts}) == 1
    assert [r.known for r in receipts].count(False) == 1
    assert trade.counts() == (before[0] + 1, before[1] + 1, before[2] + 2)


def test_one_bad_capture_fails_alone(trade):
    taken = trade.begun(1)
    receive(trade, trade.document(taken))
    bad = trade.document(replace(taken, epcs=trade.begun(99).epcs))
    good = [trade.document(trade.begun(100 + n)) for n in range(WRITERS * 2)]
    mixed = [raw for each in good for raw in (each, bad)]

    def attempt(raw):
        try:
            return receive(trade, raw)
        except AppError as error:
            return error

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(attempt, mixed))
    assert all(isinstance(answer, OtherContent) for answer in answers[1::2])
    assert len({answer.index for answer in answers[0::2]}) == len(good)
    assert trade.counts()[2] == 1 + len(good)
    trade.sweep()


def test_two_committers_on_one_database_share_one_ledger(trade):
    """As two worker processes do: neither knows of the other but through the head's row."""
    from app import wiring

    services = trade.node.services
    other = wiring.build(services.settings, services.clock)
    try:
        raws = [trade.document(trade.begun(n)) for n in range(40)]
        both = [services.capture, other.capture]

        def send(numbered):
            number, raw = numbered
            return both[number % 2].receive(raw, "application/json", by=MAKER, channel="rest", actor=ACTOR)

        before = trade.counts()[0]
        with ThreadPoolExecutor(4) as pool:
            receipts = list(pool.map(send, enumerate(raws)))
        assert sorted(r.index for r in receipts) == list(range(before, before + len(raws)))
    finally:
        other.database.dispose()
    trade.sweep()


def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(sqlite_trade):
    trade = sqlite_trade
    first = receive(trade, trade.document(trade.begun(1)))
    database = trade.node.services.database

    def limit(pages):
        with database.writing() as connection:
            return connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar()

    before = trade.counts()
    limit(1)  # SQLite never goes below what is there: not one page more
    with pytest.raises(CaptureStopped) as caught:
        for number in range(2, 500):
            receive(trade, trade.document(*(trade.begun(number * 1000 + n) for n in range(20))))
            before = trade.counts()
    assert caught.value.status == 507
    assert "full" in caught.value.detail
    assert trade.counts() == before
    trade.sweep()
    limit(1_000_000)
    again = receive(trade, trade.document(trade.begun(2)))
    assert again.index == before[0]
    assert receive(trade, trade.document(trade.begun(2))).index > first.index
    trade.sweep()


def test_a_broken_disk_stops_the_node_until_it_is_restarted(sqlite_trade, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from app import wiring
    from app.capture import committer

    trade = sqlite_trade
    before = trade.counts()

    def broken(*_args):
        # What the driver raises for SQLITE_IOERR; a disk that fails on demand needs a kernel of one's own.
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(committer, "record", broken)
        with pytest.raises(CaptureStopped):
            receive(trade, trade.document(trade.begun(1)))
    with pytest.raises(CaptureStopped, match="takes nothing in"):
        receive(trade, trade.document(trade.begun(1)))
    assert trade.counts() == before
    restarted = wiring.build(trade.node.services.settings, trade.node.clock)
    try:
        receipt = restarted.capture.receive(
            trade.document(trade.begun(1)), None, by=MAKER, channel="rest", actor=ACTOR
        )
        assert receipt.index == before[0]
    finally:
        restarted.database.dispose()


def test_neighbours_of_one_that_the_disk_has_no_room_for_are_taken(sqlite_trade, monkeypatch):
    """SQLite ends the whole transaction when it is full: nobody in it may be told that theirs stands."""
    from app.capture import committer

    trade = sqlite_trade
    capture = trade.node.services.capture
    prepared = []
    with monkeypatch.context() as patch:
        patch.setattr(capture.committer, "submit", prepared.append)
        for number in range(3):
            receive(trade, trade.document(trade.begun(number)))
        receive(trade, trade.document(*(trade.begun(1000 + n) for n in range(900))))
        receive(trade, trade.document(trade.begun(3)))
    database = trade.node.services.database
    with database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 60}")
    before = trade.counts()
    writing = capture.committer.writing
    batch = [committer._Waiting(writing(each), len(each.events), float("inf")) for each in prepared]
    capture.committer._queue.extend(batch)
    capture.committer._lead()
    small, large = [*batch[:3], batch[4]], batch[3]
    assert isinstance(large.failure, CaptureStopped)
    assert large.failure.status == 507
    assert [each.failure for each in small] == [None] * 4
    assert [each.answer.index for each in small] == list(range(before[0], before[0] + 4))
    assert trade.counts() == (before[0] + 4, before[1] + 4, before[2] + 4)
    trade.sweep({each.answer.index: _entry(trade, each.answer.index) for each in small})


def _entry(trade, index):
    with trade.node.services.node.ledger.reading() as reader:
        return reader.entry(index)
