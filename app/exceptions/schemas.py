"""What the exceptions desk's interface takes, as OpenAPI shows it. PDG's own messages are read by `pdg`."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.cases.rules import NoteKind
from app.cases.schemas import CloseBody, NoteBody, QueueQuery
from app.cases.service import LONGEST_NOTE
from app.exceptions.pdg import MOST_ITEMS
from app.exceptions.rules import BY_HAND, ROOT_CAUSES, SEEN_KINDS, Resolution
from app.exceptions.scenarios import HdaClass
from app.exceptions.seen import LONGEST_TEXT, LONGEST_WORD, MOST_PACKAGES


class ExceptionQuery(QueueQuery):
    """Which exceptions of the queue."""

    partner = fields.String(
        load_default="",
        validate=validate.Regexp(r"\A(\d{13}|none)?\Z"),
        metadata={"description": "GLN of whom they are with, or none"},
    )
    hda_class = fields.String(
        load_default="", validate=validate.OneOf(["", *(each.value for each in HdaClass)])
    )
    root_cause = fields.String(
        load_default="",
        validate=validate.OneOf(["", *ROOT_CAUSES]),
        metadata={"description": "chooses among the closed ones"},
    )


def _word() -> fields.String:
    return fields.String(load_default="", validate=validate.Length(max=LONGEST_WORD))


class Opening(Schema):
    """What a case is opened about: a scan of the caller's, or else what a person saw."""

    check = fields.String(
        load_default="", validate=validate.Length(max=64), metadata={"description": "id of the scan"}
    )
    kind = fields.String(load_default="", validate=validate.OneOf(["", *(each.value for each in SEEN_KINDS)]))
    text = fields.String(load_default="", validate=validate.Length(max=LONGEST_TEXT))
    partner = fields.String(
        load_default="",
        validate=validate.Regexp(r"\A(\d{13})?\Z"),
        metadata={"description": "GLN; who sent it, where it is left out and the record knows"},
    )
    packages = fields.List(
        fields.String(validate=validate.Length(1, 4096)),
        load_default=list,
        validate=validate.Length(max=MOST_PACKAGES),
        metadata={"description": "labels as scanned, or EPCs"},
    )
    gtin = fields.String(load_default="", validate=validate.Length(max=14))
    lot, purchase_order, despatch_advice = _word(), _word(), _word()
    once = fields.String(
        load_default="",
        validate=validate.Length(max=LONGEST_WORD),
        metadata={
            "description": "the caller's own name for this opening: sent again, it opens no second case"
        },
    )

    @validates_schema
    def _one_or_the_other(self, data: dict[str, Any], **_: Any) -> None:
        if data["check"] and any(value for name, value in data.items() if name != "check"):
            raise ValidationError("Give the scan alone, or what was seen.", "check")
        if not data["check"] and not data["kind"]:
            raise ValidationError("Say which scan, or what kind of exception was seen.", "kind")


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
