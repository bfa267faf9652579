"""Accounts: what a name, a password, a role and its party must be."""

from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app.errors import Conflict, Invalid, NotFound
from app.people.models import user_account
from app.people.rules import canonical_name, parse_name, wait_after
from app.shared.actor import Role
from app.shared.audit import entries
from tests.support.app import GLN_A, NOON, OPERATOR, PASSWORD


def test_an_account_is_added_listed_and_written_into_the_audit_trail(node):
    node.person("mia", Role.PHARMACIST)
    (user,) = node.services.people.all()
    assert (user.name, user.role, user.party_gln, user.created_at) == ("mia", Role.PHARMACIST, GLN_A, NOON)
    with node.services.database.reading() as connection:
        (row,) = entries(connection, subject="mia")
    assert (row.action, row.actor_role, row.actor_id, row.whose) == (
        "people.add",
        "operator",
        "os:tester",
        GLN_A,
    )


def test_a_name_is_taken_once_however_it_is_spelt(node):
    node.person("mia", Role.PHARMACIST)
    with pytest.raises(Conflict, match="taken"):
        node.person("MIA", Role.QUALITY)


@pytest.mark.parametrize("name", ["", "a", "-mia", "mia smith", "mia\x00", "mía", "a" * 65, "<b>"])
def test_a_name_is_short_and_plain(name):
    with pytest.raises(Invalid, match="name cannot be used"):
        parse_name(name)


def test_full_width_letters_are_the_letters_they_look_like():
    assert canonical_name("Ｍia ") == "mia"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "11 characters"),
        ("x" * 1025, "more than 1024"),
        ("abababababab", "fewer than five"),
        ("mia.thornhill1", "hardly more"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(sqlite_node, password, why):
    with pytest.raises(Invalid, match=why):
        sqlite_node.services.people.add(OPERATOR, "mia.thornhill", password, Role.OPERATOR)
    assert sqlite_node.services.people.all() == []


@pytest.mark.parametrize("role", [Role.WAREHOUSE, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER])
def test_traders_belong_to_a_party_with_a_valid_gln(sqlite_node, role):
    people = sqlite_node.services.people
    with pytest.raises(Invalid, match="belongs to a party"):
        people.add(OPERATOR, "mia", PASSWORD, role)
    with pytest.raises(Invalid, match="check digit"):
        people.add(OPERATOR, "mia", PASSWORD, role, party_gln="0399999000018")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INSPECTOR])
def test_operators_and_inspectors_belong_to_none(sqlite_node, role):
    with pytest.raises(Invalid, match="belongs to no party"):
        sqlite_node.person("mia", role, party_gln=GLN_A, expires_at=NOON + timedelta(days=1))


@pytest.mark.parametrize("role", [Role.DEVICE, Role.PARTNER_SYSTEM, Role.ANYONE])
def test_a_person_is_no_machine(sqlite_node, role):
    with pytest.raises(Invalid, match="for tokens"):
        sqlite_node.services.people.add(OPERATOR, "mia", PASSWORD, role, party_gln=GLN_A)


@pytest.mark.parametrize("days", [None, -1, 0, 367])
def test_an_inspectors_account_ends_within_a_year(sqlite_node, days):
    expires_at = None if days is None else NOON + timedelta(days=days)
    with pytest.raises(Invalid):
        sqlite_node.services.people.add(OPERATOR, "ines", PASSWORD, Role.INSPECTOR, expires_at=expires_at)


def test_the_database_itself_refuses_an_inspector_without_an_end(node):
    row = {
        "user_id": "usr_x",
        "name": "ines",
        "display_name": "Ines",
        "password_hash": "-",
        "role": "inspector",
        "created_at": NOON,
        "password_at": NOON,
    }
    with pytest.raises(IntegrityError), node.services.database.writing() as connection:
        connection.execute(insert(user_account).values(**row))
    with pytest.raises(IntegrityError), node.services.database.writing() as connection:
        connection.execute(insert(user_account).values(**row | {"role": "pharmacist"}))


def test_nobody_unknown_is_disabled(sqlite_node):
    with pytest.raises(NotFound):
        sqlite_node.services.people.disable(OPERATOR, "nobody")


def test_waiting_never_overflows():
    assert wait_after(10**9) == timedelta(minutes=5)
    assert wait_after(4) == timedelta()
