"""Erasing a field: nothing of it is left, and everything that was proven before is proven still."""

import uuid
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from app.cli import main
from app.custody import rebuild
from app.devices import parked_document
from app.devices.models import parked
from app.erasable.models import erasable, redaction
from app.erasable.notices import ERASED
from app.erasable.spans import MARK
from app.errors import Invalid, NotFound, Refused
from app.events.models import document, event
from app.events.records import raw_document
from app.history.service import story
from app.proofs.fsck import fsck
from app.redaction.service import Redactions
from app.shared.actor import Role as Actors
from ledger.custody.event import ErrorDeclaration, Event, compact
from ledger.epcis import json20, xml12
from ledger.epcis.document import Document, Form
from ledger.epcis.read import read
from ledger.evidence.verify import verify
from ledger.signing.client import KeyFolder, make_device, sign_capture
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action, Role
from ledger.store.sql.tables import wrap
from tests.support.app import OPERATOR
from tests.support.trade import WHEN, Trade, problem
from tests.support.world import package

NAME = "Annabel Featherstonehaugh"
NOTE = ("http://example.com/ns#note", compact(f"call {NAME}"))
PHONE = ("http://example.com/ns#phone", compact({"http://example.com/ns#home": "+44 1632 960001"}))
REMARK = ("http://example.com/ns#remark", compact("kept in a cool place"))
BASIS = "GDPR Art. 17(1)(a)"
NOTE_PATH = "ext/http://example.com/ns#note"
SECRETS = (NAME.encode(), b"960001", b"cool place")


def noted(trade: Trade, *numbers: int, **kwargs: object) -> Event:
    """A commissioning with a note, a telephone number and a remark in its ILMD."""
    made = trade.begun(*numbers, **kwargs)
    return replace(made, extensions=(NOTE, PHONE), ilmd=tuple(sorted((*made.ilmd, REMARK))))


def redactions(trade: Trade) -> Redactions:
    return trade.node.services.redactions


def sent(trade: Trade, *events: Event) -> None:
    answer = trade.post_epcis(trade.document(*events))
    assert answer.status_code == 202, answer.text


def audited(trade: Trade) -> list[str]:
    services = trade.node.services
    return [found.message for found in fsck(services.database, services.node).findings]


def evidence(trade: Trade, number: int = 1) -> bytes:
    return trade.node.services.evidence.of_package(package(number), reader=None)


def told(trade: Trade) -> str:
    return trade.client.get("/epcis/events", headers=trade.bearer).text


def roots(trade: Trade) -> list[bytes]:
    services = trade.node.services
    with services.database.reading() as connection:
        reader = services.node.ledger.reader(connection)
        return [reader.leaf(index) for index in range(reader.head().size)]


def rows(trade: Trade, *columns: object) -> list[tuple[object, ...]]:
    with trade.node.services.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns)).all()]


def everything_stored(trade: Trade) -> bytes:
    raws = [raw_document(bytes(raw)) for (raw,) in rows(trade, document.c.raw)]  # type: ignore[arg-type]
    return b"".join([*raws, *(bytes(body) for (body,) in rows(trade, event.c.body))])  # type: ignore[arg-type]


