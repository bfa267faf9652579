"""A key's whole life, as a party's person at the command line and its benches meet it, against a node that runs."""

import io
import json
import subprocess
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from app.capture.committer import Committer
from app.cli import main
from app.devices import chains
from app.devices import service as devices
from app.devices.registry import Keys
from app.errors import AppError
from app.history import service as history
from app.proofs.fsck import fsck
from app.shared.actor import Role as Bearer
from ledger.__main__ import main as verify
from ledger.custody.event import compact
from ledger.epcis.read import read
from ledger.errors import LedgerError
from ledger.evidence.verify import verify as verify_evidence
from ledger.log.entry import Entry
from ledger.signing.chain import ChainAudit, ChainCode
from ledger.signing.client import KeyFolder, make_device, make_root, sign_capture
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keylife import KnownKey, end_key, give_up, reinstate
from ledger.signing.keyrecord import Action, Role, register_key, register_root
from ledger.signing.registration import Registration
from ledger.signing.statement import Statement
from ledger.store.sql.engine import open_engine, sqlite_driver
from ledger.store.sql.reader import SqlReader
from tests.support import programs
from tests.support.live import LiveNode, closing_database
from tests.support.token import Token
from tests.support.trade import Trade, problem
from tests.support.world import MAKER, WHOLESALER, package


def send(trade: Trade, path: str, record: Registration):
    return trade.post_parts(path, envelope=record.envelope, document=record.document, seed=record.seed)


def known(folder: KeyFolder) -> KnownKey:
    return KnownKey(folder.signer.spki, folder.role, folder.label)


def another(trade: Trade, name: str, role: Role = Role.DEVICE) -> KeyFolder:
    made = make_device(trade.folder / name, trade.folder / "root", name, role)
    answer = send(trade, "/ledger/keys", made)
    assert answer.status_code == 200, answer.text
    return KeyFolder.open(trade.folder / name)


def root(trade: Trade) -> KeyFolder:
    return KeyFolder.open(trade.folder / "root")


def state(trade: Trade, folder: KeyFolder):
    return send(trade, "/ledger/keys", folder.registration).get_json()["key"]


def parked(trade: Trade):
    bearer = {"headers": trade.bearer}
    return trade.client.get("/ledger/parked", **bearer).get_json()["parked"]


def audit(trade: Trade):
    services = trade.node.services
    services.node.checkpoint()
    return fsck(services.database, services.node)


def chain_of(trade: Trade) -> ChainAudit:
    """The chains as a stranger finds them, from the entries alone; the node's own table must say the same."""
    services = trade.node.services
    found = ChainAudit()
    with services.database.reading() as connection:
        reader = services.node.ledger.reader(connection)
        for _, body in reader.entries(0, reader.head().size):
            found.add(Entry.decode(body))
        kept = chains.audited(connection, reader)
    assert list(kept.streams()) == list(found.streams())
    assert list(kept.findings()) == list(found.findings())
    return found


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


def test_who_writes_into_anothers_chain_gives_up_no_number_of_it(sqlite_trade):
    """A chain belongs to who began it, whatever number a stranger claims in it later."""
    trade = sqlite_trade
    dock, stranger = another(trade, "dock"), make_party(trade, WHOLESALER, "stranger")
    _, second, third = (trade.signed(trade.document(trade.begun(n)), dock) for n in (1, 2, 3))

    def post(capture):
        sent = {"envelope": capture.envelope, "seed": capture.seed, "document": capture.document}
        return trade.post_parts("/ledger/captures", **sent)

    assert post(third).status_code == 201
    raw = trade.document(trade.begun(9))
    sealed = trade.signed(raw, stranger)
    own = Statement.parse(Envelope.parse(sealed.envelope).statement)
    theirs = Statement.parse(Envelope.parse(third.envelope).statement).chain
    claimed = replace(own, chain=replace(theirs, seq=1))
    forged = sign(claimed.encode(), [stranger.signer])
    assert post(replace(sealed, envelope=forged.encode())).status_code == 201
    problem(send(trade, "/ledger/voids", give_up(stranger, second, "mine")), 403, "key.party")
    assert send(trade, "/ledger/voids", give_up(trade.device, second, "lost")).status_code == 201


