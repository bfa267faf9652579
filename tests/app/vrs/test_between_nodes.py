"""A node asks a pack's maker at the maker's own node: a real second process, over HTTP, and what silence means."""

import os
import signal
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.cli import main
from app.labels.rules import element_string
from app.partners import service as partners
from app.products import service as products
from app.recalls.service import lot_of, recall_document
from app.shared.actor import Role
from app.shared.clock import SystemClock
from app.verification.pages import MAKER_SAYS
from app.verification.rules import SELLER_WITHIN
from app.verification.service import Verification
from app.vrs import directory
from app.vrs.directory import Entry
from app.vrs.messages import Failure, Info
from app.vrs.models import vrs_request
from app.vrs.outward import Address, Timeouts
from ledger.custody.event import EXPIRY, LOT, compact
from ledger.custody.verdict import Reason, Word
from tests.support.app import NOON, OPERATOR
from tests.support.counter import text_of
from tests.support.live import LiveNode, closing_database
from tests.support.trade import Trade
from tests.support.world import GTIN, MAKER

PHARMACY = "0370000000011"
ODD = "a1/B%"
UNLISTED = "00614141999996"


LONG_AGO = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)  # the maker's node has the machine's clock


def made(begun, *, serials, lot, expiry="2040-05-31"):
    epcs = tuple(f"https://id.gs1.org/01/{GTIN}/21/{quote(each, safe='')}" for each in serials)
    return replace(
        begun, event_time=LONG_AGO, epcs=epcs, ilmd=((EXPIRY, compact(expiry)), (LOT, compact(lot)))
    )


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    """The maker's node: a process of its own, with packs of three lots, one recalled, one expired."""
    node = LiveNode(tmp_path_factory.mktemp("maker") / "node")
    node.initialise()
    inside = node.services()
    with closing_database(inside):
        with inside.database.writing() as connection:
            partners.register(connection, inside.clock, MAKER, "North Pharma", "maker")
            partners.register(connection, inside.clock, PHARMACY, "Corner Pharmacy", "dispenser")
            products.register(connection, inside.clock, GTIN, MAKER, name="Sonnenal")
        token = inside.tokens.create(OPERATOR, "pharmacy", Role.PARTNER_SYSTEM, party_gln=PHARMACY).secret
        begun = Trade.begun(None, event_id=None)
        for event in (
            made(begun, serials=["A1", ODD], lot="GOOD"),
            made(begun, serials=["R1"], lot="BACK"),
            made(begun, serials=["E1"], lot="OLD", expiry="2020-01-31"),
        ):
            inside.capture.receive(
                Trade.document(None, event), "application/json", by=MAKER, channel="file", actor=OPERATOR
            )
        raw = recall_document(lot_of(GTIN, "BACK"), SystemClock().now(), MAKER)
        inside.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    node.start(threads=2)
    node.token = token
    yield node
    node.kill()


@pytest.fixture
def here(make_app, maker):
    """The pharmacy's node, which knows nothing of the packs and whom to ask."""
    node = make_app(vrs_private_networks="127.0.0.0/8", vrs_answer_ms=30_000, vrs_connect_ms=30_000)
    services = node.services
    services.node.initialise()
    with services.database.writing() as connection:
        partners.register(connection, node.clock, PHARMACY, "Corner Pharmacy", "dispenser")
        directory.add(connection, node.clock, Entry("0399999", maker.url, MAKER), services.asking.policy)
    address = Address.parse(maker.url, services.asking.policy)
    path = directory.keep_secret(services.settings.data_dir, PHARMACY, address, maker.token + "\n")
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    return node


def scan(node, serial="A1", lot="GOOD", expiry="400531", gtin=GTIN):
    raw = f"(01){gtin}(21){serial}(17){expiry}(10){lot}".encode()
    return node.services.verification.check(raw, None, OPERATOR, asker=PHARMACY)


def outgoing(node):
    with node.services.database.reading() as connection:
        query = select(vrs_request).where(vrs_request.c.direction == "out").order_by(vrs_request.c.request_no)
        return connection.execute(query).all()


