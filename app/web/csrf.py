"""A form that changes something must come from our own page.

Pages answer to a cookie, which a browser sends whoever asks, so each unsafe request to one carries a token from the
page. Interfaces answer to a bearer token, which no browser adds by itself, and ignore cookies: they need none.

Where a browser says which site a form came from (the header Origin), that must be this one besides: a token that leaked
is worth nothing on another site's page.

The form cookie (CSRF token, messages) holds no identity and is emptied at sign-in and sign-out.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from app.config import Settings
from app.errors import AppError, kind_of, respond

protect = CSRFProtect()


def init(app: Flask, settings: Settings) -> None:
    """Check the token of every unsafe request to a page of `app`."""
    app.secret_key = settings.secret_key
    app.config.update(
        SESSION_COOKIE_NAME="__Host-packproof_form" if settings.is_production else "packproof_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_CHECK_DEFAULT=False,
        # As long as the form cookie lives: a scan page stays open for a whole shift.
        WTF_CSRF_TIME_LIMIT=None,
    )
    protect.init_app(app)

    @app.before_request
    def _check() -> None:
        if request.endpoint is None or (request.blueprint and kind_of(request.blueprint) == "api"):
            return
        _same_origin()
        protect.protect()

    def _same_origin() -> None:
        origin = request.headers.get("Origin")
        if request.method not in ("POST", "PUT", "PATCH", "DELETE") or origin is None:
            return
        # The scheme is the proxy's matter; who answers for the host name answers for the site.
        hosts = {request.host, urlsplit(settings.public_url or "").netloc}
        if urlsplit(origin).netloc not in hosts:  # 'null' has none
            raise CSRFError("The form came from another site.")

    @app.errorhandler(CSRFError)
    def _refused(error: CSRFError) -> Response:
        return respond(
            AppError(
                "request.csrf",
                400,
                "This form is too old or not ours",
                "Nothing was changed: the form did not carry the token of your session.",
                "Load the page again and send the form once more.",
            )
        )
