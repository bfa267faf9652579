"""The messages of product verification: what is read, what is refused, what survives the way through a URL."""

import json
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.errors import Invalid
from app.vrs.answers import Made, Mark, answer
from app.vrs.messages import (
    PADDED_TO,
    Answer,
    Failure,
    Info,
    Question,
    read_answer,
    read_connectivity,
    read_path,
    read_question,
    require_version,
    target,
    write_answer,
)
from ledger.gs1.charset import CSET82
from tests.support.app import GLN_A, GLN_B

GTIN, UUID = "00399999001014", "0f8fad5b-d9cb-469f-a165-70867728950e"
CONTEXTS = ["dscsaSaleableReturn"]
AT = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
CHARACTERS = sorted(c for c in map(chr, range(33, 127)) if c not in "#$@[\\]^`{|}~")
QUESTION = Question(GTIN, "LOT42", "A1", "280531", CONTEXTS[0], GLN_B, UUID, attested=True)


def read(uri, **changed):
    query = {
        "exp": "280531", "linkType": "verificationService", "context": CONTEXTS[0], "reqGLN": GLN_B,
        "corrUUID": UUID, **changed,
    }  # fmt: skip
    return read_question(uri, [(name, value) for name, value in query.items() if value is not None], CONTEXTS)


def path(lot="LOT42", serial="A1"):
    return f"/verify/gtin/{GTIN}/lot/{lot}/ser/{serial}"


def test_the_characters_are_all_82_of_the_set():
    assert len(CHARACTERS) == 82
    assert all(c in CSET82.replace("\\", "") or c.isalnum() for c in CHARACTERS)


@pytest.mark.parametrize("char", [*CHARACTERS, "..", "a//b", "%2F", "/ser/", "%25"])
def test_every_character_of_the_set_survives_in_lot_and_serial(char):
    asked = Question(GTIN, f"{char}L", f"s{char}", "280531", CONTEXTS[0], GLN_B, UUID)
    parts = urlsplit(target(asked))
    assert read_question(target(asked), parse_qsl(parts.query), CONTEXTS) == asked
    alone = Question(GTIN, char, char, "280531", CONTEXTS[0], GLN_B, UUID)
    assert read_path(target(alone)) == (GTIN, char, char)


def test_a_slash_that_a_proxy_decoded_is_put_up_with_where_one_reading_is_possible():
    assert read_path(path(serial="a1/B%25")) == (GTIN, "LOT42", "a1/B%")
    assert read_path(path(lot="L/4") + "?x=/ser/") == (GTIN, "L/4", "A1")
    assert read_path("https://verify.example" + path()) == (GTIN, "LOT42", "A1")
    with pytest.raises(Invalid, match="the path"):
        read_path(path(serial="A/ser/B"))


def test_a_question_is_read_with_all_it_says():
    asked = read(path(), ctrlPossessAtt="true", email="ask@b.example", telephone="+1 555 0100")
    assert asked == Question(
        GTIN, "LOT42", "A1", "280531", CONTEXTS[0], GLN_B, UUID, True, "ask@b.example +1 555 0100"
    )


BAD = {
    "a GTIN of 13 digits": (path().replace(GTIN, GTIN[1:]), {}),
    "a bad check digit": (path().replace(GTIN, GTIN[:-1] + "5"), {}),
    "no lot": (path(lot=""), {}),
    "no serial": (path(serial=""), {}),
    "a serial of 21 characters": (path(serial="1" * 21), {}),
    "a space": (path(serial="A%201"), {}),
    "a stray percent sign": (path(serial="A%"), {}),
    "beyond ASCII": (path(serial="%C3%A9"), {}),
    "no word ser": (f"/verify/gtin/{GTIN}/lot/LOT42", {}),
    "no expiry": (path(), {"exp": None}),
    "a month 13": (path(), {"exp": "281331"}),
    "an ISO date": (path(), {"exp": "2028-05-31"}),
    "another link type": (path(), {"linkType": "pip"}),
    "no link type": (path(), {"linkType": None}),
    "an unknown context": (path(), {"context": "justCurious"}),
    "no GLN": (path(), {"reqGLN": None}),
    "a bad GLN": (path(), {"reqGLN": "0399999000018"}),
    "no corrUUID": (path(), {"corrUUID": None}),
    "a corrUUID that is none": (path(), {"corrUUID": "urn:uuid:" + UUID}),
    "an attestation that is neither": (path(), {"ctrlPossessAtt": "yes"}),
    "control characters": (path(), {"email": "a\r\nb"}),
    "an endless telephone": (path(), {"telephone": "1" * 255}),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_malformed_is_refused_with_what_is_wrong(case):
    uri, changed = BAD[case]
    with pytest.raises(Invalid) as error:
        read(uri, **changed)
    assert (error.value.status, error.value.code) == (400, "vrs.malformed")
    assert error.value.detail


def test_a_parameter_stands_once_or_twice_the_same():
    twice = [("gtin", GTIN), ("reqGLN", GLN_B), ("reqGLN", GLN_B), ("x", "1"), ("x", "2")]
    assert read_connectivity(twice, CONTEXTS) == (GTIN, GLN_B)
    with pytest.raises(Invalid, match="reqGLN"):
        read_connectivity([*twice, ("reqGLN", GLN_A)], CONTEXTS)


def test_versions_of_one_are_spoken():
    for text in (None, "1", "1.3", "1.3.0", "1.2.1"):
        require_version(text)
    for text in ("", "2.0.0", "1.3.0.0", "1.3 "):
        with pytest.raises(Invalid):
            require_version(text)


@pytest.mark.parametrize("found", [
    Answer(True), Answer(True, info=Info.RECALLED), Answer(False, Failure.SERIAL),
    Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.ILLEGITIMATE), *(Answer(False, each) for each in Failure),
])  # fmt: skip
def test_an_answer_is_read_as_it_was_written_and_has_always_the_same_length(found):
    body = write_answer(found, QUESTION, GLN_A, AT)
    assert len(body) == PADDED_TO
    assert read_answer(body, QUESTION, GLN_A) == found
    value = json.loads(body)
    assert value["verificationTimestamp"] == "2026-11-20T12:00:00Z"
    assert (value["responderGLN"], value["corrUUID"]) == (GLN_A, UUID)


