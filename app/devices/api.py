"""``POST /devices``: a bench or a signing client registers its key and gets a token. And the rest of a key's life.

    POST /devices/challenges     a challenge, which the device's key answers to get a token
    POST /ledger/keys            any record that a root of the party signed: register, suspend, revoke
    POST /ledger/voids           a signed void-seq: a device's number is given up
    GET  /ledger/parked          what keys of the caller's party signed after their end, and what became of it
    GET  /ledger/parked/LEAF     the document of one of them, as it came

No token is needed for it: the registration is signed by the party's root, which the operator has registered, and by
the device's own key, which also answers a fresh challenge: a registration that somebody kept gives no token. Private
keys never come here. A form of parts: ``envelope``, ``document``, ``seed``; for a token ``challenge``, ``proof`` too.
"""

from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.devices import service as devices
from app.devices.service import SIGNING_ROLES, Key
from app.errors import Invalid, NotFound
from app.partners import service as partners
from app.shared.actor import Role
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.web.forms import parts
from app.wiring import services
from ledger.log.encoding import to_base64
from ledger.signing.keyrecord import Role as KeyRole

HEX_LEAF = 64

blueprint = Blueprint("devices", __name__, description="Enrolling devices")


class Enrolled(Schema):
    """What a device needs to know after its enrolment; the token is shown this once."""

    thumbprint = fields.String(metadata={"description": "SHA-256 of the key's SubjectPublicKeyInfo, hex"})
    party = fields.String(metadata={"description": "GLN"})
    party_name = fields.String()
    label = fields.String()
    token = fields.String(metadata={"description": "bearer token; older ones of this key are revoked"})
    scopes = fields.List(fields.String())
    origin = fields.String(metadata={"description": "name of the ledger"})
    verifier_key = fields.String(metadata={"description": "checks the ledger's checkpoints (C2SP note key)"})
    registered_index = fields.Integer(metadata={"description": "the registration's entry"})
    node_time = fields.AwareDateTime(metadata={"description": "the node's clock, UTC"})


class Challenge(Schema):
    """What the device's key signs to get a token (docs/formats/statement.md)."""

    challenge = fields.String(metadata={"description": "hex; good once"})
    ends_at = fields.AwareDateTime(metadata={"description": "UTC"})
    origin = fields.String(metadata={"description": "name of the ledger, which is signed with it"})


@blueprint.post("/devices/challenges")
@blueprint.response(201, Challenge)
def challenge() -> dict[str, Any]:
    """A challenge for who enrols a device."""
    node = services()
    text, ends_at = node.challenges.new()
    return {"challenge": text, "ends_at": ends_at, "origin": node.node.origin}


@blueprint.post("/devices")
@blueprint.response(201, Enrolled)
def enrol() -> dict[str, Any]:
    """Register a key that the party's root signed for, and give it a token once it has answered a challenge.

    Again it gives a new token and ends the older ones.
    """
    if sorted(request.files) == ["document", "envelope", "seed"]:
        raise Invalid(
            "enrolment.challenge",
            "This client enrols without answering a challenge, as earlier versions did",
            "No token was given: the registration alone may be anybody's copy.",
            "Bring the client up to date. It asks POST /devices/challenges first, and its key signs what it is given.",
        )
    found = parts("envelope", "document", "seed", "challenge", "proof")
    node = services()
    given = node.challenges.require_fresh(found["challenge"])
    key = node.keys.register(found["envelope"], found["document"], found["seed"], roles=SIGNING_ROLES)
    node.challenges.answered(given, found["proof"], key.verifier())
    assert key.party_gln is not None  # keys of these roles belong to a party
    thumbprint = key.thumbprint.hex()
    by = replace(
        present(),
        kind="key",
        id=f"key:{thumbprint}",
        name=key.label,
        role=Role.DEVICE,
        party_gln=key.party_gln,
    )
    made = node.tokens.create(
        by, key.label, Role.DEVICE, party_gln=key.party_gln, subject=thumbprint, replace_older=True
    )
    with node.database.reading() as connection:
        party = partners.by_gln(connection, key.party_gln)
    assert party is not None
    return {
        "thumbprint": thumbprint,
        "party": party.gln,
        "party_name": party.name,
        "label": key.label,
        "token": made.secret,
        "scopes": sorted(made.token.scopes),
        "origin": node.node.origin,
        "verifier_key": node.node.verifier_key,
        "registered_index": key.registered_idx,
        "node_time": node.clock.now(),
    }