def test_a_number_given_up_closes_the_gap_and_the_parked_act(trade):
    dock = another(trade, "dock")
    captures = [trade.signed(trade.document(trade.begun(n)), dock) for n in (1, 2, 3)]

    def post(capture):
        return trade.post_parts(
            "/ledger/captures", envelope=capture.envelope, seed=capture.seed, document=capture.document
        )

    assert post(captures[0]).get_json()["findings"] == []
    told = post(captures[2]).get_json()["findings"]
    assert [each["code"] for each in told] == ["chain_gap"]
    [gap] = chain_of(trade).findings()
    assert (gap.code, gap.first, gap.last) == (ChainCode.GAP, 2, 2)
    send(trade, "/ledger/keys", end_key(root(trade), Action.REVOKE, known(dock)))
    problem(post(captures[1]), 409, "capture.parked")
    stranger = make_party(trade, WHOLESALER, "stranger")
    problem(send(trade, "/ledger/voids", give_up(stranger, captures[1], "mine")), 403, "key.party")
    problem(send(trade, "/ledger/voids", give_up(dock, captures[1], "late")), 403, "key.revoked")
    problem(send(trade, "/ledger/voids", give_up(trade.device, captures[0], "no")), 409, "chain.taken")
    void = give_up(trade.device, captures[1], "scanned twice")
    answer = send(trade, "/ledger/voids", void)
    assert answer.status_code == 201, answer.text
    assert send(trade, "/ledger/voids", void).get_json() == answer.get_json()
    assert list(chain_of(trade).findings()) == []
    assert [each["state"] for each in parked(trade)] == ["rejected"]
    assert audit(trade).ok


def make_party(trade: Trade, gln: str, name: str) -> KeyFolder:
    services = trade.node.services
    made = make_root(trade.folder / f"{name}-root", gln, services.node.origin)
    services.keys.register(made.envelope, made.document, made.seed)
    device = make_device(trade.folder / name, trade.folder / f"{name}-root", name)
    services.keys.register(device.envelope, device.document, device.seed)
    return KeyFolder.open(trade.folder / name)


def test_a_repeated_number_and_a_broken_link_are_named(sqlite_trade):
    trade = sqlite_trade
    folder = trade.folder / "device"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    trade.post_signed(trade.document(trade.begun(1)))
    for name, content in before.items():  # a device restored from its backup
        (folder / name).write_bytes(content)
    for path in (folder / "outbox").iterdir():
        path.unlink()
    answer = trade.post_signed(trade.document(trade.begun(2)), KeyFolder.open(folder)).get_json()
    assert [each["code"] for each in answer["findings"]] == ["chain_repeat"]
    answer = trade.post_signed(trade.document(trade.begun(3)), KeyFolder.open(folder)).get_json()
    assert [each["code"] for each in answer["findings"]] == ["chain_broken"]
    assert [each.code for each in chain_of(trade).findings()] == [ChainCode.REPEAT, ChainCode.BROKEN]


def test_a_reference_to_nothing_is_recorded_and_said_at_once_and_later(sqlite_trade):
    """Never a refusal: what it refers to may have been taken away, and then this is what says so."""
    trade = sqlite_trade

    def told(number: int, *refs: bytes) -> dict:
        raw = trade.document(trade.begun(number))
        fields = [each.fields() for each in read(raw).events]
        made = sign_capture(trade.device, raw, "application/json", fields, refs)
        answer = trade.post_parts(
            "/ledger/captures", envelope=made.envelope, seed=made.seed, document=made.document
        )
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    first = told(1)
    leaf, nothing = bytes.fromhex(first["leaf"]), bytes(31) + b"n"
    assert told(2, leaf)["findings"] == []
    third = told(3, leaf, nothing)
    [found] = third["findings"]
    assert (found["code"], found["severity"]) == ("ref_unknown", "exception")
    assert nothing.hex()[:16] in found["message"]
    assert trade.counts()[2] == 3, "it has its effect"
    services = trade.node.services
    with services.database.reading() as connection:
        reader = SqlReader(connection, services.node.origin)
        assert [(link.index, lost) for link, lost in chains.references(reader)] == [(third["index"], nothing)]
    assert audit(trade).ok


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


# -- at the command line, against a process that serves


@pytest.fixture
def trade_document(tmp_path: Path):
    """Writes the document in which the maker commissions a package; its path."""

    def write(number: int) -> Path:
        path = tmp_path / f"begun-{number}.json"
        path.write_bytes(Trade.document(None, Trade.begun(None, number)))  # type: ignore[arg-type]
        return path

    return write


def packproof(*words: object) -> tuple[int, object, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(word) for word in (*words, "--json")])
    text = out.getvalue() or err.getvalue()
    return status, json.loads(text) if text.strip() else None, err.getvalue()


