"""Acts parked because their key had ended: what can be erased of their documents lies encrypted, and is erased."""

import zlib

from sqlalchemy import delete, select, update

from app.devices import parked_document
from app.devices.models import parked
from app.erasable.models import erasable
from app.erasable.spans import MARK
from ledger.epcis.read import read
from ledger.signing.client import KeyFolder, make_device, sign_capture
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action, Role
from ledger.store.sql.tables import wrap
from tests.app.redaction.private import (
    BASIS,
    NAME,
    NOTE_PATH,
    SECRETS,
    audited,
    noted,
    redactions,
    rows,
    sent,
    told,
)
from tests.support.app import OPERATOR
from tests.support.trade import Trade, problem


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
