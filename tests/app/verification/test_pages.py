"""The scan page: verdicts with their next step, kind words for bad pictures, nothing for strangers."""

import io
import re

import pytest
from PIL import Image

from app.shared.actor import Role
from app.verification.pages import PICTURE, SAID, age
from ledger.custody.verdict import TABLE, Reason, Word
from scanner.decode import MAX_IMAGE_PIXELS
from tests.support.counter import AT_ITS_MAKER, HERE, ON_ITS_WAY, code, label, text_of
from tests.support.crook import tamper
from tests.support.world import GTIN, package

NEXT = {reason: step for reason, _, _, step in TABLE}


def picture(visitor, data, name="label.png", path="/scan"):
    return visitor.post(path, {"picture": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def test_every_reason_is_said_in_words_of_its_own():
    assert set(SAID) == set(Reason)
    assert len(set(SAID.values())) == len(SAID)
    assert not re.search(r"\bfakes?\b|counterfeit", " ".join([*SAID.values(), *NEXT.values()]), re.IGNORECASE)


SCANS = {
    "OK": (code(HERE), Reason.OK),
    "COULD NOT READ": ("(01)00399999001014(21", Reason.UNREADABLE),
    "SUSPECT": (code("NEVER"), Reason.NEVER_MADE),
    "DETAILS DIFFER": (code(HERE, lot="OTHER"), Reason.LOT_DIFFERS),
    "CANNOT CONFIRM YET": ("(01)00614141999996(21)7(17)280531(10)X", Reason.NO_RECORD),
}


def test_each_scan_answers_by_its_word_its_reason_and_the_next_step(counter):
    visitor = counter.pharmacist()
    for word, (typed, reason) in SCANS.items():
        said = text_of(visitor.post("/scan", {"code": typed}))
        assert word in said, typed
        assert SAID[reason] in said, typed
        assert NEXT[reason] in said, typed


def test_a_dispensed_pack_is_not_to_be_used_again(counter):
    visitor = counter.pharmacist()
    assert visitor.post("/dispense", {"code": code(HERE)}).status_code == 200
    said = text_of(visitor.post("/scan", {"code": code(HERE)}))
    assert Word.DO_NOT_USE.value in said
    assert NEXT[Reason.ENDED_HERE] in said


def test_a_picture_is_answered_as_its_typed_code_is(counter):
    visitor = counter.pharmacist()
    shown, typed = picture(visitor, label(HERE)), visitor.post("/scan", {"code": code(HERE)})
    for response in (shown, typed):
        assert response.status_code == 200
        assert SAID[Reason.OK] in text_of(response)
        assert 'action="/dispense"' in response.text


def test_a_picture_without_a_code_could_not_be_read(counter):
    blank = io.BytesIO()
    Image.new("L", (200, 200), 255).save(blank, "PNG")
    said = text_of(picture(counter.pharmacist(), blank.getvalue()))
    assert "COULD NOT READ" in said
    assert NEXT[Reason.NOTHING_DECODED] in said


def test_a_file_that_is_no_picture_gets_a_kind_word_on_the_same_page(counter):
    response = picture(counter.pharmacist(), b"Dear pharmacist,\nthis is a letter.", "letter.png")
    assert response.status_code == 400
    assert PICTURE["image-unreadable"] in text_of(response)
    assert 'id="code"' in response.text


@pytest.mark.parametrize("path", ["/scan", "/dispense"])
def test_a_picture_bomb_is_refused_before_it_is_unpacked(counter, path):
    side = int(MAX_IMAGE_PIXELS**0.5) + 100
    bomb = io.BytesIO()
    Image.new("1", (side, side)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    response = picture(counter.pharmacist(), bomb.getvalue(), path=path)
    assert response.status_code == 400
    assert PICTURE["image-too-large"] in text_of(response)


def test_what_could_not_be_read_is_shown_raw_and_harmless(counter):
    response = counter.pharmacist().post("/scan", {"code": "01\x1d<script>alert(1)</script>"})
    said = text_of(response)
    assert "COULD NOT READ" in said
    assert "01␝" in response.text
    assert "<script>alert" not in response.text


def test_a_pack_on_its_way_is_ok_and_not_yet_to_be_dispensed(counter):
    response = counter.pharmacist().post("/scan", {"code": code(ON_ITS_WAY)})
    said = text_of(response)
    assert "on its way to you" in said
    assert "Receive it" in said
    assert "Dispense this pack" not in said


def test_whoever_holds_nothing_learns_neither_maker_nor_holder(counter):
    response = counter.stranger().post("/scan", {"code": code(AT_ITS_MAKER)})
    said = text_of(response)
    assert "DETAILS DIFFER" in said
    assert "North Pharma" not in said
    assert "/package?epc=" not in response.text
    unlabelled = f"(01){GTIN}(21)"
    known, unknown = (
        text_of(counter.node.sign_in("sly").post("/scan", {"code": unlabelled + serial}))
        for serial in (str(AT_ITS_MAKER), "6")
    )
    assert "CANNOT CONFIRM YET" in known
    assert "CANNOT CONFIRM YET" in unknown


def test_every_scan_is_in_the_audit_trail(counter):
    visitor = counter.pharmacist()
    visitor.post("/scan", {"code": code(HERE)})
    visitor.post("/scan", {"code": code("NEVER")})
    assert counter.trail("package.check") == [
        ("mia", package("NEVER"), "nothing"),
        ("mia", package(HERE), "shown"),
    ]


def test_the_page_offers_dispensing_only_to_who_may(counter):
    clerk = counter.somebody("kim", Role.WAREHOUSE)
    response = clerk.post("/scan", {"code": code(HERE)})
    assert SAID[Reason.OK] in text_of(response)
    assert "/dispense" not in response.text


def test_an_answer_says_how_far_the_ledger_was_sealed(counter):
    said = text_of(counter.pharmacist().post("/scan", {"code": code(HERE)}))
    with counter.services.node.ledger.reading() as reader:
        assert f"sealed at {reader.head().size} entries" in said


def test_a_node_that_may_not_sign_its_head_answers_no_scan(counter):
    visitor = counter.pharmacist()
    (counter.services.settings.data_dir / "mark").unlink()
    response = visitor.post("/scan", {"code": code(HERE)})
    assert response.status_code == 503
    assert SAID[Reason.OK] not in response.text


def test_a_container_tells_the_worst_and_the_counts_of_what_is_inside(counter):
    counter.shortage()
    response = counter.pharmacist().post("/scan", {"code": "(00)103999990000000014"})
    said = text_of(response)
    assert re.search(r"<strong>1</strong> OK", response.text)
    assert "Packages inside 1" in said
    assert 'action="/dispense"' not in response.text


def test_an_unknown_symbology_is_ignored(counter):
    response = counter.pharmacist().post("/scan", {"code": code(HERE), "symbology": "]d2'; --"})
    assert SAID[Reason.OK] in text_of(response)


def test_rows_that_were_changed_behind_its_back_do_not_make_the_page_fall_over(counter):
    tamper(counter.services.database, "UPDATE item SET expiry = NULL")
    assert counter.pharmacist().post("/scan", {"code": code(HERE)}).status_code == 200


def test_day_00_is_taken_as_the_last_of_the_month_and_flagged_on_the_page(sqlite_counter):
    page = text_of(sqlite_counter.pharmacist().post("/scan", {"code": code(HERE, expiry="280500")}))
    assert "2028-05-31" in page
    assert "its expiry has day 00, taken as the last of the month" in page


def test_the_answer_says_in_words_how_old_what_it_rests_on_is(sqlite_counter):
    page = text_of(sqlite_counter.pharmacist().post("/scan", {"code": code(HERE)}))
    assert "What it rests on is up to this moment, in a ledger sealed at" in page
    assert [age(seconds) for seconds in (0, 59, 60, 7_200, 86_400, 200_000)] == [
        *("up to this moment", "up to this moment", "1 minute old", "2 hours old", "1 day old", "2 days old")
    ]


def test_a_serial_that_nearly_is_a_known_one_is_scanned_again_before_anybody_is_asked(sqlite_counter):
    page = text_of(sqlite_counter.pharmacist().post("/scan", {"code": code("I")}))
    assert "CANNOT CONFIRM YET" in page
    assert "Scan it again: the serial differs only in" in page
    assert "Ask the seller for the data" not in page
