"""The benchmark of verdicts runs, asks what it says, and its stock is what the product itself makes of documents."""

from benchmarks.stock import A_CASE, PHARMACIES, Stock, case, pharmacy
from benchmarks.verify import PAGE, Amounts, measure
from ledger.gs1.epc import parse_any
from ledger.gs1.gln import Gln


def test_serials_are_eight_characters_without_order_and_each_is_one_package():
    stock = Stock(packages=50_000, a_lot=1_000)
    serials = [stock.serial(number) for number in range(50_000)]
    assert len(set(serials)) == 50_000
    assert {len(serial) for serial in serials} == {8}
    assert serials != sorted(serials)


def test_cases_and_pharmacies_have_keys_of_their_own():
    assert len({parse_any(case(number)).canonical for number in range(1000)}) == 1000
    assert len({Gln.parse(pharmacy(number)).digits for number in range(PHARMACIES)}) == PHARMACIES
    stock = Stock(packages=1_000, a_lot=500)
    assert (stock.lot(499), stock.lot(500)) == ("LOT0", "LOT1")
    assert stock.pharmacy(0) == stock.pharmacy(A_CASE - 1) != stock.pharmacy(A_CASE)


def test_a_small_run_measures_every_bar_against_a_real_server():
    bars, machine = measure("sqlite", Amounts(packages=150, a_lot=120, asked=1, warm_up=0), workers=1)
    questions = [bar.bar.split(" (")[0] for bar in bars]
    assert questions[:3] == ["verdict, p50", "verdict, p95", "verdict, p99"]
    assert {"VRS, unknown serial, p99", "VRS, unknown lot, p99", "who has a lot of 120"} <= set(questions)
    assert all(bar.measured > 0 and bar.yardstick > 0 for bar in bars)
    assert "gunicorn" in machine["server"]
    assert PAGE.exists()
