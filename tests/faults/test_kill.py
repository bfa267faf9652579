"""kill -9 under eight writers: what was acknowledged stands, once, at its index; the ledger never forks.

`PACKPROOF_TEST_KILLS` says how many processes are killed on each database (`make soak`: 250, which makes 500).
"""

import os
import random
import signal
import time
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from app.capture import inbox
from app.capture import long as longs
from app.custody.models import contained, finding, item
from app.events.models import document as documents
from app.events.models import event, event_epc, inbox_event, inbox_name
from app.exceptions.models import exception_case
from app.partners.models import party
from app.proofs.fsck import fsck
from ledger.log.hashing import tree_hash
from tests.app.capture.long_documents import number
from tests.faults.conftest import count_kills
from tests.faults.zygote import ACTOR
from tests.support.app import make_node
from tests.support.trade import Trade
from tests.support.world import MAKER

KILLS = int(os.environ.get("PACKPROOF_TEST_KILLS", "10"))
SOAK = "PACKPROOF_TEST_KILLS" in os.environ
THREADS = 4
LEAST_EACH = 5  # acknowledged for each kill, on average: a kill that hits nothing proves nothing


def standing(writers):
    """Compare the writers' journal with what stands; how many were acknowledged."""
    services = writers.trade.node.services
    acknowledged = {}
    for name, index, leaf in writers.lines("ack"):
        assert acknowledged.setdefault(name, (int(index), leaf)) == (int(index), leaf), f"{name}: two places"
    with services.node.ledger.auditing() as reader:
        size = reader.head().size
        for name, (index, leaf) in acknowledged.items():
            assert index < size, f"{name} was acknowledged and is lost"
            assert reader.leaf(index).hex() == leaf, f"{name} was acknowledged and is another"
        assert len({index for index, _ in acknowledged.values()}) == len(acknowledged)
        heads = {(int(length), root) for length, root in writers.lines("head")}
        assert all(length <= size for length, _ in heads), "a head was signed beyond what stands"
        leaves = [reader.leaf(index) for index in range(size)]
    for length, root in sorted(heads)[:: max(1, len(heads) // 100)]:
        assert tree_hash(leaves[:length]).hex() == root, f"the head of size {length} is on another ledger"
    with services.database.reading() as connection:
        # One entry a document, one document an event: nothing is there twice.
        entries = connection.execute(
            select(func.count(), func.max(documents.c.idx)).select_from(documents)
        ).one()
        distinct = select(func.count(event.c.seq), func.count(event.c.event_id.distinct()))
        events, ids = connection.execute(distinct).one()
    assert entries[0] == events == ids >= len(acknowledged)
    return len(acknowledged)


def test_what_was_acknowledged_survives_every_kill(writers):
    chance = random.Random(KILLS)
    killed, round_ = 0, 0
    while killed < KILLS:
        before = len(writers.lines("ack"))
        pids = writers.fork("write", count=2, threads=THREADS, name=f"R{round_}")
        writers.wait_for(before + 3 * LEAST_EACH, "ack")
        time.sleep(chance.uniform(0, 0.25))
        writers.kill(pids[0])
        if chance.random() < 0.5:
            # The other goes on alone: the dead one's lock and its half of a transaction are gone.
            now = len(writers.lines("ack"))
            writers.wait_for(now + 1, "ack")
            time.sleep(chance.uniform(0, 0.1))
        writers.kill(pids[1])
        killed, round_ = killed + 2, round_ + 1
        if round_ % 25 == 0:
            standing(writers)
    acknowledged = standing(writers)
    assert acknowledged > LEAST_EACH * killed
    writers.trade.sweep()
    services = writers.trade.node.services
    services.node.checkpoint()
    report = fsck(services.database, services.node)
    assert report.ok, report.findings
    # Sent again, the last ones give the receipts that they gave before.
    for name, index, leaf in writers.lines("ack")[-3:]:
        pids = writers.fork("step", steps=[name])
        writers.wait_for(1, "ready")
        os.kill(pids[0], signal.SIGUSR1)
        writers.wait_for(1, "stepped")
        assert writers.lines("ack")[-1] == [name, index, leaf]
        writers.kill(pids[0])
        writers.forget()
    counts = count_kills(killed, acknowledged, keep=SOAK)
    print(f"\n{killed} kills here, {acknowledged} acknowledged, 0 lost; over all runs: {counts}")


def test_two_committers_one_of_which_stands_still(writers):
    """SIGSTOP wherever it happens to be, with the ledger's lock or without; then SIGCONT."""
    chance = random.Random(1)
    pids = writers.fork("write", count=2, threads=2, name="S")
    writers.wait_for(4, "ack")
    for round_ in range(6):
        pid = pids[round_ % 2]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0.05, 0.5))
        os.kill(pid, signal.SIGCONT)
        writers.wait_for(len(writers.lines("ack")) + 2, "ack")
    for pid in pids:
        writers.kill(pid)
    assert writers.lines("fail") == []
    assert standing(writers) > 10
    writers.trade.sweep()


