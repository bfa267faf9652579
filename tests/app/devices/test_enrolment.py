"""Keys are made at the party's place: the node registers what the root signed, hands out a token, and takes what such a
key signs. What no root signed for, it refuses."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.devices import service as devices
from app.devices.challenges import LIFE
from app.devices.models import challenge_used
from app.errors import AppError, Refused
from app.shared.audit import entries
from ledger.log.encoding import from_base64, from_json, to_base64, to_json
from ledger.signing.client import KeyFolder, Registration, make_device, make_root
from ledger.signing.envelope import EnvelopeSignature, sign
from ledger.signing.keyfile import load_key
from ledger.signing.keyrecord import Action, KeyRecord, Role, register_key, register_root, sign_record
from ledger.signing.keyrecord import revoke as sign_revocation
from ledger.signing.keys import generate
from tests.support.trade import problem
from tests.support.world import MAKER, WHOLESALER


def as_registration(signed):
    return Registration(signed.envelope.encode(), signed.document, signed.seed)


def root_key(trade):
    return load_key(trade.folder / "root" / "key.pem")


def test_a_bench_enrols_gets_a_token_and_captures(trade):
    registration = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    response = trade.enrol(registration)
    assert response.status_code == 201, response.text
    answer = response.get_json()
    dock = KeyFolder.open(trade.folder / "dock")
    services = trade.node.services
    assert answer["thumbprint"] == dock.thumbprint.hex()
    assert (answer["party"], answer["party_name"], answer["label"]) == (MAKER, "North Pharma", "Dock 3")
    assert (answer["origin"], answer["verifier_key"]) == (services.node.origin, services.node.verifier_key)
    assert answer["registered_index"] == trade.counts()[0] - 1
    assert answer["node_time"].startswith("2026-11-20T12:00:00")
    bearer = {"Authorization": f"Bearer {answer['token']}"}
    taken = trade.client.post(
        "/epcis/capture",
        data=trade.document(trade.begun(1)),
        content_type="application/json",
        headers=bearer,
    )
    assert taken.status_code == 202
    assert trade.post_signed(trade.document(trade.begun(2)), dock).status_code == 201
    with services.database.reading() as connection:
        trail = entries(connection, action="token.create")
    assert trail[0].actor_id == f"key:{dock.thumbprint.hex()}"
    assert trail[0].whose == MAKER


def test_enrolling_again_registers_nothing_and_replaces_the_token(trade):
    registration = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    first = trade.enrol(registration).get_json()
    before = trade.counts()
    second = trade.enrol(registration).get_json()
    assert trade.counts() == before
    assert second["registered_index"] == first["registered_index"]
    raw = trade.document(trade.begun(1))
    for token, status in ((first["token"], 401), (second["token"], 202)):
        response = trade.client.post(
            "/epcis/capture",
            data=raw,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.status_code == status


def test_a_registration_that_somebody_kept_gives_no_token(trade):
    registration = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    used = trade.challenge()
    token = trade.enrol(registration, challenge=used).get_json()["token"]
    problem(trade.enrol(registration, challenge=used), 403, "enrolment.replayed")
    problem(trade.enrol(registration, signer=generate()), 403, "enrolment.proof")
    problem(trade.enrol(registration, signer=root_key(trade)), 403, "enrolment.proof")
    for forged in (
        "0" * 112,
        used[:-2] + ("00" if used[-2:] != "00" else "01"),
        used.upper(),
        "é",
        used[:-1],
    ):
        problem(trade.enrol(registration, challenge=forged), 403, "enrolment.challenge")
    kept = {"envelope": registration.envelope, "document": registration.document, "seed": registration.seed}
    answer = problem(trade.post_parts("/devices", **kept), 400, "enrolment.challenge")
    assert "up to date" in answer["next"]
    stale = trade.challenge()
    trade.node.clock.advance(LIFE + timedelta(seconds=1))
    problem(trade.enrol(registration, challenge=stale), 403, "enrolment.expired")
    bearer = {"Authorization": f"Bearer {token}"}
    assert trade.client.get("/ledger/parked", headers=bearer).status_code == 200, "the token in use stands"
    assert trade.enrol(registration).status_code == 201
    with trade.node.services.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(challenge_used)).scalar() == 2


@pytest.mark.parametrize("by", ["nobody", "a key of the stranger's", "the device alone"])
def test_who_only_knows_a_public_key_gets_no_token_for_it_and_ends_none(sqlite_trade, by):
    """A device's public key stands in every evidence file: it must open nothing."""
    trade = sqlite_trade
    dock = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    token = trade.enrol(dock).get_json()["token"]
    device = KeyFolder.open(trade.folder / "dock").signer
    again = KeyRecord(Action.REGISTER, device.spki, Role.DEVICE, MAKER, "Dock 3")
    origin, before = trade.node.services.node.origin, trade.counts()
    if by == "nobody":
        made = sign_record(again, origin, [device])
        nothing = replace(made.envelope, signatures=(EnvelopeSignature(device.thumbprint, bytes(64)),))
        forged = Registration(nothing.encode(), made.document, made.seed)
    else:
        signer = device if by == "the device alone" else generate()
        forged = as_registration(sign_record(again, origin, [signer]))
    wanted = (400, "key.signature") if by == "nobody" else (403, "key.author")
    sent = {"envelope": forged.envelope, "document": forged.document, "seed": forged.seed}
    for response in (trade.enrol(forged), trade.post_parts("/ledger/keys", **sent)):
        assert "token" not in problem(response, *wanted)
    assert trade.counts() == before
    bearer = {"Authorization": f"Bearer {token}"}
    assert trade.client.get("/ledger/parked", headers=bearer).status_code == 200


