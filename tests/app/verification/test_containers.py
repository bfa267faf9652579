"""A pack in a case on a pallet: what stands over the case in the middle stands over the pack, wherever it is asked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody.standing import standing
from app.dispensing.service import NotDispensed
from app.returns.rules import Reason as Unsaleable
from app.shared.actor import Role
from ledger.custody.event import Linked
from ledger.custody.state import Status
from ledger.custody.verdict import Reason, Word
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from tests.support.app import NOON, OPERATOR
from tests.support.counter import PHARMACY, Counter, code, text_of
from tests.support.delivery import sscc
from tests.support.world import MAKER, package, sgln

PACK, CASE, PALLET = 21, sscc(21), sscc(22)
A_MINUTE = timedelta(minutes=1)
MIA = replace(OPERATOR, name="mia", role=Role.PHARMACIST, party_gln=PHARMACY)


@pytest.fixture
def three_levels(sqlite_counter: Counter) -> Counter:
    """A pack in a case on a pallet, sold by its maker and received by the pharmacy; the case is set apart."""
    counter = sqlite_counter
    made = counter.trade.begun(PACK)
    sent = replace(counter.trade.shipped(to=PHARMACY), epcs=(PALLET,))
    bare = replace(
        made, type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress", epcs=(), ilmd=()
    )
    events = (
        made,
        replace(bare, event_id="urn:uuid:1", parent=CASE, children=(package(PACK),)),
        replace(bare, event_id="urn:uuid:2", parent=PALLET, children=(CASE,)),
        sent,
    )
    statement = TransactionStatement(affirmed=True, legal_notice="Seller has complied.")
    raw = write(Document(Form.JSON20, events, created=made.event_time, statement=statement))
    counter.services.capture.receive(raw, "application/json", by=MAKER, channel="file", actor=OPERATOR)
    counter.told(
        counter.event("receiving", hours=2, epcs=(PALLET,), sources=sent.sources, destinations=()),
        by=PHARMACY,
    )
    counter.told(
        counter.event("holding", hours=3, epcs=(CASE,), disposition="non_sellable_other"), by=PHARMACY
    )
    return counter


def test_a_scan_of_the_pack_and_of_the_pallet_says_so(three_levels: Counter) -> None:
    check = three_levels.services.verification.check
    pack = check(code(PACK).encode(), None, MIA, asker=PHARMACY)
    assert (pack.verdict.word, pack.verdict.reason) == (Word.DO_NOT_USE, Reason.HELD)
    pallet = check(f"(00){PALLET[-18:]}".encode(), None, MIA, asker=PHARMACY)
    assert pallet.contents is not None
    assert (pallet.verdict.reason, pallet.contents.by_word) == (Reason.HELD, {"GENUINE, DO NOT USE": 1})
    some = replace(pallet, contents=replace(pallet.contents, packages=2))
    assert "as a whole" in some.next_step and "as a whole" not in pallet.next_step
    page = text_of(three_levels.pharmacist().post("/scan", {"code": f"(00){PALLET[-18:]}"}))
    assert "The one package inside. On hold." in page


def test_an_emptied_case_is_no_package(sqlite_counter: Counter) -> None:
    counter, [pack, case, beside] = sqlite_counter, [package(number) for number in (31, 32, 33)]
    made = counter.trade.begun(31, 32, 33)
    bare = replace(
        made, type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress", epcs=(), ilmd=()
    )
    taken_out = {"biz_step": "unpacking", "action": Action.DELETE, "event_time": made.event_time + A_MINUTE}
    counter.told(
        made,
        replace(bare, event_id="urn:uuid:3", parent=case, children=(pack,)),
        replace(bare, event_id="urn:uuid:4", parent=PALLET, children=(case, beside)),
        replace(bare, event_id="urn:uuid:5", parent=case, children=(pack,), **taken_out),
        by=MAKER,
    )
    check = counter.services.verification.check
    pallet = check(f"(00){PALLET[-18:]}".encode(), None, MIA, asker=MAKER)
    assert pallet.contents is not None
    assert (pallet.contents.packages, sum(pallet.contents.by_word.values())) == (1, 1)


def test_the_pack_is_not_dispensed_and_its_page_says_why(three_levels: Counter) -> None:
    before = three_levels.trade.counts()
    with pytest.raises(NotDispensed) as caught:
        three_levels.services.dispensing.dispense(code(PACK).encode(), None, MIA)
    assert caught.value.check.verdict.reason is Reason.HELD
    assert three_levels.trade.counts() == before
    mia = three_levels.pharmacist()
    assert "On hold: non sellable other" in text_of(mia.get(f"/package?epc={package(PACK)}"))


def test_the_pack_comes_back_as_held(three_levels: Counter) -> None:
    back = {"sources": (Linked("possessing_party", sgln(PHARMACY)),), "biz_location": None}
    back["destinations"] = (Linked("possessing_party", sgln(MAKER)),)
    three_levels.told(
        three_levels.event("shipping", hours=4, epcs=(PALLET,), disposition="returned", **back), by=PHARMACY
    )
    rae = replace(OPERATOR, name="rae", role=Role.WAREHOUSE, party_gln=MAKER)
    returns = three_levels.services.returns
    unit = returns.scan(rae, returns.open(rae, PHARMACY), code(PACK).encode(), None)
    assert (unit.saleable, unit.reason) == (False, Unsaleable.HELD)


def test_a_pack_dispensed_out_of_our_own_case_is_no_exception(sqlite_counter: Counter) -> None:
    sent, received = replace(sqlite_counter.trade.shipped(to=PHARMACY), epcs=(CASE,)), {"epcs": (CASE,)}
    packed = replace(
        sqlite_counter.trade.begun(), type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress",
        epcs=(), ilmd=(), parent=CASE, children=(package(PACK), package(PACK + 1)),
    )  # fmt: skip
    sqlite_counter.told(sqlite_counter.trade.begun(PACK, PACK + 1), packed, sent, by=MAKER)
    sqlite_counter.told(sqlite_counter.event("receiving", hours=2, **received), by=PHARMACY)
    sqlite_counter.services.dispensing.dispense(code(PACK).encode(), None, MIA)
    with sqlite_counter.services.database.reading() as connection:
        assert "moved_alone" not in {each.kind for each in cases.queue(connection, Desk.EXCEPTIONS, PHARMACY)}
    # What we have done wrong ourselves names nobody else, though the goods came from somebody.
    sqlite_counter.told(
        replace(packed, parent=PALLET, children=(package(PACK + 1),), event_time=NOON, event_id="urn:uuid:9"),
        by=PHARMACY,
    )
    with sqlite_counter.services.database.reading() as connection:
        [ours] = [
            each for each in cases.queue(connection, Desk.EXCEPTIONS, PHARMACY) if each.kind == "two_parents"
        ]
    assert ours.partner_gln is None


def test_its_maker_confirms_no_pack_of_a_destroyed_case(three_levels: Counter) -> None:
    with three_levels.services.database.reading() as connection:
        assert standing(connection, package(PACK)).status is Status.ACTIVE
    three_levels.told(
        three_levels.event("destroying", hours=5, epcs=(CASE,), action=Action.DELETE), by=PHARMACY
    )
    with three_levels.services.database.reading() as connection:
        assert standing(connection, package(PACK)).status is Status.DESTROYED
