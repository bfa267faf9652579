"""The professional override: only past a clerical fault, by two people, documented, followed up and counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cases import many
from app.cases import service as cases
from app.cases.rules import Desk
from app.errors import AppError, Conflict, Refused
from app.events import query
from app.events.models import document
from app.overrides.rules import may_override, rate
from app.overrides.service import Request, kept
from app.people.models import web_session
from app.people.rules import SLOW_AFTER
from app.people.service import SignInFailed, TooSoon
from app.shared.actor import Actor, Role
from app.shared.audit import entries
from ledger.custody.verdict import TABLE, Reason, Verdict, Word
from tests.support.app import OPERATOR, PASSWORD, Node
from tests.support.counter import HERE, PHARMACY, STRANGER, Counter, code

OTHER_LOT = code(HERE, lot="OTHER").encode()


def asked(
    name: str = "quinn", password: str = PASSWORD, reason: str = "urgent_care", text: str = "Patient waits."
) -> Request:
    return Request(reason, text, name, password)


def staffed(counter: Counter) -> Actor:
    """The pharmacist who overrides; quinn of the same pharmacy is the second person."""
    mia = counter.node.person("mia", Role.PHARMACIST, party_gln=PHARMACY)
    counter.node.person("quinn", Role.QUALITY, party_gln=PHARMACY)
    return replace(
        OPERATOR, kind="person", id=mia.user_id, name="mia", role=Role.PHARMACIST, party_gln=PHARMACY
    )


def test_a_pack_whose_lot_differs_is_dispensed_by_two_people_and_followed_up(counter: Counter) -> None:
    mia, overrides = staffed(counter), counter.services.overrides
    done = overrides.dispense(OTHER_LOT, None, mia, asked())
    with counter.services.database.reading() as connection:
        [follow_up] = cases.queue(connection, Desk.OVERRIDES, PHARMACY)
        found = kept(connection, follow_up.case_id)
        assert found is not None
        assert (found.override_id, found.first_name, found.second_name, found.index) == (
            done.override_id,
            "mia",
            "quinn",
            done.index,
        )
        assert follow_up.due_at == counter.node.clock.now() + timedelta(days=3)
        assert (entries(connection, action="package.dispense")[0].detail) == done.override_id
        assert overrides.rate(connection, PHARMACY).said == "1 of 1 dispensed (100.0 %)"
        assert overrides.rate(connection, STRANGER).said == "0 of 0 dispensed (0.0 %)"
    [raw] = documents(counter, done.index)
    assert done.override_id.encode() in raw
    somebody = replace(OPERATOR, name="rae", role=Role.QUALITY, party_gln=PHARMACY)
    with pytest.raises(Refused):
        overrides.follow_up(mia, follow_up.case_id, "label", "It was misprinted.")
    overrides.follow_up(somebody, follow_up.case_id, "label", "It was misprinted.")
    with counter.services.database.reading() as connection:
        [cause] = many.by_cause(connection, Desk.OVERRIDES, PHARMACY)
        assert (cause.kind, cause.root_causes) == ("override", (("label", 1),))


def documents(counter: Counter, index: int) -> list[bytes]:
    with counter.services.database.reading() as connection:
        number = connection.execute(select(document.c.doc_id).where(document.c.idx == index)).scalar_one()
        return query.raw_documents(connection, [number])


def test_the_second_person_is_another_of_the_same_company_with_their_own_password(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    mia, overrides = staffed(counter), counter.services.overrides
    counter.node.person("walt", Role.WAREHOUSE, party_gln=PHARMACY)
    counter.node.person("sly", Role.PHARMACIST, party_gln=STRANGER)
    before = counter.trade.counts()
    wrong: list[tuple[Request, type[AppError]]] = [
        (asked(password="not the password"), SignInFailed),
        (asked("nobody"), SignInFailed),
        (asked("mia"), Refused),
        (asked("walt"), Refused),
        (asked("sly"), Refused),
        (asked(reason="because"), AppError),
        (asked(text="  "), AppError),
    ]
    for request, error in wrong:
        with pytest.raises(error):
            overrides.dispense(OTHER_LOT, None, mia, request)
    assert counter.trade.counts() == before
    with counter.services.database.reading() as connection:
        refused = entries(connection, action="override.dispense")
        assert cases.queue(connection, Desk.OVERRIDES, PHARMACY) == []
    assert [row.outcome for row in refused] == ["refused"] * len(wrong)


def test_confirming_opens_no_session(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    mia = staffed(counter)
    counter.services.overrides.dispense(OTHER_LOT, None, mia, asked())
    with counter.services.database.reading() as connection:
        ends = connection.execute(select(web_session.c.ended_at)).scalars().all()
    assert len(ends) == 1
    assert None not in ends


def test_an_accomplice_who_mistypes_a_colleagues_password_locks_nobody_out(counter: Counter) -> None:
    mia, overrides = staffed(counter), counter.services.overrides
    counter.node.person("sly", Role.PHARMACIST, party_gln=PHARMACY)
    sly = replace(mia, id="usr_sly", name="sly")
    for _ in range(5):
        with pytest.raises(SignInFailed):
            overrides.dispense(OTHER_LOT, None, sly, asked(password="not the password"))
    with pytest.raises(TooSoon):
        overrides.dispense(OTHER_LOT, None, sly, asked())
    assert counter.node.visitor().sign_in("quinn").status_code == 303, "at the very counter"
    assert overrides.dispense(OTHER_LOT, None, mia, asked()).index


def test_strangers_who_fail_in_the_second_persons_name_hold_no_override_up(sqlite_counter: Counter) -> None:
    mia, node = staffed(sqlite_counter), sqlite_counter.node
    answers = [
        node.visitor(f"198.51.100.{number}").sign_in("quinn", "not the password").status_code
        for number in range(SLOW_AFTER + 1)
    ]
    assert answers[-2:] == [401, 429]
    assert sqlite_counter.services.overrides.dispense(OTHER_LOT, None, mia, asked()).index


def test_passwords_in_overrides_are_limited_by_who_gives_them(make_app: Callable[..., Node]) -> None:
    node = make_app(sign_in_per_minute=2)
    node.person("mia", Role.PHARMACIST)
    node.person("quinn", Role.PHARMACIST)
    mia, quinn = node.sign_in("mia"), node.sign_in("quinn")
    form = {"code": "none", "second_name": "x", "second_password": "y"}
    tried = [mia.post("/override/dispense", form, form="/").status_code for _ in range(3)]
    assert tried[-1] == 429
    assert 429 not in tried[:2]
    assert quinn.post("/override/dispense", form, form="/").status_code != 429


NEVER = [reason for reason, word, _, _ in TABLE if word not in (Word.CANNOT_CONFIRM, Word.DETAILS_DIFFER)]


@pytest.mark.parametrize("reason", NEVER)
def test_what_is_suspect_recalled_expired_held_or_gone_is_never_overridden(reason: Reason) -> None:
    words = {known: word for known, word, _, _ in TABLE}
    assert not may_override(Verdict(words[reason], reason, (), "x"))
    if reason is not Reason.OK:
        assert not may_override(Verdict(Word.DETAILS_DIFFER, Reason.LOT_DIFFERS, (reason,), "x"))


@pytest.mark.parametrize("reason", [reason for reason, *_ in TABLE if reason not in NEVER])
def test_what_is_only_unconfirmed_or_differs_may_be(reason: Reason) -> None:
    words = {known: word for known, word, _, _ in TABLE}
    assert may_override(Verdict(words[reason], reason, (), "x"))


def test_what_is_ok_or_suspect_is_refused_before_anything_is_recorded(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    mia, before = staffed(counter), sqlite_counter.trade.counts()
    for typed in (code(HERE), code("NEVER"), "hello"):
        with pytest.raises(Conflict):
            counter.services.overrides.dispense(typed.encode(), None, mia, asked())
    assert counter.trade.counts() == before


def test_the_rate_is_told_in_words() -> None:
    assert rate(2, 140) == "2 of 140 dispensed (1.4 %)"
