"""What a key signs after its end is parked: once, for its party alone, adopted or recorded, and it fills no disk."""

from dataclasses import replace

from app.shared.actor import Role as Bearer
from ledger.custody.event import compact
from ledger.epcis.read import read
from ledger.signing.client import sign_capture
from ledger.signing.keylife import end_key
from ledger.signing.keyrecord import Action
from tests.app.devices.keys import another, audit, chain_of, known, parked, root, send
from tests.support.trade import problem
from tests.support.world import WHOLESALER


def test_a_late_act_is_parked_once_however_often_it_is_captured(trade):
    dock = another(trade, "dock")
    send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(dock)))
    raw = trade.document(trade.begun(5))
    size = trade.counts()[0]
    for _ in range(3):  # as `packproof capture --key dock` sends it, and hears the answer
        late = trade.signed(raw, dock)
        parts = {"envelope": late.envelope, "seed": late.seed, "document": late.document}
        told = trade.post_parts("/ledger/captures", **parts)
        dock.refused(late, problem(told, 409, "capture.parked"))
    assert [act["seq"] for act in parked(trade)] == [1]
    assert trade.counts()[0] == size + 1, "one entry says that it came"
    assert len(dock.refused_captures()) == 1
    assert list(chain_of(trade).findings()) == [], "and there is no gap"


def test_a_late_act_is_adopted_by_a_valid_key_of_the_party(trade):
    dock = another(trade, "dock")
    send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(dock)))
    raw = trade.document(trade.begun(5))
    late = problem(trade.post_signed(raw, dock), 409, "capture.parked")["parked"]
    [act] = parked(trade)
    assert (act["leaf"], act["state"], act["why"], act["seq"]) == (late["leaf"], "open", "revoked", 1)
    document = trade.client.get(f"/ledger/parked/{late['leaf']}", headers=trade.bearer)
    assert document.data == raw
    stranger = trade.node.bearer(Bearer.PARTNER_SYSTEM, party_gln=WHOLESALER)
    assert trade.client.get("/ledger/parked", headers=stranger).get_json() == {"parked": []}
    assert trade.client.get(f"/ledger/parked/{late['leaf']}", headers=stranger).status_code == 404
    leaf = bytes.fromhex(late["leaf"])
    other = trade.document(trade.begun(6))
    unlike = sign_capture(
        trade.device, other, "application/json", [e.fields() for e in read(other).events], (leaf,)
    )
    sent = {"envelope": unlike.envelope, "seed": unlike.seed, "document": unlike.document}
    assert trade.post_parts("/ledger/captures", **sent).status_code == 201
    assert [each["state"] for each in parked(trade)] == ["open"], "another document adopts nothing"
    assert audit(trade).ok
    fields = [each.fields() for each in read(raw).events]
    mine = sign_capture(trade.device, raw, "application/json", fields, (leaf,))
    taken = trade.post_parts(
        "/ledger/captures", envelope=mine.envelope, seed=mine.seed, document=mine.document
    )
    assert taken.status_code == 201
    [act] = parked(trade)
    assert (act["state"], act["closed"]) == ("adopted", taken.get_json()["index"])
    assert trade.counts()[2] == 2
    assert audit(trade).ok


def test_the_audit_looks_at_each_of_them_a_few_at_a_time(sqlite_trade, monkeypatch):
    monkeypatch.setattr("app.devices.audit._AT_ONCE", 2)
    dock = another(sqlite_trade, "dock")
    send(sqlite_trade, "/ledger/keys", end_key(root(sqlite_trade), Action.REVOKE, known(dock)))
    for number in range(1, 6):
        problem(
            sqlite_trade.post_signed(sqlite_trade.document(sqlite_trade.begun(number)), dock),
            409,
            "capture.parked",
        )
    report = audit(sqlite_trade)
    assert (report.ok, report.counts["parked acts"]) == (True, 5)


def test_who_has_stolen_an_ended_key_fills_no_disk(sqlite_trade, monkeypatch):
    """Documents of up to the largest body, a thousand of them, would be gigabytes: their bytes are counted too."""
    trade = sqlite_trade
    dock = another(trade, "dock")
    send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(dock)))
    problem(trade.post_signed(trade.document(trade.begun(1)), dock), 409, "capture.parked")
    monkeypatch.setattr("app.devices.parking.MOST_PARKED_BYTES", 1000)
    before = trade.counts()
    large = trade.document(*(trade.begun(number) for number in range(2, 60)))
    problem(trade.post_signed(large, dock), 403, "key.revoked")
    # What is encrypted of a document is not packed, and lies in another table.
    monkeypatch.setattr("app.devices.parking.MOST_PARKED_BYTES", 2000)
    remark = (("http://example.com/ns#note", compact("x" * 2000)),)
    problem(
        trade.post_signed(trade.document(replace(trade.begun(1), extensions=remark)), dock),
        403,
        "key.revoked",
    )
    assert trade.counts() == before
    assert len(parked(trade)) == 1
