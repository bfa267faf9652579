"""Failures: told once, as a page to people and as a problem document to programs, and never with the inside out."""

import pytest
from flask import abort

from app.errors import AppError, Invalid
from app.shared.actor import Role
from app.web import health, start
from app.web.permissions import ANYONE, PERMISSIONS
from tests.support.app import HTML


def test_a_browser_gets_a_page_for_what_does_not_exist(sqlite_node):
    response = sqlite_node.signed_in_as(Role.PHARMACIST).get("/nothing")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "Nothing here" in response.text
    assert "Back to the start" in response.text
    assert response.headers["X-Request-Id"] in response.text


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/problem+json", None])
def test_a_program_gets_a_problem_document(sqlite_node, accept):
    headers = {} if accept is None else {"Accept": accept}
    response = sqlite_node.visitor().client.get("/nothing", headers=headers)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    assert response.json["status"] == 404
    assert response.json["code"] == "not_found"
    assert response.json["request_id"] == response.headers["X-Request-Id"]
    assert {"type", "title", "detail", "next"} <= response.json.keys()


def test_an_interface_answers_by_problem_documents_even_to_a_browser(sqlite_node):
    response = sqlite_node.visitor().get("/healthz", headers={**HTML, "Authorization": "Bearer x"})
    assert response.content_type == "application/problem+json"


def test_a_method_that_is_not_there_names_those_that_are(sqlite_node):
    response = sqlite_node.visitor().client.delete("/sign-in", headers=HTML)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def with_view(node, blueprint, view):
    """Put `view` in place of a view of `blueprint`, to see how what it raises is told."""
    name = "start.start_page" if blueprint is start.blueprint else "health.healthz"
    node.app.view_functions[name] = view
    return node.signed_in_as(Role.PHARMACIST).get("/" if blueprint is start.blueprint else "/healthz")


@pytest.mark.parametrize("blueprint", [start.blueprint, health.blueprint])
def test_a_fault_of_ours_shows_nothing_of_the_inside(sqlite_node, blueprint, capfd):
    def broken():
        raise RuntimeError("the secret is hunter2")

    response = with_view(sqlite_node, blueprint, broken)
    assert response.status_code == 500
    for word in ("hunter2", "RuntimeError", "Traceback", "test_errors"):
        assert word not in response.text
    assert "Something broke here" in response.text
    logged = capfd.readouterr().err
    assert "hunter2" in logged
    assert response.headers["X-Request-Id"] in logged


def test_a_failing_database_is_told_on_a_page(sqlite_node):
    quality = sqlite_node.signed_in_as(Role.QUALITY)
    assert quality.get("/exceptions").status_code == 200
    with sqlite_node.services.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE party RENAME TO lost")
    response = quality.get("/exceptions")
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "Something broke here" in response.text


def test_an_error_of_the_app_keeps_its_code_its_next_step_and_its_extras(sqlite_node):
    def refuse():
        raise Invalid(
            "capture.bad", "This is no event", "line 3", "Send one.", status=422, findings=[{"code": "x"}]
        )

    response = with_view(sqlite_node, health.blueprint, refuse)
    assert response.status_code == 422
    assert response.json["code"] == "capture.bad"
    assert response.json["next"] == "Send one."
    assert response.json["findings"] == [{"code": "x"}]


def test_what_came_from_outside_is_escaped_on_the_page(sqlite_node):
    def refuse():
        raise AppError("x", 400, "Bad", "<script>alert(1)</script>")

    response = with_view(sqlite_node, start.blueprint, refuse)
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;alert" in response.text


def test_a_body_larger_than_the_limit_is_refused(make_app):
    node = make_app(max_body_bytes=2048)
    response = node.visitor().client.post("/sign-in", data={"name": "x" * 4096}, headers=HTML)
    assert response.status_code == 413
    assert "Too large" in response.text


def test_a_known_http_error_has_our_words(sqlite_node):
    response = with_view(sqlite_node, health.blueprint, lambda: abort(415))
    assert (response.status_code, response.json["code"]) == (415, "request.type")
    assert PERMISSIONS["health.healthz"] is ANYONE


def test_health_says_what_is_wrong(sqlite_node):
    client = sqlite_node.visitor().client
    assert client.get("/healthz").json["status"] == "ok"
    with sqlite_node.services.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json == {"status": "failing", "schema": "0001", "next": "packproof db upgrade"}


def test_a_body_nested_too_deeply_is_the_senders_fault(sqlite_node):
    body = b"[" * 100_000
    response = sqlite_node.app.test_client().post(
        "/verification/checks",
        data=body,
        content_type="application/json",
        headers=sqlite_node.bearer(Role.DEVICE),
    )
    assert (response.status_code, response.get_json()["code"]) == (400, "request.too_deep")
