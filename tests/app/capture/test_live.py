"""The real server in a process of its own: what it acknowledged survives kill -9, and a large body does no harm."""

import http.client
import json
import threading
import time
from pathlib import Path

import pytest
import requests

from app.shared.actor import Role, command_line
from ledger.custody.event import EXPIRY, LOT, Event, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.encoding import from_base64
from ledger.log.note import NoteVerifier
from ledger.log.proof import verify_consistency
from ledger.signing.client import KeyFolder
from ledger.signing.envelope import Envelope
from tests.support import programs
from tests.support.live import closing_database
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.sweep import sweep
from tests.support.trade import WHEN, problem
from tests.support.world import GTIN, MAKER, package, sgln

ROUNDS = 4
WRITERS = 4


def document(*names):
    events = [
        Event(
            type=EventType.OBJECT,
            event_time=WHEN,
            time_zone_offset="+00:00",
            action=Action.ADD,
            biz_step="commissioning",
            epcs=(package(name),),
            read_point=sgln(MAKER),
            ilmd=((EXPIRY, compact("2028-05-31")), (LOT, compact("LOT42"))),
        )
        for name in names
    ]
    return jsonwriter.write(Document(Form.JSON20, tuple(events), created=WHEN))


@pytest.fixture
def maker(live_node):
    return live_node.party(MAKER, "North Pharma", "maker", makes=[GTIN])


@pytest.fixture
def token(live_node, maker):
    services = live_node.services()
    with closing_database(services):
        made = services.tokens.create(command_line("tester"), "erp", Role.PARTNER_SYSTEM, party_gln=MAKER)
    return {"Authorization": f"Bearer {made.secret}", "Content-Type": "application/json"}


def packproof(*arguments, env, check=0):
    done = programs.run("-m", "app.cli", *arguments, env=env)
    assert done.returncode == check, done.stderr + done.stdout
    return done


