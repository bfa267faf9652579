"""What the interface to events of the future takes, as OpenAPI shows it."""

from marshmallow import Schema, fields, validate

from app.adoption.service import LONGEST_WHY


class AdoptBody(Schema):
    """Which event counts from now on, and why its time was right."""

    event_id = fields.String(required=True, validate=validate.Length(1, 2048))
    why = fields.String(required=True, validate=validate.Length(1, LONGEST_WHY))
