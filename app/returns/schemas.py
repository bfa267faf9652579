"""What the interface to returns takes, as OpenAPI shows it."""

from marshmallow import Schema, fields, validate

from app.cases.schemas import CloseBody
from app.returns.rules import CAUSES
from app.returns.service import LONGEST_RMA
from app.verification.schemas import ScanBody


class ReturnBody(Schema):
    """Whose return it is, and under which number it was announced."""

    customer = fields.String(
        required=True, validate=validate.Length(equal=13), metadata={"description": "GLN"}
    )
    rma = fields.String(load_default="", validate=validate.Length(max=LONGEST_RMA))


class UnitBody(ScanBody):
    """A unit's label as a scanner read it, and whether it came damaged."""

    damaged = fields.Boolean(load_default=False)


class ReturnEnd(CloseBody):
    """Why they came back, and how it ended."""

    root_cause = fields.String(required=True, validate=validate.OneOf(list(CAUSES)))