def test_only_a_serial_that_its_maker_denies_is_suspect(here):
    never = scan(here, "NEVER")
    assert (never.verdict.word, never.verdict.reason) == (Word.SUSPECT, Reason.NEVER_MADE)
    assert never.maker_said.answer.failure is Failure.SERIAL
    confirmed = scan(here, "A1")
    assert (confirmed.verdict.word, confirmed.verdict.reason) == (Word.CANNOT_CONFIRM, Reason.NO_RECORD)
    assert confirmed.maker_said.answer.verified
    assert (confirmed.chase.who, confirmed.chase.by) == ("the seller of this delivery", NOON + SELLER_WITHIN)
    assert scan(here, ODD).maker_said.answer.verified
    lot = scan(here, "A1", lot="good")
    assert (lot.verdict.word, lot.verdict.reason) == (Word.DETAILS_DIFFER, Reason.LOT_DIFFERS)
    both = scan(here, "A1", lot="X", expiry="400530")
    assert (both.verdict.reason, both.verdict.others) == (
        Reason.LOT_DIFFERS, (Reason.EXPIRY_DIFFERS, Reason.NO_RECORD),
    )  # fmt: skip
    assert [row.outcome for row in outgoing(here)] == [
        "No_match_GTIN_Serial", "verified", "verified", "No_match_GTIN_Serial_Lot", "No_match_GTIN_Serial_Lot_Expiry",
    ]  # fmt: skip


def test_verified_and_recalled_or_expired_is_not_saleable(here):
    recalled, expired = scan(here, "R1", lot="BACK"), scan(here, "E1", lot="OLD", expiry="200131")
    assert (recalled.maker_said.answer.verified, recalled.maker_said.answer.info) == (True, Info.RECALLED)
    assert (recalled.verdict.word, recalled.verdict.reason) == (Word.DO_NOT_USE, Reason.RECALLED)
    assert (expired.maker_said.answer.verified, expired.maker_said.answer.info) == (True, Info.EXPIRED)
    assert (expired.verdict.word, expired.verdict.reason) == (Word.DO_NOT_USE, Reason.EXPIRED)


def test_a_maker_is_asked_only_where_it_can_be_and_there_is_no_record(here, maker):
    assert scan(here, "A1", gtin=UNLISTED).maker_said.why == "no_entry"
    short = here.services.verification.check(f"(01){GTIN}(21)A1".encode(), None, OPERATOR, asker=PHARMACY)
    assert short.maker_said is None
    with here.services.database.writing() as connection:
        partners.register(connection, here.clock, MAKER, "North Pharma", "maker")
    event = replace(Trade.begun(None, event_id=None), epcs=(f"https://id.gs1.org/01/{GTIN}/21/MINE",))
    here.services.capture.receive(
        Trade.document(None, event), "application/json", by=MAKER, channel="file", actor=OPERATOR
    )
    known = scan(here, "MINE", lot="LOT42", expiry="280531")
    assert (known.maker_said, known.verdict.word) == (None, Word.DETAILS_DIFFER)
    assert outgoing(here) == []


def test_silence_and_errors_are_unknown_and_never_suspect(here, maker):
    services = here.services
    impatient = replace(services.asking, timeouts=Timeouts(0.2, 0.2))
    os.killpg(maker._process.pid, signal.SIGSTOP)
    try:
        raw = f"(01){GTIN}(21)NEVER(17)400531(10)GOOD".encode()
        stopped = Verification(services.database, here.clock, impatient)
        late = stopped.check(raw, None, OPERATOR, asker=PHARMACY)
    finally:
        os.killpg(maker._process.pid, signal.SIGCONT)
    assert (late.maker_said.answer, late.maker_said.why) == (None, "timeout")
    address = Address.parse(maker.url, services.asking.policy)
    directory.keep_secret(services.settings.data_dir, PHARMACY, address, "pp_expired")
    assert scan(here, "NEVER").maker_said.why == "http_401"
    with services.database.writing() as connection:
        directory.add(connection, here.clock, Entry(UNLISTED, maker.url, ""), services.asking.policy)
        directory.add(
            connection, here.clock, Entry("0399999", "http://127.0.0.1:9", MAKER), services.asking.policy
        )
    directory.keep_secret(services.settings.data_dir, PHARMACY, address, maker.token)
    assert scan(here, "NEVER", gtin=UNLISTED).maker_said.why == "http_404"
    nobody = scan(here, "NEVER")
    assert nobody.maker_said.why == "no_credential"
    closed = Address.parse("http://127.0.0.1:9", services.asking.policy)
    directory.keep_secret(services.settings.data_dir, PHARMACY, closed, "x")
    refused = scan(here, "NEVER")
    assert refused.maker_said.why == "unreachable"
    for result in (late, nobody, refused):
        assert (result.verdict.word, result.verdict.reason) == (Word.CANNOT_CONFIRM, Reason.NO_RECORD)
    assert [row.status for row in outgoing(here)] == [0, 401, 404, 0, 0]


