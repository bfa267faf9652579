"""The table of permissions: every route has its row, and every role gets exactly what the table says."""

import pytest

from app import create_app
from app.config import Settings
from app.errors import kind_of
from app.people.tokens import ALL_SCOPES
from app.shared.actor import BEARERS, PEOPLE, Role
from app.shared.audit import entries
from app.web.access import Reach
from app.web.permissions import ANYONE, NOBODYS, OWN, PERMISSIONS, may
from tests.support.app import GLN_A, GLN_B, HTML

# Making something public takes a second line, here.
PUBLIC = {
    "static",
    "health.healthz",
    "api-docs.openapi_json",
    "people.sign_in",
    "log.checkpoint",
    "log.consistency",
    "log.handovers",
    "witness.add_checkpoint",
    "witness.cosigned",
    "witness.policy",
    "log.tile",
    "captures.take_signed",
    "captures.long_capture",
    "devices.challenge",
    "devices.enrol",
    "devices.apply_record",
    "devices.give_up",
}
EXAMPLES = {"_rest": "/x", "int": "1", "float": "1.0", "uuid": "00000000-0000-0000-0000-000000000000"}


def routes(app):
    """(endpoint, method, path, kind) of every route, with something plausible in place of its variables."""
    found = []
    for rule in app.url_map.iter_rules():
        values = {
            name: EXAMPLES.get(type(c).__name__.removesuffix("Converter").lower(), "x")
            for name, c in rule._converters.items()
        }
        path = app.url_map.bind("localhost").build(rule.endpoint, values, method=min(rule.methods))
        with app.app_context():
            kind = kind_of(rule.endpoint.rpartition(".")[0])
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            found.append((rule.endpoint, method, path, kind))
    return found


def test_every_route_has_its_row_and_every_row_its_route():
    app = create_app(Settings(environment="test"))
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints - PERMISSIONS.keys() == set(), "routes without a row in app/web/permissions.py"
    assert PERMISSIONS.keys() - endpoints == set(), "rows in app/web/permissions.py without a route"


def test_what_is_public_is_public_on_purpose():
    public = {endpoint for endpoint, row in PERMISSIONS.items() if Role.ANYONE in row.roles}
    assert public == PUBLIC
    for endpoint in public:
        assert set(PERMISSIONS[endpoint].roles.values()) == {NOBODYS}, endpoint


def test_the_operator_reaches_nobodys_trade():
    for endpoint, row in PERMISSIONS.items():
        assert row.roles.get(Role.OPERATOR, NOBODYS) is NOBODYS, endpoint


def test_nobody_without_a_party_reaches_their_own_partys_data():
    for endpoint, row in PERMISSIONS.items():
        assert row.roles.get(Role.INSPECTOR) is not OWN, endpoint


def test_an_inspector_reads_and_writes_nothing():
    app = create_app(Settings(environment="test"))
    writable = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods - {"GET", "HEAD", "OPTIONS"} and Role.INSPECTOR in PERMISSIONS[rule.endpoint].roles
    }
    # Each of these changes nothing but the trail of who looked, or takes a signature for its credential.
    assert writable <= {
        "people.sign_in",
        "people.sign_out",
        "captures.take_signed",
        "devices.challenge",
        "devices.enrol",
        "devices.apply_record",
        "devices.give_up",
        "witness.add_checkpoint",
        "verification.scan_page",
        "regulator.search_page",
        # These add an entry that says what was handed out, and a request on a desk, or take that back.
        "regulator.take",
        "regulator.ask",
        "regulator.withdraw",
    }


def test_interfaces_name_the_scope_that_a_token_needs():
    app = create_app(Settings(environment="test"))
    for endpoint, _, _, kind in routes(app):
        row = PERMISSIONS[endpoint]
        if kind == "api" and Role.ANYONE not in row.roles:
            assert row.scope in ALL_SCOPES, endpoint


