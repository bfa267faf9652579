"""What anybody may ask of the ledger: its signed head, and that a later head continues an earlier one.

    GET /ledger/checkpoint                      a C2SP checkpoint, text/plain; 503 where the node may not sign
    GET /ledger/consistency?from=N&to=M         {"from": N, "to": M, "hashes": [base64, ...]} (RFC 6962, 2.1.2)

Neither tells who trades what: hashes and a size.
"""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.errors import Invalid
from app.wiring import services
from ledger.log.encoding import to_base64
from ledger.log.proof import consistency_proof

blueprint = Blueprint("log", __name__, description="The ledger's head and its consistency")

MOST_SIZE = 2**53 - 1


class Span(Schema):
    """Two sizes of the ledger."""

    from_ = fields.Integer(data_key="from", required=True, validate=validate.Range(1, MOST_SIZE))
    to = fields.Integer(required=True, validate=validate.Range(1, MOST_SIZE))


class Consistency(Schema):
    """The proof that the first tree is the beginning of the second."""

    from_ = fields.Integer(data_key="from")
    to = fields.Integer()
    hashes = fields.List(fields.String(), metadata={"description": "base64, 32 bytes each"})


@blueprint.get("/ledger/checkpoint")
@blueprint.doc(responses={"200": {"description": "A signed checkpoint", "content": {"text/plain": {}}}})
def checkpoint() -> Response:
    """The signed checkpoint of the present head."""
    return Response(services().node.checkpoint(), content_type="text/plain; charset=utf-8")


@blueprint.get("/ledger/consistency")
@blueprint.arguments(Span, location="query")
@blueprint.response(200, Consistency)
def consistency(span: dict[str, Any]) -> dict[str, Any]:
    """The proof that the head of size `to` continues the head of size `from`."""
    old, new = span["from_"], span["to"]
    with services().node.ledger.reading() as reader:
        size = reader.head().size
        if not old <= new <= size:
            raise Invalid(
                "proof.range",
                "There is no such proof",
                f"from {old} to {new} in a ledger of {size} entries",
                "Ask for two sizes, the smaller first, both at most the present one.",
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        hashes = consistency_proof(reader, old, new)
    return {"from_": old, "to": new, "hashes": [to_base64(item) for item in hashes]}
