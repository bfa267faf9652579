"""``POST /ledger/captures``: documents that a party's own key signed.

No token: the signature is the credential. A form of three parts (docs/formats/statement.md)::

    envelope   the DSSE envelope          seed   32 bytes          document   the raw document, with its content type

201 with the receipt; the same capture again gives the same receipt. 202 with a job for a long document, whose address
``GET /ledger/captures/{job}`` nobody can guess. One address may send so many a minute.
"""

from typing import Any

from flask import Response, json, request, url_for
from flask_smorest import Blueprint

from app.capture.inbox import Job
from app.errors import NotFound
from app.web.forms import parts
from app.wiring import services

blueprint = Blueprint("captures", __name__, description="Signed captures")


@blueprint.post("/ledger/captures")
@blueprint.doc(
    summary="Record a document that a registered key signed",
    requestBody={
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["envelope", "seed", "document"],
                    "properties": {
                        name: {"type": "string", "format": "binary"}
                        for name in ("envelope", "seed", "document")
                    },
                }
            }
        }
    },
    responses={
        "201": {"description": "The receipt: index and leaf of its entry, and where each event stands"},
        "202": {"description": "A long document: how far it is; its address is in Location"},
    },
)
def take_signed() -> Response:
    """Verify the signatures, then the document against what was signed, then record it."""
    found = parts("envelope", "seed", "document")
    content_type = request.files["document"].content_type
    taken = services().capture.take_signed(
        found["envelope"], found["seed"], found["document"], content_type or None
    )
    if not isinstance(taken, Job):
        return _json(taken.as_json(), 201)
    told = services().capture.job(taken.job_id)
    assert told is not None
    if "receipt" in told:
        return _json(told["receipt"], 201)
    response = _json(told, 202)
    response.headers["Location"] = url_for("captures.long_capture", job_id=taken.job_id)
    return response


@blueprint.get("/ledger/captures/<job_id>")
@blueprint.doc(
    summary="How far a long document is that was sent here",
    responses={"200": {"description": "The job; with `receipt` or `errors` once it is finished"}},
)
def long_capture(job_id: str) -> Response:
    """The job of a long document. Whoever sent it was told its id, and nobody else can know it.

    One that came by a token is told to that party's tokens alone: ``GET /epcis/capture/{job}``.
    """
    told = services().capture.job(job_id, signed=True) if len(job_id) <= 64 else None
    if told is None:
        raise NotFound("No such capture", job_id[:100])
    return _json(told, 200)


def _json(answer: Any, status: int) -> Response:
    return Response(json.dumps(answer), status=status, content_type="application/json")
