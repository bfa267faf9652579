"""What is noticed when packs are scanned, and what becomes of those that were set aside."""

import re
from datetime import timedelta

import pytest

from app.shared.actor import Role
from app.verification.rules import MAKER_WITHIN, MOMENT, SELLER_WITHIN, chase, denies, says
from app.vrs import signals
from app.vrs.messages import Answer, Failure, Info
from app.vrs.rules import SignalKind
from ledger.custody.findings import Severity
from ledger.custody.verdict import MakerSays, Reason, Word
from tests.support.app import NOON, OPERATOR
from tests.support.counter import HERE, PHARMACY, STRANGER, code, text_of
from tests.support.world import GTIN, MAKER

UNKNOWN = "00614141999996"


def noticed(counter, kind, party=MAKER):
    with counter.services.database.reading() as connection:
        return [each for each in signals.signals(connection, party) if each.kind is kind]


def check(counter, typed, asker=PHARMACY):
    return counter.services.verification.check(typed.encode(), None, OPERATOR, asker=asker)


# A serial that nearly is another.


@pytest.fixture
def lettered(counter):
    """The counter, and pack `AZ10b` of its maker, which is the pharmacy's."""
    counter.told(counter.trade.begun("AZ10b"), counter.trade.shipped("AZ10b", to=PHARMACY), by=MAKER)
    return counter


SLIPS = {"az10B": "case", "AY10b": "Y and Z", "AZ1Ob": "O and 0, or I and 1", "AZ10c": ""}


def test_a_serial_that_differs_by_a_slip_of_the_keyboard_is_said_to(lettered):
    for typed, how in SLIPS.items():
        found = check(lettered, code(typed))
        # Whose key or scanner slipped is not accused.
        reason = Reason.NO_RECORD if how else Reason.NEVER_MADE
        assert (found.verdict.reason, found.near) == (reason, how), typed
    assert len(noticed(lettered, SignalKind.NEAR_DUPLICATE)) == 3
    said = lettered.pharmacist().post("/scan", {"code": code("az10B")})
    assert "the serial differs only in case from one that is known: scan again" in text_of(said)
    assert "AZ10b" not in said.text
    # Whoever has neither the pack nor its lot is not told that there is one.
    near = f"(01){GTIN}(21)az10B"
    assert check(lettered, near, asker=STRANGER).near == ""
    assert check(lettered, near + "(17)280531(10)GUESS", asker=STRANGER).near == ""
    assert check(lettered, code("az10B"), asker=STRANGER).near == "case"
    assert check(lettered, code("AZ10b").swapcase(), asker=STRANGER).near == "case"  # its lot has letters too
    assert check(lettered, near, asker=PHARMACY).near == "case"


# Guessing and heat.


def test_scans_of_serials_never_made_look_like_guessing_and_late_data_does_not(sqlite_counter):
    for number in range(901, 907):
        check(sqlite_counter, f"(01){UNKNOWN}(21){number}(17)280531(10)X")
    assert noticed(sqlite_counter, SignalKind.SERIAL_GUESSING, PHARMACY) == []
    for number in range(901, 907):
        check(sqlite_counter, code(number), asker=STRANGER)
    found = noticed(sqlite_counter, SignalKind.SERIAL_GUESSING)
    assert [(each.requester, each.severity) for each in found] == [(STRANGER, Severity.HOLD)]
    assert "serials in a row" in found[0].explanation


def test_a_pack_scanned_by_three_that_do_not_have_it_is_hot(sqlite_counter):
    for gln in (STRANGER, "0860000000017", "0614141000012"):
        assert check(sqlite_counter, code(HERE), asker=gln).verdict.word is Word.DETAILS_DIFFER
    check(sqlite_counter, code(HERE), asker=PHARMACY)
    [found] = noticed(sqlite_counter, SignalKind.VERIFICATION_HEAT)
    assert found.about.endswith("/21/1")


# Set aside, and judged again.

LATE = 77
# Without lot and expiry: the maker of this GTIN is here, and denies what it has not given on a full label.
SHORT = f"(01){GTIN}(21){LATE}"


def waiting(counter):
    return counter.services.verification.waiting(PHARMACY)


def test_a_pack_set_aside_is_judged_again_when_its_data_arrives(counter):
    trade = counter.trade
    counter.told(trade.shipped(LATE, to=PHARMACY), by=MAKER)
    assert check(counter, SHORT).verdict.reason is Reason.NOT_COMMISSIONED
    check(counter, SHORT)
    [row] = waiting(counter)
    assert (row.word, row.chase, row.due_at, row.cleared_at) == (
        Word.CANNOT_CONFIRM, "North Pharma", NOON + SELLER_WITHIN, None,
    )  # fmt: skip
    counter.node.clock.advance(timedelta(hours=2))
    counter.told(trade.begun(LATE), by=MAKER)
    [row] = waiting(counter)
    assert (row.word, row.cleared_at) == (Word.OK, NOON + timedelta(hours=2))
    counter.node.clock.advance(timedelta(hours=2))
    assert waiting(counter) == [row]
    assert check(counter, SHORT).verdict.word is Word.OK
    assert waiting(counter) == []


