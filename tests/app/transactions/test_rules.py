"""Transaction information: the ten elements and the identifiers, and every gap named (FD&C Act 581(26))."""

from dataclasses import replace
from datetime import date

import pytest

from app.partners.places import Address
from app.transactions.rules import assemble, ndc_of
from app.transactions.values import AFFIRMATIONS, Element, Package
from tests.app.transactions.told import (
    DAY,
    PRODUCT,
    SHIPPED,
    TRADERS,
    drop_shipment,
    packs,
    shipping,
    sources,
)
from tests.support.counter import PHARMACY
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package


def gaps(known):
    return [(each.element, each.message) for each in assemble(known)[1]]


def test_a_complete_shipment_has_all_ten_elements_and_the_identifier_of_each_package():
    info, missing = assemble(sources())
    assert missing == ()
    [line] = info.lines
    assert (line.product.name, line.product.strength, line.product.dosage_form) == (
        "Examplinib",
        "50 mg",
        "TABLET",
    )
    assert (line.product.ndc, line.product.container_size) == ("99999-001-01", "30 tablets")
    assert (info.packages, line.lot, line.expiry, line.serials) == (2, "LOT42", "2028-05-31", ("A1", "B2"))
    assert (info.transaction_date, info.shipment_date) == (date(2026, 6, 1), None)
    assert (info.seller.name, info.seller.place.line) == (
        "Example Pharma Inc.",
        "1 Plant Rd, Anytown, NJ 08000, US",
    )
    assert (info.buyer.name, info.order, info.notice) == ("Dock Street", "PO12345", "ASN777")


@pytest.mark.parametrize(
    ("field", "element", "says"),
    [
        ("name", "A", "name missing in product master data of GTIN 00399999001014"),
        ("strength", "B", "strength missing in product master data of GTIN 00399999001014"),
        ("dosage_form", "B", "dosage form missing in product master data of GTIN 00399999001014"),
        ("ndc", "C", "NDC missing in product master data of GTIN 00399999001014"),
        ("container_size", "D", "container size missing in product master data of GTIN 00399999001014"),
    ],
)
def test_what_the_product_lacks_is_named_with_its_gtin(field, element, says):
    assert gaps(sources(products={GTIN: replace(PRODUCT, **{field: " "})})) == [(element, says)]


def test_a_product_that_nobody_knows_lacks_all_five():
    assert [element for element, _ in gaps(sources(products={}))] == ["A", "B", "B", "C", "D"]


def test_packages_without_lot_or_expiry_are_counted_and_the_first_named():
    known = sources(packages=packs("1", "2", "3", "4", "5", lot="", expiry=""))
    first = "(01)00399999001014(21)1, (01)00399999001014(21)2, (01)00399999001014(21)3 and 2 more"
    assert gaps(known) == [
        (Element.LOT, f"lot missing in the record of {first}"),
        (Element.IDENTIFIER, f"expiry missing in the record of {first}"),
    ]


def test_a_container_of_which_nobody_knows_the_contents_is_a_gap_and_so_is_an_empty_shipment():
    [(element, message)] = gaps(sources(packages=(*packs("A1"), Package(PALLET))))
    assert element == "PI"
    assert "what is in (00)103999990000000014 is not on record" in message
    assert gaps(sources(packages=())) == [("E", "nothing is in this shipment")]


def test_the_date_of_the_transaction_is_not_the_time_of_the_event():
    assert gaps(sources(shipping(extensions=()))) == [
        ("G", "date of the transaction missing (gs1ushc:transactionDate)")
    ]
    info, _ = assemble(sources(shipping(at="2026-05-28")))
    assert (info.transaction_date, info.shipment_date) == (date(2026, 5, 28), date(2026, 6, 1))
    info, _ = assemble(sources(shipping(extensions=()), infer_date=True))
    assert (info.transaction_date, info.date_inferred) == (date(2026, 6, 1), True)


def test_the_day_is_that_of_the_place_where_it_was_shipped():
    late = replace(shipping(), event_time=SHIPPED.replace(hour=2))
    info, _ = assemble(sources(replace(late, extensions=()), infer_date=True))
    assert info.transaction_date == date(2026, 5, 31), "22:00 in New York"


def test_what_is_shipped_before_it_was_sold_is_told():
    [(element, message)] = gaps(sources(shipping(at=(SHIPPED + DAY).date().isoformat())))
    assert element == "H"
    assert message == "shipped on 2026-06-01, before the transaction of 2026-06-02: one is wrong"


def test_seller_and_buyer_need_name_and_address():
    bare = {
        MAKER: replace(TRADERS[MAKER], place=Address()),
        WHOLESALER: replace(TRADERS[WHOLESALER], name=""),
    }
    assert gaps(sources(traders=bare)) == [
        ("I", "address of the seller Example Pharma Inc. missing in its party's data"),
        ("J", f"name of the buyer {WHOLESALER} missing in its party's data"),
    ]


def test_a_drop_shipment_names_the_distributor_that_does_not_handle_it():
    known = sources(drop_shipment(), recipient=PHARMACY)
    info, missing = assemble(known)
    assert missing == ()
    assert info.drop_shipment
    assert (info.buyer.gln, info.buyer.contact) == (WHOLESALER, "+1 502 555 0100")
    assert info.recipient.gln == PHARMACY
    silent = {**TRADERS, WHOLESALER: replace(TRADERS[WHOLESALER], contact="")}
    assert gaps(replace(known, traders=silent)) == [
        ("DS", "contact of Dock Street, which sells it without handling it, missing in its party's data")
    ]


def test_an_ndc_that_is_not_the_gtins_is_told():
    [(element, message)] = gaps(sources(products={GTIN: replace(PRODUCT, ndc="12345-678-90")}))
    assert element == "C"
    assert message.startswith("NDC 12345-678-90 ")
    assert gaps(sources(products={GTIN: replace(PRODUCT, ndc="99999-0001-01")})) == [], (
        "the same with 11 digits"
    )
    assert gaps(sources(products={GTIN: replace(PRODUCT, ndc="123456-7890-12")})) == [], (
        "no GTIN holds 12 digits"
    )


def test_eleven_digits_are_read_as_the_ndc_of_their_gtin():
    assert ndc_of("99999000101", "FDA_NDC_11", GTIN) == "99999-001-01"
    assert ndc_of("99999-001-01", "US_FDA_NDC", GTIN) == "99999-001-01"
    assert ndc_of("nonsense", None, GTIN) == "nonsense"
    assert ndc_of(None, None, GTIN) == ""


def test_the_statement_has_seven_affirmations():
    assert [letter for letter, _ in AFFIRMATIONS] == list("ABCDEFG")


def test_packages_of_two_lots_are_two_lines():
    known = sources(packages=(*packs("A1"), *packs("C3", "B2", lot="LOT7", expiry="2027-01-31")))
    assert [(line.lot, line.count) for line in assemble(known)[0].lines] == [("LOT42", 1), ("LOT7", 2)]
    assert package("A1").endswith("/A1")
