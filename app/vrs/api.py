"""GS1 product verification over the wire: other companies' systems ask the makers on this node.

GET /verify/gtin/{gtin}/lot/{lot}/ser/{serial}?exp=...       scope verify
GET /checkConnectivity?gtin=...&reqGLN=...                   scope verify

A mismatch is an answer, 200 with ``verified: false``; an error is none (docs/reference/api.md). Whatever stands behind
``/verify`` in a requester's path reaches the view, line breaks and doubled slashes included, so that every request of a
known requester is kept: an oddity is a sign too.
"""

from typing import Any

from flask import Response, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_smorest import Blueprint
from werkzeug.routing import BaseConverter

from app.errors import AppError, Invalid
from app.vrs import messages, requests
from app.vrs.messages import Question
from app.vrs.schemas import ConnectivityAnswer, VerificationAnswer
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("vrs", __name__, description="GS1 product verification: a maker answers for its packs")

_LONGEST_KEPT = 200


class _Rest(BaseConverter):
    """The rest of a path, whatever it is, with its slash; nothing too. Werkzeug's own ends at a line break."""

    part_isolating = False
    regex = r"(?:[/\s][\s\S]*)?"


@blueprint.record_once
def _teach(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["rest"] = _Rest


# The path goes on with lot and serial, read from the raw request: here `%2F` is a slash already.
@blueprint.get("/verify<rest:pack>", merge_slashes=False)
@blueprint.alt_response(200, schema=VerificationAnswer)
def verify(pack: str) -> Response:
    """Answer whether a pack's GTIN, serial, lot and expiry go together in its maker's record."""
    node, actor = services(), present()
    try:
        messages.require_version(request.headers.get(messages.VERSION_HEADER))
        question = messages.read_question(raw_uri(), _pairs(), _contexts())
    except Invalid as error:
        node.responder.refused(_unread(pack.removeprefix("/")), actor, error)
        raise
    return _json(node.responder.verify(question, actor).body)


@blueprint.get("/checkConnectivity")
@blueprint.alt_response(200, schema=ConnectivityAnswer)
def check_connectivity() -> Response:
    """Say who answers for a GTIN here, and that the requester may ask."""
    node = services()
    try:
        messages.require_version(request.headers.get(messages.VERSION_HEADER))
        gtin, requester = messages.read_connectivity(_pairs(), _contexts())
    except AppError as error:
        node.responder.refused(_unread(request.args.get("gtin", "")), present(), error, requests.CHECK)
        raise
    responder = node.responder.connectivity(gtin, requester, present())
    return _json(b'{"responderGLN":"%s"}' % responder.encode())


def _unread(text: str) -> Question:
    """What is kept of a request that cannot be read."""
    return Question("", "", text[:_LONGEST_KEPT].replace("\x00", "�"), "", "", "", "")


def raw_uri() -> str:
    """The request's target as it came over the wire: gunicorn and Werkzeug keep it beside the decoded path."""
    environ: dict[str, Any] = request.environ
    return str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.path)


def _contexts() -> list[str]:
    return services().settings.vrs_contexts.split(",")


def _pairs() -> list[tuple[str, str]]:
    return list(request.args.items(multi=True))


def _json(body: bytes) -> Response:
    return Response(
        body, content_type="application/json", headers={messages.VERSION_HEADER: messages.VERSION}
    )
