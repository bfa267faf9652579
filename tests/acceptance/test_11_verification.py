"""11. Verification mismatch is HTTP 200 `verified:false`; `verified:true`+`Recalled` is not saleable; a timeout is
*unknown*."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.recalls.service import lot_of, recall_document
from app.returns.rules import Reason as NotSaleable
from app.returns.rules import Verified
from app.returns.verifying import MakersWord
from app.shared.actor import Role
from app.verification.service import Verification
from app.vrs import directory
from app.vrs.directory import Entry
from app.vrs.outward import Address, Policy, Timeouts
from ledger.custody.verdict import Reason, Word
from tests.acceptance.test_12_returns import MAKERS_CLERK, returned, send_back, sold  # noqa: F401 - a fixture
from tests.app.vrs.test_responder import UUID, Asking, sqlite_asking  # noqa: F401 - a fixture
from tests.support.app import OPERATOR
from tests.support.counter import Counter
from tests.support.trade import Trade
from tests.support.world import GTIN, MAKER, WHOLESALER

ELSEWHERE = "00614141999996"


def test_a_mismatch_is_http_200_verified_false(sqlite_asking: Asking) -> None:  # noqa: F811
    for asked, why in (
        ({"serial": "9"}, "No_match_GTIN_Serial"),
        ({"lot": "NONE"}, "No_match_GTIN_Serial_Lot"),
        ({"exp": "300101"}, "No_match_GTIN_Serial_Expiry"),
        ({"lot": "NONE", "exp": "300101"}, "No_match_GTIN_Serial_Lot_Expiry"),
    ):
        response = sqlite_asking.ask(**asked)
        assert response.status_code == 200
        assert response.get_json()["data"] == {"verified": False, "verificationFailureReason": why}


def test_verified_true_and_recalled_is_not_saleable(sold: Counter) -> None:  # noqa: F811
    send_back(sold, 6)
    raw = recall_document(lot_of(GTIN, "LOT42"), sold.node.clock.now(), MAKER)
    sold.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    query = {"exp": "280531", "linkType": "verificationService", "context": "dscsaSaleableReturn",
             "reqGLN": WHOLESALER, "corrUUID": UUID}  # fmt: skip
    bearer = sold.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    path = f"/verify/gtin/{GTIN}/lot/LOT42/ser/6"
    answer = sold.trade.client.get(path, query_string=query, headers=bearer).get_json()["data"]
    assert answer == {"verified": True, "additionalInfo": "Recalled"}
    _, _, unit = returned(sold, 6)
    assert (unit.verified, unit.saleable, unit.reason) == (Verified.YES, False, NotSaleable.RECALLED)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_timeout_is_unknown_and_never_suspect(sqlite_trade: Trade, silent: str) -> None:
    services = sqlite_trade.node.services
    policy = Policy(plain_http=True, private=("127.0.0.0/8",))
    impatient = replace(services.asking, policy=policy, timeouts=Timeouts(0.1, 0.1))
    with services.database.writing() as connection:
        directory.add(connection, services.clock, Entry(ELSEWHERE, silent, ""), policy)
    address = Address.parse(silent, policy)
    directory.keep_secret(services.settings.data_dir, WHOLESALER, address, "secret")
    desk = Verification(services.database, services.clock, impatient)
    raw = f"(01){ELSEWHERE}(21)1(17)280531(10)L".encode()
    result = desk.check(raw, None, OPERATOR, asker=WHOLESALER)
    assert (result.maker_said.answer, result.maker_said.why) == (None, "timeout")
    assert (result.verdict.word, result.verdict.reason) == (Word.CANNOT_CONFIRM, Reason.NO_RECORD)
    clerk = replace(MAKERS_CLERK, party_gln=WHOLESALER)
    assert MakersWord(services.database, impatient).verify(result, clerk) is Verified.UNKNOWN
