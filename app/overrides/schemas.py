"""What the interface to professional overrides takes, as OpenAPI shows it."""

from marshmallow import Schema, fields, validate

from app.cases.schemas import CloseBody
from app.overrides.rules import CAUSES, LONGEST_TEXT, Reason
from app.verification.schemas import ScanBody


class PersonBody(Schema):
    """Somebody of the token's company, by their own name and password."""

    name = fields.String(required=True, validate=validate.Length(1, 100))
    password = fields.String(required=True, validate=validate.Length(1, 1000), load_only=True)


class OverrideBody(ScanBody):
    """The scan that is gone past, why, and the two who answer for it."""

    reason = fields.String(required=True, validate=validate.OneOf([each.value for each in Reason]))
    text = fields.String(required=True, validate=validate.Length(1, LONGEST_TEXT))
    first = fields.Nested(PersonBody, required=True)
    second = fields.Nested(PersonBody, required=True)


class FollowUpBody(CloseBody):
    """What was found, and who found it: neither of the two who overrode."""

    root_cause = fields.String(required=True, validate=validate.OneOf(list(CAUSES)))
    by = fields.Nested(PersonBody, required=True)
