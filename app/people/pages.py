"""Signing in and out."""

from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from app.errors import AppError
from app.web import known
from app.web.actor import clear_session, cookie_name, present, set_session
from app.wiring import services

blueprint = Blueprint("people", __name__, template_folder="templates")


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    target = local_path(request.values.get("next", ""))
    if request.method == "GET":
        if not present().is_anonymous:
            return redirect(target, 303)  # type: ignore[return-value]
        return make_response(render_template("people/sign_in.html", target=target, name="", error=None))
    name = request.form.get("name", "")
    try:
        secret, _ = services().people.sign_in(
            name,
            request.form.get("password", ""),
            by=present(),
            old_secret=request.cookies.get(cookie_name()),
            source=known.source(name),
        )
    except AppError as error:
        page = render_template("people/sign_in.html", target=target, name=name[:100], error=error)
        response = make_response(page, error.status)
        response.headers.update(error.headers)
        return response
    # Whatever was planted before signing in, the CSRF token included, is worth nothing after it.
    session.clear()
    response = make_response(redirect(target, 303))
    set_session(response, secret)
    known.remember(response, name)
    return response


@blueprint.post("/sign-out")
def sign_out() -> Response:
    services().people.sign_out(present(), request.cookies.get(cookie_name(), ""))
    session.clear()
    flash("You are signed out.")
    response = make_response(redirect(url_for("people.sign_in"), 303))
    clear_session(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def local_path(target: str) -> str:
    """`target` if it is a path on this site, else the start page: nobody is sent elsewhere after signing in."""
    start = url_for("start.start_page")
    if not target.startswith("/") or target.startswith("//") or "\\" in target or not target.isprintable():
        return start
    parts = urlsplit(target)
    return start if parts.scheme or parts.netloc or " " in target else target
