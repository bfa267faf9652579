"""What can be erased lies encrypted, under keys of its own, and what is gone does not come back."""

from pathlib import Path

import pytest
from sqlalchemy import update

from app.erasable.models import erasable
from app.erasable.spans import MARK
from app.events.models import document, event
from app.events.records import raw_document
from app.redaction.service import Redactions
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form
from ledger.evidence.verify import verify
from ledger.store.sql.tables import wrap
from tests.app.redaction.private import (
    BASIS,
    NAME,
    NOTE,
    NOTE_PATH,
    SECRETS,
    audited,
    everything_stored,
    evidence,
    noted,
    redactions,
    rows,
    sent,
    told,
)
from tests.support.app import OPERATOR
from tests.support.trade import WHEN, Trade


def test_values_are_not_stored_in_clear_and_are_read_back(trade: Trade) -> None:
    sent(trade, noted(trade, 1))
    stored = everything_stored(trade)
    assert not [secret for secret in SECRETS if secret in stored]
    assert stored.count(MARK.encode()) == 3
    for secret in SECRETS:
        assert secret.decode() in told(trade)
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
