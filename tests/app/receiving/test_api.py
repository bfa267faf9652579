"""Receiving by a device: the same delivery as on the page, and nobody else's."""

import base64

import pytest

from app.receiving import kept
from app.shared.actor import Role
from tests.support.counter import PHARMACY, STRANGER
from tests.support.delivery import ADVICE, case_label, cases_of, pack_label, sscc
from tests.support.trade import problem
from tests.support.world import package


def test_a_device_receives_a_delivery(bay):
    bay.ship(cases_of(2))
    client = bay.node.visitor().client
    bearer = bay.node.bearer(Role.DEVICE, party_gln=PHARMACY, scopes={"receive"})
    problem(client.post("/receivings", headers=bearer, json={"text": "ASN0"}), 404, "not_found")
    begun = client.post("/receivings", headers=bearer, json={"text": case_label(1)})
    assert (begun.status_code, begun.get_json()["text"]) == (201, "0 of 4, 4 to come")
    joined = client.post("/receivings", headers=bearer, json={"text": ADVICE})
    assert (joined.status_code, joined.get_json()["id"]) == (200, begun.get_json()["id"])
    address = f"/receivings/{begun.get_json()['id']}"

    def scan(label):
        data = base64.b64encode(label.encode()).decode()
        return client.post(f"{address}/scans", headers=bearer, json={"data": data}).get_json()

    assert scan(case_label(1))["last"]["outcome"] == "match"
    assert scan("(01)0039")["last"]["outcome"] == "unread"
    opened = client.post(f"{address}/opened", headers=bearer, json={"epc": sscc(1)}).get_json()
    assert (opened["found"], opened["short"], opened["to_come"]) == (0, 0, 4)
    problem(
        client.post(f"{address}/opened", headers=bearer, json={"epc": sscc(1)}), 400, "receiving.container"
    )
    scan(pack_label(101))
    assert scan(pack_label(102))["text"] == "2 of 4, 2 to come"
    said = client.post(f"{address}/missing", headers=bearer, json={"epc": sscc(2)}).get_json()
    assert (said["text"], said["short"], said["last"]["kind"]) == ("2 of 4, 2 short", 2, "missing")
    problem(client.post(f"{address}/missing", headers=bearer, json={"epc": sscc(2)}), 400, "receiving.there")
    assert client.post(f"{address}/undo", headers=bearer).get_json()["text"] == "2 of 4, 2 to come"
    client.post(f"{address}/damaged", headers=bearer, json={"epc": package(102), "reason": "crushed"})
    assert client.post(f"{address}/undo", headers=bearer).get_json()["last"]["epc"] == package(102)
    done = client.post(f"{address}/finish", headers=bearer).get_json()
    assert (done["state"], done["text"], len(done["exceptions"])) == ("finished", "2 of 4, 2 short", 1)
    assert done["entry"] is not None
    problem(client.post(f"{address}/finish", headers=bearer), 409, "receiving.closed")
    assert client.get(address, headers=bearer).get_json() == done
    stranger = bay.node.bearer(Role.DEVICE, party_gln=STRANGER, scopes={"receive"})
    assert client.get(address, headers=stranger).status_code == 404
    assert client.post(f"{address}/finish", headers=stranger).status_code == 404
    # It was opened and nothing lacked: that is what the count says.
    assert [event["bizStep"] for event in bay.received()] == ["receiving", "inspecting"]
    assert bay.received()[1]["persistentDisposition"] == {"set": ["completeness_verified"]}


def test_what_was_cut_short_while_finishing_is_finished_once(sqlite_bay, monkeypatch):
    """The process ends between the document and the exceptions: the same document is captured again, and is one."""
    bay = sqlite_bay
    bay.ship(cases_of(2))
    wanda = bay.clerk("wanda").begin(ADVICE).scan(case_label(1))
    desk, key = bay.services.receiving, wanda.address.rpartition("/")[2]
    whole = type(desk)._close
    monkeypatch.setattr(type(desk), "_close", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        wanda.act("finish")
    monkeypatch.setattr(type(desk), "_close", whole)
    assert len(bay.received()) == 1
    assert "Finish what was begun" in wanda.page()
    wanda.finish()
    assert len(bay.received()) == 1
    assert [one.kind for one in bay.exceptions()] == ["not_received"]
    with bay.services.database.reading() as connection:
        assert kept.read(connection, key, PHARMACY).state == "finished"
