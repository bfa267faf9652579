"""Nobody shuts another out by failing in his name, and guessing stays slow wherever it is tried from."""

from datetime import timedelta

import pytest

from app.errors import AppError
from app.people.rules import SLOW_AFTER, slowed_after
from app.people.service import SignInFailed, Source, TooSoon
from app.shared.actor import ANONYMOUS, Role
from app.web.known import network
from tests.support.app import PASSWORD

WRONG = "not the password"


def test_failures_from_one_address_hold_nobody_else_up(node):
    node.person("mia", Role.PHARMACIST)
    stranger = node.visitor("192.0.2.66")
    answers = [stranger.sign_in("mia", WRONG).status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    assert node.visitor("192.0.2.7").sign_in("mia").status_code == 303


def test_a_browser_that_knows_the_name_is_held_up_by_nobody_behind_the_same_router(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    own = sqlite_node.sign_in("mia")
    own.post("/sign-out", form="/")
    accomplice = sqlite_node.visitor()
    assert [accomplice.sign_in("mia", WRONG).status_code for _ in range(6)][-1] == 429
    assert own.sign_in("mia").status_code == 303


def test_one_who_knows_one_name_does_not_guess_another_freely(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    sqlite_node.person("quinn", Role.QUALITY)
    mias = sqlite_node.sign_in("mia")
    mias.post("/sign-out", form="/")
    assert [mias.sign_in("quinn", WRONG).status_code for _ in range(6)] == [401] * 5 + [429]
    assert [mias.sign_in("mia", WRONG).status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_cookie_of_somebody_elses_making_makes_no_browser_known(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.visitor()
    for number in range(6):
        visitor.client.set_cookie("packproof_known", f"{number}.forged.cookie")
        last = visitor.sign_in("mia", WRONG)
    assert last.status_code == 429


def test_a_name_that_fails_everywhere_is_slowed_down_and_not_shut_out(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    known = sqlite_node.sign_in("mia")
    known.post("/sign-out", form="/")
    for number in range(SLOW_AFTER):
        assert sqlite_node.visitor(f"198.51.100.{number}").sign_in("mia", WRONG).status_code == 401
    late = sqlite_node.visitor("203.0.113.1")
    held = late.sign_in("mia")
    assert (held.status_code, held.headers["Retry-After"]) == (429, "2")
    assert known.sign_in("mia").status_code == 303
    sqlite_node.clock.advance(timedelta(seconds=3))
    assert late.sign_in("mia").status_code == 303


def test_of_attempts_at_the_same_moment_a_name_that_is_slowed_down_lets_one_through(sqlite_node, monkeypatch):
    sqlite_node.person("mia", Role.PHARMACIST)
    for number in range(SLOW_AFTER):
        sqlite_node.visitor(f"198.51.100.{number}").sign_in("mia", WRONG)
    sqlite_node.clock.advance(timedelta(seconds=3))
    people = sqlite_node.services.people
    checks, found = [], []

    def check(stored, password):
        checks.append(password)
        if len(checks) == 1:  # while the first is being checked, the others come
            found.extend(refused(people, f"address 203.0.113.{number}") for number in range(3))
        return False

    monkeypatch.setattr(people, "_verify", check)
    assert refused(people, "address 203.0.113.9") is SignInFailed
    assert (len(checks), found) == (1, [TooSoon] * 3)


def refused(people, source):
    with pytest.raises(AppError) as raised:
        people.sign_in("mia", WRONG, by=ANONYMOUS, source=Source(source))
    return raised.type


def test_the_slowing_down_ends_at_two_seconds():
    assert [slowed_after(n).total_seconds() for n in (1, SLOW_AFTER - 1, SLOW_AFTER, 10**9)] == [0, 0, 2, 2]


def test_the_rest_of_an_ipv6_address_is_anybodys_to_choose():
    assert network("2001:db8:0:1:aaaa::1") == network("2001:db8:0:1:bbbb::2") == "2001:db8:0:1::/64"
    assert network("2001:db8:0:2::1") != network("2001:db8:0:1::1")
    assert [network(text) for text in ("192.0.2.1", "", "unix")] == ["192.0.2.1", "", "unix"]


def test_a_visitor_may_try_as_often_as_another_from_the_same_address_where_the_browser_is_known(make_app):
    node = make_app(sign_in_per_minute=3)
    node.person("mia", Role.PHARMACIST)
    own = node.sign_in("mia")
    own.post("/sign-out", form="/")
    other = node.visitor()
    assert [other.sign_in(f"name{n}", PASSWORD).status_code for n in range(3)] == [401, 401, 429]
    assert own.sign_in("mia").status_code == 303
