"""Scans over the wire: what is answered to whom, and what lets a scanner judge the node."""

import base64
from datetime import timedelta

import pytest

from app.labels.rules import element_string
from app.partners import service as partners
from app.prefixes import service as prefixes
from app.products import service as products
from app.shared.actor import Role
from app.shared.audit import entries
from ledger.custody.event import EXPIRY, LOT, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.json20 import write
from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.encoding import from_base64
from ledger.log.note import NoteVerifier
from ledger.log.proof import verify_consistency
from tests.support.app import GLN_A, GLN_B, NOON, OPERATOR

GTIN = "00399999001014"
PACK = f"https://id.gs1.org/01/{GTIN}/21/A1"
CASE = "https://id.gs1.org/00/003999990000002004"
LABEL = element_string((("01", GTIN), ("21", "A1"), ("17", "310531"), ("10", "L7")))
STRANGER = "0614143000010"


def happened(kind, action, step, minutes, **fields):
    return Event(kind, NOON - timedelta(minutes=minutes), "+00:00", action=action, biz_step=step, **fields)


def party(gln):
    return Linked("possessing_party", f"https://id.gs1.org/417/{gln}")


MADE = happened(
    EventType.OBJECT, Action.ADD, "commissioning", 60, disposition="active", epcs=(PACK,),
    ilmd=((EXPIRY, compact("2031-05-31")), (LOT, compact("L7"))),
)  # fmt: skip
PACKED = happened(EventType.AGGREGATION, Action.ADD, "packing", 50, parent=CASE, children=(PACK,))
SHIPPED = happened(
    EventType.OBJECT, Action.OBSERVE, "shipping", 40, disposition="in_transit", epcs=(CASE,),
    sources=(party(GLN_A),), destinations=(party(GLN_B),),
)  # fmt: skip


def told(node, *events):
    raw = write(Document(Form.JSON20, events, created=NOON))
    node.services.capture.receive(raw, "application/json", by=GLN_A, channel="file", actor=OPERATOR)


@pytest.fixture
def trade(node):
    """A maker and a wholesaler, and one package in a case."""
    services = node.services
    services.node.initialise()
    with services.database.writing() as connection:
        partners.register(connection, node.clock, GLN_A, "North Pharma", "maker")
        partners.register(connection, node.clock, GLN_B, "Middle Wholesale", "wholesaler")
        products.register(connection, node.clock, GTIN, GLN_A, name="Sonnenal", strength="20 mg")
    told(node, MADE, PACKED)
    return node


def ask(node, headers, data=LABEL, **more):
    body = {"data": base64.b64encode(data).decode(), "symbology": "]d2", **more}
    return node.app.test_client().post("/verification/checks", json=body, headers=headers)


def log_of(node):
    return NoteVerifier.parse(node.services.node.verifier_key)


def opened(node, answer):
    return SignedCheckpoint.open(answer["checkpoint"].encode(), [log_of(node)]).checkpoint


def test_an_answer_carries_the_verdict_the_head_and_evidence_for_that_head(trade):
    answer = ask(trade, trade.bearer(Role.DEVICE)).get_json()
    assert (answer["word"], answer["subject"], answer["record"]["yours"]) == ("OK", PACK, True)
    report = verify(answer["evidence"].encode(), Policy((log_of(trade),)))
    assert report.subject == PACK
    assert report.checkpoint == answer["checkpoint"]
    assert report.events[0].vouched().startswith(f"received from {GLN_A}")
    assert opened(trade, answer).size == report.size


def test_the_head_continues_the_one_that_the_scanner_knows(trade):
    headers = trade.bearer(Role.DEVICE)
    before = opened(trade, ask(trade, headers).get_json())
    told(trade, SHIPPED)
    answer = ask(trade, headers, known_size=before.size).get_json()
    after = opened(trade, answer)
    proof = [from_base64(item) for item in answer["consistency"]]
    assert after.size == before.size + 1
    verify_consistency(before.size, after.size, before.root, after.root, proof)


@pytest.mark.parametrize("known", [None, 0, 10_000])
def test_where_there_is_nothing_to_prove_there_is_no_proof(trade, known):
    answer = ask(trade, trade.bearer(Role.DEVICE), known_size=known)
    assert (answer.status_code, answer.get_json()["consistency"]) == (200, [])


