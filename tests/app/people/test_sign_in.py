"""Signing in: what it opens, and how little it tells to who guesses."""

import re
import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from app.people.pages import local_path
from app.people.service import People, SignInFailed
from app.shared.actor import ANONYMOUS, Role
from app.shared.audit import entries
from tests.support.app import GLN_A, OPERATOR, PASSWORD


def body_without_token(response):
    return re.sub(r'name="csrf_token" value="[^"]+"', "", response.text)


def test_a_person_signs_in_sees_the_start_page_and_signs_out(node):
    node.person("mia", Role.PHARMACIST)
    visitor = node.visitor()
    response = visitor.sign_in("mia")
    assert (response.status_code, response.location) == (303, "/")
    start = visitor.get("/")
    assert start.status_code == 200
    assert "mia" in start.text
    assert GLN_A in start.text
    out = visitor.post("/sign-out", form="/")
    assert (out.status_code, out.location) == (303, "/sign-in")
    assert visitor.get("/").location == "/sign-in"


def test_names_are_compared_without_case_or_width(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    assert sqlite_node.visitor().sign_in("  ＭＩＡ ").status_code == 303


def test_every_failure_gets_the_same_answer(node):
    node.person("mia", Role.PHARMACIST)
    node.person("gone", Role.PHARMACIST)
    node.services.people.disable(OPERATOR, "gone")
    node.person("ines", Role.INSPECTOR, expires_at=node.clock.now() + timedelta(hours=1))
    node.clock.advance(timedelta(hours=2))
    visitor = node.visitor()
    tries = {"mia": "not the password", "nobody": PASSWORD, "gone": PASSWORD, "ines": PASSWORD}
    answers = {name: visitor.sign_in(name, password) for name, password in tries.items()}
    assert {answer.status_code for answer in answers.values()} == {401}
    assert len({body_without_token(answer).replace(name, "") for name, answer in answers.items()}) == 1


class CountingHasher(PasswordHasher):
    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.costs = []
        self.made = 0

    def hash(self, password, *, salt=None):
        self.made += 1
        return super().hash(password, salt=salt)

    def verify(self, stored, password):
        # What argon2 is made to do is in the hash; one that cannot be read costs nothing, and shows.
        self.costs.append(stored.rpartition("$")[0].rpartition("$")[0])
        return super().verify(stored, password)


def test_an_unknown_name_costs_one_password_check_and_the_same_rows_like_a_known_one(sqlite_node):
    hasher = CountingHasher()
    services = sqlite_node.services
    services.people = People(services.database, sqlite_node.clock, services.sessions, hasher)
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.visitor()
    for name in ("mia", "nobody"):
        visitor.sign_in(name, "not the password")
    assert hasher.costs == ["$argon2id$v=19$m=8,t=1,p=1"] * 2
    with services.database.reading() as connection:
        rows = entries(connection, action="people.sign_in")
    assert [(row.subject, row.outcome, row.address) for row in rows] == [
        ("nobody", "failed", "192.0.2.1"),
        ("mia", "failed", "192.0.2.1"),
    ]


@pytest.mark.parametrize("name", ["mia", "nobody"])
def test_after_five_failures_a_name_waits_whether_it_exists_or_not(node, name):
    node.person("mia", Role.PHARMACIST)
    visitor = node.visitor()
    for _ in range(5):
        assert visitor.sign_in(name, "not the password").status_code == 401
    held = visitor.sign_in(name)
    assert (held.status_code, held.headers["Retry-After"]) == (429, "2")
    node.clock.advance(timedelta(seconds=3))
    assert visitor.sign_in(name).status_code == (303 if name == "mia" else 401)


def test_the_first_attempt_with_an_unknown_name_costs_what_the_first_with_a_known_one_does(sqlite_node):
    made = []
    for name in ("mia", "nobody"):
        hasher = CountingHasher()
        services = sqlite_node.services
        services.people = People(services.database, sqlite_node.clock, services.sessions, hasher)
        if name == "mia":
            sqlite_node.person("mia", Role.PHARMACIST)
            hasher.made = 0
        sqlite_node.visitor().sign_in(name, "not the password")
        made.append((hasher.made, len(hasher.costs)))
    assert made == [(1, 1), (1, 1)]


def test_the_wait_doubles_up_to_five_minutes_and_a_success_forgets_it(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.visitor()
    for _ in range(4):
        visitor.sign_in("mia", "not the password")
    waits = []
    for _ in range(10):
        assert visitor.sign_in("mia", "not the password").status_code == 401
        waits.append(int(visitor.sign_in("mia").headers["Retry-After"]))
        sqlite_node.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert visitor.sign_in("mia").status_code == 303
    assert sqlite_node.visitor().sign_in("mia", "not the password").status_code == 401
    assert sqlite_node.visitor().sign_in("mia").status_code == 303


def test_guesses_made_at_the_same_moment_are_all_counted(node):
    people, start = node.services.people, threading.Barrier(4)

    def guess():
        start.wait()
        with pytest.raises(SignInFailed):
            people.sign_in("mia", "not the password", by=ANONYMOUS)

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with node.services.database.reading() as connection:
        counted = connection.exec_driver_sql("SELECT failures FROM sign_in_failure").scalars().all()
    assert counted == [4, 4], "for the name, and for who tried it"


def test_one_address_may_only_try_so_often_and_others_are_not_held_up(make_app):
    node = make_app(sign_in_per_minute=3)
    node.person("mia", Role.PHARMACIST)
    guesser = node.visitor("192.0.2.66")
    answers = [guesser.sign_in(f"name{n}", "not the password") for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert "Too many requests" in answers[-1].text
    assert guesser.get("/sign-in").status_code == 200
    assert node.visitor("192.0.2.7").sign_in("mia").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\nb",
        "///evil.example",
        "",
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(sqlite_node, target):
    sqlite_node.person("mia", Role.PHARMACIST)
    response = sqlite_node.visitor().sign_in("mia", next=target)
    assert (response.status_code, response.location) == (303, "/")


def test_signing_in_leads_back_to_where_one_was_going(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    with sqlite_node.app.test_request_context():
        assert local_path("/package?key=0100312345678906") == "/package?key=0100312345678906"
    response = sqlite_node.visitor().sign_in("mia", next="/package?key=01")
    assert response.location == "/package?key=01"


def test_a_password_is_kept_as_argon2id_with_the_recommended_cost(make_app):
    node = make_app()
    node.services.people = People(node.services.database, node.clock, node.services.sessions)
    node.person("mia", Role.PHARMACIST)
    with node.services.database.reading() as connection:
        stored = connection.exec_driver_sql("SELECT password_hash FROM user_account").scalar_one()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert node.visitor().sign_in("mia").status_code == 303
