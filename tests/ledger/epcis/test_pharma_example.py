"""GS1 US's own DSCSA message: eight events from commissioning to shipping, without a single eventID."""

from ledger.epcis import NoteCode, read
from tests.support.shared import shared_path

EXAMPLE = (
    "data/epcis/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml"
)


def example() -> bytes:
    return shared_path(EXAMPLE).read_bytes()


def test_it_gives_eight_events_in_their_order():
    events = read(example(), "application/xml").events
    assert [(event.biz_step, len(event.all_epcs())) for event in events] == [
        ("commissioning", 12),
        ("commissioning", 3),
        ("packing", 5),
        ("packing", 5),
        ("packing", 5),
        ("commissioning", 1),
        ("packing", 4),
        ("shipping", 1),
    ]
    assert len({event.id for event in events}) == 8
    assert events[0].ilmd_text("urn:epcglobal:cbv:mda#lotNumber") == "A123"
    assert events[7].extension_text("http://epcis.gs1us.org/hc/ns#dropShipment") == "false"


def test_its_header_names_the_parties_the_product_and_the_statement():
    document = read(example(), "application/xml")
    assert (document.sender, document.receiver) == ("0300011111116", "0399999999991")
    assert document.instance_id == "1100220001"
    assert [product.gtin for product in document.products] == ["00300010123455", "10300010123452"]
    product = document.products[0]
    assert (product.ndc, product.ndc_type, product.name) == ("0001-0123-45", "US_FDA_NDC", "Epcistra")
    assert [place.city for place in document.locations] == [
        "Thousand Oaks",
        "Westlake Village",
        "New York",
        "Louisville",
    ]
    assert document.statement is not None
    assert document.statement.affirmed
    assert document.statement.guideline_version == "GS1 US DSCSA R1.3"


def test_the_reader_says_once_that_eight_events_have_no_id():
    (note,) = read(example()).notes
    assert (note.code, note.count) == (NoteCode.NO_EVENT_ID, 8)