def test_the_list_shows_who_to_chase_and_then_that_it_is_ok(counter):
    trade = counter.trade
    counter.told(trade.shipped(LATE, to=PHARMACY), by=MAKER)
    visitor = counter.pharmacist()
    assert "Nothing is waiting" in text_of(visitor.get("/waiting"))
    visitor.post("/scan", {"code": SHORT})
    said = text_of(visitor.get("/waiting"))
    assert "CANNOT CONFIRM YET" in said
    assert "Ask North Pharma by 2026-11-23 12:00 UTC" in said
    counter.told(trade.begun(LATE), by=MAKER)
    assert "1 pack that was set aside is OK now" in text_of(visitor.get("/scan"))
    page = visitor.get("/waiting")
    assert "OK since 2026-11-20 12:00 UTC" in text_of(page)
    check_id = re.search(r'action="/waiting/(chk_[a-z0-9]+)"', page.text)[1]
    stranger = counter.stranger()
    assert stranger.post(f"/waiting/{check_id}", form="/scan").status_code == 404
    assert visitor.post(f"/waiting/{check_id}", form="/waiting").status_code == 303
    assert "Nothing is waiting" in text_of(visitor.get("/waiting"))
    assert counter.trail("package.put-away")[0][2] == "done"


def test_a_page_that_only_counts_them_judges_a_few(sqlite_counter):
    trade = sqlite_counter.trade
    for number in (LATE, LATE + 1):
        sqlite_counter.told(trade.shipped(number, to=PHARMACY), by=MAKER)
        check(sqlite_counter, f"(01){GTIN}(21){number}")
        sqlite_counter.node.clock.advance(timedelta(minutes=1))
    sqlite_counter.told(trade.begun(LATE, LATE + 1), by=MAKER)
    verification = sqlite_counter.services.verification
    few = verification.waiting(PHARMACY, most_judged=1)
    assert [each.word for each in few] == [Word.OK, Word.CANNOT_CONFIRM]
    assert few[0].subject.endswith(f"/{LATE}")
    assert {each.word for each in verification.waiting(PHARMACY)} == {Word.OK}


def test_another_partys_list_is_its_own(sqlite_counter):
    check(sqlite_counter, f"(01){UNKNOWN}(21)7(17)280531(10)X", asker=STRANGER)
    assert waiting(sqlite_counter) == []
    assert len(sqlite_counter.services.verification.waiting(STRANGER)) == 1


# What a maker adds, and whom to chase: pure.


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (None, set()),
        (Answer(True), {MakerSays.CONFIRMS}),
        (Answer(True, info=Info.EXTENDED), {MakerSays.CONFIRMS}),
        (Answer(True, info=Info.RECALLED), {MakerSays.RECALLED}),
        (Answer(True, info=Info.EXPIRED), {MakerSays.EXPIRED}),
        (Answer(False, Failure.LOT), {MakerSays.LOT_DIFFERS}),
        (Answer(False, Failure.EXPIRY, Info.RECALLED), {MakerSays.EXPIRY_DIFFERS, MakerSays.RECALLED}),
        (Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.SUSPECT), {MakerSays.NOT_FOR_USE}),
        (Answer(True, info=Info.ILLEGITIMATE), {MakerSays.NOT_FOR_USE}),
        (Answer(False, Failure.POLICY), set()),
        (Answer(False, Failure.NO_REASON), set()),
        (Answer(False, Failure.SERIAL), set()),
    ],
)
def test_what_a_maker_answers_means(answer, meaning):
    assert says(answer) == meaning
    assert denies(answer) is (answer == Answer(False, Failure.SERIAL))


def test_whom_to_chase_by_when():
    assert chase(Reason.OK, "Dock Street", "North Pharma", NOON) is None
    missing = chase(Reason.NOT_COMMISSIONED, "Dock Street", "North Pharma", NOON)
    assert (missing.who, missing.by) == ("Dock Street", NOON + SELLER_WITHIN)
    unknown = chase(Reason.NO_RECORD, None, "North Pharma", NOON)
    assert "North Pharma" in unknown.who
    assert unknown.by == NOON + MAKER_WITHIN
    assert chase(Reason.IN_PROGRESS, None, None, NOON).by == NOON + MOMENT


def test_the_list_is_the_trades_own(sqlite_counter):
    assert sqlite_counter.somebody("ivy", Role.INSPECTOR).get("/waiting").status_code == 403
