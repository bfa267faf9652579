"""What the verification interface answers, as OpenAPI shows it; its requests are read by `app.vrs.messages`."""

from marshmallow import Schema, fields, validate

from app.vrs.messages import Failure, Info


class VerificationData(Schema):
    """Whether GTIN, serial, lot and expiry go together, by the maker's record."""

    verified = fields.Boolean(required=True)
    verificationFailureReason = fields.String(validate=validate.OneOf([code.value for code in Failure]))
    additionalInfo = fields.String(validate=validate.OneOf([code.value for code in Info]))


class VerificationAnswer(Schema):
    """A maker's answer. It never has the recorded lot or expiry."""

    verificationTimestamp = fields.String(metadata={"format": "date-time"})
    responderGLN = fields.String()
    corrUUID = fields.String(metadata={"description": "As the requester sent it"})
    data = fields.Nested(VerificationData)


class ConnectivityAnswer(Schema):
    """Who answers for the GTIN here."""

    responderGLN = fields.String()
