"""Erasing a field: nothing of it is left, and everything that was proven before is proven still."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.cli import main
from app.custody import rebuild
from app.erasable.models import redaction
from app.erasable.notices import ERASED
from app.errors import Invalid, NotFound, Refused
from app.events.models import event
from app.history.service import story
from app.shared.actor import Role as Actors
from ledger.custody.event import ErrorDeclaration, compact
from ledger.epcis import json20, xml12
from ledger.epcis.document import Document, Form
from ledger.evidence.verify import verify
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
    roots,
    rows,
    sent,
    told,
)
from tests.support.app import OPERATOR
from tests.support.trade import WHEN, Trade
from tests.support.world import package


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
