"""Headers on every answer, whatever gave it, and caches that keep nothing private."""

from app.shared.actor import Role
from app.web.headers import HEADERS
from tests.app.web.test_access import routes
from tests.support.app import HTML


def directives(response):
    return dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))


def test_every_route_answers_with_the_whole_set_of_headers(sqlite_node):
    visitor = sqlite_node.signed_in_as(Role.PHARMACIST)
    paths = [(method, path) for _, method, path, _ in routes(sqlite_node.app)]
    for method, path in [
        *paths,
        ("GET", "/nothing/here"),
        ("DELETE", "/sign-in"),
        ("GET", "/static/none.css"),
    ]:
        response = visitor.client.open(path, method=method, headers=HTML)
        for name, value in HEADERS.items():
            assert response.headers[name] == value, (method, path, name)
        assert response.headers["X-Request-Id"].startswith("req_")
        assert response.headers["Cache-Control"] in ("no-store", "no-cache"), (method, path)


def test_the_policy_allows_nothing_inline_and_nothing_foreign(sqlite_node):
    policy = directives(sqlite_node.visitor().get("/sign-in"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not any(word in str(policy) for word in ("unsafe", "http:", "https:", "*"))


def test_pages_hold_no_inline_script_or_style(sqlite_node):
    visitor = sqlite_node.signed_in_as(Role.PHARMACIST)
    for text in (
        visitor.get("/").text,
        visitor.get("/nothing").text,
        sqlite_node.visitor().get("/sign-in").text,
    ):
        for banned in ("style=", "<style", "onclick=", "onload=", "javascript:"):
            assert banned not in text
        assert text.count("<script") == text.count("<script src=")


def test_static_files_are_kept_for_a_year_under_the_name_of_their_content(sqlite_node):
    visitor = sqlite_node.visitor()
    href = next(
        part for part in visitor.get("/sign-in").text.split('"') if part.startswith("/static/base.css")
    )
    assert "?v=" in href
    with visitor.get(href) as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_strict_transport_security_is_sent_in_production_alone(make_app):
    assert "Strict-Transport-Security" not in make_app().visitor().get("/sign-in").headers
    settings = {"secret_key": "s" * 40, "public_url": "https://n.example", "ledger_origin": "n.example/l"}
    node = make_app(environment="production", **settings)
    response = node.visitor().get("/sign-in", base_url="https://n.example")
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_claimed_address_counts_only_behind_the_proxies_that_were_named(make_app):
    claimed = {**HTML, "X-Forwarded-For": "203.0.113.5"}

    def address_seen(node):
        node.visitor("10.0.0.1").client.post("/sign-in", headers=claimed)
        visitor = node.visitor("10.0.0.1")
        token = visitor.token()
        visitor.client.post(
            "/sign-in", data={"name": "x", "password": "y", "csrf_token": token}, headers=claimed
        )
        with node.services.database.reading() as connection:
            return connection.exec_driver_sql(
                "SELECT address FROM audit_trail ORDER BY audit_id DESC"
            ).scalar()

    assert address_seen(make_app()) == "10.0.0.1"
    assert address_seen(make_app(trusted_proxies=1)) == "203.0.113.5"
