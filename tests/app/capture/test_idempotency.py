"""The same content gives the same receipt, whoever brings it and however it is written; other content under one id is a
contradiction."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.custody import service as custody
from app.custody.loading import load
from app.events.models import endorsement
from app.events.models import event as event_table
from app.proofs.fsck import fsck
from app.shared.actor import command_line
from ledger.custody.event import ErrorDeclaration
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form
from ledger.epcis.read import read
from tests.support.shared import shared_path
from tests.support.trade import WHEN, problem
from tests.support.world import MAKER, package

EXAMPLE = (
    "data/epcis/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml"
)


def receipt(response, status):
    assert response.status_code == status, response.text
    found = response.get_json()
    return found.get("receipt", found)


def place(found):
    return found["index"], found["leaf"], [each["eventID"] for each in found["events"]]


def test_the_same_document_again_gives_the_same_receipt(trade):
    raw = trade.document(trade.begun(1, 2))
    first = trade.post_epcis(raw)
    before = trade.counts()
    again = trade.post_epcis(raw)
    assert place(receipt(first, 202)) == place(receipt(again, 202))
    assert first.location == again.location
    assert (receipt(first, 202)["known"], receipt(again, 202)["known"]) == (False, True)
    assert trade.counts() == before
    trade.sweep()


def test_the_same_events_written_otherwise_and_by_another_channel_give_the_same_receipt(trade):
    event = trade.begun(1, 2, event_id=None)
    raw = trade.document(event)
    first = place(receipt(trade.post_epcis(raw), 202))
    before = trade.counts()
    indented = json.dumps(json.loads(raw), indent=4).encode()
    xml = xml12.write(Document(Form.XML12, (event,), created=WHEN))
    assert place(receipt(trade.post_epcis(indented), 202)) == first
    assert place(receipt(trade.post_epcis(xml, "application/xml"), 202)) == first
    by_file = trade.node.services.capture.receive(
        xml, None, by=MAKER, channel="file", actor=command_line("tester")
    )
    assert place(by_file.as_json()) == first
    assert trade.counts() == before


def test_gs1s_own_message_stays_the_same_eight_events(trade):
    raw = shared_path(EXAMPLE).read_bytes()
    capture = trade.node.services.capture
    by, actor = "0300011111116", command_line("tester")
    first = capture.receive(raw, None, by=by, channel="file", actor=actor)
    assert len(first.events) == 8
    before = trade.counts()
    lines = b"\n".join(line.strip() for line in raw.splitlines())
    again = capture.receive(lines, None, by=by, channel="file", actor=actor)
    assert (again.index, again.leaf, again.known) == (first.index, first.leaf, True)
    as_json = trade.document(*read(raw).events)
    third = capture.receive(as_json, "application/json", by=by, channel="rest", actor=actor)
    assert (third.index, third.leaf, third.known) == (first.index, first.leaf, True)
    assert [e.event_id for e in third.events] == [e.event_id for e in first.events]
    assert trade.counts() == before


def test_one_id_with_other_content_is_refused_and_nothing_of_the_document_stands(trade):
    event = trade.begun(1)
    receipt(trade.post_epcis(trade.document(event)), 202)
    before = trade.counts()
    other = replace(event, epcs=trade.begun(2).epcs)
    answer = problem(trade.post_epcis(trade.document(trade.begun(3), other)), 409, "capture.other_content")
    assert event.event_id in answer["detail"]
    assert answer["type"] == "epcisException:ResourceAlreadyExistsException"
    assert trade.counts() == before
    problem(trade.post_signed(trade.document(other)), 409, "capture.other_content")
    assert trade.counts() == before


@pytest.mark.parametrize("ids", [("1", "2"), ("2", "1")], ids=["in order", "turned round"])
def test_the_same_content_under_another_explicit_id_is_recorded_and_the_first_by_its_id_counts(trade, ids):
    """Not the first to come: whoever has both knows which one counts."""
    events = [trade.begun(1, event_id=f"urn:uuid:00000000-0000-4000-8000-00000000000{each}") for each in ids]
    told = [receipt(trade.post_epcis(trade.document(each)), 202) for each in events]
    assert not told[1]["known"]
    with trade.node.services.database.reading() as connection:
        columns = (event_table.c.seq, event_table.c.event_id, event_table.c.effective)
        rows = {row.event_id[-1]: row for row in connection.execute(select(*columns))}
        found = custody.findings_of(connection, [row.seq for row in rows.values()])
    assert {number: row.effective for number, row in rows.items()} == {"1": True, "2": False}
    assert [(each.seq, each.code.value) for each in found] == [(rows["2"].seq, "other_id_same_content")]
    assert fsck(trade.node.services.database, trade.node.services.node).findings == []


def test_a_first_signature_over_what_came_unsigned_endorses_it_and_a_second_changes_nothing(trade):
    raw = trade.document(trade.begun(1), trade.begun(2))
    unsigned = receipt(trade.post_epcis(raw), 202)
    entries, documents, events = trade.counts()
    signed = receipt(trade.post_signed(raw), 201)
    assert signed["signed"]
    assert signed["index"] == unsigned["index"] + 1
    assert [each["index"] for each in signed["events"]] == [unsigned["index"]] * 2
    assert trade.counts() == (entries + 1, documents + 1, events), "an entry, and no event"
    with trade.node.services.database.reading() as connection:
        assert connection.execute(select(endorsement.c.idx)).scalars().all() == [signed["index"]] * 2
    again = receipt(trade.post_signed(raw), 201)
    assert (place(again), again["known"]) == (place(signed), True)
    assert receipt(trade.post_epcis(raw), 202)["known"]
    assert trade.counts() == (entries + 1, documents + 1, events)
    trade.sweep()


def test_a_signature_does_not_choose_which_of_two_equals_counts(trade):
    """Nor does when it came: docs/decisions/0057."""
    small, large = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))

    def told(number: int, *sent) -> list[tuple[str, bool]]:
        trade.post_epcis(trade.document(trade.begun(number)))
        sale = trade.shipped(number)
        for post, event_id in sent:
            answer = post(trade.document(replace(sale, event_id=f"{event_id[:-2]}{number}{event_id[-1]}")))
            assert answer.status_code in (201, 202), answer.text
        query = select(event_table.c.event_id, event_table.c.effective).order_by(event_table.c.event_id)
        with trade.node.services.database.reading() as connection:
            rows = connection.execute(
                query.where(event_table.c.event_id.like(f"urn:uuid:00000000-0000-%{number}_"))
            ).all()
        return [(row.event_id[-1], row.effective) for row in rows]

    unsigned, signed = trade.post_epcis, trade.post_signed
    smaller_counts = [("1", True), ("2", False)]
    assert told(3, (unsigned, small), (signed, large)) == smaller_counts
    assert told(4, (signed, large), (unsigned, small)) == smaller_counts
    assert told(5, (unsigned, large), (unsigned, small), (signed, large)) == smaller_counts  # endorsed
    trade.sweep()


def test_a_signed_capture_sent_again_gives_the_same_receipt(trade):
    raw = trade.document(trade.begun(1))
    first = receipt(trade.post_signed(raw), 201)
    before = trade.counts()
    assert place(receipt(trade.post_signed(raw), 201)) == place(first)
    assert trade.counts() == before


def test_a_document_of_which_a_part_stands_adds_only_what_is_new(trade):
    old, new = trade.begun(1), trade.begun(2)
    first = receipt(trade.post_epcis(trade.document(old)), 202)
    both = receipt(trade.post_epcis(trade.document(old, new)), 202)
    assert [(e["index"], e["known"]) for e in both["events"]] == [
        (first["index"], True),
        (both["index"], False),
    ]
    assert trade.counts()[2] == 2


def test_a_document_without_events_is_known_by_its_bytes(trade):
    raw = trade.document()
    first = receipt(trade.post_epcis(raw), 202)
    before = trade.counts()
    assert place(receipt(trade.post_epcis(raw), 202)) == place(first)
    assert trade.counts() == before


def test_two_parties_may_report_the_same_happening(trade):
    raw = trade.document(trade.begun(1))
    mine = receipt(trade.post_epcis(raw), 202)
    theirs = trade.node.services.capture.receive(
        raw, None, by="0860000000017", channel="rest", actor=command_line("tester")
    )
    assert theirs.index != mine["index"]
    assert [found["code"] for found in theirs.findings] == ["not_maker"]


def test_a_document_that_repeated_some_events_gets_its_own_receipt_again(trade):
    old, shared, new = trade.begun(1), trade.begun(2), trade.begun(3)
    trade.post_signed(trade.document(old, shared))
    raw = trade.document(shared, new)
    first = receipt(trade.post_epcis(raw), 202)
    for written in (raw, json.dumps(json.loads(raw), indent=4).encode()):
        again = receipt(trade.post_epcis(written), 202)
        assert (place(again), again["signed"]) == (place(first), False)


def test_what_was_endorsed_and_is_signed_afresh_gets_the_receipt_of_the_endorsement(trade):
    raw = trade.document(trade.begun(1))
    trade.post_epcis(raw)
    endorsed = receipt(trade.post_signed(raw), 201)
    before = trade.counts()
    # Another seed, another statement: a client that lost its outbox.
    again = receipt(trade.post_signed(raw), 201)
    assert (place(again), again["signed"]) == (place(endorsed), True)
    assert trade.counts() == before


def test_who_takes_an_event_back_may_tell_the_same_again(trade):
    """A shipment came without its statement: it is declared wrong, and told again under a new id."""
    sent = trade.shipped(1)
    assert trade.post_epcis(trade.document(trade.begun(1), sent)).status_code == 202
    wrong = replace(sent, declaration=ErrorDeclaration(WHEN + timedelta(days=1), "incorrect_data"))
    again = replace(sent, event_id="urn:uuid:00000000-0000-4000-8000-000000000001")
    told = trade.post_epcis(trade.document(wrong, again)).json["receipt"]["findings"]
    assert "other_id_same_content" not in [found["code"] for found in told]
    twin = replace(sent, event_id="urn:uuid:00000000-0000-4000-8000-000000000002")
    told = trade.post_epcis(trade.document(twin)).json["receipt"]["findings"]
    assert [found["code"] for found in told] == ["other_id_same_content"]
    services = trade.node.services
    with services.database.reading() as connection:
        loaded = load(connection, [package(1)])
    assert loaded.world.item(package(1)).in_transit
    assert fsck(services.database, services.node).findings == []
