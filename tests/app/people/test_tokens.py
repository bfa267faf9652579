"""Bearer tokens: shown once, bound to a party, a kind and scopes, and stopped at once."""

import re
from datetime import timedelta

import pytest

from app.errors import Invalid, NotFound
from app.shared.actor import Role
from app.shared.audit import entries
from tests.support.app import GLN_A, NOON, OPERATOR


def test_a_token_speaks_for_its_party_within_its_scopes(node):
    tokens = node.services.tokens
    made = tokens.create(OPERATOR, "erp", Role.PARTNER_SYSTEM, party_gln=GLN_A, scopes={"capture"})
    actor = tokens.verify(made.secret, address="192.0.2.9")
    assert (actor.kind, actor.id, actor.name, actor.role) == (
        "token",
        made.token.token_id,
        "erp",
        Role.PARTNER_SYSTEM,
    )
    assert (actor.party_gln, actor.scopes, actor.address) == (GLN_A, frozenset({"capture"}), "192.0.2.9")


def test_its_secret_has_256_bits_and_is_kept_nowhere(node):
    made = node.services.tokens.create(OPERATOR, "erp", Role.PARTNER_SYSTEM, party_gln=GLN_A)
    assert re.fullmatch(r"pp_[a-z2-7]{52}", made.secret)
    assert made.secret not in repr(made)
    with node.services.database.reading() as connection:
        for table in ("api_token", "audit_trail"):
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):
                assert not any(made.secret in str(value) for value in row)


def test_a_revoked_token_is_of_no_use_any_more(node):
    tokens = node.services.tokens
    made = tokens.create(OPERATOR, "erp", Role.PARTNER_SYSTEM, party_gln=GLN_A)
    tokens.revoke(OPERATOR, made.token.token_id)
    assert tokens.verify(made.secret) is None
    tokens.revoke(OPERATOR, made.token.token_id)
    with node.services.database.reading() as connection:
        assert [row.action for row in entries(connection, subject=made.token.token_id)] == [
            "token.revoke",
            "token.create",
        ]
    (listed,) = tokens.of_party(GLN_A)
    assert listed.revoked_at == NOON


def test_a_token_expires(sqlite_node):
    tokens = sqlite_node.services.tokens
    made = tokens.create(OPERATOR, "t", Role.DEVICE, party_gln=GLN_A, expires_at=NOON + timedelta(hours=1))
    assert tokens.verify(made.secret) is not None
    sqlite_node.clock.advance(timedelta(hours=1))
    assert tokens.verify(made.secret) is None


@pytest.mark.parametrize(
    "secret", ["", "pp_", "pp_" + "a" * 52, "pp_" + "a" * 1000, "Basic abc", "\x00", "pp_é"]
)
def test_what_is_no_token_opens_nothing(sqlite_node, secret):
    assert sqlite_node.services.tokens.verify(secret) is None


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Role.PHARMACIST, {"party_gln": GLN_A}),
        (Role.PARTNER_SYSTEM, {}),
        (Role.PARTNER_SYSTEM, {"party_gln": "0399999000018"}),
        (Role.PARTNER_SYSTEM, {"party_gln": GLN_A, "scopes": {"everything"}}),
        (Role.PARTNER_SYSTEM, {"party_gln": GLN_A, "expires_at": NOON}),
        (Role.INSPECTOR, {}),
        (Role.INSPECTOR, {"party_gln": GLN_A, "expires_at": NOON + timedelta(days=1)}),
    ],
)
def test_a_token_that_does_not_fit_its_kind_is_not_made(sqlite_node, kind, given):
    with pytest.raises(Invalid):
        sqlite_node.services.tokens.create(OPERATOR, "t", kind, **given)


def test_revoking_what_does_not_exist_says_so(sqlite_node):
    with pytest.raises(NotFound):
        sqlite_node.services.tokens.revoke(OPERATOR, "tok_x")
