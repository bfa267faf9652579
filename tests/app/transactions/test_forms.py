"""The guideline's two releases, as 2.0 JSON and 1.2 XML: what is written is read back, gap for gap."""

from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from app.transactions.forms import Begun, Packed, Told, document, prefix_length, read_transactions
from app.transactions.rules import assemble
from app.transactions.values import Direct, Guideline
from ledger.epcis import xml12
from ledger.epcis.jsonwriter import write
from ledger.epcis.read import read
from ledger.epcis.spelling import DIGITAL_LINK, Spelling
from tests.app.transactions.told import (
    BOUGHT_PARTLY,
    DAY,
    PRODUCT,
    SHIPPED,
    STATEMENT,
    TRADERS,
    drop_shipment,
    shipping,
    sources,
)
from tests.support.counter import PHARMACY
from tests.support.shared import shared_path
from tests.support.world import MAKER, PALLET, WHOLESALER, package, sgln

USHC = "{http://epcis.gs1us.org/hc/ns}"
SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
FORMS = {
    "json": write,
    "xml": lambda document: xml12.write(document, DIGITAL_LINK),
    "urns": lambda document: xml12.write(document, Spelling(lambda _: 7)),
}


def told(known=None):
    """The maker commissions two packages, packs them on a pallet, and ships it."""
    known = known or sources()
    packs = tuple(each.epc for each in known.packages)
    return Told(
        known.event,
        assemble(known)[0],
        (Begun(SHIPPED - 3 * DAY, "-04:00", sgln(MAKER), "LOT42", "2028-05-31", packs),),
        (Packed(SHIPPED - 2 * DAY, PALLET, packs),),
        (PRODUCT,),
    )


def made(known=None, statement=STATEMENT, guideline=Guideline.R13):
    return document(told(known), statement, guideline, SHIPPED + timedelta(minutes=5), "urn:uuid:message-1")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("statement", [STATEMENT, BOUGHT_PARTLY], ids=["maker", "wholesaler"])
def test_r13_reads_back_as_it_was_told(form, statement):
    raw = FORMS[form](made(statement=statement))
    [(info, gaps, said)] = read_transactions(read(raw))
    assert gaps == ()
    assert info == told().info
    assert said == statement


@pytest.mark.parametrize("form", FORMS)
def test_r12_has_no_field_for_the_date_and_says_directly_or_not(form):
    raw = FORMS[form](made(statement=BOUGHT_PARTLY, guideline=Guideline.R12))
    back = read(raw)
    [(info, gaps, said)] = read_transactions(back)
    assert gaps == ()
    assert info == replace(told().info, date_inferred=True), "the NDC of 11 digits is the GTIN's again"
    assert (back.products[0].ndc, back.products[0].ndc_type) == ("99999000101", "FDA_NDC_11")
    assert (said.affirmed, said.direct) == (True, Direct.ENTIRELY_INDIRECT)
    assert back.statement.guideline_version is None
    assert b"transactionDate" not in raw


@pytest.mark.parametrize("form", FORMS)
def test_a_drop_shipment_says_so_and_names_whom_to_ask(form):
    known = sources(drop_shipment(), recipient=PHARMACY)
    written = made(known)
    assert written.receiver == PHARMACY, "its information goes straight to the dispenser"
    [(info, gaps, _)] = read_transactions(read(FORMS[form](written)))
    assert gaps == ()
    assert (info.drop_shipment, info.recipient) == (True, TRADERS[PHARMACY])
    assert info.buyer == TRADERS[WHOLESALER]


def test_the_headers_say_which_release_they_are_of():
    new = etree.fromstring(xml12.write(made(), Spelling(lambda _: 7)))
    old = etree.fromstring(xml12.write(made(guideline=Guideline.R12), Spelling(lambda _: 7)))
    header = ".//EPCISHeader/"
    assert "R1.3" in new.findtext(f"{header}{USHC}guidelineVersion")
    assert old.find(f"{header}{USHC}guidelineVersion") is None
    for root, authority in ((new, "GS1"), (old, "GLN")):
        assert {each.get("Authority") for each in root.iter(f"{SBDH}Identifier")} == {authority}
        assert (
            root.findtext(f"{header}{USHC}dscsaTransactionStatement/{USHC}affirmTransactionStatement")
            == "true"
        )
    assert [each.text for each in old.iter(f"{SBDH}Identifier")] == [MAKER, WHOLESALER]
    assert [each.text for each in new.iter("bizStep")][-1] == "urn:epcglobal:cbv:bizstep:shipping"
    direct = etree.fromstring(FORMS["xml"](made(statement=BOUGHT_PARTLY)))
    assert direct.find(f".//{USHC}directPurchase").get("qualifier") == "PARTIALLY_DIRECT"


@pytest.mark.parametrize("name", ["dscsa-shipment-epcis-2.0.json", "dscsa-shipment-epcis-1.2.xml"])
def test_the_domain_references_own_examples_are_read(name):
    raw = shared_path(f"domain/examples/{name}").read_bytes()
    [(info, gaps, statement)] = read_transactions(read(raw))
    assert (info.seller.gln, info.buyer.gln, info.order) == ("0399999000017", "0860000000017", "PO12345")
    assert str(info.transaction_date) == "2026-06-01"
    assert statement.affirmed
    missing = {each.element.value for each in gaps}
    # The XML leaves out the packing and its places, as its comments say; neither has the buyer's name and address.
    assert missing == ({"J"} if name.endswith("json") else {"I", "J", "PI"})


def test_the_length_of_a_company_prefix_is_entered_or_follows_from_the_ndc():
    by_ndc = prefix_length([], [PRODUCT])
    assert by_ndc(package("A1")) == 7
    assert by_ndc(sgln(MAKER)) == 7
    assert by_ndc(PALLET) == 7
    assert by_ndc(sgln(WHOLESALER)) is None
    assert prefix_length(["0860000"], [])(sgln(WHOLESALER)) == 7
    assert prefix_length([], [replace(PRODUCT, ndc="9999-9001-01")])(package("A1")) == 6
    assert by_ndc("urn:epc:id:giai:1") is None


def test_what_is_not_sold_is_no_transaction():
    move = shipping(sources=shipping().destinations)
    raw = FORMS["json"](replace(made(), events=(move,)))
    assert read_transactions(read(raw)) == []
    assert package("A1").endswith("A1")
