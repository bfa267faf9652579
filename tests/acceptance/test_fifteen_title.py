"""Of the fifteen behaviours a toy gets wrong (domain reference, section 10), those about title: 7, 8, 9, 13, 14, 15.

Each test reads as the reference's sentence. 13's clocks are in test_13_determination.py; here is its retention.
"""

from datetime import timedelta

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import NewCase
from app.custody import service as custody
from app.partners import licences
from app.partners import service as partners
from app.partners.licences import NewLicence
from app.partners.service import NewSite
from app.proofs.fsck import fsck
from app.retention.rules import About, Fate, RecordType, keep_until
from app.shared.actor import Role
from app.shared.audit import entries
from app.transactions.forms import read_transactions
from app.transactions.values import AFFIRMATIONS
from ledger.epcis.document import TransactionStatement
from ledger.epcis.read import read
from ledger.log.entry import Entry, Kind
from tests.support.app import OPERATOR
from tests.support.counter import PHARMACY, STRANGER
from tests.support.dock import AFFIRMED, KEEPER, PALLET_CODE, Dock, code, codes_of
from tests.support.world import GTIN, LOT_KEY, MAKER, PALLET, WHOLESALER, package

SISTER = "0399999000116"
MOVE = {"purpose": "move", "order": "", "affirmed": False}


def findings(receipt) -> list[str]:
    return [each["code"] for each in receipt.findings]


# 7