def test_the_whole_life_at_the_command_line(live_node: LiveNode, tmp_path: Path, trade_document) -> None:
    maker = live_node.party(MAKER, "North Pharma", "maker")
    at = ("--node", live_node.url)
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    status, key, _ = packproof(
        "key", "make", "--key", maker.root, "--new", tmp_path / "mia", "--label", "Mia", "--role", "person",
        "--new-passphrase-file", secret, *at,
    )  # fmt: skip
    assert (status, key["state"], key["role"]) == (0, "valid", "person")
    assert b"ENCRYPTED" in (tmp_path / "mia" / "key.pem").read_bytes()
    first = trade_document(1)
    status, told, _ = packproof("capture", first, "--key", maker.device, *at)
    assert status == 0, told
    thumb = KeyFolder.open(maker.device).thumbprint.hex()
    status, key, _ = packproof("key", "revoke", thumb[:16], "--key", maker.root, *at)
    assert (status, key["state"]) == (0, "revoked")
    for number in (2, 3):
        status, told, _ = packproof("capture", trade_document(number), "--key", maker.device, *at)
        assert (status, told["code"]) == (1, "capture.parked")
    status, rows, _ = packproof("key", "parked", "--key", maker.device, "--out", tmp_path / "late")
    assert [row["seq"] for row in rows] == [2, 3]
    status, told, _ = packproof(
        "capture", rows[0]["file"], "--key", tmp_path / "mia", "--passphrase-file", secret,
        "--adopt", rows[0]["leaf"], "--ref", "ab" * 32, "--of", maker.device, *at,
    )  # fmt: skip
    assert status == 0, told
    status, left, _ = packproof("key", "parked", "--key", maker.device)
    assert [row["seq"] for row in left] == [3], "what was adopted waits no longer"
    status, told, _ = packproof(
        "key", "reject", "--key", tmp_path / "mia", "--passphrase-file", secret, "--of", maker.device,
        "--seq", 3, "--why", "scanned twice", *at,
    )  # fmt: skip
    assert (status, told["seq"]) == (0, 3), told
    assert packproof("key", "parked", "--key", maker.device)[1] == []
    status, keys, _ = packproof("key", "list", "--key", maker.root, *at)
    assert [(key["role"], key["state"]) for key in keys] == [
        ("root", "valid"), ("device", "revoked"), ("person", "valid"),
    ]  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple\n")
    wrong.chmod(0o600)
    status, told, err = packproof("key", "show", "--key", tmp_path / "mia", "--passphrase-file", wrong, *at)
    assert (status, told["code"]) == (1, "client.key-file")
    assert "battery" not in err
    chained = programs.run("-m", "app.cli", "ledger", "chains", "--json", env=live_node.environment())
    found = json.loads(chained.stdout)
    assert [stream["given_up"] for stream in found["streams"]] == [1, 0]
    # Number 2 was adopted under another key's number: the gap stays, and says which entry parked it.
    assert [(each["code"], each["first"], len(each["parked"])) for each in found["findings"]] == [
        ("chain_gap", 2, 1),
        ("ref_unknown", 1, 0),
    ]
    assert chained.returncode == 1
    # Its number can be given up all the same, though it waits no more.
    status, told, _ = packproof(
        "key", "reject", "--key", tmp_path / "mia", "--passphrase-file", secret, "--of", maker.device,
        "--seq", 2, "--why", "adopted", *at,
    )  # fmt: skip
    assert (status, told["seq"]) == (0, 2), told
    packproof("key", "make", "--key", maker.root, "--new", tmp_path / "dock", "--label", "Dock", *at)
    status, told, _ = packproof(
        "key", "rotate", "--key", maker.root, "--old", tmp_path / "dock", "--new", tmp_path / "dock2", *at
    )
    assert (status, told["new"]["state"], told["old"]["state"]) == (0, "valid", "revoked")
    assert len(Envelope.parse(KeyFolder.open(tmp_path / "dock2").registration.envelope).signatures) == 3
    status, told, _ = packproof(
        "key", "rotate", "--key", maker.root, "--old", maker.root, "--new", tmp_path / "root2", *at
    )
    assert (status, told["new"]["state"], told["old"]["state"]) == (0, "valid", "revoked")
    # A person signs along at the device.
    packproof(
        "key", "make", "--key", tmp_path / "root2", "--new", tmp_path / "noa", "--label", "Noa", "--role", "person",
        *at,
    )  # fmt: skip
    along = ("capture", trade_document(4), "--also", tmp_path / "noa")
    assert packproof(*along, "--as", MAKER)[1]["code"] == "usage", "it goes with --key"
    status, told, _ = packproof(*along, "--key", tmp_path / "dock2", *at)
    assert (status, told["signed"]) == (0, True), told
    services = live_node.services()
    with closing_database(services), services.node.ledger.reading() as reader:
        signed = [each.key for each in Entry.decode(reader.entry(told["index"])).signatures]
    assert signed == [KeyFolder.open(tmp_path / name).thumbprint for name in ("dock2", "noa")]
    locked = ("capture", trade_document(5), "--key", tmp_path / "dock2", "--also", tmp_path / "mia", *at)
    assert packproof(*locked)[1]["code"] == "client.key-locked"
    secret.chmod(0o640)
    opened = (*locked, "--also-passphrase-file", secret)
    assert packproof(*opened)[1]["code"] == "client.key-file", "others may read it"
    secret.chmod(0o600)
    status, told, _ = packproof(*opened)
    assert status == 0, told
    with closing_database(services), services.node.ledger.reading() as reader:
        signed = [each.key for each in Entry.decode(reader.entry(told["index"])).signatures]
    assert signed[1] == KeyFolder.open(tmp_path / "mia", b"correct horse").thumbprint
    turned = ("capture", trade_document(6), "--also-passphrase-file", secret, "--also", tmp_path / "mia", *at)
    with pytest.raises(SystemExit), redirect_stderr(io.StringIO()) as said:
        main([str(word) for word in turned])
    assert "goes behind the --also whose key it opens" in said.getvalue()


