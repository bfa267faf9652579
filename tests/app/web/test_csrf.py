"""A form that changes something must come from our own page."""

import pytest

from app.shared.actor import Role
from app.web.permissions import PERMISSIONS
from tests.app.web.test_access import routes
from tests.support.app import HTML, PASSWORD


def test_every_unsafe_page_refuses_a_form_without_its_token(sqlite_node):
    for endpoint, method, path, kind in routes(sqlite_node.app):
        if kind != "page" or method == "GET":
            continue
        for role in (
            Role.PHARMACIST,
            Role.QUALITY,
            Role.WAREHOUSE,
            Role.MANUFACTURER,
            Role.INSPECTOR,
            Role.OPERATOR,
        ):
            response = sqlite_node.signed_in_as(role).client.open(path, method=method, headers=HTML)
            assert response.status_code in (400, 403), (endpoint, role)
            if response.status_code == 400:
                assert "too old or not ours" in response.text, endpoint


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_signing_in_takes_the_token_of_the_same_browser_and_no_other(sqlite_node, token):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor, other = sqlite_node.visitor(), sqlite_node.visitor()
    visitor.get("/sign-in")
    for tried in (token, other.token()):
        data = {"name": "mia", "password": PASSWORD, "csrf_token": tried}
        assert visitor.client.post("/sign-in", data=data, headers=HTML).status_code == 400
    assert visitor.client.get_cookie("packproof") is None


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "null", "http://localhost:1"]
)
def test_a_form_from_another_site_is_refused_though_it_has_the_token(sqlite_node, origin):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.visitor()
    data = {"name": "mia", "password": PASSWORD}
    refused = visitor.post("/sign-in", data, headers={**HTML, "Origin": origin})
    assert (refused.status_code, "too old or not ours" in refused.text) == (400, True)
    assert visitor.post("/sign-in", data, headers={**HTML, "Origin": "http://localhost"}).status_code == 303


def test_the_form_cookie_holds_no_identity(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.sign_in("mia")
    visitor.client.delete_cookie("packproof")
    assert visitor.get("/").location == "/sign-in"


def test_an_interface_ignores_the_cookie_of_a_browser(sqlite_node):
    visitor = sqlite_node.signed_in_as(Role.OPERATOR)
    for endpoint, method, path, kind in routes(sqlite_node.app):
        if kind == "api" and Role.ANYONE not in PERMISSIONS[endpoint].roles:
            assert visitor.client.open(path, method=method).status_code == 401, endpoint
