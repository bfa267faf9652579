"""Blocks of documents judged by workers: the same answer as without, and none where a worker ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from app.events.models import event
from app.proofs import audit_documents, blocks, judging
from app.proofs.fsck import fsck, lines
from ledger.store.findings import FsckFinding, FsckReport
from tests.support.trade import Trade


def stocked(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Trade:
    """A node with four documents, each a block of its own."""
    monkeypatch.setattr(blocks, "EVENTS", 1)
    for number in range(1, 5):
        assert trade.post_signed(trade.document(trade.begun(number))).status_code == 201
    return trade


@pytest.fixture
def stock(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Trade:
    return stocked(trade, monkeypatch)


@pytest.fixture
def sqlite_stock(sqlite_trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Trade:
    return stocked(sqlite_trade, monkeypatch)


def found(trade: Trade) -> list[str]:
    report = fsck(trade.node.services.database, trade.node.services.node)
    assert report.counts["documents"] == report.counts["events"] == 4
    return [each.message for each in report.findings]


def test_a_worker_is_given_no_setting_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE", "not for workers")
    monkeypatch.setenv("MARK_OF_A_TEST", "for all")
    worker = judging._start()
    environ = Path(f"/proc/{worker.pid}/environ")
    try:
        while not (given := environ.read_bytes()) and worker.poll() is None:
            pass  # Popen returns in the middle of exec: for a moment the process has no environment yet
    finally:
        judging.stop(worker)
    assert b"MARK_OF_A_TEST=for all" in given
    assert b"not for workers" not in given


def test_workers_find_what_this_process_finds(stock: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    start = judging._start

    def counted() -> subprocess.Popen[bytes]:
        begun.append(start())
        return begun[-1]

    monkeypatch.setattr(judging, "_start", counted)
    monkeypatch.setattr(audit_documents, "worth", lambda events: 2)
    looked_at: list[int] = []
    singly = audit_documents._Documents._singly
    monkeypatch.setattr(
        audit_documents._Documents, "_singly", lambda self, n: (looked_at.append(n), singly(self, n))
    )
    assert found(stock) == []
    assert len(begun) == 2 and looked_at == [], "sound blocks are beyond doubt in a worker too"
    with stock.node.services.database.writing() as connection:
        connection.execute(
            update(event).where(event.c.ev_no == 0, event.c.seq == 3).values(disposition="lost")
        )
    with_workers = found(stock)
    assert len(looked_at) == 1 and "disposition" in with_workers[0]
    assert all(process.returncode is not None for process in begun)
    monkeypatch.setattr(audit_documents, "worth", lambda events: 0)
    assert found(stock) == with_workers


def test_where_a_worker_ends_each_document_is_looked_at(
    sqlite_stock: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(judging, "_start", ended)
    monkeypatch.setattr(audit_documents, "worth", lambda events: 2)
    assert found(sqlite_stock) == []


def test_workers_are_for_ledgers_that_are_worth_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "usable_cores", lambda: 8)
    assert [judging.worth(events) for events in (0, 9_999, 10_000, 10**7)] == [0, 0, 4, 4]
    monkeypatch.setattr(judging, "usable_cores", lambda: 1)
    assert judging.worth(10**7) == 0


def test_one_broken_row_is_told_as_one() -> None:
    row = FsckFinding("I9", "event", "1", "digest", "a", "b", "what stands on it")
    assert next(each for each in lines(FsckReport(findings=[row])) if "not what" in each).startswith(
        "One row is"
    )
    assert any(each.startswith("2 rows are not") for each in lines(FsckReport(findings=[row, row])))