def test_evidence_is_left_out_where_it_is_not_wanted_or_there_is_none(trade):
    headers = trade.bearer(Role.DEVICE)
    assert ask(trade, headers, evidence=False).get_json()["evidence"] is None
    unread = ask(trade, headers, data=b"").get_json()
    assert (unread["word"], unread["evidence"]) == ("COULD NOT READ", None)
    assert opened(trade, unread).size


def test_a_stranger_gets_no_evidence_with_the_word(trade):
    told(trade, SHIPPED)
    answer = ask(trade, trade.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)).get_json()
    assert (answer["word"], answer["record"], answer["evidence"]) == ("DETAILS DIFFER", None, None)


def test_who_commissions_what_is_not_known_to_be_his_is_vouched_for_by_nobody(node):
    services = node.services
    services.node.initialise()
    with services.database.writing() as connection:
        partners.register(connection, node.clock, GLN_A, "Quick Traders", "wholesaler")
        partners.register(connection, node.clock, GLN_B, "North Pharma", "maker")
    told(node, MADE, PACKED)
    headers = node.bearer(Role.DEVICE)

    def words(data=LABEL):
        answer = ask(node, headers, data=data).get_json()
        return answer["word"], answer["reason"]

    doubted = ("CANNOT CONFIRM YET", "maker_not_vouched")
    case = element_string((("00", CASE[-18:]),))
    assert (words(), words(case)) == (doubted, doubted)
    with services.database.writing() as connection:
        products.register(connection, node.clock, GTIN, GLN_B)
    assert words() == doubted, "its maker is another"
    with services.database.writing() as connection:
        prefixes.add(connection, "0399999", GLN_A)
    assert (words(), words(case)) == (("OK", "ok"), ("OK", "ok"))


BAD = {
    "no data": {},
    "no base64": {"data": "***"},
    "unpadded base64": {"data": "MDE"},
    "too much": {"data": base64.b64encode(bytes(4097)).decode()},
    "a symbology that is none": {"data": "MDE=", "symbology": "d2"},
    "a size below nothing": {"data": "MDE=", "known_size": -1},
    "a size that is text": {"data": "MDE=", "known_size": "7"},
    "something unknown": {"data": "MDE=", "asker": GLN_B},
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused_and_not_answered(trade, case):
    response = trade.app.test_client().post(
        "/verification/checks", json=BAD[case], headers=trade.bearer(Role.DEVICE)
    )
    assert (response.status_code, response.content_type) == (422, "application/problem+json")


def test_a_node_that_may_not_sign_its_head_answers_no_scan(trade):
    headers = trade.bearer(Role.DEVICE)
    (trade.services.settings.data_dir / "mark").unlink()
    response = ask(trade, headers)
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (503, "capture.stopped")
    assert "the mark" in problem["detail"]


def contents(node, headers, epc=CASE):
    return node.app.test_client().get("/custody/contents", query_string={"epc": epc}, headers=headers)


def test_whoever_has_a_container_or_gets_it_is_told_what_is_in_it(trade):
    maker = trade.bearer(Role.DEVICE)
    wholesaler = trade.bearer(Role.DEVICE, party_gln=GLN_B)
    expected = {
        "epc": CASE,
        "children": [{"epc": PACK, "kind": "package", "count_inside": 1}],
        "packages": 1,
    }
    assert contents(trade, maker).get_json() == expected
    assert contents(trade, wholesaler).status_code == 404
    told(trade, SHIPPED)
    assert contents(trade, wholesaler).get_json() == expected
    with trade.services.database.reading() as connection:
        [seen] = entries(connection, action="custody.contents", limit=1)
    assert (seen.subject, seen.whose, seen.actor_party) == (CASE, GLN_A, GLN_B)


def test_a_container_that_is_not_theirs_cannot_be_told_from_none(trade):
    headers = trade.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)
    theirs, none = contents(trade, headers), contents(trade, headers, CASE[:-2] + "11")
    for response in (theirs, none):
        assert response.status_code == 404
    assert {k: v for k, v in theirs.get_json().items() if k != "request_id"} == {
        k: v for k, v in none.get_json().items() if k != "request_id"
    }
    assert contents(trade, headers, "not-an-epc").status_code == 400


def test_a_token_without_the_scope_is_told_nothing(trade):
    headers = trade.bearer(Role.DEVICE, scopes={"capture"})
    assert ask(trade, headers).status_code == 403
    assert contents(trade, headers).status_code == 403
    assert ask(trade, {}).status_code == 401
