"""What a company has: counted by the record, read by itself alone, on a page, as CSV and over REST."""

import csv
import io
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event as sql_events

from app.custody import standing
from app.custody import stock as custody
from app.custody.stock import Counted
from app.errors import Invalid
from app.inventory.rules import Asked, Line, Show, Totals, lines_of
from app.inventory.service import stock
from app.partners import service as partners
from app.shared.actor import Role
from ledger.custody.vocabulary import Action, EventType
from tests.support.counter import PHARMACY, STRANGER, text_of
from tests.support.delivery import ADVICE, Bay, case_label, cases_of, sscc
from tests.support.trade import WHEN
from tests.support.world import GTIN, MAKER, package

TODAY = date(2028, 5, 1)
_ID = "urn:uuid:5f8fad5b-d9cb-469f-a165-70867728950{}"


def _counted(bay: Bay, gln: str = PHARMACY, **asked: str) -> list[Counted]:
    with bay.services.database.reading() as connection:
        party = partners.by_gln(connection, gln)
        assert party is not None
        return list(custody.stock(connection, party.party_id, most=100, **asked))


@pytest.fixture
def stocked(bay: Bay) -> Bay:
    """Two cases of two received, in the first a pack recalled and a pack on hold; a third case on its way."""
    return _stocked(bay)


@pytest.fixture
def sqlite_stocked(sqlite_bay: Bay) -> Bay:
    """The same on SQLite alone."""
    return _stocked(sqlite_bay)


def _stocked(bay: Bay) -> Bay:
    packed = cases_of(3)
    third = {sscc(3): packed.pop(sscc(3))}
    bay.ship(packed)
    bay.ship(third, advice="ASN778")
    clerk = bay.clerk("wanda").begin(ADVICE).scan(case_label(1), case_label(2))
    clerk.finish()
    bay.node.clock.advance(timedelta(minutes=1))
    bare = replace(bay.trade.begun(), action=Action.OBSERVE, ilmd=(), biz_step="holding")
    later = WHEN + timedelta(hours=9)
    bay.tell(MAKER, replace(bare, disposition="recalled", epcs=(package(101),), event_time=later))
    held = replace(bare, event_id="urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950f", epcs=(package(102),))
    bay.tell(PHARMACY, replace(held, disposition="non_sellable_other", event_time=bay.node.clock.now()))
    return bay


def test_what_is_here_is_told_apart_from_what_is_on_its_way_and_what_is_stopped(stocked: Bay) -> None:
    here, coming = _counted(stocked)
    assert (here.gtin, here.lot, here.expiry) == (GTIN, "LOT42", date(2028, 5, 31))
    assert (here.coming, here.packages, here.containers, here.loose) == (False, 4, 2, 0)
    assert (here.held, here.recalled, here.usable) == (1, 1, 2)
    assert (coming.coming, coming.packages, coming.containers) == (True, 2, 1)
    with stocked.services.database.reading() as connection:
        party = partners.by_gln(connection, PHARMACY)
        assert party is not None
        assert custody.outermost(connection, party.party_id) == custody.Outermost(2, 1)
    assert _counted(stocked, lot="LOT42", gtin=GTIN) == [here, coming]
    assert _counted(stocked, lot="lot42") == _counted(stocked, gtin="00399999001021") == []
    assert _counted(stocked, STRANGER) == _counted(stocked, MAKER) == [], (
        "what it has shipped, it has no more"
    )


def test_a_hold_or_an_end_of_a_container_counts_for_what_is_in_it(sqlite_stocked: Bay) -> None:
    bay = sqlite_stocked
    bare = replace(bay.trade.begun(), action=Action.OBSERVE, ilmd=(), biz_step="holding")
    held = replace(bare, disposition="non_sellable_other", epcs=(sscc(2),), event_time=bay.node.clock.now())
    bay.tell(PHARMACY, held)
    assert [(each.packages, each.held) for each in _counted(bay)] == [(4, 3), (2, 0)]
    bay.node.clock.advance(timedelta(minutes=1))
    gone = replace(
        held,
        event_id="urn:uuid:3f8fad5b-d9cb-469f-a165-70867728950f",
        action=Action.DELETE,
        biz_step="destroying",
        disposition="destroyed",
        event_time=bay.node.clock.now(),
    )
    bay.tell(PHARMACY, gone)
    assert [(each.packages, each.containers) for each in _counted(bay)] == [(2, 1), (2, 1)]