def test_nothing_is_made_of_an_answer_that_is_none():
    good = json.loads(write_answer(Answer(False, Failure.SERIAL), QUESTION, GLN_A, AT))
    for wrong in (
        b"", b"[]", b"[" * 5000, b"null", b"\xff", {**good, "data": None}, {**good, "data": {"verified": "false"}},
        {**good, "corrUUID": "0" * 8 + UUID[8:]}, {**good, "responderGLN": GLN_B}, {},
    ):  # fmt: skip
        body = wrong if isinstance(wrong, bytes) else json.dumps(wrong).encode()
        with pytest.raises(ValueError, match="answer"):
            read_answer(body, QUESTION, GLN_A)


def test_a_reason_that_is_not_known_is_none_and_never_a_denial():
    body = {"corrUUID": UUID.upper(), "data": {"verified": False, "verificationFailureReason": "No_match"}}
    assert read_answer(json.dumps(body).encode(), QUESTION, "") == Answer(False, Failure.NO_REASON)


MADE = Made("LOT42", date(2028, 5, 31))
TODAY = date(2026, 11, 20)
OLD = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("made", "lot", "expiry", "marks", "expected"),
    [
        (None, "LOT42", MADE.expiry, (), Answer(False, Failure.SERIAL)),
        (MADE, "LOT42", MADE.expiry, (), Answer(True)),
        (MADE, "lot42", MADE.expiry, (), Answer(False, Failure.LOT)),
        (MADE, "LOT42", OLD, (), Answer(False, Failure.EXPIRY)),
        (MADE, "X", OLD, (), Answer(False, Failure.LOT_EXPIRY)),
        (Made("LOT42", OLD), "LOT42", OLD, (), Answer(True, info=Info.EXPIRED)),
        (Made("LOT42", OLD), "LOT42", OLD, (Mark.EXTENDED,), Answer(True, info=Info.EXTENDED)),
        (Made("LOT42", OLD, recalled=True), "LOT42", OLD, (), Answer(True, info=Info.RECALLED)),
        (Made("LOT42", TODAY), "LOT42", TODAY, (), Answer(True)),
        (Made("LOT42", OLD, ended=True), "LOT42", OLD, (), Answer(False, Failure.NOT_FOR_REDISTRIBUTION)),
        (
            Made("LOT42", OLD, disputed=True), "LOT42", OLD, (),
            Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.SUSPECT),
        ),
        (MADE, "LOT42", MADE.expiry, (Mark.SUSPECT,), Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.SUSPECT)),
        (
            MADE, "LOT42", MADE.expiry, (Mark.SUSPECT, Mark.ILLEGITIMATE),
            Answer(False, Failure.NOT_FOR_REDISTRIBUTION, Info.ILLEGITIMATE),
        ),
        (MADE, "LOT42", MADE.expiry, (Mark.POLICY,), Answer(False, Failure.POLICY)),
        (MADE, "X", MADE.expiry, (Mark.ILLEGITIMATE,), Answer(False, Failure.LOT)),
    ],
)  # fmt: skip
def test_a_maker_answers_by_its_record(made, lot, expiry, marks, expected):
    assert answer(made, lot, expiry, marks, TODAY) == expected
