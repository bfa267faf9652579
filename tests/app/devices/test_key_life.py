"""A key's whole life as the node keeps it: suspended, revoked, in doubt, followed by another, signing along."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace

import pytest

from app.capture.committer import Committer
from app.devices.registry import Keys
from app.errors import AppError
from app.history import service as history
from ledger.__main__ import main as verify
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.evidence.verify import verify as verify_evidence
from ledger.signing.client import KeyFolder, make_device, make_root, sign_capture
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keylife import KnownKey, end_key, reinstate
from ledger.signing.keyrecord import Action, Role, register_key, register_root
from ledger.signing.registration import Registration
from ledger.store.sql.engine import open_engine, sqlite_driver
from tests.app.devices.keys import another, audit, chain_of, known, make_party, parked, root, send, state
from tests.support.trade import Trade, problem
from tests.support.world import MAKER, WHOLESALER, package


def test_suspended_a_key_is_parked_and_taken_back_it_signs_again(trade):
    dock = another(trade, "dock")
    assert trade.post_signed(trade.document(trade.begun(1)), dock).status_code == 201
    suspended = end_key(root(trade), Action.SUSPEND, known(dock))
    answer = send(trade, "/ledger/keys", suspended)
    assert answer.get_json()["key"]["state"] == "suspended"
    size = trade.counts()[0]
    assert send(trade, "/ledger/keys", suspended).get_json()["key"]["ended_index"] == size - 1
    late = trade.signed(trade.document(trade.begun(2)), dock)
    parts = {"envelope": late.envelope, "seed": late.seed, "document": late.document}
    first = problem(trade.post_parts("/ledger/captures", **parts), 409, "capture.parked")
    assert first["parked"]["index"] == size
    again = problem(trade.post_parts("/ledger/captures", **parts), 409, "capture.parked")
    assert again["parked"] == first["parked"]
    assert trade.counts()[0] == size + 1
    assert state(trade, dock)["state"] == "suspended"  # its old registration takes nothing back
    back = reinstate(root(trade), dock)
    assert send(trade, "/ledger/keys", back).get_json()["key"]["state"] == "valid"
    # The same bytes, now that the key counts: recorded, and the parked act says so.
    assert trade.post_parts("/ledger/captures", **parts).status_code == 201
    assert [each["state"] for each in parked(trade)] == ["recorded"]
    assert list(chain_of(trade).findings()) == []
    assert audit(trade).ok
    trade.sweep()


def test_a_stolen_benchs_token_ends_with_its_key(trade):
    """Whoever has the bench has the token that lies beside the key: it must not go on reading for its party."""
    made = make_device(trade.folder / "stolen", trade.folder / "root", "stolen", Role.DEVICE)
    bearer = {"Authorization": f"Bearer {trade.enrol(made).get_json()['token']}"}
    folder = KeyFolder.open(trade.folder / "stolen")

    def answered() -> int:
        return trade.client.get("/ledger/parked", headers=bearer).status_code

    assert answered() == 200
    send(trade, "/ledger/keys", end_key(root(trade), Action.SUSPEND, known(folder)))
    assert answered() == 401
    assert send(trade, "/ledger/keys", reinstate(root(trade), folder)).status_code == 200
    assert answered() == 200
    send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(folder)))
    assert answered() == 401


def test_a_suspended_key_is_not_suspended_again(trade):
    root, device = KeyFolder.open(trade.folder / "root"), trade.device
    known = KnownKey(device.signer.spki, device.role, device.label)

    def suspend():
        made = end_key(root, Action.SUSPEND, known)
        sent = {"envelope": made.envelope, "document": made.document, "seed": made.seed}
        return sent, trade.post_parts("/ledger/keys", **sent)

    first, answer = suspend()
    assert answer.get_json()["key"]["state"] == "suspended"
    before = trade.counts()
    told = problem(suspend()[1], 409, "key.again")
    assert "suspended already" in told["title"]
    assert trade.post_parts("/ledger/keys", **first).status_code == 200, "the same record is answered as ever"
    assert trade.counts() == before


def test_keys_are_answered_503_where_the_database_is_locked(sqlite_trade, monkeypatch):
    trade = sqlite_trade
    services = trade.node.services
    monkeypatch.setattr("app.capture.committer.FIRST_PAUSE_S", 0)
    impatient = open_engine(services.settings.database_url, busy_timeout_ms=20)
    committer = Committer(impatient, services.node.origin, services.clock, lambda: None)
    keys = Keys(services.node.origin, services.clock, committer.run)
    made = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    other = sqlite_driver().connect(impatient.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AppError) as busy:
        keys.register(made.envelope, made.document, made.seed)
    assert (busy.value.status, busy.value.code, busy.value.headers) == (
        503,
        "capture.busy",
        {"Retry-After": "5"},
    )
    other.execute("ROLLBACK")
    other.close()
    assert keys.register(made.envelope, made.document, made.seed).state == "valid"
    impatient.dispose()


def test_who_may_end_and_register_what(sqlite_trade):
    trade = sqlite_trade
    dock, other = another(trade, "dock"), make_party(trade, WHOLESALER, "other")
    theirs = KeyFolder.open(trade.folder / "other-root")
    ours = root(trade)
    size = trade.counts()[0]
    stolen = end_key(theirs, Action.REVOKE, known(dock))
    problem(send(trade, "/ledger/keys", stolen), 409, "key.record")
    problem(send(trade, "/ledger/keys", end_key(ours, Action.REVOKE, known(other))), 409, "key.record")
    never = make_root(trade.folder / "loose", MAKER, ours.ledger)
    problem(send(trade, "/ledger/keys", never), 403, "key.role")
    loose = KeyFolder.open(trade.folder / "loose")
    problem(send(trade, "/ledger/keys", end_key(loose, Action.REVOKE, known(dock))), 403, "key.author")
    later = end_key(ours, Action.REVOKE, known(dock), suspect_since=size + 5)
    problem(send(trade, "/ledger/keys", later), 400, "key.malformed")
    assert trade.counts()[0] == size


def test_a_root_gives_over_to_the_next_and_a_lost_one_is_ended_by_what_was_signed_beforehand(sqlite_trade):
    trade, services = sqlite_trade, sqlite_trade.node.services
    second = another(trade, "second", Role.ROOT)
    assert (
        send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(root(trade)))).status_code
        == 200
    )
    problem(
        send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(trade.device))),
        403,
        "key.revoked",
    )
    # What the first root vouched for stands, and the second one governs it.
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    answer = send(trade, "/ledger/keys", second.registration).get_json()
    assert [(each["role"], each["state"]) for each in answer["keys"]] == [
        ("root", "revoked"),
        ("device", "valid"),
        ("root", "valid"),
    ]
    third = register_root(services.node.origin, make_loose(trade).signer, MAKER, "third")
    third_parts = (third.envelope.encode(), third.document, third.seed)
    with pytest.raises(Exception, match="has a valid root already"):
        services.keys.register(*third_parts)
    kept = Registration.parse((trade.folder / "second" / "revocation.json").read_bytes())
    assert send(trade, "/ledger/keys", kept).get_json()["key"]["state"] == "revoked"
    assert services.keys.register(*third_parts).state == "valid"
    assert audit(trade).ok


def make_loose(trade: Trade) -> KeyFolder:
    make_root(trade.folder / "third", MAKER, trade.node.services.node.origin)
    return KeyFolder.open(trade.folder / "third")


def test_what_a_stolen_key_signed_in_doubt_is_found_in_the_history_and_in_the_evidence(sqlite_trade):
    trade, services = sqlite_trade, sqlite_trade.node.services
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    since = trade.counts()[0]
    assert trade.post_signed(trade.document(trade.begun(2))).status_code == 201
    revoked = end_key(root(trade), Action.REVOKE, known(trade.device), suspect_since=since)
    assert send(trade, "/ledger/keys", revoked).get_json()["key"]["suspect_since"] == since
    codes = {}
    for number in (1, 2):
        data = services.evidence.of_package(package(number), reader=None)
        path = trade.folder / f"{number}.json"
        path.write_bytes(data)
        out = io.StringIO()
        with redirect_stdout(out):
            assert verify([str(path), "--json"]) == 0
        told = json.loads(out.getvalue())
        assert [key["suspect_since"] for key in told["keys"] if key["revoked"]] == [since]
        with services.database.reading() as connection:
            story = history.story(connection, package(number), reader=None)
        codes[number] = [found.code.value for event in story.events for found in event.findings]
    assert codes == {1: [], 2: ["key_suspect"]}


def test_a_rotation_is_signed_by_the_old_key_and_the_evidence_shows_it(sqlite_trade):
    trade, services = sqlite_trade, sqlite_trade.node.services
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    mia = another(trade, "mia", Role.PERSON)
    with pytest.raises(LedgerError, match="not a device key"):
        make_device(trade.folder / "no", trade.folder / "root", "Line 1b", replaces=mia)
    before, folders = trade.device, [trade.device]
    for number, name in enumerate(("next", "last"), 2):
        made = make_device(trade.folder / name, trade.folder / "root", name, replaces=folders[-1])
        assert len(Envelope.parse(made.envelope).signatures) == 3
        folders.append(KeyFolder.open(trade.folder / name))
        assert send(trade, "/ledger/keys", made).get_json()["key"]["state"] == "valid"
        send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(folders[-2])))
        assert trade.post_signed(trade.document(trade.begun(number)), folders[-1]).status_code == 201
    # Who holds a key that ended, or another one's, lets nothing take its place.
    for name, gone in (("late", before), ("other", mia)):
        make_device(trade.folder / name, trade.folder / "root", name)
        key = KeyFolder.open(trade.folder / name)
        signed = register_key(
            key.ledger, root(trade).signer, key.signer, key.role, MAKER, name, replaces=gone.signer
        )
        problem(send(trade, "/ledger/keys", Registration.of(signed)), 403, "key.replaced")
    # What the last key signed is believed by strangers, through all that it came in the place of.
    report = verify_evidence(services.evidence.of_package(package(3), reader=None))
    assert [key.label for key in report.keys if key.role == "device"] == ["Line 1", "next", "last"]
    first = verify_evidence(services.evidence.of_package(package(1), reader=None))
    assert [key.label for key in first.keys if key.role == "device"] == ["Line 1"]
    assert audit(trade).ok


def test_a_person_signs_along_at_a_device_and_each_signature_is_asked_the_same(sqlite_trade):
    trade, services = sqlite_trade, sqlite_trade.node.services
    mia = another(trade, "mia", Role.PERSON)

    def captured(number: int, *also: KeyFolder):
        raw = trade.document(trade.begun(number))
        fields = [each.fields() for each in read(raw).events]
        made = sign_capture(trade.device, raw, "application/json", fields, also=also)
        return trade.post_parts(
            "/ledger/captures", envelope=made.envelope, seed=made.seed, document=made.document
        )

    assert captured(1, mia).status_code == 201
    report = verify_evidence(services.evidence.of_package(package(1), reader=None))
    assert [key.label for key in report.events[0].signed_by] == ["Line 1", "mia"]
    assert report.events[0].vouched().count(MAKER) == 2, report.events[0].vouched()
    # What no client of ours sends: a root's signature, a stranger's, one that does not verify.
    theirs = make_root(trade.folder / "theirs", WHOLESALER, services.node.origin)
    services.keys.register(theirs.envelope, theirs.document, theirs.seed)
    made = make_device(trade.folder / "dock", trade.folder / "theirs", "Dock")
    services.keys.register(made.envelope, made.document, made.seed)
    dock = KeyFolder.open(trade.folder / "dock")
    for folder in (root(trade), dock):
        with pytest.raises(LedgerError, match=r"signs keys and no captures|cannot sign along"):
            captured(2, folder)
    plain = trade.signed(trade.document(trade.begun(2)))
    opened, known_keys = Envelope.parse(plain.envelope), trade.device.signer
    loose = make_loose(trade).signer
    for signer, status, code in (
        (root(trade).signer, 403, "key.role"),
        (dock.signer, 403, "key.party"),
        (loose, 403, "key.unknown"),
    ):
        forged = sign(opened.statement, [known_keys, signer]).encode()
        answer = trade.post_parts(
            "/ledger/captures", envelope=forged, seed=plain.seed, document=plain.document
        )
        problem(answer, status, code)
    bent = replace(sign(opened.statement, [mia.signer]).signatures[0], sig=bytes(64))
    forged = replace(opened, signatures=(*opened.signatures, bent)).encode()
    answer = trade.post_parts("/ledger/captures", envelope=forged, seed=plain.seed, document=plain.document)
    problem(answer, 400, "envelope.signature")
    send(trade, "/ledger/keys", end_key(root(trade), Action.SUSPEND, known(mia)))
    problem(captured(3, mia), 409, "capture.parked")
    assert [each["why"] for each in parked(trade)] == ["suspended"]
    assert audit(trade).ok
