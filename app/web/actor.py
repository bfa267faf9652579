"""Who sends this request: the one place where a cookie or a bearer token becomes an `Actor`.

Pages know people by the session cookie alone, interfaces know systems and devices by ``Authorization: Bearer pp_...``
alone. An interface that also took the cookie could be driven by a foreign page.
"""

from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request

from app.errors import AppError, kind_of
from app.shared.actor import ANONYMOUS, Actor
from app.wiring import services

log = structlog.get_logger(__name__)


def cookie_name() -> str:
    """The session cookie. ``__Host-`` makes browsers refuse one planted by a sister domain or over plain HTTP."""
    return "__Host-packproof" if services().settings.is_production else "packproof"


def present() -> Actor:
    """Whoever sends the present request."""
    actor: Actor = g.actor
    return actor


def set_session(response: Response, secret: str) -> None:
    """Hand the session's `secret` to the browser, for as long as it stays open."""
    response.set_cookie(
        cookie_name(),
        secret,
        httponly=True,
        samesite="Lax",
        secure=services().settings.is_production,
        path="/",
    )


def clear_session(response: Response) -> None:
    """Take the session cookie back."""
    response.delete_cookie(
        cookie_name(), httponly=True, samesite="Lax", secure=services().settings.is_production, path="/"
    )


def init(app: Flask) -> None:
    """Resolve the actor of each request of `app`."""

    @app.before_request
    def _resolve() -> None:
        g.actor = nobody()
        if request.endpoint == "static":
            return
        if request.blueprint and kind_of(request.blueprint) == "api":
            g.actor = _bearer() or g.actor
        else:
            g.actor = _person() or g.actor
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id, actor=g.actor.id)


def nobody() -> Actor:
    """The anonymous actor, with where the request comes from."""
    return Actor(
        kind=ANONYMOUS.kind,
        id="",
        name="",
        role=ANONYMOUS.role,
        address=request.remote_addr or "",
        request_id=g.get("request_id", ""),
    )


def _person() -> Actor | None:
    secret = request.cookies.get(cookie_name())
    if not secret:
        return None
    return services().sessions.resolve(secret, address=request.remote_addr or "", request_id=g.request_id)


def _bearer() -> Actor | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    actor = None
    if scheme.lower() == "bearer":
        actor = services().tokens.verify(
            secret.strip(), address=request.remote_addr or "", request_id=g.request_id
        )
    if actor is None:
        log.warning("bearer refused", address=request.remote_addr, path=request.path)
        raise AppError(
            "access.token",
            HTTPStatus.UNAUTHORIZED,
            "This token is not valid",
            "It is unknown, has expired or was revoked.",
            "Ask the node's operator for a new one: packproof token GLN",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return actor
