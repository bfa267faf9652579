"""What programs send and get at /shipments."""

from marshmallow import Schema, fields, validate

from app.shipping.rules import MOST_CODES, Purpose


class ShipArguments(Schema):
    """POST /transactions/shipments."""

    codes = fields.List(
        fields.String(validate=validate.Length(1, 4096)),
        required=True,
        validate=validate.Length(1, MOST_CODES),
        metadata={"description": "labels as scanned, or EPCs: packages and containers, the outermost ones"},
    )
    customer = fields.String(required=True, validate=validate.Length(13, 13), metadata={"description": "GLN"})
    purpose = fields.String(
        load_default=Purpose.SALE.value, validate=validate.OneOf([each.value for each in Purpose])
    )
    deliver_to = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(13, 13),
        metadata={"description": "GLN of whom it goes to where that is not the customer (drop shipment)"},
    )
    order = fields.String(load_default="", validate=validate.Length(max=60))
    notice = fields.String(load_default="", validate=validate.Length(max=60))
    transaction_date = fields.Date(load_default=None, allow_none=True)
    affirmed = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "that somebody authorized to affirms the transaction statement"},
    )


class ShipAnswer(Schema):
    """What was shipped."""

    index = fields.Integer()
    event_id = fields.String()
    packages = fields.Integer()
    transaction = fields.String(allow_none=True)
