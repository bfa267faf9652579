"""What the desks' interfaces take, as OpenAPI shows it."""

from marshmallow import Schema, fields, validate

from app.cases.service import LONGEST_NOTE

MOST_PAGE = 100


class QueueQuery(Schema):
    """Which page of a queue."""

    state = fields.String(load_default="open", validate=validate.OneOf(["open", "closed"]))
    mine = fields.Boolean(load_default=False, metadata={"description": "only what the caller has taken"})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST_PAGE))
    after = fields.String(
        load_default="",
        validate=validate.Length(max=100),
        metadata={"description": "`next` of the page before"},
    )


class NoteBody(Schema):
    """A line of a thread."""

    text = fields.String(required=True, validate=validate.Length(1, LONGEST_NOTE))


class CloseBody(NoteBody):
    """How a case ended, and its root cause: a word of that desk."""

    root_cause = fields.String(required=True, validate=validate.Length(1, 40))
