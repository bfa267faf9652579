"""Whose it is: sales, drop shipments, moves that are no sale; and who the parties of an event are."""

from dataclasses import replace

import pytest

from ledger.custody.act import gln_of, read_act
from ledger.custody.event import Linked
from ledger.custody.findings import FindingCode
from ledger.custody.vocabulary import Action, EventType
from tests.support.world import (
    CARRIER,
    CASE,
    MAKER,
    OTHER_CASE,
    PALLET,
    PHARMACY,
    STRANGER,
    WHOLESALER,
    Story,
    accept,
    act,
    commission,
    event,
    pack,
    package,
    receive,
    sgln,
    ship,
    unpack,
)

A, B, C, D = (package(letter) for letter in "ABCD")


def made() -> Story:
    return Story().tell(commission(A, B, C, D))


def pallet() -> Story:
    """The maker's pallet with two cases: A and B, C and D."""
    return made().tell(pack(CASE, A, B), pack(OTHER_CASE, C, D), pack(PALLET, CASE, OTHER_CASE))


def shipped() -> Story:
    return pallet().tell(ship(PALLET))


def received() -> Story:
    return shipped().tell(receive(PALLET))


# Title


def test_a_move_within_one_company_offers_no_title():
    story = made().tell(ship(A, to=MAKER, sold_to=MAKER), receive(A, by=MAKER))
    assert story.codes == []
    assert (story.holder(A), story.owner(A), story.item(A).offered_to) == (MAKER, MAKER, None)


def test_what_moves_within_one_company_is_on_offer_to_nobody():
    story = made().tell(ship(A, to=MAKER, sold_to=MAKER))
    assert (story.in_transit(A), story.item(A).offered_to) == (True, None)


@pytest.mark.parametrize(
    ("seller", "buyer", "moves"),
    [
        (None, None, False),
        (MAKER, None, False),
        (None, CARRIER, False),
        (None, WHOLESALER, True),
        (MAKER, MAKER, False),
        (MAKER, CARRIER, True),
        (MAKER, WHOLESALER, True),
    ],
)
def test_a_sale_is_between_two_and_who_names_no_seller_sells_itself(seller, buyer, moves):
    told = replace(ship(A, by=CARRIER), seller=seller, buyer=buyer)
    assert told.moves_title is moves


def test_a_move_to_a_carrier_changes_custody_and_not_title():
    story = made().tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    assert story.codes == []
    assert (story.holder(A), story.owner(A)) == (CARRIER, MAKER)


def test_a_move_that_sells_nothing_needs_no_statement():
    assert made().tell(ship(A, to=CARRIER, sold_to=None, statement=None)).codes == []


def test_a_move_to_a_sister_warehouse_by_an_owner_named_on_both_sides_is_no_sale():
    told = ship(A, to=CARRIER, sold_to=MAKER)
    assert not told.moves_title
    assert made().tell(told, receive(A, by=CARRIER)).owner(A) == MAKER


def test_a_carrier_ships_for_the_owner_who_sells():
    story = made().tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(ship(A, to=PHARMACY))
    story.tell(ship(A, by=CARRIER, sold_by=MAKER, to=PHARMACY), receive(A, by=PHARMACY, from_=CARRIER))
    assert story.codes == []
    assert (story.holder(A), story.owner(A)) == (PHARMACY, PHARMACY)


def test_a_carrier_cannot_sell_what_it_only_carries():
    story = made().tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(ship(A, by=CARRIER, to=STRANGER), receive(A, by=STRANGER, from_=CARRIER))
    assert story.codes == [FindingCode.NOT_OWNER]
    assert (story.holder(A), story.owner(A)) == (STRANGER, MAKER)


def test_a_drop_shipment_is_held_by_one_and_offered_to_another():
    story = made().tell(ship(A, to=PHARMACY, sold_to=WHOLESALER), receive(A, by=PHARMACY))
    assert story.codes == []
    assert (story.holder(A), story.owner(A), story.item(A).offered_to) == (PHARMACY, MAKER, WHOLESALER)


def test_the_buyer_of_a_drop_shipment_accepts_its_title_without_having_it():
    story = made().tell(ship(A, to=PHARMACY, sold_to=WHOLESALER), receive(A, by=PHARMACY))
    story.tell(accept(A, by=WHOLESALER))
    assert story.codes == []
    assert (story.holder(A), story.owner(A), story.item(A).offered_to) == (PHARMACY, WHOLESALER, None)