class KeyState(Schema):
    """How a key stands."""

    thumbprint = fields.String(metadata={"description": "SHA-256 of the key's SubjectPublicKeyInfo, hex"})
    spki = fields.String(metadata={"description": "DER SubjectPublicKeyInfo, base64"})
    party = fields.String(metadata={"description": "GLN"})
    role = fields.String()
    label = fields.String()
    state = fields.String(metadata={"description": "valid, suspended or revoked"})
    registered_index = fields.Integer(metadata={"description": "its registration that holds, or held last"})
    ended_index = fields.Integer(allow_none=True)
    suspect_since = fields.Integer(allow_none=True)


class Applied(Schema):
    """The key that a record is about; to who brings a root's own record, all keys of its party."""

    key = fields.Nested(KeyState)
    keys = fields.List(fields.Nested(KeyState))


@blueprint.post("/ledger/keys")
@blueprint.response(200, Applied)
def apply_record() -> dict[str, Any]:
    """Record what a party's root signed about a key of its. The same again changes nothing and tells how it stands."""
    found = parts("envelope", "document", "seed")
    node = services()
    key = node.keys.apply(found["envelope"], found["document"], found["seed"])
    told: dict[str, Any] = {"key": _state(key), "keys": []}
    if key.role is KeyRole.ROOT and key.party_gln is not None:
        with node.database.reading() as connection:
            told["keys"] = [_state(each) for each in devices.keys_of(connection, key.party_gln)]
    return told


def _state(key: Key) -> dict[str, Any]:
    return {
        "thumbprint": key.thumbprint.hex(),
        "spki": to_base64(key.spki),
        "party": key.party_gln,
        "role": key.role.value,
        "label": key.label,
        "state": key.state,
        "registered_index": key.registered_idx,
        "ended_index": key.ended_idx,
        "suspect_since": key.suspect_since,
    }


class GivenUp(Schema):
    """Where a void-seq stands, and the number that it gives up."""

    index = fields.Integer()
    leaf = fields.String()
    by = fields.String(metadata={"description": "GLN"})
    stream = fields.String()
    seq = fields.Integer()


@blueprint.post("/ledger/voids")
@blueprint.response(201, GivenUp)
def give_up() -> dict[str, Any]:
    """Give up a number of a device's chain, signed by a valid key of its party. The same again, the same answer."""
    found = parts("envelope", "document", "seed")
    return services().parking.give_up(found["envelope"], found["document"], found["seed"])


class ParkedAct(Schema):
    """A late act: outside custody until a person adopts or rejects it."""

    index = fields.Integer(metadata={"description": "the audit entry that says that it came"})
    leaf = fields.String(metadata={"description": "that entry's leaf: what an adopting capture refers to"})
    statement = fields.String(metadata={"description": "SHA-256 of what was signed, hex"})
    key = fields.String()
    label = fields.String()
    why = fields.String(metadata={"description": "revoked or suspended"})
    ended = fields.Integer(metadata={"description": "at which index the key ended"})
    stream = fields.String()
    seq = fields.Integer()
    content_type = fields.String()
    parked_at = fields.AwareDateTime()
    state = fields.String(metadata={"description": "open, adopted, rejected or recorded"})
    closed = fields.Integer(allow_none=True, metadata={"description": "the entry that closed it"})


class ParkedActs(Schema):
    """All of them, in the order in which they came."""

    parked = fields.List(fields.Nested(ParkedAct))


@blueprint.get("/ledger/parked")
@blueprint.response(200, ParkedActs)
def parked_acts() -> dict[str, Any]:
    """What keys of the caller's party signed after they had ended."""
    node, gln = services(), reach().party_gln or ""
    acts = node.parking.acts(gln)
    shown = Outcome.SHOWN if acts else Outcome.NOTHING
    disclose(node.database, node.clock, present(), "key.parked", subject="all", whose=gln, outcome=shown)
    return {"parked": [asdict(each) for each in acts]}


@blueprint.get("/ledger/parked/<leaf>")
@blueprint.doc(responses={"200": {"description": "The document, as it came"}})
def parked_document(leaf: str) -> Response:
    """The document of one late act of the caller's party."""
    node, gln = services(), reach().party_gln or ""
    try:
        wanted = bytes.fromhex(leaf) if len(leaf) == HEX_LEAF else b""
    except ValueError:
        wanted = b""
    if not wanted:
        raise NotFound("No such parked act", "A leaf is 64 hex digits.")
    raw, content_type = node.parking.document(gln, wanted)
    disclose(node.database, node.clock, present(), "key.parked", subject=leaf, whose=gln)
    return Response(raw, status=HTTPStatus.OK, content_type=content_type or "application/octet-stream")
