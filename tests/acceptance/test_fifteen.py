"""Fifteen behaviours a toy gets wrong (domain reference, section 10), each as the reference says it.

Here stand 1 to 7 and 10, which custody and the readers alone decide. The others (8 and 9 transaction information and
statements, 11 verification, 12 returns, 13 clocks, 14 authorized partners, 15 who may see what) stand beside this file
with the desk or the exchange that they are about: tests/acceptance/test_<number>_<what>.py.
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote

import pytest

from app.custody import loading
from app.custody.outstanding import outstanding, under_way
from app.partners import service as partners
from app.products import service as products
from app.shared.actor import Role, command_line
from app.verification.rules import expiry_on
from ledger.custody.event import Event
from ledger.custody.findings import FindingCode
from ledger.custody.state import World
from ledger.custody.verdict import Reason, Word
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from tests.support.app import Node
from tests.support.world import (
    GTIN,
    MAKER,
    PALLET,
    START,
    WHOLESALER,
    accept,
    commission,
    declare_wrong,
    pack,
    package,
    receive,
    ship,
    unpack,
    void_shipping,
)

PHARMACY, CARRIER = "0370000000011", "0810000000012"
CASE = "https://id.gs1.org/00/003999990000000109"
A, B, C = package("A"), package("B"), package("C")


@pytest.fixture
def ready(sqlite_node: Node) -> Node:
    """A node with a maker, a wholesaler, a pharmacy and a carrier."""
    services = sqlite_node.services
    services.node.initialise()
    kinds = {MAKER: "maker", WHOLESALER: "wholesaler", PHARMACY: "dispenser", CARRIER: "3pl"}
    with services.database.writing() as connection:
        for gln, kind in kinds.items():
            partners.register(connection, services.clock, gln, f"the {kind}", kind)
        products.register(connection, services.clock, GTIN, MAKER, name="Sonnenal")
    return sqlite_node


def tell(node: Node, *acts: object) -> None:
    """Capture acts in the order in which they are given, each an hour after the one before unless it has its time."""
    for number, each in enumerate(acts):
        event: Event = each.event
        if event.event_time < START:
            event = replace(event, event_time=START + timedelta(hours=number))
        _capture(node, each.by, event, each.statement)


def _capture(node: Node, by: str, event: Event, affirmed: bool | None) -> None:
    statement = TransactionStatement(affirmed=affirmed, legal_notice="so") if affirmed is not None else None
    raw = write(Document(Form.JSON20, (event,), created=START, statement=statement))
    send(node, by, raw)


def send(node: Node, by: str, raw: bytes) -> None:
    node.services.capture.receive(raw, "application/json", by=by, channel="file", actor=command_line("test"))


def world(node: Node, *keys: str) -> World:
    """What the node has of these, and of what is around them."""
    with node.services.database.reading() as connection:
        return loading.load(connection, keys).world


def holder(node: Node, key: str) -> tuple[str | None, bool]:
    """Who has it, and whether it is under way."""
    found = world(node, key)
    outer = found.outer(found.item(key))
    return outer.holder, outer.in_transit


def owner(node: Node, key: str) -> str | None:
    found = world(node, key)
    return found.outer(found.item(key)).owner


def scan(node: Node, raw: bytes, symbology: str | None, asker: str) -> tuple[Word, Reason]:
    verdict = node.services.verification.check(raw, symbology, command_line("test"), asker=asker).verdict
    return verdict.word, verdict.reason


def test_1_the_same_package_by_two_splits_of_its_company_prefix_is_one_package(ready: Node) -> None:
    """Same package via `sgtin:0399999.000101.X` and via a differently split GCP is **one** package."""
    raw = write(
        Document(Form.JSON20, (replace(commission(package("X")).event, event_time=START),), created=START)
    )
    written = json.loads(raw)
    [told] = written["epcisBody"]["eventList"]
    told["epcList"] = ["urn:epc:id:sgtin:0399999.000101.X"]
    send(ready, MAKER, json.dumps(written).encode())
    told |= {
        "epcList": ["urn:epc:id:sgtin:039999900.0101.X"],
        "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "bizStep": "storing",
        "action": "OBSERVE",
        "eventTime": "2026-06-02T08:00:00Z",
    }
    del told["ilmd"]
    send(ready, MAKER, json.dumps(written).encode())
    with ready.services.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT ns, serial FROM item WHERE ns LIKE '01/%'").all()
        [number] = loading.find_ids(connection, [package("X")]).values()
        named = connection.exec_driver_sql(
            f"SELECT count(*) FROM event_epc WHERE item_id = {number}"
        ).scalar()
    assert [tuple(row) for row in rows] == [(f"01/{GTIN}", "X")]
    assert named == 2


def test_2_a_serial_survives_scan_uri_path_and_database_unchanged(ready: Node) -> None:
    """Serial `a1/B%` survives scan → URI → URL path → DB unchanged; `ABC` ≠ `abc`."""
    serial = "a1/B%"
    parsed = parse_scan(f"01{GTIN}21{serial}".encode(), "]d2")
    assert (parsed.serial, parsed.epc.canonical) == (serial, package("a1%2FB%25"))
    tell(ready, commission(parsed.epc.canonical), commission(package("ABC")))
    with ready.services.database.reading() as connection:
        kept = connection.exec_driver_sql(
            "SELECT serial FROM item WHERE ns LIKE '01/%' ORDER BY item_id"
        ).scalars()
        assert list(kept) == [serial, "ABC"]
    assert scan(ready, f"01{GTIN}21{serial}\x1d1728053110LOT42".encode(), "]d2", MAKER) == (
        Word.OK,
        Reason.OK,
    )
    query = {"exp": "280531", "linkType": "verificationService", "context": "dscsaSaleableReturn",
             "reqGLN": WHOLESALER, "corrUUID": "0f8fad5b-d9cb-469f-a165-70867728950e"}  # fmt: skip
    bearer = ready.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    for asked, verified in ((serial, True), ("a1/b%", False), ("a1", False)):
        path = f"/verify/gtin/{GTIN}/lot/LOT42/ser/{quote(asked, safe='')}"
        answer = ready.app.test_client().get(path, query_string=query, headers=bearer).get_json()
        assert answer["data"]["verified"] is verified, asked
    assert scan(ready, f"01{GTIN}21abc\x1d1728053110LOT42".encode(), "]d2", MAKER)[1] is Reason.NO_RECORD
    assert scan(ready, f"01{GTIN}21ABC\x1d1728053110LOT42".encode(), "]d2", MAKER)[0] is Word.OK


@pytest.mark.parametrize(
    "raw",
    [
        f"01{GTIN}21ABC\x1d1728053110L1",
        f"1728053101{GTIN}10L1\x1d21ABC",
        f"10L1\x1d21ABC\x1d1728053101{GTIN}",
    ],
)
def test_3_a_label_parses_in_any_order_of_its_fields(raw: str) -> None:
    """`01…21ABC<GS>17280531` parses in any AI order ..."""
    found = parse_scan(raw.encode(), "]d2")
    assert (found.gtin.digits, found.serial, found.lot) == (GTIN, "ABC", "L1")
    assert expiry_on(found, date(2026, 6, 1)) == date(2028, 5, 31)


def test_3_a_missing_separator_is_reported_and_never_guessed(ready: Node) -> None:
    """... missing GS is reported, not guessed ..."""
    with pytest.raises(Gs1Error, match="separator"):
        parse_scan(f"01{GTIN}21ABC1728053110L1".encode(), None)
    answer = scan(ready, f"01{GTIN}21ABC1728053110L1".encode(), None, MAKER)
    assert answer == (Word.COULD_NOT_READ, Reason.SEPARATOR_LOST)


def test_3_day_zero_reads_as_the_end_of_its_month_and_is_flagged(ready: Node) -> None:
    """... DD=00 reads as month end and is flagged."""
    tell(ready, commission(A, expiry="2028-02-29"))
    result = ready.services.verification.check(
        f"01{GTIN}21A\x1d1728020010LOT42".encode(), "]d2", command_line("test"), asker=MAKER
    )
    assert (result.label.expiry, result.verdict.word) == (date(2028, 2, 29), Word.OK)
    assert any("day" in note for note in result.label.notes)


@pytest.mark.parametrize(("raw", "symbology"), [(b"312345678906", "]E0"), (b"50312345678901", "]I1")])
def test_4_a_retail_code_yields_a_gtin_and_can_never_verify_a_unit(
    ready: Node, raw: bytes, symbology: str
) -> None:
    """UPC-A/ITF-14 scan yields a GTIN only and can never verify a unit."""
    found = parse_scan(raw, symbology)
    assert found.gtin is not None
    assert found.serial is None
    assert scan(ready, raw, symbology, MAKER) == (Word.COULD_NOT_READ, Reason.NAMES_NO_PACKAGE)


def test_5_shipping_one_sscc_moves_every_nested_package_and_unpacking_one_leaves_its_siblings(
    ready: Node,
) -> None:
    """Shipping one SSCC moves every nested package; unpacking one unit leaves its siblings aggregated."""
    tell(ready, commission(A, B, C), pack(CASE, A, B, C), pack(PALLET, CASE), ship(PALLET), receive(PALLET))
    assert [holder(ready, key) for key in (A, B, C)] == [(WHOLESALER, False)] * 3
    tell(ready, unpack(CASE, A, at=600))
    found = world(ready, A, B, C)
    assert [found.item(key).parent for key in (A, B, C)] == [None, CASE, CASE]
    assert found.item(CASE).parent == PALLET


def test_6_receiving_fifteen_of_sixteen_cases_leaves_one_in_transit_with_an_open_data_no_product(
    ready: Node,
) -> None:
    """Receiving 15 of 16 declared cases leaves one in transit with an open *Data No Product* exception."""
    packs = [package(f"S{number}") for number in range(16)]
    cases = [f"https://id.gs1.org/01/50399999001019/21/C{number}" for number in range(16)]
    tell(ready, commission(*packs), commission(*cases))
    tell(ready, *(pack(box, one, at=100 + n) for n, (box, one) in enumerate(zip(cases, packs, strict=True))))
    tell(ready, ship(*cases, at=600), receive(*cases[:15], at=700))
    assert {holder(ready, key) for key in packs[:15]} == {(WHOLESALER, False)}
    assert holder(ready, packs[15]) == (MAKER, True)
    with ready.services.database.reading() as connection:
        [open_] = outstanding(connection, START + timedelta(days=1), under_way(connection))
        assert loading.find_ids(connection, [cases[15]])[cases[15]] == open_.item_id
    assert open_.code is FindingCode.DATA_NO_PRODUCT


def test_7_custody_to_a_3pl_or_a_sister_warehouse_is_no_transaction_and_a_drop_ship_is(ready: Node) -> None:
    """Custody transfer to a 3PL or a sister warehouse creates no TI/TS; a drop ship does, with different owner and
    possessor."""
    to_carrier = ship(A, to=CARRIER, sold_to=None, statement=None)
    to_sister = ship(B, to=MAKER, sold_to=MAKER, statement=None)
    drop = ship(C, to=PHARMACY, sold_to=WHOLESALER)
    assert [each.moves_title for each in (to_carrier, to_sister, drop)] == [False, False, True]
    tell(ready, commission(A, B, C), to_carrier, to_sister, drop)
    tell(
        ready,
        receive(A, by=CARRIER, at=500),
        receive(C, by=PHARMACY, at=510),
        accept(C, by=WHOLESALER, at=520),
    )
    assert (holder(ready, A), owner(ready, A)) == ((CARRIER, False), MAKER)
    assert (holder(ready, C), owner(ready, C)) == ((PHARMACY, False), WHOLESALER)


def test_10_void_shipping_reverses_state_without_deleting_anything(ready: Node) -> None:
    """Void shipping and errorDeclaration reverse state **without deleting** anything ..."""
    tell(ready, commission(A), ship(A), void_shipping(A))
    assert (holder(ready, A), _events(ready)) == ((MAKER, False), 3)


def test_10_an_error_declaration_reverses_state_without_deleting_anything(ready: Node) -> None:
    received = receive(A, at=120)
    tell(ready, commission(A, at=0), ship(A, at=60), received)
    assert holder(ready, A) == (WHOLESALER, False)
    tell(ready, declare_wrong(received))
    assert (holder(ready, A), owner(ready, A), _events(ready)) == ((MAKER, True), MAKER, 4)


def test_10_a_late_event_projects_history_again(ready: Node) -> None:
    """... a late event re-projects history."""
    tell(ready, commission(A, at=0), receive(A, at=120))
    assert holder(ready, A) == (MAKER, False)
    tell(ready, ship(A, at=60))
    assert (holder(ready, A), owner(ready, A)) == ((WHOLESALER, False), WHOLESALER)


def _events(node: Node) -> int:
    with node.services.database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one())