def test_what_its_opened_container_did_not_hold_is_not_here_nor_is_what_is_in_it(sqlite_stocked: Bay) -> None:
    bay = sqlite_stocked
    bare = replace(bay.trade.begun(), type=EventType.AGGREGATION, epcs=(), ilmd=(), disposition="in_progress")
    acts = (
        {"event_id": _ID.format(1), "biz_step": "packing", "children": (sscc(1), sscc(2))},
        {
            "event_id": _ID.format(2),
            "action": Action.OBSERVE,
            "disposition": "mismatch_quantity",
            "children": (sscc(1),),
        },
    )
    for each in acts:
        bay.node.clock.advance(timedelta(minutes=1))
        bay.tell(PHARMACY, replace(bare, parent=sscc(9), event_time=bay.node.clock.now(), **each))
    with bay.services.database.reading() as connection:
        party = partners.by_gln(connection, PHARMACY)
        assert party is not None
        assert custody.outermost(connection, party.party_id) == custody.Outermost(1, 1)
    [line] = stock(bay.services.database, bay.node.clock, PHARMACY, Asked()).lines
    assert (line.here, line.containers, line.short, line.coming) == (2, 1, 2, 2)


def test_the_page_shows_it_filters_it_and_gives_it_as_csv(sqlite_stocked: Bay) -> None:
    bay = sqlite_stocked
    walt = bay.somebody("walt", Role.WAREHOUSE)
    page = walt.get("/inventory")
    said = text_of(page)
    for words in ("4 Here 2 pallets or cases", "2 On its way 1 pallet or case", "1 On hold", "1 Recalled"):
        assert words in said
    assert re.search(
        r"Sonnenal 20 mg 00399999001014 LOT42 2028-05-31 4 in 2 cases 1 recalled 1 on hold 2", said
    )
    assert 'href="/inventory?show=recalled"' in page.text
    for query, found in (
        (f"gtin={GTIN}&lot=LOT42", True),
        ("gtin=(01)00399999001014(21)7(17)280531(10)LOT42", True),
        ("show=soon", False),
        ("lot=LOT43", False),
    ):
        assert ("line 1 of 1" in text_of(walt.get(f"/inventory?{query}"))) is found, query
    assert "None of it" in text_of(walt.get("/inventory?lot=LOT43"))
    wrong = walt.get("/inventory?gtin=123")
    assert (wrong.status_code, "That is no GTIN" in text_of(wrong), 'value="123"' in wrong.text) == (
        400,
        True,
        True,
    )
    table = walt.get("/inventory.csv?show=here")
    assert table.headers["Content-Type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(table.text))
    assert (row["gtin"], row["lot"], row["here"], row["usable"], row["on_its_way"]) == (
        GTIN,
        "LOT42",
        "4",
        "2",
        "2",
    )
    assert [outcome for _, _, outcome in bay.trail("inventory.view")][:3] == ["shown", "nothing", "nothing"]


def test_nobody_reads_what_another_company_has(sqlite_stocked: Bay) -> None:
    bay = sqlite_stocked
    assert "You have nothing yet" in text_of(bay.stranger().get("/inventory"))
    assert bay.somebody("ines", Role.INSPECTOR).get("/inventory").status_code == 403
    client = bay.node.visitor().client
    strangers = bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)
    assert client.get("/api/inventory", headers=strangers).json["lines"] == []


def test_a_companys_own_system_reads_it_page_by_page(sqlite_stocked: Bay) -> None:
    bay = sqlite_stocked
    bay.told(replace(bay.trade.begun(900, lot="LOT43"), event_time=WHEN), by=MAKER)
    bay.told(replace(bay.trade.shipped(900, to=PHARMACY)), by=MAKER)
    client, own = bay.node.visitor().client, bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY)
    first = client.get("/api/inventory?limit=1", headers=own).json
    assert [(line["lot"], line["here"], line["on_its_way"]) for line in first["lines"]] == [("LOT42", 4, 2)]
    rest = client.get(f"/api/inventory?limit=1&after={first['next']}", headers=own).json
    assert [(line["lot"], line["here"], line["on_its_way"]) for line in rest["lines"]] == [("LOT43", 0, 1)]
    assert rest["next"] is None
    assert (rest["totals"]["here"], rest["totals"]["on_its_way"], rest["totals"]["containers_here"]) == (
        4,
        3,
        2,
    )
    assert client.get("/api/inventory?show=nonsense", headers=own).status_code == 422


def test_more_lines_than_one_answer_takes_are_not_cut_off_silently(sqlite_stocked: Bay, monkeypatch) -> None:
    monkeypatch.setattr("app.inventory.service.MOST_LINES", 1)
    with pytest.raises(Invalid, match="Too many"):
        stock(sqlite_stocked.services.database, sqlite_stocked.node.clock, PHARMACY, Asked())


