"""An authority gets transaction information and statement, with every package in cases and pallets."""

import csv
import io
import json
import zipfile

from app.regulator.rules import Reason, Search, Standing
from app.regulator.service import NewRequest
from app.shared.actor import command_line
from tests.support.counter import PHARMACY
from tests.support.dock import PALLET_CODE, Dock
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package

BY = command_line("quinn")


def answered(dock: Dock, party: str, **asked: str) -> dict[str, bytes]:
    """What the company answers to a request of the FDA."""
    requests = dock.services.requests
    fields = {
        "requester": "R. Doe, FDA",
        "proof": "called back",
        "standing": "fda",
        "reason": "recall",
        **asked,
    }
    case_id = requests.open(NewRequest.parse(fields, party), BY)
    requests.answer(case_id, party, BY)
    with zipfile.ZipFile(io.BytesIO(requests.archive(case_id))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def table(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name].decode())))


def test_the_answer_has_the_sales_information_and_statement_of_each_package(dock: Dock) -> None:
    dock.made(1, 2, 3)
    dock.packed(PALLET, 1, 2)
    assert dock.ship(PALLET_CODE, to=WHOLESALER).status_code == 201
    dock.received(PALLET, by=WHOLESALER)
    files = answered(dock, WHOLESALER, gtin=GTIN, lot="LOT42")
    rows = table(files, "transactions.csv")
    assert sorted(row["serial"] for row in rows) == ["1", "2"]
    row = rows[0]
    assert (row["gtin"], row["lot"], row["number_of_containers"]) == (GTIN, "LOT42", "2")
    told = ("product", "strength", "dosage_form", "ndc", "container_size", "expiry", "transaction_date")
    assert all(row[name] for name in (*told, "seller_address", "buyer_address")), row
    assert (row["seller_gln"], row["buyer_gln"], row["statement_affirmed"]) == (MAKER, WHOLESALER, "yes")
    [sale] = json.loads(files["transactions.json"])
    assert sale["statement"]["affirms"] == list("ABCDEFG")
    assert files["transactions.pdf"].startswith(b"%PDF-")
    # One serial was asked for: of the other no word.
    only = answered(dock, WHOLESALER, gtin=GTIN, serial="1")
    assert [row["serial"] for row in table(only, "transactions.csv")] == ["1"]
    assert package(2) not in only["transactions.json"].decode()
    # Whoever had no part in the sale has none to hand out.
    assert "transactions.csv" not in answered(dock, PHARMACY, gtin=GTIN, lot="LOT42")


def test_every_line_of_the_events_has_its_packages_lot_and_expiry(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1)
    dock.sold(package(1), by=MAKER, to=WHOLESALER)
    dock.received(package(1), by=WHOLESALER)
    _, made = dock.services.requests.take(Search(gtin=GTIN, lot="LOT42"), Standing.FDA, Reason.INSPECTION, BY)
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        rows = table({"events.csv": archive.read("events.csv")}, "events.csv")
    assert len(rows) == 3
    assert {(row["lot"], bool(row["expiry"])) for row in rows} == {("LOT42", True)}