def test_another_one_s_answer_is_none(here, maker):
    with here.services.database.writing() as connection:
        directory.add(
            connection, here.clock, Entry("0399999", maker.url, PHARMACY), here.services.asking.policy
        )
    said = scan(here, "NEVER").maker_said
    assert (said.answer, said.why) == (None, "unreadable")


def test_the_page_says_what_the_maker_says(here):
    here.person("mia", Role.PHARMACIST, party_gln=PHARMACY)
    visitor = here.sign_in("mia")
    said = text_of(visitor.post("/scan", {"code": f"(01){GTIN}(21)A1(17)400531(10)GOOD"}))
    assert "CANNOT CONFIRM YET" in said
    assert f"Its maker {MAKER_SAYS['verified']}" in said
    assert "Ask the seller of this delivery" in said
    bearer = here.bearer(Role.DEVICE, party_gln=PHARMACY)
    label = element_string((("01", GTIN), ("17", "400531"), ("21", "NEVER"), ("10", "GOOD")))
    asked = {"data": b64encode(label).decode(), "symbology": "]d2"}
    answer = here.visitor().client.post("/verification/checks", json=asked, headers=bearer).get_json()
    assert (answer["reason"], answer["maker"]["reason"]) == ("never_made", "No_match_GTIN_Serial")


def test_the_commands_keep_the_directory_and_ask(maker, tmp_path, monkeypatch, capsys):
    own = LiveNode(tmp_path / "own")
    own.initialise()
    for name in [name for name in os.environ if name.startswith("PACKPROOF_")]:
        monkeypatch.delenv(name)
    for name, value in own.environment().items():
        if name.startswith("PACKPROOF_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PACKPROOF_VRS_PRIVATE_NETWORKS", "127.0.0.0/8")

    def run(*words):
        status = main(["vrs", *words])
        return status, "".join(capsys.readouterr())

    token = tmp_path / "token.txt"
    token.write_text(maker.token + "\n")
    label = f"(01){GTIN}(21)A1(17)400531(10)GOOD"
    assert run("directory", "add", "0399999", maker.url, "--responder", MAKER)[0] == 0
    assert maker.url in run("directory", "list")[1]
    unable = run("verify", label, "--as", PHARMACY)
    assert unable[0] == 1
    assert "no_credential" in unable[1]
    assert run("credential", PHARMACY, maker.url, "--from", str(token))[0] == 0
    verified = run("verify", label, "--as", PHARMACY)
    assert verified[0] == 0
    assert verified[1].startswith("Verified by its maker, in ")
    assert "No_match_GTIN_Serial" in run("verify", label.replace("A1", "A2"), "--as", PHARMACY, "--json")[1]
    assert run("mark", GTIN, "suspect", "--serial", "A1", "--note", "seen twice")[0] == 0
    assert run("mark", GTIN, "suspect", "--serial", "A1", "--end")[0] == 0
    assert run("mark", GTIN, "suspect", "--serial", "A1", "--end")[0] == 1
    assert run("directory", "remove", "0399999")[0] == 0
    assert run("directory", "remove", "0399999")[0] == 1
    assert "no_entry" in run("verify", label, "--as", PHARMACY)[1]
