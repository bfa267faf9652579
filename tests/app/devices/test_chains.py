"""Devices' own chains: gaps, repeats, numbers given up, and references to nothing."""

from dataclasses import replace

from app.devices import chains
from ledger.epcis.read import read
from ledger.signing.chain import ChainCode
from ledger.signing.client import KeyFolder, sign_capture
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keylife import end_key, give_up
from ledger.signing.keyrecord import Action
from ledger.signing.statement import Statement
from ledger.store.sql.reader import SqlReader
from tests.app.devices.keys import another, audit, chain_of, known, make_party, parked, root, send
from tests.support.trade import problem
from tests.support.world import WHOLESALER


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
