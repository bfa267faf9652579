"""12. Return accepted only if matched to own outbound TI to that customer and verified."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import service as custody
from app.errors import Conflict
from app.returns.rules import Reason, Verified, is_theirs
from app.returns.service import Returns, Unit
from app.shared.actor import Actor, Role
from ledger.custody.event import Linked
from ledger.custody.state import Item
from tests.support.app import OPERATOR
from tests.support.counter import AT_ITS_MAKER, PHARMACY, STRANGER, Counter, code
from tests.support.trade import WHEN
from tests.support.world import MAKER, WHOLESALER, package, sgln

MAKERS_CLERK = replace(OPERATOR, name="rae", role=Role.WAREHOUSE, party_gln=MAKER)


@dataclass(frozen=True)
class Says:
    """A maker that says this of whatever it is asked."""

    word: Verified

    def verify(self, result: object, actor: Actor) -> Verified:
        return self.word


@pytest.fixture
def sold(counter: Counter) -> Counter:
    """The maker has sold packs 6 and 7 to the pharmacy with transaction information and statement; it has them."""
    made = counter.trade.begun(6, 7)
    sale = counter.trade.shipped(6, 7, to=PHARMACY)
    value = json.loads(counter.trade.document(made, sale))
    value["@context"].append({"gs1ushc": "http://epcis.gs1us.org/hc/ns#"})
    affirmed = {"gs1ushc:affirmTransactionStatement": True, "gs1ushc:legalNotice": "Seller has complied."}
    value["epcisHeader"] = {
        "epcisMasterData": {"vocabularyList": []},
        "gs1ushc:dscsaTransactionStatement": affirmed,
    }
    raw = json.dumps(value).encode()
    counter.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    counter.told(
        counter.event("receiving", 6, 7, hours=2, sources=sale.sources, destinations=sale.destinations),
        by=PHARMACY,
    )
    return counter


def returned(
    counter: Counter,
    number: int,
    customer: str = PHARMACY,
    verified: Verified | None = None,
    rma: str = "RMA-1",
    **how: bool,
) -> tuple[Returns, str, Unit]:
    desk = counter.services.returns
    if verified is not None:
        desk = replace(desk, verifier=Says(verified))
    case_id = desk.open(MAKERS_CLERK, customer, rma)
    return desk, case_id, desk.scan(MAKERS_CLERK, case_id, code(number).encode(), None, **how)


def send_back(counter: Counter, number: int) -> None:
    parties = (Linked("possessing_party", sgln(PHARMACY)),), (Linked("possessing_party", sgln(MAKER)),)
    counter.told(
        counter.event("shipping", number, hours=5, disposition="returned", biz_location=None,
                      sources=parties[0], destinations=parties[1]),
        by=PHARMACY,
    )  # fmt: skip


def test_matched_to_our_own_sale_to_this_customer_and_verified_it_is_accepted(sold: Counter) -> None:
    send_back(sold, 6)
    desk, case_id, unit = returned(sold, 6)
    assert (unit.saleable, unit.reason, unit.verified) == (True, Reason.NONE, Verified.YES)
    assert unit.matched_seq is not None
    desk.book(MAKERS_CLERK, case_id)
    found = sold.services.verification.check(code(6).encode(), None, OPERATOR, asker=MAKER)
    assert found.verdict.word.value == "OK"


def test_what_has_come_back_already_is_not_accepted_again(sold: Counter) -> None:
    send_back(sold, 6)
    desk, case_id, _ = returned(sold, 6)
    copy = desk.open(MAKERS_CLERK, PHARMACY, "RMA-2")
    assert desk.scan(MAKERS_CLERK, copy, code(6).encode(), None).saleable  # nothing is booked yet
    desk.book(MAKERS_CLERK, case_id)
    before = sold.trade.counts()
    with pytest.raises(Conflict) as caught:
        desk.book(MAKERS_CLERK, copy)
    assert (caught.value.code, sold.trade.counts()) == ("return.booked", before)
    sold.node.clock.advance(timedelta(minutes=10))
    unit = desk.scan(MAKERS_CLERK, copy, code(6).encode(), None)
    assert (unit.saleable, unit.reason) == (False, Reason.RETURNED)
    desk.book(MAKERS_CLERK, copy)
    found = sold.services.verification.check(code(6).encode(), None, OPERATOR, asker=MAKER)
    assert found.verdict.word.value == "GENUINE, DO NOT USE"


def test_matched_and_not_verified_it_is_not(sold: Counter) -> None:
    for word, reason in ((Verified.NO, Reason.NOT_VERIFIED), (Verified.UNKNOWN, Reason.UNKNOWN)):
        unit = returned(sold, 6, verified=word)[2]
        assert (unit.matched_seq is not None, unit.saleable, unit.reason) == (True, False, reason)


def test_verified_and_not_matched_it_is_not(sold: Counter) -> None:
    never_sold = returned(sold, AT_ITS_MAKER, verified=Verified.YES)[2]
    assert (never_sold.saleable, never_sold.reason) == (False, Reason.NOT_SOLD_TO_THEM)


def test_sold_to_another_customer_is_not_sold_to_this_one(sold: Counter) -> None:
    unit = returned(sold, 6, customer=STRANGER, verified=Verified.YES)[2]
    assert (unit.matched_seq, unit.saleable, unit.reason) == (None, False, Reason.NOT_SOLD_TO_THEM)


def test_a_sale_without_its_statement_is_no_match(sold: Counter) -> None:
    # Packs 1 to 4 went out without one.
    unit = returned(sold, 1, verified=Verified.YES)[2]
    assert (unit.saleable, unit.reason) == (False, Reason.NO_STATEMENT)


def test_what_is_not_saleable_needs_no_transaction_information_and_is_set_apart(sold: Counter) -> None:
    desk, case_id, unit = returned(sold, 1, damaged=True)
    assert not unit.saleable
    assert desk.book(MAKERS_CLERK, case_id) > 0


def in_hand(counter: Counter, party: str, number: int) -> str:
    """What a scan at the party says."""
    counter.node.clock.advance(timedelta(minutes=10))
    raw = code(number).encode()
    return str(counter.services.verification.check(raw, None, OPERATOR, asker=party).verdict.reason)


def test_what_a_customer_tells_nothing_of_is_ours_again_and_makes_no_exception(sold: Counter) -> None:
    desk, case_id, unit = returned(sold, 6)
    assert (unit.saleable, unit.reason) == (True, Reason.NONE)
    desk.book(MAKERS_CLERK, case_id)
    assert (in_hand(sold, MAKER, 6), in_hand(sold, PHARMACY, 6)) == ("ok", "not_ours")
    with sold.services.database.reading() as connection:
        about = {custody.keys_of(connection, each.items).get(each.items[0]) if each.items else ""
                 for each in cases.queue(connection, Desk.EXCEPTIONS, MAKER)}  # fmt: skip
    assert package(6) not in about


def test_what_was_sold_to_somebody_else_since_is_not_theirs_to_return(sold: Counter) -> None:
    desk, case_id, _ = returned(sold, 6)
    desk.book(MAKERS_CLERK, case_id)
    again = replace(
        sold.trade.shipped(6, to=STRANGER), event_time=sold.node.clock.now() + timedelta(minutes=1)
    )
    sold.node.clock.advance(timedelta(minutes=5))
    sold.told(again, by=MAKER)
    unit = returned(sold, 6, verified=Verified.YES, rma="RMA-2")[2]
    assert (unit.saleable, unit.reason) == (False, Reason.RETURNED)
    # Bought by the stranger, and brought back by who has it by no record.
    sold.told(
        replace(sold.trade.shipped(7, to=STRANGER), event_time=WHEN + timedelta(hours=6),
                sources=(Linked("possessing_party", sgln(PHARMACY)),)),
        by=PHARMACY,
    )  # fmt: skip
    unit = returned(sold, 7, verified=Verified.YES)[2]
    assert (unit.saleable, unit.reason) == (False, Reason.NOT_WITH_THEM)


@pytest.mark.parametrize(
    ("where", "theirs"),
    [
        ({"holder": PHARMACY}, True),
        ({"holder": PHARMACY, "sender": PHARMACY, "in_transit": True, "bound_for": MAKER}, True),
        ({"holder": PHARMACY, "sender": PHARMACY, "in_transit": True}, True),
        ({"holder": MAKER, "sender": MAKER, "in_transit": True, "bound_for": PHARMACY}, True),
        ({"holder": MAKER, "sender": PHARMACY}, True),
        ({"holder": MAKER}, False),
        ({"holder": MAKER, "sender": STRANGER}, False),
        ({"holder": STRANGER, "sender": MAKER}, False),
        ({"holder": STRANGER, "sender": PHARMACY}, False),
        ({"holder": MAKER, "sender": MAKER, "in_transit": True, "bound_for": STRANGER}, False),
        ({"holder": PHARMACY, "sender": PHARMACY, "in_transit": True, "bound_for": STRANGER}, False),
        ({"holder": WHOLESALER, "sender": WHOLESALER, "in_transit": True, "bound_for": MAKER}, False),
    ],
)
def test_a_return_comes_from_who_has_it_by_the_record(where: dict[str, object], theirs: bool) -> None:
    assert is_theirs(Item(package(1), **where), MAKER, {PHARMACY}) is theirs
