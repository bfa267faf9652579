"""``POST /ledger/captures``: documents that a party's own key signed.

No token: the signature is the credential. A form of three parts (docs/formats/statement.md)::

    envelope   the DSSE envelope          seed   32 bytes          document   the raw document, with its content type

201 with the receipt; the same capture again gives the same receipt. One address may send so many a minute.
"""

from flask import Response, json, request
from flask_smorest import Blueprint

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
        "201": {"description": "The receipt: index and leaf of its entry, and where each event stands"}
    },
)
def take_signed() -> Response:
    """Verify the signatures, then the document against what was signed, then record it."""
    found = parts("envelope", "seed", "document")
    content_type = request.files["document"].content_type
    receipt = services().capture.take_signed(
        found["envelope"], found["seed"], found["document"], content_type or None
    )
    return Response(json.dumps(receipt.as_json()), status=201, content_type="application/json")
