"""This node as a witness of other logs: C2SP tlog-witness, with the prefix ``/ledger`` for both sides.

    POST /ledger/add-checkpoint            old size, proof, checkpoint -> cosignature lines; text/plain both ways
    GET  /ledger/<origin hash>/checkpoint  the latest head that this node cosigned for a log
    GET  /ledger/policy                    this node as a C2SP tlog-policy: the keys that a client pins

The statuses are the specification's, with plain text, not problem documents: strangers' logs read them.
"""

import structlog
from flask import Response, request
from flask_smorest import Blueprint

from app.wiring import services
from ledger.witness.request import MAX_REQUEST_BYTES
from ledger.witness.witness import PLAIN, Answer

blueprint = Blueprint("witness", __name__, description="This node as a witness of other logs")
log = structlog.get_logger(__name__)

_TEXT = {"content": {"text/plain": {}}}


@blueprint.post("/ledger/add-checkpoint")
@blueprint.doc(
    responses={
        "200": {"description": "Cosignature lines", **_TEXT},
        "400": {"description": "Not a request", **_TEXT},
        "403": {"description": "Not signed by a key of that log", **_TEXT},
        "404": {"description": "A log that is not followed", **_TEXT},
        "409": {
            "description": "Another size is known; the body is that size",
            "content": {"text/x.tlog.size": {}},
        },
        "422": {"description": "It does not continue the head that is known", **_TEXT},
    }
)
def add_checkpoint() -> Response:
    """Cosign a log's checkpoint if it continues the one cosigned before (C2SP tlog-witness)."""
    # One byte more than any request has, so that a longer one is seen to be none.
    answer = services().witness.add_checkpoint(request.stream.read(MAX_REQUEST_BYTES + 1))
    if answer.conflict is not None:
        log.error("witness.conflict", file=str(answer.conflict), status=int(answer.status))
    return _response(answer)


@blueprint.get("/ledger/<origin_hash>/checkpoint")
@blueprint.doc(responses={"200": {"description": "The cosigned checkpoint", **_TEXT}})
def cosigned(origin_hash: str) -> Response:
    """The latest checkpoint that this node cosigned for the log whose origin has this SHA-256."""
    return _response(services().witness.cosigned(origin_hash))


@blueprint.get("/ledger/policy")
@blueprint.doc(responses={"200": {"description": "A C2SP tlog-policy", **_TEXT}})
def policy() -> Response:
    """This node's log, its witnesses and its quorum as a C2SP tlog-policy; as comments the keys it cosigns with."""
    return Response(services().own_policy.encode(), headers={"Content-Type": PLAIN})


def _response(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, headers={"Content-Type": answer.content_type})