def test_what_was_acknowledged_survives_every_kill(live_node, token):
    """Writers send while the server is killed under them; each receipt that arrived must stand, byte for byte."""
    acknowledged = {}
    lock = threading.Lock()

    def write(round_, writer, stop):
        number = 0
        while not stop.is_set():
            name = f"R{round_}W{writer}N{number}"
            try:
                answer = requests.post(
                    f"{live_node.url}/epcis/capture", data=document(name), headers=token, timeout=PATIENCE_S
                )
            except requests.RequestException:
                return
            assert answer.status_code == 202, answer.text
            receipt = answer.json()["receipt"]
            with lock:
                acknowledged[name] = (receipt["index"], receipt["leaf"])
            number += 1

    for round_ in range(ROUNDS):
        stop, had = threading.Event(), len(acknowledged)
        writers = [threading.Thread(target=write, args=(round_, n, stop)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        give_up = time.monotonic() + PATIENCE_S
        while len(acknowledged) < had + 5 + 7 * round_ and time.monotonic() < give_up:
            time.sleep(0.01)
        live_node.kill()
        stop.set()
        for writer in writers:
            writer.join(PATIENCE_S)
        assert len(acknowledged) > had, "something was acknowledged in this round"
        live_node.start()
    services = live_node.services()
    with closing_database(services):
        with services.node.ledger.reading() as reader:
            for name, (index, leaf) in acknowledged.items():
                assert reader.leaf(index).hex() == leaf, name
        sweep(services.node.ledger, mark_path=services.settings.data_dir / "mark")
    assert len({index for index, _ in acknowledged.values()}) == len(acknowledged)
    # Sent again, each gives the receipt it gave before.
    for name, (index, leaf) in list(acknowledged.items())[:5]:
        receipt = requests.post(
            f"{live_node.url}/epcis/capture", data=document(name), headers=token, timeout=PATIENCE_S
        ).json()["receipt"]
        assert (receipt["index"], receipt["leaf"], receipt["known"]) == (index, leaf, True)


def test_a_hundred_megabytes_are_refused_and_the_server_goes_on(live_node, token):
    before = _memory_kb(live_node)
    for path in ("/epcis/capture", "/ledger/captures"):
        connection = http.client.HTTPConnection("127.0.0.1", live_node.port, timeout=PATIENCE_S)
        connection.putrequest("POST", path)
        kind = "application/json" if "epcis" in path else "multipart/form-data; boundary=x"
        for name, value in {**token, "Content-Type": kind, "Content-Length": str(100 * 1024**2)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        # Refused on the announcement alone: not a byte of the body has been sent.
        response = connection.getresponse()
        assert response.status == 413
        assert json.loads(response.read())["code"] == "request.too_large"
        connection.close()
    chunks = (b" " * 65536 for _ in range(1600))  # no length announced
    try:
        response = requests.post(
            f"{live_node.url}/epcis/capture", data=chunks, headers=token, timeout=PATIENCE_S
        )
        assert response.status_code == 413, response.text
    except requests.ConnectionError:
        pass  # closed while we were still sending: refused as well
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    chunked = requests.post(
        f"{live_node.url}/ledger/captures", data=(b"-" for _ in range(3)), headers=headers, timeout=PATIENCE_S
    )
    assert chunked.status_code == 411
    assert _memory_kb(live_node) - before < 100 * 1024
    answer = requests.post(
        f"{live_node.url}/epcis/capture", data=document("A"), headers=token, timeout=PATIENCE_S
    )
    assert answer.status_code == 202


def _memory_kb(live_node):
    """The largest resident memory that any of the server's processes has had, in KiB."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"127.0.0.1:{live_node.port}" in (status.parent / "cmdline").read_text():
                peaks += [int(x.split()[1]) for x in status.read_text().splitlines() if "VmHWM" in x]
        except OSError:
            continue
    return max(peaks)


def test_a_party_signs_at_its_own_place_and_sends(live_node, maker, tmp_path):
    env = {**live_node.environment(), "PACKPROOF_DATA_DIR": str(tmp_path / "elsewhere")}
    env["PACKPROOF_DATABASE_URL"] = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    file = tmp_path / "commissioning.json"
    file.write_bytes(document("A", "B"))
    send = ("capture", file, "--key", maker.device, "--node", live_node.url)
    first = packproof(*send, env=env)
    assert f"2 events signed for {MAKER}" in first.stdout
    again = json.loads(packproof(*send, "--json", env=env).stdout)
    assert (again["signed"], again["known"]) == (True, True)
    assert again["leaf"] in first.stdout
    assert not (tmp_path / "elsewhere.db").exists(), "a party that signs needs no database"
    folder = KeyFolder.open(maker.device)
    assert folder.outbox() == []
    assert len(list((maker.device / "sent").iterdir())) == 1


def test_what_cannot_be_sent_now_is_sent_later_as_the_same_bytes(live_node, maker, tmp_path):
    env = live_node.environment()
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_bytes(document("A"))
    second.write_bytes(document("B"))
    nowhere = f"http://127.0.0.1:{free_port()}"
    failed = packproof("capture", first, "--key", maker.device, "--node", nowhere, env=env, check=1)
    assert "cannot be reached" in failed.stderr
    assert "stays in the outbox" in failed.stderr
    [waiting] = KeyFolder.open(maker.device).outbox()
    late = packproof("capture", second, "--key", maker.device, "--node", live_node.url, env=env)
    assert "1 signed earlier" in late.stdout
    services = live_node.services()
    with closing_database(services), services.node.ledger.reading() as reader:
        assert reader.find_statement(Envelope.parse(waiting.envelope).statement) is not None
    assert KeyFolder.open(maker.device).outbox() == []


def test_what_the_node_refuses_for_good_is_parked_for_a_person(live_node, maker, tmp_path):
    env = live_node.environment()
    value = json.loads(document("A"))
    value["epcisBody"]["eventList"][0]["eventID"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
    file = tmp_path / "a.json"
    file.write_text(json.dumps(value))
    send = ("capture", file, "--key", maker.device, "--node", live_node.url)
    packproof(*send, env=env)
    value["epcisBody"]["eventList"][0]["epcList"] = [package("Z")]
    file.write_text(json.dumps(value))
    refused = packproof(*send, env=env, check=1)
    assert "stands already with other content" in refused.stderr
    assert "parked" in refused.stderr
    folder = KeyFolder.open(maker.device)
    assert folder.outbox() == []
    [parked] = folder.refused_captures()
    assert parked.receipt["code"] == "capture.other_content"


def test_anybody_reads_the_head_and_checks_that_it_continues_an_earlier_one(live_node, maker, token):
    services = live_node.services()
    with closing_database(services):
        key = NoteVerifier.parse(services.node.verifier_key)

    def head():
        answer = requests.get(f"{live_node.url}/ledger/checkpoint", timeout=PATIENCE_S)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        return SignedCheckpoint.open(answer.content, [key]).checkpoint

    old = head()
    for name in "ABCDE":
        requests.post(
            f"{live_node.url}/epcis/capture", data=document(name), headers=token, timeout=PATIENCE_S
        )
    new = head()
    assert new.size == old.size + 5
    address = f"{live_node.url}/ledger/consistency"
    found = requests.get(address, params={"from": old.size, "to": new.size}, timeout=PATIENCE_S).json()
    proof = [from_base64(item) for item in found["hashes"]]
    verify_consistency(old.size, new.size, old.root, new.root, proof)
    for bad in ({"from": 0, "to": 1}, {"from": 3, "to": 2}, {"from": 1, "to": 10**6}, {"from": "x"}):
        assert requests.get(address, params=bad, timeout=PATIENCE_S).status_code == 422


def test_a_rolled_back_node_answers_503_and_says_why(live_node, token):
    requests.post(f"{live_node.url}/epcis/capture", data=document("A"), headers=token, timeout=PATIENCE_S)
    requests.get(f"{live_node.url}/ledger/checkpoint", timeout=PATIENCE_S)
    live_node.kill()
    mark = live_node.folder / "data" / "mark"
    origin, size, root = mark.read_text().splitlines()
    mark.write_text(f"{origin}\n{int(size) + 3}\n{root}\n")
    live_node.start()
    for answer in (
        requests.get(f"{live_node.url}/ledger/checkpoint", timeout=PATIENCE_S),
        requests.post(
            f"{live_node.url}/epcis/capture", data=document("B"), headers=token, timeout=PATIENCE_S
        ),
    ):
        found = problem_of(answer)
        assert "old database was restored" in found["detail"]


def problem_of(answer):
    answer.content_type = answer.headers["Content-Type"]
    answer.get_json = answer.json
    return problem(answer, 503, "capture.stopped")


def test_a_long_document_as_a_command(live_node, maker, tmp_path):
    """It says how far it is on standard error, and nothing but the receipt on standard output; again, the same one."""
    env = live_node.environment() | {"PACKPROOF_MAX_CAPTURE_EVENTS": "4"}
    file = tmp_path / "long.json"
    file.write_bytes(document(*(f"N{n}" for n in range(23))))
    send = ("capture", file, "--as", MAKER, "--json")
    first = packproof(*send, env=env)
    receipt = json.loads(first.stdout)
    assert (receipt["event_count"], receipt["signed"], receipt["known"]) == (23, False, False)
    assert "23 of 23 events applied" in first.stderr
    assert json.loads(packproof(*send, env=env).stdout)["leaf"] == receipt["leaf"]
    value = json.loads(file.read_bytes())
    value["epcisBody"]["eventList"][20].pop("eventTime")
    file.write_text(json.dumps(value))
    refused = packproof(*send, env=env, check=1)
    assert "eventTime" in refused.stderr


def test_a_long_document_that_a_party_signs_is_waited_for(live_node, maker, tmp_path):
    file = tmp_path / "long.json"
    file.write_bytes(document(*(f"N{n}" for n in range(1001))))
    send = ("capture", file, "--key", maker.device, "--node", live_node.url, "--json")
    receipt = json.loads(packproof(*send, env=live_node.environment()).stdout)
    assert (receipt["event_count"], receipt["signed"]) == (1001, True)
    folder = KeyFolder.open(maker.device)
    assert folder.outbox() == folder.refused_captures() == []