TABLES = (
    *(documents, event, event_epc, item, contained, finding, exception_case),
    *(inbox_event, inbox_name, party),
)
EVENTS, SLICE = 240, 8
# What differs from run to run whatever happens: keys, salts, the times at which something was done, and the numbers
# that a database gives by itself: what was taken back leaves gaps in them.
MASKED = {
    *("document.received_at", "document.intake", "event.record_time"),
    *("exception_case.case_id", "finding.finding_id"),
}


def tables(trade):
    """Every row of what a document leaves behind."""
    found = {}
    with trade.node.services.database.reading() as connection:
        for table in TABLES:
            columns = [c for c in table.c if f"{table.name}.{c.name}" not in MASKED and c.name != "added_at"]
            rows = connection.execute(select(*columns)).all()
            found[table.name] = sorted(map(repr, rows))
    return found


def story(trade):
    """Commissioning, then packing and shipping told before it, and the same content twice under other ids."""
    made = [trade.begun(n, event_id=f"urn:uuid:{number(n)}") for n in range(1000, 1000 + EVENTS - 20)]
    shipped = [_as(trade.shipped(*range(1000 + 10 * n, 1010 + 10 * n)), number(n)) for n in range(1, 11)]
    twins = [_as(made[n], number(500 + n)) for n in range(10)]
    return trade.document(*shipped, *made, *twins)


def _as(each, text):
    return replace(each, event_id=f"urn:uuid:{text}")


def put(trade, raw):
    services = trade.node.services
    services.worker.background = False
    services.capture.most_events = 100
    return services.capture.receive(raw, None, by=MAKER, channel="file", actor=ACTOR).job_id


def test_a_long_document_killed_amid_its_slices_ends_as_if_nothing_had_happened(
    writers, another, monkeypatch, tmp_path
):
    trade = writers.trade
    raw = story(trade)
    job_id = put(trade, raw)
    chance = random.Random(2)
    at, kills = trade.node.clock.now(), 0
    while not writers.lines("done"):
        before = len(writers.lines("mark"))
        at += 2 * inbox.LEASE
        [pid] = writers.fork("long", job=job_id, slice=SLICE, at=at.isoformat())
        if kills < 4:
            if kills:  # the first dies while it validates, or wherever it is by then
                writers.wait_for(before + 1, "mark", "done")
            time.sleep(chance.uniform(0, 0.06))
        else:
            writers.wait_for(1, "done")
        writers.kill(pid)
        kills += 1
    assert writers.lines("done")[0][0] == "done"
    assert kills > 2
    killed = tables(trade)
    services = trade.node.services
    services.node.checkpoint()
    assert fsck(services.database, services.node).ok
    # The same on another database, undisturbed.
    database = another(trade)
    node = make_node(database, data_dir=tmp_path / "other")
    calm = Trade(node, tmp_path / "other-parties")
    monkeypatch.setattr(longs, "SLICE", SLICE)
    node.clock.advance(timedelta(minutes=1))
    node.services.worker.background = False
    other = put(calm, raw)
    done = node.services.worker.finish(other)
    assert (done.state, done.problem) == ("done", None)
    undisturbed = tables(calm)
    node.services.database.dispose()
    for name, expected in undisturbed.items():
        assert killed[name] == expected, name
