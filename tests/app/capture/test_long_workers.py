"""Who applies a long document: one process at a time, under a lease, and the next where that one is gone."""

import os
import threading
from datetime import datetime, timedelta

from app import wiring
from app.capture import inbox as queue
from app.capture.recording import project_events
from tests.app.capture.long_documents import (
    MANY,
    SLICE,
    audited,
    calm,
    finish,
    job_of,
    many,
)


def test_a_lease_is_respected_until_it_runs_out(short):
    services = short.node.services
    other = wiring.build(services.settings, services.clock)
    calm(other)
    try:
        job_id = job_of(short.post_epcis(short.document(*many(short))))
        with services.database.writing() as connection:
            assert queue.claim(connection, services.worker._name, services.clock.now()) is not None
        assert other.worker.step() is False
        services.clock.advance(queue.LEASE)
        assert other.worker.step() is True
        with services.database.reading() as connection:
            assert queue.by_id(connection, job_id).state == queue.DONE
    finally:
        other.database.dispose()


def test_two_processes_never_apply_one_slice(short):
    """The first is still at it when the second takes over: the mark moves only from where a slice began."""
    services = short.node.services
    other = wiring.build(services.settings, services.clock)
    calm(other)
    try:
        job_id = job_of(short.post_epcis(short.document(*many(short))))
        taken = threading.Event()

        def overtaken(job, mark, events):
            if mark == SLICE:
                services.clock.advance(queue.LEASE * 2)
                other.worker.step()
                taken.set()

        services.worker.step(overtaken)
        assert taken.is_set()
        assert finish(short, job_id)["success"] is True
    finally:
        other.database.dispose()
    assert short.counts()[2] == MANY
    audited(short)


def test_the_thread_of_a_node_works_by_itself(short):
    worker = short.node.services.worker
    worker.background = True
    job_id = job_of(short.post_epcis(short.document(*many(short))))
    try:
        worker.finish(job_id, pause_s=0.02)
    finally:
        worker.stop()
    assert short.counts()[2] == MANY


def test_a_job_ends_when_its_last_slice_does(short, monkeypatch):
    def slowly(*arguments, **named):
        short.node.clock.advance(timedelta(minutes=5))
        return project_events(*arguments, **named)

    monkeypatch.setattr("app.capture.long.project_events", slowly)
    began = short.node.clock.now()
    told = finish(short, job_of(short.post_epcis(short.document(*many(short)))))
    ended = datetime.fromisoformat(told["finishedAt"])
    assert ended == short.node.clock.now() > began


def test_each_process_that_a_server_forks_holds_leases_under_a_name_of_its_own(sqlite_trade, monkeypatch):
    worker = sqlite_trade.node.services.worker
    mine = worker._name
    assert worker._name == mine
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert worker._name not in ("", mine), "gunicorn --preload makes the worker before it forks"
