"""What is seen of a long document while it waits or is applied, and what it leaves in the inbox."""

import json
from dataclasses import replace

from sqlalchemy import func, select

from app.capture import inbox as queue
from app.events import pending
from app.events.models import event, inbox
from app.shared.actor import Role
from ledger.log.encoding import to_base64
from tests.app.capture.long_documents import (
    MANY,
    SLICE,
    audited,
    finish,
    job_of,
    many,
    slices,
)
from tests.support.trade import problem
from tests.support.world import GTIN, WHOLESALER


def test_up_to_the_mark_everything_holds_and_beyond_it_nothing_is_missed(short):
    job_id = job_of(short.post_epcis(short.document(*many(short))))
    for applied in (0, 2):
        slices(short, job_id, applied)
        with short.node.services.database.reading() as connection:
            [found] = pending.of(connection).values()
            assert (found.mark, found.events) == (applied * SLICE, MANY)
            assert sorted(pending.bodies(connection, found)) == list(range(applied * SLICE, MANY))
            assert connection.execute(select(func.count()).select_from(event)).scalar() == applied * SLICE
        audited(short)
    finish(short, job_id)
    audited(short)


def scan(trade, n, full=True, headers=None):
    label = f"01{GTIN}21{n}" + ("\x1d10LOT42\x1d17280531" if full else "")
    answer = trade.client.post(
        "/verification/checks",
        json={"data": to_base64(label.encode()), "symbology": "]d2"},
        headers=headers or trade.bearer,
    )
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_verdict_on_what_it_names_is_in_progress_until_its_end(short):
    stranger = short.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER, scopes={"verify"})
    first, last = (each.epcs[0].rpartition("/")[2] for each in (many(short)[0], many(short)[-1]))
    job_id = job_of(short.post_epcis(short.document(*many(short))))
    assert scan(short, last, full=False)["reason"] == "no_record", "it is not validated yet"
    slices(short, job_id, 1)
    for name in (first, last):
        found = scan(short, name)
        assert (found["word"], found["reason"]) == ("CANNOT CONFIRM YET", "in_progress")
    assert scan(short, last, full=False)["reason"] == "in_progress"
    assert scan(short, last, full=False, headers=stranger)["reason"] == "no_record", (
        "a stranger is told nothing"
    )
    assert scan(short, last, headers=stranger)["reason"] == "in_progress", "but who has the pack in hand is"
    assert scan(short, "77")["reason"] == "never_made"
    finish(short, job_id)
    assert {scan(short, name)["reason"] for name in (first, last)} == {"ok"}


def test_a_short_document_about_what_waits_is_answered_as_if_it_stood(short):
    events = many(short)
    job_id = job_of(short.post_epcis(short.document(*events)))
    slices(short, job_id, 1)
    counts = short.counts()
    again = short.post_epcis(short.document(events[-1])).get_json()["receipt"]
    assert again["known"] is True
    other = replace(events[-1], epcs=short.begun(99).epcs)
    problem(short.post_epcis(short.document(other)), 409, "capture.other_content")
    problem(short.post_signed(short.document(events[-1])), 503, "capture.in_progress")
    assert short.counts() == counts
    told = finish(short, job_id)
    assert again["index"] == told["receipt"]["index"]
    assert short.post_signed(short.document(events[-1])).status_code == 201
    audited(short)


def test_a_party_may_have_only_so_many_waiting(short, monkeypatch):
    monkeypatch.setattr(queue, "MOST_WAITING", 2)
    for first in (1000, 2000):
        job_of(short.post_epcis(short.document(*many(short, first))))
    problem(short.post_epcis(short.document(*many(short, 3000))), 429, "capture.too_many_waiting")


def test_nobody_else_sees_a_job(short):
    job_id = job_of(short.post_epcis(short.document(*many(short))))
    other = short.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    assert short.client.get(f"/epcis/capture/{job_id}", headers=other).status_code == 404
    assert short.client.get("/ledger/captures/" + "0" * 32).status_code == 404
    # What came by a token is told by a token: its id stands in addresses, and these in logs.
    assert short.client.get(f"/ledger/captures/{job_id}").status_code == 404


def test_nothing_of_what_came_is_kept_in_the_inbox_once_it_stands_or_was_refused(short):
    """The seed least of all: with it a guess at an erased value could be tested."""
    value = json.loads(short.document(*many(short)))
    value["epcisBody"]["eventList"][20].pop("eventTime")
    jobs = [
        job_of(short.post_epcis(json.dumps(value).encode())),
        job_of(short.post_signed(short.document(*many(short)))),
        job_of(short.post_epcis(short.document(*many(short, 2000)))),
    ]
    states = [finish(short, job_id)["success"] for job_id in jobs]
    assert states == [False, True, True]
    with short.node.services.database.reading() as connection:
        for row in connection.execute(select(inbox.c.raw, inbox.c.intake, inbox.c.envelope, inbox.c.seed)):
            assert (bytes(row.raw), row.intake, row.envelope, row.seed) == (b"", "{}", None, None)