def test_who_only_knows_a_roots_public_key_is_not_told_the_partys_keys(sqlite_trade):
    trade = sqlite_trade
    root = root_key(trade)
    again = KeyRecord(Action.REGISTER, root.spki, Role.ROOT, MAKER, "root")
    made = sign_record(again, trade.node.services.node.origin, [root])
    forged = replace(made.envelope, signatures=(EnvelopeSignature(root.thumbprint, bytes(64)),))
    sent = {"envelope": forged.encode(), "document": made.document, "seed": made.seed}
    problem(trade.post_parts("/ledger/keys", **sent), 400, "key.signature")


def test_a_key_that_another_root_signed_for_is_refused(trade):
    other = generate()
    origin = trade.node.services.node.origin
    before = trade.counts()
    stranger = register_key(origin, other, generate(), Role.DEVICE, MAKER, "Dock 3")
    problem(trade.enrol(as_registration(stranger)), 403, "key.author")
    for_another = register_key(origin, root_key(trade), generate(), Role.DEVICE, WHOLESALER, "Dock 3")
    problem(trade.enrol(as_registration(for_another)), 403, "key.author")
    assert trade.counts() == before


def test_a_root_is_not_registered_over_the_network(trade):
    registration = make_root(trade.folder / "other", WHOLESALER, trade.node.services.node.origin)
    before = trade.counts()
    problem(trade.enrol(registration), 403, "key.role")
    assert trade.counts() == before


def test_the_new_key_has_to_sign_along(trade):
    device, origin = generate(), trade.node.services.node.origin
    record = KeyRecord(Action.REGISTER, device.spki, Role.DEVICE, MAKER, "Dock 3")
    alone = sign_record(record, origin, [root_key(trade)])
    problem(trade.enrol(as_registration(alone)), 403, "key.possession")
    itself = sign_record(record, origin, [device, root_key(trade)])
    problem(trade.enrol(as_registration(itself)), 403, "key.author")