def test_one_package_of_a_drop_shipment_is_accepted_once_it_is_unpacked():
    story = pallet().tell(ship(PALLET, to=PHARMACY, sold_to=WHOLESALER), receive(CASE, by=PHARMACY))
    story.tell(unpack(CASE, A, by=PHARMACY), accept(A, by=WHOLESALER))
    assert story.codes == []
    assert (story.owner(A), story.owner(B), story.item(CASE).offered_to) == (WHOLESALER, MAKER, WHOLESALER)


def test_the_buyer_may_accept_what_is_still_under_way():
    story = shipped().tell(accept(PALLET, by=WHOLESALER))
    assert story.codes == []
    assert (story.owner(A), story.in_transit(A)) == (WHOLESALER, True)
    assert story.tell(receive(PALLET)).owner(A) == WHOLESALER


def test_accepting_again_changes_nothing():
    story = received().tell(accept(PALLET, by=WHOLESALER))
    assert story.codes == []
    assert story.owner(A) == WHOLESALER


def test_a_carrier_cannot_accept_a_title_that_was_not_offered():
    story = made().tell(ship(A, to=CARRIER, sold_to=None), receive(A, by=CARRIER))
    story.tell(accept(A, by=CARRIER, statement=True))
    assert story.codes == [FindingCode.NOT_OFFERED]
    assert story.owner(A) == MAKER


def test_a_stranger_cannot_accept_a_title():
    story = received().tell(accept(PALLET, by=STRANGER, statement=True))
    assert story.codes == [FindingCode.NOT_HOLDER]
    assert story.owner(A) == WHOLESALER


def test_the_title_of_a_case_does_not_pass_without_that_of_its_pallet():
    story = pallet().tell(ship(PALLET, to=PHARMACY, sold_to=WHOLESALER), receive(PALLET, by=PHARMACY))
    story.tell(accept(CASE, by=WHOLESALER))
    assert [(f.code, f.item, f.container) for f in story.findings] == [
        (FindingCode.MOVED_ALONE, CASE, PALLET)
    ]
    assert (story.owner(A), story.owner(C)) == (MAKER, MAKER)


# Parties


def test_custody_goes_by_possessing_party_then_owning_party_then_location():
    entries = [
        Linked("location", sgln(STRANGER)),
        Linked("owning_party", sgln(WHOLESALER)),
        Linked("possessing_party", sgln(CARRIER)),
    ]
    for left, party in ((3, CARRIER), (2, WHOLESALER), (1, STRANGER)):
        places = tuple(entries[:left])
        made_of = event(EventType.OBJECT, Action.OBSERVE, "shipping", sources=places, destinations=places)
        told = act(MAKER, made_of)
        assert (told.sender, told.recipient) == (party, party)


def test_title_goes_by_owning_party_alone():
    entries = (Linked("location", sgln(STRANGER)), Linked("possessing_party", sgln(CARRIER)))
    told = act(MAKER, event(EventType.OBJECT, Action.OBSERVE, "shipping", destinations=entries))
    assert (told.buyer, told.moves_title) == (None, False)


def test_parties_are_companies_whatever_their_site():
    sites = {"0399999000024": MAKER}
    told = event(
        EventType.OBJECT,
        Action.OBSERVE,
        "shipping",
        sources=(Linked("owning_party", "https://id.gs1.org/414/0399999000024/254/7"),),
        destinations=(Linked("owning_party", f"https://id.gs1.org/417/{WHOLESALER}"),),
    )
    read = read_act(told, MAKER, lambda gln: sites.get(gln, gln))
    assert (read.seller, read.buyer) == (MAKER, WHOLESALER)


def test_a_place_without_a_gln_names_no_party():
    assert [gln_of(place) for place in (None, "", "urn:epc:id:giai:1", "https://id.gs1.org/01/1")] == [
        None
    ] * 4
    told = act(MAKER, event(EventType.OBJECT, None, None, sources=(Linked("location", "geo:1,2"),)))
    assert told.sender is None


def test_who_has_goods_without_their_title_does_not_sell_them_to_himself():
    story = made().tell(ship(A, to=WHOLESALER, statement=None), receive(A, by=WHOLESALER))
    story.tell(
        ship(A, by=WHOLESALER, to=WHOLESALER, sold_by=MAKER), receive(A, by=WHOLESALER, from_=WHOLESALER)
    )
    assert (story.holder(A), story.owner(A)) == (WHOLESALER, MAKER)
    assert story.codes == [FindingCode.NO_STATEMENT, FindingCode.NOT_OWNER]