def test_what_others_ship_hides_nothing_of_what_is_here(sqlite_stocked: Bay, monkeypatch) -> None:
    """Anybody may tell of shipments of as many lots as he likes."""
    node = sqlite_stocked.node
    monkeypatch.setattr("app.inventory.service.MOST_LINES", 1)
    found = stock(sqlite_stocked.services.database, node.clock, PHARMACY, Asked(show=Show.HERE))
    assert found.only_here and [(line.here, line.coming) for line in found.lines] == [(4, 0)]
    own = node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY)
    told = node.visitor().client.get("/api/inventory?show=here", headers=own).json
    assert (told["totals"]["here"], told["totals"]["on_its_way"]) == (4, None)
    assert told["lines"][0]["on_its_way"] is None
    node.person("quinn", Role.QUALITY, party_gln=PHARMACY)
    reader = node.sign_in("quinn")
    assert "ask for what is here" in reader.get("/inventory").text
    page = text_of(reader.get("/inventory?show=here"))
    assert "What is on its way to you has too many" in page and "not counted" in page
    with pytest.raises(Invalid, match="Too many"):
        stock(sqlite_stocked.services.database, node.clock, PHARMACY, Asked(show=Show.COMING))


def _line(**changed: object) -> Line:
    return replace(Line(GTIN, "Sonnenal", "L1", TODAY + timedelta(days=400), here=2), **changed)


def test_it_is_found_by_what_is_outermost_not_by_all_that_its_maker_ever_packed(
    sqlite_stocked: Bay,
) -> None:
    asked: list[tuple[str, object]] = []

    def listen(*told: object) -> None:
        asked.append((str(told[2]), told[3]))

    with sqlite_stocked.services.database.reading() as connection:
        sql_events.listen(connection, "before_cursor_execute", listen)
        assert custody.stock(connection, 1, most=100) is not None
        assert custody.outermost(connection, 1) is not None
        standing.has_anything(connection, 10**6)
        sql_events.remove(connection, "before_cursor_execute", listen)
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all())
            for query, values in asked
        ]
    assert ["ix_item_outermost_holder_id" in plan for plan in plans] == [True, True, True, False]
    assert ["ix_item_bound_for_id" in plan for plan in plans] == [True, True, False, True]
    assert not [plan for plan in plans if "SCAN i" in plan or "SCAN item" in plan]


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        (_line(), {Show.HERE}),
        (_line(expiry=TODAY), {Show.HERE, Show.SOON}),
        (_line(expiry=TODAY + timedelta(days=90)), {Show.HERE, Show.SOON}),
        (_line(expiry=TODAY + timedelta(days=91)), {Show.HERE}),
        (_line(expiry=TODAY - timedelta(days=1)), {Show.HERE, Show.EXPIRED}),
        (_line(expiry=None, held=1, recalled=1), {Show.HERE, Show.HELD, Show.RECALLED}),
        (_line(here=0, coming=1, expiry=TODAY), {Show.COMING}),
        (_line(here=0, coming=1, coming_stopped=1), {Show.COMING, Show.RECALLED}),
        (_line(here=0, short=1), {Show.COMING}),
    ],
)
def test_a_line_is_shown_under_each_state_that_it_is_in(line: Line, shows: set[Show]) -> None:
    assert {show for show in Show if line.matches(show, TODAY)} == shows | {Show.ALL}


def test_lines_stand_by_product_and_what_expires_first_before_the_rest() -> None:
    counted = [
        Counted(GTIN, lot, expiry, coming, missing, 5, 1, 0, 1, 1, 3)
        for lot, expiry, coming, missing in (
            ("L9", date(2030, 1, 1), False, False),
            ("L2", None, False, False),
            ("L1", date(2029, 1, 1), False, False),
            ("L1", date(2029, 1, 1), True, False),
            ("L1", date(2029, 1, 1), True, True),
            ("L1", date(2029, 1, 1), False, True),
        )
    ]
    lines = lines_of(counted, {GTIN: "Sonnenal"})
    assert [line.lot for line in lines] == ["L1", "L9", "L2"]
    assert (lines[0].here, lines[0].coming, lines[0].coming_stopped, lines[0].short) == (5, 5, 2, 10)
    assert Totals.of(lines, date(2029, 6, 1)) == Totals(15, 5, 10, 3, 3, 5, 0, 2)


@pytest.mark.parametrize(
    "typed",
    [
        {"gtin": "12"},
        {"gtin": "x"},
        {"gtin": "(00)103999990000000014"},
        {"lot": "x" * 21},
        {"show": "y"},
    ],
)
def test_what_names_no_product_is_told(typed: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Asked.parse(**typed)
