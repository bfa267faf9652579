"""``POST /devices``: a bench or a signing client registers its key and gets a token.

No token is needed for it: the registration is signed by the party's root, which the operator has registered, and by
the device's own key. Private keys never come here. A form of three parts: ``envelope``, ``document``, ``seed``.
"""

from dataclasses import replace
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.devices.service import SIGNING_ROLES
from app.partners import service as partners
from app.shared.actor import Role
from app.web.actor import present
from app.web.forms import parts
from app.wiring import services

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


@blueprint.post("/devices")
@blueprint.response(201, Enrolled)
def enrol() -> dict[str, Any]:
    """Register a key that the party's root signed for. Again it gives a new token and ends the older ones."""
    found = parts("envelope", "document", "seed")
    node = services()
    key = node.keys.register(found["envelope"], found["document"], found["seed"], roles=SIGNING_ROLES)
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
