"""What the interface to investigations takes, as OpenAPI shows it. A form's items are those of `form3911`."""

from marshmallow import INCLUDE, Schema, fields, validate

from app.cases.schemas import CloseBody, NoteBody
from app.investigations.form3911 import FormKind
from app.investigations.quarantine import MOST_PACKAGES
from app.investigations.rules import CAUSES, Ground, Move
from app.investigations.service import LONGEST_BIN, LONGEST_TEXT


def _labels(**kwargs: object) -> fields.List:
    return fields.List(
        fields.String(validate=validate.Length(1, 4096)),
        validate=validate.Length(max=MOST_PACKAGES),
        metadata={"description": "labels as scanned, or EPCs; a container stands for what is in it"},
        **kwargs,  # type: ignore[arg-type]
    )


class SuspicionBody(Schema):
    """What is suspect, why, and where it is set apart."""

    packages = _labels(required=True)
    ground = fields.String(required=True, validate=validate.OneOf([each.value for each in Ground]))
    bin = fields.String(required=True, validate=validate.Length(1, LONGEST_BIN))
    text = fields.String(required=True, validate=validate.Length(1, LONGEST_TEXT))
    check = fields.String(
        load_default="", validate=validate.Length(max=64), metadata={"description": "id of the scan"}
    )


class MoveBody(Schema):
    """The next step. `retain`: packages kept as samples of what is destroyed or put on hold. `whole_lots`: partners are
    notified of everything of the packages' lots, and not of these packages alone."""

    move = fields.String(required=True, validate=validate.OneOf([each.value for each in Move]))
    text = fields.String(load_default="", validate=validate.Length(max=LONGEST_TEXT))
    maker_consulted = fields.String(load_default="", validate=validate.Length(max=200))
    retain = _labels(load_default=list)
    whole_lots = fields.Boolean(load_default=False)


class ReleaseBody(Schema):
    """What is let go from its hold, and why."""

    packages = _labels(required=True)
    text = fields.String(required=True, validate=validate.Length(1, LONGEST_TEXT))


class RiskBody(NoteBody):
    """Why its manufacturer finds a high risk that it is illegitimate."""

    text = fields.String(required=True, validate=validate.Length(1, LONGEST_TEXT))


class NotificationEnd(CloseBody):
    """What came of a partner's notification."""

    root_cause = fields.String(required=True, validate=validate.OneOf(list(CAUSES)))


class FormBody(Schema):
    """Form FDA 3911: its kind, and any of its items by name; the others are filled in from the record."""

    class Meta:
        unknown = INCLUDE

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in FormKind]))