class Running:
    """A clock that goes on, as clocks do, between any two looks at it."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        self._at += timedelta(milliseconds=7, microseconds=3)
        return self._at


def test_the_row_beside_an_entry_tells_the_entrys_moment(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    replace(redactions(trade), clock=Running(trade.node.clock.now())).redact(made.id, None, BASIS, OPERATOR)
    assert audited(trade) == []


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_what_the_dscsa_asks_for_is_stored_as_it_came_and_cannot_be_erased(trade: Trade, kind: str) -> None:
    date = ("http://epcis.gs1us.org/hc/ns#transactionDate", compact("2026-03-01"))
    made = replace(trade.begun(1), extensions=tuple(sorted((date, NOTE))))
    if kind == "json":
        sent(trade, made)
    else:
        raw = xml12.write(Document(Form.XML12, (made,), created=WHEN))
        headers = {**trade.bearer, "Content-Type": "application/xml"}
        assert trade.client.post("/epcis/capture", data=raw, headers=headers).status_code == 202
    assert b"2026-03-01" in everything_stored(trade)
    assert NAME.encode() not in everything_stored(trade)
    assert redactions(trade).fields_of(made.id) == [(NOTE_PATH, False)]
    with pytest.raises(Refused, match="cannot be erased"):
        redactions(trade).redact(made.id, [f"ext/{date[0]}"], BASIS, OPERATOR)
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert "2026-03-01" in told(trade)
    assert audited(trade) == []


def test_values_are_not_stored_in_clear_and_are_read_back(trade: Trade) -> None:
    sent(trade, noted(trade, 1))
    stored = everything_stored(trade)
    assert not [secret for secret in SECRETS if secret in stored]
    assert stored.count(MARK.encode()) == 3
    for secret in SECRETS:
        assert secret.decode() in told(trade)
    assert audited(trade) == []


def test_erasing_everything_of_an_event(trade: Trade) -> None:
    made = noted(trade, 1)
    raw = trade.document(made, trade.begun(2))
    assert trade.post_epcis(raw).status_code == 202
    before, leaves = evidence(trade), roots(trade)
    assert b"ns#note" in before

    done = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert (len(done.fields), done.keys, done.known) == (3, 3, False)

    assert audited(trade) == []
    assert not [secret for secret in SECRETS if secret.decode() in told(trade)]
    assert made.id in told(trade)
    assert roots(trade)[: len(leaves)] == leaves  # I8
    trade.sweep()
    after = evidence(trade)
    assert verify(before).events
    assert verify(after).events
    assert b"ns#note" not in after
    again = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert (again.known, again.keys, again.entries) == (True, 0, ())
    # The same document again gives the first receipt, and brings nothing back.
    receipt = trade.post_epcis(raw)
    assert receipt.status_code == 202, receipt.text
    assert receipt.json["receipt"]["known"]
    assert not [secret for secret in SECRETS if secret.decode() in told(trade)]


def test_a_signed_capture_that_is_sent_again_after_the_redaction_gets_its_receipt(trade: Trade) -> None:
    made = noted(trade, 1)
    capture = trade.signed(trade.document(made))
    parts = {"envelope": capture.envelope, "seed": capture.seed, "document": capture.document}
    first = trade.post_parts("/ledger/captures", **parts)
    assert first.status_code == 201, first.text
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    again = trade.post_parts("/ledger/captures", **parts)
    assert (again.status_code, again.json["index"]) == (201, first.json["index"]), again.text
    assert not [secret for secret in SECRETS if secret.decode() in told(trade)]
    assert audited(trade) == []


def parked_late(trade: Trade, raw: bytes) -> bytes:
    """The device's key is suspended; what it signs is parked. The audit entry's leaf."""
    key = KnownKey(trade.device.signer.spki, trade.device.role, trade.device.label)
    end = end_key(KeyFolder.open(trade.folder / "root"), Action.SUSPEND, key)
    trade.node.services.keys.apply(end.envelope, end.document, end.seed)
    return bytes.fromhex(problem(trade.post_signed(raw), 409, "capture.parked")["parked"]["leaf"])


def handed_out(trade: Trade, leaf: bytes):
    return trade.client.get(f"/ledger/parked/{leaf.hex()}", headers=trade.bearer)


def in_parked(trade: Trade) -> bytes:
    """All of the rows of `parked`, unpacked."""
    found = []
    with trade.node.services.database.reading() as connection:
        for row in connection.execute(select(parked)).all():
            found += [parked_document.stored(row)[1]] if row.seed else []
            found += [bytes(each) for each in row if isinstance(each, bytes | memoryview)]
    return b"".join(found)


def adopted(trade: Trade, raw: bytes, leaf: bytes) -> str:
    """The state of the one parked act after a person of the party, whose key counts, has taken it over."""
    folder = KeyFolder.open(trade.folder / "root")
    device = make_device(trade.folder / "person", folder.path, "Mia", Role.PERSON)
    trade.node.services.keys.apply(device.envelope, device.document, device.seed)
    fields = [each.fields() for each in read(raw).events]
    mia = KeyFolder.open(trade.folder / "person")
    mine = sign_capture(mia, raw, "application/json", fields, (leaf,))
    sent = {"envelope": mine.envelope, "seed": mine.seed, "document": mine.document}
    answer = trade.post_parts("/ledger/captures", **sent)
    assert answer.status_code == 201, answer.text
    [act] = trade.client.get("/ledger/parked", headers=trade.bearer).json["parked"]
    return str(act["state"])


def test_a_parked_document_is_erased_with_the_event_that_it_held(trade: Trade) -> None:
    made = noted(trade, 1)
    raw = trade.document(made)
    leaf = parked_late(trade, raw)
    sent(trade, made)
    assert NAME in handed_out(trade, leaf).text
    done = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert len(done.entries) == 2, "of the event's own entry, and of the parked act's"
    problem(handed_out(trade, leaf), 404, "not_found")
    [(document_left, seed)] = rows(trade, parked.c.document, parked.c.seed)
    assert (len(bytes(document_left)), seed) == (8, b"")  # type: ignore[arg-type]
    assert audited(trade) == []
    # What comes late after that is erased by asking again, and no other way of emptying it passes the audit.
    problem(trade.post_signed(trade.document(made, trade.begun(9))), 409, "capture.parked")
    again = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert (again.known, len(again.entries), again.keys) == (False, 1, 3)
    assert redactions(trade).redact(made.id, None, BASIS, OPERATOR).known
    assert all(not left for (left,) in rows(trade, parked.c.seed))
    assert audited(trade) == []
    with trade.node.services.database.writing() as connection:
        connection.execute(update(parked).values(document=bytes(8)))
    assert any("parked" in found for found in audited(trade))


def test_a_parked_act_whose_event_stands_nowhere_else_lies_encrypted_and_is_adopted(trade: Trade) -> None:
    raw = trade.document(noted(trade, 1))
    leaf = parked_late(trade, raw)
    assert not [secret for secret in SECRETS if secret in in_parked(trade)]
    assert in_parked(trade).count(MARK.encode()) == 3
    assert handed_out(trade, leaf).data == raw
    assert audited(trade) == []
    assert adopted(trade, raw, leaf) == "adopted"
    for secret in SECRETS:
        assert secret.decode() in told(trade)
    assert audited(trade) == []


def test_a_parked_act_whose_event_stands_nowhere_else_can_be_erased_and_is_adopted_after(
    trade: Trade,
) -> None:
    made, other = noted(trade, 1), noted(trade, 2)
    raw = trade.document(made, other)
    leaf = parked_late(trade, raw)
    assert redactions(trade).fields_of(made.id)[0] == (NOTE_PATH, False)
    done = redactions(trade).redact(made.id, [NOTE_PATH], BASIS, OPERATOR)
    assert (done.known, len(done.entries), done.keys) == (False, 1, 6), "the document goes whole"
    problem(handed_out(trade, leaf), 404, "not_found")
    assert all(erased for _, erased in redactions(trade).fields_of(other.id))
    assert redactions(trade).redact(made.id, None, BASIS, OPERATOR).known
    assert [each for each in rows(trade, erasable.c.data) if each[0] is not None] == []
    assert audited(trade) == []
    # Whoever has the document still may adopt it.
    assert adopted(trade, raw, leaf) == "adopted"
    assert audited(trade) == []


def test_what_was_parked_in_clear_by_an_earlier_version_is_encrypted_and_erased(sqlite_trade: Trade) -> None:
    trade = sqlite_trade
    made = noted(trade, 1, event_id=None)  # an id that stands nowhere in the document
    raw = trade.document(made)
    leaf = parked_late(trade, raw)
    with trade.node.services.database.writing() as connection:
        connection.execute(update(parked).values(document=zlib.compress(raw, 6)))
        connection.execute(delete(erasable))
        connection.execute(delete(wrap))
    assert NAME.encode() in in_parked(trade)
    assert handed_out(trade, leaf).data == raw
    assert audited(trade) == []
    assert (NOTE_PATH, False) in redactions(trade).fields_of(made.id)
    assert len(redactions(trade).redact(made.id, None, BASIS, OPERATOR).entries) == 1
    assert not [secret for secret in SECRETS if secret in in_parked(trade)]
    assert audited(trade) == []


def test_an_audit_tells_what_of_a_parked_document_is_not_as_it_came(sqlite_trade: Trade) -> None:
    trade = sqlite_trade
    leaf = parked_late(trade, trade.document(noted(trade, 1)))
    changes = (
        update(parked).values(document=parked_document.pack(b"other", b"{}")),
        update(erasable).where(erasable.c.part == 0).values(event_id="urn:uuid:other"),
        update(erasable).where(erasable.c.part == 0).values(leaf=bytes(32)),
        update(erasable).where(erasable.c.part == 0).values(data=bytes(64)),
    )
    for change in changes:
        before = (
            rows(trade, parked.c.document),
            rows(trade, erasable.c.event_id, erasable.c.leaf, erasable.c.data),
        )
        with trade.node.services.database.writing() as connection:
            connection.execute(change)
        assert any("parked" in found for found in audited(trade)), change
        with trade.node.services.database.writing() as connection:
            connection.execute(update(parked).values(document=before[0][0][0]))
            for part, (event_id, leaf_, data) in enumerate(before[1]):
                values = {"event_id": event_id, "leaf": leaf_, "data": data}
                connection.execute(update(erasable).where(erasable.c.part == part).values(values))
    assert audited(trade) == []
    ring = next((trade.node.services.settings.data_dir / "wraps").glob("*.ring"))
    ring.unlink()
    problem(handed_out(trade, leaf), 503, "parked.locked")


def test_erasing_one_field_leaves_the_others(trade: Trade) -> None:
    made, other = noted(trade, 1), noted(trade, 2)
    sent(trade, made, other)
    done = redactions(trade).redact(made.id, [NOTE_PATH], BASIS, OPERATOR)
    assert done.fields == (f"e0/{NOTE_PATH}",)
    assert told(trade).count(NAME) == 1
    assert told(trade).count("960001") == 2
    assert audited(trade) == []
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert told(trade).count("960001") == 1
    assert audited(trade) == []
    assert verify(evidence(trade)).events
    assert [path for path, erased in redactions(trade).fields_of(made.id) if not erased] == []


def test_what_is_regulated_and_what_is_not_there_is_refused(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    for path in ("bizStep", "epcList", "ilmd/urn:epcglobal:cbv:mda#lotNumber", "readPoint", "eventTime"):
        with pytest.raises(Refused, match="cannot be erased") as refused:
            redactions(trade).redact(made.id, [path], BASIS, OPERATOR)
        assert refused.value.code == "redaction.regulated"
    with pytest.raises(Invalid, match="no such field"):
        redactions(trade).redact(made.id, ["ext/http://example.com/ns#other"], BASIS, OPERATOR)
    with pytest.raises(Invalid, match="legal basis"):
        redactions(trade).redact(made.id, None, " ", OPERATOR)
    with pytest.raises(NotFound):
        redactions(trade).redact(f"urn:uuid:{uuid.uuid4()}", None, BASIS, OPERATOR)
    assert rows(trade, redaction.c.idx) == []
    assert NAME in told(trade)


def test_every_document_that_holds_the_event_is_redacted(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    assert trade.post_signed(trade.document(made)).status_code == 201
    sent(trade, made, trade.begun(2))
    before = evidence(trade)
    done = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert len(done.entries) == 3
    assert audited(trade) == []
    assert verify(before).events
    assert verify(evidence(trade)).events
    assert verify(evidence(trade, 2)).events


def test_an_error_declaration_shares_its_events_id_and_its_fate(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    sent(trade, replace(made, declaration=ErrorDeclaration(WHEN, "incorrect_data")))
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert NAME not in told(trade)
    assert audited(trade) == []


def test_an_event_without_an_id_keeps_the_one_it_was_given(trade: Trade) -> None:
    sent(trade, noted(trade, 1, event_id=None))
    [(event_id,)] = rows(trade, event.c.event_id)
    assert trade.post_signed(trade.document(noted(trade, 1, event_id=None))).status_code == 201
    redactions(trade).redact(str(event_id), None, BASIS, OPERATOR)
    assert audited(trade) == []
    assert str(event_id) in told(trade)
    assert verify(evidence(trade)).events


def test_custody_rests_on_nothing_that_can_be_erased(trade: Trade) -> None:
    made = noted(trade, 1, 2)
    sent(trade, made)
    shipped = replace(trade.shipped(1), extensions=(NOTE,))
    sent(trade, shipped)
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    redactions(trade).redact(shipped.id, None, BASIS, OPERATOR)
    services = trade.node.services
    with services.database.writing() as connection:
        assert list(rebuild.differences(connection)) == []
        rebuild.rebuild(connection, services.clock)
        assert list(rebuild.differences(connection)) == []
    assert audited(trade) == []


def test_xml_with_a_contact_in_its_header(trade: Trade) -> None:
    made = noted(trade, 1)
    written = xml12.write(Document(Form.XML12, (made,), created=WHEN, sender="0399999000017"))
    contact = f"<sbdh:ContactInformation><sbdh:Contact>{NAME}</sbdh:Contact></sbdh:ContactInformation>"
    raw = written.replace(b"</sbdh:Sender>", contact.encode() + b"</sbdh:Sender>")
    assert contact.encode() in raw, written[:900]
    answer = trade.post_epcis(raw, "application/xml")
    assert answer.status_code == 202, answer.text
    [(packed,)] = rows(trade, document.c.raw)
    assert NAME.encode() not in raw_document(bytes(packed))
    assert audited(trade) == []
    done = redactions(trade).redact(made.id, ["document/ContactInformation"], BASIS, OPERATOR)
    assert done.fields == ("document/ContactInformation",)
    assert audited(trade) == []
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert audited(trade) == []
    assert verify(evidence(trade)).events


def test_where_no_spans_are_found_the_whole_document_is_encrypted(trade: Trade) -> None:
    made = noted(trade, 1)
    text = xml12.write(Document(Form.XML12, (made,), created=WHEN)).decode()
    raw = text[text.index("?>") + 2 :].encode("utf-16")
    answer = trade.post_epcis(raw, "application/xml")
    assert answer.status_code == 202, answer.text
    [(packed,)] = rows(trade, document.c.raw)
    assert raw_document(bytes(packed)) == b""
    assert audited(trade) == []
    before = evidence(trade)
    done = redactions(trade).redact(made.id, [NOTE_PATH], BASIS, OPERATOR)
    assert "document" in done.fields
    assert audited(trade) == []
    assert verify(before).events
    assert verify(evidence(trade)).events


def test_an_old_database_and_the_present_rings_do_not_bring_it_back(trade: Trade) -> None:
    services = trade.node.services
    made, kept = noted(trade, 1), noted(trade, 2)
    sent(trade, made, kept)
    ciphertexts = rows(trade, erasable.c.idx, erasable.c.part, erasable.c.data)
    wraps = rows(trade, wrap.c.idx, wrap.c.key)
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    with services.database.writing() as connection:  # yesterday's rows are put back
        for index, part, data in ciphertexts:
            here = (erasable.c.idx == index) & (erasable.c.part == part)
            connection.execute(update(erasable).where(here).values(data=data, erased_idx=None))
        for index, key in wraps:
            connection.execute(update(wrap).where(wrap.c.idx == index).values(key=key))
    with services.database.reading() as connection:
        [index] = {row[0] for row in ciphertexts}
        opened = {each.path: each.value for each in services.node.vault.parts(connection, index)}
    assert [path for path, value in opened.items() if path.startswith("e0/") and value is not None] == []
    assert opened[f"e1/{NOTE_PATH}"] == NOTE[1].encode()


def test_what_was_captured_before_is_encrypted_when_it_is_redacted(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = noted(trade, 1), noted(trade, 2)
    with monkeypatch.context() as patch:
        patch.setattr("app.capture.service.seal", lambda capture, vault, now: capture)
        sent(trade, made, other)
    [(packed,)] = rows(trade, document.c.raw)
    assert NAME.encode() in raw_document(bytes(packed))
    before = evidence(trade)
    assert len(redactions(trade).fields_of(made.id)) == 3
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    [(packed,)] = rows(trade, document.c.raw)
    assert NAME.encode() not in raw_document(bytes(packed))
    assert told(trade).count(NAME) == 1
    assert audited(trade) == []
    assert verify(before).events
    assert verify(evidence(trade)).events
    services = trade.node.services
    redactions(trade).redact(other.id, None, BASIS, OPERATOR)
    if services.database.is_sqlite:
        file = Path(services.database.url.database or "")
        for each in (file, file.with_name(file.name + "-wal")):
            content = each.read_bytes() if each.exists() else b""
            assert not [secret for secret in SECRETS if secret in content], each


def test_keys_that_a_crash_left_are_named_and_taken_out(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    with monkeypatch.context() as patch:
        patch.setattr(Redactions, "finish", lambda self, entries: 0)  # as if it died after the commit
        redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert any("still there" in message for message in audited(trade))
    assert NAME not in told(trade)
    # Another event's redaction looks after its own keys alone; the same one again gets to what was left.
    other = noted(trade, 2)
    sent(trade, other)
    assert redactions(trade).redact(other.id, None, BASIS, OPERATOR).keys == 3
    assert any("still there" in message for message in audited(trade))
    assert redactions(trade).redact(made.id, None, BASIS, OPERATOR).keys == 3
    assert redactions(trade).finish() == 0
    assert audited(trade) == []


def test_a_ring_that_is_gone_without_a_redaction_is_a_finding(trade: Trade) -> None:
    sent(trade, noted(trade, 1))
    [ring] = trade.node.services.node.vault.rings.folder.glob("*.ring")
    assert ring.stat().st_mode & 0o777 == 0o600
    content = ring.read_bytes()
    ring.unlink()
    assert any("no redaction says so" in message for message in audited(trade))
    assert NAME not in told(trade)
    assert verify(evidence(trade)).events  # what is regulated is proven without it
    ring.write_bytes(content)
    assert audited(trade) == []


def test_the_entry_says_what_was_erased_why_and_by_whom(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    done = redactions(trade).redact(made.id, [NOTE_PATH], BASIS, OPERATOR, by="account-7")
    [row] = rows(trade, redaction.c.idx, redaction.c.fields, redaction.c.basis, redaction.c.by_account)
    assert row == (done.entries[0], f'["e0/{NOTE_PATH}"]', BASIS, "account-7")
    with trade.node.services.database.reading() as connection:
        entry = trade.node.services.node.ledger.reader(connection).entry(done.entries[0])
    assert b'"type":"redaction"' in entry
    assert BASIS.encode() not in entry
    assert b"account-7" not in entry


def test_a_long_document_is_encrypted_too(trade: Trade) -> None:
    services = trade.node.services
    services.capture.most_events = 2
    services.worker.background = False
    made = [noted(trade, number) for number in (1, 2, 3)]
    answer = trade.post_epcis(trade.document(*made))
    assert answer.status_code == 202, answer.text
    while services.worker.step():
        pass
    assert len(rows(trade, event.c.seq)) == 3
    assert NAME.encode() not in everything_stored(trade)
    assert len(rows(trade, erasable.c.path)) == 9
    assert told(trade).count(NAME) == 3
    assert audited(trade) == []
    redactions(trade).redact(made[1].id, None, BASIS, OPERATOR)
    assert told(trade).count(NAME) == 2
    assert audited(trade) == []


def test_the_timeline_and_the_query_say_what_was_erased_when_and_why(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    redactions(trade).redact(made.id, [NOTE_PATH], BASIS, OPERATOR)
    with trade.node.services.database.snapshot() as connection:
        found = story(connection, package(1), reader=None)
    assert found is not None
    assert found.events[0].erased == (f"A field was erased on 2026-11-20, on this legal basis: {BASIS}",)
    [shown] = json20.read(told(trade).encode()).events
    assert BASIS in dict(shown.extensions)[ERASED]
    assert NOTE_PATH in dict(shown.extensions)[ERASED]


def test_the_command_lists_erases_and_says_what_it_cannot_reach(
    trade: Trade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    settings = trade.node.services.settings
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("PACKPROOF_LEDGER_ORIGIN", settings.ledger_origin)
    assert main(["redact", made.id]) == 0
    assert NOTE_PATH in capsys.readouterr().out
    assert NAME in told(trade)
    assert main(["redact", made.id, "--field", "bizStep", "--basis", BASIS, "--yes"]) == 1
    assert "regulated" in capsys.readouterr().err
    assert main(["redact", made.id, "--all", "--basis", BASIS, "--yes", "--by", "nobody"]) == 1
    capsys.readouterr()
    assert main(["redact", made.id, "--field", NOTE_PATH, "--basis", BASIS, "--yes"]) == 0
    mia = trade.node.services.people.add(OPERATOR, "mia", "correct horse battery", Actors.OPERATOR)
    assert main(["redact", made.id, "--all", "--basis", BASIS, "--by", "mia", "--yes"]) == 0
    with trade.node.services.database.reading() as connection:
        said = connection.execute(select(redaction.c.by_account).order_by(redaction.c.idx)).scalars().all()
    assert said == ["operator", mia.user_id], "ids and a role, nobody's name"
    said = capsys.readouterr().out
    assert "2 fields erased" in said
    assert "backups of the key folder" in said
    assert main(["redact", "--finish"]) == 0
    assert NAME not in told(trade)
    trade.node.services.database.dispose()