def test_a_bench_in_a_token_is_believed_by_node_and_verifier(
    live_node: LiveNode, tmp_path: Path, token: Token, trade_document
) -> None:
    maker = live_node.party(MAKER, "North Pharma", "maker")
    at = ("--node", live_node.url)
    status, key, _ = packproof(
        "key", "make", "--key", maker.root, "--new", tmp_path / "hsm", "--label", "Line 9",
        "--token", token.uri("node-line-9"), *at,
    )  # fmt: skip
    assert status == 0, key
    status, told, _ = packproof("capture", trade_document(1), "--key", tmp_path / "hsm", *at)
    assert (status, told["signed"]) == (0, True)
    services = live_node.services()
    data = services.evidence.of_package(package(1), reader=None)
    services.database.dispose()
    (tmp_path / "evidence.json").write_bytes(data)
    out = io.StringIO()
    with redirect_stdout(out):
        assert verify([str(tmp_path / "evidence.json"), "--json"]) == 0
    assert "Line 9" in out.getvalue()


def test_a_stolen_key_signs_no_more_within_the_second_in_another_process(trade, tmp_path):
    """One process takes captures without end, another revokes the key: nothing counts at or above that index."""
    services = trade.node.services
    dock = another(trade, "dock")
    captures, revoked = tmp_path / "captures", tmp_path / "revoked"
    captures.mkdir()
    for number in range(60):
        capture = trade.signed(trade.document(trade.begun(100 + number)), dock)
        (captures / f"{number:04d}.json").write_bytes(capture.encode())
    settings = services.settings
    program = (
        "import json,sys,time; from pathlib import Path; from datetime import timedelta\n"
        "from app import wiring; from app.config import Settings; from app.errors import AppError\n"
        "from ledger.signing.client import SignedCapture\n"
        "s = wiring.build(Settings(environment='test', database_url=sys.argv[1], data_dir=Path(sys.argv[2])))\n"
        "for number, path in enumerate(sorted(Path(sys.argv[3]).iterdir())):\n"
        "    while number >= 40 and not Path(sys.argv[4]).exists(): time.sleep(0.01)\n"
        "    c, began = SignedCapture.parse(path.read_bytes()), time.time()\n"
        "    try: told = s.capture.take_signed(c.envelope, c.seed, c.document, c.content_type).index\n"
        "    except AppError as error: told = error.code\n"
        "    print(json.dumps([told, began]), flush=True)\n"
    )
    running = programs.start(
        *("-c", program, settings.database_url, settings.data_dir, captures, revoked), stdout=subprocess.PIPE
    )
    with running.stdout:
        lines = [json.loads(running.stdout.readline()) for _ in range(5)]
        record = end_key(root(trade), Action.REVOKE, known(dock))
        key = services.keys.apply(record.envelope, record.document, record.seed)
        done = time.time()
        revoked.touch()
        lines += [json.loads(line) for line in running.stdout]
    assert running.wait(60) == 0
    stand = [index for index, _ in lines if isinstance(index, int)]
    late = [(told, at) for told, at in lines if not isinstance(told, int)]
    assert len(stand) >= 5
    assert len(late) >= 20, "the last twenty were sent once the key was revoked"
    assert max(stand) < key.ended_idx
    assert {told for told, _ in late} == {"capture.parked"}
    assert max(began for told, began in lines if isinstance(told, int)) < done
    with services.database.reading() as connection:
        assert devices.keys(connection, [dock.thumbprint])[dock.thumbprint].state == "revoked"
    assert len(parked(trade)) == len(late)
    trade.sweep()
    assert audit(trade).ok