def visitors(node):
    """Every kind of caller: (role, whether they send a cookie or a token, a client, headers)."""
    yield Role.ANYONE, None, node.visitor().client, {}
    for role in sorted(PEOPLE):
        yield role, "page", node.signed_in_as(role).client, {}
    for role in sorted(BEARERS):
        yield role, "api", node.visitor().client, node.bearer(role, scopes=ALL_SCOPES)


def test_each_role_gets_what_the_table_says_on_each_route_and_nothing_else(sqlite_node):
    checked = 0
    sqlite_node.services.node.initialise()
    callers = list(visitors(sqlite_node))
    for endpoint, method, path, kind in routes(sqlite_node.app):
        row = PERMISSIONS[endpoint]
        for role, speaks, client, headers in callers:
            # A cookie is nobody on an interface, a token nobody on a page.
            effective = role if speaks == kind else Role.ANYONE
            response = client.open(path, method=method, headers={**HTML, **headers})
            case = f"{role} {method} {path}: {response.status}"
            refused = response.status_code in (401, 403) or (response.location or "").startswith("/sign-in")
            assert response.status_code < 500, case
            assert refused == (effective not in row.roles), case
            if refused and effective is not Role.ANYONE:
                assert response.status_code == 403, case
            checked += 1
    assert checked >= len(PERMISSIONS) * len(callers)


def test_a_token_without_the_scope_is_refused(sqlite_node, monkeypatch):
    monkeypatch.setitem(PERMISSIONS, "health.healthz", may(OWN, Role.PARTNER_SYSTEM, scope="capture"))
    client = sqlite_node.visitor().client
    narrow, wide = (
        sqlite_node.bearer(Role.PARTNER_SYSTEM, scopes={"query"}),
        sqlite_node.bearer(Role.PARTNER_SYSTEM),
    )
    assert client.get("/healthz", headers=narrow).status_code == 403
    assert client.get("/healthz", headers=wide).status_code == 200


def test_a_route_without_a_row_is_refused_to_everybody(sqlite_node, monkeypatch):
    monkeypatch.delitem(PERMISSIONS, "start.start_page")
    for role in sorted(PEOPLE):
        assert sqlite_node.signed_in_as(role).get("/").status_code == 403, role
    assert sqlite_node.visitor().get("/").status_code == 303


def test_a_refusal_is_in_the_audit_trail(node, monkeypatch):
    monkeypatch.setitem(PERMISSIONS, "start.start_page", may(NOBODYS, Role.QUALITY))
    visitor = node.signed_in_as(Role.PHARMACIST)
    page = visitor.get("/")
    assert page.status_code == 403
    assert "Your role, pharmacist, does not include it." in page.text
    with node.services.database.reading() as connection:
        (row,) = entries(connection, action="access.refused")
    assert (row.actor_name, row.subject, row.outcome, row.detail) == (
        "the.pharmacist",
        "start.start_page",
        "refused",
        "role pharmacist",
    )
    assert row.address == "192.0.2.1"
    assert row.session_id.startswith("ses_")
    assert row.request_id == page.headers["X-Request-Id"]


@pytest.mark.parametrize("header", ["Bearer pp_nonsense", "Bearer", "Basic bWlhOnB3", "Bearer  ", "pp_x"])
def test_a_bad_token_is_told_how_to_get_a_good_one(sqlite_node, header):
    response = sqlite_node.visitor().client.get("/healthz", headers={"Authorization": header})
    assert (response.status_code, response.content_type) == (401, "application/problem+json")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert response.json["code"] == "access.token"


def test_reach_covers_ones_own_party_and_no_other():
    own = Reach(party_gln=GLN_A)
    assert own.covers(GLN_A)
    assert not own.covers(GLN_B)
    assert not own.covers("")
    assert Reach(everybody=True).covers(GLN_B)
    assert not Reach().covers(GLN_A)
    assert Role.ANYONE in ANYONE.roles