def test_a_registration_changed_on_the_way_is_refused(trade):
    made = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    before = trade.counts()
    record = json.loads(made.document)
    renamed = json.dumps({**record, "label": "Dock 4"}, sort_keys=True, separators=(",", ":")).encode()
    problem(trade.enrol(replace(made, document=renamed)), 400, "key.malformed")
    problem(trade.enrol(replace(made, seed=bytes(32))), 400, "key.malformed")
    problem(trade.enrol(replace(made, document=made.document + b" ")), 400, "key.malformed")
    envelope = from_json(made.envelope)
    sig = bytearray(from_base64(envelope["signatures"][1]["sig"]))
    sig[5] ^= 1
    envelope["signatures"][1]["sig"] = to_base64(bytes(sig))
    problem(trade.enrol(replace(made, envelope=to_json(envelope))), 400, "key.signature")
    other = register_key("packproof.example/other", root_key(trade), generate(), Role.DEVICE, MAKER, "x")
    problem(trade.enrol(as_registration(other)), 400, "key.malformed")
    assert trade.counts() == before


def test_a_second_root_of_a_party_and_one_for_an_unknown_party_are_refused(trade):
    services = trade.node.services
    for gln, code in ((MAKER, "key.second_root"), ("0666000000013", "party.unknown")):
        signed = register_root(services.node.origin, generate(), gln, "root")
        with pytest.raises(AppError) as caught:
            services.keys.register(signed.envelope.encode(), signed.document, signed.seed)
        assert caught.value.code == code
    signed = register_root(services.node.origin, generate(), WHOLESALER, "root")
    with pytest.raises(Refused, match="This key is for"):
        services.keys.register(signed.envelope.encode(), signed.document, signed.seed, party=MAKER)


def test_a_revoked_key_signs_no_more_and_is_not_enrolled_again(trade):
    registration = make_device(trade.folder / "dock", trade.folder / "root", "Dock 3")
    trade.enrol(registration)
    dock = KeyFolder.open(trade.folder / "dock")
    late = trade.signed(trade.document(trade.begun(7)), dock)
    revoke(trade, dock.thumbprint)
    before = trade.counts()
    response = trade.post_parts(
        "/ledger/captures", envelope=late.envelope, seed=late.seed, document=late.document
    )
    problem(response, 409, "capture.parked")
    problem(trade.enrol(registration), 403, "key.revoked")
    # One entry more: that it came. No document, no event.
    assert trade.counts() == (before[0] + 1, *before[1:])


def revoke(trade, thumbprint):
    """The maker's root revokes one of its keys."""
    services = trade.node.services
    with services.database.reading() as connection:
        [(_, record)] = devices.records(connection, [thumbprint])
    signed = sign_revocation(services.node.origin, root_key(trade), record)
    services.keys.apply(signed.envelope.encode(), signed.document, signed.seed)


def test_what_a_root_signs_is_no_capture(trade):
    services = trade.node.services
    capture = trade.signed(trade.document(trade.begun(1)))
    statement = from_base64(from_json(capture.envelope)["payload"])
    by_root = sign(
        statement.replace(trade.device.thumbprint.hex().encode(), root_key(trade).thumbprint.hex().encode()),
        [root_key(trade)],
    )
    before = trade.counts()
    response = trade.post_parts(
        "/ledger/captures", envelope=by_root.encode(), seed=capture.seed, document=capture.document
    )
    problem(response, 403, "key.role")
    assert trade.counts() == before
    with services.database.reading() as connection:
        assert [key.role for key in devices.keys_of(connection, MAKER)] == [Role.ROOT, Role.DEVICE]


def test_one_address_enrols_only_so_many_a_minute(make_app):
    node = make_app(enrolments_per_minute=3, signed_captures_per_minute=2)
    client = node.visitor().client
    assert [client.post("/devices").status_code for _ in range(4)] == [415, 415, 415, 429]
    assert [client.post("/ledger/captures").status_code for _ in range(3)] == [415, 415, 429]
    assert node.visitor("192.0.2.9").client.post("/devices").status_code == 415


@pytest.mark.parametrize(
    "document", [b'{"label":"\\ud800"}', b"[1]", b"\xff", b"[" * 100_000, b'{"role":"x"}']
)
def test_a_record_that_cannot_be_read_is_refused_and_no_fault(sqlite_trade, document):
    registration = replace(sqlite_trade.root, document=document)
    problem(sqlite_trade.enrol(registration), 400, "key.malformed")
