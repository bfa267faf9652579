"""Long documents: validated whole, then applied by slices; nothing of one that is invalid, all of one that is not."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select

from app.capture import committer
from app.events.models import event, inbox_event, inbox_name
from app.partners import service as partners
from app.partners.places import Position
from app.partners.service import NewSite
from app.prefixes import service as prefixes
from app.proofs.fsck import fsck
from ledger.custody.event import ErrorDeclaration
from ledger.custody.vocabulary import EventType
from ledger.epcis.read import read
from ledger.signing.client import KeyFolder, sign_capture
from ledger.signing.commitment import Leaf, ListField, commit
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action
from ledger.signing.stream import CommitmentStream
from ledger.store.sql.engine import sqlite_driver
from tests.app.capture.long_documents import (
    MANY,
    SLICE,
    audited,
    calm,
    finish,
    job_of,
    many,
    number,
    rows,
    slices,
)
from tests.support.trade import WHEN, problem
from tests.support.world import MAKER, WHOLESALER, package, sgln


def test_a_long_document_is_one_entry_and_all_its_events(short):
    before = short.counts()
    raw = short.document(*many(short))
    answer = short.post_epcis(raw)
    assert answer.headers["Location"] == f"/epcis/capture/{job_of(answer)}"
    assert short.counts() == before, "what waits is outside the ledger"
    job_id = job_of(answer)
    running = short.client.get(f"/epcis/capture/{job_id}", headers=short.bearer).get_json()
    assert (running["running"], running["success"], running["errors"]) == (True, True, [])
    told = finish(short, job_id)
    assert (told["running"], told["success"]) == (False, True)
    assert told["progress"] == {"events": MANY, "applied": MANY}
    assert short.counts() == (before[0] + 1, before[1] + 1, before[2] + MANY)
    receipt = told["receipt"]
    assert (receipt["event_count"], receipt["known"], receipt["signed"]) == (MANY, False, False)
    with short.node.services.node.ledger.reading() as reader:
        assert reader.leaf(receipt["index"]).hex() == receipt["leaf"]
    assert rows(short, inbox_event) == rows(short, inbox_name) == 0
    short.sweep()
    audited(short)


def test_a_signed_long_document_is_answered_with_its_receipt_when_it_stands(short):
    signed = short.signed(short.document(*many(short)))
    parts = {"envelope": signed.envelope, "seed": signed.seed, "document": signed.document}
    answer = short.post_parts("/ledger/captures", **parts)
    job_id = job_of(answer)
    assert answer.headers["Location"] == f"/ledger/captures/{job_id}"
    assert short.client.get(answer.headers["Location"]).get_json()["running"] is True
    finish(short, job_id)
    again = short.post_parts("/ledger/captures", **parts)
    assert again.status_code == 201
    assert again.get_json()["signed"] is True
    assert short.client.get(answer.headers["Location"]).get_json()["receipt"] == again.get_json()
    audited(short)


def test_a_long_receipt_says_what_does_not_fit_in_the_devices_chain(short):
    """As that of a short one does: a number that is missing, and a reference to what does not stand."""
    kept = short.signed(short.document(*many(short, 2000)))  # number 1, which is not sent before number 2
    nothing = bytes(range(32))

    def send(first, *refs):
        events = many(short, first)
        raw = short.document(*events)
        capture = sign_capture(
            short.device, raw, "application/json", [e.fields() for e in read(raw).events], refs
        )
        parts = {"envelope": capture.envelope, "seed": capture.seed, "document": capture.document}
        return finish(short, job_of(short.post_parts("/ledger/captures", **parts)))["receipt"]

    receipt = send(1000, nothing)
    assert [each["code"] for each in receipt["findings"]] == ["chain_gap", "ref_unknown"]
    assert {each["severity"] for each in receipt["findings"]} == {"exception"}
    assert (receipt["finding_count"], nothing.hex()[:16] in receipt["findings"][1]["message"]) == (2, True)
    # What comes later changes no receipt, and what fits has no finding.
    parts = {"envelope": kept.envelope, "seed": kept.seed, "document": kept.document}
    late = finish(short, job_of(short.post_parts("/ledger/captures", **parts)))["receipt"]
    assert (late["findings"], late["finding_count"]) == ([], 0)
    assert send(3000, bytes.fromhex(receipt["leaf"]))["findings"] == []
    audited(short)


def test_another_seed_or_document_than_was_signed_ends_the_job(short):
    signed = short.signed(short.document(*many(short)))
    answer = short.post_parts(
        "/ledger/captures", envelope=signed.envelope, seed=bytes(32), document=signed.document
    )
    before = short.counts()
    told = finish(short, job_of(answer))
    assert told["success"] is False
    assert [each["code"] for each in told["errors"]] == ["envelope.root"]
    assert short.counts() == before


def test_a_late_long_document_is_parked_only_if_it_is_what_was_signed(short):
    services = short.node.services
    root = KeyFolder.open(short.folder / "root")
    raw = short.document(*many(short))
    capture, other = short.signed(raw), short.document(*many(short, first=2000))
    key = KnownKey(short.device.signer.spki, short.device.role, short.device.label)
    record = end_key(root, Action.REVOKE, key)
    services.keys.apply(record.envelope, record.document, record.seed)
    parts = {"envelope": capture.envelope, "seed": capture.seed}
    for document, code in ((other, "envelope.root"), (raw[:-9], "document.not_json")):
        problem(short.post_parts("/ledger/captures", **parts, document=document), 400, code)
    problem(short.post_parts("/ledger/captures", **parts, document=raw), 409, "capture.parked")
    services.node.checkpoint()
    assert fsck(services.database, services.node).ok


def test_a_late_document_that_cannot_be_parked_now_is_told_so(sqlite_trade, monkeypatch):
    monkeypatch.setattr(committer, "TRIES", 1)  # each waits for the database as long as its setting says
    short, services = sqlite_trade, sqlite_trade.node.services
    calm(services)
    capture = short.signed(short.document(*many(short)))
    key = KnownKey(short.device.signer.spki, short.device.role, short.device.label)
    record = end_key(KeyFolder.open(short.folder / "root"), Action.REVOKE, key)
    services.keys.apply(record.envelope, record.document, record.seed)
    parts = {"envelope": capture.envelope, "seed": capture.seed, "document": capture.document}
    other = sqlite_driver().connect(services.database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    problem(short.post_parts("/ledger/captures", **parts), 503, "capture.busy")
    other.close()
    problem(short.post_parts("/ledger/captures", **parts), 409, "capture.parked")


def test_the_same_document_again_is_the_same_job_and_then_the_same_receipt(short):
    raw = short.document(*many(short))
    first, second = (job_of(short.post_epcis(raw)) for _ in range(2))
    assert first == second
    slices(short, first, 2)
    while_applied = short.post_epcis(raw).get_json()
    assert (while_applied["captureID"], while_applied["progress"]["applied"]) == (first, 2 * SLICE)
    told = finish(short, first)
    after = short.post_epcis(raw)
    assert after.status_code == 202
    assert after.get_json() == told
    counts = short.counts()
    # Written otherwise, it is another document with the same content.
    other = json.dumps(json.loads(raw), indent=1).encode()
    known = finish(short, job_of(short.post_epcis(other)))["receipt"]
    assert (known["index"], known["leaf"], known["known"]) == (
        told["receipt"]["index"],
        told["receipt"]["leaf"],
        True,
    )
    assert short.counts() == counts


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda events: events[20].pop("eventTime"), "document.missing"),
        (lambda events: events[22].update(epcList=["not-an-epc"]), "document.bad_epc"),
        (lambda events: events.append(dict(events[0])), "capture.double"),
        (lambda events: events[21].update(eventID=f"urn:uuid:{number(1)}"), "capture.other_content"),
    ],
)
def test_one_that_is_invalid_fails_whole(short, spoil, code):
    assert short.post_epcis(short.document(*many(short, 1, 1))).status_code == 202
    before = short.counts()
    value = json.loads(short.document(*many(short)))
    spoil(value["epcisBody"]["eventList"])
    told = finish(short, job_of(short.post_epcis(json.dumps(value).encode())))
    assert (told["running"], told["success"]) == (False, False)
    assert [each["code"] for each in told["errors"]] == [code]
    # Kept when the document is not: it must not quote what could be erased.
    assert "not-an-epc" not in json.dumps(told)
    if code == "document.bad_epc":
        [error] = told["errors"]
        assert error["problems"] == [{"code": "bad_epc", "where": "/epcisBody/eventList/22/epcList/0"}]
        assert error["detail"] == "/epcisBody/eventList/22/epcList/0: bad_epc"
    assert short.counts() == before
    assert rows(short, inbox_event) == rows(short, inbox_name) == 0
    audited(short)
    # Mended and sent again it is taken.
    assert finish(short, job_of(short.post_epcis(short.document(*many(short)))))["success"] is True


def test_what_stood_before_is_not_counted_twice_and_is_endorsed_by_a_signature(short):
    events = many(short)
    assert short.post_epcis(short.document(*events[:3])).status_code == 202
    before = short.counts()
    answer = short.post_signed(short.document(*events))
    finish(short, job_of(answer))
    assert short.counts() == (before[0] + 1, before[1] + 1, MANY)
    audited(short)


def test_late_and_wrong_events_in_any_slice_give_what_rebuild_gives(short):
    """Shipping before commissioning in the document, and a declaration of error at its end."""
    made = many(short)
    shipped = replace(short.shipped(*range(1000, 1010)), event_id=f"urn:uuid:{number(1)}")
    wrong = replace(made[3], declaration=ErrorDeclaration(WHEN.replace(month=7), "incorrect_data"))
    finish(short, job_of(short.post_epcis(short.document(shipped, *made, wrong))))
    audited(short)


def test_a_thousand_and_one_events_wait(sqlite_trade):
    trade = sqlite_trade
    trade.node.services.worker.background = False
    raw = trade.document(*many(trade, count=1001))
    told = finish(trade, job_of(trade.post_epcis(raw)))
    assert told["progress"] == {"events": 1001, "applied": 1001}
    assert told["receipt"]["by"] == MAKER


def test_the_stream_gives_the_root_that_the_tree_gives():
    records = [
        [Leaf("a", b"%d" % n), ListField("b", tuple(b"%d" % m for m in range(n % 7 + 1))), Leaf("c", b"")]
        for n in range(700)
    ]
    intake = [Leaf("by", b"x"), Leaf("channel", b"rest")]
    seed, digest = bytes(range(32)), sha256(b"raw").digest()
    for count in (0, 1, 2, 700):
        stream = CommitmentStream(digest, intake, seed)
        for record in records[:count]:
            stream.add(record)
        assert stream.root() == commit(digest, intake, records[:count], seed)


def test_a_key_that_ends_while_its_document_waits_has_it_parked(short):
    raw = short.document(*many(short))
    job_id = job_of(short.post_signed(raw))
    device = short.device
    ended = end_key(
        KeyFolder.open(short.folder / "root"),
        Action.REVOKE,
        KnownKey(device.signer.spki, device.role, device.label),
    )
    short.node.services.keys.apply(ended.envelope, ended.document, ended.seed)
    before = short.counts()
    told = finish(short, job_id)
    assert told["success"] is False
    [error] = told["errors"]
    assert (error["code"], error["status"]) == ("capture.parked", 409)
    assert short.counts() == (before[0] + 1, *before[1:]), "the entry that says it came, and no event"
    [act] = short.client.get("/ledger/parked", headers=short.bearer).get_json()["parked"]
    assert (act["leaf"], act["state"], act["why"]) == (error["parked"]["leaf"], "open", "revoked")
    document = short.client.get(f"/ledger/parked/{act['leaf']}", headers=short.bearer)
    assert document.data == raw
    audited(short)


def test_the_events_of_a_long_document_keep_what_was_known_of_their_places_and_numbers(short):
    """As those of a short one: else a rebuild would not give what the projection has."""
    services = short.node.services
    with services.database.writing() as connection:
        owner = partners.by_gln(connection, WHOLESALER)
        prefixes.add(connection, "0399999", WHOLESALER)
        partners.set_site(
            connection, owner, NewSite("0200000000011", "dock", position=Position.parse("40.7128,-74.0060"))
        )
    packed = replace(
        short.begun(1, event_id=f"urn:uuid:{number(1)}"),
        type=EventType.AGGREGATION,
        biz_step="packing",
        parent="https://id.gs1.org/00/103999990000000014",
        children=(package("1000"),),
        epcs=(),
        ilmd=(),
        read_point=sgln("0200000000011"),
    )
    job = finish(short, job_of(short.post_epcis(short.document(*many(short, count=5), packed))))
    assert job["success"]
    with services.database.reading() as connection:
        [row] = connection.execute(
            select(event.c.place, event.c.foreign_sscc).where(event.c.biz_step == "packing")
        ).all()
    assert tuple(row) == ("40.71280,-74.00600", "https://id.gs1.org/00/103999990000000014")
