"""What the interface to recalls takes, as OpenAPI shows it."""

from marshmallow import Schema, fields, validate

from app.recalls.rules import LONGEST_REASON, MOST_LOTS, MOST_PACKAGES, MOST_SERIALS, RecallClass


class RecallRequest(Schema):
    """Lots or serials of a GTIN, or (neither given) every lot of it."""

    gtin = fields.String(required=True, validate=validate.Length(max=14))
    lots = fields.List(
        fields.String(validate=validate.Length(max=20)),
        load_default=list,
        validate=validate.Length(max=MOST_LOTS),
    )
    serials = fields.List(
        fields.String(validate=validate.Length(max=20)),
        load_default=list,
        validate=validate.Length(max=MOST_SERIALS),
    )
    recall_class = fields.String(
        load_default=RecallClass.NONE.value,
        validate=validate.OneOf([each.value for each in RecallClass]),
        data_key="class",
    )
    reason = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))
    instruction = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))


class DescribeRequest(Schema):
    """How grave a recall is, why it is, and what is to be done."""

    recall_class = fields.String(
        required=True, validate=validate.OneOf([each.value for each in RecallClass]), data_key="class"
    )
    reason = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))
    instruction = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))


class EndRequest(Schema):
    """Why a recall ends."""

    text = fields.String(required=True, validate=validate.Length(min=1, max=1000))


class AnswerRequest(Schema):
    """What was done with the packages; all noughts: searched, and found none."""

    quarantined = fields.Integer(
        load_default=0, strict=True, validate=validate.Range(min=0, max=MOST_PACKAGES)
    )
    returned = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=0, max=MOST_PACKAGES))
    destroyed = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=0, max=MOST_PACKAGES))
    gone = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=0, max=MOST_PACKAGES))
    text = fields.String(load_default="", validate=validate.Length(max=1000))
