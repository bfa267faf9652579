"""Long documents for tests: made, sent, applied by as many slices as a test wants, and what is left of them."""

import pytest
from sqlalchemy import func, select

from app.capture import long as longs
from app.capture.long import LeaseLost
from app.proofs.fsck import fsck

SLICE = 5
MANY = 23


@pytest.fixture
def short(trade, monkeypatch):
    """A node for which more than 4 events are many, and 5 a slice; nothing works in the background."""
    monkeypatch.setattr(longs, "SLICE", SLICE)
    return calm(trade.node.services, trade)


def calm(services, trade=None):
    services.capture.most_events = 4
    services.worker.background = False
    return trade


def many(trade, first=1000, count=MANY):
    return [trade.begun(first + n, event_id=f"urn:uuid:{number(first + n)}") for n in range(count)]


def number(n):
    return f"00000000-0000-4000-8000-{n:012d}"


def job_of(answer):
    assert answer.status_code == 202, answer.text
    assert "receipt" not in answer.get_json()
    return answer.get_json()["captureID"]


def finish(trade, job_id):
    trade.node.services.worker.finish(job_id, pause_s=0.01)
    return trade.client.get(f"/epcis/capture/{job_id}", headers=trade.bearer).get_json()


def slices(trade, job_id, count):
    """Validate and commit, and apply so many slices; then the worker is gone."""
    left = [count]

    def tell(_job, _mark, _events):
        left[0] -= 1
        if left[0] <= 0:
            raise LeaseLost

    worker = trade.node.services.worker
    if count:
        worker.step(tell)
        return
    apply = worker._documents.apply_slice
    worker._documents.apply_slice = lambda *_: (_ for _ in ()).throw(LeaseLost)
    worker.step()
    worker._documents.apply_slice = apply


def rows(trade, table):
    with trade.node.services.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def audited(trade):
    services = trade.node.services
    services.node.checkpoint()
    report = fsck(services.database, services.node)
    assert report.ok, report.findings
    return report
