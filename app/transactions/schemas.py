"""What programs send and get at /transactions. Documents in and out of EPCIS do not go through a schema."""

from marshmallow import Schema, fields, validate

from app.transactions.values import Guideline
from ledger.epcis.document import Form


class PageQuery(Schema):
    """GET /transactions."""

    before = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 2**62))


class DocumentQuery(Schema):
    """GET /transactions/{id}/epcis."""

    guideline = fields.String(
        load_default=Guideline.R13.value, validate=validate.OneOf([each.value for each in Guideline])
    )
    form = fields.String(
        load_default=Form.JSON20.value, validate=validate.OneOf([Form.JSON20.value, Form.XML12.value])
    )