def test_7_custody_transfer_to_a_3pl_creates_no_ti_and_no_ts(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    assert dock.ship(code(1), to=KEEPER, **MOVE).get_json()["transaction"] is None
    assert findings(dock.received(package(1), by=KEEPER)) == []
    assert dock.owner(1) == (KEEPER, MAKER, False)
    assert dock.sales(MAKER) == dock.sales(KEEPER) == []


def test_7_custody_transfer_to_a_sister_warehouse_creates_no_ti_and_no_ts(sqlite_dock: Dock):
    dock = sqlite_dock
    with dock.services.database.writing() as connection:
        owner = partners.by_gln(connection, MAKER)
        partners.set_site(connection, owner, NewSite(SISTER, "South plant"))
    dock.made(1)
    shipped = dock.ship(code(1), to=SISTER, **MOVE)
    assert (shipped.status_code, shipped.get_json()["transaction"]) == (201, None)
    assert findings(dock.received(package(1), by=MAKER)) == []
    assert dock.owner(1) == (MAKER, MAKER, False)
    assert dock.sales(MAKER) == []


def test_7_a_drop_ship_does_with_different_owner_and_possessor(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    path = dock.ship(code(1), to=WHOLESALER, deliver_to=PHARMACY).headers["Location"]
    dock.received(package(1), by=PHARMACY)
    dock.told(dock.bare(biz_step="accepting", disposition=None, epcs=(package(1),)), by=WHOLESALER)
    assert dock.owner(1) == (PHARMACY, WHOLESALER, False)
    # Its information goes straight to the dispenser, with the contact of the distributor that does not handle it.
    told = dock.get(path, PHARMACY).get_json()
    assert (told["drop_shipment"], told["seller"]["name"]) == (True, "North Pharma")
    assert (told["buyer"]["name"], told["buyer"]["contact"]) == ("Dock Street", "+1 555 0100")
    [(info, gaps, statement)] = read_transactions(read(dock.get(f"{path}/epcis?form=xml12", PHARMACY).data))
    assert (gaps, statement.affirmed, info.recipient.gln) == ((), True, PHARMACY)
    assert info.buyer.contact == "+1 555 0100"


# 8


def test_8_ti_assembled_from_event_ilmd_and_master_data_has_all_ten_elements_and_identifiers(
    sqlite_dock: Dock,
):
    dock = sqlite_dock
    dock.made(1, 2)
    dock.packed(PALLET, 1, 2)
    answer = dock.ship(PALLET_CODE, to=WHOLESALER, transaction_date="2026-11-18")
    told = dock.get(answer.headers["Location"], WHOLESALER).get_json()
    [product] = told["products"]
    ten = {
        "A": product["name"],
        "B": f"{product['strength']} {product['dosage_form']}",
        "C": product["ndc"],
        "D": product["container_size"],
        "E": told["number_of_containers"],
        "F": product["lot"],
        "G": told["transaction_date"],
        "H": told["shipment_date"],
        "I": f"{told['seller']['name']}, {told['seller']['address']}",
        "J": f"{told['buyer']['name']}, {told['buyer']['address']}",
    }
    assert ten == {
        "A": "Sonnenal",
        "B": "20 mg tablet",
        "C": "99999-001-01",
        "D": "30 tablets",
        "E": 2,
        "F": "LOT42",
        "G": "2026-11-18",
        "H": "2026-11-20",
        "I": "North Pharma, 1 Plant Road, Trenton, NJ 08601, US",
        "J": "Dock Street, 20 Dock Street, Louisville, KY 40202, US",
    }
    assert (product["serials"], product["expiry"], product["gtin"]) == (["1", "2"], "2028-05-31", GTIN)


def test_8_any_gap_blocks_shipping_and_nothing_of_it_is_recorded(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    where = f"in product master data of GTIN {GTIN}"
    nowhere = "UPDATE party SET address = '', city = '', state = '', postal_code = '', country = ''"
    code_1 = f"(01){GTIN}(21)1"
    before = dock.trade.counts()
    missing: list[str] = []
    for lost, says in (
        ("UPDATE product SET name = ''", f"name missing {where}"),
        ("UPDATE product SET strength = ''", f"strength missing {where}"),
        ("UPDATE product SET dosage_form = ''", f"dosage form missing {where}"),
        ("UPDATE product SET ndc = ''", f"NDC missing {where}"),
        ("UPDATE product SET net_content = ''", f"container size missing {where}"),
        (
            f"{nowhere} WHERE gln = '{MAKER}'",
            "address of the seller North Pharma missing in its party's data",
        ),
        (
            f"{nowhere} WHERE gln = '{WHOLESALER}'",
            "address of the buyer Dock Street missing in its party's data",
        ),
        (f"UPDATE item SET lot_id = NULL WHERE ns = '01/{GTIN}'", f"lot missing in the record of {code_1}"),
        (
            f"UPDATE item SET expiry = NULL WHERE ns = '01/{GTIN}'",
            f"expiry missing in the record of {code_1}",
        ),
    ):
        with dock.services.database.writing() as connection:
            connection.exec_driver_sql(lost)
        missing.append(says)
        answer = dock.ship(code(1), to=WHOLESALER)
        assert answer.status_code == 409
        found = {(each["code"], each["message"]) for each in answer.get_json()["problems"]}
        assert found == {("information", each) for each in missing}
    assert dock.trade.counts() == before
    assert dock.owner(1) == (MAKER, MAKER, False)


def test_8_a_captured_shipment_with_gaps_is_recorded_and_its_ti_and_ts_are_not_released(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    with dock.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE product SET dosage_form = ''")
    receipt = dock.sold(package(1), by=MAKER, to=WHOLESALER)
    assert findings(receipt) == ["information_missing"]
    assert dock.owner(1) == (MAKER, MAKER, True), "it is under way all the same"
    assert dock.get(f"/transactions/{receipt.index}.0", WHOLESALER).status_code == 404


# 9


def test_9_inbound_ts_missing_or_false_blocks_acceptance_of_ownership(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    false = TransactionStatement(False, "We affirm nothing.", "GS1 US DSCSA R1.3")
    for number, statement in ((1, None), (2, false)):
        receipt = dock.sold(package(number), by=MAKER, to=WHOLESALER, statement=statement)
        assert "no_statement" in findings(receipt)
        dock.received(package(number), by=WHOLESALER)
        assert dock.owner(number) == (WHOLESALER, MAKER, False), "custody moves, title stays"
        dock.told(dock.bare(biz_step="accepting", disposition=None, epcs=(package(number),)), by=WHOLESALER)
        assert dock.owner(number) == (WHOLESALER, MAKER, False)
        # Nor may it be sold on: its title is not there, and the missing statement is an open exception.
        refused = dock.ship(code(number), to=PHARMACY, by=WHOLESALER)
        assert codes_of(refused.get_json()) == {"not_owned", "open_case"}


def test_9_with_an_affirmed_ts_ownership_is_accepted_with_custody(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.sold(package(1), by=MAKER, to=WHOLESALER, statement=AFFIRMED)
    dock.received(package(1), by=WHOLESALER)
    assert dock.owner(1) == (WHOLESALER, WHOLESALER, False)


def test_9_nobody_ships_a_sale_without_affirming_all_seven(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    assert codes_of(dock.ship(code(1), to=WHOLESALER, affirmed=False).get_json()) == {"not_affirmed"}
    path = dock.ship(code(1), to=WHOLESALER).headers["Location"]
    affirmed = dock.get(path, WHOLESALER).get_json()["statement"]["affirms"]
    assert affirmed == [letter for letter, _ in AFFIRMATIONS] == list("ABCDEFG")


# 13


def test_13_six_year_retention_starts_at_different_moments_per_record_type(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.ship(code(1), to=WHOLESALER, transaction_date="2026-11-02")
    now = dock.services.clock.now()
    ended, disposed = now - timedelta(days=3), now - timedelta(days=1)
    with dock.services.database.writing() as connection:
        for dates in (
            {"cleared_at": ended},
            {"illegitimate_at": now - timedelta(days=9), "dispositioned_at": disposed},
        ):
            data = {name: day.isoformat() for name, day in dates.items()}
            new = NewCase(Desk.INVESTIGATIONS, "suspect", MAKER, "Odd", package(1), data=data)
            cases.open_case(connection, dock.services.clock, new)
    lines, _ = dock.services.retention.report(now)
    begun = {line.type: line.oldest for line in lines}
    assert begun[RecordType.TRANSACTION].date().isoformat() == "2026-11-02", "from the transaction"
    assert begun[RecordType.IDENTIFIERS] == begun[RecordType.TRANSACTION]
    assert begun[RecordType.SUSPECT] == ended, "from the end of the investigation"
    assert begun[RecordType.ILLEGITIMATE] == disposed, "from the end of the disposition"


def test_13_a_legal_hold_stops_purge(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.ship(code(1), to=WHOLESALER)
    over = keep_until(dock.services.clock.now()) + timedelta(days=1)

    def fates() -> dict[Fate, int]:
        [sold, *_], _ = dock.services.retention.report(over)
        return {kind: count for kind, count in sold.counts.items() if count}

    assert fates() == {Fate.FREE: 1}
    held = dock.services.retention.hold(OPERATOR, About.LOT, LOT_KEY, "Civil action")
    assert fates() == {Fate.HELD: 1}
    dock.services.retention.lift(OPERATOR, held.hold_id, "settled")
    assert fates() == {Fate.FREE: 1}
    dock.trade.sweep()


# 14


def test_14_atp_status_is_evaluated_as_of_event_time_with_evidence_stored(sqlite_dock: Dock):
    dock = sqlite_dock
    clock = dock.services.clock
    with dock.services.database.writing() as connection:
        where = partners.Address("1 Back Alley", "Reno", "NV", "89501", "US")
        known = partners.register(connection, clock, STRANGER, "Back Alley", "wholesaler", place=where)
        until = clock.now() + timedelta(days=3)
        new = NewLicence(
            "NV-BOP", "W-9", clock.now() - timedelta(days=300), until, source="State board's list"
        )
        licences.add(connection, known.party_id, known.kind, new)
    dock.made(1, 2)
    early = dock.sold(package(1), by=MAKER, to=STRANGER)
    clock.advance(timedelta(days=30))
    late = dock.sold(package(2), by=MAKER, to=STRANGER)
    assert findings(early) == []
    assert findings(late) == ["unauthorized_party"]
    [found] = late.findings
    last_day = (until - timedelta(seconds=1)).date()
    assert found["message"].endswith(f"its state licence W-9 of NV-BOP ran out on {last_day}")
    with dock.services.database.reading() as connection:
        checks = licences.checks_of(connection, [early.events[0].seq, late.events[0].seq])
        [held] = licences.of_parties(connection, [known.party_id])[known.party_id]
        # An expired licence does not invalidate older entries.
        assert custody.findings_of(connection, [early.events[0].seq]) == []
    then = [each for each in checks[early.events[0].seq] if each.party_id == known.party_id]
    assert [(each.authorized, each.licence_id) for each in then] == [(True, held.licence_id)]
    now = [each for each in checks[late.events[0].seq] if each.party_id == known.party_id]
    assert [(each.authorized, each.licence_id) for each in now] == [(False, None)]
    report = fsck(dock.services.database, dock.services.node)
    assert report.ok, report.findings


def test_14_an_exemption_is_data_and_holds_for_its_time_and_its_duty(sqlite_dock: Dock):
    dock = sqlite_dock
    clock = dock.services.clock
    with dock.services.database.writing() as connection:
        known = partners.register(connection, clock, STRANGER, "Relief Depot", "wholesaler")
        granted = clock.now() - timedelta(days=1)
        until = clock.now() + timedelta(days=2)
        for duty in licences.Duty:
            reason, link = "waiver of 582(a)(3)", "https://example.com/waiver"
            days = until if duty is licences.Duty.AUTHORIZATION else None
            licences.exempt(connection, known.party_id, duty, granted, days, reason, link)
    dock.made(1, 2)

    def told(number: int) -> bool:
        receipt = dock.sold(package(number), by=MAKER, to=STRANGER)
        return "unauthorized_party" in findings(receipt)

    assert not told(1)
    clock.advance(timedelta(days=5))
    assert told(2), "to be exempt from electronic exchange authorizes nobody"


# 15


def test_15_a_trading_partner_cannot_read_anothers_ti_and_cannot_tell_it_from_none(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    first = dock.ship(code(1), to=WHOLESALER).headers["Location"]
    dock.received(package(1), by=WHOLESALER)
    second = dock.ship(code(1), to=PHARMACY, by=WHOLESALER).headers["Location"]
    none = dock.get("/transactions/999.0", PHARMACY).get_json()
    for path, stranger in ((first, PHARMACY), (first, KEEPER), (second, MAKER), (second, KEEPER)):
        for asked in (path, f"{path}/epcis"):
            answer = dock.get(asked, stranger)
            assert answer.status_code == 404
            assert {**answer.get_json(), "request_id": ""} == {**none, "request_id": ""}
    assert [len(dock.sales(gln)) for gln in (MAKER, WHOLESALER, PHARMACY, KEEPER)] == [1, 2, 1, 0]
    # The file for the pharmacy tells how the pack began, and not of whom its seller bought it.
    raw = dock.get(f"{second}/epcis", PHARMACY).data
    assert [each.biz_step for each in read(raw).events] == ["commissioning", "shipping"]
    assert "owning_party" in raw.decode()
    sellers = {each.id[-13:] for each in read(raw).events[-1].sources}
    assert sellers == {WHOLESALER}


def test_15_a_trading_partner_cannot_read_the_chain(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1, 2)
    dock.ship(code(1), to=WHOLESALER)
    dock.received(package(1), by=WHOLESALER)
    dock.sold(package(1), by=WHOLESALER, to=PHARMACY)
    for path in ("/ledger/tile/entries/000.p/1", "/ledger/tile/entries/000.p/9"):
        assert dock.get(path, PHARMACY).status_code == 403, (
            "whoever audits the whole log is given a token for it"
        )
    anyone = dock.get(f"/epcis/events?MATCH_anyEPC={package(1)}", PHARMACY).get_json()
    steps = [each["bizStep"] for each in anyone["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
    assert steps == ["shipping"], "it reads the sale to it, and not of whom its seller bought"
    nothing = dock.get(f"/epcis/events?MATCH_anyEPC={package(2)}", PHARMACY).get_json()
    assert nothing["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []


def test_15_every_regulator_disclosure_is_itself_a_ledger_entry(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    dock.node.person("iris", Role.INSPECTOR)
    inspector = dock.node.sign_in("iris")
    size = dock.trade.counts()[0]
    assert inspector.get("/inspector", query_string={"q": package(2)}).status_code == 200
    assert dock.trade.counts()[0] == size, "of what is not there nothing is disclosed: the trail has it"
    for number, path in enumerate(("/inspector", "/inspector/search"), 1):
        asked = {"q": package(1)} if number == 1 else {"gtin": GTIN, "lot": "LOT42"}
        assert inspector.get(path, query_string=asked).status_code == 200
        assert dock.trade.counts()[0] == size + number
    with dock.services.node.ledger.reading() as reader:
        kinds = [Entry.decode(body).kind for _, body in reader.entries(size, size + 2)]
    assert kinds == [Kind.AUDIT, Kind.AUDIT]


def test_15_every_reading_of_ti_is_in_the_audit_trail_and_so_is_asking_in_vain(sqlite_dock: Dock):
    dock = sqlite_dock
    dock.made(1)
    number = dock.ship(code(1), to=WHOLESALER).get_json()["transaction"]
    dock.get(f"/transactions/{number}", WHOLESALER)
    dock.get(f"/transactions/{number}", PHARMACY)
    with dock.services.database.reading() as connection:
        vain, seen = entries(connection, action="transaction.view")
    assert (seen.actor_party, seen.outcome, seen.whose) == (WHOLESALER, "shown", MAKER)
    assert (vain.actor_party, vain.outcome, vain.whose) == (PHARMACY, "nothing", "")
    assert {seen.subject, vain.subject} == {number}
