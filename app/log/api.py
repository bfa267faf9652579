"""What may be asked of the ledger: its signed head, that a later head continues an earlier one, its tiles.

    GET /ledger/checkpoint                      a C2SP checkpoint, text/plain; 503 where the node may not sign
    GET /ledger/checkpoint?witnessed=1          the newest that the configured quorum of witnesses cosigned; 404: none
    GET /ledger/consistency?from=N&to=M         {"from": N, "to": M, "hashes": [base64, ...]} (RFC 6962, 2.1.2)
    GET /ledger/handovers                       what leads from each earlier checkpoint key to the next, oldest first
    GET /ledger/handovers?key=checkpoint-mldsa  the same of the ML-DSA-44 keys
    GET /ledger/tile/<L>/<N>[.p/<W>]            hashes, C2SP tlog-tiles; 404 for what is not there (yet)
    GET /ledger/tile/entries/<N>[.p/<W>]        entries, by grant only

All but the last tell nobody who trades what: hashes and a size. Entries show authors and times; who took which is in
the audit trail.
"""

import gzip
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.errors import Invalid, NotFound
from app.node.keys import MLDSA
from app.shared.audit import Outcome, disclose
from app.web.actor import present
from app.wiring import services
from ledger.errors import VerificationError
from ledger.evidence.handover import Handover
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.log.encoding import to_base64
from ledger.log.proof import consistency_proof
from ledger.log.tiles import TILE_WIDTH, BundleId, TileId
from ledger.store.port import NoSuchEntry
from ledger.store.published import bundle_bytes, tile_bytes

blueprint = Blueprint("log", __name__, description="The ledger's head and its consistency")

MOST_SIZE = 2**53 - 1
IMMUTABLE = "public, max-age=31536000, immutable"
OCTETS = "application/octet-stream"


class Which(Schema):
    """Which head: the newest, or the newest that the node's quorum of witnesses cosigned."""

    witnessed = fields.Boolean(load_default=False)


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
@blueprint.arguments(Which, location="query")
def checkpoint(which: dict[str, Any]) -> Response:
    """The signed checkpoint of the present head with its cosignatures so far, or the newest that is witnessed."""
    heads = services().cosigned
    note = heads.witnessed() if which["witnessed"] else heads.checkpoint()
    if note is None:
        raise NotFound(
            "No witnessed checkpoint",
            "This node has no head that a quorum of witnesses cosigned.",
            "Ask without it.",
        )
    return Response(note, content_type="text/plain; charset=utf-8")


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


@blueprint.get("/ledger/handovers")
@blueprint.doc(
    responses={
        "200": {"description": "Handovers (docs/formats/handover.md)", "content": {"application/json": {}}}
    }
)
def handovers() -> Response:
    """What leads from each earlier checkpoint key to the one that followed it, the oldest first; mostly none.

    `?key=checkpoint-mldsa` gives those of the ML-DSA-44 keys.
    """
    kept = services().handovers
    found: Sequence[Handover | MldsaHandover] = (
        kept.mldsa() if request.args.get("key") == MLDSA else kept.all()
    )
    made = b",".join(each.encode() for each in found)
    return Response(b"[" + made + b"]", content_type="application/json")


@blueprint.get("/ledger/tile/<path:name>")
@blueprint.doc(responses={"200": {"description": "The tile's hashes", "content": {OCTETS: {}}}})
def tile(name: str) -> Response:
    """A tile of hashes (C2SP tlog-tiles). It never changes, so it may be kept for ever."""
    try:
        wanted = TileId.parse(f"tile/{name}")
        with services().node.ledger.reading() as reader:
            data = tile_bytes(reader, wanted, reader.head().size)
    except (VerificationError, NoSuchEntry):
        raise _no_tile() from None
    return Response(data, content_type=OCTETS, headers={"Cache-Control": IMMUTABLE})


@blueprint.get("/ledger/tile/entries/<path:name>")
@blueprint.doc(responses={"200": {"description": "The entries", "content": {OCTETS: {}}}})
def entries(name: str) -> Response:
    """A bundle of entries (C2SP tlog-tiles), by a token with the scope `entries`."""
    node = services()
    try:
        wanted = BundleId.parse(f"tile/entries/{name}")
        with node.node.ledger.reading() as reader:
            data = bundle_bytes(reader, wanted, reader.head().size)
    except (VerificationError, NoSuchEntry):
        nothing = Outcome.NOTHING
        disclose(node.database, node.clock, present(), "ledger.entries", subject=name, outcome=nothing)
        raise _no_tile() from None
    first = wanted.index * TILE_WIDTH
    subject = f"entries {first} to {first + wanted.width - 1}"
    disclose(node.database, node.clock, present(), "ledger.entries", subject=subject)
    response = Response(data, content_type=OCTETS, headers={"Vary": "Accept-Encoding"})
    if request.accept_encodings.quality("gzip"):
        response.set_data(gzip.compress(data, compresslevel=6, mtime=0))
        response.content_encoding = "gzip"
    return response


def _no_tile() -> NotFound:
    return NotFound(
        "No such tile",
        "The ledger has not so many entries, or the name is written otherwise.",
        "Fetch /ledger/checkpoint first: its size says which tiles there are (C2SP tlog-tiles).",
    )
