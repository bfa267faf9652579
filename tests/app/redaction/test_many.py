"""Redactions at random, and killed at any moment: proofs stay, values go, the next one does what is left to do."""

import os
import random
import signal
import time
import uuid
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from app.erasable.models import erasable
from app.events.models import event
from ledger.custody.event import Event, compact
from ledger.evidence.verify import verify
from tests.app.redaction.private import (
    BASIS,
    NOTE_PATH,
    audited,
    evidence,
    noted,
    redactions,
    roots,
    told,
)
from tests.support.app import OPERATOR
from tests.support.trade import Trade


def secret(rng: random.Random) -> str:
    return f"secret-{rng.randbytes(9).hex()}"


def written(trade: Trade, rng: random.Random, number: int) -> tuple[Event, dict[str, str]]:
    """An event with up to four erasable fields, and what they say by path."""
    made = trade.begun(number)
    said = {f"https://example.com/{rng.choice('abc')}#f{n}": secret(rng) for n in range(rng.randint(1, 3))}
    remark = {f"urn:example:ns#r{n}": secret(rng) for n in range(rng.randint(0, 1))}
    extensions = tuple(
        (name, compact(text if rng.random() < 0.6 else {"who": [text, text + "x"]}))
        for name, text in said.items()
    )
    ilmd = (*made.ilmd, *((name, compact(text)) for name, text in remark.items()))
    paths = {f"ext/{name}": text for name, text in said.items()}
    paths |= {f"ilmd/{name}": text for name, text in remark.items()}
    return replace(made, extensions=tuple(sorted(extensions)), ilmd=tuple(sorted(ilmd))), paths


def test_random_redactions_change_no_leaf_and_spoil_no_proof(trade: Trade) -> None:
    rng = random.Random(20261122)
    events: dict[str, dict[str, str]] = {}
    files: list[bytes] = []
    number = 0
    for _ in range(3):
        some = []
        for _ in range(rng.randint(1, 3)):
            number += 1
            made, paths = written(trade, rng, number)
            some.append(made)
            events[made.id] = paths
        assert trade.post_epcis(trade.document(*some)).status_code == 202
        if rng.random() < 0.5:
            assert trade.post_signed(trade.document(*some)).status_code == 201
    gone: set[str] = set()
    for _ in range(6):
        files.append(evidence(trade, rng.randint(1, number)))
        leaves = roots(trade)
        event_id = rng.choice(sorted(events))
        left = [path for path, text in events[event_id].items() if text not in gone]
        chosen = None if not left or rng.random() < 0.4 else rng.sample(left, rng.randint(1, len(left)))
        redactions(trade).redact(event_id, chosen, BASIS, OPERATOR)
        gone |= {events[event_id][path] for path in chosen or events[event_id]}
        assert roots(trade)[: len(leaves)] == leaves
    files += [evidence(trade, each) for each in range(1, number + 1)]
    for file in files:
        assert verify(file).events
    shown = told(trade)
    everything = {text for paths in events.values() for text in paths.values()}
    assert gone
    assert everything - gone
    assert {text for text in everything if text in shown} == everything - gone
    assert audited(trade) == []
    database = trade.node.services.database
    if database.is_sqlite:
        file = Path(database.url.database or "")
        content = b"".join(
            each.read_bytes() for each in (file, file.with_name(file.name + "-wal")) if each.exists()
        )
        assert not [text for text in everything if text.encode() in content]


def test_a_long_document_brings_a_redacted_event_again(trade: Trade) -> None:
    services = trade.node.services
    services.capture.most_events = 1
    services.worker.background = False
    some = [noted(trade, number) for number in (1, 2)]
    assert trade.post_epcis(trade.document(some[0])).status_code == 202
    redactions(trade).redact(some[0].id, [NOTE_PATH], BASIS, OPERATOR)
    raws = [trade.document(*some), trade.document(replace(some[0], disposition="inactive"), noted(trade, 3))]
    for raw, code in zip(raws, (None, "capture.other_content"), strict=True):
        job_id = trade.post_epcis(raw).get_json()["captureID"]
        job = services.worker.finish(job_id, pause_s=0.01)
        assert (job.problem or {}).get("code") == code, job.problem
    assert trade.counts()[2] == 2
    assert audited(trade) == []


def test_killed_at_any_moment_it_is_done_by_the_next(trade: Trade) -> None:
    rng = random.Random(7)
    made, _ = written(trade, rng, 1)
    some = [replace(made, event_id=f"urn:uuid:{uuid.uuid4()}") for _ in range(1)]
    some += [written(trade, rng, number)[0] for number in range(2, 8)]
    assert trade.post_epcis(trade.document(*some)).status_code == 202
    services = trade.node.services
    assert services.node.checkpoint()
    for each in some[:-1]:
        child = os.fork()
        if child == 0:
            try:
                redactions(trade).redact(each.id, None, BASIS, OPERATOR)
            finally:
                os._exit(0)
        time.sleep(rng.random() * 0.15)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert [found for found in audited(trade) if "still there" not in found] == []
    for each in some[:-1]:
        redactions(trade).redact(each.id, None, BASIS, OPERATOR)
    assert audited(trade) == []
    with services.database.reading() as connection:
        left = connection.execute(select(erasable.c.event_id).where(erasable.c.data.is_not(None))).scalars()
        assert set(left) == {some[-1].id}
        assert connection.execute(select(event.c.seq)).all()
