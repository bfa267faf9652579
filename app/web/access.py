"""Holds every request against the table in `permissions`; whatever is not in it is refused.

A view that shows data asks `reach()` whose it may show, and hands that to the use case, which puts it into the query::

    history.timeline(connection, key, reach())
"""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, g, redirect, request, url_for

from app.errors import AppError, Refused, kind_of
from app.shared.actor import Actor, Role
from app.shared.audit import Outcome, disclose
from app.web.actor import present
from app.web.permissions import PERMISSIONS, Permission, Whose
from app.wiring import services


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose data a request may touch: everybody's, one party's, or none."""

    everybody: bool = False
    party_gln: str | None = None

    def covers(self, party_gln: str) -> bool:
        """Whether the data of `party_gln` is within reach."""
        return self.everybody or (self.party_gln is not None and self.party_gln == party_gln)


def permitted(actor: Actor, endpoint: str) -> bool:
    """Whether `actor` may use `endpoint`: for links, so that a page offers only what works."""
    return _refusal(actor, PERMISSIONS.get(endpoint)) is None


def reach() -> Reach:
    """Whose data the present request may touch, by the table."""
    found: Reach = g.reach
    return found


def init(app: Flask) -> None:
    """Refuse every request of `app` that the table does not allow."""

    @app.before_request
    def _guard() -> Response | None:
        if request.endpoint is None:  # no route: the answer is 404 or 405
            return None
        actor, row = present(), PERMISSIONS.get(request.endpoint)
        refusal = _refusal(actor, row)
        if refusal is None:
            assert row is not None
            g.reach = _reach(actor, row)
            return None
        if actor.is_anonymous:
            return _ask_to_sign_in()
        node = services()
        disclose(
            node.database,
            node.clock,
            actor,
            "access.refused",
            subject=request.endpoint,
            outcome=Outcome.REFUSED,
            detail=refusal,
        )
        raise Refused(
            "access.denied",
            "You may not do this",
            f"Your role, {actor.role.value.replace('_', ' ')}, does not include it.",
            "Ask the node's operator if it should.",
        )


def _refusal(actor: Actor, row: Permission | None) -> str | None:
    if row is None:
        return "no row in the table"
    if actor.role not in row.roles:
        return f"role {actor.role.value}"
    if actor.kind == "token" and Role.ANYONE not in row.roles and row.scope not in actor.scopes:
        return f"scope {row.scope or 'none'}"
    return None


def _reach(actor: Actor, row: Permission) -> Reach:
    whose = row.roles[actor.role]
    if whose is Whose.ANYBODYS:
        return Reach(everybody=True)
    return Reach(party_gln=actor.party_gln if whose is Whose.OWN else None)


def _ask_to_sign_in() -> Response:
    if request.blueprint and kind_of(request.blueprint) == "api":
        raise AppError(
            "access.token",
            HTTPStatus.UNAUTHORIZED,
            "A bearer token is needed",
            "",
            "Send Authorization: Bearer pp_...; the node's operator makes one by: packproof token GLN",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if request.method in ("GET", "HEAD"):
        back = request.full_path.rstrip("?")
        return redirect(url_for("people.sign_in", next=back if back != "/" else None), 303)  # type: ignore[return-value]
    raise AppError(
        "access.sign_in",
        HTTPStatus.UNAUTHORIZED,
        "You are signed out",
        "Nothing was changed.",
        "Sign in and do it again.",
    )
