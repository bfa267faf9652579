"""What the exceptions desk's interface takes, as OpenAPI shows it. PDG's own messages are read by `pdg`."""

from marshmallow import Schema, fields, validate

from app.cases.rules import NoteKind
from app.cases.schemas import CloseBody, NoteBody
from app.cases.service import LONGEST_NOTE
from app.exceptions.pdg import MOST_ITEMS
from app.exceptions.rules import BY_HAND, Resolution


class FromScan(Schema):
    """Which scan a case is opened about."""

    check = fields.String(required=True, validate=validate.Length(1, 64), metadata={"description": "its id"})


class MessageBody(NoteBody):
    """A message, and which way it went."""

    direction = fields.String(
        load_default=NoteKind.SENT.value, validate=validate.OneOf([NoteKind.SENT.value, NoteKind.CAME.value])
    )


class ExceptionEnd(CloseBody):
    """How a case ended, and why it was there."""

    root_cause = fields.String(required=True, validate=validate.OneOf(list(BY_HAND)))


class Addressed(Schema):
    """Whom a message is for."""

    to = fields.String(required=True, validate=validate.Length(equal=13), metadata={"description": "GLN"})


class AnswerOut(Schema):
    """What is answered to one item of a report."""

    item = fields.String(required=True, validate=validate.Length(1, 64))
    accepted = fields.Boolean(required=True)
    comments = fields.String(load_default="", validate=validate.Length(max=500))
    alternative = fields.String(
        load_default="", validate=validate.OneOf(["", *(each.value for each in Resolution)])
    )
    follow_up = fields.String(load_default="", validate=validate.OneOf(["", "Email", "Phone"]))
    details = fields.String(load_default="", validate=validate.Length(max=500))


class ResponseOut(Schema):
    """A response, item by item."""

    answers = fields.List(
        fields.Nested(AnswerOut), load_default=list, validate=validate.Length(max=MOST_ITEMS)
    )
    notes = fields.String(load_default="", validate=validate.Length(max=LONGEST_NOTE // 2))
